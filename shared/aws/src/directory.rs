//! What the organization has, looked up once for a sweep, and anew for every run of its own: its root, its tree of units, its tenants.
//!
//! Organizations answers a few calls a second for the whole organization, so what all tenants share is read once. What is
//! remembered here only finds things; whether a setting holds is always judged by a look of its own.

mod identity_center;
mod organization;

pub(crate) use identity_center::Instance;
pub(crate) use organization::{Listed, Policies, organizations};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use landfall_engine::cloud::{LookError, Page, Surveyed};
use landfall_engine::control::{Permissions, chain};
use landfall_engine::permissions::Errand;
use landfall_engine::remembered::{NAMES, Remembered, STATE};
use landfall_model::catalog::ControlKind;
use landfall_model::facts::{Facts, Origin, State};
use landfall_model::id::{Provider, TenantId};
use landfall_model::observed::{Address, Look, Observed, Seen};

use crate::client::Client;
use crate::client::service::ORGANIZATIONS;
use crate::error::CallError;

/// What the directory calls for everybody; what it looks up for a control is that control's.
pub(crate) const ERRAND: Errand = Errand {
    name: "directory",
    needs: Permissions {
        read: &[
            "organizations:DescribeAccount",
            "organizations:ListAccountsForParent",
            "organizations:ListOrganizationalUnitsForParent",
            "organizations:ListRoots",
        ],
        write: &[],
    },
};

/// How many accounts Organizations gives in one page at most.
pub(crate) const PAGE: u32 = 20;

/// One unit, or the root, as Organizations knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    /// `r-ab12` or `ou-ab12-xxxxxxxx`.
    pub(crate) id: String,
    /// Its name; the root's is empty.
    pub(crate) name: String,
    /// The id of the node above; empty for the root.
    pub(crate) parent: String,
}

/// The organization's tree, in the order it was walked: the root first, parents before children.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Node>,
}

impl Tree {
    /// The root's id.
    pub(crate) fn root(&self) -> Option<&Node> {
        self.nodes.first()
    }

    /// The node of this id.
    pub(crate) fn node(&self, id: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.id == id)
    }

    /// The child of this name.
    pub(crate) fn child(&self, parent: &str, name: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.parent == parent && node.name == name)
    }
}

