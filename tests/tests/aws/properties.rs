//! What is true of every control on AWS: clean -> empty plan; apply -> empty plan; same input -> same bytes; shuffled input -> same plan.

#![expect(clippy::unwrap_used, reason = "test harness: a failure here is a failed test")]

use std::sync::Arc;

use landfall_engine::store::memory::MemoryStore;
use landfall_model::catalog::ControlKind;
use landfall_simulator::{Simulator, World};
use landfall_tests::properties::{self, Situation, plans_of, shuffled};
use landfall_tests::stage::{ACME, Stage, world};

fn policy_named<'a>(world: &'a mut World, part: &str) -> &'a mut landfall_simulator::Policy {
    world.organization.policies.values_mut().find(|policy| policy.name.contains(part)).unwrap()
}

fn detach(world: &mut World, part: &str) {
    let id = policy_named(world, part).id.clone();
    world.organization.attachments.retain(|attachment| attachment.policy != id);
}

fn region<'a>(world: &'a mut World, account: &str) -> &'a mut landfall_simulator::Region {
    world.account_mut(account).unwrap().region("eu-west-1")
}

fn add_default_network(world: &mut World, account: &str) {
    let fresh = world.add_account("donor", landfall_simulator::Joined::Created);
    let donor = world.account_mut(&fresh).unwrap().region("eu-west-1").clone();
    let region = region(world, account);
    region.vpcs = donor.vpcs;
    region.subnets = donor.subnets;
    region.internet_gateways = donor.internet_gateways;
    region.route_tables = donor.route_tables;
    region.network_acls = donor.network_acls;
    region.security_groups = donor.security_groups;
}

