//! Whom we act as: one service account that can only look, and one that can write.
//!
//! The process has an identity of its own (the service account it runs as, or whoever signed in at this desk) and impersonates the two
//! that the manifest names. Where it names none, everything is done as the process's own. An account that can't be impersonated is an
//! error and never replaced by another: a token of the wrong identity would work, and be wrong.

use std::path::{Path, PathBuf};

use google_cloud_auth::credentials::{Builder, Credentials, impersonated, mds};

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

impl Who {
    /// The service account that the manifest names; the process's own identity where it names none.
    fn account(&self) -> Option<&str> {
        match self {
            Who::Own => None,
            Who::Read(account) | Who::Write(account) => account.as_deref(),
        }
    }
}

/// How we prove who we are: the places where Application Default Credentials are, in the order in which Google's own libraries look
/// for them. <https://cloud.google.com/docs/authentication/application-default-credentials>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Means {
    /// A file that the environment names: a federated identity's, or a key's.
    File,
    /// Whoever signed in at this desk: `gcloud auth application-default login`.
    Desk,
    /// The service account that the host gives: Cloud Run, Compute Engine.
    Host,
    /// Nobody asks: Google's APIs are a simulator on this machine.
    Pretend,
}

impl Means {
    /// What the environment says. One is chosen, and no other is tried where it does not work.
    pub(crate) fn of(variable: impl Fn(&str) -> Option<String>, is_file: impl Fn(&Path) -> bool) -> Self {
        if variable("GOOGLE_APPLICATION_CREDENTIALS").is_some() {
            return Means::File;
        }
        let desk = if cfg!(windows) { variable("APPDATA") } else { variable("HOME") };
        let folder = if cfg!(windows) { "gcloud" } else { ".config/gcloud" };
        let signed_in = |root| PathBuf::from(root).join(folder).join("application_default_credentials.json");
        match desk.map(signed_in) {
            Some(file) if is_file(&file) => Means::Desk,
            Some(_) | None => Means::Host,
        }
    }

    /// For people.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Means::File => "the file that `GOOGLE_APPLICATION_CREDENTIALS` names",
            Means::Desk => "who signed in here (`gcloud auth application-default login`)",
            Means::Host => "the service account that this host gives",
            Means::Pretend => "none: Google's APIs are on this machine",
        }
    }

    /// Credentials that keep their token and renew it, which takes a runtime; or a word that says in plain text who calls.
    pub(crate) fn credentials(self, who: &Who) -> Result<Result<Credentials, &'static str>, ConfigError> {
        let failed = |source| ConfigError::NoCredentials { means: self.as_str(), source };
        let own = match self {
            Means::Pretend => {
                return Ok(Err(match who {
                    Who::Own => "landfall-own",
                    Who::Read(_) => "landfall-read",
                    Who::Write(_) => "landfall-write",
                }));
            }
            Means::File | Means::Desk => Builder::default().with_scopes([SCOPE]).build(),
            Means::Host => mds::Builder::default().with_scopes([SCOPE]).build(),
        };
        let own = own.map_err(failed)?;
        let Some(account) = who.account() else { return Ok(Ok(own)) };
        impersonated::Builder::from_source_credentials(own)
            .with_target_principal(account)
            .with_scopes([SCOPE])
            .build()
            .map(Ok)
            .map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_says_how_we_prove_who_we_are() {
        const FILE: &str = "/home/ada/.config/gcloud/application_default_credentials.json";
        type Environment = &'static [(&'static str, &'static str)];
        let table: [(Environment, &[&str], Means); 6] = [
            (&[], &[], Means::Host),
            (&[("HOME", "/home/ada")], &[], Means::Host),
            (&[("HOME", "/home/ada")], &[FILE], Means::Desk),
            (&[("HOME", "/home/bob")], &[FILE], Means::Host),
            (&[("GOOGLE_APPLICATION_CREDENTIALS", "/wif.json"), ("HOME", "/home/ada")], &[FILE], Means::File),
            // One that is not there is an error, and not passed over.
            (&[("GOOGLE_APPLICATION_CREDENTIALS", "/missing.json")], &[], Means::File),
        ];
        for (environment, files, expected) in table {
            let variable = |name: &str| {
                environment.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
            };
            let is_file = |path: &Path| files.iter().any(|file| Path::new(file) == path);
            assert_eq!(Means::of(variable, is_file), expected, "{environment:?}");
        }
    }

    #[test]
    fn on_this_machine_a_word_says_who_calls() {
        let account = Some("landfall-read@acme-landfall.iam.gserviceaccount.com".to_owned());
        for (who, expected) in [
            (Who::Own, "landfall-own"),
            (Who::Read(account.clone()), "landfall-read"),
            (Who::Write(None), "landfall-write"),
        ] {
            assert_eq!(Means::Pretend.credentials(&who).unwrap().unwrap_err(), expected);
        }
        assert_eq!(Who::Read(account.clone()).account(), account.as_deref());
        assert_eq!((Who::Own.account(), Who::Write(None).account()), (None, None));
    }
}
