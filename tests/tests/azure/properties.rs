//! What is true of every control on Azure: clean -> empty plan; apply -> empty plan; same input -> same bytes; shuffled input -> same plan.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test harness: a failure here is a failed test"
)]

use std::sync::Arc;

use landfall_engine::store::memory::MemoryStore;
use landfall_model::catalog::ControlKind;
use landfall_simulator::azure::{
    AzureBreakage, AzureSimulator, AzureWorld, DIRECTORY, Deployed, Governance, ROOT_GROUP, Subscription,
};
use landfall_tests::azure::{ACME, AzureStage, subscription, world};
use landfall_tests::properties::{self, Situation, plans_of, shuffled};
use landfall_tests::stage::Stage;
use serde_json::json;

fn inside<'a>(world: &'a mut AzureWorld, id: &str) -> &'a mut Subscription {
    world.subscription_mut(id).unwrap()
}

fn on<'a>(world: &'a mut AzureWorld, group: &str) -> &'a mut Governance {
    &mut world.group_mut(group).unwrap().governance
}

/// Takes the assignment of this name from the unit `workloads`, in which the tenant stands.
fn unassign(world: &mut AzureWorld, name: &str) {
    on(world, "acme.workloads").policy_assignments.remove(name).unwrap();
}

/// A control that a policy on its unit carries: the organization's plan puts the policy back, and the tenant's look says that the
/// control does not hold.
fn carried(control: ControlKind, disturb: fn(&mut AzureWorld, &str)) -> Situation<AzureWorld> {
    Situation::in_organization(control, disturb).changed_by(&[ControlKind::Policies])
}

