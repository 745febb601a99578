//! Account assignments: a group or user gets a permission set in an account.

use serde_json::{Value, json};

use super::{Answered, set, works};
use crate::ask::Ask;
use crate::page::{IDENTITY, page};
use crate::refusal::Refusal;
use crate::world::{Assignment, Kind, World};

pub(super) fn list(world: &World, ask: &Ask) -> Answered {
    let account = ask.need("AccountId")?;
    let arn = &set(world, ask)?.arn;
    let found = world.identity_center.assignments.iter();
    let found = found.filter(|one| one.account == account && one.permission_set == *arn).map(|one| {
        json!({
            "AccountId": one.account,
            "PermissionSetArn": one.permission_set,
            "PrincipalType": one.principal_type,
            "PrincipalId": one.principal,
        })
    });
    page(world, ask, IDENTITY, "AccountAssignments", found).map(Value::Object)
}

/// Creates or deletes in the background. Creating what is there succeeds again; deleting what is not there fails.
pub(super) fn change(world: &mut World, ask: &Ask, create: bool) -> Answered {
    if ask.need("TargetType")? != "AWS_ACCOUNT" {
        return Err(ask.invalid("TargetType must be AWS_ACCOUNT"));
    }
    let assignment = Assignment {
        account: ask.need("TargetId")?.to_owned(),
        permission_set: set(world, ask)?.arn.clone(),
        principal_type: ask.need("PrincipalType")?.to_owned(),
        principal: ask.need("PrincipalId")?.to_owned(),
    };
    if !matches!(assignment.principal_type.as_str(), "GROUP" | "USER") {
        return Err(ask.invalid("PrincipalType must be GROUP or USER"));
    }
    if !world.organization.members.contains_key(&assignment.account) {
        return Err(super::missing(&format!("AccountId {} not found", assignment.account)));
    }
    // Users are not simulated, so any user id is taken for one.
    if assignment.principal_type == "GROUP"
        && !world.identity_center.groups.contains_key(&assignment.principal)
    {
        return Err(super::missing(&format!("GROUP with id {} not found", assignment.principal)));
    }
    if !create && !world.identity_center.assignments.contains(&assignment) {
        return Err(super::missing("Assignment does not exist"));
    }
    let busy =
        |kind: &Kind| matches!(kind, Kind::Assign(other) | Kind::Unassign(other) if *other == assignment);
    let opposite = |kind: &Kind| matches!(kind, Kind::Assign(_)) != create;
    if world.identity_center.works.values().any(|work| !work.done && busy(&work.kind) && opposite(&work.kind))
    {
        return Err(Refusal::new("ConflictException", "There is a conflicting operation in process."));
    }
    works::begin(world, ask, if create { Kind::Assign(assignment) } else { Kind::Unassign(assignment) })
}
