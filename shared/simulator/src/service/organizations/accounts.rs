//! The accounts of the organization: listed, described, moved, closed.

use serde_json::{Value, json};

use super::{Answered, epoch, tree};
use crate::ask::Ask;
use crate::event;
use crate::page::{ORGANIZATIONS, page};
use crate::refusal::Refusal;
use crate::world::{Member, Organization, World};

pub(super) fn account_json(organization: &Organization, member: &Member) -> Value {
    // The older Status knows three of the five states.
    let status = match member.state.as_str() {
        "SUSPENDED" | "CLOSED" => "SUSPENDED",
        "PENDING_CLOSURE" => "PENDING_CLOSURE",
        _ => "ACTIVE",
    };
    json!({
        "Id": member.id,
        "Arn": organization.arn("account", &member.id),
        "Email": member.email,
        "Name": member.name,
        "Status": status,
        "State": member.state,
        "JoinedMethod": member.joined.name(),
        "JoinedTimestamp": epoch(member.joined_at),
    })
}

pub(super) fn no_account() -> Refusal {
    Refusal::new("AccountNotFoundException", "You specified an account that doesn't exist.")
}

pub(super) fn list(world: &World, ask: &Ask) -> Answered {
    let organization = &world.organization;
    let accounts = organization.members.values().map(|member| account_json(organization, member));
    page(world, ask, ORGANIZATIONS, "Accounts", accounts).map(Value::Object)
}

pub(super) fn list_for_parent(world: &World, ask: &Ask) -> Answered {
    let parent = tree::parent(world, ask)?;
    let organization = &world.organization;
    let members = organization.members.values().filter(|member| member.parent == parent);
    page(world, ask, ORGANIZATIONS, "Accounts", members.map(|member| account_json(organization, member)))
        .map(Value::Object)
}

pub(super) fn describe(world: &World, ask: &Ask) -> Answered {
    let member = world.organization.members.get(ask.need("AccountId")?).ok_or_else(no_account)?;
    Ok(json!({"Account": account_json(&world.organization, member)}))
}

pub(super) fn relocate(world: &mut World, ask: &Ask) -> Answered {
    let id = ask.need("AccountId")?;
    let source = ask.need("SourceParentId")?;
    let destination = ask.need("DestinationParentId")?;
    let organization = &mut world.organization;
    let current = organization.members.get(id).map(|member| member.parent.clone()).ok_or_else(no_account)?;
    if !organization.is_parent(source) {
        return Err(Refusal::new(
            "SourceParentNotFoundException",
            "You specified a source parent that doesn't exist.",
        ));
    }
    if !organization.is_parent(destination) {
        return Err(Refusal::new(
            "DestinationParentNotFoundException",
            "You specified a destination parent that doesn't exist.",
        ));
    }
    if current == destination {
        return Err(Refusal::new("DuplicateAccountException", "The account is already in the destination."));
    }
    // A wrong source is told as an account that is not there: there is no better code for it in the API.
    if current != source {
        return Err(no_account());
    }
    if let Some(member) = organization.members.get_mut(id) {
        member.parent = destination.to_owned();
    }
    let request = json!({"accountId": id, "sourceParentId": source, "destinationParentId": destination});
    event::api_call(world, ask, &request, &Value::Null);
    Ok(Value::Null)
}

/// Closing suspends at once here; AWS passes through PENDING_CLOSURE for a while.
pub(super) fn close(world: &mut World, ask: &Ask) -> Answered {
    let id = ask.need("AccountId")?;
    if id == world.organization.management_account {
        return Err(Refusal::new("ConstraintViolationException", "You cannot close the management account.")
            .reason("CANNOT_CLOSE_MANAGEMENT_ACCOUNT"));
    }
    let member = world.organization.members.get_mut(id).ok_or_else(no_account)?;
    if member.state != "ACTIVE" {
        return Err(Refusal::new("AccountAlreadyClosedException", "The account is already closed."));
    }
    member.state = "SUSPENDED".to_owned();
    event::api_call(world, ask, &json!({"accountId": id}), &Value::Null);
    event::account_closed(world, id, ask.now);
    Ok(Value::Null)
}
