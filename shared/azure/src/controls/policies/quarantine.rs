//! The policy that closes a new subscription: nothing is made or changed in it but what Landfall's own baseline writes.
//!
//! Azure Policy judges what is written and not who writes it, so the gate lets through types of resources, and roles only for the
//! principals that the manifest names.
//!
//! What it can't deny, because Azure Policy does not see it:
//!
//! | what | why |
//! |---|---|
//! | deleting, and actions such as restarting a machine or registering a resource provider | deny judges what is created or updated; only denyAction judges deletions |
//! | `Microsoft.Resources/*` but resource groups and subscriptions: deployments themselves, template specs, tags; `Microsoft.Billing/*`; `Microsoft.Capacity/reservationOrders/*`; `Microsoft.Help/*`; `Microsoft.Diagnostics/*` | Azure exempts them from evaluation; what a deployment makes is judged one by one |
//! | resources that a managed application or Databricks makes from another directory | Azure skips evaluation there |
//! | the first minutes after it is assigned: around five, once thirty | Azure applies assignments with a delay; a subscription born in the quarantine group is bound by the group's, as long as it stands there |
//! | data planes: blobs, secrets, databases | they do not pass Resource Manager |
//! | what already runs | a policy stops no workload |
//! | whoever holds Owner or User Access Administrator on the subscription can take its own assignment away | assignments are exempt from denyAction, and customers can't create deny assignments; the group that new subscriptions are born in carries the assignment too, which they can't reach |
//! | the other resources of the types that it lets through: a lock, a budget, another policy | Landfall itself could not set up the subscription otherwise |
//! | moving the subscription to another group or directory, renaming and cancelling it | these are operations on the tree and of billing; the directory's own settings stop leaving |
//! | eligible roles (PIM) that are activated | they were granted before, or further up |
//!
//! Sources: <https://github.com/Azure/azure-policy>, README.md, "Resources that are exempt from policy evaluation" (April 2026);
//! <https://learn.microsoft.com/azure/governance/policy/concepts/effect-deny>,
//! <https://learn.microsoft.com/azure/governance/policy/concepts/effect-deny-action>,
//! <https://learn.microsoft.com/azure/governance/policy/how-to/get-compliance-data>, "Evaluation triggers",
//! <https://learn.microsoft.com/azure/governance/policy/overview>, "Resources covered by Azure Policy" and "Azure Policy and Azure RBAC".

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use landfall_model::catalog::{ControlKind, access};
use landfall_model::desired::Desired;

use super::assignment::Assignment;
use super::definition::Definition;
use crate::controls::ground;

/// The definition that closes a new subscription, and each of its assignments.
pub(in crate::controls) const QUARANTINE: &str = "landfall-quarantine";

/// The parameter that says to whom roles may be given.
const PRINCIPALS: &str = "principals";

const ROLES: &str = "Microsoft.Authorization/roleAssignments";

/// What Landfall's own baseline writes. The subscription itself is here because its tags are; its activity log's settings have two
/// names, one by which they are written and one by which they are judged
/// (<https://github.com/Azure/Enterprise-Scale>, policyDefinitions/DenyAction-ActivityLogs.json).
const OURS: [&str; 10] = [
    "Microsoft.Authorization/locks",
    "Microsoft.Authorization/policyAssignments",
    "Microsoft.Authorization/policyExemptions",
    ROLES,
    "Microsoft.Consumption/budgets",
    "Microsoft.Insights/diagnosticSettings",
    "Microsoft.Resources/subscriptions",
    "Microsoft.Resources/subscriptions/providers/diagnosticSettings",
    "Microsoft.Security/pricings",
    "Microsoft.Security/securityContacts",
];

/// The definition, which is the same for everybody; whom roles may be given to is for each assignment to say.
///
/// The alias `principalId` is one that Azure publishes (<https://github.com/Azure/PSRule.Rules.Azure>,
/// data/providers/microsoft.authorization/types.json) and that every request carries; `principalType` need not be in it.
pub(in crate::controls) fn quarantine(_: &Desired) -> Result<Definition, String> {
    Ok(Definition {
        name: QUARANTINE,
        title: "Landfall: a new subscription stays closed",
        description: "Denies everything but what the organization's baseline writes, until the baseline was seen to hold.",
        parameters: json!({PRINCIPALS: {
            "type": "Array",
            "metadata": {"displayName": "Principals", "description": "Object ids that roles may be given to"},
        }}),
        rule: json!({
            "if": {"anyOf": [
                {"field": "type", "notIn": OURS},
                {"allOf": [
                    {"field": "type", "equals": ROLES},
                    {
                        "field": "Microsoft.Authorization/roleAssignments/principalId",
                        "notIn": format!("[parameters('{PRINCIPALS}')]"),
                    },
                ]},
            ]},
            "then": {"effect": "deny"},
        }),
    })
}

/// Its assignment, to a subscription or to the group that new ones are born in: roles may be given to Landfall, to break-glass, and
/// to the groups that the manifest grants the target itself.
pub(in crate::controls) fn quarantined(desired: &Desired) -> Result<Assignment, String> {
    let ground = ground(desired).ok_or("it is not on Azure")?;
    let granted = desired.asked(ControlKind::Access).and_then(|asked| asked.want::<access::Settings>().ok());
    let granted = granted.map(|settings| settings.grants).unwrap_or_default();
    let principals: BTreeSet<String> = ground
        .identities
        .principals
        .iter()
        .chain(&desired.break_glass)
        .chain(granted.iter().map(|grant| &grant.group))
        .map(|id| id.to_ascii_lowercase())
        .collect();
    Ok(Assignment {
        name: QUARANTINE,
        title: "a new subscription stays closed",
        message: "This subscription is new and stays closed until its baseline was seen to hold. It opens by itself.",
        definition: quarantine(desired)?.id(ground),
        parameters: BTreeMap::from([(PRINCIPALS.to_owned(), Value::from_iter(principals))]),
        control: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::landscape::Landscape;

    #[test]
    fn roles_are_given_only_to_whom_the_manifest_names() {
        let principals =
            |landscape: Landscape| quarantined(&landscape.desired).unwrap().parameters["principals"].clone();
        let (ours, break_glass) =
            ("5a0e0000-0000-4000-8000-0000000000aa", "5a0e0000-0000-4000-8000-0000000000bb");
        assert_eq!(principals(Landscape::organization()), json!([ours, break_glass]));
        let developers = "5a0e0000-0000-4000-8000-00000000000a";
        assert_eq!(principals(Landscape::new(2)), json!([developers, ours, break_glass]));
    }

    #[test]
    fn the_definition_is_the_same_for_everybody_and_lets_through_what_the_baseline_writes() {
        let organization = quarantine(&Landscape::organization().desired).unwrap();
        assert_eq!(organization, quarantine(&Landscape::new(2).desired).unwrap());
        let spared = organization.rule["if"]["anyOf"][0]["notIn"].as_array().unwrap();
        assert!(!spared.contains(&json!("Microsoft.Compute/virtualMachines")));
        assert!(!spared.contains(&json!("Microsoft.Resources/subscriptions/resourceGroups")));
        assert!(spared.contains(&json!("Microsoft.Security/pricings")));
    }
}
