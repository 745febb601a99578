//! Whether a caller may do what it asks: deny policies first, then allow policies, each with what comes from above.
//!
//! <https://cloud.google.com/iam/docs/policy-evaluation>

mod allow;
mod deny;
mod permission;

use serde_json::{Value, json};

pub(crate) use allow::included;
pub(crate) use permission::{Permission, permission};

use super::gate::forbidden;
use super::request::{Request, Right};
use super::world::GcpWorld;
use crate::refusal::Refusal;

pub(crate) fn check(world: &GcpWorld, request: &Request) -> Result<(), Refusal> {
    let permission = permission(request);
    // Everybody may ask what they themselves may do.
    if request.verb == "testIamPermissions" || may(world, request, &permission) {
        return Ok(());
    }
    Err(forbidden(request))
}

/// Those of the asked permissions that the caller has.
pub(crate) fn tested(world: &GcpWorld, request: &Request) -> Value {
    let asked = request.body.get("permissions").and_then(Value::as_array);
    let has = |asked: &&Value| {
        asked.as_str().and_then(Permission::parse).is_some_and(|permission| may(world, request, &permission))
    };
    let has: Vec<&Value> = asked.into_iter().flatten().filter(has).collect();
    json!({ "permissions": has })
}

fn may(world: &GcpWorld, request: &Request, permission: &Permission) -> bool {
    let target = target(world, request);
    let way = world.way_up(&target);
    // What only looks can't be denied here: no deny policy of Landfall's does.
    if deny::denied(world, &way, &request.caller.principal, permission) {
        return false;
    }
    match request.caller.right {
        Right::Everything => true,
        Right::Look => permission.looks(),
        Right::Granted => allow::granted(world, &way, &request.caller.principal, permission),
    }
}

/// The resource whose policies decide: the one in the path, or the one that the body names; the organization for the rest.
fn target(world: &GcpWorld, request: &Request) -> String {
    if let Some(about) = request.about() {
        return about;
    }
    let bound = (request.part(0) == "tagBindings").then(|| request.part(1));
    let named = [request.query("parent"), request.query("project"), Some(request.text("parent")), bound];
    let named = named.into_iter().flatten().find(|name| !name.is_empty());
    let of_lien = || {
        let id = (request.part(0) == "liens").then(|| request.part(1))?;
        id.strip_prefix('p')?.split_once('-').map(|(number, _)| format!("projects/{number}"))
    };
    let name = match named {
        Some(name) => {
            let name = name.strip_prefix("//cloudresourcemanager.googleapis.com/").unwrap_or(name);
            if name.contains('/') { name.to_owned() } else { format!("projects/{name}") }
        }
        None => of_lien().unwrap_or_default(),
    };
    if world.governance(&name).is_some() { name } else { world.organization.name() }
}

/// Whether a member of a policy is this principal, or a group that it is in.
fn is_in(world: &GcpWorld, group: &str, principal: &str) -> bool {
    let mut left = vec![group.to_owned()];
    let mut seen: Vec<String> = Vec::new();
    while let Some(group) = left.pop() {
        for member in world.groups.get(&group).into_iter().flatten() {
            if member == principal {
                return true;
            }
            if member.starts_with("group:") && !seen.contains(member) {
                seen.push(member.clone());
                left.push(member.clone());
            }
        }
    }
    false
}
