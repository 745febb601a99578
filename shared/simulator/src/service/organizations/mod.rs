//! AWS Organizations: the tree, its accounts, its policies, its tags.

mod accounts;
mod creation;
mod documents;
mod policies;
mod tags;
mod tree;
mod trust;

use serde_json::{Value, json};

use super::{Answered, unknown};
use crate::ask::Ask;
use crate::refusal::Refusal;
use crate::world::{Organization, World};

pub(crate) use creation::finish as finish_creation;
pub(crate) use tags::parse as parse_tags;

pub(super) fn answer(world: &mut World, ask: &Ask) -> Answered {
    if !world.organization.in_use {
        return Err(Refusal::new(
            "AWSOrganizationsNotInUseException",
            "Your account is not a member of an organization.",
        ));
    }
    match ask.operation.as_str() {
        "DescribeOrganization" => Ok(describe(&world.organization)),
        "ListRoots" => tree::list_roots(world, ask),
        "ListOrganizationalUnitsForParent" => tree::list_units(world, ask),
        "DescribeOrganizationalUnit" => tree::describe_unit(world, ask),
        "CreateOrganizationalUnit" => tree::create_unit(world, ask),
        "UpdateOrganizationalUnit" => tree::update_unit(world, ask),
        "ListChildren" => tree::list_children(world, ask),
        "ListParents" => tree::list_parents(world, ask),
        "ListAccounts" => accounts::list(world, ask),
        "ListAccountsForParent" => accounts::list_for_parent(world, ask),
        "DescribeAccount" => accounts::describe(world, ask),
        "MoveAccount" => accounts::relocate(world, ask),
        "CloseAccount" => accounts::close(world, ask),
        "CreateAccount" => creation::begin(world, ask),
        "DescribeCreateAccountStatus" => creation::describe(world, ask),
        "ListCreateAccountStatus" => creation::list(world, ask),
        "TagResource" => tags::tag(world, ask),
        "UntagResource" => tags::untag(world, ask),
        "ListTagsForResource" => tags::list(world, ask),
        "CreatePolicy" => documents::create(world, ask),
        "UpdatePolicy" => documents::update(world, ask),
        "DescribePolicy" => documents::describe(world, ask),
        "DeletePolicy" => documents::delete(world, ask),
        "ListPolicies" => documents::list(world, ask),
        "ListPoliciesForTarget" => policies::for_target(world, ask),
        "ListTargetsForPolicy" => policies::targets(world, ask),
        "AttachPolicy" => policies::attach(world, ask),
        "DetachPolicy" => policies::detach(world, ask),
        "EnablePolicyType" => policies::enable_type(world, ask),
        "DisablePolicyType" => policies::disable_type(world, ask),
        "EnableAWSServiceAccess" => trust::enable(world, ask),
        "DisableAWSServiceAccess" => trust::disable(world, ask),
        "ListAWSServiceAccessForOrganization" => trust::list(world, ask),
        _ => Err(unknown(Some(ask.service), &ask.operation)),
    }
}

fn describe(organization: &Organization) -> Value {
    let management = &organization.management_account;
    json!({"Organization": {
        "Id": organization.id,
        "Arn": format!("arn:aws:organizations::{management}:organization/{}", organization.id),
        "FeatureSet": organization.feature_set,
        "MasterAccountArn": organization.arn("account", management),
        "MasterAccountId": management,
        "MasterAccountEmail": organization.email,
        // Deprecated and no longer kept up to date by AWS; the truth is in ListRoots.
        "AvailablePolicyTypes": [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}],
    }})
}

/// A wrong input, with the reason that tells which kind.
fn invalid(reason: &str, message: &str) -> Refusal {
    Refusal::new("InvalidInputException", message).reason(reason)
}

/// Seconds with a fraction, as JSON timestamps are.
#[expect(clippy::cast_precision_loss, reason = "milliseconds of our time are far below 2^53")]
pub(crate) fn epoch(at: jiff::Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1_000.0
}
