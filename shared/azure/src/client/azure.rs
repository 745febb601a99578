//! The process's own way in: which cloud, which credentials, one connection pool.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use azure_core::credentials::TokenCredential;
use azure_core::http::policies::Policy;
use azure_core::http::policies::auth::BearerTokenAuthorizationPolicy;
use azure_core::http::{
    ClientOptions, ExponentialRetryOptions, Pipeline, RetryOptions, Transport, Url, UserAgentOptions,
};
use landfall_engine::governor::{Governor, Rate};

use super::Client;
use crate::endpoint::{Cloud, loopback};
use crate::error::ConfigError;
use crate::http::{self, Loopback};
use crate::identity::{Means, Who};

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
    governor: Arc<Governor>,
    /// One pipeline for each identity: it keeps the identity's token.
    clients: Mutex<BTreeMap<Who, Client>>,
}

impl Azure {
    /// The way that the environment says: `AZURE_AUTHORITY_HOST` for another cloud than the public one, `AZURE_TOKEN_CREDENTIALS` or
    /// the host's own variables for the credentials. `LANDFALL_AZURE_ENDPOINT` puts a Resource Manager on this machine in the place
    /// of the real one, for tests and the demo.
    pub fn from_env(governor: Arc<Governor>) -> Result<Self, ConfigError> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        if let Some(endpoint) = variable("LANDFALL_AZURE_ENDPOINT") {
            // On this machine nobody is spared: calls go out as fast as they are answered.
            return Self::here(&endpoint);
        }
        let cloud = Cloud::of(variable("AZURE_AUTHORITY_HOST").as_deref())?;
        let means = Means::of(variable)?;
        let base = Url::parse(cloud.resource_manager()).map_err(|_| ConfigError::NotAnEndpoint)?;
        let transport = Transport::new(Arc::new(http::client()?));
        Ok(Self::new(cloud, base, means, transport, governor, false))
    }

    /// A Resource Manager on this machine: a simulator's.
    pub fn loopback(url: &str) -> Result<Self, ConfigError> {
        Self::here(url)
    }

    fn here(url: &str) -> Result<Self, ConfigError> {
        let base = loopback(url)?;
        let transport = Transport::new(Arc::new(Loopback(http::client()?)));
        let governor = Arc::new(Governor::new(|_| Rate::per_second(100_000, 10_000)));
        Ok(Self::new(Cloud::PUBLIC, base, Means::Pretend, transport, governor, true))
    }

    fn new(
        cloud: Cloud,
        base: Url,
        means: Means,
        transport: Transport,
        governor: Arc<Governor>,
        loopback: bool,
    ) -> Self {
        let clients = Mutex::default();
        Azure(Arc::new(Inner { cloud, base, loopback, means, transport, governor, clients }))
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
        let options = ClientOptions {
            retry: RetryOptions::exponential(retries()),
            transport: Some(self.0.transport.clone()),
            user_agent: UserAgentOptions {
                application_id: Some("landfall".to_owned()),
                ..UserAgentOptions::default()
            },
            ..ClientOptions::default()
        };
        let name = option_env!("CARGO_PKG_NAME");
        let version = option_env!("CARGO_PKG_VERSION");
        let pipeline = Pipeline::new(name, version, options, Vec::new(), vec![bearer], None);
        let client = Client::new(self.clone(), pipeline);
        clients.insert(who.clone(), client.clone());
        Ok(client)
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

/// Five attempts within a minute: a function has few minutes, and a message comes again.
fn retries() -> ExponentialRetryOptions {
    ExponentialRetryOptions {
        max_retries: 5,
        max_total_elapsed: azure_core::time::Duration::seconds(60),
        ..ExponentialRetryOptions::default()
    }
}
