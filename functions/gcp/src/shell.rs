//! The function's shell: from a trigger to an answer. It holds no opinion about what should be; the engine does.

use std::sync::Arc;

use anyhow::Context as _;
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use landfall_engine::answer::{answer, refuse};
use landfall_engine::config::{Config, Wrong};
use landfall_engine::control::chain;
use landfall_engine::engine::{Clock as _, Deadline, Engine, SystemClock, SystemDice, Trusted};
use landfall_engine::governor::Governor;
use landfall_engine::queue::Outbox;
use landfall_engine::store::Store;
use landfall_engine::store::fetch::FetchError;
use landfall_engine::trust::{Footing, Found, follow, statement_of};
use landfall_gcp::{BucketError, Gcp, GcpOrganization, rate};
use landfall_model::answer::Answer;
use landfall_model::id::{Name, Provider};
use landfall_model::manifest::{Cloud, GcpCloud, Manifest};
use landfall_model::trigger::Trigger;
use serde_json::Value;
use tokio::sync::{Mutex, OnceCell};

use crate::config::{self, Auth, FORMS, Worker};
use crate::handler::Desk;

/// A warm function looks for a newer bundle this often, and forgets what it knew of the organization.
const FRESH: SignedDuration = SignedDuration::from_secs(30);

/// Everything that outlives one event.
#[derive(Debug)]
pub struct Shell {
    config: Config,
    gcp: Gcp,
    store: OnceCell<Arc<dyn Store>>,
    queue: Arc<dyn Outbox>,
    followed: Mutex<Option<(Timestamp, Followed)>>,
}

/// The bundle that is followed, and the organization it speaks of.
#[derive(Debug, Clone)]
struct Followed {
    trusted: Trusted,
    cloud: Arc<GcpOrganization>,
}

impl Shell {
    /// Reads the environment; also says who may call. Nothing is asked of the network before the first event.
    pub fn from_env() -> anyhow::Result<(Self, Auth)> {
        let variable = |name: &str| std::env::var(name).ok();
        let governor = Arc::new(Governor::new(rate));
        let gcp = Gcp::from_env(governor).map_err(one_line)?;
        let config = Config::read(variable, footing(&gcp), &FORMS)?;
        let auth = Auth::read(variable, footing(&gcp))?;
        let Worker { url, account, audience } = Worker::read(variable, &auth, footing(&gcp))?;
        let deadline = config::timeout(variable(config::TIMEOUT).as_deref())?.unsigned_abs();
        let worker = landfall_gcp::Worker { url, account, audience: Some(audience), deadline };
        let queue = gcp
            .queue(&config.queue, worker)
            .map_err(|error| anyhow::anyhow!("LANDFALL_QUEUE: {}", chain(&error)))?;
        let shell =
            Shell { config, gcp, store: OnceCell::new(), queue: Arc::new(queue), followed: Mutex::new(None) };
        Ok((shell, auth))
    }

    /// Whether everything this process reaches is on this machine.
    pub fn footing(&self) -> Footing {
        footing(&self.gcp)
    }

    async fn engine(&self) -> anyhow::Result<Engine> {
        let store = self.store().await?;
        let followed = self.followed(&store).await?;
        Ok(Engine {
            store,
            queue: Arc::clone(&self.queue),
            cloud: Arc::clone(&followed.cloud) as Arc<dyn landfall_engine::cloud::Cloud>,
            hands: followed.cloud as Arc<dyn landfall_engine::cloud::Hands>,
            trusted: followed.trusted,
            clock: Arc::new(SystemClock),
            dice: Arc::new(SystemDice),
            limits: None,
        })
    }

    async fn store(&self) -> anyhow::Result<Arc<dyn Store>> {
        let store = self.store.get_or_try_init(|| open(&self.config.store, &self.gcp)).await?;
        Ok(Arc::clone(store))
    }

