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
use crate::server::Cloud;
use crate::wire::Wire;
use crate::world::{Joined, World};

/// What the door says: something, or what was wrong with the question.
pub(crate) type Told = Result<Value, String>;

pub(crate) fn answer<C: Cloud>(cloud: &C, wire: &Wire, path: &str) -> Answer {
    let told = match (wire.method.as_str(), path) {
        ("GET", "calls") => Some(Ok(serde_json::to_value(cloud.calls()).unwrap_or_default())),
        ("DELETE", "calls") => {
            cloud.clear_calls();
            Some(Ok(json!({})))
        }
        ("GET", "events") => Some(Ok(Value::Array(cloud.take_events()))),
        ("POST", "faults") => Some(faults(cloud, std::str::from_utf8(&wire.body).unwrap_or("?"))),
        (method @ ("GET" | "POST" | "DELETE"), _) => {
            cloud.control(method, path, &serde_json::from_slice(&wire.body).unwrap_or_default())
        }
        _ => return reply(405, &json!({"error": "only GET, POST and DELETE"})),
    };
    match told {
        Some(Ok(value)) => reply(200, &value),
        Some(Err(problem)) => reply(400, &json!({ "error": problem })),
        None => reply(404, &json!({"error": format!("there is nothing at `/_landfall/{path}`")})),
    }
}

fn faults<C: Cloud>(cloud: &C, text: &str) -> Told {
    let faults = text.trim().parse::<Faults>().map_err(|wrong| wrong.to_string())?;
    let set = serde_json::to_value(&faults).unwrap_or_default();
    cloud.set_faults(faults);
    Ok(set)
}

/// What only AWS has.
pub(crate) fn aws(world: &mut World, method: &str, path: &str, body: &Value) -> Option<Told> {
    Some(match (method, path) {
        ("GET", "world") => Ok(serde_json::to_value(world).unwrap_or_default()),
        ("POST", "settings") => settings(world, body),
        ("POST", "accounts") => add_account(world, body),
        ("POST", "break") => broken(world, body),
        _ => return None,
    })
}

/// Changes the settings that are named and leaves the others; answers all of them.
fn settings(world: &mut World, body: &Value) -> Told {
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
            return Err(format!(
                "`{name}` must be one of open, empty_pages (true or false), create_account_polls, assignment_polls, role_delay_seconds (a count)"
            ));
        }
    }
    Ok(serde_json::to_value(settings).unwrap_or_default())
}

pub(crate) fn store<T>(field: &mut T, value: T) -> bool {
    *field = value;
    true
}

/// A created account announces itself by an event, an invited one is just there.
fn add_account(world: &mut World, body: &Value) -> Told {
    let name = member(body, "name");
    if name.is_empty() {
        return Err("`name` is missing".to_owned());
    }
    match member(body, "joined") {
        "" | "CREATED" => Ok(json!({"id": world.create_account(name)})),
        "INVITED" => Ok(json!({"id": world.add_account(name, Joined::Invited)})),
        _ => Err("`joined` must be CREATED or INVITED".to_owned()),
    }
}

fn broken(world: &mut World, body: &Value) -> Told {
    let what = member(body, "what").parse::<Breakage>().map_err(|wrong| wrong.to_string())?;
    let region = body.get("region").and_then(Value::as_str);
    breakage::perform(world, member(body, "account"), what, region).map_err(|wrong| wrong.to_string())?;
    Ok(json!({"broken": member(body, "what")}))
}

fn reply(status: u16, value: &Value) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(value.to_string())));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer.headers_mut().insert("content-type", http::HeaderValue::from_static("application/json"));
    answer
}
