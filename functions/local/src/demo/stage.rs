//! What the demonstration stands on: a simulated cloud, a signed bundle, and the function's own process.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use jiff::{SignedDuration, Timestamp};
use landfall_aws::{Aws, SqsQueue};
use landfall_engine::store::Store;
use landfall_engine::store::sqlite::SqliteStore;
use landfall_model::manifest::bundle::Bundle;
use landfall_model::manifest::statement::Statement;
use landfall_simulator::lambda::{Function, Invocation};
use landfall_simulator::{Group, MANAGEMENT_ACCOUNT, Options, Queue, ROOT, Simulator, World};
use serde_json::Value;

use crate::command::{build, keygen, sign};
use crate::source::{self, DEMO_MARK};

const MANIFEST: &str = include_str!("landfall.yaml");

/// Beside the management account; the last one was invited and runs a business.
const ACCOUNTS: usize = 12;

/// Names that people can tell apart, for the accounts of the simulator's sample; each is wrong in another way.
const NAMES: [&str; 11] = [
    "payments-prod",
    "payments-dev",
    "search-prod",
    "search-dev",
    "data-platform",
    "data-lab",
    "marketing",
    "legacy-shop",
    "intranet",
    "training",
    "analytics",
];

const REGION: &str = "eu-central-1";
const QUEUE: &str = "landfall-work";

/// As long as Lambda is told to let the function run.
const WITHIN: Duration = Duration::from_secs(120);

/// The accounts that the manifest names come first among the sample's; the others have lived in a unit of their own for years.
const NAMED: usize = 5;

/// Everything that runs.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) simulator: Simulator,
    pub(super) store: Arc<dyn Store>,
    pub(super) queue: SqsQueue,
    pub(super) dir: PathBuf,
    pub(super) public_key: String,
    established: String,
    function: Function,
    log: Vec<String>,
}

impl Stage {
    /// Makes the folder, the cloud, the bundle, and starts the function.
    pub(super) async fn set(dir: &Path) -> anyhow::Result<(Stage, Statement)> {
        folder(dir)?;
        let (world, established) = world();
        let simulator = Simulator::start(Options {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            world: Some(world),
            log: Some(dir.join("calls.ndjson")),
            ..Options::default()
        })?;
        let url = simulator.url();
        let aws = Aws::loopback(&url, REGION).await?;
        let queue = aws.queue(&queue_url(&url))?;
        let public_key = keygen::make(&dir.join("signing.key"))?.to_string();
        let statement = bundle(dir, 1, &established, None)?;
        let store = SqliteStore::open(dir.join("landfall.db")).await?;
        let function = start(dir, &url, &public_key).await?;
        let log = Vec::new();
        let stage = Stage {
            simulator,
            store: Arc::new(store),
            queue,
            dir: dir.to_owned(),
            public_key,
            established,
            function,
            log,
        };
        Ok((stage, statement))
    }

    /// Puts a newer bundle in the old one's place, and a fresh execution environment in place of the old one, as a deployment does.
    pub(super) async fn release(&mut self, generation: u64, new: &str) -> anyhow::Result<Statement> {
        let statement = bundle(&self.dir, generation, &self.established, Some(new))?;
        let fresh = start(&self.dir, &self.simulator.url(), &self.public_key).await?;
        let old = std::mem::replace(&mut self.function, fresh);
        self.log.extend(old.end().await);
        Ok(statement)
    }

    /// The function's process.
    pub(super) fn pid(&self) -> u32 {
        self.function.pid().unwrap_or_default()
    }

    /// Hands an event to the function and answers what it says.
    pub(super) async fn deliver(&mut self, event: &Value) -> anyhow::Result<Value> {
        match self.function.invoke(event, WITHIN).await {
            Invocation::Answer(answer) => Ok(answer),
            Invocation::Failed(error) => {
                let why = error.get("errorMessage").and_then(Value::as_str).unwrap_or("it did not say why");
                bail!("the function failed: {why}; its log is in `{}`", self.log_file().display())
            }
            Invocation::Died => {
                bail!("the function's process ended; its log is in `{}`", self.log_file().display())
            }
        }
    }

    /// Ends the function and keeps its log; the simulated cloud goes on.
    pub(super) async fn end(self) -> anyhow::Result<Simulator> {
        let path = self.log_file();
        let Stage { simulator, function, mut log, .. } = self;
        log.extend(function.end().await);
        std::fs::write(&path, log.join("\n") + "\n")
            .with_context(|| format!("could not write `{}`", path.display()))?;
        Ok(simulator)
    }

    /// The store's address, as `--store` takes it.
    pub(super) fn store_address(&self) -> String {
        format!("sqlite:{}", self.dir.join("landfall.db").display())
    }

    fn log_file(&self) -> PathBuf {
        self.dir.join("function.log")
    }

    /// How many messages are due, and how many are to come.
    pub(super) fn waiting(&self) -> (usize, usize) {
        let now = Timestamp::now();
        self.simulator.read(|world| {
            let messages = world
                .account(MANAGEMENT_ACCOUNT)
                .and_then(|account| account.regions.get(REGION))
                .and_then(|region| region.queues.get(QUEUE))
                .map(|queue| queue.messages.as_slice())
                .unwrap_or_default();
            let due = messages.iter().filter(|message| message.visible_at <= now).count();
            (due, messages.len() - due)
        })
    }

    /// Lets the time pass for which messages are held back.
    pub(super) fn hurry(&self) {
        let now = Timestamp::now();
        self.simulator.edit(|world| {
            let queue = world
                .account_mut(MANAGEMENT_ACCOUNT)
                .and_then(|account| account.region(REGION).queues.get_mut(QUEUE));
            for message in queue.into_iter().flat_map(|queue| &mut queue.messages) {
                message.visible_at = message.visible_at.min(now);
            }
        });
    }
}

