//! What ARM answers: a status, a body, and the headers that every answer carries.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::Full;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::request::Request;
use super::world::AzureSettings;
use crate::encode::Answer;
use crate::refusal::Refusal;
use crate::world::request_id;

/// An answer before it is encoded.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Good {
    pub(crate) status: u16,
    /// Null is no body.
    pub(crate) body: Value,
    pub(crate) headers: Vec<(&'static str, String)>,
}

pub(crate) type Answered = Result<Good, Refusal>;

impl Good {
    fn new(status: u16, body: Value) -> Self {
        Self { status, body, headers: Vec::new() }
    }

    pub(crate) fn ok(body: Value) -> Self {
        Self::new(200, body)
    }

    pub(crate) fn created(body: Value) -> Self {
        Self::new(201, body)
    }

    /// 201 for what was not there before, 200 for what was replaced.
    pub(crate) fn put(new: bool, body: Value) -> Self {
        Self::new(if new { 201 } else { 200 }, body)
    }

    pub(crate) fn accepted(body: Value) -> Self {
        Self::new(202, body)
    }

    pub(crate) fn no_content() -> Self {
        Self::new(204, Value::Null)
    }

    pub(crate) fn list(items: Vec<Value>) -> Self {
        Self::ok(json!({ "value": items }))
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// A refusal as ARM writes its codes: always with the status that it goes with.
pub(crate) fn refusal(status: u16, code: &str, message: impl Into<String>) -> Refusal {
    Refusal::new(code, message).status(status)
}

pub(crate) fn not_found(code: &str, message: impl Into<String>) -> Refusal {
    refusal(404, code, message)
}

pub(crate) fn bad(code: &str, message: impl Into<String>) -> Refusal {
    refusal(400, code, message)
}

pub(crate) fn conflict(code: &str, message: impl Into<String>) -> Refusal {
    refusal(409, code, message)
}

pub(crate) fn no_method(request: &Request) -> Refusal {
    let message = format!("The requested resource does not support http method '{}'.", request.method);
    refusal(405, "HttpMethodNotSupported", message)
}

/// The answer on the wire. `n` counts the calls, and the ids are made of it.
pub(crate) fn encode(
    answered: &Answered,
    request: Option<&Request>,
    settings: &AzureSettings,
    n: u64,
) -> Answer {
    let (status, body, mut headers) = match answered {
        Ok(good) => (good.status, good.body.clone(), good.headers.clone()),
        Err(refusal) => {
            let mut error: Map<String, Value> = refusal.members.clone();
            error.insert("code".to_owned(), json!(refusal.code));
            error.insert("message".to_owned(), json!(refusal.message));
            (refusal.status.unwrap_or(400), json!({ "error": error }), Vec::new())
        }
    };
    let region = settings.locations.first().map_or("westeurope", String::as_str);
    let id = request_id(n);
    let now = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    headers.push(("x-ms-routing-request-id", format!("{}:{now}:{id}", region.to_ascii_uppercase())));
    headers.push(("x-ms-correlation-request-id", id.clone()));
    headers.push(("x-ms-request-id", id));
    headers.push(("cache-control", "no-cache".to_owned()));
    headers.push(("x-content-type-options", "nosniff".to_owned()));
    if status == 401 {
        headers
            .push(("www-authenticate", "Bearer authorization_uri=\"https://login.windows.net/\"".to_owned()));
    }
    if status == 429 {
        headers.push(("retry-after", settings.retry_after.to_string()));
    }
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Some(request) = request {
        let (name, left) = remaining(request, settings, status == 429);
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(&left.to_string()))
        {
            answer.headers_mut().insert(name, value);
        }
    }
    if !body.is_null() && request.is_none_or(|request| request.method != http::Method::HEAD) {
        *answer.body_mut() = Full::new(Bytes::from(body.to_string()));
        headers.push(("content-type", "application/json; charset=utf-8".to_owned()));
    }
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
}

/// How many more calls of this sort there may be: counted for the subscription, or for the tenant above it.
///
/// <https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling>
fn remaining(request: &Request, settings: &AzureSettings, throttled: bool) -> (String, u32) {
    let [reads, writes, deletes] = settings.remaining;
    let (sort, left) = match request.method.as_str() {
        "GET" | "HEAD" => ("reads", reads),
        "DELETE" => ("deletes", deletes),
        _ => ("writes", writes),
    };
    let of = if request.scope.subscription().is_some() { "subscription" } else { "tenant" };
    (format!("x-ms-ratelimit-remaining-{of}-{sort}"), if throttled { 0 } else { left })
}
