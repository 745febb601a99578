//! A store in the object storage of a cloud, by conditional puts: no server, and nothing to pay while idle.
//!
//! Takes any [`ObjectStore`]; who builds it chooses credentials, timeouts and retries (lower the default of ten
//! within three minutes). Each put carries a mark that no other put has, as the object's metadata: see
//! `settle` below.

use super::{Key, Range, Store, StoreError, Stored, Version, folder};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, Error as ObjectError, GetResult, ObjectStore, ObjectStoreExt, PutMode, PutOptions,
    UpdateVersion,
};
use ring::rand::{SecureRandom, SystemRandom};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The metadata that holds a put's mark: small letters only, since Blob Storage wants an identifier and headers
/// lose their case.
const MARK: &str = "landfallwrite";

/// Whether the storage lists names in order of their bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// S3 general purpose buckets, Cloud Storage, Blob Storage without hierarchical namespace: a listing ends as
    /// soon as it has enough.
    InOrder,
    /// Everything else (S3 directory buckets, Data Lake): each listing reads all pages, or it could miss keys.
    AnyOrder,
}

/// Records as objects below an optional folder of a bucket or container.
#[derive(Debug)]
pub struct ObjectRecords {
    objects: Arc<dyn ObjectStore>,
    address: String,
    folder: Option<Key>,
    listing: Listing,
    process: u128,
    puts: AtomicU64,
}

impl ObjectRecords {
    /// `address` is what people are shown (`s3://bucket/folder`), so it holds no secret; `folder` is kept in
    /// front of every key, and empty for none.
    pub fn new(
        objects: Arc<dyn ObjectStore>,
        address: impl Into<String>,
        folder: &str,
        listing: Listing,
    ) -> Result<ObjectRecords, StoreError> {
        let address = address.into();
        let mut process = [0; 16];
        SystemRandom::new().fill(&mut process).map_err(|source| StoreError::Unavailable {
            doing: format!("draw a random id for writing to `{address}`"),
            source: source.into(),
        })?;
        Ok(ObjectRecords {
            objects,
            address,
            folder: self::folder(folder)?,
            listing,
            process: u128::from_be_bytes(process),
            puts: AtomicU64::new(0),
        })
    }

    /// The name of an object. Keys and folders hold nothing that object_store would escape.
    fn path(&self, key: &str) -> Path {
        match &self.folder {
            Some(folder) => Path::from(format!("{folder}/{key}")),
            None => Path::from(key),
        }
    }

    async fn put(&self, key: &Key, bytes: Bytes, mode: PutMode) -> Result<Version, StoreError> {
        let path = self.path(key.as_str());
        let mark = format!("{:032x}-{}", self.process, self.puts.fetch_add(1, Ordering::Relaxed));
        let attributes = Attributes::from_iter([(Attribute::Metadata(MARK.into()), mark.clone())]);
        let options = PutOptions { mode, attributes, ..PutOptions::default() };
        match self.objects.put_opts(&path, bytes.into(), options).await {
            Ok(put) => Ok(Version { e_tag: put.e_tag, version: put.version }),
            // Two names for one lost race: the first from a create, the second from an update.
            Err(ObjectError::AlreadyExists { .. } | ObjectError::Precondition { .. }) => {
                self.settle(key, &path, &mark).await
            }
            Err(error) => Err(self.failed(format!("write `{key}`"), error)),
        }
    }

    /// Whose write won, after a put was refused.
    ///
    /// A put whose answer is lost on the way is sent again by the client underneath, and the second one is
    /// refused because of the first: a refusal alone doesn't say that somebody else wrote. So the object is read
    /// again, and only if it carries the mark of this very put has the put happened. Equal bytes prove nothing:
    /// two workers that both counted from 1 to 2 wrote the same. Where metadata is lost the answer is a conflict,
    /// which is always safe, since the caller then reads and decides again.
    async fn settle(&self, key: &Key, path: &Path, mark: &str) -> Result<Version, StoreError> {
        let conflict = || StoreError::Conflict { key: key.clone() };
        match self.objects.get(path).await {
            Ok(found) if mark_of(&found) == Some(mark) => {
                tracing::debug!(key = %key, "a write was refused because it had already happened");
                Ok(version_of(&found))
            }
            Ok(_) | Err(ObjectError::NotFound { .. }) => Err(conflict()),
            Err(error) => Err(self.failed(format!("see whether `{key}` was written"), error)),
        }
    }

