//! What Landfall's service accounts on Google Cloud are granted: no more than they call, and no less. Every scenario of this program runs
//! with roles that hold what `landfall permissions` prints for its manifest, in a simulator that denies everything else.

use std::collections::BTreeSet;

use landfall_engine::permissions::{Purpose, whole_catalog};
use landfall_gcp::permissions::needed;
use landfall_model::catalog::ControlKind;
use landfall_model::trigger::Cause;
use landfall_simulator::gcp::{READ_IDENTITY, WRITE_IDENTITY};
use landfall_tests::gcp::{GcpStage, ORGANIZATION, taken};
use landfall_tests::permissions::{self, Untaken, denied, is_missed};
use landfall_tests::stage::{Stage, tenant};

/// What is granted and taken by none of the disturbances, and what takes it.
const UNTAKEN: &Untaken = &[
    (
        "something that somebody changed, and did not take away",
        &[
            "billing.budgets.update",
            "cloudasset.feeds.update",
            "essentialcontacts.contacts.update",
            "iam.denypolicies.update",
            "logging.notificationRules.update",
            "logging.sinks.update",
            "monitoring.notificationChannels.update",
            "orgpolicy.customConstraints.update",
        ],
    ),
    ("something that turns out to be made already", &["cloudasset.feeds.get", "logging.sinks.get"]),
    ("a network `default` that machines are in", &["compute.firewalls.create"]),
    (
        "a role of the manifest's own",
        &["iam.roles.create", "iam.roles.delete", "iam.roles.undelete", "iam.roles.update"],
    ),
    ("default accounts that are to be off", &["iam.serviceAccounts.disable"]),
    ("an account of the manifest's that somebody switched off", &["iam.serviceAccounts.enable"]),
    (
        "pools and providers that are deleted and still kept, or not asked for any more",
        &[
            "iam.workloadIdentityPoolProviders.delete",
            "iam.workloadIdentityPoolProviders.undelete",
            "iam.workloadIdentityPools.undelete",
        ],
    ),
    ("a custom constraint that is not asked for any more", &["orgpolicy.customConstraints.delete"]),
    (
        "a project that has another value of a tag",
        &["resourcemanager.hierarchyNodes.deleteTagBinding", "resourcemanager.tagValueBindings.delete"],
    ),
    ("a project that another account pays for", &["resourcemanager.projects.deleteBillingAssignment"]),
    ("the doctor", &["resourcemanager.organizations.get", "serviceusage.services.get"]),
    (
        "no call of its own: that a list, an update or a budget's channels take it is nowhere denied",
        &["billing.budgets.get", "monitoring.notificationChannels.get"],
    ),
];

/// See [`permissions::nothing_is_granted_that_no_scenario_takes`].
pub(crate) fn nothing_is_granted_that_no_scenario_takes() {
    let taken = taken().all();
    let granted = needed(Purpose::Apply, &whole_catalog());
    permissions::nothing_is_granted_that_no_scenario_takes(granted, UNTAKEN, |one| taken.contains(one));
}

/// A project that somebody made, with what Compute makes in it, after a sweep of everything else.
async fn with_a_new_project() -> GcpStage {
    let stage = Stage::on_gcp(2).await;
    stage.sweep().await;
    stage.simulator.edit(|world| {
        world.create_project("new-shop", ORGANIZATION);
        world.enable("new-shop", &["compute.googleapis.com"]);
    });
    stage.simulator.clear_calls();
    stage
}

/// Takes away the permissions whose names begin so.
fn without(stage: &GcpStage, who: &str, unwanted: &str) {
    stage.simulator.edit(|world| {
        let held = world.settings.grants.entry(who.to_owned()).or_default();
        held.retain(|permission| !permission.starts_with(unwanted));
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_is_made_with_the_read_role_alone() {
    let stage = with_a_new_project().await;
    without(&stage, WRITE_IDENTITY, "");
    let plan = stage.preview("new-shop").await.plan;
    assert!(plan.changes.len() > 10, "only {} changes", plan.changes.len());
    assert_eq!(denied(stage.simulator.calls()), []);
    let by: BTreeSet<String> = stage.simulator.calls().into_iter().map(|call| call.role).collect();
    assert_eq!(by, BTreeSet::from(["landfall-read".to_owned()]));

    // And where that one may not look, it does not see: the simulator does deny.
    without(&stage, READ_IDENTITY, "accessapproval.");
    let report = stage.order(tenant("new-shop"), Cause::Asked).await;
    let text = format!("{report:?}");
    assert!(text.contains("Permission 'accessapproval.settings.get' denied"), "{text}");
    assert!(!denied(stage.simulator.calls()).is_empty());
}

/// What is taken away is missed, and nothing else is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_permission_that_is_missing_is_named_where_it_is_missed() {
    let table = [
        (READ_IDENTITY, "accessapproval.settings.get", "access-approval"),
        (READ_IDENTITY, "compute.projects.get", "hardened-instances"),
        (READ_IDENTITY, "essentialcontacts.contacts.list", "security-contacts"),
        (WRITE_IDENTITY, "essentialcontacts.contacts.create", "security-contacts"),
        // Those that a call takes beside its own.
        (WRITE_IDENTITY, "iam.serviceAccounts.actAs", "hardened-instances"),
        (WRITE_IDENTITY, "iam.operations.get", "federation"),
        (WRITE_IDENTITY, "logging.notificationRules.create", "service-alerts"),
        (WRITE_IDENTITY, "resourcemanager.tagValueBindings.create", "resource-tags"),
    ];
    for (who, permission, control) in table {
        let stage = with_a_new_project().await;
        without(&stage, who, permission);
        let report = stage.reconcile("new-shop", Cause::Created).await;
        is_missed(&report, permission, control, ControlKind::Tags);
    }
}
