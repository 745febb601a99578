//! The demonstration's Azure: a simulated directory, and the real custom handler behind a small Functions host.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use futures_util::future::join_all;
use landfall_model::id::SweepId;
use landfall_simulator::azure::{AzureOptions, AzureSimulator, AzureWorld, ROOT_GROUP, Resource};
use landfall_simulator::functions_host::{Completed, Delivery, Fate, Host, HostOptions, Invocation};
use landfall_simulator::storage_queue::StorageQueues;
use serde_json::{Value, json};

use super::side::{Side, Waiting};
use super::stage::{Folder, this_program};

/// Where the function's log is kept.
pub(super) const LOG: &str = "function-azure.log";

/// Where the simulated cloud notes each call.
pub(super) const CALLS: &str = "calls-azure.ndjson";

/// The subscription that is older than everything here and runs a business.
pub(super) const OLDER: usize = 8;

/// Names that people can tell apart, for the subscriptions of the simulator's sample; each is wrong in another way. The first is
/// Landfall's own.
const NAMES: [&str; OLDER] = [
    "platform",
    "payments-web",
    "payments-web-dev",
    "search-index",
    "search-index-dev",
    "marketing-site",
    "hr-portal",
    "old-shop",
];

/// Landfall's own subscription, and those that the manifest names, come first; the others have lived in a group of their own for years.
const NAMED: usize = 5;

/// The management group that was there before Landfall, as the manifest names it.
const ESTABLISHED: &str = "acme-established";

/// Where the manifest wants activity logs.
const WORKSPACE: &str = "/subscriptions/3f2c0000-0000-4000-8000-000000000001/resourceGroups/logs/providers/Microsoft.OperationalInsights/workspaces/central";

const QUEUE: &str = "landfall-work";

/// Messages that the host's trigger works on at once (`batchSize` of `host.json`).
const BATCH: usize = 8;

/// As long as the host's trigger keeps a message from others.
const HIDDEN: Duration = Duration::from_secs(10 * 60);

/// What the Functions host reads, as it is deployed.
const APP: [(&str, &str); 6] = [
    ("host.json", include_str!("../../../azure/app/host.json")),
    ("timer/function.json", include_str!("../../../azure/app/timer/function.json")),
    ("queue/function.json", include_str!("../../../azure/app/queue/function.json")),
    ("activity/function.json", include_str!("../../../azure/app/activity/function.json")),
    ("grid/function.json", include_str!("../../../azure/app/grid/function.json")),
    ("console/function.json", include_str!("../../../azure/app/console/function.json")),
];

/// Where the app lies in the demo's folder.
const APP_FOLDER: &str = "function-azure";

/// Everything that runs on Azure.
#[derive(Debug)]
pub(super) struct OnAzure {
    pub(super) simulator: AzureSimulator,
    queues: StorageQueues,
    host: Host,
    log: Vec<String>,
}

impl OnAzure {
    pub(super) async fn start(folder: &Folder, world: AzureWorld) -> anyhow::Result<Self> {
        let simulator = AzureSimulator::start(AzureOptions {
            world: Some(world),
            log: Some(folder.dir.join(CALLS)),
            ..AzureOptions::default()
        })?;
        let queues = StorageQueues::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        deploy(&folder.dir.join(APP_FOLDER))?;
        let host = host(folder, &simulator, &queues).await?;
        Ok(OnAzure { simulator, queues, host, log: Vec::new() })
    }

    /// Puts a fresh process in place of the old one.
    pub(super) async fn renew(&mut self, folder: &Folder) -> anyhow::Result<()> {
        let fresh = host(folder, &self.simulator, &self.queues).await?;
        let old = std::mem::replace(&mut self.host, fresh);
        self.log.extend(old.end().await);
        Ok(())
    }

    /// Ends the function, and answers what it said.
    pub(super) async fn end(self) -> (AzureSimulator, Vec<String>) {
        let OnAzure { simulator, host, mut log, .. } = self;
        log.extend(host.end().await);
        (simulator, log)
    }