    fn failed(&self, doing: String, error: ObjectError) -> StoreError {
        let doing = format!("{doing} in `{}`", self.address);
        if matches!(error, ObjectError::PermissionDenied { .. } | ObjectError::Unauthenticated { .. }) {
            StoreError::Denied { doing, source: error.into() }
        } else if matches!(error, ObjectError::NotFound { .. }) {
            // A missing key is `None` or a conflict before it gets here, so it is the bucket that is missing.
            StoreError::NoSuchStore { store: self.address.clone(), source: error.into() }
        } else {
            StoreError::Unavailable { doing, source: error.into() }
        }
    }

    /// The key of an object, or `None` when it isn't one of ours: people put other things into buckets.
    fn key_of(&self, path: &Path) -> Option<Key> {
        let below = match &self.folder {
            Some(folder) => path.as_ref().strip_prefix(folder.as_str())?.strip_prefix('/')?,
            None => path.as_ref(),
        };
        Key::parse(below).ok()
    }
}

fn version_of(found: &GetResult) -> Version {
    Version { e_tag: found.meta.e_tag.clone(), version: found.meta.version.clone() }
}

fn mark_of(found: &GetResult) -> Option<&str> {
    found.attributes.get(&Attribute::Metadata(MARK.into())).map(AsRef::as_ref)
}

#[async_trait]
impl Store for ObjectRecords {
    async fn get(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        let found = match self.objects.get(&self.path(key.as_str())).await {
            Ok(found) => found,
            Err(ObjectError::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(self.failed(format!("read `{key}`"), error)),
        };
        let version = version_of(&found);
        match found.bytes().await {
            Ok(bytes) => Ok(Some(Stored { bytes, version })),
            Err(error) => Err(self.failed(format!("read `{key}`"), error)),
        }
    }

    async fn create(&self, key: &Key, bytes: Bytes) -> Result<Version, StoreError> {
        self.put(key, bytes, PutMode::Create).await
    }

    async fn update(&self, key: &Key, bytes: Bytes, seen: &Version) -> Result<Version, StoreError> {
        let Version { e_tag, version } = seen.clone();
        self.put(key, bytes, PutMode::Update(UpdateVersion { e_tag, version })).await
    }

    async fn list(&self, prefix: &str, after: Option<&Key>, limit: usize) -> Result<Vec<Key>, StoreError> {
        let range = Range::new(prefix, after)?;
        if limit == 0 {
            return Ok(Vec::new());
        }
        let below = match (folder(prefix)?, &self.folder) {
            (Some(prefix), _) => Some(self.path(prefix.as_str())),
            (None, Some(folder)) => Some(Path::from(folder.as_str())),
            (None, None) => None,
        };
        let mut objects = match after {
            Some(after) => self.objects.list_with_offset(below.as_ref(), &self.path(after.as_str())),
            None => self.objects.list(below.as_ref()),
        };
        // Neither order nor offset nor the prefix's end is left to the storage: the smallest keys in the range
        // are kept, at most `limit` and one of them.
        let mut keys = BTreeSet::new();
        loop {
            let object = match objects.try_next().await {
                Ok(Some(object)) => object,
                Ok(None) => break,
                Err(error) => return Err(self.failed(format!("list `{prefix}`"), error)),
            };
            let Some(key) = self.key_of(&object.location) else {
                tracing::debug!(object = ?object.location.as_ref(), "skipped an object that isn't a record");
                continue;
            };
            if !range.holds(key.as_str()) {
                continue;
            }
            keys.insert(key);
            if keys.len() > limit {
                keys.pop_last();
            }
            if keys.len() == limit && self.listing == Listing::InOrder {
                break;
            }
        }
        Ok(keys.into_iter().collect())
    }

    fn describe(&self) -> String {
        self.address.clone()
    }
}

#[cfg(test)]
mod tests;
