//! Who looks at a subscription and who writes to it: two identities, two types.
//!
//! A [`Reader`] calls as the manifest's read identity, a [`Writer`] as its write identity. The function's own identity can reach its
//! store and queue, nothing else. At a desk both are the person who signed in.

use landfall_model::manifest::{AzureCloud, AzureIdentities};
use serde_json::Value;

use crate::client::service::Service;
use crate::client::{Azure, Client, Reply};
use crate::directory::Directory;
use crate::error::{CallError, ConfigError};
use crate::identity::Who;

/// The way to one target.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    /// The subscription's id; empty where the target is the organization.
    pub(crate) subscription: String,
    /// Calls, as this session's identity.
    pub(crate) client: Client,
    /// What the directory has, looked up once, as the identity that can only look.
    pub(crate) directory: Directory,
    /// The cloud as the manifest says.
    pub(crate) ground: AzureCloud,
}

/// Looks; its identity can't write.
#[derive(Debug, Clone)]
pub(crate) struct Reader(pub(crate) Session);

/// Writes.
#[derive(Debug, Clone)]
pub(crate) struct Writer(pub(crate) Session);

impl Session {
    /// Reads one resource. One in a management group that does not exist is not there.
    pub(crate) async fn get(&self, service: &Service, path: &str) -> Result<Reply, CallError> {
        match self.client.get(service, path).await {
            Err(error) => Err(self.absent_group(path, error).await),
            answer => answer,
        }
    }

    /// Everything on all pages of a list, and the last page's answer; in a management group that does not exist there is none.
    pub(crate) async fn list(&self, service: &Service, path: &str) -> Result<(Reply, Vec<Value>), CallError> {
        match self.client.list(service, path).await {
            Err(error) => Err(self.absent_group(path, error).await),
            answer => answer,
        }
    }

    /// A refusal that means that there is no such management group.
    async fn absent_group(&self, path: &str, error: CallError) -> CallError {
        let Some(group) = group_of(path).filter(|_| error.is_denied()) else { return error };
        match self.directory.tree().await {
            Ok(tree) if tree.group(group).is_none() => {
                CallError::NoGroup { group: group.to_owned(), source: Box::new(error) }
            }
            // Whether it exists can't be told, so the refusal stands.
            Ok(_) | Err(_) => error,
        }
    }

    /// The subscription as a scope: `/subscriptions/<id>`.
    pub(crate) fn scope(&self) -> String {
        format!("/subscriptions/{}", self.subscription)
    }
}

/// The management group that a path is in.
fn group_of(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("/providers/Microsoft.Management/managementGroups/")?;
    rest.split(['/', '?']).next().filter(|group| !group.is_empty())
}

/// Makes the two kinds of sessions.
#[derive(Debug, Clone)]
pub(crate) struct Door {
    reading: Client,
    writing: Client,
    ground: AzureCloud,
    directory: Directory,
}

impl Door {
    pub(crate) fn new(azure: &Azure, ground: AzureCloud) -> Result<Self, ConfigError> {
        let AzureIdentities { read, write, principals: _ } = &ground.identities;
        let reading = azure.client(&Who::Read(read.clone()))?;
        let writing = azure.client(&Who::Write(write.clone()))?;
        let directory = Directory::new(reading.clone(), &ground);
        Ok(Door { reading, writing, ground, directory })
    }

    pub(crate) const fn directory(&self) -> &Directory {
        &self.directory
    }

    pub(crate) fn reader(&self, subscription: &str) -> Reader {
        Reader(self.session(subscription, &self.reading))
    }

    pub(crate) fn writer(&self, subscription: &str) -> Writer {
        Writer(self.session(subscription, &self.writing))
    }

    fn session(&self, subscription: &str, client: &Client) -> Session {
        Session {
            subscription: subscription.to_owned(),
            client: client.clone(),
            directory: self.directory.clone(),
            ground: self.ground.clone(),
        }
    }
}
