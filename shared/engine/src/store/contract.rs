//! What every store must do, as named situations that a backend's tests run.
//!
//! [`run`] plays all of them below a fresh random prefix, so it also works on a bucket that already holds
//! something; each situation is public, to run one alone while looking for a mistake. A broken promise panics
//! with the name of the situation in the backtrace and what was expected in the message.
#![expect(
    clippy::expect_used,
    reason = "a contract suite is a test; it lives here so that other crates can run it"
)]

use super::{Key, Store, StoreError, StoreExt, Version};
use bytes::Bytes;
use futures_util::future::join_all;
use ring::rand::{SecureRandom, SystemRandom};
use std::fmt::Write;

/// How many writers race for one record: more than a worker ever runs at once.
const WRITERS: u64 = 32;
/// A plan of a large organization, and far above the page size of any backend.
const LARGE: usize = 1024 * 1024;

/// Plays every situation.
pub async fn run(store: &dyn Store) {
    let mut random = [0; 8];
    SystemRandom::new().fill(&mut random).expect("random bytes for a prefix");
    let root = random.iter().fold("contract/".to_owned(), |mut root, byte| {
        write!(root, "{byte:02x}").expect("writing to a string");
        root
    });

    a_missing_record_is_none(store, &format!("{root}/missing")).await;
    what_was_written_is_read(store, &format!("{root}/written")).await;
    a_second_create_conflicts(store, &format!("{root}/twice")).await;
    an_update_needs_the_latest_version(store, &format!("{root}/stale")).await;
    an_update_of_a_missing_record_conflicts(store, &format!("{root}/update-missing")).await;
    the_version_that_was_read_is_the_one_that_was_written(store, &format!("{root}/version")).await;
    an_empty_record_is_not_a_missing_one(store, &format!("{root}/empty")).await;
    a_large_record_comes_back_whole(store, &format!("{root}/large")).await;
    any_bytes_come_back_unchanged(store, &format!("{root}/bytes")).await;
    records_with_similar_keys_are_kept_apart(store, &format!("{root}/similar")).await;
    a_record_may_lie_below_another(store, &format!("{root}/nested")).await;
    a_list_is_in_order_of_the_bytes(store, &format!("{root}/order")).await;
    a_list_stops_at_whole_segments(store, &format!("{root}/boundary")).await;
    a_list_continues_after_a_key(store, &format!("{root}/after")).await;
    a_list_can_be_paged_without_gaps(store, &format!("{root}/pages")).await;
    a_list_of_nothing_is_empty(store, &format!("{root}/nothing")).await;
    of_many_creators_one_wins(store, &format!("{root}/creators")).await;
    no_increment_is_lost(store, &format!("{root}/increments")).await;
    values_are_json(store, &format!("{root}/json")).await;
    assert!(!store.describe().is_empty(), "a store says where it is");
}

pub async fn a_missing_record_is_none(store: &dyn Store, root: &str) {
    assert_eq!(store.get(&key(root, "a")).await.expect("get"), None);
    create(store, &key(root, "a/b"), "below").await;
    assert_eq!(store.get(&key(root, "a")).await.expect("get"), None, "a folder is not a record");
}

pub async fn what_was_written_is_read(store: &dyn Store, root: &str) {
    let key = key(root, "a");
    let first = create(store, &key, "one").await;
    assert_eq!(text(store, &key).await, "one");
    let second = store.update(&key, Bytes::from("two"), &first).await.expect("update of what was created");
    assert_eq!(text(store, &key).await, "two");
    store.update(&key, Bytes::from("three"), &second).await.expect("update of what was updated");
    assert_eq!(text(store, &key).await, "three");
}

pub async fn a_second_create_conflicts(store: &dyn Store, root: &str) {
    let key = key(root, "a");
    create(store, &key, "first").await;
    conflicts(&key, store.create(&key, Bytes::from("second")).await);
    conflicts(&key, store.create(&key, Bytes::from("first")).await);
    assert_eq!(text(store, &key).await, "first");
}

pub async fn an_update_needs_the_latest_version(store: &dyn Store, root: &str) {
    let key = key(root, "a");
    let first = create(store, &key, "one").await;
    let second = store.update(&key, Bytes::from("two"), &first).await.expect("update");
    assert_ne!(first, second, "each writing has its own version");
    conflicts(&key, store.update(&key, Bytes::from("late"), &first).await);
    conflicts(&key, store.update(&key, Bytes::from("two"), &first).await);
    assert_eq!(text(store, &key).await, "two");
    store.update(&key, Bytes::from("three"), &second).await.expect("a conflict of another changes nothing");
}

pub async fn an_update_of_a_missing_record_conflicts(store: &dyn Store, root: &str) {
    let seen = create(store, &key(root, "a"), "one").await;
    let missing = key(root, "b");
    conflicts(&missing, store.update(&missing, Bytes::from("two"), &seen).await);
    assert_eq!(store.get(&missing).await.expect("get"), None);
}

