//! What Resource Manager answers, and how its refusals read.

use azure_core::http::headers::{HeaderName, Headers};
use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Operation, Verb};
use crate::error::CallError;

/// An answer that is no refusal.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) operation: Operation,
    pub(crate) status: u16,
    /// Resource Manager's number of the request, for its support.
    pub(crate) request_id: Option<String>,
    pub(crate) body: Bytes,
}

/// The one shape of all refusals: <https://github.com/microsoft/api-guidelines>, "Error condition responses", as ARM follows it.
#[derive(Deserialize)]
struct Refused {
    error: Refusal,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
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

    /// It is an answer, but not what Resource Manager would say.
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
    pub(crate) fn judge(self) -> Result<Reply, CallError> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        match serde_json::from_slice::<Refused>(&self.body) {
            Ok(Refused { error: Refusal { code, message } }) if !code.is_empty() => {
                Err(CallError::api(self.operation, self.status, &code, &message, self.request_id))
            }
            // A 404 of a HEAD or of a proxy has no words; its number says enough.
            _ if self.body.is_empty() => {
                let code = format!("Http{}", self.status);
                Err(CallError::api(self.operation, self.status, &code, "without a word", self.request_id))
            }
            Ok(_) => Err(self.unreadable("it names no error code")),
            Err(error) => Err(self.unreadable(error)),
        }
    }
}

/// A header's text.
pub(super) fn header(headers: &Headers, name: &'static str) -> Option<String> {
    headers.get_optional_str(&HeaderName::from_static(name)).map(str::to_owned)
}

/// The least of the quotas that the answer says are left, for reading or for writing.
/// <https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling>, "Remaining requests".
pub(super) fn remaining(headers: &Headers, verb: Verb) -> Option<u32> {
    let kind = match verb {
        Verb::Get => "reads",
        Verb::Put | Verb::Patch | Verb::Post => "writes",
        Verb::Delete => "deletes",
    };
    headers
        .iter()
        .filter(|(name, _)| {
            name.as_str().strip_prefix("x-ms-ratelimit-remaining-").is_some_and(|rest| rest.ends_with(kind))
        })
        .filter_map(|(_, value)| value.as_str().parse().ok())
        .min()
}
