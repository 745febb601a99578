//! A deployment whose environment is wrong: the custom handler says so at its start, in one line that names the variable. It fails each
//! invocation with the reason where a host has started it, and ends where none has.

use std::process::Command;

use landfall_simulator::functions_host::{Asked, Host, HostOptions, Invocation};
use landfall_tests::judges::{azure_function_binary, root};

#[test]
fn one_wrong_variable_is_one_line_at_the_start() {
    let loopback = ("LANDFALL_AZURE_ENDPOINT", "http://127.0.0.1:9");
    let storage = ("LANDFALL_AZURE_STORAGE", "http://127.0.0.1:9");
    let manifest = ("LANDFALL_MANIFEST", "bundle.json");
    let store = ("LANDFALL_STORE", "az://acmelandfall/store");
    let queue = ("LANDFALL_QUEUE", "http://127.0.0.1:9/devstoreaccount1/landfall-work");
    let port = "FUNCTIONS_CUSTOMHANDLER_PORT";
    let table: &[(&[(&str, &str)], &str)] = &[
        (&[("LANDFALL_AZURE_ENDPOINT", "http://example.com")], "is not on this machine"),
        (
            &[("AZURE_AUTHORITY_HOST", "https://example.com")],
            "is no authority of a cloud that Landfall knows: give `AZURE_AUTHORITY_HOST`",
        ),
        (&[loopback], "LANDFALL_MANIFEST: is not set; expected the bundle"),
        (&[loopback, manifest], "LANDFALL_STORE: is not set"),
        (&[manifest, ("LANDFALL_STORE", "sqlite:x.db")], "the disk of a cloud function is lost"),
        (
            &[loopback, manifest, ("LANDFALL_STORE", "postgres://x/y")],
            "LANDFALL_STORE: `postgres://x/y` is no store",
        ),
        (&[loopback, manifest, store], "LANDFALL_QUEUE: is not set"),
        (
            &[loopback, storage, manifest, ("LANDFALL_STORE", "s3://acme/store?region=eu-central-1"), queue],
            "LANDFALL_STORE_IDENTITY: is not set, and the store",
        ),
        (
            &[loopback, storage, manifest, store, queue, ("LANDFALL_STORE_AUDIENCE", "api://landfall-store")],
            "LANDFALL_STORE_AUDIENCE: is set, and the store `az://acmelandfall/store` is not on another cloud",
        ),
        (
            &[loopback, ("LANDFALL_MANIFEST", "s3://b/bundle.json"), store],
            "LANDFALL_MANIFEST: `s3://b/bundle.json` is on a cloud where neither this function nor its store",
        ),
        (
            &[loopback, manifest, store, queue, ("LANDFALL_LOG", "loud")],
            "LANDFALL_LOG: `loud` is no level; expected one of error, warn, info, debug",
        ),
        (
            &[loopback, manifest, store, ("LANDFALL_QUEUE", "work")],
            "LANDFALL_QUEUE: `work` is not the URL of a queue",
        ),
        (
            &[
                manifest,
                store,
                ("LANDFALL_QUEUE", "https://acmelandfall.queue.core.windows.net/landfall-work"),
            ],
            "LANDFALL_PUBLIC_KEYS: is not set",
        ),
        (&[loopback, manifest, store, queue, ("LANDFALL_PUBLIC_KEYS", "x")], "LANDFALL_PUBLIC_KEYS: "),
        (
            &[loopback, storage, manifest, store, queue],
            "FUNCTIONS_CUSTOMHANDLER_PORT: is not set; expected the port that the Functions host gives",
        ),
        (
            &[loopback, storage, manifest, store, queue, (port, "any")],
            "FUNCTIONS_CUSTOMHANDLER_PORT: `any` is not a port",
        ),
    ];
    for (environment, expected) in table {
        let output = Command::new(azure_function_binary())
            .env_clear()
            .envs(environment.iter().copied())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(1), "{environment:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{environment:?}: {said}");
        assert!(said.contains(expected), "{environment:?}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_the_host_each_invocation_fails_with_the_reason() {
    let environment = [
        ("LANDFALL_AZURE_ENDPOINT", "http://127.0.0.1:9"),
        ("LANDFALL_QUEUE_NAME", "landfall-work"),
        ("LANDFALL_SCHEDULE", "0 0 * * * *"),
        ("LANDFALL_EVENT_HUB", "activity"),
    ];
    let host = Host::start(HostOptions {
        handler: Some(azure_function_binary()),
        environment: environment
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        ..HostOptions::new(root().join("functions/azure/app"))
    })
    .await
    .unwrap();
    let reason = "LANDFALL_MANIFEST: is not set; expected the bundle";
    assert_eq!(host.said().len(), 1, "{:?}", host.said());
    assert!(host.said()[0].contains(reason), "{:?}", host.said());

    // The host itself passes on no words of an invocation that failed, so they are in the log.
    let delivered = host.invoke_queue("queue", "aGVsbG8=", 1).await;
    assert!(matches!(&delivered.invocation, Some(Invocation::Failed(_))), "{delivered:?}");
    let said = host.said();
    assert!(said.len() == 2 && said.iter().all(|line| line.contains(reason)), "{said:#?}");

    // Who asks in the portal reads it.
    let headers = [("x-functions-key".to_owned(), "landfall-key".to_owned())];
    let body = br#"{"action": "status"}"#.to_vec();
    let asked = Asked { method: "POST".to_owned(), body, headers: headers.into(), ..Asked::default() };
    let answer = host.invoke_http("console", &asked).await;
    let shown = String::from_utf8_lossy(&answer.body).into_owned();
    assert!(answer.status == 500 && shown.contains(reason), "{answer:?}: {shown}");
    drop(host.end().await);
}
