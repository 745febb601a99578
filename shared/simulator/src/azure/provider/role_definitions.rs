//! Role definitions: <https://learn.microsoft.com/rest/api/authorization/role-definitions>

use serde_json::{Value, json};

use super::super::answer::{Answered, Good, bad, conflict, no_method, not_found};
use super::super::page::page;
use super::super::request::Request;
use super::super::scope::Scope;
use super::super::world::resource::key;
use super::super::world::{AzureWorld, Resource};

/// Custom roles of one directory: <https://learn.microsoft.com/azure/role-based-access-control/custom-roles>
const MOST: usize = 5_000;

pub(super) fn answer(world: &mut AzureWorld, request: &Request) -> Answered {
    let missing = || {
        let id = key(request.name()).replace('-', "");
        not_found(
            "RoleDefinitionDoesNotExist",
            format!("The specified role definition with ID '{id}' does not exist."),
        )
    };
    match (request.method.as_str(), request.names.is_empty()) {
        ("GET", true) => list(world, request),
        ("GET", false) => {
            let name = key(request.name());
            let found = world.built_in.role_definitions.get(&name);
            let found = found.or_else(|| world.directory.role_definitions.get(&name)).ok_or_else(missing)?;
            Ok(Good::ok(show(request, found)))
        }
        ("PUT", false) => put(world, request),
        ("DELETE", false) => {
            let name = key(request.name());
            if used(world, &name) {
                let message = "There are existing role assignments referencing role. Remove them first.";
                return Err(bad("RoleDefinitionHasAssignments", message));
            }
            let removed = world.directory.role_definitions.remove(&name);
            Ok(removed.map_or_else(Good::no_content, |role| Good::ok(show(request, &role))))
        }
        _ => Err(no_method(request)),
    }
}

/// A role's id begins with the subscription that it is looked at from.
fn show(request: &Request, role: &Resource) -> Value {
    let scope = request.scope.subscription().map(|id| format!("/subscriptions/{id}")).unwrap_or_default();
    role.show(&scope, "Microsoft.Authorization/roleDefinitions")
}

fn list(world: &AzureWorld, request: &Request) -> Answered {
    let filter = request.query("$filter").unwrap_or_default();
    let wanted = |word: &str| {
        let (_, rest) = filter.split_once(word)?;
        rest.split('\'').nth(1).map(str::to_ascii_lowercase)
    };
    let (name, kind) = (wanted("roleName eq"), wanted("type eq"));
    let way: Vec<String> = world.way_up(&request.scope).iter().map(|scope| key(&scope.id())).collect();
    let visible = |role: &Resource| {
        let scopes = role.properties.get("assignableScopes").and_then(Value::as_array);
        let mut scopes = scopes.into_iter().flatten().filter_map(Value::as_str);
        request.scope == Scope::Tenant || scopes.any(|scope| way.contains(&key(scope)))
    };
    let all = world.built_in.role_definitions.values().chain(world.directory.role_definitions.values());
    let kept = all.filter(|role| {
        visible(role)
            && name.as_ref().is_none_or(|name| key(role.text("roleName")) == *name)
            && kind.as_ref().is_none_or(|kind| key(role.text("type")) == *kind)
    });
    page(world, request, kept.map(|role| show(request, role)))
}

fn put(world: &mut AzureWorld, request: &Request) -> Answered {
    let id = key(request.name());
    if !id.split('-').map(str::len).eq([8, 4, 4, 4, 12]) {
        return Err(bad("InvalidRoleDefinitionId", format!("The role definition ID '{id}' is not a GUID.")));
    }
    if world.built_in.role_definitions.contains_key(&id) {
        return Err(bad("CannotUpdateBuiltInRole", "A built-in role can't be changed."));
    }
    let sent = request.properties()?;
    let text = |name: &str| sent.get(name).and_then(Value::as_str).unwrap_or_default();
    let scopes = sent.get("assignableScopes").and_then(Value::as_array).cloned().unwrap_or_default();
    if text("roleName").is_empty() || scopes.is_empty() || !sent.contains_key("permissions") {
        return Err(bad("InvalidRoleDefinition", "roleName, permissions and assignableScopes are required."));
    }
    for scope in scopes.iter().map(|scope| scope.as_str().unwrap_or_default()) {
        let exists = Scope::of(scope).is_some_and(|scope| world.governance(&scope).is_some());
        if !exists {
            let message = format!("The assignable scope '{scope}' is not valid.");
            return Err(bad("InvalidAssignableScope", message));
        }
    }
    let all = world.built_in.role_definitions.values().chain(world.directory.role_definitions.values());
    if all.filter(|role| role.name != id).any(|role| key(role.text("roleName")) == key(text("roleName"))) {
        let message =
            format!("A custom role with the name '{}' already exists in this directory.", text("roleName"));
        return Err(conflict("RoleDefinitionWithSameNameExists", message));
    }
    if world.directory.role_definitions.len() >= MOST {
        return Err(bad("RoleDefinitionLimitExceeded", "Role definition limit exceeded."));
    }
    let mut role = Resource::made(&id, sent.clone(), request.now);
    role.set("type", "CustomRole");
    role.set("createdOn", request.now.to_string());
    role.set("updatedOn", request.now.to_string());
    role.set("createdBy", request.caller.object);
    role.set("updatedBy", json!(request.caller.object));
    let (_, stored) = super::put(&mut world.directory.role_definitions, role);
    let stored = stored.clone();
    Ok(Good::created(show(request, &stored)))
}

fn used(world: &AzureWorld, role: &str) -> bool {
    let groups = world.directory.management_groups.values().map(|group| &group.governance);
    let subscriptions = world.subscriptions.values();
    let mut all = groups.chain(subscriptions.flat_map(|subscription| {
        let groups = subscription.resource_groups.values().map(|group| &group.governance);
        std::iter::once(&subscription.governance).chain(groups)
    }));
    all.any(|governance| {
        let mut roles = governance.role_assignments.values().map(|one| key(one.text("roleDefinitionId")));
        roles.any(|id| id.ends_with(role))
    })
}