    /// The function's process.
    pub(super) fn pid(&self) -> u32 {
        self.host.pid().unwrap_or_default()
    }

    /// Makes a subscription: its id, and the batch of activity-log records that the Event Hub hands over.
    pub(super) fn create(&self, name: &str) -> (String, Vec<String>) {
        let id = self.simulator.edit(|world| world.add_subscription(name));
        let records = self.simulator.take_events();
        (id, vec![json!({"records": records}).to_string()])
    }

    /// The management group that a subscription stands in.
    pub(super) fn group(&self, id: &str) -> String {
        self.simulator.read(|world| world.subscription(id).map(|one| one.parent.clone()).unwrap_or_default())
    }

    /// The subscription that nobody named was left alone.
    pub(super) fn older(&self) -> String {
        let id = subscription(OLDER);
        let made = self.writes(&id);
        let resources: usize = self.simulator.read(|world| {
            let groups = world.subscription(&id).map(|found| &found.resource_groups);
            groups.into_iter().flat_map(|groups| groups.values()).map(|group| group.resources.len()).sum()
        });
        format!("old-shop ({id}): {made} writes; its {resources} resources are still there")
    }
}

impl Side for OnAzure {
    /// A batch of an Event Hub.
    type Event = Vec<String>;

    async fn fire(&mut self) -> anyhow::Result<SweepId> {
        let Completed { logs, .. } = succeeded(self.host.invoke_timer("timer", false).await)?;
        let words = logs.iter().flat_map(|line| line.split_whitespace());
        words
            .filter_map(|word| word.parse().ok())
            .next()
            .with_context(|| format!("the function on Azure began no sweep: {}", logs.join("; ")))
    }

    async fn deliver(&mut self, event: &Vec<String>) -> anyhow::Result<()> {
        succeeded(self.host.invoke_event_hub("activity", event).await).map(drop)
    }

    async fn work(&mut self) -> anyhow::Result<()> {
        let taken = self.queues.take(QUEUE, BATCH, HIDDEN);
        let deliveries =
            join_all(taken.iter().map(|one| self.host.invoke_queue("queue", &one.text, one.count))).await;
        for (one, Delivery { invocation, fate }) in taken.iter().zip(deliveries) {
            match fate {
                Fate::Deleted => self.queues.done(QUEUE, one),
                Fate::Again { .. } => self.queues.again(QUEUE, one, Duration::from_secs(1)),
                Fate::Poison { .. } => {
                    let why = match invocation {
                        Some(Invocation::Failed(why)) => why,
                        Some(Invocation::Succeeded(_)) | None => "it is no message".to_owned(),
                    };
                    bail!("the function on Azure gave a message up: {why}; its log is in `{LOG}`");
                }
            }
        }
        Ok(())
    }

    fn waiting(&self) -> Waiting {
        Waiting { due: self.queues.due(QUEUE), later: self.queues.later(QUEUE) }
    }

    fn hurry(&self) {
        self.queues.hurry(QUEUE);
    }

    fn writes(&self, subscription: &str) -> usize {
        let calls = self.simulator.calls();
        calls
            .iter()
            // How policies are kept is asked by POST.
            .filter(|call| call.method != "GET" && !call.operation.contains("summarize"))
            .filter(|call| call.path.to_ascii_lowercase().contains(subscription))
            .count()
    }
}

fn succeeded(invocation: Invocation) -> anyhow::Result<Completed> {
    match invocation {
        Invocation::Succeeded(completed) => Ok(completed),
        Invocation::Failed(why) => bail!("the function on Azure failed: {why}; its log is in `{LOG}`"),
    }
}

/// The id of the sample's subscription of this number, from 1.
pub(super) fn subscription(number: usize) -> String {
    format!("3f2c0000-0000-4000-8000-{number:012}")
}

