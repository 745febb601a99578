//! Every sample of `events/` becomes exactly the trigger it should, and the function's real binary survives all of them.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use landfall_engine::store::Store as _;
use landfall_engine::store::sqlite::SqliteStore;
use landfall_function_aws::trigger::parse;
use landfall_model::manifest::bundle::Bundle;
use landfall_simulator::lambda::{Function, Invocation, failed_of};
use landfall_simulator::{MANAGEMENT_ACCOUNT, Options, Queue, Simulator, World};
use landfall_tests::judges::{function_binary, python, root};
use landfall_tests::permissions::denied;
use landfall_tests::stage;
use serde_json::{Value, json};

/// As much as a generous Lambda has.
pub(crate) const WITHIN: Duration = Duration::from_secs(120);
pub(crate) const REGION: &str = "eu-central-1";
pub(crate) const QUEUE: &str = "landfall-work";

/// A sample and what it has to become.
struct Sample {
    file: String,
    event: Value,
    source: String,
    trigger: Value,
}

impl Sample {
    /// A part of the reason, where it has to be refused.
    fn refused(&self) -> Option<&str> {
        self.trigger.get("refused").and_then(Value::as_str)
    }

    /// How the reason begins, where it has to be ignored.
    fn ignored(&self) -> bool {
        self.trigger["trigger"] == "ignored"
    }
}

fn samples() -> Vec<Sample> {
    let folder = root().join("events/aws");
    let expected = std::fs::read_to_string(folder.join("expected.json")).unwrap();
    let expected: BTreeMap<String, Value> = serde_json::from_str(&expected).unwrap();
    let there: BTreeSet<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "expected.json")
        .collect();
    assert_eq!(
        there,
        expected.keys().cloned().collect(),
        "events/aws and its expected.json name different files"
    );
    expected
        .into_iter()
        .map(|(file, expected)| {
            let event = std::fs::read_to_string(folder.join(&file)).unwrap();
            Sample {
                event: serde_json::from_str(&event).unwrap(),
                source: expected["source"].as_str().unwrap_or_default().to_owned(),
                trigger: expected["trigger"].clone(),
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
fn every_sample_becomes_exactly_its_trigger() {
    let mut wrong = Vec::new();
    for sample in samples() {
        let right = match (parse(&sample.event, MANAGEMENT_ACCOUNT), sample.refused()) {
            (Ok(trigger), None) => {
                let found = serde_json::to_value(&trigger).unwrap();
                (found != sample.trigger).then(|| found.to_string())
            }
            (Ok(trigger), Some(_)) => Some(format!("{trigger:?}, and should be refused")),
            (Err(malformed), Some(reason)) if malformed.to_string().contains(reason) => None,
            (Err(malformed), _) => Some(format!("refused: {malformed}")),
        };
        if let Some(found) = right {
            wrong.push(format!("{}: {found}", sample.file));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

pub(crate) fn world() -> World {
    let mut world = stage::granted(stage::world(4), &stage::manifest(stage::ACME));
    let queue = Queue {
        name: QUEUE.to_owned(),
        arn: format!("arn:aws:sqs:{REGION}:{MANAGEMENT_ACCOUNT}:{QUEUE}"),
        attributes: BTreeMap::new(),
        created_at: jiff::Timestamp::UNIX_EPOCH,
        messages: Vec::new(),
    };
    world.account_mut(MANAGEMENT_ACCOUNT).unwrap().region(REGION).queues.insert(QUEUE.to_owned(), queue);
    world
}

/// The function's process with the simulator as its cloud, and everything it keeps in a folder of its own.
pub(crate) async fn function(simulator: &Simulator, folder: &std::path::Path, manifest: &str) -> Function {
    let bundle = folder.join("bundle.json");
    std::fs::write(&bundle, Bundle::build(stage::manifest(manifest)).unwrap().bytes()).unwrap();
    let environment = [
        ("AWS_ENDPOINT_URL", simulator.url()),
        ("AWS_REGION", REGION.to_owned()),
        ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLEEXAMPLE00".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
        ("LANDFALL_MANIFEST", bundle.to_str().unwrap().to_owned()),
        ("LANDFALL_STORE", format!("sqlite:{}", folder.join("store.db").to_str().unwrap())),
        ("LANDFALL_QUEUE", format!("{}/{MANAGEMENT_ACCOUNT}/{QUEUE}", simulator.url())),
    ];
    let environment = environment.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Function::start(function_binary(), &[], &environment).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_real_binary_answers_every_sample_and_never_dies() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("calls.ndjson");
    let simulator =
        Simulator::start(Options { world: Some(world()), log: Some(log.clone()), ..Options::default() })
            .unwrap();
    let mut function = function(&simulator, folder.path(), stage::ACME).await;
    let process = function.pid();
    let mut refused = BTreeMap::new();
    let mut failed = Vec::new();
    for sample in samples() {
        let Sample { file, event, trigger, .. } = &sample;
        let answer = match function.invoke(event, WITHIN).await {
            Invocation::Answer(answer) => answer,
            Invocation::Failed(error) => {
                failed.push(format!("{file}: {error}"));
                continue;
            }
            Invocation::Died => panic!("{file} killed the function:\n{}", function.end().await.join("\n")),
        };
        if let Some(reason) = sample.refused() {
            let why = answer["refused"].as_str().unwrap_or_default();
            assert!(why.contains(reason), "{file}: {answer}");
            refused.insert(answer["recorded"].as_str().unwrap().to_owned(), why.to_owned());
        } else if sample.ignored() {
            assert_eq!(answer, json!({"ignored": trigger["why"]}), "{file}");
        } else if trigger["trigger"] == "work" {
            let unreadable: Vec<&str> = trigger["messages"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|message| message.get("unreadable").is_some())
                .map(|message| message["id"].as_str().unwrap())
                .collect();
            let again = failed_of(&answer);
            assert!(unreadable.iter().all(|id| again.iter().any(|failed| failed == id)), "{file}: {answer}");
        } else {
            assert!(answer.is_object(), "{file}: {answer}");
        }
    }
    assert!(failed.is_empty(), "failed invocations:\n{}", failed.join("\n"));
    assert_eq!(function.pid(), process, "one process took them all");

    // What is no JSON at all the runtime itself may refuse, but the process has to live.
    drop(function.api().invoke_raw("{\"Records\": [".into(), WITHIN).await);
    let after = function.invoke(&json!({"action": "status"}), WITHIN).await;
    assert!(matches!(after, Invocation::Answer(_)), "{after:?}");
    drop(function.end().await);
    let denied = denied(simulator.calls());
    assert!(denied.is_empty(), "the roles' grants are enough: {denied:#?}");

    let store = SqliteStore::open(folder.path().join("store.db").to_str().unwrap()).await.unwrap();
    let kept = store.list("refused", None, 1000).await.unwrap();
    assert_eq!(kept.len(), refused.len(), "each refused event is recorded once: {kept:?}");
    for (key, why) in refused {
        let stored = store.get(&key.parse().unwrap()).await.unwrap().unwrap();
        let record: Value = serde_json::from_slice(&stored.bytes).unwrap();
        assert_eq!(record["why"], why);
        assert!(
            record["event"].as_str().is_some_and(|digest| digest.len() == 64),
            "{record}: a digest, not the event"
        );
    }

    // What the binary itself sent is looked at too.
    let verdict = python("check_calls.py", &[log.to_str().unwrap()], "");
    assert!(verdict.content, "{}{}", verdict.said, verdict.complained);
}
