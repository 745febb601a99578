//! The process's way to AWS, made once: from the environment, or refused with a reason.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use aws_smithy_async::time::{SharedTimeSource, SystemTimeSource};
use aws_smithy_runtime::client::retries::{RetryPartition, TokenBucket};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_types::SdkConfig;
use aws_types::service_config::ServiceConfigKey;
use landfall_engine::governor::{Governor, Rate};
use tokio::sync::OnceCell;

use super::Client;
use super::service::{ALL, About, S3};
use crate::endpoint::{NotARegion, Override, Partition, is_region};
use crate::error::{CallError, ConfigError};
use crate::http::Connector;
use crate::identity::{Access, Identity};

/// How long to try. One policy for every call.
#[derive(Clone, Debug)]
pub(crate) struct Patience {
    /// Five attempts with the SDK's backoff span about 15 s of throttling, several times what the slow APIs need to refill.
    pub(crate) attempts: u32,
    pub(crate) first_backoff: Duration,
    /// No call of ours legitimately takes longer to answer.
    pub(crate) attempt: Duration,
    /// All attempts together. A worker near its deadline can spare no more for one call.
    pub(crate) operation: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            attempts: 5,
            first_backoff: Duration::from_secs(1),
            attempt: Duration::from_secs(10),
            operation: Duration::from_secs(60),
        }
    }
}

/// Identities kept at once. Each holds a kilobyte of credentials; a sweep of ten thousand accounts must not hold them all.
const MEMBERS: usize = 256;

/// In place of the account's id where nobody has asked for it yet.
pub(super) const OWN: &str = "own";

/// One connector, one credential chain, one clock. Cheap to clone; nothing is sent before the first call.
#[derive(Clone)]
pub struct Aws(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) connector: Connector,
    region: String,
    /// By the service's name.
    overrides: HashMap<&'static str, Override>,
    pub(super) clock: SharedTimeSource,
    pub(super) patience: Patience,
    pub(super) governor: Arc<Governor>,
    pub(super) own: Arc<Caller>,
    members: Mutex<Members>,
}

/// One identity in one account, with its own budget of retries: throttling in one account must not use up that of all.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) identity: Identity,
    pub(super) retries: RetryPartition,
    pub(super) account: OnceCell<String>,
}

impl Caller {
    fn new(name: String, identity: Identity) -> Arc<Self> {
        let retries = RetryPartition::custom(name).token_bucket(TokenBucket::default()).build();
        Arc::new(Self { identity, retries, account: OnceCell::new() })
    }
}

/// The identities used last, found again so that a role is assumed once and not for every call.
#[derive(Default)]
struct Members {
    clock: u64,
    known: HashMap<Access, (u64, Arc<Caller>)>,
}

impl Members {
    fn get(&mut self, access: &Access) -> Arc<Caller> {
        self.clock += 1;
        if let Some((used, caller)) = self.known.get_mut(access) {
            *used = self.clock;
            return Arc::clone(caller);
        }
        if self.known.len() >= MEMBERS
            && let Some(oldest) =
                self.known.iter().min_by_key(|(_, (used, _))| *used).map(|(key, _)| key.clone())
        {
            self.known.remove(&oldest);
        }
        let caller = Caller::new(access.account.clone(), Identity::member(access.clone()));
        self.known.insert(access.clone(), (self.clock, Arc::clone(&caller)));
        caller
    }
}

impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aws")
            .field("region", &self.0.region)
            .field("overrides", &self.0.overrides)
            .finish_non_exhaustive()
    }
}

impl Aws {
    /// From the environment that the SDK reads: region, credentials (variables, profile, container, Lambda) and
    /// `AWS_ENDPOINT_URL`, with `AWS_ENDPOINT_URL_<SERVICE>` for one service.
    pub async fn from_env(governor: Arc<Governor>) -> Result<Self, ConfigError> {
        let connector = Connector::new(Patience::default().attempt);
        // Without the last step of the SDK's own chain, which asks the instance's metadata service over the network.
        let region = aws_config::meta::region::RegionProviderChain::first_try(
            aws_config::environment::EnvironmentVariableRegionProvider::new(),
        )
        .or_else(aws_config::profile::ProfileFileRegionProvider::default());
        // Asked first, because without a region the SDK would look for one over the network.
        let region = region.region().await.ok_or(ConfigError::NoRegion)?;
        let config = aws_config::defaults(BehaviorVersion::latest())
            .http_client(connector.client())
            .region(region)
            .load()
            .await;
        let governor = governor_for(&config, governor)?;
        Self::new(&config, connector, Patience::default(), governor)
    }

