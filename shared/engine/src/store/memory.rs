//! A store in memory: for tests and the demo, gone with the process.

use super::{Key, Range, Store, StoreError, Stored, Version};
use async_trait::async_trait;
use bytes::Bytes;
use std::collections::{BTreeMap, btree_map::Entry};
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Debug, Default)]
pub struct MemoryStore {
    records: Mutex<BTreeMap<Key, Record>>,
}

#[derive(Debug)]
struct Record {
    writings: u64,
    bytes: Bytes,
}

impl MemoryStore {
    pub fn new() -> MemoryStore {
        MemoryStore::default()
    }

    // Each change is one insertion or assignment, so the map is whole even after a panic elsewhere.
    fn records(&self) -> MutexGuard<'_, BTreeMap<Key, Record>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn get(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        Ok(self.records().get(key).map(|Record { writings, bytes }| Stored {
            bytes: bytes.clone(),
            version: Version::counted(writings),
        }))
    }

    async fn create(&self, key: &Key, bytes: Bytes) -> Result<Version, StoreError> {
        match self.records().entry(key.clone()) {
            Entry::Occupied(_) => Err(StoreError::Conflict { key: key.clone() }),
            Entry::Vacant(free) => {
                free.insert(Record { writings: 1, bytes });
                Ok(Version::counted(1))
            }
        }
    }

    async fn update(&self, key: &Key, bytes: Bytes, seen: &Version) -> Result<Version, StoreError> {
        match self.records().get_mut(key) {
            Some(record) if Version::counted(record.writings) == *seen => {
                record.writings += 1;
                record.bytes = bytes;
                Ok(Version::counted(record.writings))
            }
            Some(_) | None => Err(StoreError::Conflict { key: key.clone() }),
        }
    }

    async fn list(&self, prefix: &str, after: Option<&Key>, limit: usize) -> Result<Vec<Key>, StoreError> {
        let range = Range::new(prefix, after)?;
        Ok(self.records().keys().filter(|key| range.holds(key.as_str())).take(limit).cloned().collect())
    }

    fn describe(&self) -> String {
        "memory:".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::contract;

    #[tokio::test]
    async fn keeps_the_contract() {
        contract::run(&MemoryStore::new()).await;
    }
}
