//! The policy that closes a new subscription: nothing is made or changed in it but what Landfall's own baseline writes.
//!
//! Azure Policy judges what is written and not who writes it, so the gate lets through types of resources, and roles only for the
//! principals that the manifest names. A resource group, an action group and alerts are let through by the names of ours.
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
//! | the other resources of the types that it lets through by their type alone: a lock, a budget, another policy | Landfall itself could not set up the subscription otherwise |
//! | two roles for whomever, and what Defender for Cloud keeps of itself (`Microsoft.Security/*`) | the extensions of its plans make these when they are switched on |
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
use crate::controls::{ground, service_alerts};

/// The definition that closes a new subscription, and each of its assignments.
pub(in crate::controls) const QUARANTINE: &str = "landfall-quarantine";

/// The parameter that says to whom roles may be given.
const PRINCIPALS: &str = "principals";

const ROLES: &str = "Microsoft.Authorization/roleAssignments";
const ACTION_GROUPS: &str = "Microsoft.Insights/actionGroups";
const ALERTS: &str = "Microsoft.Insights/activityLogAlerts";
const GROUPS: &str = "Microsoft.Resources/subscriptions/resourceGroups";

/// What Landfall's own baseline writes. The subscription itself is here because its tags are; its activity log's settings have two
/// names, one by which they are written and one by which they are judged
/// (<https://github.com/Azure/Enterprise-Scale>, policyDefinitions/DenyAction-ActivityLogs.json).
const OURS: [&str; 13] = [
    "Microsoft.Authorization/locks",
    "Microsoft.Authorization/policyAssignments",
    "Microsoft.Authorization/policyExemptions",
    ROLES,
    "Microsoft.Consumption/budgets",
    ACTION_GROUPS,
    ALERTS,
    "Microsoft.Insights/diagnosticSettings",
    "Microsoft.Resources/subscriptions",
    "Microsoft.Resources/subscriptions/providers/diagnosticSettings",
    GROUPS,
    "Microsoft.Security/pricings",
    "Microsoft.Security/securityContacts",
];

/// What Defender for Cloud keeps of itself: the extensions of a plan make some of it.
const DEFENDER: &str = "Microsoft.Security/*";

/// The roles that extensions of its plans give to Defender's own principals, which no manifest can name: VM Scanner Operator, Kubernetes
/// Agentless Operator (<https://learn.microsoft.com/azure/defender-for-cloud/concept-agentless-data-collection>, "Azure permissions";
/// <https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/containers>). They reach disks and clusters, of which
/// a closed subscription has none.
const SCANNERS: [&str; 2] =
    ["*/d24ecba3-c1f4-40fa-a7bb-4588a071e8fd", "*/d5a2ae44-610b-4500-93be-660a0c5f5ca6"];

/// The definition, which is the same for everybody; whom roles may be given to is for each assignment to say.
///
/// The aliases `principalId` and `roleDefinitionId` are ones that Azure publishes (<https://github.com/Azure/PSRule.Rules.Azure>,
/// data/providers/microsoft.authorization/types.json) and that every request carries; `principalType` need not be in it.
pub(in crate::controls) fn quarantine(_: &Desired) -> Result<Definition, String> {
    const ROLE: &str = "Microsoft.Authorization/roleAssignments/roleDefinitionId";
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
                {"allOf": [{"field": "type", "notIn": OURS}, {"field": "type", "notLike": DEFENDER}]},
                {"allOf": [
                    {"field": "type", "equals": ROLES},
                    {
                        "field": "Microsoft.Authorization/roleAssignments/principalId",
                        "notIn": format!("[parameters('{PRINCIPALS}')]"),
                    },
                    {"allOf": SCANNERS.map(|role| json!({"field": ROLE, "notLike": role}))},
                ]},
                {"allOf": [
                    {"field": "type", "equals": GROUPS},
                    {"field": "name", "notEquals": service_alerts::GROUP},
                ]},
                {"allOf": [
                    {"field": "type", "in": [ACTION_GROUPS, ALERTS]},
                    {"field": "name", "notLike": format!("{}*", service_alerts::OURS)},
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
        name: QUARANTINE.into(),
        title: "a new subscription stays closed".into(),
        message: "This subscription is new and stays closed until its baseline was seen to hold. It opens by itself.",
        definition: quarantine(desired)?.id(ground),
        parameters: BTreeMap::from([(PRINCIPALS.to_owned(), Value::from_iter(principals))]),
        control: None,
        acts: None,
    })
}

