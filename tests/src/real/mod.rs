//! The real function of a cloud, a process on this machine: started, woken, handed its messages, killed. What it stands on is a
//! simulated organization, the cloud's queue, and a store that outlives it.

#![expect(clippy::unwrap_used, reason = "test harness: a failure here is a failed test")]

mod aws;
mod azure;
mod gcp;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use landfall_engine::lease;
use landfall_engine::store::sqlite::SqliteStore;
use landfall_model::manifest::bundle::Bundle;
use landfall_model::record::Record;
use landfall_simulator::{Call, Faults};
use serde_json::Value;

use crate::properties::Ground;
use crate::stage::{manifest, tenant};

/// What waits in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    pub due: usize,
    pub later: usize,
}

/// A simulated cloud, and the function's own process in it.
pub trait Real: Ground {
    /// What wakes the function.
    type Event: Send + Sync;
    /// A process of it.
    type Process: Send + Sync;
    /// Where it leaves work for later.
    type Queue: Send + Sync;

    /// The manifest that most scenarios share.
    const MANIFEST: &'static str;

    /// An organization of so many sample tenants beside the one that Landfall lives in.
    fn sample(tenants: usize) -> Self;
    /// Another that stands where this one does.
    fn twin(&self) -> Self;
    /// Where it listens, as `http://127.0.0.1:PORT`.
    fn address(&self) -> String;
    /// An empty queue.
    fn queue(&self) -> Self::Queue;
    /// The function, as tests build it.
    fn binary() -> PathBuf;
    /// What its process is told beside its manifest and its store.
    fn environment(&self, queue: &Self::Queue) -> Vec<(&'static str, String)>;

    /// Starts a process, and waits until it can be woken.
    fn start(
        binary: &Path,
        environment: BTreeMap<String, String>,
        queue: &Self::Queue,
    ) -> impl Future<Output = Self::Process> + Send;
    fn pid(process: &Self::Process) -> u32;
    /// Hands an event over; why, where it was not taken for done.
    fn tell(process: &Self::Process, event: &Self::Event) -> impl Future<Output = Result<(), String>> + Send;
    /// Kills it as a crash would, and answers what it wrote.
    fn end(process: Self::Process) -> impl Future<Output = Vec<String>> + Send;

    /// An event that is none of ours.
    fn noise() -> Self::Event;
    /// The schedule's, which begins a sweep.
    fn schedule() -> Self::Event;
    /// Makes a tenant of this name: its id, and what the cloud says of it.
    fn made(&self, name: &str) -> (String, Self::Event);

    fn waiting(&self, queue: &Self::Queue) -> Waiting;
    /// Lets the time pass for which messages are held back.
    fn hurry(&self, queue: &Self::Queue);
    /// Hands over what is due, as the cloud's own trigger does; why, where a message was set aside.
    fn work(
        &self,
        queue: &Self::Queue,
        process: &Self::Process,
    ) -> impl Future<Output = Result<(), String>> + Send;

    /// Every call so far, in order.
    fn received(&self) -> Vec<Call>;
    /// Forgets the calls so far.
    fn forget(&self);
    /// Replaces the faults.
    fn set(&self, faults: Faults);
    /// Whether a call changes something.
    fn changes_something(call: &Call) -> bool;
    /// Whether a call is about a tenant. How often some are made depends on how long something takes: those that do no more the second
    /// time are left out.
    fn is_about(&self, call: &Call, id: &str) -> bool;
    /// Whether a tenant's own gate is closed.
    fn is_gated(&self, id: &str) -> bool;
    /// Everything in a tenant, as far as it is simulated.
    fn inside(&self, id: &str) -> Value;
}

/// How often what waits is handed over until there is no end to it.
const ROUNDS: usize = 40;

/// One simulated cloud, one queue, one store, and as many processes on them as are started.
#[derive(Debug)]
pub struct Site<S: Real> {
    pub simulator: S,
    pub queue: S::Queue,
    folder: tempfile::TempDir,
}

impl<S: Real> Site<S> {
    /// So many sample tenants, on which nobody has looked yet.
    pub fn new(tenants: usize) -> Self {
        let site = Self::on(S::sample(tenants));
        std::fs::write(site.path("bundle.json"), Bundle::build(manifest(S::MANIFEST)).unwrap().bytes())
            .unwrap();
        site
    }

