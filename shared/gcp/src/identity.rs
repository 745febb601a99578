//! Whom we act as: one service account that can only look, and one that can write.
//!
//! The process has an identity of its own (the service account it runs as, or whoever signed in at this desk) and impersonates the two
//! that the manifest names. Where it names none, everything is done as the process's own.

use google_cloud_auth::credentials::{Builder, Credentials, impersonated};

use crate::error::ConfigError;

/// What every token is for; what it may do is said by roles.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// One of the identities that the manifest names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Who {
    /// The process's own: its store and its queue.
    Own,
    /// The one that can only look.
    Read(Option<String>),
    /// The one that can write.
    Write(Option<String>),
}

/// How we prove who we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Means {
    /// Application Default Credentials: the environment's file, `gcloud auth application-default login`, or the metadata server.
    Default,
    /// Nobody asks: Google's APIs are a simulator on this machine.
    Pretend,
}

impl Means {
    /// For people.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Means::Default => "Application Default Credentials",
            Means::Pretend => "none: Google's APIs are on this machine",
        }
    }

    pub(crate) fn credentials(self, who: &Who) -> Result<Result<Credentials, &'static str>, ConfigError> {
        if self == Means::Pretend {
            return Ok(Err(match who {
                Who::Own => "landfall-own",
                Who::Read(_) => "landfall-read",
                Who::Write(_) => "landfall-write",
            }));
        }
        let failed = |source| ConfigError::NoCredentials { source };
        let own = Builder::default().with_scopes([SCOPE]).build().map_err(failed)?;
        let account = match who {
            Who::Own => None,
            Who::Read(account) | Who::Write(account) => account.as_deref(),
        };
        match account {
            None => Ok(Ok(own)),
            Some(account) => impersonated::Builder::from_source_credentials(own)
                .with_target_principal(account)
                .with_scopes([SCOPE])
                .build()
                .map(Ok)
                .map_err(failed),
        }
    }
}
