//! What can go wrong on the way to Azure, told apart by what a caller may do about it.

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
    #[error(
        "`{0}` is no authority of a cloud that Landfall knows: give `AZURE_AUTHORITY_HOST` as for the Azure SDKs"
    )]
    Authority(String),
    #[error(
        "`AZURE_TOKEN_CREDENTIALS` is `{0}`: expected ManagedIdentityCredential, WorkloadIdentityCredential, AzureCliCredential, dev or prod"
    )]
    Credentials(String),
    #[error("could not use {means} as credentials")]
    NoCredentials {
        means: &'static str,
        #[source]
        source: azure_core::Error,
    },
    #[error("`{text}` is not on this machine: `{variable}` takes an address like `http://127.0.0.1:8080`")]
    NotLoopback { variable: &'static str, text: String },
    #[error("the address of Resource Manager can't be used")]
    NotAnEndpoint,
    #[error("could not make a connection pool")]
    Http {
        #[source]
        source: reqwest::Error,
    },
}

type Cause = Box<dyn Error + Send + Sync>;

/// What a refusal for want of rights may mean besides:
/// <https://learn.microsoft.com/azure/role-based-access-control/troubleshooting>, "Role assignment changes are not being detected".
#[derive(Debug, thiserror::Error)]
#[error(
    "the right is missing, or Azure does not show it yet: one that was just given takes up to 30 minutes"
)]
pub struct NoRight;

/// Why a call has no answer that could be used.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Resource Manager understood and said no. Whether `code` means denied, absent or "come back later" is asked by the helpers
    /// below, or judged by the caller, who knows the operation.
    #[error("Resource Manager answered `{operation}` with `{code}` ({status}): {message}")]
    Api {
        operation: Operation,
        status: u16,
        code: String,
        message: String,
        request_id: Option<String>,
        #[source]
        right: Option<NoRight>,
    },
    /// Our own credentials can't be had: nothing can be done anywhere.
    #[error("no credentials of our own")]
    NoCredentials {
        #[source]
        source: Cause,
    },
    #[error("could not use the credentials")]
    Config(#[from] ConfigError),
    #[error("Resource Manager did not answer `{operation}` in time")]
    Timeout {
        operation: Operation,
        #[source]
        source: Cause,
    },
    /// The request could not be made or did not arrive.
    #[error("could not reach Resource Manager for `{operation}`")]
    Unreachable {
        operation: Operation,
        #[source]
        source: Cause,
    },
    /// Something answered, but not what Resource Manager would say.
    #[error("could not read the answer to `{operation}` ({status})")]
    Unreadable {
        operation: Operation,
        status: u16,
        request_id: Option<String>,
        #[source]
        source: Cause,
    },
    /// An answer names an address that is not Resource Manager's own; our token is not sent there.
    #[error("the answer to `{operation}` points to `{host}`, which is not Resource Manager")]
    ForeignLink { operation: Operation, host: String },
    /// It was accepted and is not over yet; a later look shows what came of it.
    #[error("`{operation}` still goes on after {limit:?}")]
    GoesOn { operation: Operation, limit: Duration },
    /// Resource Manager refuses what is asked of a management group that does not exist, as if it were somebody else's:
    /// <https://github.com/Azure/azure-rest-api-specs/issues/9549>. The directory's list, which we can read, does not have it.
    #[error("the directory has no management group `{group}`")]
    NoGroup {
        group: String,
        #[source]
        source: Box<CallError>,
    },
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
    status: Option<u16>,
    code: Option<&'a str>,
    request_id: Option<&'a str>,
}

impl CallError {
    /// As Resource Manager refuses, in words that are fit to be shown.
    pub(crate) fn api(
        operation: Operation,
        status: u16,
        code: &str,
        message: &str,
        request_id: Option<String>,
    ) -> Self {
        let right = (code == "AuthorizationFailed").then_some(NoRight);
        Self::Api { operation, status, code: tidy(code), message: tidy(message), request_id, right }
    }

    /// What was answered, as far as anything was. An explained refusal says what it explains.
    fn said(&self) -> Said<'_> {
        match self {
            Self::Api { status, code, request_id, .. } => {
                Said { status: Some(*status), code: Some(code), request_id: request_id.as_deref() }
            }
            Self::Unreadable { status, request_id, .. } => {
                Said { status: Some(*status), code: None, request_id: request_id.as_deref() }
            }
            Self::Explained { source, .. } | Self::NoGroup { source, .. } => source.said(),
            Self::NoCredentials { .. }
            | Self::Config(_)
            | Self::Timeout { .. }
            | Self::Unreachable { .. }
            | Self::ForeignLink { .. }
            | Self::GoesOn { .. }
            | Self::NothingToWrite(_) => Said::default(),
        }
    }

    /// Resource Manager's own name for what was wrong.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.said().code
    }

    /// The answer's number.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.said().status
    }

    /// What Azure's support asks for.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.said().request_id
    }

    /// What was asked for does not exist: Resource Manager says so by 404 and a code of its own. A management group that we may
    /// not see is refused, not absent.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        match self {
            Self::Api { status, .. } => *status == 404,
            Self::NoGroup { .. } => true,
            Self::Explained { source, .. } => source.is_not_found(),
            Self::NoCredentials { .. }
            | Self::Config(_)
            | Self::Timeout { .. }
            | Self::Unreachable { .. }
            | Self::Unreadable { .. }
            | Self::ForeignLink { .. }
            | Self::GoesOn { .. }
            | Self::NothingToWrite(_) => false,
        }
    }

    /// We may not.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        !self.is_not_found() && matches!(self.status(), Some(401 | 403))
    }

    /// With what it means here.
    #[must_use]
    pub(crate) fn explained(self, why: impl Into<String>) -> Self {
        Self::Explained { why: why.into(), source: Box::new(self) }
    }
}

#[cfg(test)]
impl CallError {
    /// As Resource Manager refuses a write.
    pub(crate) fn refused(status: u16, code: &str, message: &str) -> Self {
        let operation = Operation { verb: crate::client::Verb::Put, path: "/x".to_owned() };
        Self::api(operation, status, code, message, None)
    }
}

impl From<CallError> for Seen {
    /// No answer, or a refusal, means that we could not look; it is never taken for "nothing there".
    fn from(error: CallError) -> Self {
        Seen::Unreadable(chain(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_that_is_missing_may_be_one_that_does_not_show_yet() {
        let hint = "the right is missing, or Azure does not show it yet";
        let table = [
            (403, "AuthorizationFailed", true),
            (403, "RequestDisallowedByPolicy", false),
            (409, "ScopeLocked", false),
        ];
        for (status, code, expected) in table {
            let error = CallError::refused(status, code, "no");
            assert!(error.to_string().ends_with(&format!("with `{code}` ({status}): no")), "{error}");
            assert_eq!(chain(&error).contains(hint), expected, "{code}");
            let explained = CallError::refused(status, code, "no").explained("more");
            let Seen::Unreadable(why) = Seen::from(explained) else { panic!() };
            assert_eq!(why.contains(hint), expected, "{why}");
        }
    }
}
