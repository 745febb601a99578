//! What a function's deployment says by environment. Everything is read once, before the first event; nothing is asked of the network.
//!
//! Every cloud's function has the same variables; how an address looks is its own.

use landfall_model::id::{Name, Provider};
use landfall_model::manifest::statement::PublicKeys;
use landfall_model::manifest::{Cloud, Manifest};

use crate::trust::Footing;

/// How the addresses of the clouds' storages begin.
pub const SCHEMES: [&str; 3] = ["s3://", "az://", "gs://"];

/// How much can be logged.
const LEVELS: [&str; 4] = ["error", "warn", "info", "debug"];

/// What the deployment says.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the bundle is: a file or an address in the cloud's own store.
    pub manifest: String,
    /// Where everything is kept: the cloud's own store, or on loopback `sqlite:/path`.
    pub store: String,
    /// The work queue's URL.
    pub queue: String,
    /// The keys that may vouch for a bundle.
    pub public_keys: Option<PublicKeys>,
    /// Which of the manifest's clouds this function serves, where there are several.
    pub cloud: Option<Name>,
}

/// How addresses look on one cloud.
#[derive(Debug, Clone, Copy)]
pub struct Forms {
    /// How its stores begin: `s3://`.
    pub scheme: &'static str,
    /// A bundle there.
    pub bundle: &'static str,
    /// A store there.
    pub store: &'static str,
    /// A queue's URL.
    pub queue: &'static str,
    /// Whether this build can keep its records in a file.
    pub sqlite: bool,
}

/// A setting that is missing or wrong: one line that names it and says what is expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: {why}")]
pub struct Wrong {
    /// The variable.
    pub variable: &'static str,
    /// What is wrong, and what is expected.
    pub why: String,
}

impl Config {
    /// Reads the environment, handed in as a function so that tests have one of their own.
    pub fn read(
        variable: impl Fn(&str) -> Option<String>,
        footing: Footing,
        forms: &Forms,
    ) -> Result<Self, Wrong> {
        let get = |name: &'static str| variable(name).filter(|value| !value.is_empty());
        let need = |name: &'static str, expected: String| {
            get(name).ok_or_else(|| Wrong { variable: name, why: format!("is not set; expected {expected}") })
        };
        let Forms { bundle, store, queue, .. } = forms;
        let manifest = need(
            "LANDFALL_MANIFEST",
            format!("the bundle that `landfall build` wrote: a file or `{bundle}`"),
        )?;
        let store = need("LANDFALL_STORE", format!("where everything is kept: `{store}`"))?;
        check_store(&store, footing, forms)?;
        check_bundle(&manifest, &store, forms)?;
        let queue = need("LANDFALL_QUEUE", format!("the work queue's URL: `{queue}`"))?;
        let public_keys = match get("LANDFALL_PUBLIC_KEYS") {
            Some(text) => Some(PublicKeys::parse(&text).map_err(|error| Wrong {
                variable: "LANDFALL_PUBLIC_KEYS",
                why: format!("{}; expected what `landfall keygen` printed", crate::control::chain(&error)),
            })?),
            None if footing == Footing::Real => {
                return Err(Wrong {
                    variable: "LANDFALL_PUBLIC_KEYS",
                    why: "is not set; expected what `landfall keygen` printed, or bundles can't be trusted"
                        .to_owned(),
                });
            }
            None => None,
        };
        let cloud = match get("LANDFALL_CLOUD") {
            Some(text) => Some(text.parse().map_err(|error| Wrong {
                variable: "LANDFALL_CLOUD",
                why: format!("{error}; expected the manifest's name of the cloud"),
            })?),
            None => None,
        };
        // Where the log is set up nobody could be told; the usual level would hide that another one was meant.
        if let Some(level) = get("LANDFALL_LOG")
            && !LEVELS.iter().any(|known| level.eq_ignore_ascii_case(known))
        {
            let why = format!("`{level}` is no level; expected one of {}", LEVELS.join(", "));
            return Err(Wrong { variable: "LANDFALL_LOG", why });
        }
        Ok(Config { manifest, store, queue, public_keys, cloud })
    }

    /// The store, where it is on another cloud than the one whose addresses begin so.
    pub fn foreign_store(&self, forms: &Forms) -> Option<&str> {
        let elsewhere = |scheme: &str| scheme != forms.scheme && self.store.starts_with(scheme);
        SCHEMES.iter().any(|scheme| elsewhere(scheme)).then_some(self.store.as_str())
    }

    /// The cloud of the manifest that this function serves, of the given provider.
    pub fn pick<'a>(
        &self,
        manifest: &'a Manifest,
        provider: Provider,
    ) -> Result<(&'a Name, &'a Cloud), Wrong> {
        let wanted = self.cloud.as_ref();
        let spoken = match provider {
            Provider::Aws => "AWS",
            Provider::Azure => "Azure",
            Provider::Gcp => "Google",
        };
        let mut found = manifest.clouds.iter().filter(|(name, cloud)| {
            cloud.provider() == provider && wanted.is_none_or(|wanted| wanted == *name)
        });
        let wrong = |variable, why| Err(Wrong { variable, why });
        match (found.next(), found.next(), wanted) {
            (Some(only), None, _) => Ok(only),
            (Some(_), Some(_), _) => wrong(
                "LANDFALL_CLOUD",
                format!("is not set, and the manifest has several {spoken} clouds; expected the name of one"),
            ),
            (None, _, Some(wanted)) => {
                wrong("LANDFALL_CLOUD", format!("the manifest has no {spoken} cloud `{wanted}`"))
            }
            (None, _, None) => wrong("LANDFALL_MANIFEST", format!("the manifest has no {spoken} cloud")),
        }
    }
}

