//! Diagnostic settings, here of subscriptions and management groups, which send their activity logs.
//!
//! <https://learn.microsoft.com/rest/api/monitor/diagnostic-settings>

use serde_json::{Map, Value, json};

use super::super::answer::{Answered, Good, bad, conflict, no_method, not_found};
use super::super::request::Request;
use super::super::scope::Scope;
use super::super::world::resource::key;
use super::super::world::{AzureWorld, Governance, Resource, Resources};
use super::held_mut;
use crate::refusal::Refusal;

/// <https://learn.microsoft.com/azure/azure-monitor/platform/diagnostic-settings>
const MOST: usize = 5;
const OF_SUBSCRIPTION: [&str; 8] = [
    "Administrative",
    "Security",
    "ServiceHealth",
    "Alert",
    "Recommendation",
    "Policy",
    "Autoscale",
    "ResourceHealth",
];
const OF_GROUP: [&str; 2] = ["Administrative", "Policy"];
/// One of them is where the log goes.
const DESTINATIONS: [&str; 4] =
    ["workspaceId", "storageAccountId", "eventHubAuthorizationRuleId", "marketplacePartnerId"];

fn pick(governance: &Governance) -> &Resources {
    &governance.diagnostic_settings
}

fn pick_mut(governance: &mut Governance) -> &mut Resources {
    &mut governance.diagnostic_settings
}

pub(super) fn answer(world: &mut AzureWorld, request: &Request) -> Answered {
    let missing =
        |name: &str| not_found("ResourceNotFound", format!("The diagnostic setting '{name}' doesn't exist."));
    match (request.method.as_str(), request.names.is_empty()) {
        // Not paged: there are five at most.
        ("GET", true) => {
            let scope = &request.scope;
            let all = super::held(world, request, pick).into_iter().flat_map(Resources::values);
            Ok(Good::list(all.map(|one| show(one, scope, &request.full_type())).collect()))
        }
        ("GET", false) => {
            let found = super::held(world, request, pick).and_then(|all| all.get(&key(request.name())));
            let found = found.ok_or_else(|| missing(request.name()))?;
            Ok(Good::ok(show(found, &request.scope, &request.full_type())))
        }
        ("PUT", false) => put(world, request),
        ("DELETE", false) => super::delete(world, request, pick_mut),
        _ => Err(no_method(request)),
    }
}

/// Every member that the scope's settings have is shown, null where it is not set.
fn show(setting: &Resource, scope: &Scope, kind: &str) -> Value {
    let always = [
        "workspaceId",
        "storageAccountId",
        "eventHubAuthorizationRuleId",
        "serviceBusRuleId",
        "eventHubName",
    ];
    let others: &[&str] = match scope {
        Scope::Tenant | Scope::Group(_) => &[],
        Scope::Subscription(_) => &["marketplacePartnerId"],
        Scope::ResourceGroup(..) | Scope::Resource(..) => {
            &["marketplacePartnerId", "logAnalyticsDestinationType"]
        }
    };
    let mut setting = setting.clone();
    for name in always.iter().chain(others) {
        setting.properties.entry(*name).or_insert(Value::Null);
    }
    setting.show(&scope.id(), kind)
}

fn put(world: &mut AzureWorld, request: &Request) -> Answered {
    let properties = request.properties()?;
    let logs = logs(request, properties)?;
    let text = |name: &str| properties.get(name).and_then(Value::as_str).unwrap_or_default();
    if DESTINATIONS.iter().all(|name| text(name).is_empty()) {
        let message = "At least one data sink needs to be specified.";
        return Err(bad("BadRequest", message));
    }
    let name = request.name();
    let mut setting = Resource::made(name, properties.clone(), request.now);
    setting.set("logs", logs.clone());
    let all = held_mut(world, request, pick_mut)?;
    let others = || all.iter().filter(|(other, _)| **other != key(name)).map(|(_, one)| one);
    if others().count() >= MOST {
        let message = format!(
            "The limit of {MOST} diagnostic settings was reached. To create a new diagnostic setting, delete an existing one."
        );
        return Err(conflict("Conflict", message));
    }
    // The same category can't be sent twice to the same place.
    let enabled = |logs: &Value| -> Vec<String> {
        let on = logs.as_array().into_iter().flatten();
        let on = on.filter(|log| log.get("enabled").and_then(Value::as_bool).unwrap_or_default());
        on.filter_map(|log| log.get("category").and_then(Value::as_str).map(key)).collect()
    };
    let wanted = enabled(&logs);
    for other in others() {
        let sink = DESTINATIONS
            .iter()
            .find(|sink| !text(sink).is_empty() && text(sink).eq_ignore_ascii_case(other.text(sink)));
        let theirs = enabled(other.properties.get("logs").unwrap_or(&Value::Null));
        if let (Some(_), Some(category)) = (sink, wanted.iter().find(|one| theirs.contains(one))) {
            let message = format!(
                "Data sink is already used in diagnostic setting '{}' for category '{category}'. Data sinks can't be reused in different settings on the same category for the same resource.",
                other.name
            );
            return Err(conflict("Conflict", message));
        }
    }
    let (_, stored) = super::put(all, setting);
    Ok(Good::ok(show(stored, &request.scope, &request.full_type())))
}

/// The logs as they are kept: every category of the scope, the others off.
fn logs(request: &Request, properties: &Map<String, Value>) -> Result<Value, Refusal> {
    let known: &[&str] = match request.scope {
        Scope::Group(_) => &OF_GROUP,
        Scope::Subscription(_) => &OF_SUBSCRIPTION,
        Scope::Tenant | Scope::ResourceGroup(..) | Scope::Resource(..) => &[],
    };
    let sent = properties.get("logs").and_then(Value::as_array).cloned().unwrap_or_default();
    if known.is_empty() {
        return Ok(Value::Array(sent));
    }
    for log in &sent {
        let category = log.get("category").and_then(Value::as_str).unwrap_or_default();
        if !known.iter().any(|known| known.eq_ignore_ascii_case(category)) {
            let message = format!(
                "Category '{category}' is not supported, supported categories are: '{}'.",
                known.join(", ")
            );
            return Err(bad("BadRequest", message));
        }
    }
    let on = |category: &str| {
        let mut same = sent.iter().filter(|log| {
            log.get("category").and_then(Value::as_str).is_some_and(|one| one.eq_ignore_ascii_case(category))
        });
        same.next().and_then(|log| log.get("enabled")).and_then(Value::as_bool).unwrap_or_default()
    };
    let shown = known.iter().map(|category| {
        let mut log = json!({"category": category, "enabled": on(category)});
        if let (Scope::Subscription(_), Some(members)) = (&request.scope, log.as_object_mut()) {
            members.insert("categoryGroup".to_owned(), Value::Null);
        }
        log
    });
    Ok(shown.collect())
}
