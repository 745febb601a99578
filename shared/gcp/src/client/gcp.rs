//! The process's own way in: which credentials, one connection pool.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use google_cloud_auth::credentials::idtoken::{self, IDTokenCredentials};
use landfall_engine::governor::{Governor, Rate};
use landfall_engine::store::BoxError;
use url::Url;

use super::patience::Patience;
use super::service::TASKS;
use super::{Client, Operation};
use crate::error::ConfigError;
use crate::http::{self, Connector, UNIVERSE, on_this_machine};
use crate::identity::{Means, Who};

/// Puts Google's APIs on this machine in the place of the real ones: each below a folder with the name of its host.
const ENDPOINT: &str = "LANDFALL_GCP_ENDPOINT";

/// Puts a Cloud Storage on this machine in the place of the real one.
const STORAGE: &str = "LANDFALL_GCP_STORAGE";

/// Puts a Cloud Tasks on this machine in the place of the real one, where it is not with the other APIs.
const TASKS_HERE: &str = "LANDFALL_GCP_TASKS";

/// Where Google's services are on this machine: `http://127.0.0.1:PORT` each.
#[derive(Debug, Clone, Copy, Default)]
pub struct Local<'a> {
    /// The APIs, each below a folder with the name of its host.
    pub apis: &'a str,
    /// Cloud Storage; nothing where there is none.
    pub storage: Option<&'a str>,
    /// Cloud Tasks; nothing where it is with the other APIs.
    pub tasks: Option<&'a str>,
}

/// A process's way to Google Cloud. Clones share it.
#[derive(Clone, Debug)]
pub struct Gcp(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Where everything is on this machine instead.
    here: Option<Url>,
    /// A Cloud Storage on this machine in the place of all buckets.
    storage: Option<Url>,
    /// A Cloud Tasks on this machine.
    tasks: Option<Url>,
    means: Means,
    /// What gives tokens for another cloud, and for which audience.
    identity: tokio::sync::Mutex<Option<(String, IDTokenCredentials)>>,
    patience: Patience,
    connections: reqwest::Client,
    governor: Arc<Governor>,
    /// One client for each identity: it keeps the identity's token.
    clients: Mutex<BTreeMap<Who, Client>>,
}

impl Gcp {
    /// The way that the environment says: Application Default Credentials, as Google's own libraries find them.
    /// `LANDFALL_GCP_ENDPOINT` puts Google's APIs on this machine in the place of the real ones, for tests and the demo, and
    /// `LANDFALL_GCP_STORAGE` a Cloud Storage, and `LANDFALL_GCP_TASKS` a Cloud Tasks of its own.
    pub fn from_env(governor: Arc<Governor>) -> Result<Self, ConfigError> {
        Self::of(|name| std::env::var(name).ok(), Path::is_file, governor)
    }

