//! A tenant's steps through its life, each written into its history.

use serde::{Deserialize, Serialize};

use jiff::Timestamp;
use landfall_model::approve::Approved;
use landfall_model::desired::{Desired, Standing};
use landfall_model::facts::State;
use landfall_model::id::{Digest, RunId, TenantId};
use landfall_model::ledger::Event;
use landfall_model::record::Life;
use landfall_model::report::Provenance;

use crate::engine::{Engine, EngineError};
use crate::history::History;
use crate::keys;
use crate::lease::Held;
use crate::store::{StoreError, StoreExt as _};

/// The delivery of a tenant to its team, written once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Delivery {
    /// Who was delivered.
    pub tenant: TenantId,
    /// When.
    pub at: Timestamp,
    /// By which run.
    pub run: RunId,
    /// The plan that was applied.
    pub plan: Digest,
    /// What it followed.
    pub provenance: Provenance,
    /// The controls that were seen to hold before.
    pub required: Vec<String>,
    /// Who was given access.
    pub access: Vec<String>,
}

/// Goes one step forward, never back; a step that was made before is not made again.
pub(super) async fn step(
    engine: &Engine,
    history: &mut History,
    held: &mut Held,
    to: Life,
    why: &str,
) -> Result<(), EngineError> {
    let from = held.record.life;
    // What was closed and came back goes on from there.
    if from >= to && (from != Life::Closed || to == Life::Closed) {
        return Ok(());
    }
    history.append(engine, Event::Life { from, to, why: why.to_owned() }).await?;
    history.catch_up(&mut held.record);
    tracing::info!(target = %held.record.target, life = %to, "a step in its life");
    held.save(engine).await
}

/// The first step: who is only looked at or was there before us is adopted, and who is closed stays so.
pub(super) async fn meet(
    engine: &Engine,
    desired: &Desired,
    inventoried: bool,
    history: &mut History,
    held: &mut Held,
) -> Result<(), EngineError> {
    if desired.facts.as_ref().is_some_and(|facts| facts.state == State::Closing) {
        return step(engine, history, held, Life::Closed, "the cloud is closing it").await;
    }
    match &desired.standing {
        Standing::Adopted => {
            step(engine, history, held, Life::Adopted, "it was there before, and the manifest names it").await
        }
        Standing::ReportOnly(why)
            if inventoried && desired.facts.as_ref().is_some_and(|facts| facts.state == State::Active) =>
        {
            step(engine, history, held, Life::Adopted, why).await
        }
        Standing::Organization
        | Standing::New
        | Standing::Waiting
        | Standing::HandedOver
        | Standing::ReportOnly(_) => Ok(()),
    }
}

/// Writes the delivery, and hands the tenant over. The gate opens after this: a crash in between leaves a tenant that is handed
/// over behind a closed gate, which the next run opens; never one that is open and not handed over.
pub(super) async fn deliver(
    engine: &Engine,
    desired: &Desired,
    approved: &Approved,
    history: &mut History,
    held: &mut Held,
) -> Result<(), EngineError> {
    let Some(tenant) = desired.target.tenant() else { return Ok(()) };
    let required = desired
        .asked
        .iter()
        .filter(|asked| asked.handover == landfall_model::manifest::Handover::Required)
        .map(|asked| asked.control.to_string())
        .collect();
    let access = desired
        .asked(landfall_model::catalog::ControlKind::Access)
        .and_then(|asked| asked.want::<landfall_model::catalog::access::Settings>().ok())
        .map(|settings| {
            settings.grants.iter().map(|grant| format!("{}: {}", grant.role, grant.group)).collect()
        })
        .unwrap_or_default();
    let delivery = Delivery {
        tenant: tenant.clone(),
        at: engine.clock.now(),
        run: held.run().clone(),
        plan: approved.digest().clone(),
        provenance: engine.trusted.provenance.clone(),
        required,
        access,
    };
    match engine.store.create_json(&keys::delivery(tenant, 1)?, &delivery).await {
        // A run that crashed after this line delivered it; the record stays as that run wrote it.
        Ok(_) | Err(StoreError::Conflict { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    step(engine, history, held, Life::HandedOver, "verified, and access is given").await
}
