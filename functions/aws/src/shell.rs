//! The function's shell: from what Lambda hands over to an answer. It holds no opinion about what should be; the engine does.

use std::sync::Arc;

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use landfall_aws::{Aws, AwsOrganization, rate};
use landfall_engine::answer::{answer, refuse};
use landfall_engine::config::{Config, Wrong};
use landfall_engine::engine::{Clock as _, Deadline, Engine, SystemClock, SystemDice, Trusted};
use landfall_engine::governor::Governor;
use landfall_engine::queue::Outbox;
use landfall_engine::store::Store;
use landfall_engine::store::fetch::FetchError;
use landfall_engine::trust::{Footing, Found, follow, statement_of};
use landfall_model::id::{Name, Provider};
use landfall_model::manifest::{AwsCloud, Cloud};
use serde_json::Value;
use tokio::sync::{Mutex, OnceCell};

use crate::answer::written;
use crate::config::FORMS;
use crate::trigger::parse;

/// A warm function looks for a newer bundle this often, and forgets what it knew of the organization.
const FRESH: SignedDuration = SignedDuration::from_secs(30);

/// Everything that outlives one event.
#[derive(Debug)]
pub struct Shell {
    config: Config,
    aws: Aws,
    store: OnceCell<Arc<dyn Store>>,
    queue: Arc<dyn Outbox>,
    followed: Mutex<Option<(Timestamp, Followed)>>,
}

/// The bundle that is followed, and the organization it speaks of.
#[derive(Debug, Clone)]
struct Followed {
    trusted: Trusted,
    cloud: Arc<AwsOrganization>,
    ground: AwsCloud,
}

impl Shell {
    /// Reads the environment. Nothing is asked of the network before the first event.
    pub async fn from_env() -> anyhow::Result<Self> {
        let governor = Arc::new(Governor::new(rate));
        let aws = Aws::from_env(governor).await.map_err(one_line)?;
        let footing = footing(&aws);
        let config = Config::read(|name| std::env::var(name).ok(), footing, &FORMS)?;
        let queue = aws.queue(&config.queue).map_err(|error| {
            anyhow::anyhow!("LANDFALL_QUEUE: {}", landfall_engine::control::chain(&error))
        })?;
        Ok(Shell { config, aws, store: OnceCell::new(), queue: Arc::new(queue), followed: Mutex::new(None) })
    }

    /// Answers one event.
    pub async fn answer(&self, event: &Value, deadline: Timestamp) -> anyhow::Result<Value> {
        let deadline = Deadline(deadline);
        let store = self.store().await?;
        let followed = self.followed(&store).await?;
        let engine = self.engine(&store, &followed);
        let answer = match parse(event, &followed.ground.management_account) {
            Ok(trigger) => answer(&engine, trigger, deadline).await?,
            Err(malformed) => refuse(&engine, event, &malformed.to_string()).await?,
        };
        Ok(written(&answer))
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
        let store = self.store.get_or_try_init(|| open(&self.config.store, &self.aws)).await?;
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
        let bytes = fetch(&self.aws, manifest)
            .await?
            .with_context(|| format!("LANDFALL_MANIFEST: there is nothing at `{manifest}`"))?;
        let statement = fetch(&self.aws, &statement_of(manifest)).await?;
        let found = Found { from: manifest, bundle: &bytes, statement: statement.as_deref() };
        let keys = self.config.public_keys.as_ref();
        let trusted = follow(&**store, found, keys, footing(&self.aws), now).await?;
        let (name, ground) = cloud(trusted.bundle.manifest(), &self.config)?;
        let cloud = Arc::new(AwsOrganization::new(self.aws.clone(), name, ground.clone()));
        let followed = Followed { trusted, cloud, ground };
        *held = Some((now, followed.clone()));
        Ok(followed)
    }
}

/// Whether everything this process reaches is on this machine.
pub fn footing(aws: &Aws) -> Footing {
    if aws.endpoints_are_loopback() { Footing::Loopback } else { Footing::Real }
}

/// Opens a store by its address.
pub async fn open(address: &str, aws: &Aws) -> anyhow::Result<Arc<dyn Store>> {
    #[cfg(feature = "sqlite")]
    if let Some(path) = address.strip_prefix("sqlite:") {
        let store = landfall_engine::store::sqlite::SqliteStore::open(path).await.map_err(one_line)?;
        return Ok(Arc::new(store));
    }
    let store = aws.store(address).map_err(one_line).context("LANDFALL_STORE")?;
    Ok(Arc::new(store))
}

async fn fetch(aws: &Aws, from: &str) -> anyhow::Result<Option<Vec<u8>>> {
    if from.starts_with("s3://") {
        return match aws.fetch(from).await {
            Ok(bytes) => Ok(Some(bytes.to_vec())),
            Err(landfall_aws::S3Error::Fetch(FetchError::Missing { .. })) => Ok(None),
            Err(error) => Err(error).with_context(|| format!("could not read `{from}`")),
        };
    }
    match std::fs::read(from) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("could not read `{from}`")),
    }
}

/// The AWS cloud of the manifest that this function serves.
fn cloud(manifest: &landfall_model::manifest::Manifest, config: &Config) -> Result<(Name, AwsCloud), Wrong> {
    match config.pick(manifest, Provider::Aws)? {
        (name, Cloud::Aws(ground)) => Ok((name.clone(), ground.clone())),
        (name, Cloud::Azure(_) | Cloud::Gcp(_)) => {
            Err(Wrong { variable: "LANDFALL_CLOUD", why: format!("`{name}` is no AWS cloud") })
        }
    }
}

fn one_line(error: impl std::error::Error) -> anyhow::Error {
    anyhow::anyhow!("{}", landfall_engine::control::chain(&error))
}
