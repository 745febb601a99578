//! Azure's real handler, killed in the middle of a baseline, and woken three times at once: what follows ends it, once.
//!
//! `crash.rs` cuts calls inside the test's own process; here a process is really killed, at every call that writes and at some
//! that only look, with the lease of the dead run still standing when the next delivery comes.

#![expect(clippy::unwrap_used, reason = "test harness: a failure here is a failed test")]

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use jiff::Timestamp;
use landfall_engine::store::sqlite::SqliteStore;
use landfall_engine::store::{Store as _, StoreExt as _};
use landfall_engine::{history, keys, lease};
use landfall_model::manifest::bundle::Bundle;
use landfall_model::record::{Life, Record};
use landfall_simulator::azure::{AzureOptions, AzureSimulator, AzureWorld};
use landfall_simulator::functions_host::{Fate, Host, HostOptions, Invocation};
use landfall_simulator::storage_queue::StorageQueues;
use landfall_simulator::{Call, Faults};
use landfall_tests::azure::{ACME, world};
use landfall_tests::judges::{azure_function_binary, root};
use landfall_tests::stage::{Stage, manifest, tenant};

const QUEUE: &str = "landfall-work";

/// Of the calls that only look, each so many is where a process is killed.
const EVERY: u64 = 20;

/// Kills at once.
const AT_ONCE: usize = 12;

/// Longer than the host leaves a message to a function here.
const HIDDEN: Duration = Duration::from_secs(60);

/// The world, the store and the event, as they are when a new subscription has just been made.
struct Beginning {
    folder: tempfile::TempDir,
    world: AzureWorld,
    id: String,
    /// What a diagnostic setting sends to the Event Hub.
    batch: Vec<String>,
}

impl Beginning {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(folder.path().join("landfall.db")).await.unwrap());
        let stage = Stage::on(world(1), ACME, store).await;
        stage.sweep().await;
        drop(stage.simulator.take_events());
        let id = stage.simulator.edit(|world| world.add_subscription("new-shop"));
        let records = stage.simulator.take_events();
        // What was made names nobody, and begins a sweep; where it was put names it.
        let names = |record: &&serde_json::Value| {
            let about = record["resourceId"].as_str().unwrap_or_default();
            about.to_ascii_lowercase().contains(&id)
        };
        let records: Vec<_> = records.iter().filter(names).collect();
        let batch = vec![serde_json::json!({ "records": records }).to_string()];
        std::fs::write(folder.path().join("bundle.json"), Bundle::build(manifest(ACME)).unwrap().bytes())
            .unwrap();
        let world = stage.simulator.read(Clone::clone);
        Beginning { folder, world, id, batch }
    }

    /// A copy of it all to break.
    async fn copy(&self) -> Ground<'_> {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("landfall.db");
        std::fs::copy(self.folder.path().join("landfall.db"), &database).unwrap();
        let options = AzureOptions { world: Some(self.world.clone()), ..AzureOptions::default() };
        let simulator = AzureSimulator::start(options).unwrap();
        let queues = StorageQueues::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
        queues.create(QUEUE);
        let store = SqliteStore::open(&database).await.unwrap();
        Ground { beginning: self, _folder: folder, database, simulator, queues, store }
    }
}

/// One simulated directory, one queue, one store, and as many handlers on them as are started.
struct Ground<'a> {
    beginning: &'a Beginning,
    _folder: tempfile::TempDir,
    database: PathBuf,
    simulator: AzureSimulator,
    queues: StorageQueues,
    store: SqliteStore,
}

