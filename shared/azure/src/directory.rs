//! What the directory has, looked up once for a sweep, and anew for every run of its own: its tree of management groups, its
//! subscriptions, the names of roles.
//!
//! What is remembered here only finds things, or says what a name stands for; whether a setting holds is always judged by a look of
//! its own.

mod roles;
mod tree;

pub(crate) use roles::Rights;
pub(crate) use tree::{Tree, group_path};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use landfall_engine::cloud::{LookError, Page, Surveyed};
use landfall_engine::control::{Permissions, chain};
use landfall_engine::permissions::Errand;
use landfall_engine::remembered::{NAMES, Remembered};
use landfall_model::catalog::ControlKind;
use landfall_model::facts::{Facts, Origin, State};
use landfall_model::id::{Provider, TenantId};
use landfall_model::manifest::AzureCloud;
use landfall_model::observed::{Address, Look, Observed, Seen};

use crate::client::Client;
use crate::client::service::{RESOURCES, SUBSCRIPTIONS};
use crate::error::CallError;

/// What the directory calls for everybody; what it looks up for a control is that control's.
pub(crate) const ERRAND: Errand = Errand {
    name: "directory",
    needs: Permissions {
        read: &[
            "Microsoft.Management/managementGroups/descendants/read",
            "Microsoft.Resources/subscriptions/read",
            // Whether somebody works in a subscription already.
            "Microsoft.Resources/subscriptions/resources/read",
        ],
        write: &[],
    },
};

/// Subscriptions in one page of a sweep: small enough that a record of them is read quickly by each of their workers.
const PAGE: usize = 50;

/// The directory, as one identity that can only look.
#[derive(Debug, Clone)]
pub(crate) struct Directory {
    client: Client,
    /// The directory's id, which is its root group's as well.
    directory: String,
    tree: Remembered<Arc<Tree>>,
    subscriptions: Remembered<Arc<BTreeMap<String, Facts>>>,
    roles: roles::Roles,
}

/// A subscription as Resource Manager knows it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Subscription {
    subscription_id: String,
    #[serde(default)]
    display_name: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    tenant_id: String,
}

impl Subscription {
    /// Azure says neither when a subscription came nor how; who is not in the first inventory is new.
    fn facts(&self) -> Facts {
        Facts {
            name: self.display_name.clone(),
            state: match self.state.as_str() {
                "Enabled" => State::Active,
                "Deleted" => State::Closing,
                // Disabled, Warned, PastDue and what Azure may add: nothing is written where we don't know.
                _ => State::Suspended,
            },
            origin: Origin::Created,
            joined: None,
        }
    }
}

impl Directory {
    pub(crate) fn new(client: Client, ground: &AzureCloud) -> Self {
        Directory {
            client,
            directory: ground.directory.clone(),
            tree: Remembered::new(NAMES),
            subscriptions: Remembered::new(NAMES),
            roles: roles::Roles::default(),
        }
    }

    /// The tree below the directory's root group, read once. Who changed it forgets it.
    pub(crate) async fn tree(&self) -> Result<Arc<Tree>, CallError> {
        self.tree.get(async { Tree::read(&self.client, &self.directory).await.map(Arc::new) }).await
    }

    /// The next who asks for the tree reads it anew.
    pub(crate) async fn forget_tree(&self) {
        self.tree.forget().await;
    }

    /// Everything is looked up anew.
    pub(crate) async fn forget_all(&self) {
        self.tree.forget().await;
        self.subscriptions.forget().await;
        self.roles.forget().await;
    }

    /// What Resource Manager says of one subscription.
    pub(crate) async fn facts(&self, tenant: &TenantId) -> Result<Option<Facts>, LookError> {
        const DOING: &str = "ask what a subscription is";
        let path = format!("/subscriptions/{}", tenant.native());
        let reply = match self.client.get(&SUBSCRIPTIONS, &path).await {
            Ok(reply) => reply,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(unseen(DOING, &error)),
        };
        let subscription: Subscription = reply.json().map_err(|error| unseen(DOING, &error))?;
        // Somebody else's, that we were given rights on (Lighthouse), is none of this directory.
        Ok((subscription.tenant_id == self.directory).then(|| subscription.facts()))
    }