    /// A copy of it all to break, but for what waits in its queue.
    pub fn copy(&self) -> Self {
        let site = Self::on(self.simulator.twin());
        for file in std::fs::read_dir(self.folder.path()).unwrap() {
            let name = file.unwrap().file_name().into_string().unwrap();
            // What SQLite shares among processes is made anew; what a killed one wrote last may stand in its log alone.
            if !name.ends_with("-shm") {
                std::fs::copy(self.path(&name), site.path(&name)).unwrap();
            }
        }
        site
    }

    fn on(simulator: S) -> Self {
        Site { queue: simulator.queue(), simulator, folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// Everything that a process is told.
    pub fn environment(&self) -> BTreeMap<String, String> {
        let own = [
            ("LANDFALL_MANIFEST", self.path("bundle.json").display().to_string()),
            ("LANDFALL_STORE", format!("sqlite:{}", self.path("landfall.db").display())),
        ];
        let all = self.simulator.environment(&self.queue).into_iter().chain(own);
        all.map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Starts a process.
    pub async fn start(&self, binary: &Path) -> S::Process {
        S::start(binary, self.environment(), &self.queue).await
    }

    pub async fn store(&self) -> SqliteStore {
        SqliteStore::open(self.path("landfall.db")).await.unwrap()
    }

    /// What the store knows of a tenant.
    pub async fn record(&self, id: &str) -> Option<Record> {
        lease::peek(&self.store().await, &tenant(id)).await.unwrap()
    }

    /// Hands over what waits, as soon as it may be and before, until nothing is left.
    pub async fn settle(&self, processes: &[&S::Process]) -> Result<(), String> {
        for process in processes.iter().cycle().take(ROUNDS) {
            match self.simulator.waiting(&self.queue) {
                Waiting { due: 0, later: 0 } => return Ok(()),
                Waiting { due: 0, .. } => self.simulator.hurry(&self.queue),
                Waiting { .. } => {}
            }
            self.simulator.work(&self.queue, process).await?;
        }
        Err("it never ends".to_owned())
    }

    /// What a tenant was told and took, sorted: the order of what happens at once is nobody's.
    pub fn writes(&self, id: &str) -> Vec<String> {
        let calls = self.simulator.received();
        let accepted = calls.iter().filter(|call| {
            S::changes_something(call)
                && call.status.is_some_and(|status| status < 300)
                && self.simulator.is_about(call, id)
        });
        let mut writes: Vec<String> = accepted
            .map(|call| format!("{}:{} {}", call.service, call.operation, without_ids(&call.path)))
            .collect();
        writes.sort();
        writes
    }

    /// How much of each kind there is in a tenant. Names and times differ from run to run; what was made twice shows here.
    pub fn amounts(&self, id: &str) -> BTreeMap<String, usize> {
        let mut amounts = BTreeMap::new();
        count(&self.simulator.inside(id), "", 0, &mut amounts);
        amounts
    }
}

/// A path without the ids that a cloud makes up, such as those of detectors: what is made at once gets them in any order.
fn without_ids(path: &str) -> String {
    let made_up = |part: &&str| part.len() == 32 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    path.split('/').map(|part| if made_up(&part) { "*" } else { part }).collect::<Vec<_>>().join("/")
}

/// The levels at which kinds of things stand in what a simulator tells: below them are the things' own names.
const DEPTH: usize = 2;

fn count(value: &Value, path: &str, depth: usize, amounts: &mut BTreeMap<String, usize>) {
    match value {
        Value::Object(members) if depth <= DEPTH => {
            for (name, member) in members {
                count(member, &format!("{path}/{name}"), depth + 1, amounts);
            }
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => *amounts.entry(path.to_owned()).or_default() += leaves(value),
    }
}

fn leaves(value: &Value) -> usize {
    match value {
        Value::Object(members) => members.values().map(leaves).sum(),
        Value::Array(items) => items.iter().map(leaves).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 1,
    }
}
