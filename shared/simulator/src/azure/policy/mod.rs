//! Azure Policy: which policies bind a resource, and what they make of it.
//!
//! Evaluated are `modify` and then `deny` (and `denyAction` of deletions), before a resource provider sees a call; what only audits shows in
//! the compliance states. Nothing is appended or deployed.
//!
//! <https://learn.microsoft.com/azure/governance/policy/concepts/definition-structure-policy-rule>

mod expression;
mod in_force;
mod modify;
mod rule;
mod subject;

use serde_json::{Value, json};

pub(crate) use in_force::{InForce, in_force};
pub(crate) use modify::{modified, remedied};
pub(crate) use rule::validate;
pub(crate) use subject::{Subject, plain_location, subjects};

use super::answer::refusal;
use super::request::Request;
use super::scope::Scope;
use super::world::resource::key;
use super::world::{AzureWorld, Governance, Resource};
use crate::refusal::Refusal;

/// Whether the policies above let a write through.
pub(crate) fn check(world: &AzureWorld, request: &Request) -> Result<(), Refusal> {
    let Some((scope, subject)) = subject::of_request(world, request) else { return Ok(()) };
    let deletes = request.method == http::Method::DELETE;
    let wanted = if deletes { "denyaction" } else { "deny" };
    let broken: Vec<InForce<'_>> = in_force(world, &scope, request.now)
        .into_iter()
        .filter(|policy| policy.effect == wanted && policy.binding_since(request.lag) <= request.now)
        .filter(|policy| policy.hits(&subject))
        .collect();
    if broken.is_empty() { Ok(()) } else { Err(disallowed(&subject, &broken)) }
}

/// <https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-policy-requestdisallowedbypolicy>
fn disallowed(subject: &Subject, broken: &[InForce<'_>]) -> Refusal {
    let identifiers: Vec<Value> = broken
        .iter()
        .map(|policy| {
            let mut identifier = json!({
                "policyAssignment": {"name": policy.shown_name(), "id": policy.assignment_id},
                "policyDefinition": {"name": policy.definition.text("displayName"), "id": policy.definition_id},
            });
            if let (Some(set), Some(members)) = (&policy.set_id, identifier.as_object_mut()) {
                members.insert("policySetDefinition".to_owned(), json!({"id": set}));
            }
            identifier
        })
        .collect();
    let details: Vec<Value> = broken
        .iter()
        .map(|policy| {
            json!({
                "type": "PolicyViolation",
                "info": {
                    "policyDefinitionDisplayName": policy.definition.text("displayName"),
                    "policyDefinitionId": policy.definition_id,
                    "policyDefinitionName": policy.definition.name,
                    "policyDefinitionEffect": policy.effect,
                    "policySetDefinitionId": policy.set_id,
                    "policyAssignmentId": policy.assignment_id,
                    "policyAssignmentName": policy.assignment.name,
                    "policyAssignmentDisplayName": policy.assignment.text("displayName"),
                    "policyAssignmentScope": policy.scope_id,
                    "evaluationDetails": {"evaluatedExpressions": [{
                        "result": "True", "expressionKind": "Field", "expression": "type", "path": "type",
                        "expressionValue": subject.kind, "operator": "In",
                    }]},
                },
            })
        })
        .collect();
    let name = &subject.name;
    let list = Value::Array(identifiers);
    let message = format!("Resource '{name}' was disallowed by policy. Policy identifiers: '{list}'.");
    let mut refused = refusal(403, "RequestDisallowedByPolicy", message).member("target", name);
    refused.members.insert("additionalInfo".to_owned(), Value::Array(details));
    refused
}

/// The definition or initiative that an id names.
pub(crate) fn definition<'a>(world: &'a AzureWorld, id: &str) -> Option<&'a Resource> {
    let (scope, kind, name) = parts(id)?;
    let set = kind.eq_ignore_ascii_case("policySetDefinitions");
    if !set && !kind.eq_ignore_ascii_case("policyDefinitions") {
        return None;
    }
    let all = match (&scope, set) {
        (Scope::Tenant, true) => &world.built_in.policy_set_definitions,
        (Scope::Tenant, false) => &world.built_in.policy_definitions,
        (scope, true) => &world.governance(scope)?.policy_set_definitions,
        (scope, false) => &world.governance(scope)?.policy_definitions,
    };
    all.get(&key(name))
}

