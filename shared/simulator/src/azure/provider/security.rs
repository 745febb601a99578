//! Defender for Cloud: its plans and whom it tells.
//!
//! <https://learn.microsoft.com/rest/api/defenderforcloud/pricings> and
//! <https://learn.microsoft.com/rest/api/defenderforcloud/security-contacts>

use serde_json::{Map, Value, json};

use super::super::answer::{Answered, Good, bad, no_method, not_found};
use super::super::request::Request;
use super::super::scope::Scope;
use super::super::world::resource::key;
use super::super::world::subscription::free_plan;
use super::super::world::{AzureWorld, Resource, Subscription};
use crate::refusal::Refusal;

fn subscription<'a>(world: &'a mut AzureWorld, request: &Request) -> Result<&'a mut Subscription, Refusal> {
    let Scope::Subscription(id) = &request.scope else {
        return Err(bad("InvalidScope", "Only settings of subscriptions are known here."));
    };
    let missing =
        || not_found("SubscriptionNotFound", format!("The subscription '{id}' could not be found."));
    world.subscription_mut(id).ok_or_else(missing)
}

/// Which sub-plans and extensions a plan has; the others have none.
///
/// <https://learn.microsoft.com/azure/defender-for-cloud/defender-for-cloud-introduction>
fn offered(plan: &str) -> (&'static [&'static str], &'static [&'static str]) {
    match key(plan).as_str() {
        "virtualmachines" => {
            (&["P1", "P2"], &["MdeDesignatedSubscription", "AgentlessVmScanning", "FileIntegrityMonitoring"])
        }
        "storageaccounts" => (
            &["DefenderForStorageV2", "PerStorageAccount", "PerTransaction"],
            &["OnUploadMalwareScanning", "SensitiveDataDiscovery"],
        ),
        "keyvaults" => (&["PerKeyVault", "PerTransaction"], &[]),
        "arm" => (&["PerSubscription", "PerApiCall"], &[]),
        "api" => (&["P1", "P2", "P3", "P4", "P5"], &[]),
        "containers" => (
            &[],
            &[
                "ContainerRegistriesVulnerabilityAssessments",
                "AgentlessDiscoveryForKubernetes",
                "AgentlessVmScanning",
                "ContainerSensor",
            ],
        ),
        "cloudposture" => (
            &[],
            &[
                "SensitiveDataDiscovery",
                "ContainerRegistriesVulnerabilityAssessments",
                "AgentlessDiscoveryForKubernetes",
                "AgentlessVmScanning",
                "EntraPermissionsManagement",
                "ApiPosture",
            ],
        ),
        "ai" => (&[], &["AIPromptEvidence", "AIPromptSharingWithPurview"]),
        _ => (&[], &[]),
    }
}

/// Plans are listed whole, without a link to a next page.
pub(super) fn pricings(world: &mut AzureWorld, request: &Request) -> Answered {
    let failing = world.settings.failing_extensions.clone();
    let now = request.now.to_string();
    let scope = request.scope.id();
    let kind = request.full_type();
    let found = subscription(world, request)?;
    let name = key(request.name());
    let missing =
        || not_found("ResourceNotFound", format!("The pricing plan '{}' was not found.", request.name()));
    match (request.method.as_str(), request.names.is_empty()) {
        ("GET", true) => {
            Ok(Good::list(found.pricings.values().map(|plan| plan.show(&scope, &kind)).collect()))
        }
        ("GET", false) => Ok(Good::ok(found.pricings.get(&name).ok_or_else(missing)?.show(&scope, &kind))),
        ("PUT", false) => {
            let plan = found.pricings.get_mut(&name).ok_or_else(missing)?;
            let properties = priced(plan, request.properties()?, &failing, &now)?;
            plan.properties = properties;
            plan.updated_at = request.now;
            Ok(Good::ok(plan.show(&scope, &kind)))
        }
        _ => Err(no_method(request)),
    }
}