/// One disturbance for every control.
fn situations() -> Vec<Situation<World>> {
    use ControlKind as K;
    vec![
        Situation::in_organization(K::Units, |world: &mut World, _| {
            world.organization.units.retain(|_, unit| unit.name != "sandbox");
        })
        .changed_by(&[K::Units, K::Policies]),
        Situation::in_tenant(K::Placement, |world, account| {
            let root = world.organization.root.id.clone();
            world.organization.members.get_mut(account).unwrap().parent = root;
        }),
        Situation::in_tenant(K::QuarantineGate, |world, account| {
            let policy = policy_named(world, "landfall-quarantine").id.clone();
            let attachment = landfall_simulator::Attachment { target: account.into(), policy };
            world.organization.attachments.insert(attachment);
        }),
        Situation::in_tenant(K::Federation, |world, account| {
            let account = world.account_mut(account).unwrap();
            let issuer = account.oidc_providers.get_mut("token.actions.githubusercontent.com").unwrap();
            issuer.client_ids.insert("anybody".into());
        }),
        Situation::in_tenant(K::Access, |world, account| {
            world.identity_center.assignments.retain(|assignment| assignment.account != account);
        }),
        Situation::in_organization(K::EnabledServices, |world, _| world.organization.service_access.clear()),
        Situation::in_organization(K::Policies, |world, _| detach(world, "landfall-sandbox")),
        Situation::in_organization(K::AllowedRegions, |world, _| {
            let policy = policy_named(world, "landfall-workloads-");
            policy.content = policy.content.replace("eu-west-1", "us-east-1");
        })
        .changed_by(&[K::Policies])
        .shakes(&[K::ProtectBaseline]),
        Situation::in_organization(K::DeniedServices, |world, _| {
            detach(world, "landfall-workloads.production")
        })
        .changed_by(&[K::Policies]),
        Situation::in_organization(K::ProtectBaseline, |world, _| {
            let policy = policy_named(world, "landfall-workloads-");
            policy.content = r#"{"Version":"2012-10-17","Statement":[]}"#.into();
        })
        .changed_by(&[K::Policies])
        .shakes(&[K::AllowedRegions]),
        Situation::in_tenant(K::AccountAlias, |world, account| {
            world.account_mut(account).unwrap().alias = None
        }),
        Situation::in_tenant(K::Tags, |world, account| {
            world.organization.tags.entry(account.into()).or_default().remove("team");
        }),
        Situation::in_tenant(K::SecurityContacts, |world, account| {
            world.account_mut(account).unwrap().alternate_contacts.remove("SECURITY");
        }),
        Situation::in_tenant(K::Budget, |world, account| world.account_mut(account).unwrap().budgets.clear()),
        Situation::in_tenant(K::PasswordPolicy, |world, account| {
            world.account_mut(account).unwrap().password_policy.as_mut().unwrap().minimum_length = 8;
        }),
        Situation::in_tenant(K::NoRootKeys, |world, account| {
            world.account_mut(account).unwrap().root_keys = true
        }),
        Situation::in_tenant(K::RootMfa, |world, account| {
            world.account_mut(account).unwrap().root_mfa = false
        }),
        Situation::in_tenant(K::ExternalAccessAnalysis, |world, account| {
            region(world, account).analyzers.clear()
        }),
        Situation::in_tenant(K::ThreatDetection, |world, account| region(world, account).detector = None),
        Situation::in_tenant(K::StandardsAssessment, |world, account| {
            region(world, account).hub.as_mut().unwrap().standards.clear();
        }),
        Situation::in_tenant(K::StandardsAssessment, |world, account| region(world, account).hub = None),
        Situation::in_tenant(K::ConfigurationRecording, |world, account| {
            region(world, account).config.recording = false;
        }),
        Situation::in_tenant(K::ConfigurationRecording, |world, account| {
            let recorder = region(world, account).config.recorder.as_mut().unwrap();
            *recorder.pointer_mut("/recordingGroup/includeGlobalResourceTypes").unwrap() = true.into();
        }),
        Situation::in_tenant(K::ConfigurationRecording, |world, account| {
            world.account_mut(account).unwrap().region("eu-central-1").config = Default::default();
        }),
        Situation::in_organization(K::AuditLog, |world, _| {
            world.organization.trails.values_mut().for_each(|trail| trail.logging = false);
        }),
        Situation::in_tenant(K::BlockPublicStorage, |world, account| {
            world.account_mut(account).unwrap().public_access_block = None;
        }),
        Situation::in_tenant(K::EncryptByDefault, |world, account| {
            region(world, account).ebs_encryption = false
        }),
        Situation::in_tenant(K::BlockPublicSnapshots, |world, account| {
            region(world, account).snapshot_block = "unblocked".into();
        }),
        Situation::in_tenant(K::BlockPublicImages, |world, account| {
            region(world, account).image_block = "unblocked".into();
        }),
        Situation::in_tenant(K::HardenedInstances, |world, account| {
            region(world, account).metadata_defaults.http_tokens = None;
        }),
        Situation::in_tenant(K::NoDefaultNetwork, add_default_network)
            .changed_by(&[K::NoDefaultNetwork, K::ClosedDefaultSecurityGroups]),
        Situation::in_tenant(K::ClosedDefaultSecurityGroups, |world, account| {
            add_default_network(world, account);
            let region = region(world, account);
            for vpc in region.vpcs.values_mut() {
                vpc.is_default = false;
            }
        }),
        Situation::in_tenant(K::RegionOptIn, |world, account| {
            world.account_mut(account).unwrap().region_opt.clear();
        }),
    ]
}

#[test]
fn every_control_has_its_situation() {
    properties::every_control_has_its_situation::<Simulator>(&situations());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clean_is_an_empty_plan_for_every_target() {
    properties::clean_is_an_empty_plan::<Simulator>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_disturbance_is_seen_planned_put_right_and_gone() {
    properties::every_disturbance_is_put_right::<Simulator>(situations()).await;
    // Everything that is ever written was written by now.
    crate::permissions::nothing_is_granted_that_no_scenario_takes();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shuffled_input_is_the_same_plan() {
    let mut world = world(2);
    let account = world.create_account("shop");
    let straight = ACME.replace("222222222222", &account);
    let mut stages = Vec::new();
    for manifest in [&straight, &shuffled(&straight)] {
        stages.push(Stage::of(world.clone(), manifest, Arc::new(MemoryStore::new())).await);
    }
    let plans = plans_of(&stages, &account).await;
    assert!(plans.iter().flatten().all(|plan| plan.len() > 1000), "there is something to be planned");
    assert_eq!(plans[0], plans[1], "the plans depend on the order of the manifest");
}
