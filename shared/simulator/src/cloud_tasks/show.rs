//! Answers as Cloud Tasks writes them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use jiff::Timestamp;
use serde_json::{Value, json};

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
    let mut request = json!({"url": task.target.url, "httpMethod": task.target.method});
    if !task.target.headers.is_empty() {
        request["headers"] = json!(task.target.headers);
    }
    if let Some(oidc) = &task.target.oidc {
        // What is asked for where nothing is said.
        let audience = oidc.audience.as_ref().unwrap_or(&task.target.url);
        request["oidcToken"] = json!({"serviceAccountEmail": oidc.email, "audience": audience});
    }
    if view == View::Full && !task.target.body.is_empty() {
        request["body"] = json!(STANDARD.encode(&task.target.body));
    }
    let mut shown = json!({
        "name": task.name,
        "httpRequest": request,
        "scheduleTime": time(task.scheduled),
        "createTime": task.created.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "dispatchDeadline": duration(task.deadline),
        "view": match view { View::Basic => "BASIC", View::Full => "FULL" },
    });
    // Google's JSON leaves zeros out.
    if task.dispatches > 0 {
        shown["dispatchCount"] = json!(task.dispatches);
    }
    if task.responses > 0 {
        shown["responseCount"] = json!(task.responses);
    }
    shown
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