/// An empty folder of the demo's own. Only what an earlier demo left is replaced.
fn folder(dir: &Path) -> anyhow::Result<()> {
    let doing = || format!("could not make the folder `{}`", dir.display());
    if dir.exists() {
        let empty = std::fs::read_dir(dir).with_context(doing)?.next().is_none();
        if !empty && !dir.join(DEMO_MARK).exists() {
            bail!("`{}` is there and holds something else: name another folder with `--dir`", dir.display());
        }
        std::fs::remove_dir_all(dir).with_context(doing)?;
    }
    std::fs::create_dir_all(dir.join("manifest")).with_context(doing)?;
    std::fs::write(dir.join(DEMO_MARK), "made by `landfall demo`, and replaced by the next one\n")
        .with_context(doing)
}

/// The sample organization under names that people can tell apart, with a queue for the work and groups for the teams; and the id
/// of the unit that was there before Landfall.
fn world() -> (World, String) {
    let mut world = World::sample(ACCOUNTS);
    let established = world.organization.add_unit("Established", ROOT);
    if let Some(management) = world.organization.members.get_mut(MANAGEMENT_ACCOUNT) {
        management.parent.clone_from(&established);
    }
    let ids: Vec<String> =
        world.organization.members.keys().filter(|id| *id != MANAGEMENT_ACCOUNT).cloned().collect();
    for (n, (id, name)) in ids.iter().zip(NAMES).enumerate() {
        if let Some(member) = world.organization.members.get_mut(id) {
            name.clone_into(&mut member.name);
            if n >= NAMED {
                member.parent.clone_from(&established);
            }
        }
        if let Some(account) = world.account_mut(id) {
            name.clone_into(&mut account.name);
        }
    }
    for team in ["payments-developers", "search-developers"] {
        let id = format!("g-{team}");
        let group = Group { id: id.clone(), name: team.to_owned(), description: None };
        world.identity_center.groups.insert(id, group);
    }
    if let Some(account) = world.account_mut(MANAGEMENT_ACCOUNT) {
        let queue = Queue {
            name: QUEUE.to_owned(),
            arn: format!("arn:aws:sqs:{REGION}:{MANAGEMENT_ACCOUNT}:{QUEUE}"),
            attributes: BTreeMap::from([("VisibilityTimeout".to_owned(), "120".to_owned())]),
            created_at: Timestamp::now(),
            messages: Vec::new(),
        };
        account.region(REGION).queues.insert(QUEUE.to_owned(), queue);
    }
    (world, established)
}

fn queue_url(url: &str) -> String {
    format!("{url}/{MANAGEMENT_ACCOUNT}/{QUEUE}")
}

/// Writes the manifest, with the new account where there is one, builds it and signs it.
fn bundle(dir: &Path, generation: u64, established: &str, new: Option<&str>) -> anyhow::Result<Statement> {
    let now = Timestamp::now();
    let expires = (now + SignedDuration::from_hours(24 * 90)).strftime("%Y-%m-%d").to_string();
    let text: String = MANIFEST
        .lines()
        .filter_map(|line| match (line.strip_prefix("#NEW"), new) {
            (Some(line), Some(new)) => Some(line.replace("{new}", new)),
            (Some(_), None) => None,
            (None, _) => Some(line.replace("{expires}", &expires).replace("{established}", established)),
        })
        .map(|line| line + "\n")
        .collect();
    let folder = dir.join("manifest");
    let file = folder.join("landfall.yaml");
    std::fs::write(&file, text).with_context(|| format!("could not write `{}`", file.display()))?;
    let (_, parsed) = source::read(&folder.to_string_lossy())?;
    let said: Vec<String> = parsed.diagnostics.iter().map(ToString::to_string).collect();
    let manifest =
        parsed.manifest.with_context(|| format!("the demo's own manifest is wrong: {}", said.join("; ")))?;
    let path = dir.join("bundle.json");
    build::write(&path, Bundle::build(manifest)?.bytes())?;
    let expires = now + SignedDuration::from_hours(24 * 30);
    let author = Some("ada@acme.example".to_owned());
    Ok(sign::statement(&path, &dir.join("signing.key"), generation, expires, author, now)?.0)
}

/// Starts this program once more, as the function's process, with the environment that a deployment would give it.
async fn start(dir: &Path, url: &str, public_key: &str) -> anyhow::Result<Function> {
    // By its name it would be another program, or none, where somebody builds a new one meanwhile.
    let program = if cfg!(target_os = "linux") {
        PathBuf::from("/proc/self/exe")
    } else {
        std::env::current_exe().context("could not find this program's own file")?
    };
    let path = |name: &str| dir.join(name).display().to_string();
    let environment = [
        ("AWS_ENDPOINT_URL", url.to_owned()),
        ("AWS_REGION", REGION.to_owned()),
        ("AWS_ACCESS_KEY_ID", "simulated".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "simulated".to_owned()),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ("LANDFALL_MANIFEST", path("bundle.json")),
        ("LANDFALL_STORE", format!("sqlite:{}", path("landfall.db"))),
        ("LANDFALL_QUEUE", queue_url(url)),
        ("LANDFALL_PUBLIC_KEYS", public_key.to_owned()),
    ];
    let environment = environment.map(|(name, value)| (name.to_owned(), value)).into_iter().collect();
    Ok(Function::start(program, &["function", "aws"], &environment).await?)
}