/// A bundle is a file, or an object of the own cloud or of the store's: nobody could reach it elsewhere.
fn check_bundle(manifest: &str, store: &str, forms: &Forms) -> Result<(), Wrong> {
    let why = match SCHEMES.iter().find(|scheme| manifest.starts_with(**scheme)) {
        Some(scheme) if *scheme == forms.scheme || store.starts_with(scheme) => return Ok(()),
        Some(_) => {
            format!("`{manifest}` is on a cloud where neither this function nor its store `{store}` is")
        }
        None if manifest.contains("://") => format!("`{manifest}` is no address that is known here"),
        None => return Ok(()),
    };
    let why = format!("{why}; expected a file, `{}`, or an address where the store is", forms.bundle);
    Err(Wrong { variable: "LANDFALL_MANIFEST", why })
}

fn check_store(store: &str, footing: Footing, forms: &Forms) -> Result<(), Wrong> {
    let expected = forms.store;
    let wrong = |why: &str| {
        Err(Wrong { variable: "LANDFALL_STORE", why: format!("`{store}` {why}; expected `{expected}`") })
    };
    // On another cloud it takes more variables, which are read where that cloud is reached.
    if SCHEMES.iter().any(|scheme| store.starts_with(scheme)) {
        return Ok(());
    }
    if store.starts_with("sqlite:") {
        if footing == Footing::Real {
            return wrong("is a file, and the disk of a cloud function is lost");
        }
        if !forms.sqlite {
            return wrong("is a file, and this build has no sqlite");
        }
        return Ok(());
    }
    wrong("is no store that is known here")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    const FORMS: Forms = Forms {
        scheme: "s3://",
        bundle: "s3://bucket/key",
        store: "s3://bucket/folder",
        queue: "https://sqs.eu-central-1.amazonaws.com/111111111111/landfall-work",
        sqlite: true,
    };

    fn right() -> BTreeMap<&'static str, &'static str> {
        BTreeMap::from([
            ("LANDFALL_MANIFEST", "s3://acme/bundle.json"),
            ("LANDFALL_STORE", "s3://acme/landfall"),
            ("LANDFALL_QUEUE", "https://sqs.eu-central-1.amazonaws.com/111111111111/landfall-work"),
            ("LANDFALL_PUBLIC_KEYS", ""),
        ])
    }

    fn read(environment: &BTreeMap<&str, &str>, footing: Footing) -> Result<Config, String> {
        Config::read(|name| environment.get(name).map(|value| (*value).to_owned()), footing, &FORMS)
            .map_err(|wrong| wrong.to_string())
    }

    #[test]
    fn a_right_environment_is_read() {
        assert!(read(&right(), Footing::Loopback).is_ok());
        for (variable, value) in [("LANDFALL_MANIFEST", "/var/task/bundle.json"), ("LANDFALL_LOG", "DEBUG")] {
            let mut environment = right();
            environment.insert(variable, value);
            assert!(read(&environment, Footing::Loopback).is_ok(), "{variable}");
        }
        let mut elsewhere = right();
        elsewhere
            .extend([("LANDFALL_STORE", "gs://acme/store"), ("LANDFALL_MANIFEST", "gs://acme/bundle.json")]);
        assert!(read(&elsewhere, Footing::Loopback).is_ok());
    }

    #[test]
    fn one_wrong_variable_is_named_with_what_is_expected() {
        let table = [
            (
                "LANDFALL_MANIFEST",
                "",
                Footing::Loopback,
                "LANDFALL_MANIFEST: is not set; expected the bundle",
            ),
            (
                "LANDFALL_MANIFEST",
                "gs://acme/bundle.json",
                Footing::Loopback,
                "LANDFALL_MANIFEST: `gs://acme/bundle.json` is on a cloud where neither",
            ),
            (
                "LANDFALL_MANIFEST",
                "https://acme.example/bundle.json",
                Footing::Loopback,
                "LANDFALL_MANIFEST: `https://acme.example/bundle.json` is no address",
            ),
            (
                "LANDFALL_LOG",
                "loud",
                Footing::Loopback,
                "LANDFALL_LOG: `loud` is no level; expected one of error",
            ),
            ("LANDFALL_STORE", "", Footing::Loopback, "LANDFALL_STORE: is not set"),
            ("LANDFALL_STORE", "postgres://x", Footing::Loopback, "is no store that is known here"),
            ("LANDFALL_STORE", "sqlite:x.db", Footing::Real, "the disk of a cloud function is lost"),
            ("LANDFALL_QUEUE", "", Footing::Loopback, "LANDFALL_QUEUE: is not set"),
            ("LANDFALL_PUBLIC_KEYS", "nonsense", Footing::Loopback, "LANDFALL_PUBLIC_KEYS: "),
            ("LANDFALL_PUBLIC_KEYS", "", Footing::Real, "LANDFALL_PUBLIC_KEYS: is not set"),
            ("LANDFALL_CLOUD", "A B", Footing::Loopback, "LANDFALL_CLOUD: "),
        ];
        for (variable, value, footing, expected) in table {
            let mut environment = right();
            environment.insert(variable, value);
            let error = read(&environment, footing).unwrap_err();
            assert!(error.contains(expected), "{variable}={value}: {error}");
            assert_eq!(error.lines().count(), 1);
        }
    }
}
