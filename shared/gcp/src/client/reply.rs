//! What Google's APIs answer, and how their refusals read.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Operation;
use crate::error::{CallError, tidy};

/// An answer that is no refusal.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) operation: Operation,
    pub(crate) status: u16,
    /// Google's number of the request, where it gives one.
    pub(crate) request_id: Option<String>,
    /// `Retry-After`, as it was said.
    pub(crate) after: Option<String>,
    pub(crate) body: Bytes,
}

/// The one shape of all refusals: <https://cloud.google.com/apis/design/errors>, `google.rpc.Status` in JSON.
#[derive(Deserialize)]
struct Refused {
    error: Refusal,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    status: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    details: Vec<Detail>,
    /// Compute's older form.
    #[serde(default)]
    errors: Vec<Older>,
}

/// `google.rpc.ErrorInfo` among the details.
#[derive(Deserialize)]
struct Detail {
    #[serde(rename = "@type", default)]
    kind: String,
    #[serde(default)]
    reason: Option<Value>,
}

#[derive(Deserialize)]
struct Older {
    #[serde(default)]
    reason: String,
}

/// What stands where the API's own words should.
#[derive(Debug, thiserror::Error)]
enum NotTheApi {
    #[error("there is no answer in it")]
    Nothing,
    #[error(
        "it is a page for people and not the API's answer: either there is no such method, or something on the way answered instead"
    )]
    Page,
    #[error("it is not the API's answer")]
    Other(#[source] serde_json::Error),
}

impl Reply {
    /// Reads the answer.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, CallError> {
        serde_json::from_slice(&self.body).map_err(|error| self.unreadable(self.instead(error)))
    }

    /// The answer as it is; an empty one is nothing.
    pub(crate) fn value(&self) -> Result<Value, CallError> {
        if self.body.is_empty() { Ok(Value::Null) } else { self.json() }
    }

    /// It is an answer, but not what Google would say.
    pub(crate) fn unreadable(
        &self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> CallError {
        CallError::Unreadable {
            operation: self.operation.clone(),
            status: self.status,
            request_id: self.request_id.clone(),
            after: self.wait(),
            source: source.into(),
        }
    }

    fn instead(&self, error: serde_json::Error) -> NotTheApi {
        let text = self.body.trim_ascii_start();
        if text.is_empty() {
            NotTheApi::Nothing
        } else if text.starts_with(b"<") {
            NotTheApi::Page
        } else {
            NotTheApi::Other(error)
        }
    }

    fn wait(&self) -> Option<Duration> {
        self.after.as_deref().and_then(after)
    }

    /// Tells an answer from a refusal.
    pub(super) fn judge(self) -> Result<Reply, CallError> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        match serde_json::from_slice::<Refused>(&self.body) {
            Ok(Refused { error: Refusal { status, message, details, errors } }) => {
                let info = details.into_iter().find(|detail| detail.kind.ends_with("google.rpc.ErrorInfo"));
                let reason = info.and_then(|info| info.reason?.as_str().map(tidy));
                let reason = reason.or_else(|| errors.first().map(|error| tidy(&error.reason)));
                let status = if status.is_empty() { word_of(self.status) } else { &status };
                Err(CallError::Api {
                    after: self.wait(),
                    number: self.status,
                    status: tidy(status),
                    reason,
                    message: tidy(&message),
                    operation: self.operation,
                    request_id: self.request_id,
                })
            }
            Err(error) => Err(self.unreadable(self.instead(error))),
        }
    }
}

/// The canonical words of `google.rpc.Code`, by their numbers.
const WORDS: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// The word of a code; of one that Google has not made yet, the code.
pub(super) fn word(code: i64) -> String {
    let known = usize::try_from(code).ok().and_then(|code| WORDS.get(code));
    known.map_or_else(|| format!("code {code}"), |word| (*word).to_owned())
}

/// The word of a refusal that says none, as Compute's do.
const fn word_of(status: u16) -> &'static str {
    match status {
        400 => "INVALID_ARGUMENT",
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        429 => "RESOURCE_EXHAUSTED",
        503 => "UNAVAILABLE",
        500..=599 => "INTERNAL",
        _ => "UNKNOWN",
    }
}

/// `Retry-After`: seconds, or a moment (<https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3>).
fn after(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let moment = jiff::fmt::rfc2822::parse(text.trim()).ok()?.timestamp();
    Some(Duration::try_from(moment.duration_since(Timestamp::now())).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_seconds_or_a_moment() {
        assert_eq!(after("17"), Some(Duration::from_secs(17)));
        assert_eq!(after("Fri, 01 Jan 2021 00:00:10 GMT"), Some(Duration::ZERO));
        assert!(after("Mon, 01 Jan 2125 00:00:10 GMT").unwrap() > Duration::from_secs(3600));
        assert_eq!(after("soon"), None);
        assert_eq!(after("-1"), None);
    }

    #[test]
    fn codes_have_words() {
        assert_eq!(
            (word(6), word(16), word(99)),
            ("ALREADY_EXISTS".into(), "UNAUTHENTICATED".into(), "code 99".into())
        );
        assert_eq!(word(-1), "code -1");
    }
}
