//! What the environment may say, and what is refused rather than ignored.

use std::sync::Arc;

use landfall_engine::governor::{Governor, Rate};

use super::*;
use crate::error::ConfigError;

fn gcp(set: &[(&str, &str)], files: &[&str]) -> Result<Gcp, ConfigError> {
    let governor = Arc::new(Governor::new(|_| Rate::per_second(1, 1)));
    let variable =
        |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
    Gcp::of(variable, |path| files.iter().any(|file| path.ends_with(file)), governor)
}

#[test]
fn the_environment_says_as_whom_we_come() {
    const FILE: &str = ".config/gcloud/application_default_credentials.json";
    type Set = &'static [(&'static str, &'static str)];
    let table: [(Set, &[&str], &str); 5] = [
        (&[], &[], "the service account that this host gives"),
        (&[("HOME", "/home/ada")], &[FILE], "who signed in here (`gcloud auth application-default login`)"),
        (
            &[("GOOGLE_APPLICATION_CREDENTIALS", "/wif.json")],
            &[],
            "the file that `GOOGLE_APPLICATION_CREDENTIALS` names",
        ),
        // What is empty is not said.
        (
            &[("GOOGLE_APPLICATION_CREDENTIALS", ""), ("LANDFALL_GCP_ENDPOINT", "")],
            &[],
            "the service account that this host gives",
        ),
        (
            &[("LANDFALL_GCP_ENDPOINT", "http://127.0.0.1:1"), ("HOME", "/home/ada")],
            &[FILE],
            "none: Google's APIs are on this machine",
        ),
    ];
    for (set, files, expected) in table {
        assert_eq!(gcp(set, files).unwrap().means(), expected, "{set:?}");
    }
}

#[test]
fn only_this_machine_stands_in_for_google_and_only_without_tls() {
    for here in ["http://127.0.0.1:8080", "http://localhost:1/", "http://[::1]:8080"] {
        assert!(gcp(&[("LANDFALL_GCP_ENDPOINT", here)], &[]).unwrap().is_loopback(), "{here}");
        assert!(Gcp::loopback(here).unwrap().is_loopback());
    }
    for elsewhere in [
        "https://127.0.0.1:8080",
        "http://cloudresourcemanager.googleapis.com",
        "http://127.0.0.1.evil.example",
        "http://user@127.0.0.1:8080",
        "http://127.0.0.1:8080/path",
        "127.0.0.1:8080",
    ] {
        for name in ["LANDFALL_GCP_ENDPOINT", "LANDFALL_GCP_STORAGE", "LANDFALL_GCP_TASKS"] {
            let error = gcp(&[(name, elsewhere)], &[]).unwrap_err();
            assert!(
                matches!(error, ConfigError::NotLoopback { variable, .. } if variable == name),
                "{error}"
            );
        }
        assert!(Gcp::loopback(elsewhere).is_err(), "{elsewhere}");
    }
    // One of them alone makes nothing loopback.
    assert!(!gcp(&[("LANDFALL_GCP_STORAGE", "http://127.0.0.1:1")], &[]).unwrap().is_loopback());
}
