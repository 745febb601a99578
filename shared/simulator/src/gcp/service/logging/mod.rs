//! Cloud Logging: where entries go (sinks), where they are kept (buckets), what is counted of them (metrics), and what new projects
//! are given (settings). <https://cloud.google.com/logging/docs/reference/v2/rest>
//!
//! Every resource has a sink and a bucket `_Required` that nobody can change, and a `_Default` that can be: they are there without
//! having been made.

mod buckets;
mod metrics;
mod sinks;

pub(super) use metrics::METRICS;
use serde_json::{Value, json};

use super::enabled;
use super::fields::{masked, missing, only, with};
use crate::gcp::answer::{Answered, bad};
use crate::gcp::request::Request;
use crate::gcp::world::GcpWorld;

const SETTINGS: &str = "logging/settings";

/// A resource that has logs.
#[derive(Debug, Clone)]
struct Resource {
    /// As it is asked for: `projects/team-0001`.
    name: String,
    /// What follows in the address of its logging service account: `415104041262`, `org-123456789012`, `folder-300000000001`.
    agent: String,
    /// Whether it has something below it.
    has_children: bool,
}

impl Resource {
    /// The identity that its sinks write with.
    ///
    /// <https://cloud.google.com/logging/docs/export/configure_export_v2#dest-auth>
    fn account(&self) -> String {
        format!("service-{}@gcp-sa-logging.iam.gserviceaccount.com", self.agent)
    }
}

pub(super) fn answer(world: &mut GcpWorld, request: &Request) -> Answered {
    let (method, parts, verb) = request.asked();
    let [kind @ ("projects" | "folders" | "organizations" | "billingAccounts"), id, rest @ ..] =
        parts.as_slice()
    else {
        return Err(request.unknown());
    };
    enabled::check(world, request)?;
    let name = format!("{kind}/{id}");
    world.governance(&name).ok_or_else(|| missing(request))?;
    let agent = match *kind {
        "organizations" => format!("org-{id}"),
        "folders" => format!("folder-{id}"),
        "billingAccounts" => format!("b{}", id.replace('-', "").to_ascii_lowercase()),
        _ => world.project(id).map(|project| project.number.clone()).unwrap_or_default(),
    };
    let resource = Resource { name, agent, has_children: ["organizations", "folders"].contains(kind) };
    match (rest, verb) {
        (["sinks", sink @ ..], "") => sinks::answer(world, request, &resource, method, sink),
        (["locations", place, "buckets", bucket @ ..], _) => {
            buckets::answer(world, request, &resource, method, place, bucket, verb)
        }
        (["metrics", metric @ ..], "") if *kind == "projects" => {
            metrics::answer(world, request, &resource, method, metric)
        }
        (["settings"], "") => settings(world, request, &resource, method),
        _ => Err(request.unknown()),
    }
}

/// <https://cloud.google.com/logging/docs/default-settings>: organizations and folders may be told what new projects below them get.
fn settings(world: &mut GcpWorld, request: &Request, resource: &Resource, method: &str) -> Answered {
    const FIELDS: [&str; 4] = ["kmsKeyName", "storageLocation", "disableDefaultSink", "defaultSinkConfig"];
    const TOLD: [&str; 3] = ["name", "kmsServiceAccountId", "loggingServiceAccountId"];
    let kept = world.governance(&resource.name).and_then(|one| one.things(SETTINGS).get("self").cloned());
    let mut kept = kept.unwrap_or_else(|| json!({}));
    if method == "PATCH" {
        if !resource.has_children {
            return Err(bad("Settings can be updated on organizations and folders only."));
        }
        only(&request.body, "settings", &[FIELDS.as_slice(), TOLD.as_slice()].concat())?;
        kept = masked(&kept, &request.body, &request.mask(), &FIELDS, &TOLD)?;
        let governance = world.at(&resource.name).ok_or_else(|| missing(request))?;
        governance.things_mut(SETTINGS).insert("self".to_owned(), kept.clone());
    } else if method != "GET" {
        return Err(request.unknown());
    }
    let account = resource.account();
    let shown = with(kept, "name", format!("{}/settings", resource.name));
    let shown = with(shown, "kmsServiceAccountId", account.clone());
    Ok(with(shown, "loggingServiceAccountId", account))
}

/// Letters, digits, and what else an id may have; at most a hundred.
fn is_id(id: &str, others: &[char]) -> bool {
    !id.is_empty() && id.len() <= 100 && id.chars().all(|c| c.is_ascii_alphanumeric() || others.contains(&c))
}

/// When it was made and changed, as far as it was somebody's doing.
fn stamped(thing: Value, old: Option<&Value>, now: &str) -> Value {
    let made = old.and_then(|old| old.get("createTime")).cloned().unwrap_or_else(|| json!(now));
    with(with(thing, "createTime", made), "updateTime", now)
}
