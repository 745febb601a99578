//! The function's shell: from what the host hands over to an answer. It holds no opinion about what should be; the engine does.

use std::sync::Arc;

use anyhow::Context as _;
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use landfall_azure::{Azure, AzureOrganization, BlobError, rate};
use landfall_engine::answer::{answer_all, refuse};
use landfall_engine::config::{Config, Wrong};
use landfall_engine::control::chain;
use landfall_engine::engine::{Clock as _, Deadline, Engine, SystemClock, SystemDice, Trusted};
use landfall_engine::governor::Governor;
use landfall_engine::queue::Outbox;
use landfall_engine::store::Store;
use landfall_engine::store::fetch::FetchError;
use landfall_engine::trust::{Footing, Found, follow, statement_of};
use landfall_model::answer::Answer;
use landfall_model::id::{Name, Provider};
use landfall_model::manifest::{AzureCloud, Cloud, Manifest};
use serde_json::Value;
use tokio::sync::{Mutex, OnceCell};

use crate::config::FORMS;
use crate::handler::Desk;
use crate::trigger::{Function, parse};

/// A warm function looks for a newer bundle this often, and forgets what it knew of the organization.
const FRESH: SignedDuration = SignedDuration::from_secs(30);

/// Everything that outlives one event.
#[derive(Debug)]
pub struct Shell {
    config: Config,
    azure: Azure,
    store: OnceCell<Arc<dyn Store>>,
    queue: Arc<dyn Outbox>,
    followed: Mutex<Option<(Timestamp, Followed)>>,
}

/// The bundle that is followed, and the organization it speaks of.
#[derive(Debug, Clone)]
struct Followed {
    trusted: Trusted,
    cloud: Arc<AzureOrganization>,
}

impl Shell {
    /// Reads the environment. Nothing is asked of the network before the first event.
    pub fn from_env() -> anyhow::Result<Self> {
        let governor = Arc::new(Governor::new(rate));
        let azure = Azure::from_env(governor).map_err(one_line)?;
        let config = Config::read(|name| std::env::var(name).ok(), footing(&azure), &FORMS)?;
        let queue = azure
            .queue(&config.queue)
            .map_err(|error| anyhow::anyhow!("LANDFALL_QUEUE: {}", chain(&error)))?;
        Ok(Shell {
            config,
            azure,
            store: OnceCell::new(),
            queue: Arc::new(queue),
            followed: Mutex::new(None),
        })
    }

    fn engine(&self, store: &Arc<dyn Store>, followed: &Followed) -> Engine {
        Engine {
            store: Arc::clone(store),
            queue: Arc::clone(&self.queue),
            cloud: Arc::clone(&followed.cloud) as Arc<dyn landfall_engine::cloud::Cloud>,
            hands: Arc::clone(&followed.cloud) as Arc<dyn landfall_engine::cloud::Hands>,
            trusted: followed.trusted.clone(),
            clock: Arc::new(SystemClock),
            dice: Arc::new(SystemDice),
            limits: None,
        }
    }

    async fn store(&self) -> anyhow::Result<Arc<dyn Store>> {
        let store = self.store.get_or_try_init(|| open(&self.config.store, &self.azure)).await?;
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
        let bytes = fetch(&self.azure, manifest)
            .await?
            .with_context(|| format!("LANDFALL_MANIFEST: there is nothing at `{manifest}`"))?;
        let statement = fetch(&self.azure, &statement_of(manifest)).await?;
        let found = Found { from: manifest, bundle: &bytes, statement: statement.as_deref() };
        let keys = self.config.public_keys.as_ref();
        let trusted = follow(&**store, found, keys, footing(&self.azure), now).await?;
        let (name, ground) = cloud(trusted.bundle.manifest(), &self.config)?;
        let cloud = AzureOrganization::new(&self.azure, name, ground).map_err(one_line)?;
        let followed = Followed { trusted, cloud: Arc::new(cloud) };
        *held = Some((now, followed.clone()));
        Ok(followed)
    }
}

#[async_trait]
impl Desk for Shell {
    async fn answer(
        &self,
        function: Function,
        body: &Value,
        deadline: Timestamp,
    ) -> anyhow::Result<Vec<Answer>> {
        let store = self.store().await?;
        let followed = self.followed(&store).await?;
        let engine = self.engine(&store, &followed);
        match parse(function, body) {
            Ok(triggers) => Ok(answer_all(&engine, triggers, Deadline(deadline)).await?),
            Err(malformed) => Ok(vec![refuse(&engine, body, &malformed.to_string()).await?]),
        }
    }
}

/// Whether everything this process reaches is on this machine.
pub fn footing(azure: &Azure) -> Footing {
    if azure.is_loopback() { Footing::Loopback } else { Footing::Real }
}

/// Opens a store by its address.
pub async fn open(address: &str, azure: &Azure) -> anyhow::Result<Arc<dyn Store>> {
    #[cfg(feature = "sqlite")]
    if let Some(path) = address.strip_prefix("sqlite:") {
        let store = landfall_engine::store::sqlite::SqliteStore::open(path).await.map_err(one_line)?;
        return Ok(Arc::new(store));
    }
    let store = azure.store(address).map_err(one_line).context("LANDFALL_STORE")?;
    Ok(Arc::new(store))
}

async fn fetch(azure: &Azure, from: &str) -> anyhow::Result<Option<Vec<u8>>> {
    if from.starts_with("az://") {
        return match azure.fetch(from).await {
            Ok(bytes) => Ok(Some(bytes.to_vec())),
            Err(BlobError::Fetch(FetchError::Missing { .. })) => Ok(None),
            Err(error) => Err(error).with_context(|| format!("could not read `{from}`")),
        };
    }
    match std::fs::read(from) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("could not read `{from}`")),
    }
}

/// The Azure cloud of the manifest that this function serves.
fn cloud(manifest: &Manifest, config: &Config) -> Result<(Name, AzureCloud), Wrong> {
    match config.pick(manifest, Provider::Azure)? {
        (name, Cloud::Azure(ground)) => Ok((name.clone(), ground.clone())),
        (name, Cloud::Aws(_) | Cloud::Gcp(_)) => {
            Err(Wrong { variable: "LANDFALL_CLOUD", why: format!("`{name}` is no Azure cloud") })
        }
    }
}

fn one_line(error: impl std::error::Error) -> anyhow::Error {
    anyhow::anyhow!("{}", chain(&error))
}
