//! One organization on two clouds: one manifest, one store, a function on each cloud. Neither is in the other's way, and people read
//! about both at one place.

#![expect(clippy::unwrap_used, reason = "test harness: a failure here is a failed test")]

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::SignedDuration;
use landfall_engine::store::memory::MemoryStore;
use landfall_engine::store::{Store, StoreExt as _};
use landfall_engine::{ask, history, keys, reconcile};
use landfall_model::facts::Inventory;
use landfall_model::id::Provider;
use landfall_model::record::{Life, Record};
use landfall_model::target::Target;
use landfall_model::trigger::Cause;
use landfall_simulator::Simulator;
use landfall_simulator::azure::AzureSimulator;
use landfall_tests::stage::Stage;
use landfall_tests::{azure, stage};

/// One organization: the same units, teams and controls on both clouds.
const BOTH: &str = r#"
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
contacts:
  security: { email: security@acme.example, phone: "+49 30 1" }
  operations: ops@acme.example
  billing: billing@acme.example
break-glass: { aws: [role/break-glass], azure: [5a0e0000-0000-4000-8000-0000000000bb] }
limits: { changes: 100, deletions: 4, tenants: 50 }
environments: [production]
units: { workloads: { landing-zone: standard } }
teams:
  payments: { groups: { developer: { aws: payments-dev, azure: 5a0e0000-0000-4000-8000-00000000000a } } }
roles:
  developer:
    aws: { managed-policies: [PowerUserAccess], session: 8h }
    azure: [Contributor]
controls:
  data-stays-in-europe:
    control: allowed-regions
    with: { aws: [eu-central-1, eu-west-1], azure: [westeurope] }
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
intake:
  - { when: { name: "new-*" }, landing-zone: standard, unit: workloads }
  - { otherwise: stay-gated }
"#;

/// The function on each cloud, on one store or on two.
async fn stages(one: Arc<dyn Store>, two: Arc<dyn Store>) -> (Stage<Simulator>, Stage<AzureSimulator>) {
    let aws = Stage::of(stage::world(2), BOTH, one).await;
    let azure = Stage::on(azure::world(2), BOTH, two).await;
    (aws, azure)
}