    /// Everything at one endpoint on this machine, such as a simulator's: for the demo, tests and benchmarks. Retries come
    /// quickly there.
    pub async fn loopback(endpoint: &str, region: &str) -> Result<Self, ConfigError> {
        let parsed = Override::parse(endpoint)
            .map_err(|source| ConfigError::Endpoint { service: "every service", source })?;
        if !parsed.is_loopback() {
            return Err(ConfigError::NotLoopback(endpoint.to_owned()));
        }
        let patience =
            Patience { attempts: 8, first_backoff: Duration::from_millis(20), ..Patience::default() };
        let connector = Connector::new(patience.attempt);
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(connector.client())
            .endpoint_url(endpoint)
            .region(aws_types::region::Region::new(region.to_owned()))
            .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(
                aws_credential_types::Credentials::new(
                    "AKIDLOOPBACK",
                    "not-a-secret",
                    None,
                    None,
                    "loopback",
                ),
            ))
            .build();
        let governor = governor_for(&config, Arc::new(Governor::new(crate::rates::rate)))?;
        Self::new(&config, connector, patience, governor)
    }

    pub(crate) fn new(
        config: &SdkConfig,
        connector: Connector,
        patience: Patience,
        governor: Arc<Governor>,
    ) -> Result<Self, ConfigError> {
        if config.use_fips() == Some(true) {
            return Err(ConfigError::NotHonoured("AWS_USE_FIPS_ENDPOINT"));
        }
        if config.use_dual_stack() == Some(true) {
            return Err(ConfigError::NotHonoured("AWS_USE_DUALSTACK_ENDPOINT"));
        }
        let region = config.region().map(|region| region.as_ref().to_owned()).ok_or(ConfigError::NoRegion)?;
        if !is_region(&region) {
            return Err(ConfigError::Region(NotARegion::new(&region)));
        }
        let provider = config.credentials_provider().ok_or(ConfigError::NoCredentials)?;
        let clock = config.time_source().unwrap_or_else(|| SharedTimeSource::new(SystemTimeSource::new()));
        Ok(Self(Arc::new(Inner {
            connector,
            region,
            overrides: overrides(config)?,
            clock,
            patience,
            governor,
            own: Caller::new(OWN.to_owned(), Identity::own(provider)),
            members: Mutex::default(),
        })))
    }

    /// The identity this process runs as.
    #[must_use]
    pub fn own(&self) -> Client {
        Client { aws: self.clone(), caller: Arc::clone(&self.0.own) }
    }

    /// A role in another account. It is assumed at the first call, and once for all clients of the same access.
    #[must_use]
    pub fn member(&self, access: &Access) -> Client {
        Client { aws: self.clone(), caller: self.members().get(access) }
    }

    /// The region this process lives in.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.0.region
    }

    #[must_use]
    pub fn partition(&self) -> &'static Partition {
        Partition::of_region(&self.0.region)
    }

    /// Whether every service that we call, without exception, is on this machine: nothing said here reaches AWS.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        all_loopback(&self.0.overrides)
    }

    pub(crate) fn now(&self) -> SystemTime {
        self.0.clock.now()
    }

    /// The one connector, for whoever goes to another cloud's storage.
    pub fn connector(&self) -> &Connector {
        &self.0.connector
    }

    pub(crate) fn s3_override(&self) -> Option<&Override> {
        self.override_of(&S3)
    }

    pub(crate) fn s3_host(&self, region: &str) -> Result<String, NotARegion> {
        Ok(S3.host.address(region)?.host)
    }

    /// The identity's credentials, for the store, which signs its own requests.
    pub(crate) async fn own_credentials(&self) -> Result<aws_credential_types::Credentials, CallError> {
        self.0.own.identity.credentials(self).await
    }

    pub(crate) fn is_overridden(&self, about: &About) -> bool {
        self.override_of(about).is_some()
    }

    pub(super) fn override_of(&self, about: &About) -> Option<&Override> {
        self.0.overrides.get(about.name)
    }

    fn members(&self) -> MutexGuard<'_, Members> {
        // Nothing in there can be left half done.
        self.0.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The quotas are AWS's own; a simulator on this machine has none, and nobody else to leave room for.
fn governor_for(config: &SdkConfig, governor: Arc<Governor>) -> Result<Arc<Governor>, ConfigError> {
    Ok(if all_loopback(&overrides(config)?) {
        Arc::new(Governor::new(|_| Rate::per_second(100_000, 10_000)))
    } else {
        governor
    })
}

fn all_loopback(overrides: &HashMap<&'static str, Override>) -> bool {
    ALL.iter().all(|about| overrides.get(about.name).is_some_and(Override::is_loopback))
}

/// The endpoints that the environment sets. The SDK would only log one that is no URL, and go on to the real cloud.
fn overrides(config: &SdkConfig) -> Result<HashMap<&'static str, Override>, ConfigError> {
    let mut overrides = HashMap::new();
    for about in ALL {
        let key = ServiceConfigKey::builder()
            .service_id(about.sdk_id)
            .env("AWS_ENDPOINT_URL")
            .profile("endpoint_url")
            .build();
        // An explicit endpoint of the configuration comes last: it is what the environment's general one became.
        let set = key
            .ok()
            .and_then(|key| config.service_config()?.load_config(key))
            .or_else(|| config.endpoint_url().map(str::to_owned));
        if let Some(text) = set {
            let endpoint = Override::parse(&text)
                .map_err(|source| ConfigError::Endpoint { service: about.name, source })?;
            overrides.insert(about.name, endpoint);
        }
    }
    Ok(overrides)
}
