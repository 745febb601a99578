//! A deployment whose environment is wrong: the custom handler says so at its start, in one line that names the variable, and ends.

use std::process::Command;

use landfall_tests::judges::azure_function_binary;

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
