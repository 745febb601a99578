//! IAM Identity Center by names: its instance, its permission sets, the groups of its identity store.

use std::collections::BTreeMap;

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
struct Described {
    permission_set: Named,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GroupId {
    group_id: String,
}

impl Directory {
    /// The instance in this region; nothing where Identity Center is not set up there.
    pub(crate) async fn instance(&self, region: &str) -> Result<Option<Instance>, CallError> {
        let look = async {
            let reply = self.client.json(&SSO_ADMIN, region, "ListInstances", json!({})).await?;
            let Instances { instances } = reply.json()?;
            Ok(instances.into_iter().next())
        };
        self.instance.get(look).await
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
                    let body = json!({"InstanceArn": instance.arn, "PermissionSetArn": arn});
                    let reply = self.client.json(&SSO_ADMIN, region, "DescribePermissionSet", body).await?;
                    let Described { permission_set: Named { name } } = reply.json()?;
                    sets.insert(name, arn);
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
