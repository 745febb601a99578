//! What is true of every control on Google Cloud: clean -> empty plan; apply -> empty plan; same input -> same bytes; shuffled input ->
//! same plan.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test harness: a failure here is a failed test"
)]

use std::sync::Arc;

use landfall_engine::store::memory::MemoryStore;
use landfall_model::catalog::ControlKind;
use landfall_simulator::gcp::{GcpBreakage, GcpSimulator, GcpWorld, Governance};
use landfall_tests::gcp::{ACME, GcpStage, ORGANIZATION, world};
use landfall_tests::properties::{self, Situation, plans_of, shuffled};
use landfall_tests::stage::Stage;
use serde_json::json;

/// What a folder holds, by its display name.
fn on<'a>(world: &'a mut GcpWorld, folder: &str) -> &'a mut Governance {
    let folder = world.folders.values_mut().find(|one| one.display_name == folder).unwrap();
    &mut folder.governance
}

fn inside<'a>(world: &'a mut GcpWorld, id: &str) -> &'a mut Governance {
    &mut world.project_mut(id).unwrap().governance
}

/// Takes the policy on this constraint from the unit `workloads`, in which the tenant stands.
fn unset(world: &mut GcpWorld, constraint: &str) {
    on(world, "workloads").org_policies.remove(constraint).unwrap();
}

/// A control that an organization policy on its unit carries: the organization's plan puts the policy back, and the tenant's look says
/// that the control does not hold.
fn carried(control: ControlKind, disturb: fn(&mut GcpWorld, &str)) -> Situation<GcpWorld> {
    Situation::in_organization(control, disturb).changed_by(&[ControlKind::Policies])
}

/// One that a way to break projects by name is enough for.
fn broken(control: ControlKind, disturb: fn(&mut GcpWorld, &str)) -> Situation<GcpWorld> {
    Situation::in_tenant(control, disturb)
}

