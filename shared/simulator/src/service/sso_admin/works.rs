//! What Identity Center does in the background, and how it tells how far it is.

use serde_json::{Map, Value, json};

use super::{Answered, missing, set};
use crate::ask::Ask;
use crate::refusal::Refusal;
use crate::service::organizations::epoch;
use crate::world::{Assignment, Kind, Work, World, uuid};

/// Starts a work, which is IN_PROGRESS until it has been asked about often enough.
pub(super) fn begin(world: &mut World, ask: &Ask, kind: Kind) -> Answered {
    world.issued += 1;
    let work = Work {
        id: uuid(&format!("work{}", world.issued)),
        kind,
        polls_left: world.settings.assignment_polls,
        done: false,
        created_at: ask.now,
    };
    let answer = status(&work, true);
    world.identity_center.works.insert(work.id.clone(), work);
    Ok(answer)
}

pub(super) fn provision(world: &mut World, ask: &Ask) -> Answered {
    let permission_set = set(world, ask)?.arn.clone();
    let account = match ask.need("TargetType")? {
        "AWS_ACCOUNT" => Some(ask.need("TargetId")?.to_owned()),
        "ALL_PROVISIONED_ACCOUNTS" => None,
        _ => return Err(ask.invalid("TargetType must be AWS_ACCOUNT or ALL_PROVISIONED_ACCOUNTS")),
    };
    begin(world, ask, Kind::Provision { permission_set, account })
}

pub(super) fn describe(world: &mut World, ask: &Ask, name: &str) -> Answered {
    let id = ask.need(name)?;
    let unknown = || -> Refusal { missing(&format!("Could not find the request {id}")) };
    let fits = |kind: &Kind| match kind {
        Kind::Assign(_) => name.contains("Creation"),
        Kind::Unassign(_) => name.contains("Deletion"),
        Kind::Provision { .. } => name.contains("Provision"),
    };
    let work = world.identity_center.works.get_mut(id).filter(|work| fits(&work.kind)).ok_or_else(unknown)?;
    if work.polls_left > 0 {
        work.polls_left -= 1;
    } else if !work.done {
        work.done = true;
        let kind = work.kind.clone();
        finish(world, &kind);
    }
    let work = world.identity_center.works.get(id).ok_or_else(unknown)?;
    Ok(status(work, false))
}

fn finish(world: &mut World, kind: &Kind) {
    let center = &mut world.identity_center;
    match kind {
        Kind::Assign(assignment) => {
            center.assignments.insert(assignment.clone());
        }
        Kind::Unassign(assignment) => {
            center.assignments.remove(assignment);
        }
        Kind::Provision { permission_set, account } => {
            if let Some(set) = center.permission_sets.get_mut(permission_set) {
                set.outdated_in.retain(|one| account.as_ref().is_some_and(|only| only != one));
            }
        }
    }
}

/// The status under the name its operation gives it; the first answer always says IN_PROGRESS.
fn status(work: &Work, first: bool) -> Value {
    let state = if work.done && !first { "SUCCEEDED" } else { "IN_PROGRESS" };
    let mut shown = Map::from_iter([
        ("Status".to_owned(), json!(state)),
        ("RequestId".to_owned(), json!(work.id)),
        ("CreatedDate".to_owned(), json!(epoch(work.created_at))),
    ]);
    let (name, more) = match &work.kind {
        Kind::Assign(assignment) => ("AccountAssignmentCreationStatus", of(assignment)),
        Kind::Unassign(assignment) => ("AccountAssignmentDeletionStatus", of(assignment)),
        Kind::Provision { permission_set, account } => {
            let mut more = json!({"PermissionSetArn": permission_set});
            if let (Some(account), Some(members)) = (account, more.as_object_mut()) {
                members.insert("AccountId".to_owned(), json!(account));
            }
            ("PermissionSetProvisioningStatus", more)
        }
    };
    if let Value::Object(more) = more {
        shown.extend(more);
    }
    json!({ name: shown })
}

fn of(assignment: &Assignment) -> Value {
    json!({
        "TargetId": assignment.account,
        "TargetType": "AWS_ACCOUNT",
        "PermissionSetArn": assignment.permission_set,
        "PrincipalType": assignment.principal_type,
        "PrincipalId": assignment.principal,
    })
}
