//! Answers as Cloud Tasks writes them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::queues::{Refused, Task};
use super::retry::{Retry, duration};
use crate::encode::Answer;

/// How much of a task is told: what was sent along only in the full view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    Basic,
    Full,
}

pub(super) fn queue(name: &str, paused: bool, retry: &Retry, concurrent: u32) -> Value {
    json!({
        "name": name,
        "state": if paused { "PAUSED" } else { "RUNNING" },
        "rateLimits": {
            "maxDispatchesPerSecond": 500, "maxBurstSize": 100, "maxConcurrentDispatches": concurrent,
        },
        "retryConfig": retry.shown(),
    })
}

pub(super) fn task(task: &Task, view: View) -> Value {
    let mut request = Map::new();
    request.insert("url".to_owned(), json!(task.target.url));
    request.insert("httpMethod".to_owned(), json!(task.target.method));
    if !task.target.headers.is_empty() {
        request.insert("headers".to_owned(), json!(task.target.headers));
    }
    if let Some(oidc) = &task.target.oidc {
        // What is asked for where nothing is said.
        let audience = oidc.audience.as_ref().unwrap_or(&task.target.url);
        let token = json!({"serviceAccountEmail": oidc.email, "audience": audience});
        request.insert("oidcToken".to_owned(), token);
    }
    if view == View::Full && !task.target.body.is_empty() {
        request.insert("body".to_owned(), json!(STANDARD.encode(&task.target.body)));
    }
    let mut shown = Map::new();
    shown.insert("name".to_owned(), json!(task.name));
    shown.insert("httpRequest".to_owned(), Value::Object(request));
    shown.insert("scheduleTime".to_owned(), json!(time(task.scheduled)));
    let created = task.created.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    shown.insert("createTime".to_owned(), json!(created));
    shown.insert("dispatchDeadline".to_owned(), json!(duration(task.deadline)));
    // Google's JSON leaves zeros out.
    for (name, count) in [("dispatchCount", task.dispatches), ("responseCount", task.responses)] {
        if count > 0 {
            shown.insert(name.to_owned(), json!(count));
        }
    }
    let view = match view {
        View::Basic => "BASIC",
        View::Full => "FULL",
    };
    shown.insert("view".to_owned(), json!(view));
    Value::Object(shown)
}

pub(super) fn answer(answered: &Result<Value, Refused>) -> Answer {
    let (status, body) = match answered {
        Ok(value) => (200, value.clone()),
        Err(Refused { code, status, message }) => {
            (*code, json!({"error": {"code": code, "message": message, "status": status}}))
        }
    };
    let mut answer = Response::new(Full::new(Bytes::from(body.to_string())));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer.headers_mut().insert("content-type", HeaderValue::from_static("application/json; charset=UTF-8"));
    answer
}

fn time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}
