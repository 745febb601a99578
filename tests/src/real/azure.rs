//! The custom handler behind a small Functions host, with Storage queues.

#![expect(clippy::unwrap_used, reason = "test harness: a failure here is a failed test")]

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use landfall_simulator::azure::{AzureOptions, AzureSimulator};
use landfall_simulator::functions_host::{Fate, Host, HostOptions, Invocation};
use landfall_simulator::storage_queue::StorageQueues;
use landfall_simulator::{Call, Faults};
use serde_json::{Value, json};

use super::{Real, Waiting};
use crate::azure::{ACME, world};
use crate::judges::{azure_function_binary, root};

const QUEUE: &str = "landfall-work";
const HUB: &str = "activity";

/// Longer than the host leaves a message to a function here.
const HIDDEN: Duration = Duration::from_secs(600);

/// What the host calls the handler for.
#[derive(Debug)]
pub enum Bound {
    Timer,
    /// What a diagnostic setting sent to the Event Hub.
    Hub(Vec<String>),
}

impl Real for AzureSimulator {
    type Event = Bound;
    type Process = Host;
    type Queue = StorageQueues;

    const MANIFEST: &'static str = ACME;

    fn sample(tenants: usize) -> Self {
        let world = Some(world(tenants + 1));
        AzureSimulator::start(AzureOptions { world, ..AzureOptions::default() }).unwrap()
    }

    fn twin(&self) -> Self {
        let world = Some(self.read(Clone::clone));
        AzureSimulator::start(AzureOptions { world, ..AzureOptions::default() }).unwrap()
    }

    fn address(&self) -> String {
        self.url()
    }

    fn queue(&self) -> StorageQueues {
        let queues = StorageQueues::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
        queues.create(QUEUE);
        queues
    }

    fn binary() -> PathBuf {
        azure_function_binary()
    }

    fn environment(&self, queue: &StorageQueues) -> Vec<(&'static str, String)> {
        vec![
            ("LANDFALL_AZURE_ENDPOINT", self.url()),
            ("LANDFALL_AZURE_STORAGE", queue.url()),
            ("LANDFALL_QUEUE", queue.create(QUEUE)),
            ("LANDFALL_QUEUE_NAME", QUEUE.to_owned()),
            ("LANDFALL_SCHEDULE", "0 0 * * * *".to_owned()),
            ("LANDFALL_EVENT_HUB", HUB.to_owned()),
        ]
    }

    async fn start(binary: &Path, environment: BTreeMap<String, String>, _: &StorageQueues) -> Host {
        let options = HostOptions {
            handler: Some(binary.to_owned()),
            environment: environment.into_iter().collect(),
            ..HostOptions::new(root().join("functions/azure/app"))
        };
        Host::start(options).await.unwrap()
    }

    fn pid(process: &Host) -> u32 {
        process.pid().unwrap()
    }

    async fn tell(process: &Host, event: &Bound) -> Result<(), String> {
        let invocation = match event {
            Bound::Timer => process.invoke_timer("timer", false).await,
            Bound::Hub(batch) => process.invoke_event_hub(HUB, batch).await,
        };
        if matches!(invocation, Invocation::Succeeded(_)) { Ok(()) } else { Err(format!("{invocation:?}")) }
    }

    async fn end(process: Host) -> Vec<String> {
        process.end().await
    }

    fn noise() -> Bound {
        let record = json!({"operationName": "MICROSOFT.COMPUTE/DISKS/WRITE", "resultType": "Success", "resourceId": "/"});
        Bound::Hub(vec![json!({"records": [record]}).to_string()])
    }

    fn schedule() -> Bound {
        Bound::Timer
    }

    fn made(&self, name: &str) -> (String, Bound) {
        drop(self.take_events());
        let id = self.edit(|world| world.add_subscription(name));
        // What was made names nobody, and begins a sweep; where it was put names it.
        let names = |record: &Value| {
            let about = record.get("resourceId").and_then(Value::as_str).unwrap_or_default();
            about.to_ascii_lowercase().contains(&id)
        };
        let records: Vec<Value> = self.take_events().into_iter().filter(names).collect();
        let batch = vec![json!({ "records": records }).to_string()];
        (id, Bound::Hub(batch))
    }

    fn waiting(&self, queue: &StorageQueues) -> Waiting {
        Waiting { due: queue.due(QUEUE), later: queue.later(QUEUE) }
    }

    fn hurry(&self, queue: &StorageQueues) {
        queue.hurry(QUEUE);
    }

    async fn work(&self, queue: &StorageQueues, process: &Host) -> Result<(), String> {
        for taken in queue.take(QUEUE, 8, HIDDEN) {
            match process.invoke_queue("queue", &taken.text, taken.count).await.fate {
                Fate::Deleted => queue.done(QUEUE, &taken),
                Fate::Again { .. } => queue.again(QUEUE, &taken, Duration::ZERO),
                Fate::Poison { .. } => return Err(format!("`{}` was set aside", taken.text)),
            }
        }
        Ok(())
    }

    fn received(&self) -> Vec<Call> {
        self.calls()
    }

    fn forget(&self) {
        self.clear_calls();
    }

    fn set(&self, faults: Faults) {
        self.set_faults(faults);
    }

    /// A summary of what policies found is asked for with a POST.
    fn changes_something(call: &Call) -> bool {
        call.method != "GET" && !call.operation.contains("summarize")
    }

    /// A registration is asked for until it is there.
    fn is_about(&self, call: &Call, id: &str) -> bool {
        !call.path.ends_with("/register") && call.path.contains(id)
    }

    fn is_gated(&self, id: &str) -> bool {
        self.read(|world| {
            let inside = world.subscription(id).unwrap();
            inside.governance.policy_assignments.contains_key("landfall-quarantine")
        })
    }

    fn inside(&self, id: &str) -> Value {
        self.read(|world| serde_json::to_value(world.subscription(id).unwrap()).unwrap())
    }
}
