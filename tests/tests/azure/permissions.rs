//! What Landfall's identities on Azure are permitted: no more than it calls, and no less. Every scenario of this program runs with
//! identities that hold what `landfall permissions` prints for its manifest, in a simulator that denies everything else.

#![expect(clippy::unwrap_used, reason = "test harness: a failure here is a failed test")]

use std::collections::BTreeSet;

use landfall_azure::permissions::needed;
use landfall_engine::permissions::{Purpose, whole_catalog};
use landfall_model::catalog::ControlKind;
use landfall_model::trigger::Cause;
use landfall_tests::azure::{AzureStage, taken};
use landfall_tests::judges::python;
use landfall_tests::permissions::{self, Untaken, denied, is_missed};
use landfall_tests::stage::{Stage, tenant};
use serde_json::json;

/// What is granted and taken by none of the disturbances, and what takes it.
const UNTAKEN: &Untaken = &[
    ("a lock that the manifest does not ask for any more", &["Microsoft.Authorization/locks/delete"]),
    (
        "an exemption from a policy",
        &[
            "Microsoft.Authorization/policyAssignments/exempt/action",
            "Microsoft.Authorization/policyExemptions/delete",
            "Microsoft.Authorization/policyExemptions/write",
        ],
    ),
    (
        "a role of the manifest's own, and one that it does not have any more",
        &["Microsoft.Authorization/roleDefinitions/delete", "Microsoft.Authorization/roleDefinitions/write"],
    ),
    (
        "an activity log that goes to an event hub, or to a storage account",
        &[
            "Microsoft.EventHub/namespaces/authorizationRules/listkeys/action",
            "Microsoft.Storage/storageAccounts/listKeys/action",
        ],
    ),
    (
        "an identity provider that is not wanted any more",
        &["Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/delete"],
    ),
    ("a subscription that never heard of management groups", &["Microsoft.Management/register/action"]),
    (
        "two actions are named for one question, and which of them is asked for is not said",
        &["Microsoft.PolicyInsights/policyStates/queryResults/read"],
    ),
];

/// See [`permissions::nothing_is_granted_that_no_scenario_takes`].
pub(crate) fn nothing_is_granted_that_no_scenario_takes() {
    let taken = taken().all();
    let is_taken = |one: &str| {
        let (head, tail) = one.split_once('*').unwrap_or((one, one));
        let (head, tail) = (head.to_ascii_lowercase(), tail.to_ascii_lowercase());
        taken.iter().any(|taken| taken.starts_with(&head) && taken.ends_with(&tail))
    };
    let granted = needed(Purpose::Apply, &whole_catalog());
    permissions::nothing_is_granted_that_no_scenario_takes(granted, UNTAKEN, is_taken);
}

/// Microsoft's own clients know an operation for each action.
#[test]
fn every_action_stands_for_an_operation_of_microsoft_s_clients() {
    let needed = needed(Purpose::Apply, &whole_catalog());
    let actions: Vec<&str> = needed.permissions().collect();
    let verdict = python("check_actions.py", &[], &json!(actions).to_string());
    assert!(verdict.content, "no operation has these actions:\n{}{}", verdict.said, verdict.complained);
    // The judge does tell one that nobody has.
    let verdict = python("check_actions.py", &[], r#"["Microsoft.Resources/tags/reed"]"#);
    assert_eq!((verdict.content, verdict.said.trim()), (false, "Microsoft.Resources/tags/reed"));
}

/// Takes actions away from an identity.
fn without(stage: &AzureStage, identity: &str, unwanted: &str) {
    stage.simulator.edit(|world| {
        let granted = world.settings.grants.get_mut(identity).unwrap();
        granted.retain(|action| !action.starts_with(unwanted));
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_is_made_with_the_identity_to_look_with_alone() {
    let stage = Stage::on_azure(2).await;
    stage.sweep().await;
    let id = stage.simulator.edit(|world| world.add_subscription("new-shop"));
    stage.simulator.clear_calls();
    without(&stage, "landfall-write", "");
    let plan = stage.preview(&id).await.plan;
    assert!(plan.changes.len() > 10, "only {} changes", plan.changes.len());
    assert_eq!(denied(stage.simulator.calls()), []);
    let by: BTreeSet<String> = stage.simulator.calls().into_iter().map(|call| call.role).collect();
    assert!(!by.contains("landfall-write"), "{by:?}");

    // And where that one may not look, it does not see: the simulator does deny.
    without(&stage, "landfall-read", "Microsoft.Security/pricings/");
    let report = stage.order(tenant(&id), Cause::Asked).await;
    let text = format!("{report:?}");
    assert!(
        text.contains("does not have authorization to perform action 'Microsoft.Security/pricings/read'"),
        "{text}"
    );
    assert!(!denied(stage.simulator.calls()).is_empty());
}

/// What is taken away is missed, and nothing else is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_action_that_is_missing_is_named_where_it_is_missed() {
    let table = [
        ("landfall-read", "Microsoft.Security/pricings/read", "threat-detection"),
        ("landfall-write", "Microsoft.Security/pricings/write", "threat-detection"),
        ("landfall-write", "Microsoft.Security/securityContacts/write", "security-contacts"),
        ("landfall-write", "Microsoft.OperationalInsights/workspaces/sharedKeys/action", "audit-log"),
        ("landfall-write", "Microsoft.Subscription/rename/action", "account-alias"),
    ];
    for (identity, action, control) in table {
        let stage = Stage::on_azure(2).await;
        stage.sweep().await;
        let id = stage.simulator.edit(|world| world.add_subscription("new-shop"));
        without(&stage, identity, action);
        stage.simulator.clear_calls();
        let report = stage.reconcile(&id, Cause::Created).await;
        is_missed(&report, action, control, ControlKind::Tags);
    }
}