/// Whether a definition, or one of an initiative's, can change or deploy resources, whatever its assignment chooses.
pub(crate) fn acts(world: &AzureWorld, id: &str) -> bool {
    let Some(found) = definition(world, id) else { return false };
    if let Some(members) = found.properties.get("policyDefinitions").and_then(Value::as_array) {
        let ids = members.iter().filter_map(|member| member.get("policyDefinitionId")?.as_str());
        return ids.into_iter().any(|id| acts(world, id));
    }
    let acting = |effect: &Value| {
        effect.as_str().is_some_and(|effect| {
            effect.eq_ignore_ascii_case("modify") || effect.eq_ignore_ascii_case("deployIfNotExists")
        })
    };
    let said = found.properties.get("policyRule").and_then(|rule| rule.get("then")?.get("effect"));
    let chosen = found.properties.get("parameters").and_then(|all| all.get("effect")?.get("allowedValues"));
    said.is_some_and(acting) || chosen.and_then(Value::as_array).into_iter().flatten().any(acting)
}

pub(crate) fn assignment<'a>(world: &'a AzureWorld, id: &str) -> Option<&'a Resource> {
    let (scope, kind, name) = parts(id)?;
    let right = kind.eq_ignore_ascii_case("policyAssignments");
    world.governance(&scope)?.policy_assignments.get(&key(name)).filter(|_| right)
}

/// Scope, type and name of a policy object's id.
fn parts(id: &str) -> Option<(Scope, &str, &str)> {
    let mut parts = id.rsplitn(5, '/');
    let (name, kind, namespace, word) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let right =
        namespace.eq_ignore_ascii_case("Microsoft.Authorization") && word.eq_ignore_ascii_case("providers");
    right.then(|| Scope::of(parts.next().unwrap_or_default()).map(|scope| (scope, kind, name)))?
}

/// Whether what the id names is on the scope or above it.
pub(crate) fn reachable(world: &AzureWorld, scope: &Scope, id: &str) -> bool {
    parts(id).is_some_and(|(owner, ..)| world.way_up(scope).iter().any(|above| above.same(&owner)))
}

/// Who uses a definition: the id of an assignment or of an initiative.
pub(crate) fn user_of(world: &AzureWorld, id: &str) -> Option<String> {
    let mut found = None;
    every_scope(world, |scope, governance| {
        let assigned = governance.policy_assignments.values();
        let mut assigned = assigned.filter(|one| one.text("policyDefinitionId").eq_ignore_ascii_case(id));
        if let Some(one) = assigned.next() {
            found = Some(super::world::resource::id(
                scope,
                "Microsoft.Authorization/policyAssignments",
                &one.name,
            ));
        }
        let has = |set: &&Resource| {
            let members = set.properties.get("policyDefinitions").and_then(Value::as_array);
            let mut ids = members.into_iter().flatten().filter_map(|member| member.get("policyDefinitionId"));
            ids.any(|member| member.as_str().is_some_and(|member| member.eq_ignore_ascii_case(id)))
        };
        if let Some(set) = governance.policy_set_definitions.values().find(has) {
            found = Some(super::world::resource::id(
                scope,
                "Microsoft.Authorization/policySetDefinitions",
                &set.name,
            ));
        }
    });
    found
}

fn every_scope(world: &AzureWorld, mut look: impl FnMut(&str, &Governance)) {
    for group in world.directory.management_groups.values() {
        look(&group.arm_id(), &group.governance);
    }
    for subscription in world.subscriptions.values() {
        let id = subscription.arm_id();
        look(&id, &subscription.governance);
        for group in subscription.resource_groups.values() {
            look(&format!("{id}/resourceGroups/{}", group.name), &group.governance);
        }
    }
}
