//! The end of a round: the report, the record, and what is left for later.

use jiff::{SignedDuration, Timestamp};

use landfall_model::approve::Refused;
use landfall_model::desired::{Desired, Standing};
use landfall_model::finding::Finding;
use landfall_model::id::Digest;
use landfall_model::outcome::Done;
use landfall_model::plan::Plan;
use landfall_model::record::{Counts, LastRun, Life};
use landfall_model::report::{Next, Report};
use landfall_model::trigger::{Cause, Work};

use super::{LOOK_AGAIN, Order};
use crate::apply::Progress;
use crate::engine::{Engine, EngineError};
use crate::history::History;
use crate::lease::Held;
use crate::store::{StoreError, StoreExt as _};
use crate::{keys, work};

/// All that a round has to tell.
pub(super) struct Told {
    pub(super) desired: Desired,
    pub(super) plan: Plan,
    pub(super) digest: Digest,
    pub(super) refused: Option<Refused>,
    pub(super) progress: Progress,
    pub(super) findings: Vec<Finding>,
    pub(super) started: Timestamp,
}

/// Writes the report and the record, and sends the message that looks again.
pub(super) async fn tell(
    engine: &Engine,
    order: &Order,
    held: &mut Held,
    history: &History,
    told: Told,
) -> Result<Report, EngineError> {
    let Told { desired, plan, digest, refused, progress, findings, started } = told;
    let ended = engine.clock.now();
    let run = held.run().clone();
    let counts = Counts::of(&findings);
    let settling = findings.iter().any(|finding| finding.settling_until.is_some());
    let next = if progress.paused.is_some() {
        // Coming back by itself would only find the switch again.
        Next::Sweep
    } else if progress.out_of_time {
        Next::Resume
    } else if settling {
        Next::LookAgain { at: ended + LOOK_AGAIN }
    } else if let Some(wait) = patience(order, held, &desired, &progress, ended) {
        Next::LookAgain { at: ended + wait }
    } else {
        Next::Sweep
    };
    let report = Report {
        run: run.clone(),
        sweep: order.sweep.clone(),
        target: order.target.clone(),
        name: desired.facts.as_ref().map(|facts| facts.name.clone()).unwrap_or_default(),
        cloud: desired.cloud.clone(),
        cause: order.cause.clone(),
        started,
        ended,
        provenance: engine.trusted.provenance.clone(),
        life: held.record.life,
        plan: digest,
        changes: plan.changes,
        blocked: plan.blocked,
        refused,
        paused: progress.paused,
        outcomes: progress.outcomes,
        counts,
        notes: notes(engine, &desired),
        standing: desired.standing,
        findings,
        next: next.clone(),
    };
    held.record.head = history.settled().clone();
    held.record.last =
        Some(LastRun { run: run.clone(), at: ended, bundle: engine.trusted.bundle.digest().clone(), counts });
    if let Some(sweep) = &order.sweep {
        held.record.swept = Some(sweep.clone());
    }
    let key = keys::run(&run, &order.target)?;
    match engine.store.create_json(&key, &report).await {
        Ok(_) => {}
        // A run that went round again keeps its first report and writes the later one beside it.
        Err(StoreError::Conflict { .. }) => {
            let key = keys::run_of_turn(&run, &order.target, held.record.turn)?;
            engine.store.create_json(&key, &report).await?;
        }
        Err(error) => return Err(error.into()),
    }
    // The record names the report, so it is written after it.
    held.save(engine).await?;
    match next {
        Next::Sweep => {}
        Next::Resume => work::resume(engine, &order.target, &run).await?,
        Next::LookAgain { at } => {
            let wait = at.duration_since(ended).try_into().unwrap_or_default();
            let work = Work::Reconcile {
                target: order.target.clone(),
                sweep: None,
                page: None,
                cause: Cause::Settling(run.clone()),
            };
            work::send(engine, &work, wait).await?;
        }
    }
    tracing::info!(
        target = %order.target, run = %run, changes = report.changes.len(), pass = counts.pass,
        fail = counts.fail, unknown = counts.unknown, "run ended"
    );
    Ok(report)
}

/// How long until a new tenant is tried again by itself: its roles may need a minute, a right may be missing. The wait grows with the
/// tenant's age, from half a minute to a quarter of an hour, and after a day only sweeps come by.
fn patience(
    order: &Order,
    held: &Held,
    desired: &Desired,
    progress: &Progress,
    now: Timestamp,
) -> Option<SignedDuration> {
    let (least, most, end) =
        (SignedDuration::from_secs(30), SignedDuration::from_mins(15), SignedDuration::from_hours(24));
    let not_written = progress.outcomes.iter().any(|outcome| !matches!(outcome.result, Done::Written { .. }));
    let since = match (&desired.standing, &desired.facts) {
        // Organizations may not know yet whom it has just made; asked for once more.
        (Standing::ReportOnly(_), None) if order.cause == Cause::Created => return Some(least),
        (Standing::New, Some(facts)) if held.record.life != Life::HandedOver => facts.joined?,
        (Standing::HandedOver, _) if not_written => held.record.handed_over?,
        _ => return None,
    };
    let age = now.duration_since(since);
    (age < end).then(|| (age / 2).clamp(least, most))
}

/// What a person should know beside the findings.
fn notes(engine: &Engine, desired: &Desired) -> Vec<String> {
    let mut notes = Vec::new();
    if engine.trusted.provenance.signed_by.is_none() {
        notes.push("the bundle is not signed: this works on loopback only".to_owned());
    }
    match &desired.standing {
        Standing::ReportOnly(why) => notes.push(format!("nothing is written here: {why}")),
        Standing::Waiting => {
            notes.push(
                "no project names it and no intake rule lets it in: it stays behind its gate".to_owned(),
            );
        }
        Standing::Organization | Standing::New | Standing::HandedOver | Standing::Adopted => {}
    }
    notes
}
