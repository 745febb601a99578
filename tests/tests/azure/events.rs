//! Every sample of `events/azure` becomes exactly the triggers it should, and the real custom handler, started and read as the
//! Functions host does it, survives all of them.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "test code")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use landfall_engine::store::Store as _;
use landfall_engine::store::sqlite::SqliteStore;
use landfall_function_azure::trigger::{Function, parse};
use landfall_model::manifest::bundle::Bundle;
use landfall_simulator::azure::{AzureOptions, AzureSimulator, AzureWorld};
use landfall_simulator::functions_host::{Asked, Completed, Fate, Host, HostOptions, Invocation, Output};
use landfall_tests::azure::granted;
use landfall_tests::azurite::Azurite;
use landfall_tests::judges::{azure_function_binary, root};
use landfall_tests::permissions::denied;
use landfall_tests::stage::manifest;
use serde_json::{Value, json};

/// Enough for the subscriptions that the samples name.
const SUBSCRIPTIONS: usize = 24;
pub(crate) const QUEUE: &str = "landfall-work";
/// A tenant that the manifest names.
pub(crate) const TENANT: &str = "3f2c0000-0000-4000-8000-000000000002";
/// A small organization: what is set in a tenant is no matter here.
const ACME: &str = r#"
landfall: 1
organization: acme
clouds:
  azure: { directory: 8f0c1a52-0000-4000-8000-000000000001, root: acme, locations: [westeurope],
           controller-subscription: 3f2c0000-0000-4000-8000-000000000001 }
contacts:
  security: { email: security@acme.example, phone: "+49 30 1" }
  operations: ops@acme.example
  billing: billing@acme.example
limits: { changes: 100, deletions: 4, tenants: 50 }
environments: [production]
units: { workloads: { landing-zone: standard, units: { production: {} } } }
teams: { payments: {} }
controls:
  tagged: { control: tags }
  reachable: { control: security-contacts }
landing-zones:
  standard: { version: 1, controls: [tagged, reachable] }
projects:
  checkout:
    team: payments
    cost-center: "4711"
    tenants:
      - { azure: 3f2c0000-0000-4000-8000-000000000002, unit: workloads/production, environment: production }
intake:
  - { otherwise: stay-gated }
"#;

/// A sample and what it has to become.
struct Sample {
    file: String,
    function: Function,
    body: Value,
    source: String,
    expected: Value,
}

impl Sample {
    /// A part of the reason, where it has to be refused.
    fn refused(&self) -> Option<&str> {
        self.expected["refused"].as_str()
    }

    /// Whether one of its messages can't be read.
    fn is_unreadable(&self) -> bool {
        self.expected["triggers"][0]["messages"][0].get("unreadable").is_some()
    }
}

fn samples() -> Vec<Sample> {
    let folder = root().join("events/azure");
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
        "events/azure and its expected.json name different files"
    );
    expected
        .into_iter()
        .map(|(file, expected)| {
            let body = std::fs::read_to_string(folder.join(&file)).unwrap();
            Sample {
                function: Function::of(expected["function"].as_str().unwrap()).unwrap(),
                body: serde_json::from_str(&body).unwrap(),
                source: expected["source"].as_str().unwrap_or_default().to_owned(),
                expected,
                file,
            }
        })
        .collect()
}

#[test]
fn every_sample_says_where_its_shape_is_documented() {
    for Sample { file, source, .. } in samples() {
        assert!(!source.is_empty(), "{file} has no source");
    }
}

