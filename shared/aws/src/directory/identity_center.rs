//! IAM Identity Center by names: its instance, its permission sets, the groups of its identity store.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

use super::Directory;
use crate::client::service::{IDENTITY_STORE, SSO_ADMIN};
use crate::error::CallError;

/// The organization's instance of Identity Center.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Instance {
    #[serde(rename = "InstanceArn")]
    pub(crate) arn: String,
    #[serde(rename = "IdentityStoreId")]
    pub(crate) store: String,
    /// The account it is in. Older answers don't say.
    #[serde(rename = "OwnerAccountId")]
    owner: Option<String>,
    #[serde(rename = "Status")]
    status: Option<String>,
}

/// The organization's own instance: member accounts can have ones of their own, and one that is being made or deleted gives nothing.
fn chosen(instances: impl IntoIterator<Item = Instance>, management: &str) -> Option<Instance> {
    instances.into_iter().find(|instance| {
        instance.owner.as_deref().is_none_or(|owner| owner == management)
            && instance.status.as_deref().is_none_or(|status| status == "ACTIVE")
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Instances {
    #[serde(default)]
    instances: Vec<Instance>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Sets {
    #[serde(default)]
    permission_sets: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    permission_set: Described,
}

/// A permission set as DescribePermissionSet tells it; what it allows is asked for elsewhere.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Described {
    #[serde(default)]
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) relay_state: Option<String>,
    /// Text. An emulator that was never told one answers with a number of seconds, so anything is read.
    #[serde(default)]
    pub(crate) session_duration: Value,
    /// The number of the answer.
    #[serde(skip)]
    pub(crate) request: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Managed {
    #[serde(default)]
    attached_managed_policies: Vec<Policy>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Policy {
    #[serde(default)]
    arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inline {
    inline_policy: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GroupId {
    group_id: String,
}

impl Directory {
    /// The organization's instance in this region; nothing where Identity Center is not set up there.
    pub(crate) async fn instance(
        &self,
        region: &str,
        management: &str,
    ) -> Result<Option<Instance>, CallError> {
        let look = async {
            let mut all = Vec::new();
            for page in self.client.json_pages(&SSO_ADMIN, region, "ListInstances", json!({})).await? {
                let Instances { instances } = page.json()?;
                all.extend(instances);
            }
            Ok(chosen(all, management))
        };
        self.instance.get(look).await
    }

    /// What a permission set says of itself.
    pub(crate) async fn permission_set(
        &self,
        region: &str,
        instance: &Instance,
        arn: &str,
    ) -> Result<Described, CallError> {
        let body = json!({"InstanceArn": instance.arn, "PermissionSetArn": arn});
        let reply = self.client.json(&SSO_ADMIN, region, "DescribePermissionSet", body).await?;
        let Answer { permission_set } = reply.json()?;
        Ok(Described { request: reply.request_id, ..permission_set })
    }

    /// The ARNs of the managed policies in a permission set.
    pub(crate) async fn managed_policies(
        &self,
        region: &str,
        instance: &Instance,
        arn: &str,
    ) -> Result<BTreeSet<String>, CallError> {
        let operation = "ListManagedPoliciesInPermissionSet";
        let body = json!({"InstanceArn": instance.arn, "PermissionSetArn": arn});
        let mut policies = BTreeSet::new();
        for page in self.client.json_pages(&SSO_ADMIN, region, operation, body).await? {
            let Managed { attached_managed_policies } = page.json()?;
            policies.extend(attached_managed_policies.into_iter().map(|policy| policy.arn));
        }
        Ok(policies)
    }

    /// Whether a permission set has an inline policy.
    pub(crate) async fn has_inline_policy(
        &self,
        region: &str,
        instance: &Instance,
        arn: &str,
    ) -> Result<bool, CallError> {
        let body = json!({"InstanceArn": instance.arn, "PermissionSetArn": arn});
        let reply = self.client.json(&SSO_ADMIN, region, "GetInlinePolicyForPermissionSet", body).await?;
        let Inline { inline_policy } = reply.json()?;
        Ok(inline_policy.is_some_and(|policy| !policy.trim().is_empty()))
    }

    /// Every permission set's ARN by its name. Identity Center lists ARNs alone, so each is asked once.
    pub(crate) async fn permission_sets(
        &self,
        region: &str,
        instance: &Instance,
    ) -> Result<BTreeMap<String, String>, CallError> {
        let look = async {
            let mut sets = BTreeMap::new();
            let body = json!({"InstanceArn": instance.arn, "MaxResults": 100});
            for page in self.client.json_pages(&SSO_ADMIN, region, "ListPermissionSets", body).await? {
                let Sets { permission_sets } = page.json()?;
                for arn in permission_sets {
                    let described = self.permission_set(region, instance, &arn).await?;
                    sets.insert(described.name, arn);
                }
            }
            Ok(sets)
        };
        self.permission_sets.get(look).await
    }

    /// The instance, its permission sets and groups are looked up anew.
    pub(crate) async fn forget_identity_center(&self) {
        self.instance.forget().await;
        self.permission_sets.forget().await;
        self.groups.lock().await.clear();
    }

    /// Who made a permission set forgets them.
    pub(crate) async fn forget_permission_sets(&self) {
        self.permission_sets.forget().await;
    }

    /// The id of the group of this name. What is found is kept; a group that is not there is asked for again next time.
    pub(crate) async fn group(
        &self,
        region: &str,
        instance: &Instance,
        name: &str,
    ) -> Result<Option<String>, CallError> {
        if let Some(id) = self.groups.lock().await.get(name) {
            return Ok(Some(id.clone()));
        }
        let attribute = json!({"AttributePath": "displayName", "AttributeValue": name});
        let body: Value = json!({
            "IdentityStoreId": instance.store,
            "AlternateIdentifier": {"UniqueAttribute": attribute},
        });
        match self.client.json(&IDENTITY_STORE, region, "GetGroupId", body).await {
            Ok(reply) => {
                let GroupId { group_id } = reply.json()?;
                self.groups.lock().await.insert(name.to_owned(), group_id.clone());
                Ok(Some(group_id))
            }
            Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A group that was found by name is gone.
    pub(crate) async fn forget_group(&self, name: &str) {
        self.groups.lock().await.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_instance_is_the_organizations_own_and_active() {
        let one = |arn: &str, more: Value| {
            let mut instance = json!({"InstanceArn": arn, "IdentityStoreId": "d-1"});
            instance.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            instance
        };
        let members = || one("members", json!({"OwnerAccountId": "222222222222", "Status": "ACTIVE"}));
        let leaving =
            || one("leaving", json!({"OwnerAccountId": "111111111111", "Status": "DELETE_IN_PROGRESS"}));
        let own = || one("own", json!({"OwnerAccountId": "111111111111", "Status": "ACTIVE"}));
        for (listed, expected) in [
            (vec![], None),
            (vec![members()], None),
            (vec![leaving()], None),
            (vec![members(), leaving(), own()], Some("own")),
            (vec![one("older", json!({}))], Some("older")),
            (vec![one("nulls", json!({"OwnerAccountId": null, "Status": null}))], Some("nulls")),
        ] {
            let Instances { instances } = serde_json::from_value(json!({"Instances": listed})).unwrap();
            assert_eq!(
                chosen(instances, "111111111111").map(|one| one.arn).as_deref(),
                expected,
                "{listed:?}"
            );
        }
    }
}
