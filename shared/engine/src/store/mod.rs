//! Where runs, leases, plans and histories live: four verbs over versioned records.
//!
//! A store can get a record, create it if it is absent, update it if nobody moved it, and list keys. That is
//! little enough for an embedded file and for the object storage of every cloud, and it is all that leases and
//! append-only histories need. There is no delete: what was recorded stays, so a store may be write-once.
//!
//! | backend | module | feature | for |
//! |---|---|---|---|
//! | memory | [`memory`] | – | tests, the demo |
//! | one file, shared by processes of one machine | `sqlite` | `sqlite` | a desk, one server |
//! | S3, Cloud Storage, Blob Storage | `object` | `object-store` | the functions, the central store |
//!
//! `fetch` brings one object from such storage that is no record, such as a bundle. `contract` is what every backend must do; a new one is finished when it passes.

#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod error;
#[cfg(feature = "object-store")]
pub mod fetch;
mod key;
pub mod memory;
#[cfg(feature = "object-store")]
pub mod object;
#[cfg(feature = "sqlite")]
pub mod sqlite;

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

pub use error::{BoxError, StoreError};
pub use key::{Key, KeyError};

/// Which writing of a record was seen; made by a store, only for handing back to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    // Both are kept, because S3 and Blob Storage compare the tag and Cloud Storage the generation.
    e_tag: Option<String>,
    version: Option<String>,
}

impl Version {
    /// The version of a store that counts writings itself.
    pub(crate) fn counted(number: impl ToString) -> Version {
        Version { e_tag: Some(number.to_string()), version: None }
    }
}

/// A record as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub bytes: Bytes,
    pub version: Version,
}

/// Versioned records under keys, written by compare-and-swap.
///
/// Guarantees of every backend: a successful write is durable and seen by every later read, whoever reads; of
/// several writers that saw the same version exactly one succeeds; a failed write changed nothing, except after
/// [`StoreError::Unavailable`], when it may or may not have happened.
///
/// Assumption: a record never returns to earlier bytes of the same key. S3's version is a hash of the content,
/// so a writer that slept while a record went from A to B and back to A would not be told. Records that move
/// carry a counter or a fresh writer id, which also tells a writer after `Unavailable` whether it was its own.
#[async_trait]
pub trait Store: std::fmt::Debug + Send + Sync {
    /// The record, or `None` when there is none.
    async fn get(&self, key: &Key) -> Result<Option<Stored>, StoreError>;

    /// Writes a record that does not exist yet; [`StoreError::Conflict`] when it does, whatever it holds.
    async fn create(&self, key: &Key, bytes: Bytes) -> Result<Version, StoreError>;

    /// Replaces the record that was `seen`; [`StoreError::Conflict`] when it moved or is missing.
    async fn update(&self, key: &Key, bytes: Bytes, seen: &Version) -> Result<Version, StoreError>;

    /// Keys below a prefix, in order of their bytes, those after `after`, at most `limit`.
    ///
    /// A prefix is whole segments, with or without the last `/`: `a/b` and `a/b/` list `a/b/c`, and neither lists
    /// `a/bc` or `a/b`. The empty prefix lists everything.
    async fn list(&self, prefix: &str, after: Option<&Key>, limit: usize) -> Result<Vec<Key>, StoreError>;

    /// The store's address for people; holds no secret.
    fn describe(&self) -> String;
}

/// Records as JSON, on top of any store.
#[async_trait]
pub trait StoreExt: Store {
    /// The record and its version; [`StoreError::Unreadable`] when it isn't what the caller expects.
    async fn read<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<(T, Version)>, StoreError> {
        let Some(Stored { bytes, version }) = self.get(key).await? else { return Ok(None) };
        match serde_json::from_slice(&bytes) {
            Ok(value) => Ok(Some((value, version))),
            Err(source) => Err(StoreError::Unreadable { key: key.clone(), source }),
        }
    }

    /// [`Store::create`] of a value.
    async fn create_json<T: Serialize + Sync>(&self, key: &Key, value: &T) -> Result<Version, StoreError> {
        let bytes = to_json(key, value)?;
        self.create(key, bytes).await
    }

    /// [`Store::update`] with a value.
    async fn update_json<T: Serialize + Sync>(
        &self,
        key: &Key,
        value: &T,
        seen: &Version,
    ) -> Result<Version, StoreError> {
        let bytes = to_json(key, value)?;
        self.update(key, bytes, seen).await
    }
}

impl<S: Store + ?Sized> StoreExt for S {}

fn to_json<T: Serialize>(key: &Key, value: &T) -> Result<Bytes, StoreError> {
    match serde_json::to_vec(value) {
        Ok(json) => Ok(Bytes::from(json)),
        Err(source) => Err(StoreError::Unwritable { key: key.clone(), source }),
    }
}

