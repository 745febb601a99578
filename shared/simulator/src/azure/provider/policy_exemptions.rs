//! Policy exemptions: <https://learn.microsoft.com/rest/api/policy/policy-exemptions>

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::answer::{Answered, Good, bad, no_method, not_found};
use super::super::policy;
use super::super::request::{ENVELOPE, Request, only};
use super::super::world::resource::key;
use super::super::world::{AzureWorld, Governance, Resource, Resources};
use super::held_mut;

/// Of one scope: <https://learn.microsoft.com/azure/governance/policy/overview#maximum-count-of-azure-policy-objects>
const MOST: usize = 1_000;
const NAME: usize = 64;

fn pick(governance: &Governance) -> &Resources {
    &governance.policy_exemptions
}

fn pick_mut(governance: &mut Governance) -> &mut Resources {
    &mut governance.policy_exemptions
}

pub(super) fn answer(world: &mut AzureWorld, request: &Request) -> Answered {
    let missing = |name: &str| {
        not_found("PolicyExemptionNotFound", format!("The policy exemption '{name}' is not found."))
    };
    match (request.method.as_str(), request.names.is_empty()) {
        ("GET", true) => {
            let expired = |one: &Resource| {
                let until = one.text("expiresOn").parse::<Timestamp>();
                until.is_ok_and(|until| until <= request.now)
            };
            let hide = request.filters("excludeExpired()");
            let inherited = !request.filters("atExactScope()");
            super::all(world, request, pick, inherited, |one| !hide || !expired(one))
        }
        ("GET", false) => super::one(world, request, pick, missing),
        ("PUT", false) => put(world, request),
        ("DELETE", false) => super::delete(world, request, pick_mut),
        _ => Err(no_method(request)),
    }
}

fn put(world: &mut AzureWorld, request: &Request) -> Answered {
    let name = request.name().to_owned();
    if name.chars().count() > NAME {
        let message = format!("The policy exemption name '{name}' has more than {NAME} characters.");
        return Err(bad("InvalidPolicyExemptionName", message));
    }
    only(request.object()?, "", "PolicyExemption", &ENVELOPE)?;
    let known = [
        "policyAssignmentId",
        "policyDefinitionReferenceIds",
        "exemptionCategory",
        "expiresOn",
        "displayName",
        "description",
        "metadata",
        "resourceSelectors",
        "assignmentScopeValidation",
    ];
    let mut properties = request.properties()?.clone();
    only(&properties, "properties.", "PolicyExemptionProperties", &known)?;
    let wrong = |message: String| bad("InvalidCreatePolicyExemptionRequest", message);
    let text = |name: &str| properties.get(name).and_then(Value::as_str).unwrap_or_default();
    let assignment = text("policyAssignmentId");
    if policy::assignment(world, assignment).is_none() {
        let message = format!("The policy assignment '{assignment}' is not found.");
        return Err(not_found("PolicyAssignmentNotFound", message));
    }
    if !policy::reachable(world, &request.scope, assignment) {
        return Err(wrong(format!(
            "The policy assignment '{assignment}' does not reach '{}'.",
            request.scope.id()
        )));
    }
    let category = text("exemptionCategory");
    if !matches!(category, "Waiver" | "Mitigated") {
        return Err(wrong(format!("The exemption category '{category}' must be Waiver or Mitigated.")));
    }
    let until = properties.get("expiresOn").filter(|until| !until.is_null());
    if until.is_some_and(|until| until.as_str().is_none_or(|text| text.parse::<Timestamp>().is_err())) {
        return Err(wrong("'expiresOn' must be a point in time such as 2027-01-01T00:00:00Z.".to_owned()));
    }
    properties.entry("assignmentScopeValidation").or_insert_with(|| json!("Default"));
    let all = held_mut(world, request, pick_mut)?;
    if all.len() >= MOST && !all.contains_key(&key(&name)) {
        let message = format!("The scope '{}' has {MOST} exemptions already.", request.scope.id());
        return Err(bad("PolicyExemptionQuotaExceeded", message));
    }
    let (new, stored) = super::put(all, Resource::made(&name, properties, request.now));
    Ok(Good::put(new, stored.show_dated(&request.scope.id(), &request.full_type())))
}