    /// The bundle that counts now; a warm function looks again from time to time.
    async fn followed(&self, store: &Arc<dyn Store>) -> anyhow::Result<Followed> {
        let now = SystemClock.now();
        let mut held = self.followed.lock().await;
        if let Some((at, followed)) = &*held
            && *at + FRESH > now
        {
            return Ok(followed.clone());
        }
        let manifest = &self.config.manifest;
        let bytes = fetch(&self.gcp, manifest)
            .await?
            .with_context(|| format!("LANDFALL_MANIFEST: there is nothing at `{manifest}`"))?;
        let statement = fetch(&self.gcp, &statement_of(manifest)).await?;
        let found = Found { from: manifest, bundle: &bytes, statement: statement.as_deref() };
        let keys = self.config.public_keys.as_ref();
        let trusted = follow(&**store, found, keys, footing(&self.gcp), now).await?;
        let (name, ground) = cloud(trusted.bundle.manifest(), &self.config)?;
        let cloud = GcpOrganization::new(&self.gcp, name, ground).map_err(one_line)?;
        let followed = Followed { trusted, cloud: Arc::new(cloud) };
        *held = Some((now, followed.clone()));
        Ok(followed)
    }
}

#[async_trait]
impl Desk for Shell {
    async fn answer(&self, trigger: Trigger, deadline: Timestamp) -> anyhow::Result<Answer> {
        Ok(answer(&self.engine().await?, trigger, Deadline(deadline)).await?)
    }

    async fn refuse(&self, body: &[u8], why: &str) -> anyhow::Result<Option<String>> {
        let event = Value::String(String::from_utf8_lossy(body).into_owned());
        match refuse(&self.engine().await?, &event, why).await? {
            Answer::Refused { recorded, .. } => Ok(recorded),
            Answer::Reconciled(_)
            | Answer::Swept(_)
            | Answer::Left(_)
            | Answer::Worked { .. }
            | Answer::Told(_)
            | Answer::Status(_)
            | Answer::CreationFailed { .. }
            | Answer::Ignored { .. } => Ok(None),
        }
    }
}

/// Whether everything this process reaches is on this machine.
pub fn footing(gcp: &Gcp) -> Footing {
    if gcp.is_loopback() { Footing::Loopback } else { Footing::Real }
}

/// Opens a store by its address.
pub async fn open(address: &str, gcp: &Gcp) -> anyhow::Result<Arc<dyn Store>> {
    #[cfg(feature = "sqlite")]
    if let Some(path) = address.strip_prefix("sqlite:") {
        let store = landfall_engine::store::sqlite::SqliteStore::open(path).await.map_err(one_line)?;
        return Ok(Arc::new(store));
    }
    let store = gcp.store(address).await.map_err(one_line).context("LANDFALL_STORE")?;
    Ok(Arc::new(store))
}

async fn fetch(gcp: &Gcp, from: &str) -> anyhow::Result<Option<Vec<u8>>> {
    if from.starts_with("gs://") {
        return match gcp.fetch(from).await {
            Ok(bytes) => Ok(Some(bytes.to_vec())),
            Err(BucketError::Fetch(FetchError::Missing { .. })) => Ok(None),
            Err(error) => Err(error).with_context(|| format!("could not read `{from}`")),
        };
    }
    match std::fs::read(from) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("could not read `{from}`")),
    }
}

/// The Google Cloud organization of the manifest that this function serves.
fn cloud(manifest: &Manifest, config: &Config) -> Result<(Name, GcpCloud), Wrong> {
    match config.pick(manifest, Provider::Gcp)? {
        (name, Cloud::Gcp(ground)) => Ok((name.clone(), ground.clone())),
        (name, Cloud::Aws(_) | Cloud::Azure(_)) => Err(Wrong {
            variable: "LANDFALL_CLOUD",
            why: format!("`{name}` is no Google Cloud organization"),
        }),
    }
}

fn one_line(error: impl std::error::Error) -> anyhow::Error {
    anyhow::anyhow!("{}", chain(&error))
}
