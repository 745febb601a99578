//! What Google's APIs answer, and how their refusals read.

use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Operation;
use crate::error::CallError;

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
    #[serde(default)]
    reason: Option<String>,
}

#[derive(Deserialize)]
struct Older {
    #[serde(default)]
    reason: String,
}

impl Reply {
    /// Reads the answer.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, CallError> {
        serde_json::from_slice(&self.body).map_err(|error| self.unreadable(error))
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
            source: source.into(),
        }
    }

    /// Tells an answer from a refusal.
    pub(super) fn judge(self) -> Result<Reply, CallError> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        match serde_json::from_slice::<Refused>(&self.body) {
            Ok(Refused { error: Refusal { status, message, details, errors } }) => {
                let reason = details.into_iter().find_map(|detail| detail.reason);
                let reason = reason.or_else(|| errors.into_iter().next().map(|error| error.reason));
                let Reply { operation, status: number, request_id, after, .. } = self;
                Err(CallError::api(
                    operation,
                    number,
                    &status,
                    reason.as_deref(),
                    &message,
                    request_id,
                    after,
                ))
            }
            Err(error) => Err(self.unreadable(error)),
        }
    }
}