/// One disturbance for every control, and for each part of one that is kept by itself.
fn situations() -> Vec<Situation<GcpWorld>> {
    use ControlKind as K;
    vec![
        Situation::in_organization(K::Units, |world: &mut GcpWorld, _| {
            let sandbox =
                world.folders.values().find(|one| one.display_name == "sandbox").unwrap().name.clone();
            world.folders.remove(&sandbox).unwrap();
        })
        .changed_by(&[K::Units, K::Policies]),
        // Out of its folder it is out of reach of the policies there.
        broken(K::Placement, |world, id| world.damage(id, GcpBreakage::Placement).unwrap()).shakes(&[
            K::AllowedRegions,
            K::DeniedServices,
            K::OrganizationPolicies,
            K::ExternalAccessAnalysis,
            K::BlockPublicStorage,
            K::EncryptByDefault,
            K::BlockPublicSnapshots,
            K::BlockPublicImages,
            K::HardenedInstances,
            K::NoDefaultNetwork,
        ]),
        broken(K::Access, |world, id| {
            let iam = &mut inside(world, id).iam;
            iam.bindings
                .retain(|binding| !binding.members.iter().any(|one| one.starts_with("group:payments")));
        }),
        broken(K::EnabledServices, |world, id| {
            assert!(world.project_mut(id).unwrap().services.remove("logging.googleapis.com"));
        }),
        Situation::in_organization(K::Policies, |world, _| {
            on(world, "sandbox").org_policies.remove("storage.publicAccessPrevention").unwrap();
        }),
        carried(K::AllowedRegions, |world, _| {
            on(world, "workloads").org_policies.get_mut("gcp.resourceLocations").unwrap()["spec"]["rules"] =
                json!([{"allowAll": true}]);
        }),
        carried(K::DeniedServices, |world, _| {
            on(world, "production").org_policies.remove("gcp.restrictServiceUsage").unwrap();
        }),
        carried(K::BlockPublicStorage, |world, _| unset(world, "storage.publicAccessPrevention")),
        carried(K::ExternalAccessAnalysis, |world, _| unset(world, "iam.allowedPolicyMemberDomains")),
        carried(K::BlockPublicSnapshots, |world, _| unset(world, "compute.storageResourceUseRestrictions"))
            .shakes(&[K::BlockPublicImages]),
        carried(K::BlockPublicImages, |world, _| unset(world, "compute.storageResourceUseRestrictions"))
            .shakes(&[K::BlockPublicSnapshots]),
        carried(K::EncryptByDefault, |world, _| unset(world, "gcp.restrictNonCmekServices")),
        carried(K::HardenedInstances, |world, _| unset(world, "compute.requireOsLogin")),
        broken(K::HardenedInstances, |world, id| world.damage(id, GcpBreakage::Metadata).unwrap()),
        carried(K::NoDefaultNetwork, |world, _| unset(world, "compute.skipDefaultNetworkCreation")),
        carried(K::OrganizationPolicies, |world, _| {
            unset(world, "iam.automaticIamGrantsForDefaultServiceAccounts");
        }),
        broken(K::ProtectBaseline, |world, id| {
            world.damage(id, GcpBreakage::Lien).unwrap();
        })
        .changed_by(&[K::ProtectBaseline, K::ResourceLocks]),
        broken(K::ResourceLocks, |world, id| {
            world.damage(id, GcpBreakage::Lien).unwrap();
        })
        .changed_by(&[K::ProtectBaseline, K::ResourceLocks]),
        Situation::in_organization(K::AuditLog, |world, _| {
            world.at(ORGANIZATION).unwrap().things_mut("logging/sinks").clear();
        }),
        Situation::in_organization(K::AuditLog, |world, _| {
            world.at(ORGANIZATION).unwrap().iam.audit_configs.clear();
        }),
        Situation::in_organization(K::ConfigurationRecording, |world, _| {
            world.at(ORGANIZATION).unwrap().things_mut("cloudasset/feeds").clear();
        }),
        broken(K::AccountAlias, |world, id| world.damage(id, GcpBreakage::Name).unwrap()),
        broken(K::Tags, |world, id| world.damage(id, GcpBreakage::Labels).unwrap()),
        broken(K::SecurityContacts, |world, id| world.damage(id, GcpBreakage::Contacts).unwrap()),
        broken(K::Budget, |world, id| world.damage(id, GcpBreakage::Budget).unwrap()),
        broken(K::ThreatDetection, |world, id| {
            let services = inside(world, id).things_mut("securitycentermanagement/services");
            services.remove("event-threat-detection").unwrap();
        }),
        broken(K::StandardsAssessment, |world, id| {
            let services = inside(world, id).things_mut("securitycentermanagement/services");
            services.remove("security-health-analytics").unwrap();
        }),
        broken(K::AccessApproval, |world, id| world.damage(id, GcpBreakage::AccessApproval).unwrap()),
        broken(K::AccessApproval, |world, id| {
            let settings = inside(world, id).things_mut("accessapproval/settings").get_mut("self").unwrap();
            settings["notificationEmails"] = json!(["somebody@acme.example"]);
        }),
        broken(K::ServiceAlerts, |world, id| {
            let alert = inside(world, id).things_mut("monitoring/alertPolicies").values_mut().next().unwrap();
            alert["enabled"] = json!(false);
        }),
        broken(K::ResourceTags, |world, id| world.damage(id, GcpBreakage::Tags).unwrap()),
        broken(K::BillingAccount, |world, id| world.damage(id, GcpBreakage::Billing).unwrap())
            .shakes(&[K::Budget]),
        broken(K::ServiceAccounts, |world, id| {
            let name = format!("deployer@{id}.iam.gserviceaccount.com");
            // Who may act as it goes with it.
            for kept in ["iam/serviceAccounts", "iam/serviceAccountPolicies"] {
                inside(world, id).things_mut(kept).remove(&name).unwrap();
            }
        }),
        broken(K::Federation, |world, id| {
            let pools = inside(world, id).things_mut("iam/workloadIdentityPools");
            pools.get_mut("ci-systems").unwrap()["disabled"] = json!(true);
        }),
        broken(K::Federation, |world, id| {
            let providers = inside(world, id).things_mut("iam/workloadIdentityPoolProviders");
            providers.get_mut("ci-systems/github").unwrap()["attributeCondition"] =
                json!("assertion.sub != ''");
        }),
        broken(K::DefaultServiceAccounts, |world, id| {
            let number = world.project(id).unwrap().number.clone();
            let account = format!("serviceAccount:{number}-compute@developer.gserviceaccount.com");
            world.give(&format!("projects/{id}"), "roles/editor", &account);
        }),
    ]
}

#[test]
fn every_control_has_its_situation() {
    properties::every_control_has_its_situation::<GcpSimulator>(&situations());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clean_is_an_empty_plan_for_every_target() {
    properties::clean_is_an_empty_plan::<GcpSimulator>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_disturbance_is_seen_planned_put_right_and_gone() {
    properties::every_disturbance_is_put_right::<GcpSimulator>(situations()).await;
    // Everything that is ever written was written by now.
    crate::permissions::nothing_is_granted_that_no_scenario_takes();
}

/// The manifest turned round, and lists that come in many pages with empty ones between them: the same plan.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shuffled_input_is_the_same_plan() {
    let on = async |manifest: &str, page_size: usize| -> GcpStage {
        let mut world = world(5);
        world.settings.empty_pages = page_size == 1;
        world.settings.page_size = page_size;
        Stage::in_gcp(world, manifest, Arc::new(MemoryStore::new())).await
    };
    let stages = [on(ACME, 200).await, on(&shuffled(ACME), 200).await, on(ACME, 1).await];
    let plans = plans_of(&stages, "team-0001").await;
    assert!(plans.iter().flatten().all(|plan| plan.len() > 1000), "there is something to be planned");
    assert_eq!(plans[0], plans[1], "the plans depend on the order of the manifest");
    assert_eq!(plans[0], plans[2], "the plans depend on how lists are cut into pages");
}
