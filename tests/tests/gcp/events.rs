//! Every sample of `events/gcp` becomes exactly the trigger it should; the real function, started as Cloud Run does it and called as
//! Google's services call it, answers all of them, lets in nobody whom it should not, and reads events as Google's framework does.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use landfall_engine::store::Store as _;
use landfall_engine::store::sqlite::SqliteStore;
use landfall_function_gcp::envelope::{Posted, read};
use landfall_function_gcp::trigger::{Route, parse};
use landfall_simulator::cloud_run::{Answered, CloudRun};
use landfall_simulator::tokens::{Claims, Forgery};
use landfall_tests::judges::{python, root};
use landfall_tests::permissions::denied;
use landfall_tests::skipped::skip;
use serde_json::{Value, json};

use crate::ground::{AUDIENCE, EVENTS, Ground, PROJECT, QUEUE, SCHEDULER, TASKS};

/// A sample and what it has to become.
struct Sample {
    file: String,
    path: String,
    headers: Vec<(String, String)>,
    body: String,
    expected: Value,
}

impl Sample {
    /// A part of the reason, where it has to be refused.
    fn refused(&self) -> Option<&str> {
        self.expected["refused"].as_str()
    }

    fn header_map(&self) -> HeaderMap {
        let one = |(name, value): &(String, String)| {
            (name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap())
        };
        self.headers.iter().map(one).collect()
    }

    /// Whose service account posts it.
    fn caller(&self) -> &'static str {
        match self.path.as_str() {
            "/sweep" => SCHEDULER,
            "/work" => TASKS,
            _ => EVENTS,
        }
    }
}

fn samples() -> Vec<Sample> {
    let folder = root().join("events/gcp");
    let expected = std::fs::read_to_string(folder.join("expected.json")).unwrap();
    let expected: BTreeMap<String, Value> = serde_json::from_str(&expected).unwrap();
    let there: BTreeSet<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "expected.json" && name != "README.md" && name != "paste")
        .collect();
    assert_eq!(
        there,
        expected.keys().cloned().collect(),
        "events/gcp and its expected.json name different files"
    );
    expected
        .into_iter()
        .map(|(file, expected)| {
            let sample: Value =
                serde_json::from_str(&std::fs::read_to_string(folder.join(&file)).unwrap()).unwrap();
            let headers = sample["headers"].as_object().unwrap();
            let body = &sample["body"];
            Sample {
                path: sample["path"].as_str().unwrap().to_owned(),
                headers: headers
                    .iter()
                    .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
                    .collect(),
                body: body.as_str().map_or_else(|| body.to_string(), str::to_owned),
                expected,
                file,
            }
        })
        .collect()
}

#[test]
fn every_sample_says_where_its_shape_is_documented() {
    for Sample { file, expected, .. } in samples() {
        assert!(expected["source"].as_str().is_some_and(|source| !source.is_empty()), "{file} has no source");
    }
}

