//! Log buckets: <https://cloud.google.com/logging/docs/reference/v2/rest/v2/projects.locations.buckets>

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::fields::{masked, missing, only, text, with, without};
use super::{Resource, is_id, stamped};
use crate::gcp::answer::{Answered, bad, not_found, precondition, there_already};
use crate::gcp::page::page;
use crate::gcp::request::Request;
use crate::gcp::world::{GcpWorld, Things};
use crate::refusal::Refusal;

/// By location and id: `global/_Default`.
const BUCKETS: &str = "logging/buckets";

const FIELDS: [&str; 7] = [
    "description",
    "retentionDays",
    "locked",
    "analyticsEnabled",
    "restrictedFields",
    "indexConfigs",
    "cmekSettings",
];
const TOLD: [&str; 4] = ["name", "createTime", "updateTime", "lifecycleState"];

pub(super) fn answer(
    world: &mut GcpWorld,
    request: &Request,
    resource: &Resource,
    method: &str,
    place: &str,
    rest: &[&str],
    verb: &str,
) -> Answered {
    let all = all(world, resource);
    let key = |id: &str| format!("{place}/{id}");
    let one = |id: &str| {
        let gone = || not_found(format!("Bucket {}/locations/{} does not exist", resource.name, key(id)));
        all.get(&key(id)).cloned().ok_or_else(gone)
    };
    match (method, rest, verb) {
        ("GET", [], "") => {
            let here =
                all.into_iter().filter(|(key, _)| place == "-" || key.starts_with(&format!("{place}/")));
            page(world, request, "buckets", here.map(|(_, bucket)| bucket), 1_000)
        }
        ("GET", [id], "") => one(id),
        ("POST", [], "") => {
            let id = request.query("bucketId").unwrap_or_default().to_owned();
            if !is_id(&id, &['_', '-', '.']) || place == "-" {
                return Err(bad(format!("Invalid bucket id: {id:?}")));
            }
            if all.contains_key(&key(&id)) {
                return Err(there_already(format!("Bucket {id} already exists")));
            }
            let new = with(without(known(request)?.clone(), &TOLD), "lifecycleState", "ACTIVE");
            let new = if new.get("retentionDays").is_some() { new } else { with(new, "retentionDays", 30) };
            keep(world, request, resource, &key(&id), new, None)
        }
        ("PATCH", [id], "") => {
            let old = one(id)?;
            known(request)?;
            let new = masked(&old, &request.body, &request.mask(), &FIELDS, &TOLD)?;
            let is_locked = old.get("locked") == Some(&Value::Bool(true));
            let loosened = ["retentionDays", "locked"].iter().any(|field| new.get(field) != old.get(field));
            if *id == "_Required" || (is_locked && loosened) {
                return Err(precondition(format!("Bucket {id} is locked: its retention cannot be changed.")));
            }
            keep(world, request, resource, &key(id), new, Some(&old))
        }
        ("DELETE", [id], "") => {
            let old = one(id)?;
            if id.starts_with('_') {
                return Err(bad(format!("The bucket {id} cannot be deleted.")));
            }
            let gone = with(old.clone(), "lifecycleState", "DELETE_REQUESTED");
            keep(world, request, resource, &key(id), gone, Some(&old)).map(|_| Value::Null)
        }
        ("POST", [id], "undelete") => {
            let old = one(id)?;
            let back = with(old.clone(), "lifecycleState", "ACTIVE");
            keep(world, request, resource, &key(id), back, Some(&old)).map(|_| Value::Null)
        }
        _ => Err(request.unknown()),
    }
}

fn known(request: &Request) -> Result<&Value, Refusal> {
    only(&request.body, "bucket", &[FIELDS.as_slice(), TOLD.as_slice()].concat())?;
    Ok(&request.body)
}

/// What was made, and the two that are always there.
fn all(world: &GcpWorld, resource: &Resource) -> Things {
    let bucket = |id: &str, days: u32, what: &str| {
        json!({
            "name": format!("{}/locations/global/buckets/{id}", resource.name), "description": what,
            "retentionDays": days, "lifecycleState": "ACTIVE",
        })
    };
    let required = with(bucket("_Required", 400, "Audit bucket"), "locked", true);
    let mut all = BTreeMap::from([
        ("global/_Required".to_owned(), required),
        ("global/_Default".to_owned(), bucket("_Default", 30, "Default bucket")),
    ]);
    let made = world.governance(&resource.name).map(|governance| governance.things(BUCKETS).clone());
    all.extend(made.unwrap_or_default());
    all
}

fn keep(
    world: &mut GcpWorld,
    request: &Request,
    resource: &Resource,
    key: &str,
    bucket: Value,
    old: Option<&Value>,
) -> Answered {
    let days = bucket.get("retentionDays").and_then(Value::as_u64);
    if !days.is_some_and(|days| (1..=3650).contains(&days)) {
        return Err(bad("The retention of a bucket must be between 1 and 3650 days."));
    }
    let (place, id) = key.split_once('/').unwrap_or_default();
    let mut bucket = stamped(bucket, old, &request.now.to_string());
    if text(&bucket, "name").is_empty() {
        bucket = with(bucket, "name", format!("{}/locations/{place}/buckets/{id}", resource.name));
    }
    let governance = world.at(&resource.name).ok_or_else(|| missing(request))?;
    governance.things_mut(BUCKETS).insert(key.to_owned(), bucket.clone());
    Ok(bucket)
}
