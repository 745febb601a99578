//! Alerting: policies, and the channels they notify. <https://cloud.google.com/monitoring/api/ref_v3/rest>

use serde_json::{Value, json};

use super::enabled;
use super::fields::{masked, missing, only, text, texts, with, without};
use super::logging::METRICS;
use crate::gcp::answer::{Answered, bad, not_found, precondition};
use crate::gcp::page::page;
use crate::gcp::request::Request;
use crate::gcp::world::GcpWorld;
use crate::refusal::Refusal;

/// One of the two collections.
#[derive(Debug, Clone, Copy)]
struct Collection {
    /// As paths and lists call it.
    name: &'static str,
    kept: &'static str,
    fields: &'static [&'static str],
    told: &'static [&'static str],
}

const POLICIES: Collection = Collection {
    name: "alertPolicies",
    kept: "monitoring/alertPolicies",
    fields: &[
        "displayName",
        "documentation",
        "userLabels",
        "conditions",
        "combiner",
        "enabled",
        "notificationChannels",
        "alertStrategy",
        "severity",
    ],
    told: &["name", "creationRecord", "mutationRecord", "validity"],
};

const CHANNELS: Collection = Collection {
    name: "notificationChannels",
    kept: "monitoring/notificationChannels",
    fields: &["type", "displayName", "description", "labels", "userLabels", "enabled"],
    told: &["name", "verificationStatus", "creationRecord", "mutationRecords"],
};

/// What sorts of channel there are, with the label that each must have.
///
/// <https://cloud.google.com/monitoring/alerts/using-channels-api>
const SORTS: [(&str, &str); 6] = [
    ("email", "email_address"),
    ("pubsub", "topic"),
    ("sms", "number"),
    ("slack", "channel_name"),
    ("webhook_tokenauth", "url"),
    ("pagerduty", "service_key"),
];

pub(super) fn answer(world: &mut GcpWorld, request: &Request) -> Answered {
    let (method, parts, verb) = request.asked();
    let ["projects", project, collection, rest @ ..] = parts.as_slice() else {
        return Err(request.unknown());
    };
    let collection = match *collection {
        "alertPolicies" => POLICIES,
        "notificationChannels" => CHANNELS,
        _ => return Err(request.unknown()),
    };
    enabled::check(world, request)?;
    let of = format!("projects/{project}");
    let project = world.project(project).ok_or_else(|| missing(request))?;
    let base = format!("projects/{}/{}", project.id, collection.name);
    let all = project.governance.things(collection.kept);
    match (method, rest, verb) {
        ("GET", [], "") => {
            let wanted = filter(request.query("filter").unwrap_or_default())?;
            let fits = |thing: &&Value| wanted.iter().all(|(field, value)| is(thing, field, value));
            let all: Vec<Value> = all.values().filter(fits).cloned().collect();
            page(world, request, collection.name, all.into_iter(), 1_000)
        }
        ("GET", [id], "") => all.get(*id).cloned().ok_or_else(|| missing(request)),
        ("POST", [], "") => {
            known(request, collection)?;
            let id = world.number().to_string();
            let new = without(request.body.clone(), collection.told);
            let new = with(new, "name", format!("{base}/{id}"));
            let record = record(request);
            let new = with(new, "creationRecord", record.clone());
            let new =
                if collection.name == POLICIES.name { with(new, "mutationRecord", record) } else { new };
            keep(world, request, &of, collection, &id, new)
        }
        ("PATCH", [id], "") => {
            let old = all.get(*id).cloned().ok_or_else(|| missing(request))?;
            known(request, collection)?;
            // Without a mask all that can be set is replaced.
            let whole: Vec<String> = collection.fields.iter().map(|field| (*field).to_owned()).collect();
            let mask = if request.query("updateMask").is_some() { request.mask() } else { whole };
            let new = masked(&old, &request.body, &mask, collection.fields, collection.told)?;
            let new = match collection.name {
                "alertPolicies" => with(new, "mutationRecord", record(request)),
                _ => {
                    let mut records =
                        old.get("mutationRecords").and_then(Value::as_array).cloned().unwrap_or_default();
                    records.push(record(request));
                    with(new, "mutationRecords", records)
                }
            };
            keep(world, request, &of, collection, id, new)
        }
        ("DELETE", [id], "") => {
            all.get(*id).ok_or_else(|| missing(request))?;
            let name = format!("{base}/{id}");
            let used = project.governance.things(POLICIES.kept).values();
            let used =
                used.into_iter().any(|one| texts(one, "notificationChannels").contains(&name.as_str()));
            if used && !request.flag("force") {
                return Err(precondition(format!(
                    "The notification channel {name} is used by an alerting policy."
                )));
            }
            let Some(governance) = world.at(&of) else { return Err(missing(request)) };
            governance.things_mut(collection.kept).remove(*id);
            for policy in governance.things_mut(POLICIES.kept).values_mut() {
                let left: Vec<String> = texts(policy, "notificationChannels")
                    .into_iter()
                    .filter(|channel| *channel != name)
                    .map(str::to_owned)
                    .collect();
                if policy.get("notificationChannels").is_some() {
                    *policy = with(policy.clone(), "notificationChannels", left);
                }
            }
            Ok(Value::Null)
        }
        _ => Err(request.unknown()),
    }
}

fn known(request: &Request, collection: Collection) -> Result<(), Refusal> {
    only(&request.body, "", &[collection.fields, collection.told].concat()).map(|_| ())
}