#[test]
fn every_sample_becomes_exactly_its_trigger() {
    let mut wrong = Vec::new();
    for sample in samples() {
        let route = Route::of(&Method::POST, &sample.path).unwrap();
        let (_, read) = parse(route, &sample.header_map(), sample.body.as_bytes());
        let found = match (read, sample.refused()) {
            (Ok(trigger), None) => {
                let found = serde_json::to_value(&trigger).unwrap();
                (found != sample.expected["trigger"]).then(|| found.to_string())
            }
            (Ok(trigger), Some(_)) => Some(format!("{trigger:?}, and should be refused")),
            (Err(malformed), Some(reason))
                if malformed.why.contains(reason)
                    && sample.expected["status"] == malformed.status.as_u16() =>
            {
                None
            }
            (Err(malformed), _) => Some(format!("{}: {malformed}", malformed.status)),
        };
        if let Some(found) = found {
            wrong.push(format!("{}: {found}", sample.file));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Where the function reads otherwise than Google's framework, and why.
const OTHERWISE: [(&str, &str); 3] = [
    (
        "malformed-event-no-json.json",
        "the framework hands over what is no JSON as text; nothing here reads text",
    ),
    (
        "malformed-event-text.json",
        "the framework hands over what is no JSON as text; nothing here reads text",
    ),
    ("push-old-names.json", "the framework reads the newer of the two names alone"),
];

#[test]
fn events_are_read_as_google_s_framework_reads_them() {
    let samples: Vec<Sample> = samples().into_iter().filter(|sample| sample.path == "/").collect();
    let lines: Vec<String> = samples
        .iter()
        .map(|Sample { path, headers, body, .. }| {
            let headers: BTreeMap<_, _> = headers.iter().cloned().collect();
            json!({"path": path, "headers": headers, "body": body}).to_string()
        })
        .collect();
    let verdict = python("read_functions_framework.py", &[], &lines.join("\n"));
    assert!(verdict.content, "{}", verdict.complained);
    let said: Vec<Value> = verdict.said.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert_eq!(said.len(), samples.len(), "{}", verdict.complained);
    let mut different = Vec::new();
    for (sample, theirs) in samples.iter().zip(&said) {
        let ours = match read(&sample.header_map(), sample.body.as_bytes()) {
            Ok(Posted::Event(event)) => {
                let mut event = serde_json::to_value(&event).unwrap();
                let fields = event.as_object_mut().unwrap();
                fields.entry("subject").or_insert(Value::Null);
                json!({"status": 200, "event": event})
            }
            // A person's question is no event; the framework knows none.
            Ok(Posted::Asked(_)) | Err(_) => json!({"status": 400, "event": null}),
        };
        // Which number says no is everybody's own.
        let refused =
            |said: &Value| said["status"].as_u64().is_some_and(|status| (400..500).contains(&status));
        if ours != *theirs && !(refused(&ours) && refused(theirs)) {
            different
                .push((sample.file.as_str(), format!("{}\n  ours   {ours}\n  theirs {theirs}", sample.file)));
        }
    }
    let found: Vec<&str> = different.iter().map(|(file, _)| *file).collect();
    let all: Vec<&str> = different.iter().map(|(_, both)| both.as_str()).collect();
    assert_eq!(found, OTHERWISE.map(|(file, _)| file), "{}", all.join("\n"));
    assert!(samples.len() > 60, "{} requests were compared", samples.len());
}

async fn post(function: &CloudRun, sample: &Sample, bearer: &str) -> Answered {
    let mut headers: Vec<(&str, &str)> =
        sample.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    headers.push(("authorization", bearer));
    function.post(&sample.path, &headers, &sample.body).await.unwrap()
}

/// What is wrong with the answer to a sample.
fn judge(sample: &Sample, answered: &Answered) -> Option<String> {
    let (status, body) = (&answered.status, answered.json());
    let trigger = &sample.expected["trigger"];
    let right = match (sample.refused(), trigger["trigger"].as_str()) {
        (Some(reason), _) => {
            sample.expected["status"] == *status
                && body["refused"].as_str().is_some_and(|why| why.contains(reason))
                && body["recorded"].is_string()
        }
        (None, Some("ignored")) => *status == 200 && body["ignored"] == trigger["why"],
        (None, Some("asked")) => *status == 200 && body.is_object(),
        // There is no such sweep: that is an error, and the message comes again.
        (None, Some("work")) if trigger["messages"][0]["work"].get("sweep").is_some() => {
            matches!(*status, 200 | 500)
        }
        (None, _) => *status == 200 && body["summary"].is_string(),
    };
    (!right).then(|| format!("{}: {status} {body}", sample.file))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_real_binary_answers_every_sample_and_never_dies() {
    let ground = Ground::new();
    ground.tasks.pause(QUEUE);
    let function = ground.start(&ground.with_tokens()).await;
    let mut wrong = Vec::new();
    let mut refused = 0;
    for sample in samples() {
        let answered = post(&function, &sample, &ground.bearer(sample.caller())).await;
        assert_eq!(answered.headers["content-type"], "application/json", "{}", sample.file);
        wrong.extend(judge(&sample, &answered));
        refused += usize::from(sample.refused().is_some());
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), function.said().join("\n"));

    // Asked without a token, nobody is called: whether it is there, what is not there.
    for (method, path, status) in [
        ("GET", "/", 200),
        ("HEAD", "/", 200),
        ("GET", "/healthz", 200),
        ("GET", "/work", 405),
        ("POST", "/admin", 404),
    ] {
        assert_eq!(function.ask(method, path, &[], "").await.unwrap().status, status, "{method} {path}");
    }
    let events = ground.bearer(EVENTS);
    let large = vec![b' '; 10 * 1024 * 1024 + 1];
    let headers = [("authorization", &*events), ("content-type", "application/json")];
    let answered = function.post("/", &headers, &large).await.unwrap();
    assert_eq!(
        (answered.status, answered.json()["refused"].as_str()),
        (413, Some("the body has more than 10 MiB"))
    );

    let (code, said) = function.stop().await;
    assert_eq!(code, Some(0), "{said:?}");
    assert!(!said.iter().any(|line| line.contains("eyJ")), "no token is ever written down");
    let denied = denied(ground.simulator.calls());
    assert!(denied.is_empty(), "the accounts' grants are enough: {denied:#?}");

    let store = SqliteStore::open(ground.kept().to_str().unwrap()).await.unwrap();
    let kept = store.list("refused", None, 1000).await.unwrap();
    assert_eq!(kept.len(), refused, "each refused event is recorded once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sweep_goes_through_cloud_tasks_and_back_with_tokens() {
    let ground = Ground::new();
    let function = ground.start(&ground.with_tokens()).await;
    let begun = function.post("/sweep", &[("authorization", &ground.bearer(SCHEDULER))], "").await.unwrap();
    assert_eq!(begun.status, 200, "{}", begun.json());
    let patience = Instant::now() + Duration::from_secs(60);
    while ground.tasks.left(QUEUE) > 0 && Instant::now() < patience {
        ground.tasks.hurry(QUEUE);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(ground.tasks.left(QUEUE), 0, "{}", function.said().join("\n"));
    assert!(ground.tasks.dropped(QUEUE).is_empty(), "{}", function.said().join("\n"));
    assert!(ground.tasks.dispatches(QUEUE).len() > 3);
    let headers =
        [("authorization", &*ground.bearer("jane@acme.example")), ("content-type", "application/json")];
    let answered = function.post("/", &headers, r#"{"action": "status"}"#).await.unwrap().json();
    let targets: Vec<&str> = answered["targets"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|record| record["target"].as_str())
        .collect();
    for target in ["gcp/acme-checkout-prod", "gcp/team-0001"] {
        assert!(targets.contains(&target), "{targets:?}");
    }
    assert!(ground.issuer.fetches() <= 2, "keys are kept: {}", ground.issuer.fetches());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_gets_in_without_a_token_that_proves_who_it_is() {
    let ground = Ground::new();
    ground.tasks.pause(QUEUE);
    let function = ground.start(&ground.with_tokens()).await;
    let right = Claims::google(AUDIENCE, SCHEDULER);
    let sweep = async |headers: &[(&str, &str)]| function.post("/sweep", headers, "").await.unwrap();
    let shown = async |token: &str| sweep(&[("authorization", &format!("Bearer {token}"))]).await.status;
    assert_eq!(shown(&ground.issuer.token(&right)).await, 200);

    // What anybody can write proves nothing.
    for headers in [
        &[][..],
        &[("x-cloudtasks-queuename", "landfall-work"), ("x-cloudtasks-taskname", "1")],
        &[("x-cloudscheduler", "true"), ("user-agent", "Google-Cloud-Scheduler")],
        &[("x-goog-authenticated-user-email", SCHEDULER)],
        &[
            ("ce-id", "1"),
            ("ce-source", "//cloudaudit.googleapis.com"),
            ("ce-type", "x"),
            ("ce-specversion", "1.0"),
        ],
        &[("authorization", "Basic bGFuZGZhbGw6bGFuZGZhbGw=")],
        &[("authorization", "Bearer")],
        &[("authorization", "Bearer a.b.c")],
    ] {
        let answered = sweep(headers).await;
        assert_eq!(
            (answered.status, answered.headers["www-authenticate"].as_str()),
            (401, "Bearer"),
            "{headers:?}"
        );
    }
    for forgery in Forgery::ALL {
        // A key that is not known is asked for once, and then unknown keys rest; the right one is known already.
        assert_eq!(shown(&ground.issuer.forged(&right, forgery)).await, 401, "{forgery:?}");
    }
    let mut without_mail = right.clone();
    without_mail.email = None;
    let mut early = right.clone();
    early.more.insert("nbf".to_owned(), json!(right.exp));
    for (what, claims) in [
        ("it is over", right.clone().expired()),
        ("it has not begun", early),
        ("for somebody else", Claims { aud: "https://other.run.app".to_owned(), ..right.clone() }),
        ("from somebody else", Claims { iss: "https://accounts.example".to_owned(), ..right.clone() }),
        ("a look-alike", Claims { iss: "https://accounts.google.com.example".to_owned(), ..right.clone() }),
        ("nobody verified", Claims { email_verified: Some(false), ..right.clone() }),
        ("nobody said", Claims { email_verified: None, ..right.clone() }),
        ("nobody at all", without_mail),
    ] {
        assert_eq!(shown(&ground.issuer.token(&claims)).await, 401, "{what}");
    }
    assert_eq!(shown(&ground.issuer.token(&Claims::google(AUDIENCE, "mallory@evil.example"))).await, 403);

    // Everybody has a duty of his own.
    let as_somebody = async |who: &str, path: &str, body: &str| {
        let bearer = ground.bearer(who);
        let headers = [("authorization", &*bearer), ("content-type", "application/json")];
        function.post(path, &headers, body).await.unwrap().status
    };
    let (work, question) =
        (r#"{"work": "close", "sweep": "20261121T101500Z-3f9a6c01"}"#, r#"{"action": "status"}"#);
    let event = std::fs::read_to_string(root().join("events/gcp/feed-welcome.json")).unwrap();
    let event = serde_json::from_str::<Value>(&event).unwrap()["body"].to_string();
    assert_eq!(as_somebody(SCHEDULER, "/work", work).await, 403);
    assert_eq!(as_somebody(TASKS, "/sweep", "").await, 403);
    assert_eq!(as_somebody(TASKS, "/", question).await, 403);
    assert_eq!(as_somebody("jane@acme.example", "/", &event).await, 403);
    assert_eq!(as_somebody("jane@acme.example", "/", question).await, 200);
    assert_eq!(as_somebody(EVENTS, "/", &event).await, 200);
    drop(function.end().await);

    // Keys that can't be had are nobody's fault: whoever calls comes again.
    let mut environment = ground.with_tokens();
    environment.retain(|(name, _)| *name != "LANDFALL_JWKS");
    environment.push(("LANDFALL_JWKS", format!("http://127.0.0.1:{}/certs", CloudRun::port().unwrap())));
    let function = ground.start(&environment).await;
    for _ in 0..2 {
        let bearer = ground.bearer(SCHEDULER);
        assert_eq!(function.post("/sweep", &[("authorization", &bearer)], "").await.unwrap().status, 503);
    }
    assert_eq!(function.ask("GET", "/", &[], "").await.unwrap().status, 200);
}

/// Google's own Pub/Sub, on this machine: the program that the Google Cloud CLI installs.
fn emulator() -> Option<PathBuf> {
    let below = Path::new("platform/pubsub-emulator/bin/cloud-pubsub-emulator");
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .filter_map(|folder| std::fs::canonicalize(folder.join("gcloud")).ok())
        .filter_map(|gcloud| Some(gcloud.parent()?.parent()?.join(below)))
        .find(|program| program.is_file())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn google_s_own_pub_sub_pushes_to_the_function() {
    let Some(program) = emulator() else {
        skip(
            "Google's own Pub/Sub pushes to the function",
            "its emulator is not installed (gcloud components install pubsub-emulator)",
        );
        return;
    };
    let ground = Ground::new();
    ground.tasks.pause(QUEUE);
    let mut environment = ground.environment();
    environment.push(("LANDFALL_AUTH", "platform".to_owned()));
    // The emulator brings no token, whatever its subscription says.
    let function = ground.start(&environment).await;
    let port = CloudRun::port().unwrap();
    let verdict = python(
        "push_by_pubsub.py",
        &[program.to_str().unwrap(), &port.to_string(), &function.url()],
        &serde_json::to_string(&[
            "You have successfully configured real time feed on asset changes.".to_owned(),
            ground.simulator.creation_event(PROJECT).unwrap()["data"].to_string(),
        ])
        .unwrap(),
    );
    assert!(verdict.content, "{}\n{}", verdict.complained, function.said().join("\n"));
    let patience = Instant::now() + Duration::from_secs(30);
    let woken =
        |word: &str| function.said().iter().any(|line| line.contains(&format!("\"trigger\":\"{word}\"")));
    while !(woken("ignored") && woken("created")) {
        assert!(Instant::now() < patience, "{}", function.said().join("\n"));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
