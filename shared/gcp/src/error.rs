//! What can go wrong on the way to Google Cloud, told apart by what a caller may do about it.

use std::error::Error;
use std::time::Duration;

use landfall_engine::control::chain;
pub(crate) use landfall_engine::tidy::tidy;
use landfall_model::catalog::ControlKind;
use landfall_model::observed::Seen;

use crate::client::Operation;

/// The environment asks for something that we can't do. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("could not use the Application Default Credentials as an identity")]
    NoCredentials {
        #[source]
        source: google_cloud_auth::build_errors::Error,
    },
    #[error("`{text}` is not on this machine: `{variable}` takes an address like `http://127.0.0.1:8080`")]
    NotLoopback { variable: &'static str, text: String },
    #[error("there is no address for `{0}`")]
    NotAnAddress(String),
    #[error("could not make a connection pool")]
    Http {
        #[source]
        source: reqwest::Error,
    },
}

type Cause = Box<dyn Error + Send + Sync>;

/// Why a call has no answer that could be used.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Google understood and said no. `status` is the canonical word (`PERMISSION_DENIED`), `reason` what the API adds to it
    /// (`SERVICE_DISABLED`).
    #[error("Google Cloud answered `{operation}` with {status} ({number}): {message}")]
    Api {
        operation: Operation,
        number: u16,
        status: String,
        reason: Option<String>,
        message: String,
        request_id: Option<String>,
        /// `Retry-After`, where it said so in seconds.
        after: Option<Duration>,
    },
    /// An operation that went on came to nothing.
    #[error("`{operation}` failed later ({code}): {message}")]
    Operation { operation: Operation, code: i32, message: String, request_id: Option<String> },
    /// Our own credentials can't be had: nothing can be done anywhere.
    #[error("no credentials of our own")]
    NoCredentials {
        #[source]
        source: Cause,
    },
    /// The credentials gave no token although none was kept.
    #[error("no token of our own")]
    NoToken,
    #[error("could not use the credentials")]
    Config(#[from] ConfigError),
    #[error("Google Cloud did not answer `{operation}` in time")]
    Timeout {
        operation: Operation,
        #[source]
        source: Cause,
    },
    /// The request could not be made or did not arrive.
    #[error("could not reach Google Cloud for `{operation}`")]
    Unreachable {
        operation: Operation,
        #[source]
        source: Cause,
    },
    /// Something answered, but not what Google would say.
    #[error("could not read the answer to `{operation}` ({status})")]
    Unreadable {
        operation: Operation,
        status: u16,
        request_id: Option<String>,
        #[source]
        source: Cause,
    },
    /// It was accepted and is not over yet; a later look shows what came of it.
    #[error("`{operation}` still goes on after {limit:?}")]
    GoesOn { operation: Operation, limit: Duration },
    /// The refusal means more than it says; the caller, who knows the operation, says what.
    #[error("{why}")]
    Explained {
        why: String,
        #[source]
        source: Box<CallError>,
    },
    /// The control only looks. Nothing was sent.
    #[error("`{0}` has nothing that could be written")]
    NothingToWrite(ControlKind),
}

impl CallError {
    /// As Google refuses, in words that are fit to be shown.
    pub(crate) fn api(
        operation: Operation,
        number: u16,
        status: &str,
        reason: Option<&str>,
        message: &str,
        request_id: Option<String>,
        after: Option<String>,
    ) -> Self {
        let after = after.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
        let reason = reason.map(tidy);
        Self::Api {
            operation,
            number,
            status: tidy(status),
            reason,
            message: tidy(message),
            request_id,
            after,
        }
    }

    /// As an operation that went on failed.
    pub(crate) fn operation(
        operation: Operation,
        code: i32,
        message: &str,
        request_id: Option<String>,
    ) -> Self {
        Self::Operation { operation, code, message: tidy(message), request_id }
    }

