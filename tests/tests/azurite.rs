//! The store and the queue on Azurite, an Azure Storage that nobody here wrote.

use std::time::Duration;

use landfall_azure::{Azure, BlobError};
use landfall_engine::queue::{Queue as _, QueueError};
use landfall_engine::store::{Key, Store as _, StoreError};
use landfall_tests::azurite::Azurite;

/// Nothing in these tests asks a Resource Manager.
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
    assert!(matches!(missing, Err(BlobError::Missing { .. })), "{missing:?}");
    let missing = azure.fetch("az://devstoreaccount1/nobody-made-it/bundle.json").await;
    assert!(matches!(missing, Err(BlobError::Missing { .. })), "{missing:?}");
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