pub async fn the_version_that_was_read_is_the_one_that_was_written(store: &dyn Store, root: &str) {
    let key = key(root, "a");
    create(store, &key, "one").await;
    let read = store.get(&key).await.expect("get").expect("record").version;
    assert_eq!(store.get(&key).await.expect("get").expect("record").version, read, "reading moves nothing");
    let written =
        store.update(&key, Bytes::from("two"), &read).await.expect("update with a version from a read");
    let read = store.get(&key).await.expect("get").expect("record").version;
    store.update(&key, Bytes::from("three"), &read).await.expect("update with the next version from a read");
    conflicts(&key, store.update(&key, Bytes::from("four"), &written).await);
}

pub async fn an_empty_record_is_not_a_missing_one(store: &dyn Store, root: &str) {
    let key = key(root, "a");
    let seen = store.create(&key, Bytes::new()).await.expect("create an empty record");
    assert_eq!(text(store, &key).await, "");
    conflicts(&key, store.create(&key, Bytes::from("x")).await);
    let seen = store.update(&key, Bytes::from("x"), &seen).await.expect("fill an empty record");
    store.update(&key, Bytes::new(), &seen).await.expect("empty a record");
    assert_eq!(text(store, &key).await, "");
}

pub async fn a_large_record_comes_back_whole(store: &dyn Store, root: &str) {
    let key = key(root, "a");
    // A period that divides no page size shows pieces that were lost or swapped.
    let large: Bytes = (0..LARGE).map(|i| u8::try_from(i % 251).unwrap_or_default()).collect();
    let seen = store.create(&key, large.clone()).await.expect("create a large record");
    assert!(store.get(&key).await.expect("get").expect("record").bytes == large, "1 MiB came back unchanged");
    let larger: Bytes = large.iter().rev().chain(large.iter()).copied().collect();
    store.update(&key, larger.clone(), &seen).await.expect("update a large record");
    assert!(
        store.get(&key).await.expect("get").expect("record").bytes == larger,
        "2 MiB came back unchanged"
    );
}

pub async fn any_bytes_come_back_unchanged(store: &dyn Store, root: &str) {
    let all: Bytes = (0..=u8::MAX).collect();
    for (name, bytes) in
        [("all", all), ("nul", Bytes::from_static(b"\0")), ("crlf", Bytes::from_static(b"a\r\n\r\nb\n"))]
    {
        let key = key(root, name);
        store.create(&key, bytes.clone()).await.expect("create");
        assert_eq!(store.get(&key).await.expect("get").expect("record").bytes, bytes, "{name}");
    }
}

pub async fn records_with_similar_keys_are_kept_apart(store: &dyn Store, root: &str) {
    let names =
        ["a", "A", "a-b", "a.b", "a_b", "ab", "a0b", "0", "00", "1", "01", ".a", "-a", "a/b", "a/B", "a/b/c"];
    for name in names {
        create(store, &key(root, name), name).await;
    }
    for name in names {
        assert_eq!(text(store, &key(root, name)).await, name);
    }
}

pub async fn a_record_may_lie_below_another(store: &dyn Store, root: &str) {
    // The sweep is such a record: `sweeps/7`, with `sweeps/7/done/…` below it.
    create(store, &key(root, "7"), "sweep").await;
    create(store, &key(root, "7/done/a"), "done").await;
    assert_eq!(text(store, &key(root, "7")).await, "sweep");
    lists(store, root, "7", None, 9, &["7/done/a"]).await;
    lists(store, root, "", None, 9, &["7", "7/done/a"]).await;
}

pub async fn a_list_is_in_order_of_the_bytes(store: &dyn Store, root: &str) {
    for name in ["b", "a/b", "a-b", "a.b", "a", "a/B", "a0", "a_b", "A", "10", "9"] {
        create(store, &key(root, name), name).await;
    }
    lists(store, root, "", None, 99, &["10", "9", "A", "a", "a-b", "a.b", "a/B", "a/b", "a0", "a_b", "b"])
        .await;
    lists(store, root, "", None, 5, &["10", "9", "A", "a", "a-b"]).await;
}

pub async fn a_list_stops_at_whole_segments(store: &dyn Store, root: &str) {
    for name in ["a/b", "a/b/c", "a/b/c/d", "a/bc", "a/b-c/d", "a/b.c", "a/b0", "a", "ab/b/c"] {
        create(store, &key(root, name), name).await;
    }
    for prefix in ["a/b", "a/b/"] {
        lists(store, root, prefix, None, 99, &["a/b/c", "a/b/c/d"]).await;
    }
    lists(store, root, "a/", None, 99, &["a/b", "a/b-c/d", "a/b.c", "a/b/c", "a/b/c/d", "a/b0", "a/bc"])
        .await;
}

