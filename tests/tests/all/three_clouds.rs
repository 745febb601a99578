//! One organization on three clouds: one manifest, one store, a function on each cloud. None is in another's way, what is asked once holds
//! on each by its own means, and people read about all at one place.

#![expect(clippy::unwrap_used, reason = "test harness: a failure here is a failed test")]

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::SignedDuration;
use landfall_engine::store::memory::MemoryStore;
use landfall_engine::store::{Store, StoreExt as _};
use landfall_engine::sweep::Closed;
use landfall_engine::{ask, history, keys, reconcile};
use landfall_model::catalog::ControlKind;
use landfall_model::facts::Inventory;
use landfall_model::finding::Status;
use landfall_model::id::Provider;
use landfall_model::record::{Life, Record};
use landfall_model::target::Target;
use landfall_model::trigger::Cause;
use landfall_simulator::Simulator;
use landfall_simulator::azure::AzureSimulator;
use landfall_simulator::gcp::{GcpBreakage, GcpSimulator};
use landfall_tests::spine::Way as _;
use landfall_tests::stage::Stage;
use landfall_tests::{azure, gcp, stage};

/// One organization: the same units, teams and controls on all clouds.
pub(crate) const ALL: &str = r#"
landfall: 1
organization: acme
clouds:
  aws:
    organization: o-a1b2c3d4e5
    management-account: "111111111111"
    home-region: eu-central-1
    regions: [eu-central-1, eu-west-1]
    roles: { read: landfall-read, write: landfall-write, external-id: acme-landfall }
  azure:
    directory: 8f0c1a52-0000-4000-8000-000000000001
    root: acme
    locations: [westeurope]
    controller-subscription: 3f2c0000-0000-4000-8000-000000000001
    identities: { principals: [5a0e0000-0000-4000-8000-0000000000aa] }
  gcp:
    organization: "123456789012"
    locations: [europe-west1]
    customer: C0acme123
    billing-accounts: { main: 01AB23-45CD67-89EF01 }
    controller-project: acme-landfall
    identities:
      read: landfall-read@acme-landfall.iam.gserviceaccount.com
      write: landfall-write@acme-landfall.iam.gserviceaccount.com
contacts:
  security: { email: security@acme.example, phone: "+49 30 1" }
  operations: ops@acme.example
  billing: billing@acme.example
break-glass:
  aws: [role/break-glass]
  azure: [5a0e0000-0000-4000-8000-0000000000bb]
  gcp: ["group:break-glass@acme.example"]
limits: { changes: 100, deletions: 4, tenants: 50 }
environments: [production]
units: { workloads: { landing-zone: standard } }
teams:
  payments: { groups: { developer: { aws: payments-dev, azure: 5a0e0000-0000-4000-8000-00000000000a, gcp: payments-dev@acme.example } } }
roles:
  developer:
    aws: { managed-policies: [PowerUserAccess], session: 8h }
    azure: [Contributor]
    gcp: [roles/editor]
controls:
  data-stays-in-europe:
    control: allowed-regions
    with: { aws: [eu-central-1, eu-west-1], azure: [westeurope], gcp: [europe-west1] }
  tagged: { control: tags }
  reachable: { control: security-contacts }
  spending: { control: budget, with: {} }
  watched: { control: threat-detection }
  no-public-storage: { control: block-public-storage }
landing-zones:
  standard:
    version: 1
    controls: [data-stays-in-europe, tagged, reachable, spending, watched, no-public-storage]
projects:
  checkout:
    team: payments
    cost-center: "4711"
    budget: { monthly: 2000 EUR, alert-at: [80%] }
    access: { developer: [payments] }
    tenants:
      - { aws: "222222222222", unit: workloads, environment: production }
      - { azure: 3f2c0000-0000-4000-8000-000000000002, unit: workloads, environment: production }
      - { gcp: team-0001, unit: workloads, environment: production }
intake:
  - { when: { name: "new-*" }, landing-zone: standard, unit: workloads }
  - { otherwise: stay-gated }
"#;

/// The function on each cloud.
pub(crate) struct Three {
    pub(crate) aws: Stage<Simulator>,
    pub(crate) azure: Stage<AzureSimulator>,
    pub(crate) gcp: Stage<GcpSimulator>,
}

