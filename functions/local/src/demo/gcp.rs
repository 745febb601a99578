//! The demonstration's Google Cloud: a simulated organization, the real Cloud Run function, and a small Cloud Tasks that pushes to it.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, bail};
use landfall_model::id::SweepId;
use landfall_simulator::cloud_run::{Answered, CloudRun};
use landfall_simulator::cloud_tasks::{CloudTasks, CloudTasksOptions};
use landfall_simulator::gcp::{GcpOptions, GcpSimulator, GcpWorld};
use serde_json::Value;

use super::side::{Side, Waiting};
use super::stage::{Folder, this_program};

/// Where the function's log is kept.
pub(super) const LOG: &str = "function-gcp.log";

/// Where the simulated cloud notes each call.
pub(super) const CALLS: &str = "calls-gcp.ndjson";

/// The project that is older than everything here and runs a business.
pub(super) const OLDER: &str = "old-store";

/// The organization, as a parent of projects.
const ORGANIZATION: &str = "organizations/123456789012";

/// Those that the manifest names; they stand right below the organization, as they were made.
const NAMED: [&str; 4] = ["payments-shop", "payments-shop-dev", "search-api", "search-api-dev"];

/// These have lived in a folder of their own for years.
const OTHERS: [&str; 2] = ["marketing-press", "hr-reviews"];

const QUEUE: &str = "projects/acme-landfall/locations/europe-west1/queues/landfall-work";

/// Everything that runs on Google Cloud.
#[derive(Debug)]
pub(super) struct OnGcp {
    pub(super) simulator: GcpSimulator,
    tasks: CloudTasks,
    /// Nothing only while it is renewed.
    service: Option<CloudRun>,
    port: u16,
    log: Vec<String>,
}

impl OnGcp {
    pub(super) async fn start(folder: &Folder, world: GcpWorld) -> anyhow::Result<Self> {
        let simulator = GcpSimulator::start(GcpOptions {
            world: Some(world),
            log: Some(folder.dir.join(CALLS)),
            ..GcpOptions::default()
        })?;
        let tasks = CloudTasks::start(CloudTasksOptions::default())?;
        tasks.create(QUEUE);
        let port = CloudRun::port()?;
        let service = service(folder, &simulator, &tasks, port).await?;
        Ok(OnGcp { simulator, tasks, service: Some(service), port, log: Vec::new() })
    }

    /// Puts a fresh process in place of the old one, at the same address.
    pub(super) async fn renew(&mut self, folder: &Folder) -> anyhow::Result<()> {
        if let Some(old) = self.service.take() {
            self.log.extend(old.end().await);
        }
        self.service = Some(service(folder, &self.simulator, &self.tasks, self.port).await?);
        Ok(())
    }

    /// Ends the function, and answers what it said.
    pub(super) async fn end(self) -> (GcpSimulator, Vec<String>) {
        let OnGcp { simulator, tasks, service, mut log, .. } = self;
        tasks.stop().await;
        if let Some(service) = service {
            log.extend(service.end().await);
        }
        (simulator, log)
    }

    /// The function's process.
    pub(super) fn pid(&self) -> u32 {
        self.service.as_ref().and_then(CloudRun::pid).unwrap_or_default()
    }

    /// Makes a project: what Pub/Sub pushes of the organization's log.
    pub(super) fn create(&self, id: &str) -> Vec<String> {
        self.simulator.edit(|world| world.create_project(id, ORGANIZATION));
        self.simulator
            .take_events()
            .iter()
            .map(landfall_simulator::gcp::event::pushed)
            .map(|push| push.to_string())
            .collect()
    }

    /// The project that nobody named was left alone.
    pub(super) fn older(&self) -> String {
        let made = self.writes(OLDER);
        format!("{OLDER}: {made} writes; its network and its servers are still there")
    }

    async fn post(&self, path: &str, body: &str) -> anyhow::Result<Value> {
        let headers = [("content-type", "application/json")];
        let service = self.service.as_ref().context("the function on Google Cloud does not run")?;
        let answered = service.post(path, &headers, body).await;
        match answered {
            Ok(answered) if answered.acknowledges() => Ok(answered.json()),
            Ok(Answered { status, body, .. }) => {
                let said = String::from_utf8_lossy(&body);
                bail!("the function on Google Cloud answered {status}: {said}; its log is in `{LOG}`")
            }
            Err(why) => bail!("the function on Google Cloud did not answer: {why}; its log is in `{LOG}`"),
        }
    }
}