impl Ground<'_> {
    /// Starts a handler as the Functions host does.
    async fn host(&self) -> Host {
        let bundle = self.beginning.folder.path().join("bundle.json");
        let environment = [
            ("LANDFALL_AZURE_ENDPOINT", self.simulator.url()),
            ("LANDFALL_AZURE_STORAGE", self.queues.url()),
            ("LANDFALL_MANIFEST", bundle.display().to_string()),
            ("LANDFALL_STORE", format!("sqlite:{}", self.database.display())),
            ("LANDFALL_QUEUE", self.queues.create(QUEUE)),
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

    /// Hands over the event.
    async fn tell(&self, host: &Host) -> Invocation {
        host.invoke_event_hub("activity", &self.beginning.batch).await
    }

    /// Hands over what lies in the queue, as soon as it may be and before, until the subscription is handed over and nothing is left.
    async fn work_off(&self, hosts: &[&Host]) -> Result<(), String> {
        for host in hosts.iter().cycle().take(40) {
            let record = self.record().await;
            let over = record.as_ref().is_some_and(|one| one.life == Life::HandedOver && one.lease.is_none());
            if self.queues.due(QUEUE) == 0 {
                match (self.queues.later(QUEUE), over) {
                    (0, true) => return Ok(()),
                    (0, false) => return Err(format!("nobody goes on with {record:?}")),
                    _ => self.queues.hurry(QUEUE),
                }
            }
            for taken in self.queues.take(QUEUE, 8, HIDDEN) {
                match host.invoke_queue("queue", &taken.text, taken.count).await.fate {
                    Fate::Deleted => self.queues.done(QUEUE, &taken),
                    Fate::Again { .. } => self.queues.again(QUEUE, &taken, Duration::ZERO),
                    Fate::Poison { .. } => return Err(format!("`{}` was set aside", taken.text)),
                }
            }
        }
        Err("it never ends".to_owned())
    }

    async fn record(&self) -> Option<Record> {
        lease::peek(&self.store, &tenant(&self.beginning.id)).await.unwrap()
    }

    /// Time passes, as far as a dead run's lease is concerned: it has ended.
    async fn end_lease(&self) {
        let key = keys::record(&tenant(&self.beginning.id)).unwrap();
        let Some((mut record, seen)) = self.store.read::<Record>(&key).await.unwrap() else { return };
        let Some(lease) = &mut record.lease else { return };
        lease.until = Timestamp::now() - Duration::from_secs(60);
        self.store.update_json(&key, &record, &seen).await.unwrap();
    }

    /// What the subscription was told, in the order of their names.
    fn writes(&self) -> Vec<String> {
        let calls = self.simulator.calls();
        let accepted = calls.iter().filter(|call| {
            // How often a registration is asked for depends on how long it takes, and twice is once.
            writes(call)
                && !call.path.ends_with("/register")
                && call.status.is_some_and(|status| status < 300)
                && call.path.contains(&self.beginning.id)
        });
        let mut writes: Vec<String> = accepted.map(|call| format!("{} {}", call.method, call.path)).collect();
        writes.sort();
        writes
    }

    /// It was brought to its baseline and handed over, once, and the history tells all of it.
    async fn is_over(&self) {
        let target = tenant(&self.beginning.id);
        assert_eq!(self.record().await.unwrap().life, Life::HandedOver);
        let verified = history::verify(&self.store, &target).await.unwrap();
        assert_eq!((verified.broken, verified.open), (None, 0));
        assert_eq!(self.store.list("deliveries", None, 10).await.unwrap().len(), 1);
        let gated = self.simulator.read(|world| {
            let inside = world.subscription(&self.beginning.id).unwrap();
            inside.governance.policy_assignments.contains_key("landfall-quarantine")
        });
        assert!(!gated, "handed over behind a closed gate");
    }
}

/// Whether a call changes something. A summary of what policies found is asked for with a POST.
fn writes(call: &Call) -> bool {
    call.method != "GET" && !call.operation.contains("summarize")
}

async fn killed_at(ground: Ground<'_>, k: u64) {
    let simulator = &ground.simulator;
    simulator.clear_calls();
    simulator.set_faults(Faults { cut_at: Some(k), ..Faults::default() });
    let host = ground.host().await;
    {
        let run = async {
            drop(ground.tell(&host).await);
            drop(ground.work_off(&[&host]).await);
        };
        let reached = async {
            while (simulator.calls().len() as u64) < k {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::select! {
            () = run => panic!("call {k} was never made: {:?}", host.said()),
            () = reached => {}
        }
    }
    drop(host.end().await);
    simulator.set_faults(Faults::default());

    // The event comes again at once, while the dead run's lease stands; what that leaves in the queue comes after the lease's end.
    let host = ground.host().await;
    let again = ground.tell(&host).await;
    assert!(matches!(again, Invocation::Succeeded(_)), "call {k}: {again:?}");
    ground.end_lease().await;
    let done = ground.work_off(&[&host]).await;
    let said = host.end().await;
    assert!(done.is_ok(), "call {k}: {done:?} {said:#?}");
    ground.is_over().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_killed_in_the_middle_of_a_baseline_is_followed_by_one_that_ends_it() {
    let beginning = Beginning::new().await;
    // One undisturbed run tells which calls there are.
    let ground = beginning.copy().await;
    let host = ground.host().await;
    let told = ground.tell(&host).await;
    assert!(matches!(told, Invocation::Succeeded(_)), "{told:?}");
    ground.work_off(&[&host]).await.unwrap();
    drop(host.end().await);
    ground.is_over().await;
    let calls: Vec<bool> = ground.simulator.calls().iter().map(writes).collect();

    let kills: Vec<u64> =
        (1..).zip(&calls).filter(|(k, writes)| **writes || *k % EVERY == 0).map(|(k, _)| k).collect();
    println!("{} kills in a baseline of {} calls", kills.len(), calls.len());
    let kill = async |k| killed_at(beginning.copy().await, k).await;
    futures_util::stream::iter(kills).for_each_concurrent(AT_ONCE, kill).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_deliveries_at_once_to_two_processes_are_one_baseline() {
    let beginning = Beginning::new().await;
    let alone = beginning.copy().await;
    let host = alone.host().await;
    drop(alone.tell(&host).await);
    alone.work_off(&[&host]).await.unwrap();
    drop(host.end().await);

    let ground = beginning.copy().await;
    let (one, two) = (ground.host().await, ground.host().await);
    let told = tokio::join!(ground.tell(&one), ground.tell(&two), ground.tell(&one));
    for told in [told.0, told.1, told.2] {
        assert!(matches!(told, Invocation::Succeeded(_)), "{told:?}");
    }
    ground.work_off(&[&one, &two]).await.unwrap();
    drop((one.end().await, two.end().await));
    ground.is_over().await;
    assert_eq!(ground.writes(), alone.writes());
}
