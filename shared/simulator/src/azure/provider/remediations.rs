//! Remediation tasks: <https://learn.microsoft.com/rest/api/policyinsights/remediations>
//!
//! Nothing is deployed here, so a task is done when it is made.

use serde_json::{Value, json};

use super::super::answer::{Answered, Good, bad, no_method, not_found};
use super::super::policy;
use super::super::request::Request;
use super::super::world::{AzureWorld, Governance, Resource, Resources};
use super::held_mut;

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
        ("GET", true) => super::all(world, request, pick, false, |_| true),
        ("GET", false) => super::one(world, request, pick, missing),
        ("DELETE", false) => super::delete_showing(world, request, pick_mut),
        ("PUT", false) => {
            let sent = request.properties()?;
            let assignment = sent.get("policyAssignmentId").and_then(Value::as_str).unwrap_or_default();
            if policy::assignment(world, assignment).is_none() {
                let message = format!("The policy assignment '{assignment}' could not be found.");
                return Err(bad("InvalidCreateRemediationRequest", message));
            }
            let mut task = Resource::made(request.name(), sent.clone(), request.now);
            task.set("provisioningState", "Succeeded");
            task.set("createdOn", request.now.to_string());
            task.set("lastUpdatedOn", request.now.to_string());
            task.set(
                "deploymentStatus",
                json!({"totalDeployments": 0, "successfulDeployments": 0, "failedDeployments": 0}),
            );
            task.properties.entry("resourceDiscoveryMode").or_insert_with(|| json!("ExistingNonCompliant"));
            let (new, stored) = super::put(held_mut(world, request, pick_mut)?, task);
            Ok(Good::put(new, stored.show_dated(&request.scope.id(), &request.full_type())))
        }
        _ => Err(no_method(request)),
    }
}