impl Side for OnGcp {
    /// What Pub/Sub pushes.
    type Event = Vec<String>;

    async fn fire(&mut self) -> anyhow::Result<SweepId> {
        let answer = self.post("/sweep", "").await?.to_string();
        let mut words = answer.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-');
        words
            .find_map(|word| word.parse().ok())
            .with_context(|| format!("the function on Google Cloud began no sweep: {answer}"))
    }

    async fn deliver(&mut self, event: &Vec<String>) -> anyhow::Result<()> {
        for push in event {
            self.post("/", push).await?;
        }
        Ok(())
    }

    /// Cloud Tasks pushes by itself.
    async fn work(&mut self) -> anyhow::Result<()> {
        tokio::time::sleep(Duration::from_millis(10)).await;
        match self.tasks.dropped(QUEUE).first() {
            None => Ok(()),
            Some(dropped) => {
                bail!("the function on Google Cloud gave a message up: {dropped:?}; its log is in `{LOG}`")
            }
        }
    }

    fn waiting(&self) -> Waiting {
        let due = self.tasks.due(QUEUE);
        Waiting { due, later: self.tasks.left(QUEUE) - due }
    }

    fn hurry(&self) {
        self.tasks.hurry(QUEUE);
    }

    fn writes(&self, project: &str) -> usize {
        const LOOKS: [&str; 3] = [":getIamPolicy", ":search", ":getEffectivePolicy"];
        let number = self.simulator.read(|world| world.project(project).map(|one| one.number.clone()));
        let number = number.unwrap_or_default();
        let is_about = |text: &str| {
            text.replace("%2F", "/").split(['/', '"', ':', '?']).any(|part| part == project || part == number)
        };
        let calls = self.simulator.calls();
        calls
            .iter()
            .filter(|call| call.method != "GET" && !LOOKS.iter().any(|look| call.path.ends_with(look)))
            .filter(|call| is_about(&call.path) || is_about(&call.parameters.to_string()))
            .count()
    }
}

/// The folder that was there before Landfall.
pub(super) const ESTABLISHED: &str = landfall_simulator::gcp::LEGACY_FOLDER;

/// The sample organization, with projects whose names people can tell apart.
pub(super) fn world() -> GcpWorld {
    let mut world = GcpWorld::sample(0);
    let long_ago = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24 * 900);
    for id in NAMED {
        world.add_project(id, ORGANIZATION, long_ago);
    }
    for id in OTHERS {
        world.add_project(id, ESTABLISHED, long_ago);
    }
    world.add_project(OLDER, ORGANIZATION, long_ago);
    world.enable(OLDER, &["compute.googleapis.com"]);
    for name in ["web-1", "web-2", "database"] {
        world.add_instance(OLDER, name, "default");
    }
    if let Some(own) = world.project_mut(landfall_simulator::gcp::CONTROLLER_PROJECT) {
        ESTABLISHED.clone_into(&mut own.parent);
    }
    world
}

/// Starts the function's process, with the settings that a deployment would give it.
async fn service(
    folder: &Folder,
    simulator: &GcpSimulator,
    tasks: &CloudTasks,
    port: u16,
) -> anyhow::Result<CloudRun> {
    let environment = BTreeMap::from([
        ("LANDFALL_GCP_ENDPOINT".to_owned(), simulator.url()),
        ("LANDFALL_GCP_TASKS".to_owned(), tasks.url()),
        ("LANDFALL_MANIFEST".to_owned(), folder.absolute("bundle.json")?),
        ("LANDFALL_STORE".to_owned(), format!("sqlite:{}", folder.absolute("landfall.db")?)),
        ("LANDFALL_QUEUE".to_owned(), QUEUE.to_owned()),
        ("LANDFALL_WORKER".to_owned(), format!("http://127.0.0.1:{port}/work")),
        ("LANDFALL_PUBLIC_KEYS".to_owned(), folder.public_key.clone()),
        // Nobody but this program can call it.
        ("LANDFALL_AUTH".to_owned(), "platform".to_owned()),
    ]);
    let started = CloudRun::start(this_program()?, &["function", "gcp"], port, &environment).await;
    started.context("could not start the function on Google Cloud")
}
