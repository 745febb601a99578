//! What can go wrong on the way to AWS, told apart by what a caller may do about it.

use std::error::Error;
use std::time::Duration;

pub(crate) use landfall_engine::tidy::tidy;
use landfall_model::catalog::ControlKind;

use crate::endpoint::{BadEndpoint, NotARegion};

/// The environment asks for something that we can't do. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("no region is set: give `AWS_REGION`, or `region` in the profile")]
    NoRegion,
    #[error("could not use the region of the environment")]
    Region(#[from] NotARegion),
    #[error("could not use the endpoint set for `{service}`")]
    Endpoint {
        service: &'static str,
        #[source]
        source: BadEndpoint,
    },
    /// Going on would quietly use other hosts than the ones that were asked for.
    #[error("`{0}` is set, and Landfall has no such endpoints")]
    NotHonoured(&'static str),
    #[error("`{0}` is not on this machine")]
    NotLoopback(String),
    #[error("no credentials provider is configured")]
    NoCredentials,
}

type Cause = Box<dyn Error + Send + Sync>;

/// Why a call has no answer that could be used.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The service understood and said no. Whether `code` means denied, absent or "come back later" is asked by the helpers
    /// below, or judged by the caller, who knows the operation.
    #[error("`{service}` answered `{operation}` with `{code}` ({status}): {message}")]
    Api {
        service: &'static str,
        operation: &'static str,
        status: u16,
        code: String,
        message: String,
        request_id: Option<String>,
    },
    /// Our own credentials can't be had: nothing can be done in any account.
    #[error("no credentials of our own")]
    NoCredentials {
        #[source]
        source: Cause,
    },
    /// The account does not let us in: not yet, while a new role spreads, or not at all.
    #[error("could not assume role `{role}` in account `{account}`: `{code}`: {message}")]
    AssumeRoleRefused {
        account: String,
        role: String,
        code: String,
        message: String,
        request_id: Option<String>,
    },
    #[error("`{service}` did not answer `{operation}` in time")]
    Timeout {
        service: &'static str,
        operation: &'static str,
        #[source]
        source: Cause,
    },
    /// The request could not be made or did not arrive.
    #[error("could not reach `{service}` for `{operation}`")]
    Unreachable {
        service: &'static str,
        operation: &'static str,
        #[source]
        source: Cause,
    },
    /// Something answered, but not what the service would say.
    #[error("could not read the answer of `{service}` to `{operation}` ({status})")]
    Unreadable {
        service: &'static str,
        operation: &'static str,
        status: u16,
        request_id: Option<String>,
        #[source]
        source: Cause,
    },
    /// The service's refusal means more than it says; the caller, who knows the operation, says what.
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

/// Why an answer is [`CallError::Unreadable`], where no parser said it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Misread {
    #[error("it is a web page")]
    WebPage,
    #[error("it names no error code")]
    NoCode,
    #[error("it names the same next page again")]
    SamePage,
    #[error("it has no `{0}`")]
    Missing(&'static str),
}

/// The credentials provider took too long.
#[derive(Debug, thiserror::Error)]
#[error("they did not come within {0:?}")]
pub(crate) struct TooLate(pub(crate) Duration);

impl CallError {
    /// The service's own name for what was wrong.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Api { code, .. } | Self::AssumeRoleRefused { code, .. } => Some(code),
            Self::Explained { source, .. } => source.code(),
            Self::NoCredentials { .. }
            | Self::Timeout { .. }
            | Self::Unreachable { .. }
            | Self::Unreadable { .. }
            | Self::NothingToWrite(_) => None,
        }
    }

    /// What AWS support asks for.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Api { request_id, .. }
            | Self::AssumeRoleRefused { request_id, .. }
            | Self::Unreadable { request_id, .. } => request_id.as_deref(),
            Self::Explained { source, .. } => source.request_id(),
            Self::NoCredentials { .. }
            | Self::Timeout { .. }
            | Self::Unreachable { .. }
            | Self::NothingToWrite(_) => None,
        }
    }

    /// We may not look. Judged by code and never by status: some services say "not enabled" with 401 or 403.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        match self {
            Self::Api { code, .. } => is_denial(code),
            Self::AssumeRoleRefused { .. } => true,
            Self::Explained { source, .. } => source.is_denied(),
            Self::NoCredentials { .. }
            | Self::Timeout { .. }
            | Self::Unreachable { .. }
            | Self::Unreadable { .. }
            | Self::NothingToWrite(_) => false,
        }
    }

    /// Still throttled after all attempts.
    #[must_use]
    pub fn is_throttled(&self) -> bool {
        match self {
            Self::Api { code, status, .. } => is_throttling(code) || *status == 429,
            Self::Unreadable { status, .. } => *status == 429,
            Self::Explained { source, .. } => source.is_throttled(),
            Self::AssumeRoleRefused { .. }
            | Self::NoCredentials { .. }
            | Self::Timeout { .. }
            | Self::Unreachable { .. }
            | Self::NothingToWrite(_) => false,
        }
    }

    /// What was asked for does not exist. Absent is not denied.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        match self {
            Self::Api { code, .. } => {
                code.starts_with("NoSuch")
                    || code.ends_with("NotFound")
                    || code.ends_with("NotFoundException")
            }
            Self::Explained { source, .. } => source.is_not_found(),
            Self::AssumeRoleRefused { .. }
            | Self::NoCredentials { .. }
            | Self::Timeout { .. }
            | Self::Unreachable { .. }
            | Self::Unreadable { .. }
            | Self::NothingToWrite(_) => false,
        }
    }

    /// The same call may well succeed a little later. (A new role that can't be assumed yet is not among these: the caller
    /// knows how new the account is.)
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Api { status, .. } => *status >= 500 || self.is_throttled(),
            Self::Unreadable { status, .. } => *status >= 500 || *status == 429,
            Self::Timeout { .. } | Self::Unreachable { .. } => true,
            Self::Explained { source, .. } => source.is_passing(),
            Self::AssumeRoleRefused { .. } | Self::NoCredentials { .. } | Self::NothingToWrite(_) => false,
        }
    }
}