/// The tenants that were made meanwhile.
struct Made {
    account: String,
    subscription: String,
    project: String,
}

const OWN: &str = "3f2c0000-0000-4000-8000-000000000001";

impl Three {
    /// On one store, or on one each.
    pub(crate) async fn on(stores: [Arc<dyn Store>; 3]) -> Self {
        let [one, two, three] = stores;
        Three {
            aws: Stage::of(stage::world(2), ALL, one).await,
            azure: Stage::on(azure::world(2), ALL, two).await,
            gcp: Stage::in_gcp(gcp::world(2), ALL, three).await,
        }
    }

    async fn on_one() -> (Self, Arc<MemoryStore>) {
        let store = Arc::new(MemoryStore::new());
        (Self::on([store.clone(), store.clone(), store.clone()]).await, store)
    }

    pub(crate) async fn sweep(&self) -> [Closed; 3] {
        let (aws, azure, gcp) = tokio::join!(self.aws.sweep(), self.azure.sweep(), self.gcp.sweep());
        [aws, azure, gcp]
    }

    /// All clouds' way at the same time: the first sweeps, a new tenant on each, and a sweep after that.
    async fn whole_way(&self) -> Made {
        for closed in self.sweep().await {
            assert!(closed.complete && closed.unknown.is_empty(), "{closed:?}");
        }
        let made = Made {
            account: self.aws.simulator.edit(|world| world.create_account("new-shop")),
            subscription: self.azure.simulator.make("new-shop"),
            project: self.gcp.simulator.make("new-shop"),
        };
        tokio::join!(
            self.aws.run(&made.account, Cause::Created),
            brought(&self.azure, &made.subscription),
            brought(&self.gcp, &made.project)
        );
        self.sweep().await;
        made
    }
}

/// Brings a tenant as far as it goes, where the cloud takes its time.
async fn brought<S>(stage: &Stage<S>, id: &str) {
    stage.run(id, Cause::Created).await;
    for _ in 0..3 {
        stage.clock.pass(SignedDuration::from_secs(11));
        stage.run(id, Cause::Asked).await;
    }
}

async fn keys_of(store: &dyn Store) -> BTreeSet<String> {
    let keys = store.list("", None, usize::MAX).await.unwrap();
    keys.iter().map(ToString::to_string).collect()
}

