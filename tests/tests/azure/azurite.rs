//! The store and the queue on Azurite, an Azure Storage that nobody here wrote.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test harness: a failure here is a failed test")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use landfall_azure::{Azure, AzureOrganization, BlobError, StorageQueue};
use landfall_engine::engine::{Deadline, Engine, SystemClock, SystemDice};
use landfall_engine::queue::{Outbox as _, Queue as _, QueueError};
use landfall_engine::store::fetch::FetchError;
use landfall_engine::store::{Key, Store as _, StoreError};
use landfall_engine::trust::{Footing, trust};
use landfall_engine::{history, sweep, work};
use landfall_model::id::{Provider, TenantId};
use landfall_model::manifest::Cloud;
use landfall_model::manifest::bundle::Bundle;
use landfall_model::target::Target;
use landfall_model::trigger::Work;
use landfall_simulator::azure::{AzureOptions, AzureSimulator, AzureWorld};
use landfall_tests::azurite::Azurite;
use landfall_tests::stage::manifest;

/// Where nobody listens: what is only about storage asks no Resource Manager.
const NOBODY: &str = "http://127.0.0.1:9";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_store_keeps_its_contract() {
    let azurite = Azurite::start();
    let azure = Azure::loopback_with_storage(NOBODY, azurite.blob()).unwrap();
    let container = azurite.create_container("landfall-store");
    // In a folder of a container, and in the whole of another.
    let store = azure.store(&format!("{container}/contract/folder")).unwrap();
    landfall_engine::store::contract::run(&store).await;
    let whole = azure.store(&azurite.create_container("landfall-whole")).unwrap();
    landfall_engine::store::contract::run(&whole).await;
    assert_eq!(store.describe(), "az://devstoreaccount1/landfall-store/contract/folder");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_container_that_nobody_made_is_said_to_be_missing() {
    let azurite = Azurite::start();
    let azure = Azure::loopback_with_storage(NOBODY, azurite.blob()).unwrap();
    let store = azure.store("az://devstoreaccount1/nobody-made-it").unwrap();
    let key = Key::parse("tenants/a").unwrap();
    let refused = store.create(&key, "x".into()).await;
    assert!(
        matches!(&refused, Err(StoreError::NoSuchStore { store, .. }) if store == "az://devstoreaccount1/nobody-made-it"),
        "{refused:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bundle_is_fetched_whole_or_said_to_be_missing() {
    let azurite = Azurite::start();
    let azure = Azure::loopback_with_storage(NOBODY, azurite.blob()).unwrap();
    let container = azurite.create_container("landfall");
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let bundle = azurite.put("landfall", "manifests/bundle.json", &bytes);
    assert_eq!(azure.fetch(&bundle).await.unwrap(), bytes);

    let missing = azure.fetch(&format!("{container}/manifests/bundle.statement.json")).await;
    assert!(matches!(missing, Err(BlobError::Fetch(FetchError::Missing { .. }))), "{missing:?}");
    let missing = azure.fetch("az://devstoreaccount1/nobody-made-it/bundle.json").await;
    assert!(matches!(missing, Err(BlobError::Fetch(FetchError::Missing { .. }))), "{missing:?}");
    for no_blob in [&*container, &format!("{container}/")] {
        let refused = azure.fetch(no_blob).await;
        assert!(matches!(refused, Err(BlobError::Address(_))), "{refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_queue_keeps_its_contract() {
    let azurite = Azurite::start();
    let azure = Azure::loopback_with_storage(NOBODY, azurite.blob()).unwrap();
    let (visibility, delay) = (Duration::from_secs(2), Duration::from_secs(1));
    let rules = landfall_engine::queue::contract::Rules { visibility, delay, max_receives: 2 };
    let queue = azure.queue(&azurite.create_queue("landfall-contract")).unwrap().with_rules(visibility, 2);
    landfall_engine::queue::contract::run(&queue, &rules).await;
}

/// The Functions host and this crate read each other's messages: base64 in both directions, and the dead in the queue that the host
/// would put them into.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_lie_in_the_queue_as_the_functions_host_reads_them() {
    let azurite = Azurite::start();
    let azure = Azure::loopback_with_storage(NOBODY, azurite.blob()).unwrap();
    let queue = azure.queue(&azurite.create_queue("work")).unwrap().with_rules(Duration::from_secs(60), 1);

    queue.send("{\"sweep\":\"s\"}", Duration::ZERO).await.unwrap();
    let lying = azurite.peek("work");
    assert!(lying.contains("<MessageText>eyJzd2VlcCI6InMifQ==</MessageText>"), "{lying}");
    assert!(lying.contains("<ExpirationTime>Fri, 31 Dec 9999 23:59:59 GMT</ExpirationTime>"), "{lying}");

    // One delivery is allowed: the next time somebody asks, it is dead, and there it reads the same.
    let received = queue.receive(100).await.unwrap();
    assert_eq!(received.len(), 1);
    queue.retry(&received[0].receipt, Duration::ZERO).await.unwrap();
    assert_eq!(
        queue.dead().await.unwrap(),
        Vec::<String>::new(),
        "nobody has died, and the queue of the dead is not there"
    );
    assert_eq!(queue.receive(100).await.unwrap(), []);
    assert_eq!(queue.dead().await.unwrap(), ["{\"sweep\":\"s\"}"]);
    assert!(azurite.peek("work-poison").contains("<MessageText>eyJzd2VlcCI6InMifQ==</MessageText>"));
    assert!(!azurite.peek("work").contains("MessageText"));

    // Somebody typed a message into the portal without encoding it.
    azurite.post("work", "{&quot;sweep&quot;:&quot;t&quot;}");
    let received = queue.receive(100).await.unwrap();
    assert_eq!(received[0].body, "{\"sweep\":\"t\"}");
    queue.done(&received[0].receipt).await.unwrap();

    // More than one call gives.
    for number in 0..70 {
        queue.send(&number.to_string(), Duration::ZERO).await.unwrap();
    }
    assert_eq!(queue.receive(100).await.unwrap().len(), 70);
    // What no receipt of ours looks like is over, whoever made it.
    for receipt in ["", "x", "x y"] {
        queue.done(receipt).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_that_nobody_made_is_said_to_be_missing() {
    let azurite = Azurite::start();
    let azure = Azure::loopback_with_storage(NOBODY, azurite.blob()).unwrap();
    let url = azurite.queue_url("nobody-made-it");
    let queue = azure.queue(&url).unwrap();
    for refused in [
        queue.send("x", Duration::ZERO).await,
        queue.receive(1).await.map(drop),
        queue.next_due().await.map(drop),
    ] {
        assert!(
            matches!(&refused, Err(QueueError::NoSuchQueue { queue, .. }) if *queue == url),
            "{refused:?}"
        );
    }
}

/// A directory of so many subscriptions, all but the first named by the manifest.
fn directory(subscriptions: usize) -> String {
    let mut text = r#"
landfall: 1
organization: acme
clouds:
  azure: { directory: 8f0c1a52-0000-4000-8000-000000000001, root: acme, locations: [westeurope],
           controller-subscription: 3f2c0000-0000-4000-8000-000000000001 }
contacts:
  security: { email: security@acme.example, phone: "+49 30 1" }
  operations: ops@acme.example
  billing: billing@acme.example
limits: { changes: 100, deletions: 4, tenants: 50 }
environments: [production]
units: { workloads: { landing-zone: standard } }
teams: { payments: {} }
controls:
  tagged: { control: tags }
  reachable: { control: security-contacts }
landing-zones:
  standard: { version: 1, controls: [tagged, reachable] }
projects:
  checkout:
    team: payments
    cost-center: "4711"
    tenants:
"#
    .to_owned();
    for number in 2..=subscriptions {
        let id = subscription(number);
        writeln!(text, "      - {{ azure: {id}, unit: workloads, environment: production }}").unwrap();
    }
    text + "intake:\n  - { otherwise: stay-gated }\n"
}

fn subscription(number: usize) -> String {
    format!("3f2c0000-0000-4000-8000-{number:012}")
}

/// A process of its own, as far as anybody outside can tell: connections, tokens, store and queue are its own.
async fn process(
    simulator: &AzureSimulator,
    azurite: &Azurite,
    manifest_text: &str,
) -> (Engine, Arc<StorageQueue>) {
    let azure = Azure::loopback_with_storage(&simulator.url(), azurite.blob()).unwrap();
    let manifest = manifest(manifest_text);
    let (name, cloud) = manifest.clouds.iter().next().unwrap();
    let Cloud::Azure(ground) = cloud else { panic!("the manifest is of Azure") };
    let cloud = Arc::new(AzureOrganization::new(&azure, name.clone(), ground.clone()).unwrap());
    let store = Arc::new(azure.store("az://devstoreaccount1/landfall/store").unwrap());
    let bundle = Bundle::build(manifest.clone()).unwrap();
    let trusted = trust(&*store, bundle, None, None, Footing::Loopback, Timestamp::now()).await.unwrap();
    let queue = azure.queue(&azurite.queue_url("work")).unwrap().with_rules(Duration::from_secs(10), 5);
    let queue = Arc::new(queue);
    let engine = Engine {
        store,
        queue: queue.clone(),
        cloud: cloud.clone(),
        hands: cloud,
        trusted,
        clock: Arc::new(SystemClock),
        dice: Arc::new(SystemDice),
        limits: None,
    };
    (engine, queue)
}

fn deadline() -> Deadline {
    Deadline(Timestamp::now() + SignedDuration::from_mins(5))
}

/// Works off what is due, and says how many messages that were.
async fn work_off(engine: &Engine, queue: &StorageQueue) -> u32 {
    let mut done = 0;
    loop {
        let received = queue.receive(3).await.unwrap();
        if received.is_empty() {
            return done;
        }
        for message in received {
            work::perform(engine, &work::read(&message.body).unwrap(), deadline()).await.unwrap();
            queue.done(&message.receipt).await.unwrap();
            done += 1;
        }
    }
}

/// Works until nothing is left in the queue, now or later.
async fn drain((engine, queue): (Engine, Arc<StorageQueue>)) -> u32 {
    let mut done = 0;
    let until = Timestamp::now() + SignedDuration::from_mins(3);
    while queue.next_due().await.unwrap().is_some() {
        assert!(Timestamp::now() < until, "the queue is not drained");
        done += work_off(&engine, &queue).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    done
}

/// A sweep whose store and queue are Azurite's: two processes share its work, and a third dies with what it had received.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_work_off_a_sweep_that_a_third_dies_of() {
    const SUBSCRIPTIONS: usize = 12;
    let azurite = Azurite::start();
    azurite.create_container("landfall");
    azurite.create_queue("work");
    let mut world = AzureWorld::sample(SUBSCRIPTIONS);
    for number in 1..=SUBSCRIPTIONS {
        // Registering it takes the cloud seconds, and is not what this is about.
        world.subscription_mut(&subscription(number)).unwrap().register("Microsoft.Security");
    }
    let options = AzureOptions { world: Some(world), ..AzureOptions::default() };
    let simulator = AzureSimulator::start(options).unwrap();
    let text = directory(SUBSCRIPTIONS);

    let first = process(&simulator, &azurite, &text).await;
    let second = process(&simulator, &azurite, &text).await;
    let third = process(&simulator, &azurite, &text).await;
    let id = sweep::begin(&first.0, None, deadline()).await.unwrap();
    assert_eq!(third.1.receive(2).await.unwrap().len(), 2);
    drop(third);

    let (one, two) = tokio::join!(tokio::spawn(drain(first.clone())), tokio::spawn(drain(second.clone())));
    let ((first, queue), (second, _)) = (first, second);
    let (one, two) = (one.unwrap(), two.unwrap());
    assert!(one > 1 && two > 1, "both had their share: {one} and {two}");
    let closed = sweep::closed(&first, &id).await.unwrap().unwrap();
    assert!(closed.complete && closed.unknown.is_empty(), "{closed:#?}");
    // The organization is a target of its own.
    assert_eq!(closed.done as usize, SUBSCRIPTIONS + 1, "{closed:#?}");
    assert!(closed.changes > 0, "{closed:#?}");
    assert_eq!(queue.dead().await.unwrap(), Vec::<String>::new());

    // What came of it is in the cloud, and in the store for whoever comes next.
    let tagged: BTreeSet<String> = simulator
        .calls()
        .into_iter()
        .filter(|call| {
            call.method != "GET" && call.path.contains("/providers/Microsoft.Resources/tags/default")
        })
        .map(|call| call.path.split('/').nth(2).unwrap_or_default().to_owned())
        .collect();
    assert_eq!(tagged, (2..=SUBSCRIPTIONS).map(subscription).collect());
    for number in 1..=SUBSCRIPTIONS {
        let target = Target::Tenant(TenantId::new(Provider::Azure, &subscription(number)).unwrap());
        let verified = history::verify(&*second.store, &target).await.unwrap();
        assert_eq!((verified.broken, verified.open), (None, 0), "{target}");
    }

    // The next sweep finds nothing to do. Its close is not waited for.
    let id = sweep::begin(&second, None, deadline()).await.unwrap();
    work_off(&second, &queue).await;
    work::perform(&second, &Work::Close { sweep: id.clone() }, deadline()).await.unwrap();
    let closed = sweep::closed(&second, &id).await.unwrap().unwrap();
    assert_eq!((closed.changes, closed.unknown.len()), (0, 0), "{closed:#?}");
}