pub async fn a_list_continues_after_a_key(store: &dyn Store, root: &str) {
    for name in ["a/1", "a/2", "a/3", "b/1"] {
        create(store, &key(root, name), name).await;
    }
    let table: &[(&str, usize, &[&str])] = &[
        ("a/1", 99, &["a/2", "a/3"]),
        ("a/1", 1, &["a/2"]),
        ("a/2", 99, &["a/3"]),
        ("a/2.5", 99, &["a/3"]),
        ("a/3", 99, &[]),
        ("a", 99, &["a/1", "a/2", "a/3"]),
        ("0", 2, &["a/1", "a/2"]),
        ("b/1", 99, &[]),
    ];
    for (after, limit, expected) in table {
        lists(store, root, "a/", Some(after), *limit, expected).await;
    }
}

pub async fn a_list_can_be_paged_without_gaps(store: &dyn Store, root: &str) {
    let all: Vec<Key> = (0..23).map(|n| key(root, &format!("{n:020}"))).collect();
    for key in all.iter().rev() {
        create(store, key, "x").await;
    }
    let mut listed: Vec<Key> = Vec::new();
    loop {
        let page = store.list(root, listed.last(), 5).await.expect("list");
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 5, "a page of {} where 5 were asked for", page.len());
        listed.extend(page);
    }
    assert_eq!(listed, all);
}

pub async fn a_list_of_nothing_is_empty(store: &dyn Store, root: &str) {
    lists(store, root, "", None, 9, &[]).await;
    create(store, &key(root, "a/b"), "x").await;
    lists(store, root, "a/b", None, 9, &[]).await;
    lists(store, root, "a", None, 0, &[]).await;
}

pub async fn of_many_creators_one_wins(store: &dyn Store, root: &str) {
    let key = key(root, "lease");
    let key = &key;
    let outcomes = join_all((0..WRITERS).map(|writer| async move {
        tokio::task::yield_now().await;
        match store.create(key, Bytes::from(writer.to_string())).await {
            Ok(_) => Some(writer.to_string()),
            lost => {
                conflicts(key, lost);
                None
            }
        }
    }))
    .await;
    let winners: Vec<String> = outcomes.into_iter().flatten().collect();
    assert_eq!(winners, [text(store, key).await], "one creator wins, and it is the one that is stored");
}

pub async fn no_increment_is_lost(store: &dyn Store, root: &str) {
    let key = key(root, "counter");
    let key = &key;
    store.create_json(key, &0_u64).await.expect("create the counter");
    join_all((0..WRITERS).map(|_| async move {
        loop {
            let (count, seen) = store.read::<u64>(key).await.expect("read").expect("the counter is there");
            // Lets the others read the same version, also on stores that answer at once.
            tokio::task::yield_now().await;
            match store.update_json(key, &(count + 1), &seen).await {
                Ok(_) => break,
                lost => conflicts(key, lost),
            }
        }
    }))
    .await;
    assert_eq!(store.read::<u64>(key).await.expect("read").map(|(count, _)| count), Some(WRITERS));
}

pub async fn values_are_json(store: &dyn Store, root: &str) {
    let key = key(root, "a");
    let seen = store.create_json(&key, &["é", "\u{1f600}", "\n"]).await.expect("create");
    assert_eq!(text(store, &key).await, "[\"é\",\"\u{1f600}\",\"\\n\"]");
    let (value, read) = store.read::<Vec<String>>(&key).await.expect("read").expect("record");
    assert_eq!(value, ["é", "\u{1f600}", "\n"]);
    store.update_json(&key, &(), &read).await.expect("update");
    conflicts(&key, store.update_json(&key, &1, &seen).await);
    let unreadable = store.read::<u64>(&key).await;
    assert!(matches!(&unreadable, Err(StoreError::Unreadable { key: k, .. }) if *k == key), "{unreadable:?}");
}

fn key(root: &str, name: &str) -> Key {
    Key::parse(&format!("{root}/{name}")).expect("a key of the suite")
}

async fn create(store: &dyn Store, key: &Key, value: &str) -> Version {
    store
        .create(key, Bytes::copy_from_slice(value.as_bytes()))
        .await
        .expect("create a record that isn't there")
}

async fn text(store: &dyn Store, key: &Key) -> String {
    let stored = store.get(key).await.expect("get").expect("the record is there");
    String::from_utf8(stored.bytes.to_vec()).expect("the suite's text")
}

async fn lists(
    store: &dyn Store,
    root: &str,
    prefix: &str,
    after: Option<&str>,
    limit: usize,
    expected: &[&str],
) {
    let below = if prefix.is_empty() { root.to_owned() } else { format!("{root}/{prefix}") };
    let after = after.map(|after| key(root, after));
    let listed = store.list(&below, after.as_ref(), limit).await.expect("list");
    let expected: Vec<Key> = expected.iter().map(|name| key(root, name)).collect();
    assert_eq!(listed, expected, "below `{below}` after {after:?}, at most {limit}");
}

#[track_caller]
fn conflicts(key: &Key, outcome: Result<Version, StoreError>) {
    assert!(
        matches!(&outcome, Err(StoreError::Conflict { key: named }) if named == key),
        "expected a conflict on `{key}`, got {outcome:?}"
    );
}
