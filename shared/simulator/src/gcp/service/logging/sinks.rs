//! Sinks: <https://cloud.google.com/logging/docs/reference/v2/rest/v2/organizations.sinks>

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::fields::{masked, missing, only, text, with, without};
use super::{Resource, is_id, stamped};
use crate::gcp::answer::{Answered, bad, there_already};
use crate::gcp::page::page;
use crate::gcp::request::Request;
use crate::gcp::world::{GcpWorld, Things};
use crate::refusal::Refusal;

const SINKS: &str = "logging/sinks";

const FIELDS: [&str; 9] = [
    "destination",
    "filter",
    "description",
    "disabled",
    "exclusions",
    "includeChildren",
    "interceptChildren",
    "bigqueryOptions",
    "outputVersionFormat",
];
const TOLD: [&str; 5] = ["name", "resourceName", "writerIdentity", "createTime", "updateTime"];

/// What goes to `_Required`, and to `_Default` not.
const REQUIRED: [&str; 5] = [
    "cloudaudit.googleapis.com/activity",
    "externalaudit.googleapis.com/activity",
    "cloudaudit.googleapis.com/system_event",
    "externalaudit.googleapis.com/system_event",
    "cloudaudit.googleapis.com/access_transparency",
];

pub(super) fn answer(
    world: &mut GcpWorld,
    request: &Request,
    resource: &Resource,
    method: &str,
    rest: &[&str],
) -> Answered {
    let all = all(world, resource);
    match (method, rest) {
        ("GET", []) => page(world, request, "sinks", all.into_values(), 1_000),
        ("GET", [name]) => all.get(*name).cloned().ok_or_else(|| missing_sink(name)),
        ("POST", []) => {
            let name = request.needs("name")?.to_owned();
            if !is_id(&name, &['_', '-', '.']) {
                return Err(bad(format!("Invalid sink name: {name}")));
            }
            if all.contains_key(&name) {
                return Err(there_already(format!("Sink {name} already exists")));
            }
            let new = with(without(known(request)?.clone(), &TOLD), "name", name.clone());
            keep(world, request, resource, &name, &new, None)
        }
        ("PUT" | "PATCH", [name]) => {
            let old = all.get(*name).ok_or_else(|| missing_sink(name))?;
            if *name == "_Required" {
                return Err(bad("The _Required sink cannot be changed."));
            }
            known(request)?;
            let mut mask = request.mask();
            if request.query("updateMask").is_none() {
                // What is written where nothing is said.
                mask = ["destination", "filter", "includeChildren"].map(str::to_owned).to_vec();
            }
            let new = masked(old, &request.body, &mask, &FIELDS, &TOLD)?;
            keep(world, request, resource, name, &new, Some(old))
        }
        ("DELETE", [name]) => {
            all.get(*name).ok_or_else(|| missing_sink(name))?;
            if ["_Required", "_Default"].contains(name) {
                return Err(bad(format!("The {name} sink cannot be deleted.")));
            }
            if let Some(governance) = world.at(&resource.name) {
                governance.things_mut(SINKS).remove(*name);
            }
            Ok(Value::Null)
        }
        _ => Err(request.unknown()),
    }
}

fn missing_sink(name: &str) -> Refusal {
    crate::gcp::answer::not_found(format!("Sink {name} does not exist"))
}

fn known(request: &Request) -> Result<&Value, Refusal> {
    only(&request.body, "sink", &[FIELDS.as_slice(), TOLD.as_slice()].concat())?;
    Ok(&request.body)
}

/// What was made, and the two that are always there.
fn all(world: &GcpWorld, resource: &Resource) -> Things {
    let required = REQUIRED.map(|log| format!("LOG_ID(\"{log}\")"));
    let bucket = |id: &str| format!("logging.googleapis.com/{}/locations/global/buckets/{id}", resource.name);
    let sink = |id: &str, filter: String| {
        json!({
            "name": id, "destination": bucket(id), "filter": filter,
            "resourceName": format!("{}/sinks/{id}", resource.name),
        })
    };
    let not: Vec<String> = required.iter().map(|log| format!("NOT {log}")).collect();
    let mut all = BTreeMap::from([
        ("_Required".to_owned(), sink("_Required", required.join(" OR "))),
        ("_Default".to_owned(), sink("_Default", not.join(" AND "))),
    ]);
    let made = world.governance(&resource.name).map(|governance| governance.things(SINKS).clone());
    all.extend(made.unwrap_or_default());
    all
}

fn keep(
    world: &mut GcpWorld,
    request: &Request,
    resource: &Resource,
    name: &str,
    sink: &Value,
    old: Option<&Value>,
) -> Answered {
    check(sink, resource)?;
    let mut sink = stamped(sink.clone(), old, &request.now.to_string());
    sink = with(sink, "resourceName", format!("{}/sinks/{name}", resource.name));
    // The resource's own bucket takes entries from nobody in particular.
    let own = format!("logging.googleapis.com/{}/", resource.name);
    if text(&sink, "destination").starts_with(&own) {
        sink = without(sink, &["writerIdentity"]);
    } else {
        let unique = resource.has_children
            || request.flag("uniqueWriterIdentity")
            || old.is_some_and(|old| text(old, "writerIdentity").contains("gcp-sa-logging"));
        let account =
            if unique { resource.account() } else { "cloud-logs@system.gserviceaccount.com".to_owned() };
        sink = with(sink, "writerIdentity", format!("serviceAccount:{account}"));
    }
    let governance = world.at(&resource.name).ok_or_else(|| missing(request))?;
    governance.things_mut(SINKS).insert(name.to_owned(), sink.clone());
    Ok(sink)
}

fn check(sink: &Value, resource: &Resource) -> Result<(), Refusal> {
    let destination = text(sink, "destination");
    let (host, place) = destination.split_once('/').unwrap_or((destination, ""));
    let parts: Vec<&str> = place.split('/').collect();
    let right = match (host, parts.as_slice()) {
        ("storage.googleapis.com", [bucket]) => !bucket.is_empty(),
        ("bigquery.googleapis.com", ["projects", _, "datasets", _])
        | ("pubsub.googleapis.com", ["projects", _, "topics", _])
        | ("logging.googleapis.com", ["projects", _]) => true,
        ("logging.googleapis.com", [kind, _, "locations", _, "buckets", _]) => {
            ["projects", "folders", "organizations", "billingAccounts"].contains(kind)
        }
        _ => false,
    };
    if !right {
        return Err(bad(format!("Unsupported destination: {destination:?}")));
    }
    let says = |field: &str| sink.get(field) == Some(&Value::Bool(true));
    if says("interceptChildren") && (!says("includeChildren") || !resource.has_children) {
        return Err(bad("A sink that intercepts children must include them."));
    }
    let exclusions = sink.get("exclusions").and_then(Value::as_array);
    for exclusion in exclusions.into_iter().flatten() {
        let known = ["name", "description", "filter", "disabled", "createTime", "updateTime"];
        only(exclusion, "sink.exclusions", &known)?;
        if text(exclusion, "filter").is_empty() || !is_id(text(exclusion, "name"), &['_', '-', '.']) {
            return Err(bad("An exclusion must have a name and a filter."));
        }
    }
    Ok(())
}
