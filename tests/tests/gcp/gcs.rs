//! The store on fake-gcs-server, a Cloud Storage that nobody here wrote.

use landfall_engine::store::fetch::FetchError;
use landfall_engine::store::{Key, Store as _, StoreError};
use landfall_gcp::{BucketError, Gcp};
use landfall_tests::gcs::Gcs;

/// Where nobody listens: what is only about storage asks no API.
const NOBODY: &str = "http://127.0.0.1:9";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_store_keeps_its_contract() {
    let gcs = Gcs::start();
    let gcp = Gcp::loopback_with_storage(NOBODY, gcs.url()).unwrap();
    let bucket = gcs.create_bucket("acme-landfall-store");
    // In a folder of a bucket, and in the whole of another.
    let store = gcp.store(&format!("{bucket}/contract/folder")).await.unwrap();
    landfall_engine::store::contract::run(&store).await;
    let whole = gcp.store(&gcs.create_bucket("acme-landfall-whole")).await.unwrap();
    landfall_engine::store::contract::run(&whole).await;
    assert_eq!(store.describe(), "gs://acme-landfall-store/contract/folder");
}

/// Cloud Storage compares generations, so a version that was kept and read again must still have one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_has_the_generation_by_which_a_lost_race_is_told() {
    let gcs = Gcs::start();
    let gcp = Gcp::loopback_with_storage(NOBODY, gcs.url()).unwrap();
    let store = gcp.store(&gcs.create_bucket("acme-landfall")).await.unwrap();
    let key = Key::parse("tenants/gcp/acme-checkout-prod").unwrap();
    let first = store.create(&key, "one".into()).await.unwrap();
    let told = format!("{first:?}");
    let generation = told.split_once("version: Some(\"").and_then(|(_, rest)| rest.split_once('"'));
    assert!(generation.is_some_and(|(number, _)| number.parse::<u64>().is_ok()), "{told}");
    let read = store.get(&key).await.unwrap().unwrap().version;
    assert!(generation.is_some_and(|(number, _)| format!("{read:?}").contains(number)), "{read:?}");
    store.update(&key, "two".into(), &first).await.unwrap();
    let lost = store.update(&key, "late".into(), &first).await;
    assert!(matches!(&lost, Err(StoreError::Conflict { key: named }) if *named == key), "{lost:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_that_nobody_made_is_said_to_be_missing() {
    let gcs = Gcs::start();
    let gcp = Gcp::loopback_with_storage(NOBODY, gcs.url()).unwrap();
    let store = gcp.store("gs://nobody-made-it").await.unwrap();
    let refused = store.create(&Key::parse("tenants/a").unwrap(), "x".into()).await;
    assert!(
        matches!(&refused, Err(StoreError::NoSuchStore { store, .. }) if store == "gs://nobody-made-it"),
        "{refused:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bundle_is_fetched_whole_or_said_to_be_missing() {
    let gcs = Gcs::start();
    let gcp = Gcp::loopback_with_storage(NOBODY, gcs.url()).unwrap();
    let bucket = gcs.create_bucket("acme-landfall");
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let bundle = gcs.put("acme-landfall", "manifests/bundle.json", &bytes);
    assert_eq!(gcp.fetch(&bundle).await.unwrap(), bytes);

    let missing = gcp.fetch(&format!("{bucket}/manifests/bundle.statement.json")).await;
    assert!(matches!(missing, Err(BucketError::Fetch(FetchError::Missing { .. }))), "{missing:?}");
    let missing = gcp.fetch("gs://nobody-made-it/bundle.json").await;
    assert!(matches!(missing, Err(BucketError::Fetch(FetchError::Missing { .. }))), "{missing:?}");
    for no_object in [&*bucket, &format!("{bucket}/")] {
        let refused = gcp.fetch(no_object).await;
        assert!(matches!(refused, Err(BucketError::Address(_))), "{refused:?}");
    }
}
