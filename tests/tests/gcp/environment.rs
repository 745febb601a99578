//! A deployment whose environment is wrong: the function says so at its start, in one line that names the variable, and ends.

use std::process::Command;

use landfall_tests::judges::gcp_function_binary;

#[test]
fn one_wrong_variable_is_one_line_at_the_start() {
    let loopback = ("LANDFALL_GCP_ENDPOINT", "http://127.0.0.1:9");
    let manifest = ("LANDFALL_MANIFEST", "bundle.json");
    let store = ("LANDFALL_STORE", "gs://acme-landfall/store");
    let queue = ("LANDFALL_QUEUE", "projects/acme-landfall/locations/europe-west1/queues/landfall-work");
    let keys = ("LANDFALL_PUBLIC_KEYS", "x");
    let platform = ("LANDFALL_AUTH", "platform");
    let oidc = ("LANDFALL_AUTH", "oidc");
    let audience = ("LANDFALL_AUDIENCE", "https://landfall.run.app");
    let sweep = ("LANDFALL_SWEEP_CALLERS", "scheduler@acme-landfall.iam.gserviceaccount.com");
    let account = ("LANDFALL_WORKER_ACCOUNT", "tasks@acme-landfall.iam.gserviceaccount.com");
    let worker = ("LANDFALL_WORKER", "http://127.0.0.1:9/work");
    let table: &[(&[(&str, &str)], &str)] = &[
        (&[("LANDFALL_GCP_ENDPOINT", "http://example.com")], "`http://example.com` is not on this machine"),
        (&[loopback], "LANDFALL_MANIFEST: is not set; expected the bundle"),
        (&[loopback, manifest], "LANDFALL_STORE: is not set; expected where everything is kept: `gs://"),
        (&[manifest, ("LANDFALL_STORE", "sqlite:x.db")], "the disk of a cloud function is lost"),
        (
            &[loopback, manifest, ("LANDFALL_STORE", "postgres://x/y")],
            "LANDFALL_STORE: `postgres://x/y` is no store",
        ),
        (&[loopback, manifest, store], "LANDFALL_QUEUE: is not set"),
        (
            &[loopback, manifest, ("LANDFALL_STORE", "az://acme/landfall"), queue, platform, worker],
            "LANDFALL_STORE_IDENTITY: is not set, and the store `az://acme/landfall` is on another cloud",
        ),
        (
            &[
                loopback,
                manifest,
                store,
                queue,
                platform,
                worker,
                ("LANDFALL_STORE_IDENTITY", "arn:aws:iam::111111111111:role/landfall-store"),
            ],
            "LANDFALL_STORE_IDENTITY: is set, and the store",
        ),
        (
            &[loopback, ("LANDFALL_MANIFEST", "s3://b/bundle.json"), store],
            "LANDFALL_MANIFEST: `s3://b/bundle.json` is on a cloud where neither this function nor its store",
        ),
        (
            &[loopback, manifest, store, queue, ("LANDFALL_LOG", "loud")],
            "LANDFALL_LOG: `loud` is no level; expected one of error, warn, info, debug",
        ),
        (&[manifest, store, queue], "LANDFALL_PUBLIC_KEYS: is not set"),
        (&[loopback, manifest, store, queue, keys], "LANDFALL_PUBLIC_KEYS: "),
        (&[loopback, manifest, store, queue], "LANDFALL_AUTH: is not set; expected `oidc`"),
        (
            &[loopback, manifest, store, queue, ("LANDFALL_AUTH", "none")],
            "LANDFALL_AUTH: `none` is not known",
        ),
        (&[loopback, manifest, store, queue, oidc], "LANDFALL_AUDIENCE: is not set"),
        (&[loopback, manifest, store, queue, oidc, audience], "LANDFALL_SWEEP_CALLERS: is not set"),
        (&[loopback, manifest, store, queue, oidc, audience, sweep], "LANDFALL_WORKER_ACCOUNT: is not set"),
        (
            &[
                loopback,
                manifest,
                store,
                queue,
                oidc,
                audience,
                sweep,
                ("LANDFALL_WORKER_ACCOUNT", "allUsers"),
            ],
            "LANDFALL_WORKER_ACCOUNT: `allUsers` is no mail address",
        ),
        (
            &[
                loopback,
                manifest,
                store,
                queue,
                oidc,
                audience,
                sweep,
                account,
                ("LANDFALL_JWKS", "https://example.com"),
            ],
            "LANDFALL_JWKS: `https://example.com` is not on this machine",
        ),
        (
            &[loopback, manifest, store, queue, platform, audience],
            "LANDFALL_AUDIENCE: is set, and nobody would look at it",
        ),
        (
            &[loopback, manifest, store, queue, platform, ("LANDFALL_CONSOLE_CALLERS", "a@acme.example")],
            "LANDFALL_CONSOLE_CALLERS: is set, and nobody would look at it",
        ),
        (&[loopback, manifest, store, queue, platform], "LANDFALL_WORKER: is not set"),
        (
            &[
                loopback,
                manifest,
                store,
                queue,
                platform,
                ("LANDFALL_WORKER", "https://landfall.run.app/work"),
            ],
            "LANDFALL_WORKER: `https://landfall.run.app/work` can't be used",
        ),
        (
            &[loopback, manifest, store, platform, worker, ("LANDFALL_QUEUE", "work")],
            "LANDFALL_QUEUE: `work` is not the name of a queue like `projects/",
        ),
        (
            &[loopback, manifest, store, queue, platform, worker, ("CLOUD_RUN_TIMEOUT_SECONDS", "5m")],
            "CLOUD_RUN_TIMEOUT_SECONDS: `5m` can't be used; expected whole seconds",
        ),
        (
            &[loopback, manifest, store, queue, platform, worker],
            "PORT: is not set; expected the port that Cloud Run gives",
        ),
        (
            &[loopback, manifest, store, queue, platform, worker, ("PORT", "http")],
            "PORT: `http` is not a port",
        ),
    ];
    for (environment, expected) in table {
        let output = Command::new(gcp_function_binary())
            .env_clear()
            .envs(environment.iter().copied())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{environment:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{environment:?}: {said}");
        assert!(said.contains(expected), "{environment:?}: {said}");
        assert!(output.stdout.is_empty(), "{environment:?}");
    }
}