/// The keys that a listing may answer with: every one is `> above` and `< below`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Range {
    above: String,
    below: String,
}

impl Range {
    /// Turns a prefix of whole segments and the last key seen into bounds in byte order.
    fn new(prefix: &str, after: Option<&Key>) -> Result<Range, StoreError> {
        let folder = folder(prefix)?;
        let (start, below) = match &folder {
            // Every key is above the empty text and below DEL, which no key may hold.
            None => (String::new(), "\u{7f}".to_owned()),
            // `0` is the character after `/`.
            Some(folder) => (format!("{folder}/"), format!("{folder}0")),
        };
        let above = match after {
            Some(after) if after.as_str() > start.as_str() => after.as_str().to_owned(),
            Some(_) | None => start,
        };
        Ok(Range { above, below })
    }

    fn holds(&self, key: &str) -> bool {
        key > self.above.as_str() && key < self.below.as_str()
    }
}

/// The prefix as whole segments; `None` is the whole store.
fn folder(prefix: &str) -> Result<Option<Key>, StoreError> {
    if prefix.is_empty() {
        return Ok(None);
    }
    let segments = prefix.strip_suffix('/').unwrap_or(prefix);
    match Key::parse(segments) {
        Ok(folder) => Ok(Some(folder)),
        Err(source) => Err(StoreError::Prefix { prefix: prefix.to_owned(), source }),
    }
}

#[cfg(test)]
mod tests {
    use super::{memory::MemoryStore, *};
    use std::collections::BTreeMap;

    #[test]
    fn a_range_holds_what_is_below_the_prefix_and_after_the_offset() {
        // prefix, after, key, held
        let table = [
            ("", None, "a", true),
            ("a/b", None, "a/b/c", true),
            ("a/b/", None, "a/b/c", true),
            ("a/b/", None, "a/b/c/d", true),
            ("a/b/", None, "a/b", false),
            ("a/b", None, "a/b", false),
            ("a/b", None, "a/bc", false),
            ("a/b", None, "a/b-c/d", false),
            ("a/b", None, "a/b.c/d", false),
            ("a/b", None, "a/b0", false),
            ("a/b", Some("a/b/c"), "a/b/c", false),
            ("a/b", Some("a/b/c"), "a/b/d", true),
            ("a/b", Some("a/a"), "a/b/c", true),
            ("a/b", Some("z"), "a/b/c", false),
            ("", Some("a"), "a", false),
            ("", Some("a"), "a/b", true),
        ];
        for (prefix, after, key, held) in table {
            let after = after.map(|a| Key::parse(a).unwrap());
            let range = Range::new(prefix, after.as_ref()).unwrap();
            assert_eq!(range.holds(key), held, "`{key}` below `{prefix}` after {after:?}");
        }
    }

    #[tokio::test]
    async fn a_prefix_that_no_key_can_have_is_refused() {
        let store = MemoryStore::new();
        for prefix in ["/", "a//b", "a/ b", "../a", "a/b//"] {
            let refused = store.list(prefix, None, 9).await;
            assert!(matches!(refused, Err(StoreError::Prefix { .. })), "`{prefix}`: {refused:?}");
        }
    }

    #[tokio::test]
    async fn values_go_in_and_come_out_as_json() {
        let store: &dyn Store = &MemoryStore::new();
        let key = Key::parse("tenants/aws/222222222222").unwrap();
        assert_eq!(store.read::<Vec<u8>>(&key).await.unwrap(), None);

        let first = store.create_json(&key, &vec![1, 2]).await.unwrap();
        assert_eq!(store.get(&key).await.unwrap().unwrap().bytes, "[1,2]");
        let second = store.update_json(&key, &vec![3], &first).await.unwrap();
        assert_eq!(store.read::<Vec<u8>>(&key).await.unwrap(), Some((vec![3], second)));
    }

    #[tokio::test]
    async fn a_record_of_another_shape_is_unreadable_and_names_its_key() {
        let store = MemoryStore::new();
        let key = Key::parse("runs/7").unwrap();
        store.create(&key, Bytes::from_static(b"{\"half\":")).await.unwrap();

        let error = store.read::<BTreeMap<String, u8>>(&key).await.unwrap_err();
        assert_eq!(error.to_string(), "record `runs/7` is not readable");
        assert!(std::error::Error::source(&error).unwrap().to_string().contains("EOF"), "{error:?}");
    }

    #[tokio::test]
    async fn a_value_that_has_no_json_is_unwritable_and_nothing_is_stored() {
        let store = MemoryStore::new();
        let key = Key::parse("runs/7").unwrap();
        let value = BTreeMap::from([((1, 2), 3)]);
        let error = store.create_json(&key, &value).await.unwrap_err();
        assert_eq!(error.to_string(), "record `runs/7` has no JSON form");
        assert_eq!(store.get(&key).await.unwrap(), None);
    }
}