fn priced(
    plan: &Resource,
    sent: &Map<String, Value>,
    failing: &[String],
    now: &str,
) -> Result<Map<String, Value>, Refusal> {
    let (sub_plans, extensions) = offered(&plan.name);
    let tier = sent.get("pricingTier").and_then(Value::as_str).unwrap_or_default();
    let mut properties = free_plan(&plan.name);
    match tier.to_ascii_lowercase().as_str() {
        "free" => return Ok(properties),
        "standard" => {}
        _ => {
            return Err(bad(
                "InvalidPricingTier",
                format!("The pricing tier '{tier}' must be Free or Standard."),
            ));
        }
    }
    properties.insert("pricingTier".to_owned(), json!("Standard"));
    properties.insert("freeTrialRemainingTime".to_owned(), json!("PT0S"));
    let since = plan.properties.get("enablementTime").cloned().unwrap_or_else(|| json!(now));
    properties.insert("enablementTime".to_owned(), since);
    let sub_plan = sent.get("subPlan").and_then(Value::as_str);
    if let Some(wanted) = sub_plan {
        let known = sub_plans.iter().find(|known| known.eq_ignore_ascii_case(wanted));
        let message = || format!("The sub-plan '{wanted}' is not one of the plan '{}'.", plan.name);
        properties
            .insert("subPlan".to_owned(), json!(known.ok_or_else(|| bad("InvalidSubPlan", message()))?));
    } else if let Some(usual) = sub_plans.first() {
        // Left out, it is the plan's usual one; servers have the greater.
        let usual = if plan.name == "VirtualMachines" { "P2" } else { usual };
        properties.insert("subPlan".to_owned(), json!(usual));
    }
    let wanted = sent.get("extensions").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut shown = Vec::new();
    for name in extensions {
        let asked = wanted.iter().find(|one| {
            one.get("name").and_then(Value::as_str).is_some_and(|one| one.eq_ignore_ascii_case(name))
        });
        let on = asked.and_then(|one| one.get("isEnabled")).and_then(Value::as_str).unwrap_or("False");
        let mut extension = json!({"name": name, "isEnabled": if on.eq_ignore_ascii_case("true") { "True" } else { "False" }});
        if let (Some(asked), Some(members)) = (asked, extension.as_object_mut()) {
            let broken = failing.iter().any(|one| one.eq_ignore_ascii_case(name));
            let status = if broken {
                json!({"code": "Failed", "message": "The extension could not be set up. Try again."})
            } else {
                json!({"code": "Succeeded", "message": "Successfully enabled extension"})
            };
            members.insert("operationStatus".to_owned(), status);
            if let Some(more) = asked.get("additionalExtensionProperties") {
                members.insert("additionalExtensionProperties".to_owned(), more.clone());
            }
        }
        shown.push(extension);
    }
    let unknown = wanted.iter().filter_map(|one| one.get("name").and_then(Value::as_str));
    let mut unknown = unknown.filter(|name| !extensions.iter().any(|known| known.eq_ignore_ascii_case(name)));
    if let Some(name) = unknown.next() {
        return Err(bad(
            "InvalidExtension",
            format!("The extension '{name}' is not one of the plan '{}'.", plan.name),
        ));
    }
    if !shown.is_empty() {
        properties.insert("extensions".to_owned(), Value::Array(shown));
    }
    properties.insert("resourcesCoverageStatus".to_owned(), json!("FullyCovered"));
    Ok(properties)
}

/// There is one contact, `default`.
pub(super) fn contacts(world: &mut AzureWorld, request: &Request) -> Answered {
    let scope = request.scope.id();
    let kind = request.full_type();
    let named = request.names.is_empty() || request.name().eq_ignore_ascii_case("default");
    if !named {
        return Err(bad("InvalidSecurityContactName", "The name of the security contact must be 'default'."));
    }
    let missing = || not_found("ResourceNotFound", "The security contact 'default' was not found.");
    let found = subscription(world, request)?;
    match (request.method.as_str(), request.names.is_empty()) {
        ("GET", true) => {
            Ok(Good::list(found.security_contacts.values().map(|one| one.show(&scope, &kind)).collect()))
        }
        ("GET", false) => {
            Ok(Good::ok(found.security_contacts.get("default").ok_or_else(missing)?.show(&scope, &kind)))
        }
        ("PUT", false) => {
            let properties = contact(request.properties()?)?;
            let contact = Resource::made("default", properties, request.now);
            let (new, stored) = super::put(&mut found.security_contacts, contact);
            Ok(Good::put(new, stored.show(&scope, &kind)))
        }
        ("DELETE", false) => {
            let removed = found.security_contacts.remove("default");
            Ok(if removed.is_some() { Good::ok(Value::Null) } else { Good::no_content() })
        }
        _ => Err(no_method(request)),
    }
}

fn contact(sent: &Map<String, Value>) -> Result<Map<String, Value>, Refusal> {
    let wrong = |message: String| Err(bad("InvalidSecurityContact", message));
    let emails = sent.get("emails").and_then(Value::as_str).unwrap_or_default();
    let mut addresses = emails.split(';').map(str::trim).filter(|one| !one.is_empty());
    if let Some(address) = addresses.find(|address| !address.contains('@')) {
        return wrong(format!("'{address}' is not an e-mail address."));
    }
    let mut properties = sent.clone();
    properties.entry("phone").or_insert_with(|| json!(""));
    properties.entry("isEnabled").or_insert_with(|| json!(true));
    let by_role =
        properties.entry("notificationsByRole").or_insert_with(|| json!({"state": "Off", "roles": []}));
    let state = by_role.get("state").and_then(Value::as_str).unwrap_or_default();
    if !matches!(state, "On" | "Off") {
        return wrong(format!("The state '{state}' of notificationsByRole must be On or Off."));
    }
    let roles = by_role.get("roles").and_then(Value::as_array).cloned().unwrap_or_default();
    let known = ["AccountAdmin", "ServiceAdmin", "Owner", "Contributor"];
    if let Some(role) = roles.iter().find(|role| !role.as_str().is_some_and(|role| known.contains(&role))) {
        return wrong(format!("The role {role} must be one of {}.", known.join(", ")));
    }
    let sources = properties.entry("notificationsSources").or_insert_with(|| json!([]));
    for source in sources.as_array().into_iter().flatten() {
        let text = |name: &str| source.get(name).and_then(Value::as_str).unwrap_or_default();
        let right = match text("sourceType") {
            "Alert" => matches!(text("minimalSeverity"), "High" | "Medium" | "Low"),
            "AttackPath" => matches!(text("minimalRiskLevel"), "Critical" | "High" | "Medium" | "Low"),
            _ => false,
        };
        if !right {
            return wrong(format!("The notification source {source} is invalid."));
        }
    }
    Ok(properties)
}
