//! Messages: what is left for later, and what a worker does with one.

use std::time::Duration;

use landfall_model::id::RunId;
use landfall_model::target::Target;
use landfall_model::trigger::{Cause, Work};

use crate::engine::{Deadline, Engine, EngineError};
use crate::reconcile::{Order, Reconciled, reconcile};
use crate::sweep;

/// Sends a message that arrives after `delay` at the earliest.
pub async fn send(engine: &Engine, work: &Work, delay: Duration) -> Result<(), EngineError> {
    let body = serde_json::to_string(work).map_err(EngineError::Message)?;
    Ok(engine.queue.send(&body, delay).await?)
}

/// Leaves the rest of a run for the next one.
pub async fn resume(engine: &Engine, target: &Target, run: &RunId) -> Result<(), EngineError> {
    let cause = Cause::Unfinished(run.clone());
    send(engine, &Work::Reconcile { target: target.clone(), sweep: None, page: None, cause }, Duration::ZERO)
        .await
}

/// Reads a message.
pub fn read(body: &str) -> Result<Work, String> {
    serde_json::from_str(body).map_err(|error| format!("the message can't be read: {error}"))
}

/// Does what a message asks.
pub async fn perform(
    engine: &Engine,
    work: &Work,
    deadline: Deadline,
) -> Result<Option<Reconciled>, EngineError> {
    match work {
        Work::Reconcile { target, sweep: None, page: _, cause } => {
            reconcile(engine, &Order::new(target.clone(), cause.clone(), deadline)).await.map(Some)
        }
        Work::Reconcile { target, sweep: Some(sweep), page, cause } => {
            sweep::one(engine, sweep, target, *page, cause, deadline).await.map(Some)
        }
        Work::Sweep { unit } => {
            sweep::begin(engine, unit.as_ref(), deadline).await?;
            Ok(None)
        }
        Work::Continue { sweep } => {
            sweep::enumerate(engine, sweep, deadline).await?;
            Ok(None)
        }
        Work::Close { sweep } => {
            sweep::close(engine, sweep).await?;
            Ok(None)
        }
    }
}
