//! Custom roles: <https://cloud.google.com/iam/docs/reference/rest/v1/organizations.roles>

use serde_json::{Map, Value, json};

use crate::gcp::access;
use crate::gcp::answer::{Answered, aborted, bad, not_found, precondition, there_already};
use crate::gcp::gate::forbidden;
use crate::gcp::page::page;
use crate::gcp::request::Request;
use crate::gcp::world::{GcpWorld, Things, etag};
use crate::refusal::Refusal;

const ROLES: &str = "iam/roles";

pub(super) fn answer(world: &mut GcpWorld, request: &Request) -> Answered {
    let (method, parts, verb) = request.asked();
    if request.part(0) == "roles" {
        return predefined(request);
    }
    let on = request.about().ok_or_else(|| request.unknown())?;
    let held = world.governance(&on).map(|found| found.things(ROLES)).ok_or_else(|| forbidden(request))?;
    match (method, parts.get(3..).unwrap_or_default(), verb) {
        ("GET", [], "") => {
            let full = request.query("view") == Some("FULL");
            let deleted = request.flag("showDeleted");
            let all = held.iter().filter(|(_, role)| deleted || !is_deleted(role)).map(|(id, role)| {
                let mut shown = show(&on, id, role);
                if let (false, Some(members)) = (full, shown.as_object_mut()) {
                    members.remove("includedPermissions");
                }
                shown
            });
            page(world, request, "roles", all, 1_000)
        }
        ("POST", [], "") => create(world, request, &on),
        ("GET", [id], "") => held.get(*id).map(|role| show(&on, id, role)).ok_or_else(|| missing(request)),
        ("PATCH", [id], "") => {
            let before = held.get(*id).ok_or_else(|| missing(request))?;
            fresh(before, request.text("etag"))?;
            if is_deleted(before) {
                return Err(precondition(format!("You can't update role {id} because it has been deleted.")));
            }
            let mut after = before.as_object().cloned().unwrap_or_default();
            for field in request.mask() {
                if !["title", "description", "includedPermissions", "stage"].contains(&field.as_str()) {
                    continue;
                }
                match request.body.get(&field) {
                    Some(value) => drop(after.insert(field, value.clone())),
                    None => drop(after.remove(&field)),
                }
            }
            Ok(put(world, &on, id, after))
        }
        ("DELETE", [id], "") => mark(world, request, held.get(*id).cloned(), &on, id, true),
        ("POST", [id], "undelete") => mark(world, request, held.get(*id).cloned(), &on, id, false),
        _ => Err(request.unknown()),
    }
}

fn missing(request: &Request) -> Refusal {
    not_found(format!("The role named {} was not found.", request.path))
}

fn is_deleted(role: &Value) -> bool {
    role.get("deleted") == Some(&json!(true))
}

fn show(on: &str, id: &str, role: &Value) -> Value {
    let mut shown = role.as_object().cloned().unwrap_or_default();
    shown.insert("name".to_owned(), json!(format!("{on}/roles/{id}")));
    shown.insert("etag".to_owned(), json!(etag(&role.to_string())));
    Value::Object(shown)
}

fn fresh(role: &Value, seen: &str) -> Result<(), Refusal> {
    if seen.is_empty() || seen == etag(&role.to_string()) {
        return Ok(());
    }
    Err(aborted("There were concurrent changes to the role: its etag does not match."))
}

fn put(world: &mut GcpWorld, on: &str, id: &str, role: Map<String, Value>) -> Value {
    let role = Value::Object(role);
    let shown = show(on, id, &role);
    if let Some(found) = world.at(on) {
        let roles: &mut Things = found.things_mut(ROLES);
        roles.insert(id.to_owned(), role);
    }
    shown
}

fn create(world: &mut GcpWorld, request: &Request, on: &str) -> Answered {
    let id = request.needs("roleId")?.to_owned();
    let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(&byte));
    if !plain || !(3..=64).contains(&id.len()) {
        return Err(bad(format!(
            "The role id `{id}` must be 3 to 64 letters, digits, underscores and dots."
        )));
    }
    if world.governance(on).is_some_and(|found| found.things(ROLES).contains_key(&id)) {
        return Err(there_already(format!("A role named {id} in {on} already exists.")));
    }
    let asked = request.body.get("role").and_then(Value::as_object).cloned().unwrap_or_default();
    let fields = ["title", "description", "includedPermissions", "stage"];
    let mut role: Map<String, Value> =
        asked.into_iter().filter(|(field, _)| fields.contains(&field.as_str())).collect();
    role.entry("stage").or_insert_with(|| json!("ALPHA"));
    Ok(put(world, on, &id, role))
}

/// A deleted role can be brought back for seven days; its name is taken for longer.
fn mark(
    world: &mut GcpWorld,
    request: &Request,
    before: Option<Value>,
    on: &str,
    id: &str,
    gone: bool,
) -> Answered {
    let before = before.ok_or_else(|| missing(request))?;
    fresh(&before, request.query("etag").unwrap_or_else(|| request.text("etag")))?;
    if is_deleted(&before) == gone {
        let state = if gone { "already deleted" } else { "not deleted" };
        return Err(precondition(format!("The role {id} is {state}.")));
    }
    let mut after = before.as_object().cloned().unwrap_or_default();
    if gone {
        after.insert("deleted".to_owned(), json!(true));
    } else {
        after.remove("deleted");
    }
    Ok(put(world, on, id, after))
}

/// Google's own roles are known by name alone.
fn predefined(request: &Request) -> Answered {
    match request.asked() {
        ("GET", parts, "") if parts.len() == 2 => {
            let included = access::included(&request.path).ok_or_else(|| missing(request))?;
            Ok(json!({
                "name": request.path, "title": request.name(), "stage": "GA", "etag": "AA==",
                "includedPermissions": included,
            }))
        }
        ("GET", _, "") => Ok(Value::Null),
        _ => Err(request.unknown()),
    }
}