    /// Whether there is any resource in a subscription. Azure does not say how one came: one that was transferred from another directory
    /// looks like a new one, but for what is in it.
    pub(crate) async fn is_in_use(&self, tenant: &TenantId) -> Result<bool, LookError> {
        let path = format!("/subscriptions/{}/resources?$top=1", tenant.native());
        let looked = self.client.page(&RESOURCES, &path, None).await;
        let (_, resources, next) =
            looked.map_err(|error| unseen("ask whether somebody works in a subscription", &error))?;
        // A first page may be empty and have another one behind it.
        Ok(!resources.is_empty() || next.is_some())
    }

    /// One page of subscriptions, by their ids; the cursor is the last one of the page before.
    pub(crate) async fn page(&self, cursor: Option<&str>) -> Result<Page, LookError> {
        const DOING: &str = "list the subscriptions";
        if cursor.is_none() {
            self.tree.forget().await;
            self.subscriptions.forget().await;
        }
        let tree = self.tree().await.map_err(|error| unseen(DOING, &error))?;
        let known = self.subscriptions().await.map_err(|error| unseen(DOING, &error))?;
        let at = Timestamp::now();
        // One list says who there is, the other what they are; who is in one only is told of all the same.
        let ids: BTreeSet<&String> = tree.subscriptions.keys().chain(known.keys()).collect();
        let mut rest = ids.into_iter().filter(|id| cursor.is_none_or(|last| id.as_str() > last));
        let mut tenants = Vec::new();
        let mut last = None;
        for id in rest.by_ref().take(PAGE) {
            last = Some(id.clone());
            let Ok(tenant) = TenantId::new(Provider::Azure, id) else { continue };
            let facts = match known.get(id) {
                Some(facts) => facts.clone(),
                // The two lists are kept apart, and one may not have it yet: then it is asked for by itself. Nobody is left out, or
                // the first inventory would lack him; but nothing is decided by half of what he is.
                None => self.facts(&tenant).await.ok().flatten().unwrap_or_else(|| Facts {
                    name: tree.names.get(id).cloned().unwrap_or_default(),
                    state: State::Unclear,
                    origin: Origin::Created,
                    joined: None,
                }),
            };
            let mut seen = Observed::default();
            if let Some(parent) = tree.subscriptions.get(id) {
                let look = Look { seen: Seen::Present(json!({"parent": parent})), at, request: None };
                seen.0.insert(Address::global(ControlKind::Placement, "subscription"), look);
            }
            tenants.push(Surveyed { tenant, facts, seen });
        }
        let next = rest.next().and(last);
        Ok(Page { tenants, next })
    }

    async fn subscriptions(&self) -> Result<Arc<BTreeMap<String, Facts>>, CallError> {
        let list = async {
            let (reply, values) = self.client.list(&SUBSCRIPTIONS, "/subscriptions").await?;
            let mut all = BTreeMap::new();
            for value in values {
                let one: Subscription =
                    serde_json::from_value(value).map_err(|error| reply.unreadable(error))?;
                if one.tenant_id == self.directory {
                    all.insert(one.subscription_id.to_ascii_lowercase(), one.facts());
                }
            }
            Ok(Arc::new(all))
        };
        self.subscriptions.get(list).await
    }

    /// The id of a role definition by its name: built in, or made at or above the scope.
    pub(crate) async fn role(&self, scope: &str, name: &str) -> Result<Option<String>, CallError> {
        self.roles.id(&self.client, scope, name).await
    }

    /// What the role of this id lets its holders do; nothing where there is no such role.
    pub(crate) async fn rights(&self, scope: &str, id: &str) -> Result<Option<Rights>, CallError> {
        self.roles.rights(&self.client, scope, id).await
    }
}

fn unseen(doing: &str, error: &CallError) -> LookError {
    LookError { doing: doing.to_owned(), why: chain(error) }
}