#[test]
fn every_sample_becomes_exactly_its_triggers() {
    let mut wrong = Vec::new();
    for sample in samples() {
        let found = match (parse(sample.function, &sample.body), sample.refused()) {
            (Ok(triggers), None) => {
                let found = serde_json::to_value(&triggers).unwrap();
                (found != sample.expected["triggers"]).then(|| found.to_string())
            }
            (Ok(triggers), Some(_)) => Some(format!("{triggers:?}, and should be refused")),
            (Err(malformed), Some(reason)) if malformed.to_string().contains(reason) => None,
            (Err(malformed), _) => Some(format!("refused: {malformed}")),
        };
        if let Some(found) = found {
            wrong.push(format!("{}: {found}", sample.file));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The handler's process on a simulated directory, with an Azurite for its queue and everything it keeps in a folder of its own.
pub(crate) async fn host(simulator: &AzureSimulator, azurite: &Azurite, folder: &Path) -> Host {
    let bundle = folder.join("bundle.json");
    std::fs::write(&bundle, Bundle::build(manifest(ACME)).unwrap().bytes()).unwrap();
    let environment = [
        ("LANDFALL_AZURE_ENDPOINT", simulator.url()),
        ("LANDFALL_AZURE_STORAGE", azurite.blob().to_owned()),
        ("LANDFALL_MANIFEST", bundle.to_str().unwrap().to_owned()),
        ("LANDFALL_STORE", format!("sqlite:{}", folder.join("store.db").to_str().unwrap())),
        ("LANDFALL_QUEUE", azurite.create_queue(QUEUE)),
        ("LANDFALL_QUEUE_NAME", QUEUE.to_owned()),
        ("LANDFALL_SCHEDULE", "0 0 * * * *".to_owned()),
        ("LANDFALL_EVENT_HUB", "activity".to_owned()),
    ];
    let options = HostOptions {
        handler: Some(azure_function_binary()),
        environment: environment.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        ..HostOptions::new(root().join("functions/azure/app"))
    };
    Host::start(options).await.unwrap()
}

pub(crate) fn simulator() -> AzureSimulator {
    let world = Some(granted(AzureWorld::sample(SUBSCRIPTIONS), &manifest(ACME)));
    AzureSimulator::start(AzureOptions { world, ..AzureOptions::default() }).unwrap()
}

/// What an HTTP function's client would get.
fn response(completed: &Completed) -> (String, Value) {
    let Some(Output::Json(response)) = completed.outputs.get("res") else { panic!("{completed:?}") };
    let body = response["Body"].as_str().unwrap();
    (response["StatusCode"].as_str().unwrap().to_owned(), serde_json::from_str(body).unwrap())
}

/// What is wrong with the answer to a sample. `Ok` says under which name a refused one was recorded.
fn judge(sample: &Sample, invocation: &Invocation) -> Result<Option<String>, String> {
    let completed = match invocation {
        // A message that nobody can read must come again, until the host sets it aside.
        Invocation::Failed(_) if sample.function == Function::Queue => {
            let work = sample.expected["triggers"][0]["messages"][0].get("work").is_some();
            return if work || sample.is_unreadable() || sample.refused().is_some() {
                Ok(None)
            } else {
                Err("it failed".to_owned())
            };
        }
        Invocation::Failed(why) => return Err(why.clone()),
        Invocation::Succeeded(_) if sample.is_unreadable() => return Err("it counts as done".to_owned()),
        Invocation::Succeeded(completed) => completed,
    };
    if let Some(reason) = sample.refused() {
        if sample.function == Function::Console {
            let (status, body) = response(completed);
            let right = status == "400" && body["refused"].as_str().is_some_and(|why| why.contains(reason));
            return if right {
                Ok(body["recorded"].as_str().map(str::to_owned))
            } else {
                Err(body.to_string())
            };
        }
        let line = completed.logs.first().cloned().unwrap_or_default();
        let recorded = line.rsplit_once(" (").map(|(_, end)| end.trim_end_matches(')').to_owned());
        return if line.starts_with("refused: ") && line.contains(reason) { Ok(recorded) } else { Err(line) };
    }
    if sample.function == Function::Console {
        let (status, body) = response(completed);
        return if status == "200" && body.is_object() { Ok(None) } else { Err(format!("{status} {body}")) };
    }
    let ignored = |trigger: &Value| trigger["why"].as_str().map(|why| format!("ignored: {why}"));
    let triggers = sample.expected["triggers"].as_array().unwrap();
    if completed.logs.len() != triggers.len() && sample.expected.get("answer").is_none() {
        return Err(format!("{} answers for {} triggers", completed.logs.len(), triggers.len()));
    }
    for (trigger, line) in triggers.iter().zip(&completed.logs) {
        let handshake = sample.expected.get("answer").is_some();
        if trigger["trigger"] == "ignored" && !handshake && ignored(trigger).as_ref() != Some(line) {
            return Err(line.clone());
        }
    }
    Ok(None)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_real_binary_answers_every_sample_and_never_dies() {
    let folder = tempfile::tempdir().unwrap();
    let (simulator, azurite) = (simulator(), Azurite::start());
    let host = host(&simulator, &azurite, folder.path()).await;
    let process = host.pid();
    let mut recorded = BTreeSet::new();
    let mut refused = 0;
    let mut wrong = Vec::new();
    for sample in samples() {
        let invocation = host.invoke_raw(sample.function.as_str(), &sample.body).await;
        match judge(&sample, &invocation) {
            Ok(name) => recorded.extend(name),
            Err(why) => wrong.push(format!("{}: {why}", sample.file)),
        }
        refused += usize::from(sample.refused().is_some());
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), host.end().await.join("\n"));

    // What is no JSON, no function, or no invocation at all is answered with JSON too, or the host would wait for ever.
    for path in ["timer", "nobody", "a/b/c", ""] {
        let (status, media, body) = host.post_raw(path, "{\"Data\":".into()).await.unwrap();
        assert!((400..500).contains(&status), "{path}: {status}");
        assert_eq!(media.as_deref(), Some("application/json"), "{path}");
        assert!(serde_json::from_slice::<Value>(&body).unwrap()["Logs"].is_array(), "{path}");
    }
    assert_eq!(host.pid(), process);
    let alive =
        host.invoke_raw("console", &json!({"Data": {"req": {"Body": "{\"action\": \"status\"}"}}})).await;
    assert!(matches!(alive, Invocation::Succeeded(_)), "{alive:?}");
    drop(host.end().await);
    let denied = denied(simulator.calls());
    assert!(denied.is_empty(), "the identities' grants are enough: {denied:#?}");

    let store = SqliteStore::open(folder.path().join("store.db").to_str().unwrap()).await.unwrap();
    let kept = store.list("refused", None, 1000).await.unwrap();
    assert_eq!(kept.len(), refused, "each refused event is recorded once");
    for key in recorded {
        let stored = store.get(&key.parse().unwrap()).await.unwrap().unwrap();
        let record: Value = serde_json::from_slice(&stored.bytes).unwrap();
        assert!(record["event"].as_str().is_some_and(|digest| digest.len() == 64), "{record}: a digest");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handshakes_are_answered_with_what_event_grid_wants_to_hear() {
    let folder = tempfile::tempdir().unwrap();
    let (simulator, azurite) = (simulator(), Azurite::start());
    let host = host(&simulator, &azurite, folder.path()).await;
    for sample in samples().into_iter().filter(|sample| sample.expected.get("answer").is_some()) {
        let (status, _, body) =
            host.post_raw(sample.function.as_str(), sample.body.to_string().into()).await.unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        let (response, expected) = (&body["Outputs"]["res"], &sample.expected["answer"]);
        assert_eq!((status, &response["statusCode"]), (200, &expected["statusCode"]), "{}", sample.file);
        if expected.get("body").is_some() {
            let said: Value = serde_json::from_str(response["body"].as_str().unwrap()).unwrap();
            assert_eq!(said, expected["body"], "{}", sample.file);
        }
        if let Some(headers) = expected["headers"].as_object() {
            assert_eq!(response["headers"].as_object(), Some(headers), "{}", sample.file);
        }
    }
    drop(host.end().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_host_s_own_invocations_go_the_whole_way() {
    let folder = tempfile::tempdir().unwrap();
    let (simulator, azurite) = (simulator(), Azurite::start());
    let host = host(&simulator, &azurite, folder.path()).await;

    // A sweep begins, and its messages lie in the queue as the host's trigger decodes them.
    let timer = host.invoke_timer("timer", false).await;
    assert!(matches!(&timer, Invocation::Succeeded(done) if done.logs[0].contains("has begun")), "{timer:?}");
    let waiting = azurite.peek(QUEUE);
    let first = waiting.split_once("<MessageText>").unwrap().1.split_once("</MessageText>").unwrap().0;
    let delivery = host.invoke_queue("queue", first, 1).await;
    assert_eq!(delivery.fate, Fate::Deleted, "{delivery:?}");

    // A message that is none (`hello`) is brought again until it is set aside, and the function says every time that it failed.
    let deliveries = host.deliver("queue", "aGVsbG8=").await;
    assert_eq!(deliveries.len(), 5);
    assert_eq!(deliveries[4].fate, Fate::Poison { queue: format!("{QUEUE}-poison") });

    let written = json!({"records": [{
        "operationName": "MICROSOFT.MANAGEMENT/MANAGEMENTGROUPS/SUBSCRIPTIONS/WRITE",
        "resultType": "Success",
        "resourceId": format!("/providers/Microsoft.Management/managementGroups/acme/subscriptions/{}", TENANT),
    }]});
    let activity = host.invoke_event_hub("activity", &[written.to_string()]).await;
    assert!(matches!(&activity, Invocation::Succeeded(done) if done.logs.len() == 1), "{activity:?}");

    let mut asked =
        Asked { method: "POST".to_owned(), body: b"{\"action\": \"status\"}".to_vec(), ..Asked::default() };
    assert_eq!(host.invoke_http("console", &asked).await.status, 401, "without the key nobody gets in");
    asked.headers.insert("x-functions-key".to_owned(), "landfall-key".to_owned());
    let answer = host.invoke_http("console", &asked).await;
    assert_eq!(
        (answer.status, answer.headers["content-type"].as_str()),
        (200, "application/json; charset=utf-8")
    );
    let answer = answer.json();
    let targets: Vec<&str> =
        answer["targets"].as_array().unwrap().iter().filter_map(|record| record["target"].as_str()).collect();
    assert!(targets.contains(&format!("azure/{}", TENANT).as_str()), "{answer}");
    assert!(!host.said().iter().any(|line| line.contains("landfall-key")), "the key is never written down");
    drop(host.end().await);
}
