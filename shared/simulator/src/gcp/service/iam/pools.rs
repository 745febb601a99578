//! Pools of foreign identities and their providers:
//! <https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools>

use serde_json::{Map, Value, json};

use crate::gcp::access;
use crate::gcp::answer::{Answered, bad, not_found, there_already};
use crate::gcp::gate::forbidden;
use crate::gcp::operation::{any, begin};
use crate::gcp::page::page;
use crate::gcp::request::Request;
use crate::gcp::world::{GcpWorld, Things};

const POOLS: &str = "iam/workloadIdentityPools";
const PROVIDERS: &str = "iam/workloadIdentityPoolProviders";

pub(super) fn answer(world: &mut GcpWorld, request: &Request) -> Answered {
    let (method, parts, verb) = request.asked();
    let on = request.about().ok_or_else(|| request.unknown())?;
    let canonical = world.canonical(&on);
    let held = |kind: &str| -> Result<&Things, _> {
        world.governance(&on).map(|found| found.things(kind)).ok_or_else(|| forbidden(request))
    };
    let below = parts.get(5..).unwrap_or_default();
    let (kind, key) = match below {
        [] => (POOLS, String::new()),
        [pool] => (POOLS, (*pool).to_owned()),
        [pool, "providers"] => (PROVIDERS, format!("{pool}/")),
        [pool, "providers", provider] => (PROVIDERS, format!("{pool}/{provider}")),
        _ => return Err(request.unknown()),
    };
    let place = format!("{canonical}/locations/global/workloadIdentityPools");
    let name = |key: &str| match key.split_once('/') {
        None => format!("{place}/{key}"),
        Some((pool, provider)) => format!("{place}/{pool}/providers/{provider}"),
    };
    let list = key.is_empty() || key.ends_with('/');
    match (method, verb) {
        ("GET", "") if list => {
            let deleted = request.flag("showDeleted");
            let all = held(kind)?.iter().filter(|(id, _)| id.starts_with(&key));
            let all = all.filter(|(_, one)| deleted || one.get("state") != Some(&json!("DELETED")));
            let field = if kind == POOLS { "workloadIdentityPools" } else { "workloadIdentityPoolProviders" };
            let shown: Vec<Value> = all.map(|(_, one)| one.clone()).collect();
            page(world, request, field, shown.into_iter(), if kind == POOLS { 1_000 } else { 100 })
        }
        ("GET", "") => {
            held(kind)?.get(&key).cloned().ok_or_else(|| not_found("Requested entity was not found."))
        }
        ("POST", "") if list => {
            let parameter =
                if kind == POOLS { "workloadIdentityPoolId" } else { "workloadIdentityPoolProviderId" };
            let id = request.query(parameter).unwrap_or_default();
            let plain = id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
            if !plain || !(4..=32).contains(&id.len()) || id.starts_with("gcp-") {
                return Err(bad(format!(
                    "{parameter} must be 4 to 32 lowercase letters, digits and hyphens."
                )));
            }
            if kind == PROVIDERS && !held(POOLS)?.contains_key(key.trim_end_matches('/')) {
                return Err(not_found("Requested entity was not found."));
            }
            let key = format!("{key}{id}");
            if held(kind)?.contains_key(&key) {
                return Err(there_already("Requested entity already exists"));
            }
            let mut kept = request.body.as_object().cloned().unwrap_or_default();
            kept.insert("name".to_owned(), json!(name(&key)));
            kept.insert("state".to_owned(), json!("ACTIVE"));
            Ok(write(world, request, &on, kind, &key, kept))
        }
        ("PATCH" | "DELETE", "") | ("POST", "undelete") if !list => {
            let before = held(kind)?.get(&key).ok_or_else(|| not_found("Requested entity was not found."))?;
            let mut after = before.as_object().cloned().unwrap_or_default();
            match method {
                // Both are kept for thirty days.
                "DELETE" => drop(after.insert("state".to_owned(), json!("DELETED"))),
                "POST" => drop(after.insert("state".to_owned(), json!("ACTIVE"))),
                _ => {
                    for field in request.mask() {
                        let outer = field.split('.').next().unwrap_or_default().to_owned();
                        match request.body.get(&outer) {
                            Some(value) => drop(after.insert(outer, value.clone())),
                            None => drop(after.remove(&outer)),
                        }
                    }
                }
            }
            Ok(write(world, request, &on, kind, &key, after))
        }
        ("POST", "testIamPermissions") => Ok(access::tested(world, request)),
        _ => Err(request.unknown()),
    }
}

fn write(
    world: &mut GcpWorld,
    request: &Request,
    on: &str,
    kind: &str,
    key: &str,
    thing: Map<String, Value>,
) -> Value {
    let name = thing.get("name").and_then(Value::as_str).unwrap_or_default();
    let prefix = format!("{name}/operations/");
    let what = if kind == POOLS { "WorkloadIdentityPool" } else { "WorkloadIdentityPoolProvider" };
    let metadata = any(&format!("google.iam.v1.{what}OperationMetadata"), json!({}));
    let with = json!({"on": on, "kind": kind, "key": key, "thing": thing, "what": what});
    begin(world, request, &prefix, metadata, written, with)
}

fn written(world: &mut GcpWorld, with: &Value) -> Answered {
    let text = |name: &str| with.get(name).and_then(Value::as_str).unwrap_or_default();
    let thing = with.get("thing").cloned().unwrap_or_default();
    if let Some(found) = world.at(text("on")) {
        found.things_mut(text("kind")).insert(text("key").to_owned(), thing.clone());
    }
    Ok(any(&format!("google.iam.v1.{}", text("what")), thing))
}
