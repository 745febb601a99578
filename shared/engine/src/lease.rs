//! Whoever writes to a target holds its lease: one record, changed by compare-and-swap, that expires by itself.
//!
//! **Expected flow.** [`take`] writes run and end into the record; [`Held::save`] keeps it alive before each stage; [`Held::let_go`]
//! ends it. Who comes meanwhile marks the record dirty and leaves; the holder then runs again before it lets go.
//!
//! **Guarantees.** At most one run passes `save` at any time. A mark is never lost: it is set and cleared by the same
//! compare-and-swap. A crash leaves a lease that ends, and everybody who came meanwhile sends a message that arrives after its end.
//!
//! **Assumes** clocks that differ by less than [`SKEW`].

use jiff::{SignedDuration, Timestamp};

use landfall_model::id::RunId;
use landfall_model::record::{Lease, Record};
use landfall_model::target::Target;

use crate::engine::{Deadline, Engine, EngineError};
use crate::keys;
use crate::store::{Store, StoreError, StoreExt as _, Version};

/// A lease lasts this long unless it is renewed; every stage renews it. Longer than a stage takes, short enough that a crash
/// holds nobody up for long.
pub const TERM: SignedDuration = SignedDuration::from_secs(120);

/// How far the clocks of two functions may differ.
pub const SKEW: SignedDuration = SignedDuration::from_secs(2);

/// What came of asking for a lease.
#[derive(Debug)]
pub enum Taken {
    /// It is ours.
    Held(Box<Held>),
    /// Another run holds it. The record is marked dirty, so that run will look again.
    Busy {
        /// Who holds it.
        run: RunId,
        /// Until when at most: somebody has to come back then, in case the holder is dead.
        until: Timestamp,
    },
}

/// A lease that is held, and the record that holds it.
#[derive(Debug)]
pub struct Held {
    /// The record as it will be saved next.
    pub record: Record,
    run: RunId,
    version: Version,
    deadline: Deadline,
}

/// Asks for the lease on a target.
pub async fn take(
    engine: &Engine,
    target: &Target,
    run: &RunId,
    deadline: Deadline,
) -> Result<Taken, EngineError> {
    let key = keys::record(target)?;
    loop {
        let now = engine.clock.now();
        let (mut record, version) = match engine.store.read::<Record>(&key).await? {
            Some((record, version)) => (record, Some(version)),
            None => (Record::new(target.clone(), run), None),
        };
        if let Some(lease) = record.holder(now - SKEW).cloned() {
            if !record.dirty {
                record.dirty = true;
                match write(engine, &record, run, version.as_ref()).await {
                    Ok(_) => {}
                    Err(StoreError::Conflict { .. }) => continue,
                    Err(error) => return Err(error.into()),
                }
            }
            return Ok(Taken::Busy { run: lease.run, until: lease.until });
        }
        record.dirty = false;
        record.lease = Some(Lease { run: run.clone(), until: until(now, deadline) });
        match write(engine, &record, run, version.as_ref()).await {
            Ok((record, version)) => {
                return Ok(Taken::Held(Box::new(Held { record, run: run.clone(), version, deadline })));
            }
            Err(StoreError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn until(now: Timestamp, deadline: Deadline) -> Timestamp {
    (now + TERM).min(deadline.0 + SKEW)
}

/// Writes the record with a new turn, so that no two writings are the same bytes.
async fn write(
    engine: &Engine,
    record: &Record,
    run: &RunId,
    seen: Option<&Version>,
) -> Result<(Record, Version), StoreError> {
    let mut record = record.clone();
    record.writer = run.clone();
    record.turn += 1;
    let key = keys::record(&record.target)
        .map_err(|source| StoreError::Prefix { prefix: record.target.to_string(), source })?;
    let version = match seen {
        Some(seen) => engine.store.update_json(&key, &record, seen).await?,
        None => engine.store.create_json(&key, &record).await?,
    };
    Ok((record, version))
}

impl Held {
    /// The run that holds it.
    pub const fn run(&self) -> &RunId {
        &self.run
    }

    /// Saves the record and renews the lease. Fails when the lease went to another run.
    pub async fn save(&mut self, engine: &Engine) -> Result<(), EngineError> {
        let until = until(engine.clock.now(), self.deadline);
        self.record.lease = Some(Lease { run: self.run.clone(), until });
        self.swap(engine, |_| {}).await
    }

    /// Ends the lease. Answers whether somebody asked meanwhile: then it is still held, and the run has to go round again.
    pub async fn let_go(&mut self, engine: &Engine) -> Result<Again, EngineError> {
        let mut again = Again::No;
        self.swap(engine, |record| {
            again = if record.dirty { Again::Yes } else { Again::No };
            record.dirty = false;
            if again == Again::No {
                record.lease = None;
            }
        })
        .await?;
        Ok(again)
    }

    /// Ends the lease although somebody asked meanwhile; the mark stays. For a run that has no time to go round again and has
    /// left a message for who comes next.
    pub async fn hand_on(&mut self, engine: &Engine) -> Result<(), EngineError> {
        self.swap(engine, |record| {
            record.lease = None;
            record.dirty = true;
        })
        .await
    }

    /// Writes the record; where somebody only marked it dirty meanwhile, takes the mark over and writes again.
    async fn swap(&mut self, engine: &Engine, mut edit: impl FnMut(&mut Record)) -> Result<(), EngineError> {
        let key = keys::record(&self.record.target)?;
        loop {
            let mut next = self.record.clone();
            edit(&mut next);
            match write(engine, &next, &self.run, Some(&self.version)).await {
                Ok((record, version)) => {
                    self.record = record;
                    self.version = version;
                    return Ok(());
                }
                Err(StoreError::Conflict { .. }) => {
                    let there = engine.store.read::<Record>(&key).await?;
                    match there {
                        Some((there, version))
                            if there.lease.as_ref().is_some_and(|lease| lease.run == self.run) =>
                        {
                            self.record.dirty = there.dirty;
                            self.record.turn = there.turn;
                            self.version = version;
                        }
                        _ => {
                            return Err(EngineError::LeaseLost { target: self.record.target.to_string() });
                        }
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Whether a run has to go round again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// Somebody asked meanwhile.
    Yes,
    /// Nobody did.
    No,
}

/// Reads a target's record without asking for its lease.
pub async fn peek(store: &dyn Store, target: &Target) -> Result<Option<Record>, EngineError> {
    Ok(store.read::<Record>(&keys::record(target)?).await?.map(|(record, _)| record))
}
