//! The process's own way in: which cloud, which credentials, one connection pool.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use azure_core::credentials::{AccessToken, TokenCredential};
use azure_core::http::policies::Policy;
use azure_core::http::policies::auth::BearerTokenAuthorizationPolicy;
use azure_core::http::{ClientOptions, Pipeline, RetryOptions, Transport, Url, UserAgentOptions};
use azure_core::time::{Duration, OffsetDateTime};
use landfall_engine::governor::{Governor, Rate};
use landfall_engine::store::BoxError;

use super::Client;
use super::patience::Patience;
use crate::endpoint::{Cloud, loopback, on_this_machine};
use crate::error::ConfigError;
use crate::http::{self, ANSWER, Connector, Loopback};
use crate::identity::{Means, Who};

/// Puts a Resource Manager on this machine in the place of the real one.
const ENDPOINT: &str = "LANDFALL_AZURE_ENDPOINT";

/// Puts an Azurite on this machine in the place of every storage account.
const STORAGE: &str = "LANDFALL_AZURE_STORAGE";

/// A token that ends sooner is not begun with: a request and its retries last no longer.
const EARLY: Duration = Duration::minutes(5);

/// A process's way to Azure. Clones share it.
#[derive(Clone, Debug)]
pub struct Azure(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    cloud: Cloud,
    base: Url,
    /// Where everything is on this machine instead.
    loopback: bool,
    means: Means,
    transport: Transport,
    patience: Patience,
    connections: reqwest::Client,
    /// An Azurite's blobs on this machine in the place of every storage account's.
    storage: Option<Url>,
    /// The token for storage, kept until shortly before it ends: the tools at a desk keep none.
    storage_token: tokio::sync::Mutex<Option<AccessToken>>,
    governor: Arc<Governor>,
    /// One pipeline for each identity: it keeps the identity's token.
    clients: Mutex<BTreeMap<Who, Client>>,
}

impl Azure {
    /// The way that the environment says: `AZURE_AUTHORITY_HOST` for another cloud than the public one, `AZURE_TOKEN_CREDENTIALS` or
    /// the host's own variables for the credentials. `LANDFALL_AZURE_ENDPOINT` puts a Resource Manager on this machine in the place
    /// of the real one, for tests and the demo, and `LANDFALL_AZURE_STORAGE` an Azurite.
    pub fn from_env(governor: Arc<Governor>) -> Result<Self, ConfigError> {
        Self::of(|name| std::env::var(name).ok(), governor)
    }

