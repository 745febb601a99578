//! Access Approval: whether Google's people must ask before they look.
//!
//! <https://cloud.google.com/assured-workloads/access-approval/docs/reference/rest>. What nobody has set on a resource or above it is
//! not there.

use serde_json::{Value, json};

use super::enabled;
use super::fields::{masked, missing, only, text, texts, with};
use crate::gcp::answer::{Answered, bad};
use crate::gcp::request::Request;
use crate::gcp::world::GcpWorld;
use crate::refusal::Refusal;

const SETTINGS: &str = "accessapproval/settings";

const FIELDS: [&str; 9] = [
    "notificationEmails",
    "enrolledServices",
    "activeKeyVersion",
    "preferredRequestExpirationDays",
    "preferNoBroadApprovalRequests",
    "notificationPubsubTopic",
    "requestScopeMaxWidthPreference",
    "requireCustomerVisibleJustification",
    "approvalPolicy",
];
/// The word by which a resource leaves it to the one above.
const INHERITED: &str = "JUSTIFICATION_BASED_APPROVAL_INHERITED";

const TOLD: [&str; 6] = [
    "name",
    "enrolledAncestor",
    "ancestorHasActiveKeyVersion",
    "invalidKeyVersion",
    "ancestorsEnrolledServices",
    "effectiveApprovalPolicy",
];

pub(super) fn answer(world: &mut GcpWorld, request: &Request) -> Answered {
    let (method, parts, verb) = request.asked();
    let [kind @ ("projects" | "folders" | "organizations"), id, what] = parts.as_slice() else {
        return Err(request.unknown());
    };
    enabled::check(world, request)?;
    let of = format!("{kind}/{id}");
    match (method, *what, verb) {
        ("GET", "accessApprovalSettings", "") => show(world, request, &of),
        ("PATCH", "accessApprovalSettings", "") => {
            only(&request.body, "settings", &[FIELDS.as_slice(), TOLD.as_slice()].concat())?;
            let mask = if request.query("updateMask").is_some() {
                request.mask()
            } else {
                // "If this field is left unset, only the notification_emails field will be updated."
                vec!["notificationEmails".to_owned()]
            };
            let old = own(world, &of).unwrap_or_else(|| json!({}));
            let new = masked(&old, &request.body, &mask, &FIELDS, &TOLD)?;
            let new = check(new, *kind == "organizations")?;
            let governance = world.at(&of).ok_or_else(|| missing(request))?;
            governance.things_mut(SETTINGS).insert("self".to_owned(), new);
            show(world, request, &of)
        }
        ("DELETE", "accessApprovalSettings", "") => {
            let governance = world.at(&of).ok_or_else(|| missing(request))?;
            let gone = governance.things_mut(SETTINGS).remove("self");
            gone.map(|_| Value::Null).ok_or_else(|| missing(request))
        }
        ("GET", "serviceAccount", "") => {
            let short = kind.trim_end_matches('s').chars().next().unwrap_or('p');
            let number = world.canonical(&of);
            let number = number.rsplit('/').next().unwrap_or_default();
            let email = format!("service-{short}{number}@gcp-sa-accessapproval.iam.gserviceaccount.com");
            Ok(json!({"name": format!("{of}/serviceAccount"), "accountEmail": email}))
        }
        _ => Err(request.unknown()),
    }
}

fn own(world: &GcpWorld, name: &str) -> Option<Value> {
    world.governance(name)?.things(SETTINGS).get("self").cloned()
}

fn is_enrolled(settings: &Value) -> bool {
    let services = settings.get("enrolledServices").and_then(Value::as_array);
    services.is_some_and(|services| !services.is_empty())
}

fn show(world: &GcpWorld, request: &Request, of: &str) -> Answered {
    let above: Vec<Value> = world.way_up(of).iter().skip(1).filter_map(|name| own(world, name)).collect();
    let enrolled = above.iter().any(is_enrolled);
    let settings = match own(world, of) {
        Some(settings) => settings,
        None if enrolled => json!({}),
        None => return Err(missing(request)),
    };
    let mut shown = with(settings, "name", format!("{of}/accessApprovalSettings"));
    if enrolled {
        shown = with(shown, "enrolledAncestor", true);
        let services = above.iter().filter_map(|one| one.get("enrolledServices").and_then(Value::as_array));
        shown = with(shown, "ancestorsEnrolledServices", services.flatten().cloned().collect::<Vec<_>>());
    }
    if above.iter().any(|one| !text(one, "activeKeyVersion").is_empty()) {
        shown = with(shown, "ancestorHasActiveKeyVersion", true);
    }
    // The nearest that says something but that the one above says it.
    let policies = own(world, of).into_iter().chain(above).filter_map(|one| {
        one.pointer("/approvalPolicy/justificationBasedApprovalPolicy")
            .and_then(Value::as_str)
            .map(str::to_owned)
    });
    if let Some(policy) = policies.into_iter().find(|policy| policy != INHERITED) {
        let policy = json!({"justificationBasedApprovalPolicy": policy});
        shown = with(shown, "effectiveApprovalPolicy", policy);
    }
    Ok(shown)
}

/// Settings as they are kept. Folders and projects enrol for everything or for nothing.
fn check(settings: Value, services_may_differ: bool) -> Result<Value, Refusal> {
    if texts(&settings, "notificationEmails").len() > 50 {
        return Err(bad("At most 50 notification emails are allowed."));
    }
    let Some(services) = settings.get("enrolledServices").and_then(Value::as_array) else {
        return Ok(settings);
    };
    let mut kept = Vec::new();
    for service in services {
        only(service, "settings.enrolled_services", &["cloudProduct", "enrollmentLevel"])?;
        let product = text(service, "cloudProduct");
        if product.is_empty() || (!services_may_differ && product != "all") {
            return Err(bad(format!("Enrolment of {product:?} is not possible here: only of \"all\".")));
        }
        kept.push(json!({"cloudProduct": product, "enrollmentLevel": "BLOCK_ALL"}));
    }
    Ok(with(settings, "enrolledServices", kept))
}
