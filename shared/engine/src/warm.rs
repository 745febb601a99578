//! What a warm function keeps from one event to the next: its store, and the bundle that it follows.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use landfall_model::id::{Name, Provider};
use landfall_model::manifest::Cloud as Ground;
use tokio::sync::{Mutex, OnceCell};

use crate::cloud::{Cloud, Hands};
use crate::config::{Config, Forms, SCHEMES, Wrong};
use crate::engine::{Clock as _, Engine, SystemClock, SystemDice, Trusted};
use crate::queue::Outbox;
use crate::store::{BoxError, Store};
use crate::trust::{Footing, Found, TrustError, follow, statement_of};

/// A warm function looks for a newer bundle this often, and forgets what it knew of the organization.
const FRESH: SignedDuration = SignedDuration::from_secs(30);

/// The cloud that a process is at home in: its own identity's store and objects, and the organization beyond.
#[async_trait]
pub trait Home: fmt::Debug + Send + Sync {
    /// The organization as the engine sees it.
    type Organization: Cloud + Hands + 'static;

    /// Whose platform it is.
    const PROVIDER: Provider;

    /// Whether everything this process reaches is on this machine.
    fn footing(&self) -> Footing;

    /// The store at an address in the cloud's storage.
    async fn open(&self, address: &str) -> Result<Arc<dyn Store>, BoxError>;

    /// One object of the cloud's storage; nothing where there is none.
    async fn object(&self, address: &str) -> Result<Option<Bytes>, BoxError>;

    /// The organization that the manifest calls `name`; nothing where it is another provider's.
    fn organization(&self, name: Name, ground: &Ground) -> Option<Result<Self::Organization, BoxError>>;
}

/// Who a process is on its own cloud, to show to another.
#[async_trait]
pub trait Identity: fmt::Debug + Send + Sync {
    /// A token of the own cloud, made for this audience.
    async fn token(&self, audience: &str) -> Result<String, BoxError>;
}

/// The way to storage on another cloud.
#[async_trait]
pub trait Reach: fmt::Debug + Send + Sync {
    /// The store at an address there.
    async fn open(&self, address: &str) -> Result<Arc<dyn Store>, BoxError>;

    /// One object there; nothing where there is none.
    async fn object(&self, address: &str) -> Result<Option<Bytes>, BoxError>;
}

/// Everything that outlives one event.
#[derive(Debug)]
pub struct Warm<H: Home> {
    home: H,
    reach: Option<Arc<dyn Reach>>,
    config: Config,
    scheme: &'static str,
    queue: Arc<dyn Outbox>,
    store: OnceCell<Arc<dyn Store>>,
    followed: Mutex<Option<(Timestamp, Followed<H::Organization>)>>,
}

/// The bundle that is followed, and the organization it speaks of.
#[derive(Debug)]
struct Followed<O> {
    trusted: Trusted,
    organization: Arc<O>,
}

impl<O> Clone for Followed<O> {
    fn clone(&self) -> Self {
        Followed { trusted: self.trusted.clone(), organization: Arc::clone(&self.organization) }
    }
}

