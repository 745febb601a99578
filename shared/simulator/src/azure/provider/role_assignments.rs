//! Role assignments: <https://learn.microsoft.com/azure/role-based-access-control/role-assignments-rest> and
//! <https://learn.microsoft.com/azure/role-based-access-control/troubleshooting>

use serde_json::{Value, json};

use super::super::answer::{Answered, Good, bad, conflict, no_method, not_found, refusal};
use super::super::page::page;
use super::super::request::{Request, invalid};
use super::super::scope::Scope;
use super::super::world::resource::key;
use super::super::world::{AzureWorld, Governance, Resource, Resources};
use super::{held, held_mut};
use crate::refusal::Refusal;

/// <https://learn.microsoft.com/azure/role-based-access-control/troubleshoot-limits>
const MOST_AT_SUBSCRIPTION: usize = 4_000;
const MOST_AT_GROUP: usize = 500;

fn pick(governance: &Governance) -> &Resources {
    &governance.role_assignments
}

fn pick_mut(governance: &mut Governance) -> &mut Resources {
    &mut governance.role_assignments
}

pub(super) fn answer(world: &mut AzureWorld, request: &Request) -> Answered {
    match (request.method.as_str(), request.names.is_empty()) {
        ("GET", true) => list(world, request),
        ("GET", false) => {
            let found = held(world, request, pick).and_then(|all| all.get(&key(request.name())));
            let found = found.ok_or_else(|| {
                not_found(
                    "RoleAssignmentNotFound",
                    format!("The role assignment '{}' is not found.", request.name()),
                )
            })?;
            Ok(Good::ok(found.show(&request.scope.id(), &request.full_type())))
        }
        ("PUT", false) => put(world, request),
        ("DELETE", false) => {
            let removed = held_mut(world, request, pick_mut)?.remove(&key(request.name()));
            let shown = |one: Resource| Good::ok(one.show(&request.scope.id(), &request.full_type()));
            Ok(removed.map_or_else(Good::no_content, shown))
        }
        _ => Err(no_method(request)),
    }
}

/// `atScope()` is this scope and those above; without it those below are listed too.
fn list(world: &AzureWorld, request: &Request) -> Answered {
    let kind = request.full_type();
    let mut scopes = world.way_up(&request.scope);
    if request.filters("atExactScope()") {
        scopes.truncate(1);
    } else if !request.filters("atScope()") {
        scopes.extend(below(world, &request.scope));
    }
    let wanted = request.query("$filter").and_then(of_principal);
    let shown = scopes.into_iter().flat_map(|scope| {
        let held = world.governance(&scope).map(pick).into_iter().flat_map(Resources::values);
        let kept = held
            .filter(|one| wanted.as_ref().is_none_or(|id| one.text("principalId").eq_ignore_ascii_case(id)));
        kept.map(|one| one.show(&scope.id(), &kind)).collect::<Vec<_>>()
    });
    page(world, request, shown)
}

/// `principalId eq '…'` and `assignedTo('…')`
fn of_principal(filter: &str) -> Option<String> {
    let lower = filter.to_ascii_lowercase();
    let at =
        ["principalid eq '", "assignedto('"].iter().find_map(|word| Some(lower.find(word)? + word.len()))?;
    lower.get(at..)?.split('\'').next().map(str::to_owned)
}

/// The resource groups and resources in a subscription.
fn below(world: &AzureWorld, scope: &Scope) -> Vec<Scope> {
    let Scope::Subscription(id) = scope else { return Vec::new() };
    let groups = world.subscription(id).into_iter().flat_map(|one| one.resource_groups.values());
    groups
        .flat_map(|group| {
            let inside = group.resources.values().map(|one| {
                Scope::Resource(id.clone(), group.name.clone(), one.kind.clone(), one.resource.name.clone())
            });
            std::iter::once(Scope::ResourceGroup(id.clone(), group.name.clone())).chain(inside)
        })
        .collect()
}

