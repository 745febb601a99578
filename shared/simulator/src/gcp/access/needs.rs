//! What a call takes besides the permission of its own method, as far as Landfall's calls go.
//!
//! A method whose page names one permission is not here: [`permission`](super::permission) knows it.

use serde_json::Value;

use super::permission::Permission;
use crate::gcp::operation;
use crate::gcp::request::Request;
use crate::gcp::world::GcpWorld;

/// All that a call takes, its own first.
pub(super) fn needs(world: &GcpWorld, request: &Request, own: Permission) -> Vec<Permission> {
    // Cloud Resource Manager has no permission for its operations
    // (<https://cloud.google.com/iam/docs/permissions-reference>): whoever began one may ask how it is going. IAM's and Service Usage's
    // have theirs: <https://cloud.google.com/iam/docs/audit-logging>, "google.longrunning.Operations";
    // <https://cloud.google.com/service-usage/docs/access-control>.
    if operation::is_one(world, request) && request.service.name == "cloudresourcemanager" {
        return Vec::new();
    }
    let also = also(world, request, &own);
    std::iter::once(own).chain(also.into_iter().filter_map(Permission::parse)).collect()
}

fn also(world: &GcpWorld, request: &Request, own: &Permission) -> Vec<&'static str> {
    match own.v1().as_str() {
        // On the value too, whose own collection of bindings that is:
        // https://cloud.google.com/resource-manager/docs/tags/tags-creating-and-managing#required-permissions
        "resourcemanager.hierarchyNodes.createTagBinding" => vec!["resourcemanager.tagValueBindings.create"],
        "resourcemanager.hierarchyNodes.deleteTagBinding" => vec!["resourcemanager.tagValueBindings.delete"],
        // https://cloud.google.com/billing/docs/how-to/modify-project: the right to link is the billing account's to give as well, and
        // what is linked already is taken from there.
        "resourcemanager.projects.createBillingAssignment" => {
            let project = world.project(request.part(1));
            let linked = project.is_some_and(|project| project.billing_account.is_some());
            let taken = linked.then_some("resourcemanager.projects.deleteBillingAssignment");
            let given = !request.text("billingAccountName").is_empty();
            let given = given.then_some("billing.resourceAssociations.create");
            taken.into_iter().chain(given).collect()
        }
        // https://cloud.google.com/resource-manager/docs/organization-policy/using-constraints, "Required permissions": asked for of whoever
        // manages organization policies, by no method in particular.
        "orgpolicy.policies.create" | "orgpolicy.policies.update" | "orgpolicy.policies.delete" => {
            vec!["orgpolicy.policy.set"]
        }
        // https://cloud.google.com/asset-inventory/docs/audit-logging: a feed tells what an export would.
        "cloudasset.feeds.create" => vec!["cloudasset.assets.exportResource"],
        // https://cloud.google.com/compute/docs/reference/rest/v1/projects/setCommonInstanceMetadata, "IAM Permissions": who changes what
        // machines are told needs the right to act as the accounts they run as.
        "compute.projects.setCommonInstanceMetadata" => vec!["iam.serviceAccounts.actAs"],
        // https://cloud.google.com/compute/docs/reference/rest/v1/firewalls/insert, "IAM Permissions": a rule is a change of its network.
        "compute.firewalls.create" | "compute.firewalls.delete" => vec!["compute.networks.updatePolicy"],
        // https://cloud.google.com/logging/docs/alerting/log-based-alerts, "Before you begin": an alert on what a log says keeps a rule there.
        "monitoring.alertPolicies.create" if on_logs(&request.body) => {
            vec!["logging.notificationRules.create"]
        }
        "monitoring.alertPolicies.update" if on_logs(&request.body) => {
            vec!["logging.notificationRules.update"]
        }
        _ => Vec::new(),
    }
}

/// Whether an alert waits for what a log says.
fn on_logs(policy: &Value) -> bool {
    let conditions = policy.get("conditions").and_then(Value::as_array);
    conditions.into_iter().flatten().any(|condition| condition.get("conditionMatchedLog").is_some())
}
