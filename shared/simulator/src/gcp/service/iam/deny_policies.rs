//! IAM deny policies: <https://cloud.google.com/iam/docs/reference/rest/v2/policies>
//!
//! The attachment point is one part of the path, its slashes encoded; answers name projects by their numbers. Five reads and five writes
//! a minute are all that a project may do: <https://cloud.google.com/iam/quotas>.

use serde_json::{Map, Value, json};

use crate::gcp::answer::{Answered, aborted, bad, because, exhausted, not_found, there_already};
use crate::gcp::gate::forbidden;
use crate::gcp::operation::{any, begin};
use crate::gcp::page::page;
use crate::gcp::request::Request;
use crate::gcp::world::{GcpWorld, Things, etag};
use crate::refusal::Refusal;

const QUOTA: usize = 5;

pub(super) fn answer(world: &mut GcpWorld, request: &Request) -> Answered {
    let (method, parts, verb) = request.asked();
    let on = request.about().ok_or_else(|| request.unknown())?;
    quota(world, request, &on)?;
    match (method, parts.as_slice(), verb) {
        // A list has everything but the rules.
        ("GET", ["policies", _, "denypolicies"], "") => {
            let all = held(world, request, &on)?.iter().map(|(id, policy)| {
                let mut shown = show(world, &on, id, policy);
                if let Some(members) = shown.as_object_mut() {
                    members.remove("rules");
                }
                shown
            });
            page(world, request, "policies", all, 1_000)
        }
        ("POST", ["policies", _, "denypolicies"], "") => create(world, request, &on),
        ("GET", ["policies", _, "denypolicies", id], "") => {
            let found = held(world, request, &on)?.get(*id).ok_or_else(|| missing(id))?;
            Ok(show(world, &on, id, found))
        }
        ("PUT", ["policies", _, "denypolicies", id], "") => {
            let before = held(world, request, &on)?.get(*id).ok_or_else(|| missing(id))?;
            fresh(before, request.text("etag"))?;
            let mut policy = document(world, request)?;
            for field in ["uid", "createTime"] {
                policy.insert(field.to_owned(), before.get(field).cloned().unwrap_or_default());
            }
            let with = json!({"on": on, "id": id, "policy": policy});
            Ok(operation(world, request, &on, id, with))
        }
        ("DELETE", ["policies", _, "denypolicies", id], "") => {
            let before = held(world, request, &on)?.get(*id).ok_or_else(|| missing(id))?;
            fresh(before, request.query("etag").unwrap_or_default())?;
            Ok(operation(world, request, &on, id, json!({"on": on, "id": id})))
        }
        _ => Err(request.unknown()),
    }
}

fn missing(id: &str) -> Refusal {
    not_found(format!("The policy denypolicies/{id} was not found."))
}

fn held<'a>(world: &'a GcpWorld, request: &Request, on: &str) -> Result<&'a Things, Refusal> {
    world.governance(on).map(|found| &found.deny_policies).ok_or_else(|| forbidden(request))
}

fn name(world: &GcpWorld, on: &str, id: &str) -> String {
    let point = world.canonical(on).replace('/', "%2F");
    format!("policies/cloudresourcemanager.googleapis.com%2F{point}/denypolicies/{id}")
}

fn show(world: &GcpWorld, on: &str, id: &str, policy: &Value) -> Value {
    let mut shown = policy.as_object().cloned().unwrap_or_default();
    shown.insert("name".to_owned(), json!(name(world, on, id)));
    shown.insert("kind".to_owned(), json!("DenyPolicy"));
    shown.insert("etag".to_owned(), json!(etag(&policy.to_string())));
    Value::Object(shown)
}

fn fresh(policy: &Value, seen: &str) -> Result<(), Refusal> {
    if seen.is_empty() || seen == etag(&policy.to_string()) {
        return Ok(());
    }
    Err(aborted(
        "There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff.",
    ))
}

