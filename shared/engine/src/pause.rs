//! Reads and throws the stop switch. Whoever can't read it writes nothing.

use jiff::Timestamp;
use landfall_model::pause::{Switch, Turn};

use crate::engine::EngineError;
use crate::keys;
use crate::store::{Store, StoreError, StoreExt as _};

/// How the switch stands.
pub async fn read(store: &dyn Store) -> Result<Switch, EngineError> {
    Ok(store.read::<Switch>(&keys::switch()?).await?.map(|(switch, _)| switch).unwrap_or_default())
}

/// Throws the switch, and answers how it stands and whether this is what threw it.
pub async fn throw(
    store: &dyn Store,
    paused: bool,
    at: Timestamp,
    by: &str,
    why: &str,
) -> Result<(Switch, bool), EngineError> {
    let key = keys::switch()?;
    loop {
        let there = store.read::<Switch>(&key).await?;
        let (mut switch, version) =
            there.map_or_else(Default::default, |(switch, version)| (switch, Some(version)));
        let Some(turn) = switch.turn(paused, at, by, why).cloned() else { return Ok((switch, false)) };
        let written = match &version {
            Some(version) => store.update_json(&key, &switch, version).await,
            None => store.create_json(&key, &switch).await,
        };
        match written {
            Ok(_) => {
                tracing::warn!(turn = %turn, "the stop switch was thrown");
                return Ok((switch, true));
            }
            // Somebody else threw it just now.
            Err(StoreError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Why nothing may be written now, where that is so.
pub(crate) fn told(turn: &Turn) -> String {
    format!("everything is {turn}; `landfall resume` ends it")
}
