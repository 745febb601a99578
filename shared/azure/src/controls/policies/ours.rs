//! What Azure's built-in definitions do not say: the definitions of our own.
//!
//! The organization keeps all of them at the root group, whether or not a unit asks for them: a tenant that asks for one itself finds
//! it there, and can't make it.
//!
//! Every alias is one that Azure publishes (`az provider list --expand resourceTypes/aliases`, as kept in
//! <https://github.com/Azure/PSRule.Rules.Azure>, data/providers): one that does not exist would be refused with the whole definition.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use landfall_model::manifest::AzureCloud;

use super::definition::Definition;
use crate::controls::service_alerts;

/// The parameter of [`PROTECT_BASELINE`] that says whose roles stay.
pub(super) const PRINCIPALS: &str = "principals";

pub(super) const PROTECT_BASELINE: &str = "landfall-protect-baseline";
pub(super) const PUBLIC_SNAPSHOTS: &str = "landfall-public-snapshots";
pub(super) const PUBLIC_IMAGES: &str = "landfall-public-images";
pub(super) const LINUX_PASSWORDS: &str = "landfall-linux-passwords";

/// What the template makes (infra/azure/controller.json), but for what has rules of its own in [`protect_baseline`].
const ITSELF: [&str; 14] = [
    "Microsoft.EventHub/namespaces",
    "Microsoft.EventHub/namespaces/authorizationRules",
    "Microsoft.EventHub/namespaces/eventhubs",
    "Microsoft.Insights/components",
    "Microsoft.Insights/scheduledQueryRules",
    "Microsoft.ManagedIdentity/userAssignedIdentities",
    "Microsoft.OperationalInsights/workspaces",
    "Microsoft.Storage/storageAccounts",
    "Microsoft.Storage/storageAccounts/blobServices/containers",
    "Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies",
    "Microsoft.Storage/storageAccounts/queueServices/queues",
    "Microsoft.Web/serverfarms",
    "Microsoft.Web/sites",
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies",
];

/// All of them but the gate's, which `quarantine-gate` looks after.
pub(super) fn ours() -> [Definition; 4] {
    [protect_baseline(), public_snapshots(), public_images(), linux_passwords()]
}

/// The one that an assignment assigns, where it is ours.
pub(super) fn of(ground: &AzureCloud, id: &str) -> Option<Definition> {
    ours().into_iter().find(|definition| definition.id(ground).eq_ignore_ascii_case(id))
}

fn deny(name: &'static str, title: &'static str, description: &'static str, when: &Value) -> Definition {
    let rule = json!({"if": when, "then": {"effect": "deny"}});
    Definition { name, title, description, parameters: json!({}), rule }
}

/// What the baseline set can't be deleted. `denyAction` knows deletions alone, and binds Landfall as well: Azure Policy does not ask
/// who deletes. Assignments, locks and the subscription itself are exempt from it
/// (<https://learn.microsoft.com/azure/governance/policy/concepts/effect-deny-action>).
///
/// Landfall itself is in the resource group of this name where infra/azure is deployed; what it is made of is listed, because a deny of
/// everything would keep Azure from deleting old deployments, of which a group holds 800, and people from giving up a role.
///
/// A subscription's activity log settings are judged under a type of their own
/// (<https://github.com/Azure/Enterprise-Scale>, policyDefinitions/DenyAction-ActivityLogs.json), whose names may hold more than the
/// last part; so ours are told by their ids.
fn protect_baseline() -> Definition {
    let named = |types: &[&str], id: &str| json!({"allOf": [{"field": "type", "in": types}, {"field": "id", "contains": id}]});
    let when = json!({"anyOf": [
        named(
            &[
                "Microsoft.Insights/diagnosticSettings",
                "Microsoft.Resources/subscriptions/providers/diagnosticSettings",
            ],
            "/diagnosticSettings/landfall",
        ),
        named(&["Microsoft.Consumption/budgets"], "/budgets/landfall"),
        // What is in a resource group goes with it: Azure asks no policy of mode `All` of that.
        {"allOf": [
            {"field": "type", "equals": "Microsoft.Resources/subscriptions/resourceGroups"},
            {"field": "name", "equals": service_alerts::GROUP},
        ]},
        named(&ITSELF, &format!("/resourceGroups/{}/", service_alerts::GROUP)),
        {"allOf": [
            {"field": "type", "in": ["Microsoft.Insights/actionGroups", "Microsoft.Insights/activityLogAlerts"]},
            {"field": "name", "like": format!("{}*", service_alerts::OURS)},
        ]},
        {"field": "type", "in": ["Microsoft.Security/pricings", "Microsoft.Security/securityContacts"]},
        {"allOf": [
            {"field": "type", "equals": "Microsoft.Authorization/roleAssignments"},
            {
                "field": "Microsoft.Authorization/roleAssignments/principalId",
                "in": format!("[parameters('{PRINCIPALS}')]"),
            },
        ]},
    ]});
    Definition {
        name: PROTECT_BASELINE,
        title: "Landfall: the baseline can't be deleted",
        description: "Denies deleting the log settings, alerts, budgets, security settings and roles that the organization's baseline rests on, and Landfall itself.",
        parameters: json!({PRINCIPALS: {
            "type": "Array",
            "metadata": {"displayName": "Principals", "description": "Object ids whose roles can't be taken away"},
        }}),
        rule: json!({"if": when, "then": {"effect": "denyAction", "details": {"actionNames": ["delete"]}}}),
    }
}