#[cfg(test)]
mod tests {
    use landfall_simulator::azure::{AzureOptions, AzureSimulator, AzureWorld, CONTRIBUTOR, Resource};

    use super::*;
    use crate::client;
    use crate::client::service::{POLICY, ROLES as ROLES_API};
    use crate::controls::landscape::{Landscape, subscription};
    use crate::session::{Door, Writer};

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
        let spared = organization.rule["if"]["anyOf"][0]["allOf"][0]["notIn"].as_array().unwrap();
        assert!(!spared.contains(&json!("Microsoft.Compute/virtualMachines")));
        assert!(!spared.contains(&json!("Microsoft.Network/networkSecurityGroups")));
        assert!(spared.contains(&json!("Microsoft.Security/pricings")));
        // What is let through by its type alone is no resource group, and none that says whom to tell.
        let named = &organization.rule["if"]["anyOf"];
        for (at, kinds, name) in [
            (2, json!(GROUPS), json!({"field": "name", "notEquals": "landfall"})),
            (3, json!([ACTION_GROUPS, ALERTS]), json!({"field": "name", "notLike": "landfall-*"})),
        ] {
            let one = &named[at]["allOf"];
            assert!(one[0]["equals"] == kinds || one[0]["in"] == kinds, "{one}");
            assert_eq!(one[1], name);
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_extensions_of_defender_make_is_let_through_and_no_other_role() {
        const STRANGER: &str = "77777777-0000-4000-8000-000000000009";
        let roles = SCANNERS.map(|role| role.trim_start_matches("*/").to_owned());
        let mut world = AzureWorld::sample(4);
        world.add_principal(STRANGER, "ServicePrincipal", "defender");
        for role in &roles {
            let definition =
                json!({"roleName": role, "permissions": [{"actions": ["Microsoft.Compute/disks/read"]}]});
            world.directory.role_definitions.insert(role.clone(), Resource::new(role, &definition));
        }
        let simulator = AzureSimulator::start(AzureOptions { world: Some(world), ..AzureOptions::default() });
        let simulator = simulator.unwrap();
        let desired = Landscape::new(2).desired;
        let ground = ground(&desired).unwrap();
        let door = Door::new(&client::Azure::loopback(&simulator.url()).unwrap(), ground.clone()).unwrap();
        let Writer(session) = door.writer(&subscription(2));
        let mut definition = quarantine(&desired).unwrap();
        definition.name = "gate";
        let id = format!("{}/providers/Microsoft.Authorization/policyDefinitions/gate", session.scope());
        session.client.put(&POLICY, &id, &definition.body()).await.unwrap();
        let gate = Assignment { definition: id, ..quarantined(&desired).unwrap() };
        session.client.put(&POLICY, &gate.id(&session.scope()), &gate.body()).await.unwrap();
        let [scanner, operator] = roles;
        let table = [(scanner.as_str(), true), (operator.as_str(), true), (CONTRIBUTOR, false)];
        for (role, expected) in table {
            let of = |kind: &str, name: &str| {
                format!("{}/providers/Microsoft.Authorization/{kind}/{name}", session.scope())
            };
            let body = json!({"properties": {
                "roleDefinitionId": of("roleDefinitions", role),
                "principalId": STRANGER,
                "principalType": "ServicePrincipal",
            }});
            let given = session.client.put(&ROLES_API, &of("roleAssignments", role), &body).await;
            let refused = given.as_ref().err().and_then(|error| error.code());
            assert_eq!(refused, (!expected).then_some("RequestDisallowedByPolicy"), "{role} {given:?}");
        }
    }
}
