//! What the whole organization shares beside its tree: how many accounts are where, which policies there are by name, which
//! services have trusted access.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Directory, PAGE, REGION};
use crate::client::Client;
use crate::client::protocol::Reply;
use crate::client::service::ORGANIZATIONS;
use crate::error::CallError;

/// A policy by its name, without its document.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Listed {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) name: String,
}

/// A page of `ListPolicies` or `ListPoliciesForTarget`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Policies {
    #[serde(default)]
    pub(crate) policies: Vec<Listed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Services {
    #[serde(default, rename = "EnabledServicePrincipals")]
    enabled: Vec<Enabled>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Enabled {
    service_principal: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Residents {
    #[serde(default)]
    accounts: Vec<serde::de::IgnoredAny>,
}

impl Directory {
    /// How many accounts live in a unit, or the root, and in everything below it.
    pub(crate) async fn accounts_below(&self, id: &str) -> Result<u32, CallError> {
        let tree = self.tree().await?;
        let directly = self.directly.get(self.count(&tree)).await?;
        let mut below = BTreeSet::from([id]);
        // Parents stand before their children, so one pass finds the whole subtree.
        for node in &tree.nodes {
            if below.contains(node.parent.as_str()) {
                below.insert(&node.id);
            }
        }
        Ok(below.iter().filter_map(|id| directly.get(*id)).sum())
    }

    async fn count(&self, tree: &super::Tree) -> Result<BTreeMap<String, u32>, CallError> {
        let mut directly = BTreeMap::new();
        for node in &tree.nodes {
            let body = json!({"ParentId": node.id, "MaxResults": PAGE});
            let mut number = 0;
            for page in self.pages("ListAccountsForParent", body).await? {
                let Residents { accounts } = page.json()?;
                number += u32::try_from(accounts.len()).unwrap_or(u32::MAX);
            }
            directly.insert(node.id.clone(), number);
        }
        Ok(directly)
    }

    /// Every service control policy of the organization.
    pub(crate) async fn policies(&self) -> Result<Vec<Listed>, CallError> {
        let list = async {
            let mut all = Vec::new();
            let body = json!({"Filter": "SERVICE_CONTROL_POLICY", "MaxResults": PAGE});
            for page in self.pages("ListPolicies", body).await? {
                let Policies { policies } = page.json()?;
                all.extend(policies);
            }
            Ok(all)
        };
        self.policies.get(list).await
    }

    /// The id of the policy of this name, by a list made now.
    pub(crate) async fn policy_named(&self, name: &str) -> Result<Option<String>, CallError> {
        self.policies.forget().await;
        let policies = self.policies().await?;
        Ok(policies.into_iter().find(|policy| policy.name == name).map(|policy| policy.id))
    }

    /// Who made or deleted a policy forgets them.
    pub(crate) async fn forget_policies(&self) {
        self.policies.forget().await;
    }

    /// The service principals with trusted access.
    pub(crate) async fn services(&self) -> Result<BTreeSet<String>, CallError> {
        let list = async {
            let mut all = BTreeSet::new();
            let body = json!({"MaxResults": PAGE});
            for page in self.pages("ListAWSServiceAccessForOrganization", body).await? {
                let Services { enabled } = page.json()?;
                all.extend(enabled.into_iter().map(|service| service.service_principal));
            }
            Ok(all)
        };
        self.services.get(list).await
    }

    /// Who enabled a service forgets them.
    pub(crate) async fn forget_services(&self) {
        self.services.forget().await;
    }
}

/// How often a write is tried while others write. Organizations makes one change to a target at a time and refuses the others
/// instead of letting them wait; five tries last about ten seconds, by which everybody of one wave has had a turn.
const TRIES: u32 = 5;

/// The wait before the second try; each one after it is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(600);

/// A call to Organizations. One that is refused because somebody else is writing is tried again.
pub(crate) async fn organizations(
    client: &Client,
    operation: &'static str,
    body: Value,
) -> Result<Reply, CallError> {
    let mut wait = FIRST_WAIT;
    for _ in 1..TRIES {
        match client.json(&ORGANIZATIONS, REGION, operation, body.clone()).await {
            Err(error)
                if matches!(
                    error.code(),
                    Some("ConcurrentModificationException" | "PolicyChangesInProgressException")
                ) =>
            {
                tokio::time::sleep(wait).await;
                wait *= 2;
            }
            answer => return answer,
        }
    }
    client.json(&ORGANIZATIONS, REGION, operation, body).await
}