/// The organization's directory, as one identity that can only look.
#[derive(Debug, Clone)]
pub(crate) struct Directory {
    client: Client,
    tree: Arc<Mutex<Option<Tree>>>,
    /// How many accounts are directly in a node.
    directly: Remembered<BTreeMap<String, u32>>,
    policies: Remembered<Vec<Listed>>,
    services: Remembered<BTreeSet<String>>,
    instance: Remembered<Option<Instance>>,
    permission_sets: Remembered<BTreeMap<String, String>>,
    groups: Arc<Mutex<BTreeMap<String, String>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Roots {
    #[serde(default)]
    roots: Vec<Named>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Units {
    #[serde(default)]
    organizational_units: Vec<Named>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    id: String,
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Accounts {
    #[serde(default)]
    accounts: Vec<Account>,
    #[serde(default)]
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    account: Account,
}

/// `State` replaces `Status`, which AWS retires; both are read.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Account {
    id: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    joined_method: Option<String>,
    #[serde(default)]
    joined_timestamp: Option<f64>,
}

impl Account {
    fn facts(&self) -> Facts {
        let state = self.state.as_deref().or(self.status.as_deref()).unwrap_or("ACTIVE");
        Facts {
            name: self.name.clone().unwrap_or_default(),
            state: match state {
                "ACTIVE" => State::Active,
                "PENDING_CLOSURE" | "CLOSED" => State::Closing,
                // PENDING_ACTIVATION and what AWS may add: nothing is written where we don't know.
                _ => State::Suspended,
            },
            origin: match self.joined_method.as_deref() {
                Some("CREATED") => Origin::Created,
                _ => Origin::Joined,
            },
            joined: self.joined_timestamp.and_then(seconds),
        }
    }
}

/// Organizations writes times as seconds with a fraction.
fn seconds(time: f64) -> Option<Timestamp> {
    let duration = jiff::SignedDuration::try_from_secs_f64(time).ok()?;
    Timestamp::from_duration(duration).ok()
}

impl Directory {
    pub(crate) fn new(client: Client) -> Self {
        Directory {
            client,
            tree: Arc::default(),
            directly: Remembered::new(NAMES),
            policies: Remembered::new(STATE),
            services: Remembered::new(STATE),
            instance: Remembered::new(NAMES),
            permission_sets: Remembered::new(NAMES),
            groups: Arc::default(),
        }
    }

    /// The tree, read once. Who made a unit forgets it.
    pub(crate) async fn tree(&self) -> Result<Tree, CallError> {
        let mut held = self.tree.lock().await;
        if let Some(tree) = &*held {
            return Ok(tree.clone());
        }
        let tree = self.walk().await?;
        *held = Some(tree.clone());
        Ok(tree)
    }

    /// Everything is looked up anew.
    pub(crate) async fn forget_all(&self) {
        self.forget().await;
        self.forget_policies().await;
        self.forget_services().await;
        self.forget_identity_center().await;
    }

    /// The next who asks for the tree reads it anew.
    pub(crate) async fn forget(&self) {
        *self.tree.lock().await = None;
        self.directly.forget().await;
    }

    async fn walk(&self) -> Result<Tree, CallError> {
        let mut tree = Tree::default();
        for page in self.pages("ListRoots", json!({"MaxResults": PAGE})).await? {
            let Roots { roots } = page.json()?;
            tree.nodes.extend(roots.into_iter().map(|root| Node {
                id: root.id,
                name: String::new(),
                parent: String::new(),
            }));
        }
        let mut next = 0;
        while let Some(parent) = tree.nodes.get(next).map(|node| node.id.clone()) {
            let body = json!({"ParentId": parent, "MaxResults": PAGE});
            for page in self.pages("ListOrganizationalUnitsForParent", body).await? {
                let Units { organizational_units } = page.json()?;
                tree.nodes.extend(organizational_units.into_iter().map(|unit| Node {
                    id: unit.id,
                    name: unit.name,
                    parent: parent.clone(),
                }));
            }
            next += 1;
        }
        Ok(tree)
    }

    async fn pages(
        &self,
        operation: &'static str,
        body: Value,
    ) -> Result<Vec<crate::client::protocol::Reply>, CallError> {
        self.client.json_pages(&ORGANIZATIONS, REGION, operation, body).await
    }

    /// What Organizations says of one account.
    pub(crate) async fn facts(&self, tenant: &TenantId) -> Result<Option<Facts>, LookError> {
        let body = json!({"AccountId": tenant.native()});
        let reply = match self.client.json(&ORGANIZATIONS, REGION, "DescribeAccount", body).await {
            Ok(reply) => reply,
            Err(error) if error.code() == Some("AccountNotFoundException") => return Ok(None),
            Err(error) => return Err(unseen("ask what an account is", &error)),
        };
        let described: Described = reply.json().map_err(|error| unseen("ask what an account is", &error))?;
        Ok(Some(described.account.facts()))
    }

    /// One page of accounts, parent by parent, so that every account's place in the tree comes with it.
    ///
    /// The cursor is the parent's place in the tree and Organizations' own token.
    pub(crate) async fn page(&self, cursor: Option<&str>) -> Result<Page, LookError> {
        const DOING: &str = "list the accounts";
        if cursor.is_none() {
            self.forget().await;
        }
        let tree = self.tree().await.map_err(|error| unseen(DOING, &error))?;
        let (place, token) = match cursor {
            None => (0, None),
            Some(cursor) => {
                let (parent, token) = cursor.split_once(' ').unwrap_or((cursor, ""));
                let place =
                    tree.nodes.iter().position(|node| node.id == parent).ok_or_else(|| LookError {
                        doing: DOING.to_owned(),
                        why: format!(
                            "the unit `{parent}` is gone since the last page; the next sweep begins anew"
                        ),
                    })?;
                (place, (!token.is_empty()).then(|| token.to_owned()))
            }
        };
        let Some(parent) = tree.nodes.get(place) else {
            return Ok(Page { tenants: Vec::new(), next: None });
        };
        let mut body = json!({"ParentId": parent.id, "MaxResults": PAGE});
        if let (Value::Object(body), Some(token)) = (&mut body, token) {
            body.insert("NextToken".to_owned(), Value::String(token));
        }
        let reply = self
            .client
            .json(&ORGANIZATIONS, REGION, "ListAccountsForParent", body)
            .await
            .map_err(|error| unseen(DOING, &error))?;
        let request = reply.request_id.clone();
        let Accounts { accounts, next_token } = reply.json().map_err(|error| unseen(DOING, &error))?;
        let at = Timestamp::now();
        let mut tenants = Vec::new();
        for account in accounts {
            let Ok(tenant) = TenantId::new(Provider::Aws, &account.id) else { continue };
            let look =
                Look { seen: Seen::Present(json!({"parent": parent.id})), at, request: request.clone() };
            let placement = Address::global(ControlKind::Placement, "account");
            let seen = Observed(BTreeMap::from([(placement, look)]));
            tenants.push(Surveyed { tenant, facts: account.facts(), seen });
        }
        let next = match next_token.filter(|token| !token.is_empty()) {
            Some(token) => Some(format!("{} {token}", parent.id)),
            None => tree.nodes.get(place + 1).map(|node| node.id.clone()),
        };
        Ok(Page { tenants, next })
    }
}

/// Organizations is one for the partition; the table knows where.
pub(crate) const REGION: &str = "us-east-1";

fn unseen(doing: &str, error: &CallError) -> LookError {
    LookError { doing: doing.to_owned(), why: chain(error) }
}