    /// The same, with the environment as it is told.
    pub(super) fn of(
        variable: impl Fn(&str) -> Option<String>,
        is_file: impl Fn(&Path) -> bool,
        governor: Arc<Governor>,
    ) -> Result<Self, ConfigError> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let storage = variable(STORAGE);
        let tasks = variable(TASKS_HERE);
        if let Some(apis) = variable(ENDPOINT) {
            let local = Local { apis: &apis, storage: storage.as_deref(), tasks: tasks.as_deref() };
            return Self::here(&local, Patience::HERE);
        }
        let storage = storage.map(|text| on_this_machine(STORAGE, &text)).transpose()?;
        let tasks = tasks.map(|text| on_this_machine(TASKS_HERE, &text)).transpose()?;
        let inner = Inner {
            here: None,
            storage,
            tasks,
            means: Means::of(variable, is_file),
            identity: tokio::sync::Mutex::default(),
            patience: Patience::REAL,
            connections: http::client()?,
            governor,
            clients: Mutex::default(),
        };
        Ok(Gcp(Arc::new(inner)))
    }

    /// Google's APIs on this machine: a simulator's, `http://127.0.0.1:PORT`. There is no storage.
    pub fn loopback(url: &str) -> Result<Self, ConfigError> {
        Self::local(&Local { apis: url, ..Local::default() })
    }

    /// Google's APIs and a Cloud Storage on this machine: `http://127.0.0.1:PORT` each.
    pub fn loopback_with_storage(url: &str, storage: &str) -> Result<Self, ConfigError> {
        Self::local(&Local { apis: url, storage: Some(storage), tasks: None })
    }

    /// Google's services on this machine.
    pub fn local(local: &Local<'_>) -> Result<Self, ConfigError> {
        Self::here(local, Patience::HERE)
    }

    pub(super) fn here(local: &Local<'_>, patience: Patience) -> Result<Self, ConfigError> {
        let Local { apis, storage, tasks } = local;
        let inner = Inner {
            here: Some(on_this_machine(ENDPOINT, apis)?),
            storage: storage.map(|text| on_this_machine(STORAGE, text)).transpose()?,
            tasks: tasks.map(|text| on_this_machine(TASKS_HERE, text)).transpose()?,
            means: Means::Pretend,
            identity: tokio::sync::Mutex::default(),
            patience,
            connections: http::client()?,
            // On this machine nobody is spared: calls go out as fast as they are answered.
            governor: Arc::new(Governor::new(|_| Rate::per_second(100_000, 10_000))),
            clients: Mutex::default(),
        };
        Ok(Gcp(Arc::new(inner)))
    }

    /// Calls as one identity. Asking twice gives the same one, with its token. Real credentials take a runtime.
    pub(crate) fn client(&self, who: &Who) -> Result<Client, ConfigError> {
        let mut clients = self.0.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(who) {
            return Ok(client.clone());
        }
        let client = Client { gcp: self.clone(), credentials: self.0.means.credentials(who)? };
        clients.insert(who.clone(), client.clone());
        Ok(client)
    }

    /// A token by which another cloud knows the process's own service account.
    pub(crate) async fn identity_token(&self, audience: &str) -> Result<String, BoxError> {
        let mut kept = self.0.identity.lock().await;
        if let Some((of, credentials)) = &*kept
            && of == audience
        {
            return Ok(credentials.id_token().await?);
        }
        let credentials = match self.0.means {
            // Beside simulated APIs the host may still give tokens: `GCE_METADATA_HOST` says where.
            Means::Host | Means::Pretend => idtoken::mds::Builder::new(audience).build()?,
            Means::File | Means::Desk => idtoken::Builder::new(audience).build()?,
        };
        let token = credentials.id_token().await?;
        *kept = Some((audience.to_owned(), credentials));
        Ok(token)
    }

    /// The one connector, for whoever goes to another cloud's storage.
    pub fn connector(&self) -> Connector {
        Connector::new(self.connections().clone(), http::ANSWER)
    }

    /// Where a call goes: `https://orgpolicy.googleapis.com/v2/…`.
    pub(super) fn url(&self, operation: &Operation, universe: &str) -> Result<Url, ConfigError> {
        let Operation { service, path, .. } = operation;
        let wrong = || ConfigError::NotAnAddress(operation.to_string());
        // Our token goes to the host of the API and to no other, and the path is the one that was meant.
        let (resource, _) = path.split_once('?').unwrap_or((path, ""));
        let strays = path.contains('#') || resource.split('/').any(|part| matches!(part, "" | "." | ".."));
        let host = universe.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
        if strays || !host {
            return Err(wrong());
        }
        let here = if *service == TASKS {
            self.0.tasks.as_ref().or(self.0.here.as_ref())
        } else {
            self.0.here.as_ref()
        };
        let base = match here {
            // There every API stands below a folder with the name of its public host.
            Some(here) => format!("{here}{}.{UNIVERSE}", service.name),
            None => format!("https://{}.{universe}", service.name),
        };
        let folder = if service.name == "compute" { "/compute" } else { "" };
        Url::parse(&format!("{base}{folder}/{}/{path}", service.version)).map_err(|_| wrong())
    }

    /// Whether everything this process reaches is on this machine.
    pub fn is_loopback(&self) -> bool {
        self.0.here.is_some()
    }

    /// The kind of credentials that the environment gives, for people.
    pub fn means(&self) -> &'static str {
        self.0.means.as_str()
    }

    /// A Cloud Storage on this machine, where one stands in for the real one.
    pub(crate) fn storage_here(&self) -> Option<&Url> {
        self.0.storage.as_ref()
    }

    pub(super) fn patience(&self) -> Patience {
        self.0.patience
    }

    pub(super) fn governor(&self) -> &Governor {
        &self.0.governor
    }

    /// The one pool.
    pub(crate) fn connections(&self) -> &reqwest::Client {
        &self.0.connections
    }
}
