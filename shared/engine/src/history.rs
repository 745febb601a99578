//! Writes and reads a target's history: the intent before a write to the cloud, the outcome after it.

use landfall_model::id::RunId;
use landfall_model::ledger::{Broken, Chain, Entry, Event};
use landfall_model::observed::{Seen, shows};
use landfall_model::plan::Change;
use landfall_model::record::{Head, Life, Record};
use landfall_model::target::Target;

use crate::engine::{Engine, EngineError};
use crate::keys;
use crate::store::{Key, Store, StoreError, StoreExt as _};

/// Entries read in one listing.
const PAGE: usize = 200;

/// The end of a target's history, to write on.
#[derive(Debug)]
pub struct History {
    target: Target,
    run: RunId,
    chain: Chain,
}

impl History {
    /// Reads what lies beyond the place the record knows: nothing, unless a run before this one crashed or left an intent open.
    pub async fn open(
        engine: &Engine,
        target: &Target,
        run: &RunId,
        known: &Head,
    ) -> Result<Self, EngineError> {
        let mut chain = Chain::from(known.clone());
        read(&*engine.store, target, &mut chain).await?;
        Ok(History { target: target.clone(), run: run.clone(), chain })
    }

    /// The last place at which no intent was open: who comes next reads on from there.
    pub const fn settled(&self) -> &Head {
        self.chain.settled()
    }

    /// Brings a record up to what its history says: a crash may have come between the two. What lies beyond an open intent is read
    /// again by the next run, and says the same then.
    pub fn catch_up(&mut self, record: &mut Record) {
        let (written, lives) = self.chain.take_news();
        for change in &written {
            landfall_model::ledger::made(&mut record.made, change);
        }
        for (life, at) in lives {
            record.life = life;
            match life {
                Life::Gated => record.gated = Some(at),
                Life::HandedOver => record.handed_over = Some(at),
                Life::Discovered | Life::Adopted | Life::Placed | Life::Verified | Life::Closed => {}
            }
        }
        record.switched = self.chain.switched().or(record.switched);
        record.head = self.chain.settled().clone();
    }

    /// Intents that nobody knows the outcome of.
    pub fn dangling(&self) -> Vec<(u64, Change)> {
        self.chain.open().iter().map(|(seq, change)| (*seq, change.clone())).collect()
    }

    /// Appends one entry and answers its number. Only the holder of the lease appends; an entry of another run in our place
    /// means that the lease is no longer ours.
    pub async fn append(&mut self, engine: &Engine, event: Event) -> Result<u64, EngineError> {
        let entry = Entry::after(self.chain.head(), engine.clock.now(), &self.run, event);
        let key = keys::entry(&self.target, entry.seq)?;
        match engine.store.create_json(&key, &entry).await {
            Ok(_) => {}
            Err(StoreError::Conflict { .. }) => {
                // A lost answer leaves our own entry behind; anybody else's is a sign to stop.
                let there = engine.store.read::<Entry>(&key).await?;
                if there.is_none_or(|(there, _)| there != entry) {
                    return Err(EngineError::LeaseLost { target: self.target.to_string() });
                }
            }
            Err(error) => return Err(error.into()),
        }
        let seq = entry.seq;
        self.chain.take(&entry).map_err(|source| broken(&self.target, source))?;
        Ok(seq)
    }

    /// Settles an intent that was left open, by what a look says of it. Where nobody could look it stays open: whoever took the change
    /// for not made would never take away again what it may have made.
    pub async fn settle(
        &mut self,
        engine: &Engine,
        intent: u64,
        change: &Change,
        seen: &Seen,
    ) -> Result<(), EngineError> {
        let took_effect = match seen {
            Seen::Present(_) | Seen::Absent => Some(shows(seen, change.after.as_ref())),
            Seen::NotOffered(_) => None,
            Seen::Unreadable(_) => return Ok(()),
        };
        let seen = serde_json::to_value(seen).unwrap_or_default();
        self.append(engine, Event::Settled { intent, change: change.id.clone(), took_effect, seen }).await?;
        Ok(())
    }
}

fn broken(target: &Target, source: Broken) -> EngineError {
    EngineError::History { target: target.to_string(), source }
}

async fn read(store: &dyn Store, target: &Target, chain: &mut Chain) -> Result<(), EngineError> {
    let folder = keys::history(target);
    let mut after: Option<Key> = match chain.head().seq {
        0 => None,
        seq => Some(keys::entry(target, seq)?),
    };
    loop {
        let page = store.list(&folder, after.as_ref(), PAGE).await?;
        for key in &page {
            let Some((entry, _)) = store.read::<Entry>(key).await? else {
                return Err(EngineError::Missing(key.to_string()));
            };
            chain.take(&entry).map_err(|source| broken(target, source))?;
        }
        match page.last() {
            Some(last) if page.len() == PAGE => after = Some(last.clone()),
            _ => return Ok(()),
        }
    }
}

/// What a whole history amounts to.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Verified {
    /// Whose history.
    pub target: Target,
    /// How many entries it has.
    pub entries: u64,
    /// How many changes were meant to be made.
    pub intents: u64,
    /// How many of them nobody knows the outcome of: a run is under way, or crashed or lost an answer and nobody could look since.
    pub open: u64,
    /// What is wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broken: Option<String>,
}

/// Reads a whole history from its first entry and checks that nothing is missing, doubled or altered.
pub async fn verify(store: &dyn Store, target: &Target) -> Result<Verified, EngineError> {
    let mut chain = Chain::default();
    let broken = match read(store, target, &mut chain).await {
        Ok(()) => None,
        Err(EngineError::History { source, .. }) => Some(source.to_string()),
        Err(error) => return Err(error),
    };
    let broken = match crate::lease::peek(store, target).await? {
        Some(record) if broken.is_none() => differs(store, target, &chain, &record.head).await?,
        _ => broken,
    };
    Ok(Verified {
        target: target.clone(),
        entries: chain.head().seq,
        intents: chain.intents(),
        open: u64::try_from(chain.open().len()).unwrap_or(u64::MAX),
        broken,
    })
}

/// Compares a history that fits together with the end that the record knows: it may have been cut, or written anew.
async fn differs(
    store: &dyn Store,
    target: &Target,
    chain: &Chain,
    known: &Head,
) -> Result<Option<String>, EngineError> {
    if known.seq > chain.head().seq {
        return Ok(Some(Broken::Short { found: chain.head().seq, known: known.seq }.to_string()));
    }
    if known.seq == 0 {
        return Ok(None);
    }
    let there = store.read::<Entry>(&keys::entry(target, known.seq)?).await?;
    let same = there.is_some_and(|(entry, _)| Some(&entry.hash) == known.hash.as_ref());
    Ok((!same).then(|| Broken::Rewritten { seq: known.seq }.to_string()))
}

/// The entries of a history, oldest first, from `after` on.
pub async fn entries(
    store: &dyn Store,
    target: &Target,
    after: u64,
    limit: usize,
) -> Result<Vec<Entry>, EngineError> {
    let after = match after {
        0 => None,
        seq => Some(keys::entry(target, seq)?),
    };
    let mut entries = Vec::new();
    for key in store.list(&keys::history(target), after.as_ref(), limit).await? {
        if let Some((entry, _)) = store.read::<Entry>(&key).await? {
            entries.push(entry);
        }
    }
    Ok(entries)
}