/// Both clouds' way at the same time: the first sweeps, a new tenant on each, and a sweep after that. Answers the new tenants.
async fn whole_way(aws: &Stage<Simulator>, azure: &Stage<AzureSimulator>) -> [String; 2] {
    let (on_aws, on_azure) = tokio::join!(aws.sweep(), azure.sweep());
    for closed in [on_aws, on_azure] {
        assert!(closed.complete && closed.unknown.is_empty(), "{closed:?}");
    }
    let account = aws.simulator.edit(|world| world.create_account("new-shop"));
    let subscription = azure.simulator.edit(|world| world.add_subscription("new-shop"));
    let on_azure = async {
        azure.run(&subscription, Cause::Created).await;
        for _ in 0..3 {
            azure.clock.pass(SignedDuration::from_secs(11));
            azure.run(&subscription, Cause::Asked).await;
        }
    };
    tokio::join!(aws.run(&account, Cause::Created), on_azure);
    tokio::join!(aws.sweep(), azure.sweep());
    [account, subscription]
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
async fn two_clouds_share_a_manifest_and_a_store_and_nothing_else() {
    let store = Arc::new(MemoryStore::new());
    let (aws, azure) = stages(store.clone(), store.clone()).await;
    let [account, subscription] = whole_way(&aws, &azure).await;

    // Both stand at one place, each with its own.
    let records = ask::status(&*store).await.unwrap();
    let own = "3f2c0000-0000-4000-8000-000000000001";
    let theirs = |provider: &str, mut tenants: Vec<&str>| {
        tenants.sort_unstable();
        let tenants = tenants.into_iter().map(|id| format!("{provider}/{id}"));
        std::iter::once(format!("organization/{provider}")).chain(tenants).collect::<Vec<_>>()
    };
    let on_aws = theirs("aws", vec!["111111111111", "222222222222", "222222222223", &account]);
    let on_azure = theirs("azure", vec![own, "3f2c0000-0000-4000-8000-000000000002", &subscription]);
    assert_eq!((of(&records, "aws"), of(&records, "azure")), (on_aws, on_azure));
    for record in [aws.record(&account).await, azure.record(&subscription).await] {
        assert_eq!(record.unwrap().life, Life::HandedOver);
    }

    // One text tells of both.
    let text = landfall_reports::text::status(&records);
    for record in &records {
        assert!(text.contains(&record.target.to_string()), "{} is missing in\n{text}", record.target);
    }
    assert!(text.lines().last().unwrap().starts_with(&format!("{} targets: ", records.len())), "{text}");

    // Every history is whole, the organizations' too.
    for Record { target, .. } in &records {
        let verified = history::verify(&*store, target).await.unwrap();
        assert_eq!((verified.broken, verified.open), (None, 0), "{target}");
    }

    // Who was there first is each cloud's own.
    for (provider, expected) in [(Provider::Aws, "222222222222"), (Provider::Azure, own)] {
        let key = keys::inventory(provider, &provider.as_str().parse().unwrap()).unwrap();
        let (inventory, _) = store.read::<Inventory>(&key).await.unwrap().unwrap();
        assert!(inventory.tenants.iter().all(|tenant| tenant.provider() == provider), "{inventory:?}");
        assert!(
            inventory.tenants.iter().any(|tenant| tenant.to_string().ends_with(expected)),
            "{inventory:?}"
        );
    }
    let deliveries = store.list("deliveries", None, 10).await.unwrap();
    assert_eq!(deliveries.len(), 2, "{deliveries:?}");

    // Another sweep of either finds nothing to do, whatever the other did meanwhile.
    let (on_aws, on_azure) = tokio::join!(aws.sweep(), azure.sweep());
    assert_eq!((on_aws.changes, on_azure.changes), (0, 0), "{on_aws:?}\n{on_azure:?}");
}

/// What each cloud would write on a store of its own has other keys than the other's; only the manifest is the same record.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_record_of_one_cloud_has_the_key_of_the_other_s() {
    let (one, two) = (Arc::new(MemoryStore::new()), Arc::new(MemoryStore::new()));
    let (aws, azure) = stages(one.clone(), two.clone()).await;
    whole_way(&aws, &azure).await;
    let (on_aws, on_azure) = (keys_of(&*one).await, keys_of(&*two).await);
    let same: Vec<&String> = on_aws.intersection(&on_azure).collect();
    assert!(same.iter().all(|key| key.starts_with("manifests/")), "{same:?}");
    assert_eq!(same.len(), 2, "the bundle, and that it is followed: {same:?}");
    let folders = |keys: &BTreeSet<String>| -> BTreeSet<String> {
        keys.iter().filter_map(|key| Some(key.split_once('/')?.0.to_owned())).collect()
    };
    assert_eq!(folders(&on_aws), folders(&on_azure), "both keep the same kinds of records");
}

#[tokio::test]
async fn a_target_of_one_cloud_is_refused_by_the_other_s_function() {
    let store = Arc::new(MemoryStore::new());
    let (aws, azure) = stages(store.clone(), store.clone()).await;
    tokio::join!(aws.sweep(), azure.sweep());
    let before = keys_of(&*store).await;
    let foreign: Target = "azure/3f2c0000-0000-4000-8000-000000000002".parse().unwrap();
    let order = reconcile::Order::new(foreign, Cause::Asked, aws.deadline());
    let refused = reconcile::reconcile(&aws.engine, &order).await.unwrap_err();
    assert!(refused.to_string().contains("is not of the cloud `aws`"), "{refused}");
    assert_eq!(keys_of(&*store).await, before, "nothing is written about it");
}