    /// The same, with the environment as it is told.
    pub(super) fn of(
        variable: impl Fn(&str) -> Option<String>,
        governor: Arc<Governor>,
    ) -> Result<Self, ConfigError> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let storage = variable(STORAGE).map(|text| on_this_machine(STORAGE, &text)).transpose()?;
        if let Some(endpoint) = variable(ENDPOINT) {
            // On this machine nobody is spared: calls go out as fast as they are answered.
            return Self::here(&endpoint, storage, Patience::HERE);
        }
        let cloud = Cloud::of(variable("AZURE_AUTHORITY_HOST").as_deref())?;
        let means = Means::of(variable)?;
        let base = Url::parse(cloud.resource_manager()).map_err(|_| ConfigError::NotAnEndpoint)?;
        let connections = http::client()?;
        let transport = Transport::new(Arc::new(connections.clone()));
        Ok(Azure(Arc::new(Inner {
            cloud,
            base,
            loopback: false,
            means,
            transport,
            patience: Patience::REAL,
            connections,
            storage,
            storage_token: tokio::sync::Mutex::default(),
            governor,
            clients: Mutex::default(),
        })))
    }

    /// A Resource Manager on this machine: a simulator's. There is no storage.
    pub fn loopback(url: &str) -> Result<Self, ConfigError> {
        Self::here(url, None, Patience::HERE)
    }

    /// A Resource Manager on this machine, and an Azurite's blobs: `http://127.0.0.1:PORT` each.
    pub fn loopback_with_storage(url: &str, storage: &str) -> Result<Self, ConfigError> {
        Self::here(url, Some(on_this_machine(STORAGE, storage)?), Patience::HERE)
    }

    pub(super) fn here(url: &str, storage: Option<Url>, patience: Patience) -> Result<Self, ConfigError> {
        let base = loopback(ENDPOINT, url)?;
        let connections = http::client()?;
        let transport = Transport::new(Arc::new(Loopback(connections.clone())));
        let governor = Arc::new(Governor::new(|_| Rate::per_second(100_000, 10_000)));
        Ok(Azure(Arc::new(Inner {
            cloud: Cloud::PUBLIC,
            base,
            loopback: true,
            means: Means::Pretend,
            transport,
            patience,
            connections,
            storage,
            storage_token: tokio::sync::Mutex::default(),
            governor,
            clients: Mutex::default(),
        })))
    }

    /// Calls as one identity. Asking twice gives the same one, with its token.
    pub(crate) fn client(&self, who: &Who) -> Result<Client, ConfigError> {
        let mut clients = self.0.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(who) {
            return Ok(client.clone());
        }
        let scope = format!("{}/.default", self.0.cloud.resource_manager());
        let bearer = BearerTokenAuthorizationPolicy::new(self.credential(who)?, [scope]);
        let bearer: Arc<dyn Policy> = Arc::new(bearer);
        let name = option_env!("CARGO_PKG_NAME");
        let version = option_env!("CARGO_PKG_VERSION");
        let pipeline = Pipeline::new(name, version, self.options(), Vec::new(), vec![bearer], None);
        let client = Client::new(self.clone(), pipeline);
        clients.insert(who.clone(), client.clone());
        Ok(client)
    }

    /// How every call of ours is sent: the one pool, and the one policy of retries.
    pub(crate) fn options(&self) -> ClientOptions {
        ClientOptions {
            // azure_core's own policy would wait as long as it is told to.
            retry: RetryOptions::none(),
            per_call_policies: vec![self.0.patience.policy()],
            transport: Some(self.0.transport.clone()),
            user_agent: UserAgentOptions { application_id: Some("landfall".to_owned()) },
            ..ClientOptions::default()
        }
    }

    /// The one pool itself, for whoever has a pipeline of its own.
    pub(crate) fn connections(&self) -> reqwest::Client {
        self.0.connections.clone()
    }

    /// An Azurite's blobs, where one stands in for every storage account.
    pub(crate) fn storage_here(&self) -> Option<&Url> {
        self.0.storage.as_ref()
    }

    /// The process's own token for blobs, of the audience that storage has in all of Microsoft's clouds.
    pub(crate) async fn storage_token(&self) -> azure_core::Result<AccessToken> {
        let mut kept = self.0.storage_token.lock().await;
        let now = OffsetDateTime::now_utc();
        if let Some(token) = kept.as_ref().filter(|token| token.expires_on > now + EARLY) {
            return Ok(token.clone());
        }
        let credential = self
            .credential(&Who::Own)
            .map_err(|error| azure_core::Error::new(azure_core::error::ErrorKind::Credential, error))?;
        let token = credential.get_token(&["https://storage.azure.com/.default"], None).await?;
        *kept = Some(token.clone());
        Ok(token)
    }

    /// A token by which another cloud knows the process's own identity. The directory has to know the audience: it is the identifier URI
    /// of an application there.
    pub(crate) async fn identity_token(&self, audience: &str) -> Result<String, BoxError> {
        // Beside a simulated Resource Manager the host may still give tokens.
        let means = match self.0.means {
            Means::Pretend => Means::of(|name| std::env::var(name).ok())?,
            real @ (Means::ManagedIdentity | Means::WorkloadIdentity | Means::DeveloperTools) => real,
        };
        let token = means.credential(&Who::Own, self.0.cloud)?;
        let scope = format!("{audience}/.default");
        Ok(token.get_token(&[&scope], None).await?.token.secret().to_owned())
    }

    /// The one connector, for whoever goes to another cloud's storage.
    pub fn connector(&self) -> Connector {
        Connector::new(self.connections(), ANSWER)
    }

    /// An identity's tokens, for whatever audience: Resource Manager, or storage.
    pub(crate) fn credential(&self, who: &Who) -> Result<Arc<dyn TokenCredential>, ConfigError> {
        self.0.means.credential(who, self.0.cloud)
    }

    /// Whether everything this process reaches is on this machine.
    pub fn is_loopback(&self) -> bool {
        self.0.loopback
    }

    /// The kind of credentials that the environment gives, for people.
    pub fn means(&self) -> &'static str {
        self.0.means.as_str()
    }

    pub(super) fn patience(&self) -> Patience {
        self.0.patience
    }

    pub(super) fn base(&self) -> &Url {
        &self.0.base
    }

    pub(super) fn governor(&self) -> &Governor {
        &self.0.governor
    }

    /// Which of Microsoft's clouds.
    pub(crate) fn cloud(&self) -> Cloud {
        self.0.cloud
    }
}
