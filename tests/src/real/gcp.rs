//! The service behind a small Cloud Run, with the Cloud Tasks that pushes to it.

#![expect(clippy::unwrap_used, reason = "test harness: a failure here is a failed test")]

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use landfall_simulator::cloud_run::CloudRun;
use landfall_simulator::cloud_tasks::{CloudTasks, CloudTasksOptions};
use landfall_simulator::gcp::event::pushed;
use landfall_simulator::gcp::{GcpOptions, GcpSimulator};
use landfall_simulator::{Call, Faults};
use serde_json::{Value, json};

use super::{Real, Waiting};
use crate::gcp::{ACME, concerns, is_write, world};
use crate::judges::gcp_function_binary;
use crate::spine::Way as _;

const QUEUE: &str = "projects/acme-landfall/locations/europe-west1/queues/landfall-work";

/// As long as Cloud Run lets a request take here; a task that was broken off is tried again soon.
const WITHIN: Duration = Duration::from_secs(60);

/// One request to the service.
#[derive(Debug)]
pub struct Push {
    path: &'static str,
    body: String,
}

/// The queue, and the address that tasks are pushed to: a service keeps it whichever of its instances runs.
#[derive(Debug)]
pub struct Tasks {
    tasks: CloudTasks,
    port: u16,
}

impl Real for GcpSimulator {
    type Event = Vec<Push>;
    type Process = CloudRun;
    type Queue = Tasks;

    const MANIFEST: &'static str = ACME;

    fn sample(tenants: usize) -> Self {
        GcpSimulator::start(GcpOptions { world: Some(world(tenants)), ..GcpOptions::default() }).unwrap()
    }

    fn twin(&self) -> Self {
        let world = Some(self.read(Clone::clone));
        GcpSimulator::start(GcpOptions { world, ..GcpOptions::default() }).unwrap()
    }

    fn address(&self) -> String {
        self.url()
    }

    fn queue(&self) -> Tasks {
        let options = CloudTasksOptions { dispatch_deadline: Some(WITHIN), ..CloudTasksOptions::default() };
        let tasks = CloudTasks::start(options).unwrap();
        tasks.create(QUEUE);
        Tasks { tasks, port: CloudRun::port().unwrap() }
    }

    fn binary() -> PathBuf {
        gcp_function_binary()
    }

    fn environment(&self, queue: &Tasks) -> Vec<(&'static str, String)> {
        vec![
            ("LANDFALL_GCP_ENDPOINT", self.url()),
            ("LANDFALL_GCP_TASKS", queue.tasks.url()),
            ("LANDFALL_QUEUE", QUEUE.to_owned()),
            ("LANDFALL_WORKER", format!("http://127.0.0.1:{}/work", queue.port)),
            // Nobody but this program can call it.
            ("LANDFALL_AUTH", "platform".to_owned()),
        ]
    }

    /// The first instance is the one that tasks are pushed to.
    async fn start(binary: &Path, environment: BTreeMap<String, String>, queue: &Tasks) -> CloudRun {
        let is_free = TcpListener::bind((Ipv4Addr::LOCALHOST, queue.port)).is_ok();
        let port = if is_free { queue.port } else { CloudRun::port().unwrap() };
        CloudRun::start(binary, &[], port, &environment).await.unwrap()
    }

    fn pid(process: &CloudRun) -> u32 {
        process.pid().unwrap()
    }

    async fn tell(process: &CloudRun, event: &Vec<Push>) -> Result<(), String> {
        for Push { path, body } in event {
            let answered = process.post(path, &[("content-type", "application/json")], body).await?;
            if !answered.acknowledges() {
                return Err(format!("{} {}", answered.status, answered.json()));
            }
        }
        Ok(())
    }

    async fn end(process: CloudRun) -> Vec<String> {
        process.end().await
    }

    fn noise() -> Vec<Push> {
        let entry = json!({"logName": "projects/team-0001/logs/cloudaudit.googleapis.com%2Factivity", "protoPayload": {"serviceName": "compute.googleapis.com", "methodName": "v1.compute.disks.insert"}});
        vec![Push { path: "/", body: pushed(&entry).to_string() }]
    }

    fn schedule() -> Vec<Push> {
        vec![Push { path: "/sweep", body: String::new() }]
    }

    fn made(&self, name: &str) -> (String, Vec<Push>) {
        drop(self.take_events());
        let id = self.make(name);
        let entries = self.take_events();
        let push = |entry: &Value| Push { path: "/", body: pushed(entry).to_string() };
        (id, entries.iter().map(push).collect())
    }

    fn waiting(&self, queue: &Tasks) -> Waiting {
        let due = queue.tasks.due(QUEUE);
        Waiting { due, later: queue.tasks.left(QUEUE) - due }
    }

    fn hurry(&self, queue: &Tasks) {
        queue.tasks.hurry(QUEUE);
    }

    /// Cloud Tasks pushes by itself.
    async fn work(&self, queue: &Tasks, _: &CloudRun) -> Result<(), String> {
        let patience = Instant::now() + 2 * WITHIN;
        while queue.tasks.due(QUEUE) > 0 {
            if Instant::now() > patience {
                return Err(format!("tasks never end: {:?}", queue.tasks.dispatches(QUEUE)));
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        match queue.tasks.dropped(QUEUE).first() {
            None => Ok(()),
            Some(dropped) => Err(format!("{dropped:?} was given up")),
        }
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

    fn changes_something(call: &Call) -> bool {
        is_write(&call.method, &call.path)
    }

    fn is_about(&self, call: &Call, id: &str) -> bool {
        concerns(self, call, id)
    }

    fn is_gated(&self, id: &str) -> bool {
        self.read(|world| {
            let held = &world.project(id).unwrap().governance;
            held.deny_policies.contains_key("landfall-quarantine")
        })
    }

    /// Without Compute's operations, which are its log of what was asked: a call whose answer a kill took is asked twice.
    fn inside(&self, id: &str) -> Value {
        let mut inside = self.read(|world| serde_json::to_value(world.project(id).unwrap()).unwrap());
        let things = inside.pointer_mut("/governance/things").and_then(Value::as_object_mut);
        things.unwrap().remove("compute/operations").unwrap();
        inside
    }
}