    /// The answer's number.
    #[must_use]
    pub fn number(&self) -> Option<u16> {
        match self {
            Self::Api { number, .. } => Some(*number),
            Self::Unreadable { status, .. } => Some(*status),
            Self::Explained { source, .. } => source.number(),
            Self::Operation { .. }
            | Self::NoCredentials { .. }
            | Self::NoToken
            | Self::Config(_)
            | Self::Timeout { .. }
            | Self::Unreachable { .. }
            | Self::GoesOn { .. }
            | Self::NothingToWrite(_) => None,
        }
    }

    /// Google's canonical word for what was wrong: `NOT_FOUND`, `ABORTED`.
    #[must_use]
    pub fn status(&self) -> Option<&str> {
        match self {
            Self::Api { status, .. } => Some(status),
            Self::Explained { source, .. } => source.status(),
            Self::Operation { .. }
            | Self::Unreadable { .. }
            | Self::NoCredentials { .. }
            | Self::NoToken
            | Self::Config(_)
            | Self::Timeout { .. }
            | Self::Unreachable { .. }
            | Self::GoesOn { .. }
            | Self::NothingToWrite(_) => None,
        }
    }

    /// What the API adds to the word: `SERVICE_DISABLED`.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Api { reason, .. } => reason.as_deref(),
            Self::Explained { source, .. } => source.reason(),
            Self::Operation { .. }
            | Self::Unreadable { .. }
            | Self::NoCredentials { .. }
            | Self::NoToken
            | Self::Config(_)
            | Self::Timeout { .. }
            | Self::Unreachable { .. }
            | Self::GoesOn { .. }
            | Self::NothingToWrite(_) => None,
        }
    }

    /// What Google's support asks for.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Api { request_id, .. }
            | Self::Unreadable { request_id, .. }
            | Self::Operation { request_id, .. } => request_id.as_deref(),
            Self::Explained { source, .. } => source.request_id(),
            Self::NoCredentials { .. }
            | Self::NoToken
            | Self::Config(_)
            | Self::Timeout { .. }
            | Self::Unreachable { .. }
            | Self::GoesOn { .. }
            | Self::NothingToWrite(_) => None,
        }
    }

    /// How long it asks us to wait.
    pub(crate) fn after(&self) -> Option<Duration> {
        if let Self::Api { after, .. } = self { *after } else { None }
    }

    /// Whether the same may be answered otherwise in a moment.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Api { number, .. } | Self::Unreadable { status: number, .. } => {
                matches!(number, 408 | 429 | 500 | 502 | 503 | 504)
            }
            Self::Timeout { .. } | Self::Unreachable { .. } => true,
            Self::Operation { .. }
            | Self::NoCredentials { .. }
            | Self::NoToken
            | Self::Config(_)
            | Self::GoesOn { .. }
            | Self::Explained { .. }
            | Self::NothingToWrite(_) => false,
        }
    }

    /// What was asked for does not exist. Google refuses what may not be seen by 403 as well, which is not absent.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.number() == Some(404)
    }

    /// We may not.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        matches!(self.number(), Some(401 | 403))
    }

    /// Somebody else wrote meanwhile: what was read has to be read again (an etag that is old).
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        matches!(self.number(), Some(409 | 412)) && self.status() != Some("ALREADY_EXISTS")
    }

    /// What was to be made is there already.
    #[must_use]
    pub fn is_there_already(&self) -> bool {
        self.status() == Some("ALREADY_EXISTS")
    }

    /// The API is not enabled in the project that is asked, or in the one that calls.
    #[must_use]
    pub fn is_service_disabled(&self) -> bool {
        self.reason() == Some("SERVICE_DISABLED") || self.reason() == Some("accessNotConfigured")
    }

    /// With what it means here.
    #[must_use]
    pub(crate) fn explained(self, why: impl Into<String>) -> Self {
        Self::Explained { why: why.into(), source: Box::new(self) }
    }
}

impl From<CallError> for Seen {
    /// No answer, or a refusal, means that we could not look; it is never taken for "nothing there".
    fn from(error: CallError) -> Self {
        Seen::Unreadable(chain(&error))
    }
}
