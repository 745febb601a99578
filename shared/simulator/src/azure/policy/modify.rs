//! The effect `modify`: what it makes of a request, and of a resource that is there already.
//!
//! <https://learn.microsoft.com/azure/governance/policy/concepts/effect-modify>

use serde_json::{Map, Value};

use super::in_force::{InForce, in_force};
use super::subject;
use crate::azure::request::Request;
use crate::azure::route::Kind;
use crate::azure::scope::Scope;
use crate::azure::world::AzureWorld;
use crate::azure::world::resource::key;
use crate::azure::world::{CONTRIBUTOR, OWNER, deployed_key};

/// The request as the policies above change it before anybody sees it; nothing where none does. It takes no identity: that is for what
/// is there already.
pub(crate) fn modified(world: &AzureWorld, request: &Request) -> Option<Request> {
    let writes = request.kind == Kind::Resource && matches!(request.method.as_str(), "PUT" | "PATCH");
    let (scope, subject) = subject::of_request(world, request).filter(|_| writes)?;
    let hits: Vec<InForce<'_>> = in_force(world, &scope, request.now)
        .into_iter()
        .filter(|policy| policy.effect == "modify" && policy.binding_since(request.lag) <= request.now)
        .filter(|policy| policy.hits(&subject))
        .collect();
    let mut changed = request.clone();
    let body = changed.body.as_object_mut().filter(|_| !hits.is_empty())?;
    let properties = body.entry("properties").or_insert_with(|| Value::Object(Map::new())).as_object_mut()?;
    for policy in &hits {
        operate(policy, &subject.kind, properties);
    }
    Some(changed)
}

/// Does what a policy's operations say to a resource that it hits, as the assignment's identity.
///
/// # Errors
/// What Azure answers the identity where it holds no role that lets it.
pub(crate) fn remedied(
    world: &mut AzureWorld,
    scope: &Scope,
    assignment: &str,
    request: &Request,
) -> Result<(), String> {
    let Scope::Resource(subscription, group, kind, name) = scope else { return Ok(()) };
    let policies = in_force(world, scope, request.now);
    let Some(policy) = policies.iter().find(|policy| policy.assignment_id.eq_ignore_ascii_case(assignment))
    else {
        return Ok(());
    };
    let principal = policy.assignment.identity.as_ref().and_then(|identity| identity.get("principalId"));
    let principal = principal.and_then(Value::as_str).unwrap_or_default();
    if !may(world, scope, principal, &needed(policy)) {
        return Err(format!(
            "The client '{principal}' with object id '{principal}' does not have authorization to perform action '{kind}/write' over scope '{}' or the scope is invalid. If access was recently granted, please refresh your credentials.",
            scope.id()
        ));
    }
    let found = world.subscription(subscription).and_then(|one| one.resource_groups.get(&key(group)));
    let found = found.and_then(|group| group.resources.get(&deployed_key(kind, name)));
    let Some(mut properties) = found.map(|there| there.resource.properties.clone()) else { return Ok(()) };
    operate(policy, kind, &mut properties);
    let group = world.subscription_mut(subscription).and_then(|one| one.resource_groups.get_mut(&key(group)));
    if let Some(there) = group.and_then(|group| group.resources.get_mut(&deployed_key(kind, name))) {
        there.resource.properties = properties;
        there.resource.updated_at = request.now;
    }
    Ok(())
}

fn details<'a>(policy: &'a InForce<'_>, name: &str) -> &'a [Value] {
    let then = policy.definition.properties.get("policyRule").and_then(|rule| rule.get("then"));
    let list = then.and_then(|then| then.get("details")?.get(name)?.as_array());
    list.map(Vec::as_slice).unwrap_or_default()
}

/// The operations on aliases of properties; nothing here modifies tags.
fn operate(policy: &InForce<'_>, kind: &str, properties: &mut Map<String, Value>) {
    let prefix = format!("{}/", kind.to_ascii_lowercase());
    for operation in details(policy, "operations") {
        let field = operation.get("field").and_then(Value::as_str).unwrap_or_default();
        let own = field.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(&prefix));
        let Some(name) = field.get(prefix.len()..).filter(|name| own && !name.contains('.')) else {
            continue;
        };
        let there = properties.contains_key(name);
        let word = operation.get("operation").and_then(Value::as_str).unwrap_or_default();
        let value = operation.get("value").cloned().unwrap_or_default();
        match word.to_ascii_lowercase().as_str() {
            "addorreplace" => drop(properties.insert(name.to_owned(), value)),
            "add" if !there => drop(properties.insert(name.to_owned(), value)),
            "remove" => drop(properties.remove(name)),
            _ => {}
        }
    }
}

/// The roles that the definition says its identity needs.
fn needed(policy: &InForce<'_>) -> Vec<String> {
    let named = details(policy, "roleDefinitionIds").iter().filter_map(Value::as_str);
    named.filter_map(|id| id.rsplit('/').next()).map(key).collect()
}

/// Whether a principal holds one of these roles, or one that may do everything, on a scope or above it.
fn may(world: &AzureWorld, scope: &Scope, principal: &str, roles: &[String]) -> bool {
    let known = world.directory.principals.contains_key(&key(principal));
    let above = world.way_up(scope);
    let mut given = above
        .iter()
        .filter_map(|scope| world.governance(scope))
        .flat_map(|one| one.role_assignments.values());
    known
        && given.any(|one| {
            let role = one.text("roleDefinitionId").rsplit('/').next().map(key).unwrap_or_default();
            one.text("principalId").eq_ignore_ascii_case(principal)
                && (roles.contains(&role) || [OWNER, CONTRIBUTOR].contains(&role.as_str()))
        })
}
