//! CreateAccount: begins at once, ends after a while, and may end badly.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Answered, epoch};
use crate::ask::Ask;
use crate::event;
use crate::page::{ORGANIZATIONS, page};
use crate::refusal::Refusal;
use crate::world::{CreateRequest, World};

fn status_json(request: &CreateRequest) -> Value {
    let state = match (&request.completed_at, &request.failure) {
        (None, _) => "IN_PROGRESS",
        (Some(_), None) => "SUCCEEDED",
        (Some(_), Some(_)) => "FAILED",
    };
    let mut status = json!({
        "Id": request.id,
        "AccountName": request.name,
        "State": state,
        "RequestedTimestamp": epoch(request.requested_at),
    });
    if let Some(members) = status.as_object_mut() {
        let mut put =
            |name: &str, value: Option<Value>| value.map(|value| members.insert(name.to_owned(), value));
        put("CompletedTimestamp", request.completed_at.map(|at| Value::from(epoch(at))));
        put("AccountId", request.account.clone().map(Value::from));
        put("FailureReason", request.failure.clone().map(Value::from));
    }
    status
}

pub(super) fn begin(world: &mut World, ask: &Ask) -> Answered {
    let name = ask.need("AccountName")?.to_owned();
    let email = ask.need("Email")?.to_owned();
    if name.chars().count() > 50 {
        return Err(super::invalid(
            "MAX_LENGTH_EXCEEDED",
            "You provided a string parameter that is longer than allowed.",
        ));
    }
    if !email.contains('@') || email.len() < 6 || email.len() > 64 {
        return Err(super::invalid(
            "INVALID_PATTERN",
            "You provided a value that does not match the required pattern.",
        ));
    }
    let running =
        world.organization.create_requests.values().filter(|request| request.completed_at.is_none());
    if running.count() >= 5 {
        return Err(Refusal::new(
            "ConstraintViolationException",
            "You have exceeded the number of accounts that can be created at the same time.",
        )
        .reason("CONCURRENT_ACCOUNT_CREATION_LIMIT_EXCEEDED"));
    }
    let request = CreateRequest {
        id: world.next_id("car-", 32),
        name,
        email,
        tags: super::tags::parse(ask.array("Tags")),
        role: ask.text("RoleName").map(str::to_owned),
        requested_at: ask.now,
        polls_left: world.settings.create_account_polls,
        completed_at: None,
        account: None,
        failure: None,
    };
    let answer = json!({"CreateAccountStatus": status_json(&request)});
    world.organization.create_requests.insert(request.id.clone(), request);
    Ok(answer)
}

/// Each look brings the creation nearer to its end.
pub(super) fn describe(world: &mut World, ask: &Ask) -> Answered {
    let id = ask.need("CreateAccountRequestId")?;
    let missing = || {
        Refusal::new(
            "CreateAccountStatusNotFoundException",
            "We can't find an create account request with the CreateAccountRequestId that you specified.",
        )
    };
    let request = world.organization.create_requests.get_mut(id).ok_or_else(missing)?;
    if request.polls_left > 0 {
        request.polls_left -= 1;
    } else {
        finish(world, id, ask.now);
    }
    let request = world.organization.create_requests.get(id).ok_or_else(missing)?;
    Ok(json!({"CreateAccountStatus": status_json(request)}))
}

pub(super) fn list(world: &World, ask: &Ask) -> Answered {
    let wanted: Vec<&str> = ask.array("States").iter().filter_map(Value::as_str).collect();
    let statuses = world.organization.create_requests.values().map(status_json);
    let statuses = statuses.filter(|status| {
        wanted.is_empty()
            || status.get("State").and_then(Value::as_str).is_some_and(|state| wanted.contains(&state))
    });
    page(world, ask, ORGANIZATIONS, "CreateAccountStatuses", statuses).map(Value::Object)
}

/// Ends a creation; nothing happens to one that has ended.
pub(crate) fn finish(world: &mut World, id: &str, now: Timestamp) {
    let Some(request) = world.organization.create_requests.get(id) else { return };
    if request.completed_at.is_some() {
        return;
    }
    let CreateRequest { id, name, email, tags, role, .. } = request.clone();
    let taken = world.organization.members.values().any(|member| member.email.eq_ignore_ascii_case(&email));
    let outcome = if taken {
        event::account_created(world, &id, Err("EMAIL_ALREADY_EXISTS"), now);
        Err("EMAIL_ALREADY_EXISTS".to_owned())
    } else {
        Ok(world.born_of(&id, &name, &email, role.as_deref(), now))
    };
    if let (Ok(account), false) = (&outcome, tags.is_empty()) {
        world.organization.tags.insert(account.clone(), tags);
    }
    if let Some(request) = world.organization.create_requests.get_mut(&id) {
        request.completed_at = Some(now);
        match outcome {
            Ok(account) => request.account = Some(account),
            Err(reason) => request.failure = Some(reason),
        }
    }
}
