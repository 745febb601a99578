//! What is true of every control: clean -> empty plan; apply -> empty plan; same input -> same bytes; shuffled input -> same plan.

#![expect(clippy::panic, clippy::unwrap_used, reason = "test harness: a failure here is a failed test")]

use landfall_engine::ask::{Preview, preview};
use landfall_engine::store::memory::MemoryStore;
use landfall_model::catalog::{ControlKind, Effect};
use landfall_model::finding::Status;
use landfall_model::id::Name;
use landfall_model::target::Target;
use landfall_model::trigger::Cause;
use landfall_simulator::World;
use landfall_tests::stage::{ACME, Stage, tenant, world};
use std::sync::Arc;

/// How one thing is disturbed, and in which target the control sees it.
struct Situation {
    control: ControlKind,
    disturb: fn(&mut World, &str),
    seen_in: Seen,
}

enum Seen {
    Organization,
    Tenant,
}

fn policy_named<'a>(world: &'a mut World, part: &str) -> &'a mut landfall_simulator::Policy {
    world.organization.policies.values_mut().find(|policy| policy.name.contains(part)).unwrap()
}

fn detach(world: &mut World, part: &str) {
    let id = policy_named(world, part).id.clone();
    world.organization.attachments.retain(|attachment| attachment.policy != id);
}

const fn tenant_control(control: ControlKind, disturb: fn(&mut World, &str)) -> Situation {
    Situation { control, disturb, seen_in: Seen::Tenant }
}

