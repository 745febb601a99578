//! Remediation tasks: <https://learn.microsoft.com/rest/api/policyinsights/remediations>
//!
//! A task goes on while it is looked at, and then does what its policy says to every resource that does not comply, as the identity of
//! the assignment: <https://learn.microsoft.com/azure/governance/policy/how-to/remediate-resources>. Put again when it is over, it starts
//! anew (`Start-AzPolicyRemediation`: "to restart a previously created Remediation that is in a terminal state"); while it is not, that is
//! refused: <https://github.com/Azure/azure-policy/issues/1234>.

use serde_json::{Value, json};

use super::super::answer::{Answered, Good, bad, no_method, not_found};
use super::super::policy::{self, in_force, subjects};
use super::super::request::Request;
use super::super::scope::Scope;
use super::super::world::resource::key;
use super::super::world::{AzureWorld, Governance, Resource, Resources};
use super::held_mut;
use crate::refusal::Refusal;

const OVER: [&str; 3] = ["Succeeded", "Failed", "Canceled"];

fn pick(governance: &Governance) -> &Resources {
    &governance.remediations
}

fn pick_mut(governance: &mut Governance) -> &mut Resources {
    &mut governance.remediations
}

pub(super) fn answer(world: &mut AzureWorld, request: &Request) -> Answered {
    let missing = |name: &str| {
        not_found("RemediationNotFound", format!("The remediation '{name}' could not be found."))
    };
    match (request.method.as_str(), request.names.is_empty()) {
        ("GET", true) => {
            let there = super::held(world, request, pick).map(|all| all.keys().cloned().collect::<Vec<_>>());
            for name in there.unwrap_or_default() {
                go_on(world, request, &name)?;
            }
            super::all(world, request, pick, false, |_| true)
        }
        ("GET", false) => {
            go_on(world, request, &key(request.name()))?;
            super::one(world, request, pick, missing)
        }
        ("DELETE", false) => {
            let there = super::held(world, request, pick).and_then(|all| all.get(&key(request.name())));
            if there.is_some_and(|there| !over(there)) {
                let message = format!(
                    "The request to delete remediation '{}' is invalid. A remediation may not be deleted while it is active.",
                    request.name()
                );
                return Err(bad("InvalidDeleteRemediationRequest", message));
            }
            super::delete_showing(world, request, pick_mut)
        }
        ("PUT", false) => put(world, request),
        _ => Err(no_method(request)),
    }
}

fn over(task: &Resource) -> bool {
    OVER.contains(&task.text("provisioningState"))
}

fn put(world: &mut AzureWorld, request: &Request) -> Answered {
    let sent = request.properties()?.clone();
    let id = sent.get("policyAssignmentId").and_then(Value::as_str).unwrap_or_default();
    let wrong = |why: &str| {
        let message = format!("The request to create remediation '{}' is invalid. {why}", request.name());
        bad("InvalidCreateRemediationRequest", message)
    };
    let Some(assignment) = policy::assignment(world, id) else {
        return Err(wrong(&format!("The policy assignment '{id}' could not be found.")));
    };
    if !policy::acts(world, assignment.text("policyDefinitionId")) {
        return Err(wrong(&format!(
            "The policy definition of the policy assignment '{id}' has neither the effect 'deployIfNotExists' nor 'modify'."
        )));
    }
    let there = super::held(world, request, pick).and_then(|all| all.get(&key(request.name())));
    if there.is_some_and(|there| !over(there)) {
        let message = format!(
            "The request to update remediation '{}' is invalid. A remediation may not be changed or replaced while it is active.",
            request.name()
        );
        return Err(bad("InvalidUpdateRemediationRequest", message));
    }
    let polls = world.settings.remediation_polls;
    let mut task = Resource::made(request.name(), sent, request.now);
    task.set("provisioningState", "Accepted");
    task.set("createdOn", request.now.to_string());
    task.set("lastUpdatedOn", request.now.to_string());
    task.set("deploymentStatus", deployments(0, 0));
    task.properties.entry("resourceDiscoveryMode").or_insert_with(|| json!("ExistingNonCompliant"));
    world.at_work.insert(place(request, request.name()), polls);
    let (new, stored) = super::put(held_mut(world, request, pick_mut)?, task);
    Ok(Good::put(new, stored.show_dated(&request.scope.id(), &request.full_type())))
}

/// What tells one task from all others.
fn place(request: &Request, name: &str) -> String {
    key(&format!("{}/{name}", request.scope.id()))
}

fn deployments(total: usize, failed: usize) -> Value {
    json!({
        "totalDeployments": total, "successfulDeployments": total.saturating_sub(failed), "failedDeployments": failed,
    })
}

/// Looking is how time passes here.
fn go_on(world: &mut AzureWorld, request: &Request, name: &str) -> Result<(), Refusal> {
    let task = super::held(world, request, pick).and_then(|all| all.get(name));
    let Some(mut task) = task.filter(|task| !over(task)).cloned() else { return Ok(()) };
    let looks = world.at_work.entry(place(request, name)).or_default();
    if *looks > 0 {
        *looks -= 1;
        task.set("provisioningState", "Evaluating");
    } else {
        world.at_work.remove(&place(request, name));
        work(world, request, &mut task);
    }
    task.updated_at = request.now;
    task.set("lastUpdatedOn", request.now.to_string());
    held_mut(world, request, pick_mut)?.insert(name.to_owned(), task);
    Ok(())
}

/// Every resource that the assignment hits is changed, or can't be.
fn work(world: &mut AzureWorld, request: &Request, task: &mut Resource) {
    let id = task.text("policyAssignmentId").to_owned();
    let subscription = request.scope.subscription().and_then(|id| world.subscription(id));
    let wrong: Vec<Scope> = subscription
        .map(subjects)
        .into_iter()
        .flatten()
        .filter(|(scope, subject)| {
            let policies = in_force(world, scope, request.now);
            policies.iter().any(|one| one.assignment_id.eq_ignore_ascii_case(&id) && one.hits(subject))
        })
        .map(|(scope, _)| scope)
        .collect();
    let refused: Vec<String> =
        wrong.iter().filter_map(|scope| policy::remedied(world, scope, &id, request).err()).collect();
    task.set("deploymentStatus", deployments(wrong.len(), refused.len()));
    task.set("provisioningState", if refused.is_empty() { "Succeeded" } else { "Failed" });
    match refused.first() {
        Some(why) => task.set("statusMessage", why.as_str()),
        None => drop(task.properties.remove("statusMessage")),
    }
}
