//! Each cloud's sweep leaves a sign of life in the store, and looks for those of the others: a function that broke, or that somebody
//! made quiet, is told of by the functions on the other clouds.
//!
//! It is one of two alarms. The other is each platform's own (`infra/`), on the absence of the line that a closed sweep logs: a function
//! that broke or was stopped can't silence it. One that was stolen could go on saying the line, as it could go on leaving signs of life.

use jiff::SignedDuration;
use landfall_model::heartbeat::{Heartbeat, Partial, Silent};
use landfall_model::id::{SweepId, UnitPath};

use crate::engine::{Engine, EngineError};
use crate::keys;
use crate::store::{Key, Store, StoreError, StoreExt as _};

/// Leaves this cloud's sign of life.
pub async fn beat(engine: &Engine, sweep: &SweepId) -> Result<Heartbeat, EngineError> {
    let cloud = engine.cloud.name();
    let key = keys::heartbeat(cloud)?;
    let now = engine.clock.now();
    loop {
        let there = engine.store.read::<Heartbeat>(&key).await?;
        let first = there.as_ref().map_or(now, |(there, _)| there.first);
        let beat = Heartbeat { cloud: cloud.clone(), first, last: now, sweep: sweep.clone() };
        let written = match &there {
            Some((_, version)) => engine.store.update_json(&key, &beat, version).await,
            None => engine.store.create_json(&key, &beat).await,
        };
        match written {
            Ok(_) => return Ok(beat),
            // Two sweeps of one cloud end at once.
            Err(StoreError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Notes that a unit was swept on its own. The sign of life stays as it was: a whole sweep that is missed must be missed.
pub async fn note(engine: &Engine, sweep: &SweepId, unit: &UnitPath) -> Result<(), EngineError> {
    let cloud = engine.cloud.name();
    let key = keys::partial(cloud, unit)?;
    let note =
        Partial { cloud: cloud.clone(), unit: unit.clone(), last: engine.clock.now(), sweep: sweep.clone() };
    loop {
        let written = match engine.store.read::<Partial>(&key).await? {
            Some((_, version)) => engine.store.update_json(&key, &note, &version).await,
            None => engine.store.create_json(&key, &note).await,
        };
        match written {
            Ok(_) => return Ok(()),
            // Two sweeps of one unit end at once.
            Err(StoreError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Units that were swept on their own since their cloud was last swept as a whole.
pub async fn partly(store: &dyn Store, swept: &[Heartbeat]) -> Result<Vec<Partial>, EngineError> {
    let mut all: Vec<Partial> = Vec::new();
    let mut after: Option<Key> = None;
    loop {
        let page = store.list(keys::PARTIAL, after.as_ref(), 500).await?;
        for key in &page {
            all.extend(store.read::<Partial>(key).await?.map(|(partial, _)| partial));
        }
        match page.last() {
            Some(last) if page.len() == 500 => after = Some(last.clone()),
            _ => break,
        }
    }
    all.retain(|one| !swept.iter().any(|beat| beat.cloud == one.cloud && beat.last >= one.last));
    Ok(all)
}

/// The manifest's other clouds of which nothing was heard for longer than the manifest allows. One that was never swept counts from this
/// cloud's first sweep on.
pub async fn silent(engine: &Engine, own: &Heartbeat) -> Result<Vec<Silent>, EngineError> {
    let manifest = engine.trusted.bundle.manifest();
    let patience = SignedDuration::from_hours(manifest.limits.silence.into());
    let mut silent = Vec::new();
    for cloud in manifest.clouds.keys().filter(|cloud| **cloud != own.cloud) {
        let there = engine.store.read::<Heartbeat>(&keys::heartbeat(cloud)?).await?;
        let last = there.map(|(there, _)| there.last);
        if engine.clock.now().duration_since(last.unwrap_or(own.first)) > patience {
            let one = Silent { cloud: cloud.clone(), last };
            // The platforms' alarms wait for exactly these words.
            tracing::error!(cloud = %one.cloud, why = %one, "another cloud is silent");
            silent.push(one);
        }
    }
    Ok(silent)
}

/// The signs of life of every cloud that was ever swept.
pub async fn all(store: &dyn Store) -> Result<Vec<Heartbeat>, EngineError> {
    let mut all = Vec::new();
    // One record for each cloud of a manifest.
    for key in store.list("heartbeats", None, 1000).await? {
        all.extend(store.read::<Heartbeat>(&key).await?.map(|(beat, _)| beat));
    }
    Ok(all)
}
