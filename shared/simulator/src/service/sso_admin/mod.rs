//! IAM Identity Center's administration: permission sets and who has them where.

mod assignments;
mod permission_sets;
mod works;

use serde_json::{Value, json};

use super::{Answered, unknown};
use crate::ask::Ask;
use crate::page::{IDENTITY, page};
use crate::refusal::Refusal;
use crate::world::{PermissionSet, World};

pub(super) fn answer(world: &mut World, ask: &Ask) -> Answered {
    let center = &world.identity_center;
    let here = center.enabled && center.region.as_deref().is_none_or(|region| region == ask.region);
    if ask.operation == "ListInstances" {
        let instances = here.then(|| {
            json!({
                "InstanceArn": center.instance_arn,
                "IdentityStoreId": center.identity_store_id,
                "OwnerAccountId": world.organization.management_account,
                "Status": "ACTIVE",
            })
        });
        return page(world, ask, IDENTITY, "Instances", instances.into_iter()).map(Value::Object);
    }
    // Tags are asked for by resource, and there the instance may be left out.
    let instance = ask.text("InstanceArn");
    let optional = matches!(ask.operation.as_str(), "TagResource" | "UntagResource" | "ListTagsForResource");
    if !(here && (instance == Some(center.instance_arn.as_str()) || (optional && instance.is_none()))) {
        return Err(missing(&format!("Could not find the instance {}", instance.unwrap_or_default())));
    }
    match ask.operation.as_str() {
        "ListPermissionSets" => {
            let found = center.permission_sets.keys().map(|arn| json!(arn));
            page(world, ask, IDENTITY, "PermissionSets", found).map(Value::Object)
        }
        "DescribePermissionSet" => permission_sets::describe(world, ask),
        "CreatePermissionSet" => permission_sets::create(world, ask),
        "UpdatePermissionSet" => permission_sets::update(world, ask),
        "ListManagedPoliciesInPermissionSet" => permission_sets::list_managed(world, ask),
        "AttachManagedPolicyToPermissionSet" => permission_sets::attach(world, ask),
        "DetachManagedPolicyFromPermissionSet" => permission_sets::detach(world, ask),
        "GetInlinePolicyForPermissionSet" => Ok(json!({"InlinePolicy": set(world, ask)?.inline_policy})),
        "PutInlinePolicyToPermissionSet" => permission_sets::put_inline(world, ask),
        "DeleteInlinePolicyFromPermissionSet" => permission_sets::delete_inline(world, ask),
        "TagResource" => permission_sets::tag(world, ask),
        "UntagResource" => permission_sets::untag(world, ask),
        "ListTagsForResource" => permission_sets::list_tags(world, ask),
        "ProvisionPermissionSet" => works::provision(world, ask),
        "DescribePermissionSetProvisioningStatus" => {
            works::describe(world, ask, "ProvisionPermissionSetRequestId")
        }
        "ListAccountAssignments" => assignments::list(world, ask),
        "CreateAccountAssignment" => assignments::change(world, ask, true),
        "DeleteAccountAssignment" => assignments::change(world, ask, false),
        "DescribeAccountAssignmentCreationStatus" => {
            works::describe(world, ask, "AccountAssignmentCreationRequestId")
        }
        "DescribeAccountAssignmentDeletionStatus" => {
            works::describe(world, ask, "AccountAssignmentDeletionRequestId")
        }
        _ => Err(unknown(Some(ask.service), &ask.operation)),
    }
}

fn missing(message: &str) -> Refusal {
    Refusal::new("ResourceNotFoundException", message)
}

fn no_set() -> Refusal {
    missing("Could not find PermissionSet with the specified ARN")
}

/// The permission set an ask names.
fn set<'a>(world: &'a World, ask: &Ask) -> Result<&'a PermissionSet, Refusal> {
    world.identity_center.permission_sets.get(ask.need("PermissionSetArn")?).ok_or_else(no_set)
}

fn set_mut<'a>(world: &'a mut World, ask: &Ask) -> Result<&'a mut PermissionSet, Refusal> {
    world.identity_center.permission_sets.get_mut(ask.need("PermissionSetArn")?).ok_or_else(no_set)
}
