//! The resource providers: each one a function from the world and a request to an answer.

mod budgets;
mod compliance;
mod diagnostics;
mod groups;
mod hierarchy;
mod identities;
mod lockbox;
mod locks;
mod policy_assignments;
mod policy_definitions;
mod policy_exemptions;
mod registration;
mod remediations;
mod resource_groups;
mod resources;
mod role_assignments;
mod role_definitions;
mod security;
mod subscriptions;
mod tags;

use serde_json::Value;

use super::answer::{Answered, Good, not_found};
use super::page::page;
use super::request::Request;
use super::route::Kind;
use super::scope::Scope;
use super::world::resource::key;
use super::world::{AzureWorld, Governance, Resource, Resources};
use crate::refusal::Refusal;

/// Performs an operation that has been let through.
pub(crate) fn answer(world: &mut AzureWorld, request: &Request) -> Answered {
    match request.kind {
        Kind::Subscriptions => subscriptions::answer(world, request),
        Kind::Rename => subscriptions::rename(world, request),
        Kind::SubscriptionPolicy => subscriptions::policy(world, request),
        Kind::LockboxChoice => lockbox::choice(world, request),
        Kind::EnableLockbox => lockbox::enable(world, request),
        Kind::Aliases => subscriptions::alias(world, request),
        Kind::Groups => groups::answer(world, request),
        Kind::Descendants => groups::descendants(world, request),
        Kind::HierarchySettings => hierarchy::settings(world, request),
        Kind::GroupSubscriptions => hierarchy::subscriptions(world, request),
        Kind::OperationResults => super::operation::poll(world, request),
        Kind::Tags => tags::answer(world, request),
        Kind::PolicyDefinitions | Kind::PolicySetDefinitions => policy_definitions::answer(world, request),
        Kind::PolicyAssignments => policy_assignments::answer(world, request),
        Kind::PolicyExemptions => policy_exemptions::answer(world, request),
        Kind::PolicyStates => compliance::answer(world, request),
        Kind::Remediations => remediations::answer(world, request),
        Kind::RoleDefinitions => role_definitions::answer(world, request),
        Kind::RoleAssignments => role_assignments::answer(world, request),
        Kind::Locks => locks::answer(world, request),
        Kind::DiagnosticSettings => diagnostics::answer(world, request),
        Kind::Budgets => budgets::answer(world, request),
        Kind::Pricings => security::pricings(world, request),
        Kind::SecurityContacts => security::contacts(world, request),
        Kind::Providers => registration::answer(world, request),
        Kind::Register => registration::register(world, request),
        Kind::ResourceGroups => resource_groups::answer(world, request),
        Kind::Resources => resources::list(world, request),
        Kind::FederatedCredentials => identities::list(world, request),
        Kind::Resource => resources::answer(world, request),
    }
}

/// The part of a scope that a kind of thing is kept in.
type Pick = fn(&Governance) -> &Resources;
type PickMut = fn(&mut Governance) -> &mut Resources;

/// What the request's scope holds; the gate has seen that it exists.
fn held<'a>(world: &'a AzureWorld, request: &Request, pick: Pick) -> Option<&'a Resources> {
    world.governance(&request.scope).map(pick)
}

fn held_mut<'a>(
    world: &'a mut AzureWorld,
    request: &Request,
    pick: PickMut,
) -> Result<&'a mut Resources, Refusal> {
    let gone = || not_found("ResourceNotFound", format!("'{}' was not found.", request.scope.id()));
    world.governance_mut(&request.scope).map(pick).ok_or_else(gone)
}

/// One thing by the name in the request.
fn one(world: &AzureWorld, request: &Request, pick: Pick, missing: impl FnOnce(&str) -> Refusal) -> Answered {
    let found = held(world, request, pick).and_then(|all| all.get(&key(request.name())));
    let found = found.ok_or_else(|| missing(request.name()))?;
    Ok(Good::ok(found.show_dated(&request.scope.id(), &request.full_type())))
}

/// Everything on this scope, and with `inherited` also on those above it.
fn all(
    world: &AzureWorld,
    request: &Request,
    pick: Pick,
    inherited: bool,
    keep: impl Fn(&Resource) -> bool,
) -> Answered {
    let mut way = world.way_up(&request.scope);
    if !inherited {
        way.truncate(1);
    }
    let kind = request.full_type();
    let shown = way.into_iter().flat_map(|scope: Scope| {
        let held = world.governance(&scope).map(pick).into_iter().flat_map(Resources::values);
        let kept = held.filter(|resource| keep(resource));
        kept.map(|resource| resource.show_dated(&scope.id(), &kind)).collect::<Vec<_>>()
    });
    page(world, request, shown)
}

/// Gone afterwards: 200 when there was something, 204 when there was nothing.
fn delete(world: &mut AzureWorld, request: &Request, pick: PickMut) -> Answered {
    let removed = held_mut(world, request, pick)?.remove(&key(request.name()));
    Ok(if removed.is_some() { Good::ok(Value::Null) } else { Good::no_content() })
}

/// The same for the types whose 200 shows what it was.
fn delete_showing(world: &mut AzureWorld, request: &Request, pick: PickMut) -> Answered {
    let removed = held_mut(world, request, pick)?.remove(&key(request.name()));
    let shown = |it: Resource| Good::ok(it.show_dated(&request.scope.id(), &request.full_type()));
    Ok(removed.map_or_else(Good::no_content, shown))
}

/// Puts a thing where it was or where nothing was, and keeps when it was made; answers whether it is new.
fn put(all: &mut Resources, mut resource: Resource) -> (bool, &Resource) {
    let place = key(&resource.name);
    let before = all.remove(&place);
    let new = before.is_none();
    if let Some(before) = before {
        resource.created_at = before.created_at;
        resource.version = before.version + 1;
        resource.name = before.name;
    }
    (new, all.entry(place).or_insert(resource))
}
