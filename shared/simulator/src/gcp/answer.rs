//! What Google's APIs answer: one JSON object and 200, or the one shape of all refusals.
//!
//! <https://cloud.google.com/apis/design/errors>: `google.rpc.Status` in JSON, its code once as a number and once as a word.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use serde_json::{Map, Value, json};

use super::world::GcpSettings;
use crate::encode::Answer;
use crate::refusal::Refusal;
use crate::world::request_id;

/// What an operation answers; nothing is an empty object.
pub(crate) type Answered = Result<Value, Refusal>;

fn refusal(status: u16, code: &str, message: impl Into<String>) -> Refusal {
    Refusal::new(code, message).status(status)
}

pub(crate) fn bad(message: impl Into<String>) -> Refusal {
    refusal(400, "INVALID_ARGUMENT", message)
}

pub(crate) fn precondition(message: impl Into<String>) -> Refusal {
    refusal(400, "FAILED_PRECONDITION", message)
}

pub(crate) fn unauthenticated(message: impl Into<String>) -> Refusal {
    refusal(401, "UNAUTHENTICATED", message)
}

pub(crate) fn denied(message: impl Into<String>) -> Refusal {
    refusal(403, "PERMISSION_DENIED", message)
}

pub(crate) fn not_found(message: impl Into<String>) -> Refusal {
    refusal(404, "NOT_FOUND", message)
}

pub(crate) fn there_already(message: impl Into<String>) -> Refusal {
    refusal(409, "ALREADY_EXISTS", message)
}

/// Somebody was faster: read again and write again.
pub(crate) fn aborted(message: impl Into<String>) -> Refusal {
    refusal(409, "ABORTED", message)
}

pub(crate) fn exhausted(message: impl Into<String>) -> Refusal {
    refusal(429, "RESOURCE_EXHAUSTED", message)
}

pub(crate) fn unavailable() -> Refusal {
    refusal(503, "UNAVAILABLE", "The service is currently unavailable.")
}

/// With a `google.rpc.ErrorInfo` among the details, by which clients tell refusals of one code apart.
pub(crate) fn because(
    mut refusal: Refusal,
    reason: &str,
    domain: &str,
    metadata: &[(&str, &str)],
) -> Refusal {
    let metadata: Map<String, Value> =
        metadata.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let info = json!({
        "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": domain, "metadata": metadata,
    });
    detail(&mut refusal, info);
    refusal
}

/// One more of the details.
pub(crate) fn detail(refusal: &mut Refusal, info: Value) {
    let details = refusal.members.entry("details").or_insert_with(|| json!([]));
    if let Some(details) = details.as_array_mut() {
        details.push(info);
    }
}

/// `google.rpc.Status`, as operations carry it: the number is that of gRPC, not of HTTP.
///
/// <https://cloud.google.com/apis/design/errors#handling_errors>
pub(crate) fn status(refusal: &Refusal) -> Value {
    let number = match refusal.code.as_str() {
        "INVALID_ARGUMENT" => 3,
        "NOT_FOUND" => 5,
        "ALREADY_EXISTS" => 6,
        "PERMISSION_DENIED" => 7,
        "RESOURCE_EXHAUSTED" => 8,
        "FAILED_PRECONDITION" => 9,
        "ABORTED" => 10,
        "UNAVAILABLE" => 14,
        "UNAUTHENTICATED" => 16,
        _ => 2,
    };
    let mut status = refusal.members.clone();
    status.insert("code".to_owned(), json!(number));
    status.insert("message".to_owned(), json!(refusal.message));
    Value::Object(status)
}

/// The answer on the wire. `n` counts the calls, and the ids are made of it.
pub(crate) fn encode(answered: &Answered, service: &str, settings: &GcpSettings, n: u64) -> Answer {
    let (status, body) = match answered {
        Ok(Value::Null) => (200, json!({})),
        Ok(body) => (200, body.clone()),
        Err(refusal) => {
            let status = refusal.status.unwrap_or(400);
            let mut error = refusal.members.clone();
            error.insert("code".to_owned(), json!(status));
            error.insert("message".to_owned(), json!(refusal.message));
            error.insert("status".to_owned(), json!(refusal.code));
            if service == "compute" {
                // Compute's older form stands beside the new one: https://cloud.google.com/compute/docs/api/errors
                let reason = camel(&refusal.code);
                let older = json!([{"message": refusal.message, "domain": "global", "reason": reason}]);
                error.entry("errors").or_insert(older);
            }
            (status, json!({ "error": error }))
        }
    };
    let mut answer = Response::new(Full::new(Bytes::from(body.to_string())));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut headers = vec![
        ("content-type", "application/json; charset=UTF-8".to_owned()),
        ("cache-control", "private".to_owned()),
        ("server", "ESF".to_owned()),
        ("x-content-type-options", "nosniff".to_owned()),
        ("x-goog-request-id", request_id(n)),
    ];
    if status == 401 {
        headers.push(("www-authenticate", "Bearer realm=\"https://accounts.google.com/\"".to_owned()));
    }
    if let (429, Some(seconds)) = (status, settings.retry_after) {
        headers.push(("retry-after", seconds.to_string()));
    }
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
}

/// `NOT_FOUND` as `notFound`; Compute has words of its own for two.
fn camel(code: &str) -> String {
    match code {
        "PERMISSION_DENIED" => return "forbidden".to_owned(),
        "INVALID_ARGUMENT" => return "invalid".to_owned(),
        _ => {}
    }
    let mut words = code.split('_').map(str::to_ascii_lowercase);
    let first = words.next().unwrap_or_default();
    words.fold(first, |mut all, word| {
        all.push_str(word.get(..1).unwrap_or_default().to_ascii_uppercase().as_str());
        all.push_str(word.get(1..).unwrap_or_default());
        all
    })
}