/// Why a function can't work. An error with its causes is one line for people.
#[derive(Debug, thiserror::Error)]
pub enum WarmError {
    /// The cloud's storage has no store at the address, or does not show it.
    #[error("LANDFALL_STORE")]
    Store(#[source] BoxError),
    /// The bundle, or what lies beside it, could not be read.
    #[error("could not read `{from}`")]
    Read {
        /// Where it should be.
        from: String,
        /// Why not.
        #[source]
        source: BoxError,
    },
    /// There is no bundle.
    #[error("LANDFALL_MANIFEST: there is nothing at `{0}`")]
    NoBundle(String),
    /// The bundle is not followed.
    #[error(transparent)]
    Untrusted(#[from] TrustError),
    /// The deployment does not fit the manifest.
    #[error(transparent)]
    Wrong(#[from] Wrong),
    /// The file that should be the store can't be used, or no way to the organization can be made.
    #[error(transparent)]
    Own(BoxError),
}

impl<H: Home> Warm<H> {
    /// Keeps what the deployment says. Nothing is asked of the network before the first event.
    pub fn new(home: H, config: Config, forms: &Forms, queue: Arc<dyn Outbox>) -> Self {
        let scheme = forms.scheme;
        let (store, followed) = (OnceCell::new(), Mutex::new(None));
        Warm { home, reach: None, config, scheme, queue, store, followed }
    }

    /// Goes this way to a store on another cloud.
    #[must_use]
    pub fn reaching(mut self, reach: Option<Arc<dyn Reach>>) -> Self {
        self.reach = reach;
        self
    }

    /// What a run works with, and the organization itself.
    pub async fn engine(&self) -> Result<(Engine, Arc<H::Organization>), WarmError> {
        let store = self.store.get_or_try_init(|| self.open()).await?;
        let Followed { trusted, organization } = self.followed(&**store).await?;
        let engine = Engine {
            store: Arc::clone(store),
            queue: Arc::clone(&self.queue),
            cloud: Arc::clone(&organization) as Arc<dyn Cloud>,
            hands: Arc::clone(&organization) as Arc<dyn Hands>,
            trusted,
            clock: Arc::new(SystemClock),
            dice: Arc::new(SystemDice),
            limits: None,
        };
        Ok((engine, organization))
    }

    async fn open(&self) -> Result<Arc<dyn Store>, WarmError> {
        #[cfg(feature = "sqlite")]
        if let Some(path) = self.config.store.strip_prefix("sqlite:") {
            let store = crate::store::sqlite::SqliteStore::open(path).await;
            return Ok(Arc::new(store.map_err(|error| WarmError::Own(error.into()))?));
        }
        let address = &self.config.store;
        let opened = match &self.reach {
            Some(reach) if !address.starts_with(self.scheme) => reach.open(address).await,
            Some(_) | None => self.home.open(address).await,
        };
        opened.map_err(WarmError::Store)
    }

    /// The bundle that counts now; a warm function looks again from time to time.
    async fn followed(&self, store: &dyn Store) -> Result<Followed<H::Organization>, WarmError> {
        let now = SystemClock.now();
        let mut held = self.followed.lock().await;
        if let Some((at, followed)) = &*held
            && *at + FRESH > now
        {
            return Ok(followed.clone());
        }
        let from = &self.config.manifest;
        let bundle = self.fetch(from).await?.ok_or_else(|| WarmError::NoBundle(from.clone()))?;
        let statement = self.fetch(&statement_of(from)).await?;
        let found = Found { from, bundle: &bundle, statement: statement.as_deref() };
        let keys = self.config.public_keys.as_ref();
        let trusted = follow(store, found, keys, self.home.footing(), now).await?;
        let organization = Arc::new(self.organization(&trusted)?);
        let followed = Followed { trusted, organization };
        *held = Some((now, followed.clone()));
        Ok(followed)
    }

    async fn fetch(&self, from: &str) -> Result<Option<Bytes>, WarmError> {
        let failed = |source| WarmError::Read { from: from.to_owned(), source };
        if from.starts_with(self.scheme) {
            return self.home.object(from).await.map_err(failed);
        }
        if let Some(reach) = &self.reach
            && SCHEMES.iter().any(|scheme| from.starts_with(scheme))
        {
            return reach.object(from).await.map_err(failed);
        }
        match std::fs::read(from) {
            Ok(bytes) => Ok(Some(bytes.into())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(error.into())),
        }
    }

    /// The organization of the manifest that this function serves.
    fn organization(&self, trusted: &Trusted) -> Result<H::Organization, WarmError> {
        let (name, ground) = self.config.pick(trusted.bundle.manifest(), H::PROVIDER)?;
        match self.home.organization(name.clone(), ground) {
            Some(organization) => organization.map_err(WarmError::Own),
            None => {
                let why = format!("`{name}` is another provider's cloud");
                Err(Wrong { variable: "LANDFALL_CLOUD", why }.into())
            }
        }
    }
}
