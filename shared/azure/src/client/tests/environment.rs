//! What the environment may say, and what is refused rather than ignored.

use std::sync::Arc;

use landfall_engine::governor::{Governor, Rate};

use super::*;
use crate::error::ConfigError;

fn azure(set: &[(&str, &str)]) -> Result<Azure, ConfigError> {
    let governor = Arc::new(Governor::new(|_| Rate::per_second(1, 1)));
    let variable =
        |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
    Azure::of(variable, governor)
}

#[test]
fn the_authority_says_which_cloud_is_called() {
    for (set, expected) in [
        (&[][..], "https://management.azure.com/"),
        // What is empty is not said.
        (&[("AZURE_AUTHORITY_HOST", ""), ("LANDFALL_AZURE_ENDPOINT", "")], "https://management.azure.com/"),
        (
            &[("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.us/")],
            "https://management.usgovcloudapi.net/",
        ),
        (
            &[("AZURE_AUTHORITY_HOST", "https://login.chinacloudapi.cn")],
            "https://management.chinacloudapi.cn/",
        ),
    ] {
        let azure = azure(set).unwrap();
        assert_eq!(azure.base().as_str(), expected);
        assert!(!azure.is_loopback());
    }
    let error = azure(&[("AZURE_AUTHORITY_HOST", "https://login.evil.example")]).unwrap_err();
    assert!(error.to_string().starts_with("`https://login.evil.example` is no authority"), "{error}");
}

#[test]
fn the_environment_says_as_whom_we_come() {
    for (set, expected) in [
        (&[][..], "the tools you signed in with (`az login`)"),
        (&[("IDENTITY_ENDPOINT", "http://127.0.0.1:1/token")], "a managed identity"),
        (&[("AZURE_FEDERATED_TOKEN_FILE", "/token")], "a workload identity"),
        (
            &[("AZURE_TOKEN_CREDENTIALS", "dev"), ("IDENTITY_ENDPOINT", "http://127.0.0.1:1/token")],
            "the tools you signed in with (`az login`)",
        ),
        (&[("LANDFALL_AZURE_ENDPOINT", "http://127.0.0.1:1")], "none: Resource Manager is on this machine"),
    ] {
        assert_eq!(azure(set).unwrap().means(), expected, "{set:?}");
    }
    let error = azure(&[("AZURE_TOKEN_CREDENTIALS", "ClientSecretCredential")]).unwrap_err();
    assert!(error.to_string().contains("`ClientSecretCredential`"), "{error}");
}

#[test]
fn only_this_machine_stands_in_for_resource_manager_and_only_without_tls() {
    for here in ["http://127.0.0.1:8080", "http://localhost:1/", "http://[::1]:8080"] {
        assert!(azure(&[("LANDFALL_AZURE_ENDPOINT", here)]).unwrap().is_loopback(), "{here}");
        assert!(Azure::loopback(here).unwrap().is_loopback());
    }
    for elsewhere in [
        "https://127.0.0.1:8080",
        "http://management.azure.com",
        "http://127.0.0.1.evil.example",
        "http://user@127.0.0.1:8080",
        "http://127.0.0.1:8080/path",
        "127.0.0.1:8080",
    ] {
        let error = azure(&[("LANDFALL_AZURE_ENDPOINT", elsewhere)]).unwrap_err();
        assert!(matches!(error, ConfigError::NotLoopback { .. }), "{elsewhere}: {error}");
        assert!(Azure::loopback(elsewhere).is_err(), "{elsewhere}");
    }
}
