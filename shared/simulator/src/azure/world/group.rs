//! Management groups: the tree above the subscriptions, and what the directory says about it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::governance::Governance;
use super::resource::{Resources, key};

/// One management group.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ManagementGroup {
    pub id: String,
    pub display_name: String,
    /// `None` for the tenant root group alone.
    pub parent: Option<String>,
    #[serde(flatten)]
    pub governance: Governance,
    pub updated_at: Timestamp,
    pub version: u64,
}

/// Where new subscriptions and groups go, and who may make groups.
///
/// <https://learn.microsoft.com/azure/governance/management-groups/how-to/protect-resource-hierarchy>
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct HierarchySettings {
    /// The id of the group that new subscriptions are born in; `None` is the tenant root group.
    pub default_management_group: Option<String>,
    pub require_authorization: bool,
}

/// Whether subscriptions may leave or enter the directory.
///
/// <https://learn.microsoft.com/azure/cost-management-billing/manage/manage-azure-subscription-policy>
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct SubscriptionPolicy {
    pub block_leaving: bool,
    pub block_entering: bool,
    pub exempted_principals: Vec<String>,
}

/// A user, group or application that roles can be given to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Principal {
    /// `User`, `Group` or `ServicePrincipal`.
    pub kind: String,
    pub name: String,
    /// Before this moment only an assignment that names the principal's type finds it: replication lags.
    pub known_from: Option<Timestamp>,
}

/// The Entra directory, as far as ARM shows it: everything above the subscriptions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Directory {
    /// Also the id of the tenant root group.
    pub id: String,
    /// The group below which the organization's own groups are.
    pub root: String,
    /// By id in lower case.
    pub management_groups: BTreeMap<String, ManagementGroup>,
    pub hierarchy_settings: Option<HierarchySettings>,
    pub subscription_policy: SubscriptionPolicy,
    /// Whether Customer Lockbox is on: Microsoft's people ask before they look.
    pub lockbox: bool,
    /// By object id in lower case.
    pub principals: BTreeMap<String, Principal>,
    /// Custom roles, by their UUID.
    pub role_definitions: Resources,
    /// What is on the tenant itself, `/`: role assignments of elevated administrators.
    pub governance: Governance,
}

impl Directory {
    pub fn group(&self, id: &str) -> Option<&ManagementGroup> {
        self.management_groups.get(&key(id))
    }

    pub fn group_mut(&mut self, id: &str) -> Option<&mut ManagementGroup> {
        self.management_groups.get_mut(&key(id))
    }

    /// Puts a group below `parent`, as if it had always been there.
    pub fn add_group(&mut self, id: &str, display_name: &str, parent: Option<&str>) {
        let group = ManagementGroup {
            id: id.to_owned(),
            display_name: display_name.to_owned(),
            parent: parent.map(str::to_owned),
            governance: Governance::default(),
            updated_at: Timestamp::UNIX_EPOCH,
            version: 1,
        };
        self.management_groups.insert(key(id), group);
    }

    /// The group and those above it, nearest first. A group whose parent a test took away ends the way.
    pub(crate) fn way_up(&self, id: &str) -> Vec<&ManagementGroup> {
        let mut way: Vec<&ManagementGroup> = Vec::new();
        let mut next = self.group(id);
        while let Some(group) = next {
            if way.iter().any(|seen| seen.id == group.id) {
                break;
            }
            way.push(group);
            next = group.parent.as_deref().and_then(|parent| self.group(parent));
        }
        way
    }

    /// Whether a new subscription's place is said and exists.
    pub(crate) fn birthplace(&self) -> String {
        let said = self.hierarchy_settings.as_ref().and_then(|set| set.default_management_group.as_deref());
        said.and_then(|id| self.group(id)).map_or_else(|| self.id.clone(), |group| group.id.clone())
    }
}

impl ManagementGroup {
    pub(crate) fn arm_id(&self) -> String {
        arm_id(&self.id)
    }

    /// As `GET managementGroups/{id}` answers.
    pub(crate) fn show(&self, directory: &Directory) -> Value {
        let way = directory.way_up(&self.id);
        let ancestors: Vec<Value> = way.iter().skip(1).map(|group| json!(group.id)).collect();
        let chain: Vec<Value> = way
            .iter()
            .skip(1)
            .map(|group| json!({"name": group.id, "displayName": group.display_name}))
            .collect();
        let path: Vec<Value> = way
            .iter()
            .rev()
            .map(|group| json!({"name": group.id, "displayName": group.display_name}))
            .collect();
        let mut details = json!({
            "version": self.version,
            "updatedTime": self.updated_at.to_string(),
            "updatedBy": "landfall",
            "path": path,
            "managementGroupAncestors": ancestors,
            "managementGroupAncestorsChain": chain,
        });
        if let (Some(parent), Some(members)) = (way.get(1), details.as_object_mut()) {
            let parent =
                json!({"id": parent.arm_id(), "name": parent.id, "displayName": parent.display_name});
            members.insert("parent".to_owned(), parent);
        }
        json!({
            "id": self.arm_id(),
            "type": "Microsoft.Management/managementGroups",
            "name": self.id,
            "properties": {"tenantId": directory.id, "displayName": self.display_name, "details": details},
        })
    }
}

pub(crate) fn arm_id(group: &str) -> String {
    format!("/providers/Microsoft.Management/managementGroups/{group}")
}

/// The group that an ARM id or a bare id names.
pub(crate) fn named(id: &str) -> &str {
    id.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}
