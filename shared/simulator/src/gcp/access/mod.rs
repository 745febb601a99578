//! Whether a caller may do what it asks: deny policies first, then allow policies, each with what comes from above.
//!
//! <https://cloud.google.com/iam/docs/policy-evaluation>

mod allow;
mod deny;
mod needs;
mod permission;

use std::collections::BTreeSet;

use serde_json::{Value, json};

pub(crate) use allow::included;
pub(crate) use permission::{Permission, permission};

use super::gate::refused;
use super::request::{Request, Right};
use super::world::GcpWorld;
use crate::refusal::Refusal;

pub(crate) fn check(world: &GcpWorld, request: &Request) -> Result<(), Refusal> {
    // Everybody may ask what they themselves may do.
    if request.verb == "testIamPermissions" {
        return Ok(());
    }
    let permission = permission(request);
    if held(world, request).is_none() {
        return if may(world, request, &permission) { Ok(()) } else { Err(refused(request, &permission)) };
    }
    for need in needs::needs(world, request, permission) {
        if !may(world, request, &need) {
            return Err(refused(request, &need));
        }
        world.taken.note(&need.v1());
    }
    Ok(())
}

/// What the roles of one of Landfall's identities hold, where the world says so. They are bound on the organization and on the billing
/// account, so that what they hold holds everywhere.
fn held<'a>(world: &'a GcpWorld, request: &Request) -> Option<&'a BTreeSet<String>> {
    match request.caller.right {
        Right::Look | Right::Everything => world.settings.grants.get(&request.caller.principal),
        Right::Granted => None,
    }
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
    let held = held(world, request).is_none_or(|held| held.contains(&permission.v1()));
    match request.caller.right {
        Right::Everything => held,
        Right::Look => held && permission.looks(),
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
