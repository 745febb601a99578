//! Locks: <https://learn.microsoft.com/rest/api/resources/management-locks>

use serde_json::Value;

use super::super::answer::{Answered, Good, bad, no_method, not_found};
use super::super::request::{ENVELOPE, Request, invalid, only};
use super::super::scope::Scope;
use super::super::world::{AzureWorld, Governance, Resource, Resources};
use super::held_mut;

const MOST: usize = 20;
const NOTES: usize = 512;
const NAME: usize = 90;

fn pick(governance: &Governance) -> &Resources {
    &governance.locks
}

fn pick_mut(governance: &mut Governance) -> &mut Resources {
    &mut governance.locks
}

pub(super) fn answer(world: &mut AzureWorld, request: &Request) -> Answered {
    if matches!(request.scope, Scope::Tenant | Scope::Group(_)) {
        return Err(bad("InvalidLockScope", "Locks are on subscriptions, resource groups and resources."));
    }
    let missing = |name: &str| not_found("LockNotFound", format!("The lock '{name}' could not be found."));
    match (request.method.as_str(), request.names.is_empty()) {
        ("GET", true) => super::all(world, request, pick, !request.filters("atExactScope()"), |_| true),
        ("GET", false) => super::one(world, request, pick, missing),
        ("PUT", false) => put(world, request),
        ("DELETE", false) => super::delete(world, request, pick_mut),
        _ => Err(no_method(request)),
    }
}

fn put(world: &mut AzureWorld, request: &Request) -> Answered {
    let name = request.name();
    if name.chars().count() > NAME || name.contains(['<', '>', '%', '&', ':', '\\', '?', '/']) {
        return Err(bad("InvalidLockName", format!("The lock name '{name}' is invalid.")));
    }
    only(request.object()?, "", "ManagementLockObject", &ENVELOPE)?;
    let properties = request.properties()?;
    only(properties, "properties.", "ManagementLockProperties", &["level", "notes", "owners"])?;
    let text = |name: &str| properties.get(name).and_then(Value::as_str).unwrap_or_default();
    let levels = ["CanNotDelete", "ReadOnly"];
    let Some(level) = levels.iter().find(|level| level.eq_ignore_ascii_case(text("level"))) else {
        return Err(invalid(format!("The lock level '{}' must be CanNotDelete or ReadOnly.", text("level"))));
    };
    if text("notes").chars().count() > NOTES {
        return Err(bad("InvalidLockNotes", format!("The notes have more than {NOTES} characters.")));
    }
    let mut lock = Resource::made(name, properties.clone(), request.now);
    lock.set("level", *level);
    let all = held_mut(world, request, pick_mut)?;
    if all.len() >= MOST && !all.contains_key(&name.to_ascii_lowercase()) {
        return Err(bad("LockLimitExceeded", format!("The scope has {MOST} locks already.")));
    }
    let (new, stored) = super::put(all, lock);
    Ok(Good::put(new, stored.show_dated(&request.scope.id(), &request.full_type())))
}