/// The counterpart of the built-in "Managed disks should disable public network access", which leaves snapshots out.
fn public_snapshots() -> Definition {
    deny(
        PUBLIC_SNAPSHOTS,
        "Landfall: no disk snapshots that anybody could export",
        "Denies snapshots that can be exported over public networks.",
        &json!({"allOf": [
            {"field": "type", "equals": "Microsoft.Compute/snapshots"},
            {"field": "Microsoft.Compute/snapshots/networkAccessPolicy", "notIn": ["DenyAll", "AllowPrivate"]},
            {"field": "Microsoft.Compute/snapshots/publicNetworkAccess", "notEquals": "Disabled"},
        ]}),
    )
}

/// As Azure's documentation says: <https://learn.microsoft.com/azure/virtual-machines/share-gallery-community>.
fn public_images() -> Definition {
    deny(
        PUBLIC_IMAGES,
        "Landfall: no community galleries",
        "Denies galleries that offer their images to everybody.",
        &json!({"allOf": [
            {"field": "type", "equals": "Microsoft.Compute/galleries"},
            {"field": "Microsoft.Compute/galleries/sharingProfile.permissions", "equals": "Community"},
        ]}),
    )
}

/// Machines whose request says that they are Linux. Their type of system alone (`osDisk.osType`) is often filled in by Azure only
/// after policies were asked (<https://github.com/Azure/azure-policy>, README.md, "Optional or auto-generated resource property").
fn linux_passwords() -> Definition {
    let machine = |kind: &str, profile: &str| {
        let linux = format!("{kind}/{profile}osProfile.linuxConfiguration");
        json!({"allOf": [
            {"field": "type", "equals": kind},
            {"field": linux, "exists": "true"},
            {"field": format!("{linux}.disablePasswordAuthentication"), "notEquals": "true"},
        ]})
    };
    deny(
        LINUX_PASSWORDS,
        "Landfall: no passwords on Linux machines",
        "Denies Linux machines that let people in by password.",
        &json!({"anyOf": [
            machine("Microsoft.Compute/virtualMachines", ""),
            machine("Microsoft.Compute/virtualMachineScaleSets", "virtualMachineProfile."),
        ]}),
    )
}

/// The parameters of the assignments of one of ours.
pub(super) fn parameters(name: &str, ground: &AzureCloud) -> BTreeMap<String, Value> {
    if name != PROTECT_BASELINE {
        return BTreeMap::new();
    }
    let mut principals: Vec<String> =
        ground.identities.principals.iter().map(|id| id.to_ascii_lowercase()).collect();
    principals.sort();
    BTreeMap::from([(PRINCIPALS.to_owned(), Value::from(principals))])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Whatever the template makes is judged: a resource that it gets one day is protected with the others, or said here why not.
    #[test]
    fn all_that_the_template_makes_is_protected() {
        let template: Value =
            serde_json::from_str(include_str!("../../../../../infra/azure/controller.json")).unwrap();
        let made: BTreeSet<&str> = template["resources"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["type"].as_str().unwrap())
            .collect();
        let otherwise: BTreeSet<&str> = [
            // By its name.
            "Microsoft.Insights/actionGroups",
            "Microsoft.Insights/diagnosticSettings",
            // denyAction does not know locks, and roles of people would stay for ever.
            "Microsoft.Authorization/locks",
            "Microsoft.Authorization/roleAssignments",
            // Can't be deleted: settings of what can.
            "Microsoft.Storage/storageAccounts/blobServices",
            "Microsoft.Web/sites/extensions",
        ]
        .into();
        let protected: BTreeSet<&str> = ITSELF.into();
        let open: Vec<_> = made.difference(&protected).filter(|kind| !otherwise.contains(*kind)).collect();
        assert!(open.is_empty(), "{open:?}");
    }

    #[test]
    fn their_names_are_told_apart_and_people_can_read_what_they_do() {
        let mut names: Vec<&str> = ours().iter().map(|definition| definition.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ours().len());
        for Definition { name, title, description, parameters, rule } in ours() {
            assert!(name.starts_with("landfall-"), "{name}");
            // <https://learn.microsoft.com/azure/governance/policy/concepts/definition-structure-basics>
            assert!(title.len() <= 128 && description.len() <= 512, "{name}");
            assert!(parameters.is_object() && rule["if"].is_object(), "{name}");
        }
    }
}