/// A policy as it is kept, with everything in it known.
fn document(world: &GcpWorld, request: &Request) -> Result<Map<String, Value>, Refusal> {
    let rules = request.body.get("rules").and_then(Value::as_array).filter(|rules| !rules.is_empty());
    let Some(rules) = rules else { return Err(bad("A deny policy has at least one rule.")) };
    for rule in rules {
        let texts = |field: &str| {
            let all = rule.pointer(&format!("/denyRule/{field}")).and_then(Value::as_array);
            all.into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>()
        };
        if texts("deniedPrincipals").is_empty() || texts("deniedPermissions").is_empty() {
            return Err(bad("A deny rule has denied principals and denied permissions."));
        }
        for permission in texts("deniedPermissions").into_iter().chain(texts("exceptionPermissions")) {
            let right = permission.split_once(".googleapis.com/").is_some_and(|(_, what)| what.contains('.'));
            if !right || world.settings.undeniable.contains(permission) {
                return Err(bad(format!("Permission {permission} is not supported in deny policies.")));
            }
        }
        if texts("exceptionPrincipals").contains(&"principalSet://goog/public:all") {
            return Err(bad("principalSet://goog/public:all can't be an exception principal."));
        }
        let names = texts("deniedPrincipals").into_iter().chain(texts("exceptionPrincipals"));
        for name in names {
            if !name.starts_with("principal://") && !name.starts_with("principalSet://") {
                return Err(bad(format!(
                    "Principal {name} is invalid: it must begin with principal:// or principalSet://."
                )));
            }
        }
    }
    let mut kept = Map::new();
    for field in ["displayName", "annotations", "rules"] {
        if let Some(value) = request.body.get(field) {
            kept.insert(field.to_owned(), value.clone());
        }
    }
    kept.insert("updateTime".to_owned(), json!(request.now.to_string()));
    Ok(kept)
}

fn create(world: &mut GcpWorld, request: &Request, on: &str) -> Answered {
    let id = request.query("policyId").unwrap_or_default().to_owned();
    let plain = id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b));
    if !plain || !(3..=63).contains(&id.len()) || !id.starts_with(|c: char| c.is_ascii_lowercase()) {
        return Err(bad("policy_id must be 3 to 63 lowercase letters, digits, hyphens and dots."));
    }
    if held(world, request, on)?.contains_key(&id) {
        return Err(there_already(format!("Policy {} already exists.", name(world, on, &id))));
    }
    let mut policy = document(world, request)?;
    policy.insert("createTime".to_owned(), json!(request.now.to_string()));
    policy.insert("uid".to_owned(), json!(crate::world::uuid(&format!("deny policy {}", world.number()))));
    let with = json!({"on": on, "id": id, "policy": policy});
    Ok(operation(world, request, on, &id, with))
}

fn operation(world: &mut GcpWorld, request: &Request, on: &str, id: &str, with: Value) -> Value {
    let prefix = format!("{}/operations/", name(world, on, id));
    let metadata =
        any("google.iam.v2.PolicyOperationMetadata", json!({"createTime": request.now.to_string()}));
    begin(world, request, &prefix, metadata, written, with)
}

fn written(world: &mut GcpWorld, with: &Value) -> Answered {
    let text = |name: &str| with.get(name).and_then(Value::as_str).unwrap_or_default();
    let (on, id) = (text("on"), text("id"));
    let policy = with.get("policy").cloned();
    let Some(found) = world.at(on) else { return Err(missing(id)) };
    let kept = match policy {
        Some(policy) => {
            found.deny_policies.insert(id.to_owned(), policy.clone());
            policy
        }
        None => found.deny_policies.remove(id).ok_or_else(|| missing(id))?,
    };
    Ok(any("google.iam.v2.Policy", show(world, on, id, &kept)))
}

/// Whether a project has reads or writes left in this minute.
fn quota(world: &mut GcpWorld, request: &Request, on: &str) -> Result<(), Refusal> {
    if !world.settings.deny_quota {
        return Ok(());
    }
    let spent = world.deny_calls.entry((on.to_owned(), request.reads())).or_default();
    spent.retain(|at| request.now.as_second() - at.as_second() < 60);
    if spent.len() >= QUOTA {
        let kind = if request.reads() { "Read" } else { "Write" };
        let message = format!(
            "Quota exceeded for quota metric 'Deny policy {kind} requests' and limit '{kind} requests per minute per project' of service 'iam.googleapis.com'."
        );
        let metadata = [("service", "iam.googleapis.com"), ("quota_limit_value", "5")];
        return Err(because(exhausted(message), "RATE_LIMIT_EXCEEDED", "googleapis.com", &metadata));
    }
    spent.push(request.now);
    Ok(())
}