fn put(world: &mut AzureWorld, request: &Request) -> Answered {
    let name = key(request.name());
    if !name.split('-').map(str::len).eq([8, 4, 4, 4, 12]) {
        let message =
            format!("The role assignment ID '{name}' is not valid. The role assignment ID must be a GUID.");
        return Err(bad("InvalidRoleAssignmentId", message));
    }
    let sent = request.properties()?;
    let text = |name: &str| sent.get(name).and_then(Value::as_str).unwrap_or_default();
    let (role, principal) = (text("roleDefinitionId"), text("principalId"));
    if role.is_empty() || principal.is_empty() {
        return Err(bad(
            "InvalidRoleAssignmentRequest",
            "The role definition ID and the principal ID are required.",
        ));
    }
    let role = known_role(world, role)?;
    let kind = known_principal(world, request, principal, sent.get("principalType").and_then(Value::as_str))?;
    let properties = json!({
        "roleDefinitionId": format!("{}/providers/Microsoft.Authorization/roleDefinitions/{role}", role_scope(request)),
        "principalId": principal,
        "principalType": kind,
        "scope": request.scope.id(),
        "condition": sent.get("condition").cloned().unwrap_or_default(),
        "conditionVersion": sent.get("conditionVersion").cloned().unwrap_or_default(),
        "description": sent.get("description").cloned().unwrap_or_default(),
        "delegatedManagedIdentityResourceId": sent.get("delegatedManagedIdentityResourceId").cloned().unwrap_or_default(),
        "createdOn": request.now.to_string(), "updatedOn": request.now.to_string(),
        "createdBy": request.caller.object, "updatedBy": request.caller.object,
    });
    let mut assignment =
        Resource::made(&name, properties.as_object().cloned().unwrap_or_default(), request.now);
    let most = if matches!(request.scope, Scope::Group(_)) { MOST_AT_GROUP } else { MOST_AT_SUBSCRIPTION };
    let all = held_mut(world, request, pick_mut)?;
    if let Some(before) = all.get(&name) {
        // Description and condition may change; who has what may not.
        if triple(before) != triple(&assignment) {
            return Err(bad(
                "RoleAssignmentUpdateNotPermitted",
                "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
            ));
        }
        for kept in ["createdOn", "createdBy"] {
            assignment.set(kept, before.properties.get(kept).cloned().unwrap_or_default());
        }
    } else if all.values().any(|other| triple(other) == triple(&assignment)) {
        return Err(conflict("RoleAssignmentExists", "The role assignment already exists."));
    } else if all.len() >= most {
        let message = format!("No more role assignments can be created; the limit is {most}.");
        return Err(bad("RoleAssignmentLimitExceeded", message));
    }
    let (new, stored) = super::put(all, assignment);
    Ok(Good::put(new, stored.show(&request.scope.id(), &request.full_type())))
}

/// What an assignment is about: role and principal, on the scope that it is kept at.
fn triple(assignment: &Resource) -> (String, String) {
    let role = assignment.text("roleDefinitionId").rsplit('/').next().unwrap_or_default();
    (key(role), key(assignment.text("principalId")))
}

/// Roles are shown below the subscription that they are given in.
fn role_scope(request: &Request) -> String {
    request.scope.subscription().map(|id| format!("/subscriptions/{id}")).unwrap_or_default()
}

fn known_role(world: &AzureWorld, id: &str) -> Result<String, Refusal> {
    let name = key(id.rsplit('/').next().unwrap_or_default());
    let found = world.built_in.role_definitions.contains_key(&name)
        || world.directory.role_definitions.contains_key(&name);
    if !id.to_ascii_lowercase().contains("/roledefinitions/") {
        return Err(invalid(format!("The role definition ID '{id}' is not valid.")));
    }
    if found {
        return Ok(name);
    }
    let message =
        format!("The specified role definition with ID '{}' does not exist.", name.replace('-', ""));
    Err(refusal(404, "RoleDefinitionDoesNotExist", message))
}

/// The principal's type. One that is new is found only by who says what it is.
fn known_principal(
    world: &AzureWorld,
    request: &Request,
    id: &str,
    said: Option<&str>,
) -> Result<String, Refusal> {
    let absent = || {
        bad(
            "PrincipalNotFound",
            format!(
                "Principal {} does not exist in the directory {}. Check that you have the correct principal ID. If you are creating this principal and then immediately assigning a role, this error might be related to a replication delay. In this case, set the role assignment principalType property to a value, such as ServicePrincipal, User, or Group.  See https://aka.ms/docs-principaltype",
                id.replace('-', ""),
                world.directory.id
            ),
        )
    };
    let principal = world.directory.principals.get(&key(id)).ok_or_else(absent)?;
    let new = principal.known_from.is_some_and(|from| from > request.now);
    match said {
        None if new => Err(absent()),
        Some(said) if !said.eq_ignore_ascii_case(&principal.kind) => {
            let message = format!(
                "The PrincipalType '{said}' does not match the type '{}' of principal '{id}'.",
                principal.kind
            );
            Err(bad("UnmatchedPrincipalType", message))
        }
        _ => Ok(principal.kind.clone()),
    }
}
