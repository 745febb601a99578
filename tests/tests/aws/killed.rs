//! The real function's process, killed in the middle of a baseline: the next delivery converges.
//!
//! `crash.rs` cuts every call inside the test's own process; here a process is really killed, at every call that writes and at
//! some that only look, with the lease of the dead run still standing when the next delivery comes.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "test harness: a failure here is a failed test"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use landfall_engine::store::Store as _;
use landfall_engine::store::sqlite::SqliteStore;
use landfall_engine::{history, lease};
use landfall_model::manifest::bundle::Bundle;
use landfall_model::record::Life;
use landfall_simulator::lambda::{Function, Invocation};
use landfall_simulator::{Faults, Options, Simulator, World};
use landfall_tests::judges::function_binary;
use landfall_tests::stage::{ACME, Stage, is_write, manifest, tenant, world};
use serde_json::Value;

/// The world, the store and the event, as they are when a new account has just been made.
struct Beginning {
    folder: tempfile::TempDir,
    world: World,
    account: String,
    event: Value,
}

impl Beginning {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("landfall.db");
        let store = Arc::new(SqliteStore::open(&database).await.unwrap());
        let stage = Stage::of(world(1), ACME, store).await;
        stage.sweep().await;
        drop(stage.simulator.take_events());
        let account = stage.simulator.edit(|world| world.create_account("new-shop"));
        let is_result = |event: &Value| event["detail"]["eventName"] == "CreateAccountResult";
        let event = stage.simulator.take_events().into_iter().find(is_result).unwrap();
        let world = stage.simulator.read(Clone::clone);
        std::fs::write(folder.path().join("bundle.json"), Bundle::build(manifest(ACME)).unwrap().bytes())
            .unwrap();
        Beginning { folder, world, account, event }
    }

    /// A copy of it all to break.
    fn copy(&self) -> (tempfile::TempDir, PathBuf, Simulator) {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("landfall.db");
        std::fs::copy(self.folder.path().join("landfall.db"), &database).unwrap();
        let options = Options { world: Some(self.world.clone()), ..Options::default() };
        (folder, database, Simulator::start(options).unwrap())
    }

    fn environment(&self, simulator: &Simulator, database: &Path) -> BTreeMap<String, String> {
        let text = |path: &Path| path.display().to_string();
        BTreeMap::from([
            ("AWS_ENDPOINT_URL".to_owned(), simulator.url()),
            ("AWS_REGION".to_owned(), "eu-central-1".to_owned()),
            ("AWS_ACCESS_KEY_ID".to_owned(), "AKIDTEST".to_owned()),
            ("AWS_SECRET_ACCESS_KEY".to_owned(), "not-a-secret".to_owned()),
            ("LANDFALL_MANIFEST".to_owned(), text(&self.folder.path().join("bundle.json"))),
            ("LANDFALL_STORE".to_owned(), format!("sqlite:{}", text(database))),
            ("LANDFALL_QUEUE".to_owned(), simulator.create_queue("eu-central-1", "landfall-work", 5)),
        ])
    }
}

/// Long enough for a baseline on a busy machine, short enough to wait for its end.
const DEADLINE: Duration = Duration::from_secs(10);

async fn killed_at(beginning: &Beginning, k: u64) {
    let (_folder, database, simulator) = beginning.copy();
    let environment = beginning.environment(&simulator, &database);
    simulator.clear_calls();
    simulator.set_faults(Faults { cut_at: Some(k), ..Faults::default() });
    let mut function = Function::start(function_binary(), &[], &environment).await.unwrap();
    {
        let run = function.invoke(&beginning.event, DEADLINE);
        let reached = async {
            while (simulator.calls().len() as u64) < k {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::select! {
            _ = run => {}
            () = reached => {}
        }
    }
    drop(function.end().await);
    simulator.set_faults(Faults::default());

    // The event comes again at once: the dead run's lease may still stand, and then the message it leaves comes after the end.
    let mut function = Function::start(function_binary(), &[], &environment).await.unwrap();
    let again = function.invoke(&beginning.event, Duration::from_secs(60)).await;
    assert!(matches!(again, Invocation::Answer(_)), "call {k}: {again:?}");
    let store = SqliteStore::open(&database).await.unwrap();
    let target = tenant(&beginning.account);
    let record = async || lease::peek(&store, &target).await.unwrap().unwrap();
    for _ in 0..100 {
        let now = record().await;
        if now.life == Life::HandedOver && now.lease.is_none() {
            break;
        }
        // What SQS would do: hand over what has become due.
        tokio::time::sleep(Duration::from_millis(300)).await;
        let due = simulator.read(|world| {
            let now = jiff::Timestamp::now();
            let account = world.account(landfall_simulator::MANAGEMENT_ACCOUNT).unwrap();
            let queue = &account.regions["eu-central-1"].queues["landfall-work"];
            let due: Vec<(String, String)> = queue
                .messages
                .iter()
                .filter(|message| message.visible_at <= now)
                .map(|message| (message.id.clone(), message.body.clone()))
                .collect();
            due
        });
        if due.is_empty() {
            continue;
        }
        let batch =
            landfall_simulator::lambda::sqs_event(due.iter().map(|(id, body)| (id.as_str(), body.as_str())));
        let answer = function.invoke(&batch, Duration::from_secs(60)).await;
        let Invocation::Answer(answer) = answer else { panic!("call {k}: {answer:?}") };
        assert_eq!(landfall_simulator::lambda::failed_of(&answer), Vec::<String>::new(), "call {k}");
        simulator.edit(|world| {
            let account = world.account_mut(landfall_simulator::MANAGEMENT_ACCOUNT).unwrap();
            let queue = account.region("eu-central-1").queues.get_mut("landfall-work").unwrap();
            queue.messages.retain(|message| !due.iter().any(|(id, _)| id == &message.id));
        });
    }
    assert_eq!(record().await.life, Life::HandedOver, "call {k}: {:?}", function.end().await);
    let verified = history::verify(&store, &target).await.unwrap();
    assert_eq!((verified.broken, verified.open), (None, 0), "call {k}");
    let deliveries = store.list("deliveries", None, 10).await.unwrap();
    assert_eq!(deliveries.len(), 1, "call {k}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_killed_in_the_middle_of_a_baseline_is_followed_by_one_that_ends_it() {
    let beginning = Beginning::new().await;
    // One undisturbed run tells which calls there are.
    let (_folder, database, simulator) = beginning.copy();
    let environment = beginning.environment(&simulator, &database);
    simulator.clear_calls();
    let mut function = Function::start(function_binary(), &[], &environment).await.unwrap();
    let answer = function.invoke(&beginning.event, Duration::from_secs(60)).await;
    assert!(
        matches!(&answer, Invocation::Answer(answer) if answer["summary"].to_string().contains("handed over")),
        "{answer:?}"
    );
    drop(function.end().await);
    let calls: Vec<bool> = simulator
        .calls()
        .iter()
        .map(|call| is_write(&format!("{}:{}", call.service, call.operation)))
        .collect();

    let kills: Vec<u64> =
        (1..).zip(&calls).filter(|(k, writes)| **writes || *k % 10 == 0).map(|(k, _)| k).collect();
    println!("{} kills in a baseline of {} calls", kills.len(), calls.len());
    for kills in kills.chunks(24) {
        futures_util::future::join_all(kills.iter().map(|k| killed_at(&beginning, *k))).await;
    }
}