/// The codes for "you may not", in the spelling of each protocol.
pub(crate) fn is_denial(code: &str) -> bool {
    matches!(
        code,
        "AccessDenied"
            | "AccessDeniedException"
            | "AccessDeniedForDependencyException"
            | "UnauthorizedOperation"
            | "AuthorizationError"
            | "AuthorizationErrorException"
            | "NotAuthorized"
            | "NotAuthorizedException"
            | "UnauthorizedException"
            | "ForbiddenException"
    )
}

/// The SDK's own list is what the retries go by; `LimitExceededException` is on it, but to a reader it means a full quota.
fn is_throttling(code: &str) -> bool {
    code != "LimitExceededException" && aws_runtime::retries::classifiers::THROTTLING_ERRORS.contains(&code)
}

/// The credentials were refused because they have run out, whatever their own date said.
pub(crate) fn is_expiry(code: &str) -> bool {
    matches!(code, "ExpiredToken" | "ExpiredTokenException" | "RequestExpired")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_is_not_denied_and_a_full_quota_is_not_throttling() {
        let api = |code: &str, status| CallError::Api {
            service: "s",
            operation: "o",
            status,
            code: code.to_owned(),
            message: String::new(),
            request_id: None,
        };
        assert!(api("AccessDeniedException", 400).is_denied());
        assert!(!api("InvalidAccessException", 401).is_denied());
        for absent in [
            "NoSuchEntity",
            "NoSuchPublicAccessBlockConfiguration",
            "InvalidVpcID.NotFound",
            "ResourceNotFoundException",
        ] {
            assert!(api(absent, 404).is_not_found(), "{absent}");
            assert!(!api(absent, 404).is_denied(), "{absent}");
        }
        assert!(api("TooManyRequestsException", 400).is_throttled());
        assert!(!api("LimitExceededException", 400).is_throttled());
    }
}
