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
    #[error("could not use as credentials {means}")]
    NoCredentials {
        means: &'static str,
        #[source]
        source: google_cloud_auth::build_errors::Error,
    },
    #[error("`{text}` is not on this machine: `{variable}` takes an address like `http://127.0.0.1:8080`")]
    NotLoopback { variable: &'static str, text: String },
    #[error("`{0}` is not sent: its path does not stay where it begins")]
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
        /// How long `Retry-After` asks us to wait.
        after: Option<Duration>,
    },
    /// An operation that went on came to nothing. `status` is the canonical word, or Compute's own (`RESOURCE_NOT_READY`).
    #[error("`{operation}` failed later with {status}: {message}")]
    Operation { operation: Operation, status: String, message: String, request_id: Option<String> },
    /// An operation that went on is no longer known; a later look shows what came of it.
    #[error("`{operation}` went on as `{name}`, which Google Cloud no longer knows")]
    Vanished {
        operation: Operation,
        name: String,
        #[source]
        source: Box<CallError>,
    },
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
        /// How long `Retry-After` asks us to wait.
        after: Option<Duration>,
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

/// The parts of an answer that said no.
#[derive(Debug, Clone, Copy, Default)]
struct Said<'a> {
    number: Option<u16>,
    status: Option<&'a str>,
    reason: Option<&'a str>,
    request_id: Option<&'a str>,
}

impl CallError {
    /// As an operation that went on failed.
    pub(crate) fn operation(
        operation: Operation,
        status: &str,
        message: &str,
        request_id: Option<String>,
    ) -> Self {
        Self::Operation { operation, status: tidy(status), message: tidy(message), request_id }
    }

    /// What was answered, as far as anything was. An explained refusal says what it explains.
    fn said(&self) -> Said<'_> {
        match self {
            Self::Api { number, status, reason, request_id, .. } => Said {
                number: Some(*number),
                status: Some(status),
                reason: reason.as_deref(),
                request_id: request_id.as_deref(),
            },
            Self::Unreadable { status, request_id, .. } => {
                Said { number: Some(*status), request_id: request_id.as_deref(), ..Said::default() }
            }
            Self::Operation { status, request_id, .. } => {
                Said { status: Some(status), request_id: request_id.as_deref(), ..Said::default() }
            }
            Self::Explained { source, .. } => source.said(),
            Self::NoCredentials { .. }
            | Self::NoToken
            | Self::Config(_)
            | Self::Timeout { .. }
            | Self::Unreachable { .. }
            | Self::Vanished { .. }
            | Self::GoesOn { .. }
            | Self::NothingToWrite(_) => Said::default(),
        }
    }

    /// The answer's number.
    #[must_use]
    pub fn number(&self) -> Option<u16> {
        self.said().number
    }

    /// Google's canonical word for what was wrong: `NOT_FOUND`, `ABORTED`.
    #[must_use]
    pub fn status(&self) -> Option<&str> {
        self.said().status
    }

    /// What the API adds to the word: `SERVICE_DISABLED`.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.said().reason
    }

    /// What Google's support asks for.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.said().request_id
    }

    /// How long it asks us to wait.
    pub(crate) fn after(&self) -> Option<Duration> {
        match self {
            Self::Api { after, .. } | Self::Unreadable { after, .. } => *after,
            Self::Operation { .. }
            | Self::NoCredentials { .. }
            | Self::NoToken
            | Self::Config(_)
            | Self::Timeout { .. }
            | Self::Unreachable { .. }
            | Self::Vanished { .. }
            | Self::GoesOn { .. }
            | Self::Explained { .. }
            | Self::NothingToWrite(_) => None,
        }
    }

    /// Whether the same may be answered otherwise in a moment.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Api { number, .. } | Self::Unreadable { status: number, .. } => {
                matches!(number, 408 | 429 | 500 | 502 | 503 | 504) || self.is_too_many()
            }
            Self::Timeout { .. } | Self::Unreachable { .. } => true,
            Self::Operation { .. }
            | Self::NoCredentials { .. }
            | Self::NoToken
            | Self::Config(_)
            | Self::Vanished { .. }
            | Self::GoesOn { .. }
            | Self::Explained { .. }
            | Self::NothingToWrite(_) => false,
        }
    }

    /// Whether nothing can have come of it: nobody was reached, or who was reached did not begin.
    pub(crate) fn is_without_effect(&self) -> bool {
        match self {
            Self::Api { number, .. } => matches!(number, 429 | 503) || self.is_too_many(),
            Self::Unreachable { source, .. } => {
                source.downcast_ref::<reqwest::Error>().is_some_and(reqwest::Error::is_connect)
            }
            // A gateway's page says nothing of what stands behind it.
            Self::Unreadable { .. }
            | Self::Timeout { .. }
            | Self::Operation { .. }
            | Self::NoCredentials { .. }
            | Self::NoToken
            | Self::Config(_)
            | Self::Vanished { .. }
            | Self::GoesOn { .. }
            | Self::Explained { .. }
            | Self::NothingToWrite(_) => false,
        }
    }

    /// Too many calls, by a refusal that reads like one for want of rights.
    fn is_too_many(&self) -> bool {
        self.number() == Some(403)
            && matches!(
                self.reason(),
                Some("rateLimitExceeded" | "userRateLimitExceeded" | "RATE_LIMIT_EXCEEDED")
            )
    }

    /// What was asked for does not exist, in the API's own words: a page that says 404 may be anybody's. Google refuses what may not be
    /// seen by 403 as well, which is not absent.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.refused_with().is_some_and(|number| number == 404)
    }

    /// We may not, in the API's own words.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        self.refused_with().is_some_and(|number| matches!(number, 401 | 403)) && !self.is_too_many()
    }

    /// The number of a refusal of the API's own.
    fn refused_with(&self) -> Option<u16> {
        if matches!(self, Self::Unreadable { .. }) { None } else { self.number() }
    }

    /// Somebody else wrote meanwhile: what was read has to be read again (an etag or a fingerprint that is old).
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        let changed = matches!(self.refused_with(), Some(409 | 412)) || self.status() == Some("ABORTED");
        changed && !self.is_there_already()
    }

    /// What was to be made is there already.
    #[must_use]
    pub fn is_there_already(&self) -> bool {
        // Compute's word is the second.
        self.status() == Some("ALREADY_EXISTS") || self.reason() == Some("alreadyExists")
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
