//! Whom we act as: one identity that can only look, and one that can write.
//!
//! Which means of identification is used is said by the environment and never guessed by trying one after the other: a token of
//! the wrong identity would work, and be wrong.

use std::sync::Arc;

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, Secret, TokenCredential, TokenRequestOptions};
use azure_identity::{
    DeveloperToolsCredential, ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId,
    WorkloadIdentityCredential, WorkloadIdentityCredentialOptions,
};

use crate::endpoint::Cloud;
use crate::error::{ConfigError, tidy};

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

impl Who {
    /// The client id that the manifest names; the process's own identity where it names none.
    fn client_id(&self) -> Option<&str> {
        match self {
            Who::Own => None,
            Who::Read(client) | Who::Write(client) => client.as_deref(),
        }
    }
}

/// How we prove who we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Means {
    /// The managed identity that the host gives: Functions, App Service, virtual machines.
    ManagedIdentity,
    /// A token of the cluster or the pipeline, exchanged (`AZURE_FEDERATED_TOKEN_FILE`).
    WorkloadIdentity,
    /// Whoever signed in at this desk: `az login`, `azd auth login`.
    DeveloperTools,
    /// Nobody asks: Resource Manager is a simulator on this machine.
    Pretend,
}

impl Means {
    /// What the environment says: `AZURE_TOKEN_CREDENTIALS` by name, as for the SDKs, else what the host has set.
    pub(crate) fn of(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        match variable("AZURE_TOKEN_CREDENTIALS").as_deref() {
            Some("ManagedIdentityCredential") => return Ok(Means::ManagedIdentity),
            Some("WorkloadIdentityCredential") => return Ok(Means::WorkloadIdentity),
            Some("AzureCliCredential" | "AzureDeveloperCliCredential" | "dev") => {
                return Ok(Means::DeveloperTools);
            }
            // `prod` stands for several that would be tried in turn; the host's own variables decide.
            Some("prod") | None => {}
            Some(other) => return Err(ConfigError::Credentials(tidy(other))),
        }
        if variable("AZURE_FEDERATED_TOKEN_FILE").is_some() {
            return Ok(Means::WorkloadIdentity);
        }
        if variable("IDENTITY_ENDPOINT").is_some() || variable("MSI_ENDPOINT").is_some() {
            return Ok(Means::ManagedIdentity);
        }
        Ok(Means::DeveloperTools)
    }

    /// For people.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Means::ManagedIdentity => "a managed identity",
            Means::WorkloadIdentity => "a workload identity",
            Means::DeveloperTools => "the tools you signed in with (`az login`)",
            Means::Pretend => "none: Resource Manager is on this machine",
        }
    }

    pub(crate) fn credential(self, who: &Who, _: Cloud) -> Result<Arc<dyn TokenCredential>, ConfigError> {
        let failed = |source| ConfigError::NoCredentials { means: self.as_str(), source };
        Ok(match self {
            Means::ManagedIdentity => {
                let user_assigned_id = who.client_id().map(|id| UserAssignedId::ClientId(id.to_owned()));
                let options = ManagedIdentityCredentialOptions { user_assigned_id, ..Default::default() };
                ManagedIdentityCredential::new(Some(options)).map_err(failed)?
            }
            Means::WorkloadIdentity => {
                let client_id = who.client_id().map(str::to_owned);
                let options = WorkloadIdentityCredentialOptions { client_id, ..Default::default() };
                WorkloadIdentityCredential::new(Some(options)).map_err(failed)?
            }
            // Whoever signed in is one person: reading and writing are told apart by what is called, not by who calls.
            Means::DeveloperTools => DeveloperToolsCredential::new(None).map_err(failed)?,
            Means::Pretend => Arc::new(Pretend(match who {
                Who::Own => "landfall-own",
                Who::Read(_) => "landfall-read",
                Who::Write(_) => "landfall-write",
            })),
        })
    }
}

/// A token that says in plain words who calls; a simulator asks for no more.
#[derive(Debug)]
struct Pretend(&'static str);

#[async_trait]
impl TokenCredential for Pretend {
    async fn get_token(
        &self,
        _: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let expires_on = azure_core::time::OffsetDateTime::now_utc() + azure_core::time::Duration::hours(24);
        Ok(AccessToken { token: Secret::new(self.0), expires_on })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_says_how_we_prove_who_we_are() {
        type Environment = &'static [(&'static str, &'static str)];
        let table: [(Environment, Result<Means, &str>); 7] = [
            (&[], Ok(Means::DeveloperTools)),
            (&[("IDENTITY_ENDPOINT", "http://localhost:8081/msi/token")], Ok(Means::ManagedIdentity)),
            (&[("AZURE_FEDERATED_TOKEN_FILE", "/var/run/token")], Ok(Means::WorkloadIdentity)),
            (&[("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")], Ok(Means::ManagedIdentity)),
            (
                &[("AZURE_TOKEN_CREDENTIALS", "dev"), ("IDENTITY_ENDPOINT", "http://localhost:8081")],
                Ok(Means::DeveloperTools),
            ),
            (
                &[("AZURE_TOKEN_CREDENTIALS", "prod"), ("IDENTITY_ENDPOINT", "http://localhost:8081")],
                Ok(Means::ManagedIdentity),
            ),
            (&[("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")], Err("EnvironmentCredential")),
        ];
        for (environment, expected) in table {
            let variable = |name: &str| {
                environment.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
            };
            match (Means::of(variable), expected) {
                (Ok(means), Ok(expected)) => assert_eq!(means, expected, "{environment:?}"),
                (Err(error), Err(expected)) => assert!(error.to_string().contains(expected), "{error}"),
                (got, _) => panic!("{environment:?}: {got:?}"),
            }
        }
    }
}
