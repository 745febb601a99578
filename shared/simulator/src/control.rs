//! The simulator's own door for other processes: everything under `/_landfall/`, never counted, logged or made to fail.

use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};

use crate::ask::member;
use crate::breakage::{self, Breakage};
use crate::encode::Answer;
use crate::fault::Faults;
use crate::shared::Shared;
use crate::wire::Wire;
use crate::world::Joined;

pub(crate) fn answer(shared: &Shared, wire: &Wire, path: &str) -> Answer {
    let body = || serde_json::from_slice::<Value>(&wire.body).unwrap_or_default();
    match (wire.method.as_str(), path) {
        ("GET", "calls") => good(&serde_json::to_value(shared.calls()).unwrap_or_default()),
        ("DELETE", "calls") => {
            shared.clear_calls();
            good(&json!({}))
        }
        ("GET", "events") => good(&Value::Array(shared.take_events())),
        ("GET", "world") => good(&shared.edit(|world| serde_json::to_value(world).unwrap_or_default())),
        ("POST", "faults") => match std::str::from_utf8(&wire.body).unwrap_or("?").trim().parse::<Faults>() {
            Ok(faults) => {
                let set = serde_json::to_value(&faults).unwrap_or_default();
                shared.set_faults(faults);
                good(&set)
            }
            Err(wrong) => bad(&wrong.to_string()),
        },
        ("POST", "settings") => settings(shared, &body()),
        ("POST", "accounts") => add_account(shared, &body()),
        ("POST", "break") => broken(shared, &body()),
        ("GET" | "POST" | "DELETE", _) => {
            reply(404, &json!({"error": format!("there is nothing at `/_landfall/{path}`")}))
        }
        _ => reply(405, &json!({"error": "only GET, POST and DELETE"})),
    }
}

/// Changes the settings that are named and leaves the others; answers all of them.
fn settings(shared: &Shared, body: &Value) -> Answer {
    shared.edit(|world| {
        let settings = &mut world.settings;
        for (name, value) in body.as_object().into_iter().flatten() {
            let count = value.as_u64().and_then(|count| u32::try_from(count).ok());
            let right = match (name.as_str(), value.as_bool(), count) {
                ("open", Some(flag), _) => store(&mut settings.open, flag),
                ("empty_pages", Some(flag), _) => store(&mut settings.empty_pages, flag),
                ("create_account_polls", _, Some(count)) => store(&mut settings.create_account_polls, count),
                ("assignment_polls", _, Some(count)) => store(&mut settings.assignment_polls, count),
                ("role_delay_seconds", _, Some(count)) => {
                    store(&mut settings.role_delay, Duration::from_secs(count.into()))
                }
                _ => false,
            };
            if !right {
                return bad(&format!(
                    "`{name}` must be one of open, empty_pages (true or false), create_account_polls, assignment_polls, role_delay_seconds (a count)"
                ));
            }
        }
        good(&serde_json::to_value(&world.settings).unwrap_or_default())
    })
}

fn store<T>(field: &mut T, value: T) -> bool {
    *field = value;
    true
}

/// A created account announces itself by an event, an invited one is just there.
fn add_account(shared: &Shared, body: &Value) -> Answer {
    let name = member(body, "name");
    if name.is_empty() {
        return bad("`name` is missing");
    }
    match member(body, "joined") {
        "" | "CREATED" => good(&json!({"id": shared.edit(|world| world.create_account(name))})),
        "INVITED" => good(&json!({"id": shared.edit(|world| world.add_account(name, Joined::Invited))})),
        _ => bad("`joined` must be CREATED or INVITED"),
    }
}

fn broken(shared: &Shared, body: &Value) -> Answer {
    let what = match member(body, "what").parse::<Breakage>() {
        Ok(what) => what,
        Err(wrong) => return bad(&wrong.to_string()),
    };
    let region = body.get("region").and_then(Value::as_str);
    match shared.edit(|world| breakage::perform(world, member(body, "account"), what, region)) {
        Ok(()) => good(&json!({"broken": member(body, "what")})),
        Err(wrong) => bad(&wrong.to_string()),
    }
}

fn good(value: &Value) -> Answer {
    reply(200, value)
}

fn bad(problem: &str) -> Answer {
    reply(400, &json!({ "error": problem }))
}

fn reply(status: u16, value: &Value) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(value.to_string())));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer.headers_mut().insert("content-type", http::HeaderValue::from_static("application/json"));
    answer
}