fn of(records: &[Record], provider: &str) -> Vec<String> {
    let targets = records.iter().map(|record| record.target.to_string());
    targets.filter(|target| target.split('/').any(|part| part == provider)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_clouds_share_a_manifest_and_a_store_and_nothing_else() {
    let (three, store) = Three::on_one().await;
    let Made { account, subscription, project } = three.whole_way().await;

    // All stand at one place, each with its own.
    let status = ask::status(&*store).await.unwrap();
    let records = &status.targets;
    let theirs = |provider: &str, mut tenants: Vec<&str>| {
        tenants.sort_unstable();
        let tenants = tenants.into_iter().map(|id| format!("{provider}/{id}"));
        std::iter::once(format!("organization/{provider}")).chain(tenants).collect::<Vec<_>>()
    };
    for (provider, tenants) in [
        ("aws", vec!["111111111111", "222222222222", "222222222223", &account]),
        ("azure", vec![OWN, "3f2c0000-0000-4000-8000-000000000002", &subscription]),
        ("gcp", vec!["acme-landfall", "team-0001", "team-0002", &project]),
    ] {
        assert_eq!(of(records, provider), theirs(provider, tenants));
    }
    for record in [
        three.aws.record(&account).await,
        three.azure.record(&subscription).await,
        three.gcp.record(&project).await,
    ] {
        assert_eq!(record.unwrap().life, Life::HandedOver);
    }

    // One text tells of all.
    let text = landfall_reports::text::status(&status);
    for record in records {
        assert!(text.contains(&record.target.to_string()), "{} is missing in\n{text}", record.target);
    }
    assert!(text.lines().last().unwrap().starts_with(&format!("{} targets: ", records.len())), "{text}");

    // Every history is whole, the organizations' too.
    for Record { target, .. } in records {
        let verified = history::verify(&*store, target).await.unwrap();
        assert_eq!((verified.broken, verified.open), (None, 0), "{target}");
    }

    // Who was there first is each cloud's own.
    for (provider, expected) in
        [(Provider::Aws, "222222222222"), (Provider::Azure, OWN), (Provider::Gcp, "team-0001")]
    {
        let key = keys::inventory(provider, &provider.as_str().parse().unwrap()).unwrap();
        let (inventory, _) = store.read::<Inventory>(&key).await.unwrap().unwrap();
        assert!(inventory.tenants.iter().all(|tenant| tenant.provider() == provider), "{inventory:?}");
        assert!(
            inventory.tenants.iter().any(|tenant| tenant.to_string().ends_with(expected)),
            "{inventory:?}"
        );
    }
    let deliveries = store.list("deliveries", None, 10).await.unwrap();
    assert_eq!(deliveries.len(), 3, "{deliveries:?}");

    // Another sweep of any finds nothing to do, whatever the others did meanwhile.
    for closed in three.sweep().await {
        assert_eq!(closed.changes, 0, "{closed:?}");
    }
}

/// Given once, without a word about clouds but for what their regions are called.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_asked_once_is_the_right_setting_on_each_cloud() {
    let (three, _) = Three::on_one().await;
    let Made { account, subscription, project } = three.whole_way().await;
    let [aws, azure, gcp] = [
        three.aws.reconcile(&account, Cause::Asked).await,
        three.azure.reconcile(&subscription, Cause::Asked).await,
        three.gcp.reconcile(&project, Cause::Asked).await,
    ];
    for report in [&aws, &azure, &gcp] {
        for control in
            [ControlKind::AllowedRegions, ControlKind::BlockPublicStorage, ControlKind::SecurityContacts]
        {
            let mut of_it = report.findings.iter().filter(|finding| finding.control == control).peekable();
            assert!(of_it.peek().is_some(), "{}: {control}", report.target);
            assert!(of_it.all(|finding| finding.status == Status::Pass), "{}: {control}", report.target);
        }
    }
    // On the tenant that a project names: regions, storage, contacts, tags and access, as each cloud keeps them.
    three.aws.simulator.read(|world| {
        let one = world.account("222222222222").unwrap();
        assert!(one.public_access_block.is_some());
        assert!(one.alternate_contacts.values().any(|contact| contact.email == "security@acme.example"));
        assert_eq!(world.organization.tags["222222222222"].get("team").map(String::as_str), Some("payments"));
        let policies = serde_json::to_string(&world.organization.policies).unwrap();
        assert!(policies.contains("aws:RequestedRegion") && policies.contains("eu-west-1"), "{policies}");
    });
    three.azure.simulator.read(|world| {
        let one = world.subscription("3f2c0000-0000-4000-8000-000000000002").unwrap();
        assert_eq!(one.governance.tags.get("team").map(String::as_str), Some("payments"));
        assert_eq!(one.security_contacts["default"].properties["emails"], "security@acme.example");
        let assigned = &world.group("acme.workloads").unwrap().governance.policy_assignments;
        assert!(assigned.contains_key("lf-allowed-regions"), "{:?}", assigned.keys());
        assert!(assigned.contains_key("lf-block-public-storage"), "{:?}", assigned.keys());
        assert!(!one.governance.role_assignments.is_empty());
    });
    three.gcp.simulator.read(|world| {
        let one = world.project("team-0001").unwrap();
        assert_eq!(one.labels.get("team").map(String::as_str), Some("payments"));
        let contacts = serde_json::to_string(one.governance.things("essentialcontacts/contacts")).unwrap();
        assert!(contacts.contains("security@acme.example"), "{contacts}");
        let member = "group:payments-dev@acme.example".to_owned();
        assert!(one.governance.iam.bindings.iter().any(|binding| binding.members.contains(&member)));
        let policies = &world.governance(&one.parent).unwrap().org_policies;
        assert!(policies.contains_key("gcp.resourceLocations"), "{:?}", policies.keys());
        assert!(policies.contains_key("storage.publicAccessPrevention"), "{:?}", policies.keys());
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_that_fails_on_one_cloud_leaves_the_others_results_as_they_are() {
    let (three, _) = Three::on_one().await;
    three.whole_way().await;
    let before = three.sweep().await;
    // One project is broken, and nothing can be written to it.
    three.gcp.simulator.edit(|world| world.damage("team-0001", GcpBreakage::Contacts)).unwrap();
    three.gcp.simulator.fail("deny=essentialcontacts:*");
    let [aws, azure, gcp] = three.sweep().await;
    for (one, other) in [(&aws, &before[0]), (&azure, &before[1])] {
        assert_eq!((one.counts, one.changes, one.complete), (other.counts, 0, true), "{one:?}");
    }
    assert!(gcp.complete && gcp.counts.unknown > 0, "{gcp:?}");
    // It cost that setting, on that cloud.
    assert_eq!(
        gcp.counts.pass + gcp.counts.unknown + gcp.counts.fail,
        before[2].counts.pass + before[2].counts.fail
    );
}

/// What each cloud would write on a store of its own has other keys than another's; only the manifest is the same record.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_record_of_one_cloud_has_the_key_of_another_s() {
    let stores = [0; 3].map(|_| Arc::new(MemoryStore::new()));
    let three = Three::on(stores.clone().map(|store| store as Arc<dyn Store>)).await;
    three.whole_way().await;
    let mut kept = Vec::new();
    for store in &stores {
        kept.push(keys_of(&**store).await);
    }
    let folders = |keys: &BTreeSet<String>| -> BTreeSet<String> {
        keys.iter().filter_map(|key| Some(key.split_once('/')?.0.to_owned())).collect()
    };
    for (one, other) in [(0, 1), (1, 2), (0, 2)] {
        let same: Vec<&String> = kept[one].intersection(&kept[other]).collect();
        assert!(same.iter().all(|key| key.starts_with("manifests/")), "{same:?}");
        assert_eq!(same.len(), 2, "the bundle, and that it is followed: {same:?}");
        assert_eq!(folders(&kept[one]), folders(&kept[other]), "all keep the same kinds of records");
    }
}

#[tokio::test]
async fn a_target_of_one_cloud_is_refused_by_another_s_function() {
    let (three, store) = Three::on_one().await;
    three.sweep().await;
    let before = keys_of(&*store).await;
    for foreign in ["azure/3f2c0000-0000-4000-8000-000000000002", "gcp/team-0001"] {
        let foreign: Target = foreign.parse().unwrap();
        let order = reconcile::Order::new(foreign, Cause::Asked, three.aws.deadline());
        let refused = reconcile::reconcile(&three.aws.engine, &order).await.unwrap_err();
        assert!(refused.to_string().contains("is not of the cloud `aws`"), "{refused}");
    }
    assert_eq!(keys_of(&*store).await, before, "nothing is written about it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cloud_that_nobody_sweeps_is_told_of_by_the_others() {
    let (three, _) = Three::on_one().await;
    let told = |closed: &Closed| {
        closed.silent.iter().map(|one| (one.cloud.to_string(), one.last.is_some())).collect::<Vec<_>>()
    };
    let name = |name: &str| name.to_owned();
    // The first of them can't know yet whether the others come.
    assert_eq!(told(&three.aws.sweep().await), []);
    three.aws.clock.pass(SignedDuration::from_hours(4));
    assert_eq!(told(&three.aws.sweep().await), [(name("azure"), false), (name("gcp"), false)]);
    // Each comes at its time: nobody is silent.
    three.azure.clock.pass(SignedDuration::from_hours(4));
    three.gcp.clock.pass(SignedDuration::from_hours(4));
    assert_eq!(told(&three.azure.sweep().await), []);
    assert_eq!(told(&three.gcp.sweep().await), []);
    assert_eq!(told(&three.aws.sweep().await), []);
    // One stops, and both others see it.
    three.aws.clock.pass(SignedDuration::from_hours(4));
    three.azure.clock.pass(SignedDuration::from_hours(4));
    three.aws.sweep().await;
    assert_eq!(told(&three.azure.sweep().await), [(name("gcp"), true)]);
    assert_eq!(told(&three.aws.sweep().await), [(name("gcp"), true)]);
}