/// One disturbance for every control, and for each part of one that is kept by itself.
fn situations() -> Vec<Situation<AzureWorld>> {
    use ControlKind as K;
    vec![
        Situation::in_organization(K::Units, |world: &mut AzureWorld, _| {
            world.directory.management_groups.remove("acme.sandbox").unwrap();
        })
        .changed_by(&[K::Units, K::Policies]),
        Situation::in_organization(K::Units, |world, _| {
            world.group_mut("acme.workloads.production").unwrap().parent = Some(ROOT_GROUP.into());
        }),
        Situation::in_tenant(K::Placement, |world, id| inside(world, id).parent = DIRECTORY.into()),
        // The gate: its definition, the group that subscriptions are born in, what is assigned there, the directory's setting, and
        // the assignment of a tenant that was handed over.
        Situation::in_organization(K::QuarantineGate, |world, _| {
            let gate = on(world, ROOT_GROUP).policy_definitions.get_mut("landfall-quarantine").unwrap();
            gate.set(
                "policyRule",
                json!({"if": {"field": "type", "equals": "none"}, "then": {"effect": "deny"}}),
            );
        }),
        Situation::in_organization(K::QuarantineGate, |world, _| {
            world.directory.management_groups.remove("acme-quarantine").unwrap();
        }),
        Situation::in_organization(K::QuarantineGate, |world, _| {
            on(world, "acme-quarantine").policy_assignments.clear();
        }),
        Situation::in_organization(K::QuarantineGate, |world, _| {
            let settings = world.directory.hierarchy_settings.as_mut().unwrap();
            settings.default_management_group = None;
        }),
        Situation::in_tenant(K::QuarantineGate, |world, id| {
            let closed = on(world, "acme-quarantine").policy_assignments["landfall-quarantine"].clone();
            inside(world, id).governance.policy_assignments.insert(closed.name.clone(), closed);
        }),
        Situation::in_tenant(K::Access, |world, id| {
            world.damage(id, AzureBreakage::RoleAssignments).unwrap();
        }),
        Situation::in_tenant(K::EnabledServices, |world, id| {
            let provider = inside(world, id).providers.get_mut("microsoft.insights").unwrap();
            provider.state = "NotRegistered".into();
        }),
        Situation::in_organization(K::Policies, |world, _| {
            on(world, "acme.sandbox").policy_assignments.remove("lf-public-disks").unwrap();
        }),
        Situation::in_organization(K::Policies, |world, _| {
            on(world, ROOT_GROUP).policy_definitions.remove("landfall-public-images").unwrap();
        })
        .shakes(&[K::BlockPublicImages]),
        carried(K::AllowedRegions, |world, _| {
            let policy =
                on(world, "acme.workloads").policy_assignments.get_mut("lf-allowed-regions").unwrap();
            policy.set("parameters", json!({"listOfAllowedLocations": {"value": ["eastus", "westeurope"]}}));
        }),
        carried(K::DeniedServices, |world, _| {
            on(world, "acme.workloads.production").policy_assignments.remove("lf-denied-services").unwrap();
        }),
        carried(K::ProtectBaseline, |world, _| unassign(world, "lf-protect-baseline")),
        Situation::in_organization(K::ProtectBaseline, |world, _| {
            world.directory.subscription_policy.block_leaving = false;
        }),
        carried(K::ExternalAccessAnalysis, |world, _| unassign(world, "lf-guest-owners")),
        carried(K::BlockPublicStorage, |world, _| unassign(world, "lf-block-public-storage")),
        // A storage account that anybody may read: the policy that closes what is there already has its task do so.
        Situation::in_tenant(K::BlockPublicStorage, |world, id| {
            world.damage(id, AzureBreakage::PublicStorage).unwrap();
        }),
        carried(K::StandardsAssessment, |world, _| {
            let policy = on(world, "acme.workloads").policy_assignments.get_mut("lf-std-mcsb").unwrap();
            policy.set("overrides", json!([{"kind": "policyEffect", "value": "Disabled"}]));
        }),
        carried(K::EncryptByDefault, |world, _| {
            let policy =
                on(world, "acme.workloads").policy_assignments.get_mut("lf-encryption-at-host").unwrap();
            policy.set("enforcementMode", "DoNotEnforce");
        }),
        carried(K::BlockPublicSnapshots, |world, _| unassign(world, "lf-public-snapshots")),
        carried(K::BlockPublicImages, |world, _| unassign(world, "lf-public-images")),
        carried(K::HardenedInstances, |world, _| unassign(world, "lf-linux-passwords")),
        Situation::in_tenant(K::ResourceLocks, |world, id| {
            world.damage(id, AzureBreakage::Lock).unwrap();
        }),
        Situation::in_tenant(K::AuditLog, |world, id| {
            world.damage(id, AzureBreakage::DiagnosticSetting).unwrap();
        }),
        Situation::in_organization(K::AuditLog, |world, _| {
            on(world, ROOT_GROUP).diagnostic_settings.clear();
        }),
        Situation::in_organization(K::AccessApproval, |world, _| world.directory.lockbox = false),
        Situation::in_tenant(K::ServiceAlerts, |world, id| {
            world.damage(id, AzureBreakage::Alerts).unwrap();
        }),
        Situation::in_tenant(K::ServiceAlerts, |world, id| {
            inside(world, id).resource_groups.remove("landfall").unwrap();
        }),
        Situation::in_tenant(K::Federation, |world, id| {
            let group = inside(world, id).resource_groups.get_mut("identities").unwrap();
            let credential = |one: &&mut Deployed| one.kind.ends_with("/federatedIdentityCredentials");
            let credential = group.resources.values_mut().find(credential).unwrap();
            credential.resource.set("subject", "repo:evil/shop:environment:production");
        }),
        Situation::in_tenant(K::Federation, |world, id| {
            inside(world, id).resource_groups.remove("identities").unwrap();
        }),
        Situation::in_tenant(K::ThreatDetection, |world, id| {
            world.damage(id, AzureBreakage::DefenderPlan).unwrap();
        }),
        Situation::in_tenant(K::AccountAlias, |world, id| {
            world.damage(id, AzureBreakage::Name).unwrap();
        }),
        Situation::in_tenant(K::Tags, |world, id| {
            inside(world, id).governance.tags.remove("team").unwrap();
        }),
        Situation::in_tenant(K::SecurityContacts, |world, id| {
            world.damage(id, AzureBreakage::Contacts).unwrap();
        }),
        Situation::in_tenant(K::Budget, |world, id| {
            world.damage(id, AzureBreakage::Budget).unwrap();
        }),
    ]
}

#[test]
fn every_control_has_its_situation() {
    properties::every_control_has_its_situation::<AzureSimulator>(&situations());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clean_is_an_empty_plan_for_every_target() {
    properties::clean_is_an_empty_plan::<AzureSimulator>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_disturbance_is_seen_planned_put_right_and_gone() {
    properties::every_disturbance_is_put_right::<AzureSimulator>(situations()).await;
    // Everything that is ever written was written by now.
    crate::permissions::nothing_is_granted_that_no_scenario_takes();
}

/// The manifest turned round, and lists that come in many pages with empty ones between them: the same plan.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shuffled_input_is_the_same_plan() {
    let on = async |manifest: &str, page_size: usize| -> AzureStage {
        let mut world = world(5);
        world.settings.empty_pages = page_size == 1;
        world.settings.page_size = page_size;
        Stage::on(world, manifest, Arc::new(MemoryStore::new())).await
    };
    let stages = [on(ACME, 200).await, on(&shuffled(ACME), 200).await, on(ACME, 1).await];
    let plans = plans_of(&stages, &subscription(2)).await;
    assert!(plans.iter().flatten().all(|plan| plan.len() > 1000), "there is something to be planned");
    assert_eq!(plans[0], plans[1], "the plans depend on the order of the manifest");
    assert_eq!(plans[0], plans[2], "the plans depend on how lists are cut into pages");
}