/// The sample directory under names that people can tell apart, with groups for the teams.
pub(super) fn world() -> AzureWorld {
    let mut world = AzureWorld::sample(NAMES.len());
    // What takes Azure a while is asked for again at once: nobody wants to wait for it here.
    world.settings.retry_after = 0;
    world.directory.add_group(ESTABLISHED, "Established", Some(ROOT_GROUP));
    for (number, name) in (1..).zip(NAMES) {
        if let Some(one) = world.subscription_mut(&subscription(number)) {
            name.clone_into(&mut one.name);
            let named = (2..=NAMED).contains(&number);
            if !named && number != OLDER {
                ESTABLISHED.clone_into(&mut one.parent);
            }
        }
    }
    if let Some(shop) = world.subscription_mut(&subscription(OLDER)) {
        shop.register("Microsoft.Compute");
        let group = shop.add_resource_group("shop", "eastus");
        for name in ["web-1", "web-2", "database"] {
            group.add_resource("Microsoft.Compute/virtualMachines", name, "eastus", &json!({}));
        }
    }
    if let Some(platform) = world.subscription_mut(&subscription(1)) {
        let export = Resource::new("central", &export());
        platform.governance.diagnostic_settings.insert("central".to_owned(), export);
    }
    for (id, kind, name) in [
        ("5a0e0000-0000-4000-8000-00000000000a", "Group", "payments-developers"),
        ("5a0e0000-0000-4000-8000-00000000000b", "Group", "search-developers"),
        ("5a0e0000-0000-4000-8000-0000000000bb", "User", "break-glass"),
    ] {
        world.add_principal(id, kind, name);
    }
    world
}

/// The activity log of Landfall's own subscription goes where the manifest wants it, as its deployment sees to.
fn export() -> Value {
    let categories = [
        "Administrative",
        "Alert",
        "Autoscale",
        "Policy",
        "Recommendation",
        "ResourceHealth",
        "Security",
        "ServiceHealth",
    ];
    let logs: Vec<Value> =
        categories.iter().map(|category| json!({"category": category, "enabled": true})).collect();
    json!({"workspaceId": WORKSPACE, "logs": logs})
}

/// Writes the app's files, as a deployment does.
fn deploy(app: &Path) -> anyhow::Result<()> {
    for (name, text) in APP {
        let path = app.join(name);
        let write = || {
            std::fs::create_dir_all(path.parent().unwrap_or(app))?;
            std::fs::write(&path, text)
        };
        write().with_context(|| format!("could not write `{}`", path.display()))?;
    }
    Ok(())
}

/// Starts the function's process, with the settings that a deployment would give it.
async fn host(folder: &Folder, simulator: &AzureSimulator, queues: &StorageQueues) -> anyhow::Result<Host> {
    let settings = [
        ("LANDFALL_AZURE_ENDPOINT", simulator.url()),
        ("LANDFALL_AZURE_STORAGE", queues.url()),
        // The host runs it in the app's folder.
        ("LANDFALL_MANIFEST", folder.absolute("bundle.json")?),
        ("LANDFALL_STORE", format!("sqlite:{}", folder.absolute("landfall.db")?)),
        ("LANDFALL_QUEUE", queues.create(QUEUE)),
        ("LANDFALL_PUBLIC_KEYS", folder.public_key.clone()),
        ("LANDFALL_QUEUE_NAME", QUEUE.to_owned()),
        ("LANDFALL_SCHEDULE", "0 0 * * * *".to_owned()),
        ("LANDFALL_EVENT_HUB", "activity".to_owned()),
    ];
    let options = HostOptions {
        handler: Some(this_program()?),
        arguments: ["function", "azure"].map(str::to_owned).to_vec(),
        environment: settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        ..HostOptions::new(folder.absolute(APP_FOLDER)?)
    };
    Host::start(options).await.context("could not start the function on Azure")
}
