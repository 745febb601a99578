//! The roles that Microsoft defines: <https://learn.microsoft.com/azure/role-based-access-control/built-in-roles>

use jiff::Timestamp;
use serde_json::json;

use super::resource::{Resource, Resources};

pub const OWNER: &str = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";
pub const CONTRIBUTOR: &str = "b24988ac-6180-42a0-ab88-20f7382dd24c";
pub const READER: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
pub const USER_ACCESS_ADMINISTRATOR: &str = "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9";
pub const STORAGE_ACCOUNT_CONTRIBUTOR: &str = "17d1049b-9a84-46fb-8f53-869881c3d3ab";
pub const SECURITY_READER: &str = "39bc4728-0917-49c7-9ddc-dc9f55f3d0a3";

/// Name, UUID, description, actions, what is taken out of them.
type Role = (&'static str, &'static str, &'static str, &'static [&'static str], &'static [&'static str]);

const ROLES: [Role; 15] = [
    ("Owner", OWNER, "Full access, and giving access to others", &["*"], &[]),
    (
        "Contributor",
        CONTRIBUTOR,
        "Full access, without giving access to others",
        &["*"],
        &[
            "Microsoft.Authorization/*/Delete",
            "Microsoft.Authorization/*/Write",
            "Microsoft.Authorization/elevateAccess/Action",
        ],
    ),
    ("Reader", READER, "Looking at everything", &["*/read"], &[]),
    (
        "User Access Administrator",
        USER_ACCESS_ADMINISTRATOR,
        "Giving access to others",
        &["*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"],
        &[],
    ),
    (
        "Role Based Access Control Administrator",
        "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
        "Giving access to others by assigning roles",
        &[
            "Microsoft.Authorization/roleAssignments/write",
            "Microsoft.Authorization/roleAssignments/delete",
            "*/read",
        ],
        &[],
    ),
    (
        "Security Reader",
        SECURITY_READER,
        "Looking at Defender for Cloud",
        &[
            "Microsoft.Authorization/*/read",
            "Microsoft.Security/*/read",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
        ],
        &[],
    ),
    (
        "Security Admin",
        "fb1c8493-542b-48eb-b624-b4c8fea62acd",
        "Changing what Defender for Cloud does",
        &[
            "Microsoft.Security/*",
            "Microsoft.Authorization/policyAssignments/*",
            "Microsoft.Authorization/policyDefinitions/*",
        ],
        &[],
    ),
    (
        "Resource Policy Contributor",
        "36243c78-bf99-498c-9df9-86d9f8d28608",
        "Writing policies",
        &[
            "*/read",
            "Microsoft.Authorization/policyassignments/*",
            "Microsoft.Authorization/policydefinitions/*",
        ],
        &[],
    ),
    (
        "Management Group Contributor",
        "5d58bcaf-24a5-4b20-bdb6-eed9f69fbe4c",
        "Changing management groups",
        &["Microsoft.Management/managementGroups/*"],
        &[],
    ),
    (
        "Management Group Reader",
        "ac63b705-f282-497d-ac71-919bf39d939d",
        "Looking at management groups",
        &["Microsoft.Management/managementGroups/read"],
        &[],
    ),
    (
        "Monitoring Contributor",
        "749f88d5-cbae-40b8-bcfc-e573ddc772fa",
        "Changing monitoring settings",
        &["*/read", "Microsoft.Insights/*"],
        &[],
    ),
    (
        "Monitoring Reader",
        "43d0d8ad-25c7-4714-9337-8ba259a9fe05",
        "Looking at monitoring data",
        &["*/read"],
        &[],
    ),
    (
        "Storage Account Contributor",
        STORAGE_ACCOUNT_CONTRIBUTOR,
        "Managing storage accounts, their keys included",
        &[
            "Microsoft.Authorization/*/read",
            "Microsoft.Insights/alertRules/*",
            "Microsoft.Resources/deployments/*",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
            "Microsoft.Storage/storageAccounts/*",
        ],
        &[],
    ),
    (
        "Cost Management Contributor",
        "434105ed-43f6-45c7-a02f-909b2ba83430",
        "Changing budgets",
        &["Microsoft.Consumption/*", "Microsoft.CostManagement/*"],
        &[],
    ),
    (
        "Cost Management Reader",
        "72fafb9e-0641-4937-9268-a91bfd8191a3",
        "Looking at costs",
        &["Microsoft.Consumption/*/read", "Microsoft.CostManagement/*/read"],
        &[],
    ),
];

pub(super) fn all() -> Resources {
    ROLES.iter().map(role).map(|role| (role.name.clone(), role)).collect()
}

fn role((name, id, description, actions, not_actions): &Role) -> Resource {
    let permission =
        json!({"actions": actions, "notActions": not_actions, "dataActions": [], "notDataActions": []});
    let properties = json!({
        "roleName": name, "type": "BuiltInRole", "description": description, "assignableScopes": ["/"],
        "permissions": [permission],
        "createdOn": "2015-02-02T21:55:09.8806423Z", "updatedOn": "2023-11-13T15:01:14.9103085Z",
        "createdBy": null, "updatedBy": null,
    });
    Resource::made(id, properties.as_object().cloned().unwrap_or_default(), Timestamp::UNIX_EPOCH)
}