const fn organization_control(control: ControlKind, disturb: fn(&mut World, &str)) -> Situation {
    Situation { control, disturb, seen_in: Seen::Organization }
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
fn situations() -> Vec<Situation> {
    use ControlKind as K;
    vec![
        organization_control(K::Units, |world, _| {
            world.organization.units.retain(|_, unit| unit.name != "sandbox");
        }),
        tenant_control(K::Placement, |world, account| {
            let root = world.organization.root.id.clone();
            world.organization.members.get_mut(account).unwrap().parent = root;
        }),
        tenant_control(K::QuarantineGate, |world, account| {
            let policy = policy_named(world, "landfall-quarantine").id.clone();
            let attachment = landfall_simulator::Attachment { target: account.into(), policy };
            world.organization.attachments.insert(attachment);
        }),
        tenant_control(K::Access, |world, account| {
            world.identity_center.assignments.retain(|assignment| assignment.account != account);
        }),
        organization_control(K::EnabledServices, |world, _| world.organization.service_access.clear()),
        organization_control(K::Policies, |world, _| detach(world, "landfall-sandbox")),
        organization_control(K::AllowedRegions, |world, _| {
            let policy = policy_named(world, "landfall-workloads-");
            policy.content = policy.content.replace("eu-west-1", "us-east-1");
        }),
        organization_control(K::DeniedServices, |world, _| detach(world, "landfall-workloads.production")),
        organization_control(K::ProtectBaseline, |world, _| {
            let policy = policy_named(world, "landfall-workloads-");
            policy.content = r#"{"Version":"2012-10-17","Statement":[]}"#.into();
        }),
        tenant_control(K::AccountAlias, |world, account| world.account_mut(account).unwrap().alias = None),
        tenant_control(K::Tags, |world, account| {
            world.organization.tags.entry(account.into()).or_default().remove("team");
        }),
        tenant_control(K::SecurityContacts, |world, account| {
            world.account_mut(account).unwrap().alternate_contacts.remove("SECURITY");
        }),
        tenant_control(K::Budget, |world, account| world.account_mut(account).unwrap().budgets.clear()),
        tenant_control(K::PasswordPolicy, |world, account| {
            world.account_mut(account).unwrap().password_policy.as_mut().unwrap().minimum_length = 8;
        }),
        tenant_control(K::NoRootKeys, |world, account| world.account_mut(account).unwrap().root_keys = true),
        tenant_control(K::RootMfa, |world, account| world.account_mut(account).unwrap().root_mfa = false),
        tenant_control(K::ExternalAccessAnalysis, |world, account| region(world, account).analyzers.clear()),
        tenant_control(K::ThreatDetection, |world, account| region(world, account).detector = None),
        organization_control(K::AuditLog, |world, _| {
            world.organization.trails.values_mut().for_each(|trail| trail.logging = false);
        }),
        tenant_control(K::BlockPublicStorage, |world, account| {
            world.account_mut(account).unwrap().public_access_block = None;
        }),
        tenant_control(K::EncryptByDefault, |world, account| region(world, account).ebs_encryption = false),
        tenant_control(K::BlockPublicSnapshots, |world, account| {
            region(world, account).snapshot_block = "unblocked".into();
        }),
        tenant_control(K::BlockPublicImages, |world, account| {
            region(world, account).image_block = "unblocked".into();
        }),
        tenant_control(K::HardenedInstances, |world, account| {
            region(world, account).metadata_defaults.http_tokens = None;
        }),
        tenant_control(K::NoDefaultNetwork, add_default_network),
        tenant_control(K::ClosedDefaultSecurityGroups, |world, account| {
            add_default_network(world, account);
            let region = region(world, account);
            for vpc in region.vpcs.values_mut() {
                vpc.is_default = false;
            }
        }),
        tenant_control(K::RegionOptIn, |world, account| {
            world.account_mut(account).unwrap().region_opt.clear();
        }),
    ]
}

/// A stage in which everything holds: a new account that a project names went the whole way.
async fn agreement() -> (Stage, String) {
    let mut stage = Stage::with(2).await;
    stage.sweep().await;
    let account = stage.simulator.edit(|world| world.create_account("shop"));
    stage.follow(&ACME.replace("222222222222", &account)).await;
    let report = stage.reconcile(&account, Cause::Created).await;
    assert_eq!(report.counts.fail + report.counts.unknown, 0, "{}", landfall_reports::text::report(&report));
    (stage, account)
}

fn target(seen: &Seen, account: &str) -> Target {
    match seen {
        Seen::Organization => Target::Organization("aws".parse::<Name>().unwrap()),
        Seen::Tenant => tenant(account),
    }
}

async fn look(stage: &Stage, target: &Target) -> Preview {
    // As another process would: nothing is remembered from before.
    let engine = stage.another().await;
    let run = "20261121T101500Z-00000001".parse().unwrap();
    preview(&*engine.store, &*engine.cloud, &engine.trusted, &*engine.clock, &run, target, engine.limits())
        .await
        .unwrap()
}

fn changes(preview: &Preview) -> String {
    serde_json::to_string(&(&preview.plan.changes, &preview.plan.blocked)).unwrap()
}

#[test]
fn every_control_has_its_situation() {
    let told: Vec<ControlKind> = situations().iter().map(|situation| situation.control).collect();
    // What AWS does not offer can't be disturbed there.
    let offered = |kind: &&ControlKind| landfall_aws::controls::permissions(**kind).is_some();
    for kind in ControlKind::ALL.iter().filter(offered) {
        assert!(told.contains(kind), "{kind} has no situation");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clean_is_an_empty_plan_for_every_target() {
    let (stage, account) = agreement().await;
    for seen in [Seen::Organization, Seen::Tenant] {
        let preview = look(&stage, &target(&seen, &account)).await;
        assert!(preview.plan.changes.is_empty(), "{}", landfall_reports::text::plan(&preview.plan, None));
        let failing: Vec<_> = preview
            .findings
            .iter()
            .filter(|finding| !matches!(finding.status, Status::Pass | Status::NotApplicable))
            .collect();
        assert!(failing.is_empty(), "{failing:#?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_disturbance_is_seen_planned_put_right_and_gone() {
    for situations in situations().chunks(5) {
        futures_util::future::join_all(situations.iter().map(disturbed)).await;
    }
}

async fn disturbed(situation: &Situation) {
    let Situation { control, disturb, seen_in } = situation;
    let (stage, account) = agreement().await;
    stage.simulator.edit(|world| disturb(world, &account));
    let target = target(seen_in, &account);

    // Same input, same bytes.
    let before = look(&stage, &target).await;
    assert_eq!(changes(&before), changes(&look(&stage, &target).await), "{control}: two looks differ");

    let detects = control.entry().effect == Effect::Detects;
    assert_eq!(before.plan.changes.is_empty(), detects, "{control}: {:#?}", before.findings);

    drop(stage.another().await);
    let engine = stage.another().await;
    let order = landfall_engine::reconcile::Order::new(target.clone(), Cause::Asked, stage.deadline());
    let done = landfall_engine::reconcile::reconcile(&engine, &order).await.unwrap();
    let landfall_engine::reconcile::Reconciled::Done(report) = done else { panic!("{control}: {done:?}") };
    let text = landfall_reports::text::report(&report);
    let after = look(&stage, &target).await;
    assert!(after.plan.changes.is_empty(), "{control}: applied, and still: {}\n{text}", changes(&after));
    let open: Vec<_> = after.findings.iter().filter(|finding| finding.needs_attention()).collect();
    assert_eq!(open.is_empty(), !detects, "{control}: {open:#?}\n{text}");
    assert!(stage.history_is_whole(&account).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shuffled_input_is_the_same_plan() {
    let account = world(2).create_account("shop");
    let straight = ACME.replace("222222222222", &account);
    // The same organization, written down in another order.
    let mut lists: Vec<&str> =
        straight.lines().filter(|line| line.starts_with("      - ") && !line.contains('{')).collect();
    let first = lists.first().copied().unwrap();
    lists.reverse();
    let mut shuffled = Vec::new();
    for line in straight.lines() {
        if line == first {
            shuffled.extend(lists.iter().copied());
        } else if !lists.contains(&line) {
            shuffled.push(line);
        }
    }
    let shuffled = shuffled
        .join("\n")
        .replace("regions: [eu-central-1, eu-west-1]", "regions: [eu-west-1, eu-central-1]")
        .replace("aws: [eu-central-1, eu-west-1]", "aws: [eu-west-1, eu-central-1]");
    assert_ne!(shuffled.trim(), straight.trim());

    let mut plans = Vec::new();
    for manifest in [&straight, &shuffled] {
        let stage = Stage::of(world(2), manifest, Arc::new(MemoryStore::new())).await;
        for seen in [Seen::Organization, Seen::Tenant] {
            stage.simulator.edit(|world| {
                if world.account(&account).is_none() {
                    world.create_account("shop");
                }
            });
            plans.push(changes(&look(&stage, &target(&seen, &account)).await));
        }
    }
    assert_eq!(plans[0], plans[2], "the organization's plan depends on the order of the manifest");
    assert_eq!(plans[1], plans[3], "the tenant's plan depends on the order of the manifest");
}
