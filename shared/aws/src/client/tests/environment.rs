//! What the environment may say, and what is refused rather than ignored.

use super::*;

/// Endpoints as the environment sets them, by SDK id.
#[derive(Debug)]
struct Set(BTreeMap<&'static str, &'static str>);

impl LoadServiceConfig for Set {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        self.0.get(key.service_id()).or_else(|| self.0.get("")).map(|s| (*s).to_owned())
    }
}

pub(super) fn aws_set(set: &[(&'static str, &'static str)]) -> Result<Aws, ConfigError> {
    let config = SdkConfig::builder()
        .region(Region::new("eu-central-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
            "AKOWN", SECRET, None, None, "test",
        )))
        .service_config(Set(set.iter().copied().collect()))
        .build();
    Aws::new(&config, Connector::new(Duration::from_secs(1)), patience(), governor())
}

#[test]
fn only_when_every_service_is_on_this_machine_is_nothing_said_to_the_cloud() {
    let loopback = |set| aws_set(set).unwrap().is_loopback();
    assert!(!loopback(&[]));
    assert!(loopback(&[("", "http://127.0.0.1:5000")]));
    assert!(loopback(&[("", "http://localhost:5000"), ("S3", "http://[::1]:9000")]));
    assert!(!loopback(&[("", "http://127.0.0.1:5000"), ("S3", "https://s3.example.com")]));
    // The others would go to the cloud.
    assert!(!loopback(&[("S3", "http://127.0.0.1:5000")]));
    assert!(!loopback(&[("", "https://example.com")]));
}

#[test]
fn a_setting_that_can_not_be_honoured_is_refused() {
    let refused = |set| aws_set(set).unwrap_err();
    let error = refused(&[("S3 Control", "http://proxy.example.com")]);
    assert_eq!(error.to_string(), "could not use the endpoint set for `s3control`");
    assert!(matches!(refused(&[("", "no url")]), ConfigError::Endpoint { .. }));

    let url = "http://127.0.0.1:1";
    let connector = || Connector::new(Duration::from_secs(1));
    let new = |config: aws_types::sdk_config::Builder| {
        Aws::new(&config.build(), connector(), patience(), governor()).unwrap_err()
    };
    assert!(matches!(new(config(url).use_fips(true)), ConfigError::NotHonoured("AWS_USE_FIPS_ENDPOINT")));
    assert!(matches!(
        new(config(url).use_dual_stack(true)),
        ConfigError::NotHonoured("AWS_USE_DUALSTACK_ENDPOINT")
    ));
    assert!(matches!(new(config(url).region(None)), ConfigError::NoRegion));
    assert!(matches!(new(config(url).region(Region::new("evil.com/"))), ConfigError::Region(_)));
}
