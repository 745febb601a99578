//! A deployment whose environment is wrong: the function says so at its start, in one line that names the variable, tells Lambda the same,
//! and ends.

use std::process::Command;

use landfall_simulator::lambda::RuntimeApi;
use landfall_tests::judges::function_binary;

#[test]
fn one_wrong_variable_is_one_line_at_the_start() {
    let loopback = ("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    let region = ("AWS_REGION", "eu-central-1");
    let manifest = ("LANDFALL_MANIFEST", "bundle.json");
    let table: &[(&[(&str, &str)], &str)] = &[
        (&[], "no region is set: give `AWS_REGION`"),
        (&[region, ("AWS_ENDPOINT_URL", "http://example.com")], "is neither `https` nor on this machine"),
        (
            &[region, ("AWS_USE_FIPS_ENDPOINT", "true")],
            "`AWS_USE_FIPS_ENDPOINT` is set, and Landfall has no such endpoints",
        ),
        (&[region, loopback], "LANDFALL_MANIFEST: is not set; expected the bundle"),
        (&[region, loopback, manifest], "LANDFALL_STORE: is not set"),
        (&[region, manifest, ("LANDFALL_STORE", "sqlite:x.db")], "the disk of a cloud function is lost"),
        (
            &[region, loopback, manifest, ("LANDFALL_STORE", "ftp://x")],
            "LANDFALL_STORE: `ftp://x` is no store",
        ),
        (&[region, loopback, manifest, ("LANDFALL_STORE", "s3://b/f")], "LANDFALL_QUEUE: is not set"),
        (
            &[region, loopback, manifest, ("LANDFALL_STORE", "s3://b/f"), ("LANDFALL_QUEUE", "work")],
            "LANDFALL_QUEUE: `work` is not the URL of a queue",
        ),
        (
            &[
                region,
                loopback,
                manifest,
                ("LANDFALL_STORE", "gs://b/f"),
                ("LANDFALL_QUEUE", "http://127.0.0.1:9/1/q"),
            ],
            "LANDFALL_STORE_IDENTITY: is not set, and the store `gs://b/f` is on another cloud",
        ),
        (
            &[
                region,
                loopback,
                manifest,
                ("LANDFALL_STORE", "s3://b/f"),
                ("LANDFALL_QUEUE", "http://127.0.0.1:9/1/q"),
                ("LANDFALL_STORE_IDENTITY", "//iam.googleapis.com/projects/1"),
            ],
            "LANDFALL_STORE_IDENTITY: is set, and the store `s3://b/f` is not on another cloud",
        ),
        (
            &[region, loopback, ("LANDFALL_MANIFEST", "gs://b/bundle.json"), ("LANDFALL_STORE", "s3://b/f")],
            "LANDFALL_MANIFEST: `gs://b/bundle.json` is on a cloud where neither this function nor its store",
        ),
        (
            &[
                region,
                loopback,
                manifest,
                ("LANDFALL_STORE", "s3://b/f"),
                ("LANDFALL_QUEUE", "http://127.0.0.1:9/1/q"),
                ("LANDFALL_LOG", "loud"),
            ],
            "LANDFALL_LOG: `loud` is no level; expected one of error, warn, info, debug",
        ),
        (
            &[
                region,
                manifest,
                ("LANDFALL_STORE", "s3://b/f"),
                ("LANDFALL_QUEUE", "https://sqs.eu-central-1.amazonaws.com/1/q"),
            ],
            "LANDFALL_PUBLIC_KEYS: is not set",
        ),
        (
            &[
                region,
                loopback,
                manifest,
                ("LANDFALL_STORE", "s3://b/f"),
                ("LANDFALL_QUEUE", "http://127.0.0.1:9/1/q"),
                ("LANDFALL_PUBLIC_KEYS", "x"),
            ],
            "LANDFALL_PUBLIC_KEYS: ",
        ),
    ];
    for (environment, expected) in table {
        let output =
            Command::new(function_binary()).env_clear().envs(environment.iter().copied()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{environment:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{environment:?}: {said}");
        assert!(said.contains(expected), "{environment:?}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lambda_is_told_why_there_is_no_function() {
    let api = RuntimeApi::start().await.unwrap();
    let address = api.address();
    let environment = [
        ("AWS_LAMBDA_RUNTIME_API", address.as_str()),
        ("AWS_REGION", "eu-central-1"),
        ("LANDFALL_LOG", "info"),
    ];
    let output = Command::new(function_binary()).env_clear().envs(environment).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(said.lines().count(), 1, "{said}");
    let told = api.init_error().await.unwrap();
    assert!(said.contains("LANDFALL_MANIFEST: is not set"), "{said}");
    assert!(told["errorMessage"].as_str().unwrap().contains("LANDFALL_MANIFEST: is not set"), "{told}");
    assert_eq!(told["errorType"], "Landfall.Environment");
}
