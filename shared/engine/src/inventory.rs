//! Who was there when Landfall first looked. Written once; who is in it is adopted, never gated.

use std::collections::BTreeSet;

use landfall_model::desired::{self, Desired, Known};
use landfall_model::facts::{Facts, Inventory, Origin};
use landfall_model::manifest::Manifest;
use landfall_model::record::Life;
use landfall_model::target::Target;

use crate::cloud::{Cloud, LookError};
use crate::engine::{Engine, EngineError};
use crate::keys;
use crate::store::{StoreError, StoreExt as _};

/// Reads the inventory.
pub async fn read(engine: &Engine) -> Result<Option<Inventory>, EngineError> {
    let key = keys::inventory(engine.cloud.provider(), engine.cloud.name())?;
    Ok(engine.store.read::<Inventory>(&key).await?.map(|(inventory, _)| inventory))
}

/// Writes the inventory where there is none.
pub async fn ensure(engine: &Engine) -> Result<Inventory, EngineError> {
    if let Some(inventory) = read(engine).await? {
        return Ok(inventory);
    }
    let at = engine.clock.now();
    let mut tenants = BTreeSet::new();
    let mut cursor: Option<String> = None;
    loop {
        let page = engine.cloud.page(cursor.as_deref()).await?;
        tenants.extend(page.tenants.into_iter().map(|surveyed| surveyed.tenant));
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    let inventory = Inventory { at, tenants };
    let key = keys::inventory(engine.cloud.provider(), engine.cloud.name())?;
    match engine.store.create_json(&key, &inventory).await {
        Ok(_) => {
            tracing::info!(tenants = inventory.tenants.len(), "first inventory written");
            Ok(inventory)
        }
        // Another sweep was first; its inventory counts.
        Err(StoreError::Conflict { .. }) => {
            read(engine).await?.ok_or_else(|| EngineError::Missing(key.to_string()))
        }
        Err(error) => Err(error.into()),
    }
}

/// What must hold in a target. A tenant that would be gated for the first time is looked at once more where the cloud can't tell how it
/// came: who works already came from elsewhere, and a gate would stop his work.
pub async fn resolve(
    cloud: &dyn Cloud,
    manifest: &Manifest,
    target: &Target,
    known: Known,
) -> Result<Option<Desired>, LookError> {
    let found = desired::resolve(manifest, cloud.name(), target, known.clone());
    let first = known.record.life == Life::Discovered
        && found.as_ref().is_some_and(|desired| desired.standing.before_handover());
    match target.tenant() {
        Some(tenant) if first && cloud.is_in_use(tenant).await? => {
            let facts = known.facts.map(|facts| Facts { origin: Origin::Joined, ..facts });
            Ok(desired::resolve(manifest, cloud.name(), target, Known { facts, ..known }))
        }
        Some(_) | None => Ok(found),
    }
}