fn record(request: &Request) -> Value {
    let by = request.caller.principal.split_once(':').map_or("", |(_, who)| who);
    json!({"mutateTime": request.now.to_string(), "mutatedBy": by})
}

fn keep(
    world: &mut GcpWorld,
    request: &Request,
    of: &str,
    collection: Collection,
    id: &str,
    thing: Value,
) -> Answered {
    let mut thing = if thing.get("enabled").is_some() { thing } else { with(thing, "enabled", true) };
    if collection.name == POLICIES.name {
        thing = policy(world, of, thing)?;
    } else {
        channel(&thing)?;
    }
    let governance = world.at(of).ok_or_else(|| missing(request))?;
    governance.things_mut(collection.kept).insert(id.to_owned(), thing.clone());
    Ok(thing)
}

fn channel(channel: &Value) -> Result<(), Refusal> {
    let sort = text(channel, "type");
    let Some((_, label)) = SORTS.iter().find(|(known, _)| *known == sort) else {
        return Err(bad(format!(
            "Field \"notificationChannel.type\" has an unknown channel type: {sort:?}."
        )));
    };
    let labels = channel.get("labels").cloned().unwrap_or_default();
    if text(&labels, label).is_empty() {
        return Err(bad(format!(
            "Field \"notificationChannel.labels['{label}']\" is required for a channel of type \"{sort}\"."
        )));
    }
    Ok(())
}

/// A policy as it is kept: checked, its conditions with names.
fn policy(world: &mut GcpWorld, of: &str, policy: Value) -> Answered {
    const CONDITIONS: [&str; 6] = [
        "conditionThreshold",
        "conditionAbsent",
        "conditionMatchedLog",
        "conditionMonitoringQueryLanguage",
        "conditionPrometheusQueryLanguage",
        "conditionSql",
    ];
    if text(&policy, "displayName").is_empty() {
        return Err(bad("Field alert_policy.display_name is required."));
    }
    let combiner = text(&policy, "combiner");
    if !["AND", "OR", "AND_WITH_MATCHING_RESOURCE"].contains(&combiner) {
        return Err(bad(format!("Field alert_policy.combiner had an invalid value of {combiner:?}.")));
    }
    let conditions = policy.get("conditions").and_then(Value::as_array).cloned().unwrap_or_default();
    if conditions.is_empty() {
        return Err(bad("Field alert_policy.conditions must have at least one condition."));
    }
    let governance = world.governance(of).ok_or_else(|| not_found("Requested entity was not found."))?;
    for condition in &conditions {
        only(
            condition,
            "alert_policy.conditions",
            &[["name", "displayName"].as_slice(), &CONDITIONS].concat(),
        )?;
        if text(condition, "displayName").is_empty() {
            return Err(bad("Field alert_policy.conditions[].display_name is required."));
        }
        if CONDITIONS.iter().filter(|sort| condition.get(**sort).is_some()).count() != 1 {
            return Err(bad("A condition must have exactly one of its sorts."));
        }
        if condition.get("conditionMatchedLog").is_some()
            && policy.pointer("/alertStrategy/notificationRateLimit/period").is_none()
        {
            return Err(bad(
                "Field alert_policy.alert_strategy.notification_rate_limit is required for log-match conditions.",
            ));
        }
        let filter =
            condition.pointer("/conditionThreshold/filter").and_then(Value::as_str).unwrap_or_default();
        let user = filter.split_once("logging.googleapis.com/user/").map(|(_, rest)| rest);
        if let Some(metric) = user.and_then(|rest| rest.split('"').next())
            && !governance.things(METRICS).contains_key(metric)
        {
            return Err(not_found(format!(
                "Cannot find metric that matches type = \"logging.googleapis.com/user/{metric}\". If a metric was created recently, it could take up to 10 minutes to become available. Please try again soon."
            )));
        }
    }
    let channels = governance.things(CHANNELS.kept);
    let gone = texts(&policy, "notificationChannels").into_iter().find(|name| {
        let id = name.rsplit('/').next().unwrap_or_default();
        !channels.contains_key(id)
    });
    if let Some(name) = gone {
        return Err(not_found(format!("Notification channel {name} was not found.")));
    }
    let name = text(&policy, "name").to_owned();
    let mut named = Vec::new();
    for condition in conditions {
        let own = text(&condition, "name").to_owned();
        let kept = own.starts_with(&format!("{name}/conditions/"));
        let own = if kept { own } else { format!("{name}/conditions/{}", world.number()) };
        named.push(with(condition, "name", own));
    }
    Ok(with(policy, "conditions", named))
}

/// `display_name="landfall" AND user_labels.owner="landfall"`, which is as much of the language as is known here.
fn filter(text: &str) -> Result<Vec<(String, String)>, Refusal> {
    let parts = text.split(" AND ").map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let wrong = || bad(format!("Invalid filter: {part}"));
            let (field, value) = part.split_once('=').ok_or_else(wrong)?;
            let value = value.trim().trim_matches(['"', '\'']);
            let field = match field.trim() {
                "display_name" => "displayName".to_owned(),
                "type" => "type".to_owned(),
                other => match other.split_once('.') {
                    Some(("user_labels", name)) => format!("userLabels/{}", name.trim_matches('"')),
                    Some(("labels", name)) => format!("labels/{}", name.trim_matches('"')),
                    Some(_) | None => return Err(wrong()),
                },
            };
            Ok((field, value.to_owned()))
        })
        .collect()
}

fn is(thing: &Value, field: &str, value: &str) -> bool {
    thing.pointer(&format!("/{field}")).and_then(Value::as_str) == Some(value)
}
