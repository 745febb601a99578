//! The process's own way in: which credentials, one connection pool.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use landfall_engine::governor::{Governor, Rate};
use url::Url;

use super::patience::Patience;
use super::{Client, Operation};
use crate::error::ConfigError;
use crate::http;
use crate::identity::{Means, Who};

/// Puts Google's APIs on this machine in the place of the real ones: each below a folder with the name of its host.
const ENDPOINT: &str = "LANDFALL_GCP_ENDPOINT";

/// A process's way to Google Cloud. Clones share it.
#[derive(Clone, Debug)]
pub struct Gcp(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Where everything is on this machine instead.
    here: Option<Url>,
    means: Means,
    patience: Patience,
    connections: reqwest::Client,
    governor: Arc<Governor>,
    /// One client for each identity: it keeps the identity's token.
    clients: Mutex<BTreeMap<Who, Client>>,
}

impl Gcp {
    /// The way that the environment says: Application Default Credentials, as Google's own libraries find them.
    /// `LANDFALL_GCP_ENDPOINT` puts Google's APIs on this machine in the place of the real ones, for tests and the demo.
    pub fn from_env(governor: Arc<Governor>) -> Result<Self, ConfigError> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        match variable(ENDPOINT) {
            Some(endpoint) => Self::loopback(&endpoint),
            None => Self::new(None, Means::Default, Patience::REAL, governor),
        }
    }

    /// Google's APIs on this machine: a simulator's, `http://127.0.0.1:PORT`.
    pub fn loopback(url: &str) -> Result<Self, ConfigError> {
        let here = http::on_this_machine(ENDPOINT, url)?;
        // On this machine nobody is spared: calls go out as fast as they are answered.
        let governor = Arc::new(Governor::new(|_| Rate::per_second(100_000, 10_000)));
        Self::new(Some(here), Means::Pretend, Patience::HERE, governor)
    }

    fn new(
        here: Option<Url>,
        means: Means,
        patience: Patience,
        governor: Arc<Governor>,
    ) -> Result<Self, ConfigError> {
        let connections = http::client()?;
        Ok(Gcp(Arc::new(Inner { here, means, patience, connections, governor, clients: Mutex::default() })))
    }

    /// Calls as one identity. Asking twice gives the same one, with its token.
    pub(crate) fn client(&self, who: &Who) -> Result<Client, ConfigError> {
        let mut clients = self.0.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(who) {
            return Ok(client.clone());
        }
        let client = Client { gcp: self.clone(), credentials: self.0.means.credentials(who)? };
        clients.insert(who.clone(), client.clone());
        Ok(client)
    }

    /// Where a call goes: `https://orgpolicy.googleapis.com/v2/…`.
    pub(super) fn url(&self, operation: &Operation) -> Result<Url, ConfigError> {
        let host = format!("{}.googleapis.com", operation.service.name);
        let base = match &self.0.here {
            Some(here) => format!("{here}{host}"),
            None => format!("https://{host}"),
        };
        let base = if operation.service.name == "compute" { format!("{base}/compute") } else { base };
        let text = format!("{base}/{}/{}", operation.service.version, operation.path);
        Url::parse(&text).map_err(|_| ConfigError::NotAnAddress(operation.to_string()))
    }

    /// Whether everything this process reaches is on this machine.
    pub fn is_loopback(&self) -> bool {
        self.0.here.is_some()
    }

    /// The kind of credentials that the environment gives, for people.
    pub fn means(&self) -> &'static str {
        self.0.means.as_str()
    }

    pub(super) fn patience(&self) -> Patience {
        self.0.patience
    }

    pub(super) fn governor(&self) -> &Governor {
        &self.0.governor
    }

    pub(super) fn connections(&self) -> &reqwest::Client {
        &self.0.connections
    }
}
