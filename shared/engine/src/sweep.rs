//! Looks at everybody: the organization once, then one message per tenant, and a close that says who is missing.
//!
//! ```text
//! begin ─► first inventory ─► organization reconciled ─► pages of tenants ─► one message each ─► close (delayed)
//!                                                            │                    │                │
//!                                                  sweeps/<id>/pages/<n>   sweeps/<id>/done/…   sweeps/<id>/closed
//! ```
//!
//! A sweep of one unit leaves out the organization, everybody whom the manifest puts elsewhere, and the sign of life.
//!
//! **Guarantees.** While tenants are looked at, memory does not grow with their number; the inventory and the close hold their ids. A sweep that is cut goes on where it was. Who is not done when
//! the sweep closes is unknown in its report, never left out.

mod part;

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use landfall_model::catalog::ControlKind;
use landfall_model::heartbeat::Silent;
use landfall_model::id::{Digest, Name, RunId, SweepId, UnitPath};
use landfall_model::observed::Observed;
use landfall_model::pause::Turn;
use landfall_model::record::{Counts, Life};
use landfall_model::target::Target;
use landfall_model::trigger::{Cause, Work};

use crate::cloud::{Page, Surveyed};
use crate::engine::{Deadline, Engine, EngineError};
use crate::reconcile::{Order, Reconciled, reconcile};
use crate::store::{Key, StoreError, StoreExt as _};
use crate::{heartbeat, inventory, keys, lease, pause, work};

pub use part::known as known_unit;

/// A sweep that is not over after this long is closed as it is. Longer than a thousand tenants take, shorter than the schedule.
pub const TIME: SignedDuration = SignedDuration::from_mins(30);

/// How often a sweep that is not over is looked at again.
const CLOSE_AGAIN: Duration = Duration::from_secs(20);

/// Messages sent at once.
const SENDS: usize = 8;

/// A sweep as it is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Sweep {
    /// Which.
    pub sweep: SweepId,
    /// The manifest's name of the cloud.
    pub cloud: Name,
    /// The unit that it is for; everybody, and the organization itself, where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<UnitPath>,
    /// The bundle it follows.
    pub bundle: Digest,
    /// When it began.
    pub started: Timestamp,
    /// When it is closed at the latest.
    pub deadline: Timestamp,
    /// How many pages of tenants were written.
    pub pages: u32,
    /// How many tenants are on them.
    pub tenants: u32,
    /// Where the next page begins; nothing before the first and after the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Whether all pages are written.
    pub enumerated: bool,
}

/// One target of a sweep that is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DoneTarget {
    /// The run that did it.
    pub run: RunId,
    /// Where in its life the target is.
    pub life: Life,
    /// What it found.
    pub counts: Counts,
    /// How many changes it made.
    pub changes: u32,
}

/// The end of a sweep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Closed {
    /// Which sweep.
    pub sweep: SweepId,
    /// The manifest's name of the cloud.
    pub cloud: Name,
    /// The unit that it was for; everybody, and the organization itself, where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<UnitPath>,
    /// When it began.
    pub started: Timestamp,
    /// When it was closed.
    pub ended: Timestamp,
    /// Whether the organization was listed to its end; where not, there may be more targets than are told of here.
    pub complete: bool,
    /// How many targets it had, the organization included where the sweep was for everybody.
    pub targets: u32,
    /// How many were done.
    pub done: u32,
    /// How many changes were made.
    pub changes: u32,
    /// Targets nobody finished: what holds in them is unknown.
    pub unknown: Vec<Target>,
    /// All findings of all targets that were done.
    pub counts: Counts,
    /// Targets in which something needs a person.
    pub attention: Vec<Target>,
    /// Clouds of the manifest that nobody sweeps. A sweep of one unit does not look for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub silent: Vec<Silent>,
    /// Who stopped everything, where somebody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<Turn>,
}

/// Begins a sweep of everybody, or of one unit: writes the first inventory, reconciles the organization, and sends the first messages.
pub async fn begin(
    engine: &Engine,
    unit: Option<&UnitPath>,
    deadline: Deadline,
) -> Result<SweepId, EngineError> {
    if let Some(unit) = unit {
        part::known(engine.trusted.bundle.manifest(), unit)?;
    }
    let id = engine.new_sweep();
    let now = engine.clock.now();
    let sweep = Sweep {
        sweep: id.clone(),
        cloud: engine.cloud.name().clone(),
        unit: unit.cloned(),
        bundle: engine.trusted.bundle.digest().clone(),
        started: now,
        deadline: now + TIME,
        pages: 0,
        tenants: 0,
        next: None,
        enumerated: false,
    };
    engine.store.create_json(&keys::sweep(&id)?, &sweep).await?;
    work::send(engine, &Work::Close { sweep: id.clone() }, CLOSE_AGAIN).await?;
    // Who is there is written down before anything is done, so that nobody who was there is ever taken for new.
    inventory::ensure(engine).await?;
    if unit.is_none()
        && let Err(error) = organization(engine, &id, deadline).await
    {
        // It stays without a done record, so the close tells that it is unknown; the tenants are looked at all the same.
        tracing::error!(error = crate::control::chain(&error), "the organization could not be reconciled");
    }
    enumerate(engine, &id, deadline).await?;
    Ok(id)
}

/// Reconciles the organization, and keeps what it saw for the workers.
async fn organization(engine: &Engine, sweep: &SweepId, deadline: Deadline) -> Result<(), EngineError> {
    let target = Target::Organization(engine.cloud.name().clone());
    let reconciled = one(engine, sweep, &target, None, &Cause::Sweep, deadline).await?;
    let Reconciled::Done(report) = reconciled else { return Ok(()) };
    let mut seen = Observed::default();
    for finding in &report.findings {
        // Units and their policies look the same from every tenant below.
        if finding.control == ControlKind::Policies
            && let Some(evidence) = &finding.evidence
            && let Some(value) = &evidence.value
        {
            let look = landfall_model::observed::Look {
                seen: landfall_model::observed::Seen::Present(value.clone()),
                at: evidence.at,
                request: evidence.request.clone(),
            };
            seen.0.insert(finding.address.clone(), look);
        }
    }
    match engine.store.create_json(&keys::seen(sweep)?, &seen).await {
        Ok(_) | Err(StoreError::Conflict { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Writes page after page of tenants and sends a message for each; where time runs out, a message goes on with it.
pub async fn enumerate(engine: &Engine, id: &SweepId, deadline: Deadline) -> Result<(), EngineError> {
    let key = keys::sweep(id)?;
    loop {
        let Some((mut sweep, version)) = engine.store.read::<Sweep>(&key).await? else {
            return Err(EngineError::Missing(key.to_string()));
        };
        if sweep.enumerated {
            return Ok(());
        }
        if !deadline.allows(engine.clock.now()) {
            return work::send(engine, &Work::Continue { sweep: id.clone() }, Duration::ZERO).await;
        }
        let Page { mut tenants, next } = engine.cloud.page(sweep.next.as_deref()).await?;
        if let Some(unit) = &sweep.unit {
            tenants = part::within(engine, unit, tenants).await?;
        }
        // Of a unit's sweep empty pages count, too: whom a page holds depends on the bundle, and a run that goes on after a cut may follow
        // another one than the run that wrote this page.
        if sweep.unit.is_some() || !tenants.is_empty() {
            let page = keys::page(id, sweep.pages)?;
            match engine.store.create_json(&page, &tenants).await {
                Ok(_) => {}
                // A run that was cut after this line wrote the page, and that page counts; its messages are sent again, which
                // does no harm.
                Err(StoreError::Conflict { .. }) => {
                    if let Some((stored, _)) = engine.store.read::<Vec<Surveyed>>(&page).await? {
                        tenants = stored;
                    }
                }
                Err(error) => return Err(error.into()),
            }
            // Collected first: a stream over a borrowing closure is not `Send` for the compiler.
            let mut sends = Vec::new();
            for surveyed in &tenants {
                let work = Work::Reconcile {
                    target: Target::Tenant(surveyed.tenant.clone()),
                    sweep: Some(id.clone()),
                    page: Some(sweep.pages),
                    cause: Cause::Sweep,
                };
                sends.push(async move { work::send(engine, &work, Duration::ZERO).await });
            }
            let sent: Vec<Result<(), EngineError>> =
                stream::iter(sends).buffer_unordered(SENDS).collect().await;
            sent.into_iter().collect::<Result<(), EngineError>>()?;
            sweep.pages += 1;
            sweep.tenants = sweep.tenants.saturating_add(u32::try_from(tenants.len()).unwrap_or(u32::MAX));
        }
        sweep.enumerated = next.is_none();
        sweep.next = next;
        match engine.store.update_json(&key, &sweep, &version).await {
            Ok(_) => {}
            // Another delivery of the same message is at it as well; it goes on.
            Err(StoreError::Conflict { .. }) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Reconciles one target of a sweep and says that it is done.
pub async fn one(
    engine: &Engine,
    sweep: &SweepId,
    target: &Target,
    page: Option<u32>,
    cause: &Cause,
    deadline: Deadline,
) -> Result<Reconciled, EngineError> {
    let mut surveyed = None;
    let mut organization = None;
    if let Some(page) = page {
        if let Some((tenants, _)) = engine.store.read::<Vec<Surveyed>>(&keys::page(sweep, page)?).await? {
            surveyed = tenants.into_iter().find(|surveyed| Some(&surveyed.tenant) == target.tenant());
        }
        organization = engine.store.read::<Observed>(&keys::seen(sweep)?).await?.map(|(seen, _)| seen);
    }
    let order = Order {
        target: target.clone(),
        cause: cause.clone(),
        sweep: Some(sweep.clone()),
        page,
        surveyed,
        organization,
        deadline,
    };
    let reconciled = reconcile(engine, &order).await?;
    let done = match &reconciled {
        Reconciled::Done(report) => DoneTarget {
            run: report.run.clone(),
            life: report.life,
            counts: report.counts,
            changes: report.written(),
        },
        // It is not done: a message comes back to it after the other run.
        Reconciled::Busy { .. } => return Ok(reconciled),
        Reconciled::Settled => {
            let Some(record) = lease::peek(&*engine.store, target).await? else { return Ok(reconciled) };
            let Some(last) = record.last else { return Ok(reconciled) };
            DoneTarget { run: last.run, life: record.life, counts: last.counts, changes: 0 }
        }
    };
    match engine.store.create_json(&keys::done(sweep, target)?, &done).await {
        Ok(_) | Err(StoreError::Conflict { .. }) => Ok(reconciled),
        Err(error) => Err(error.into()),
    }
}

/// Closes a sweep when everybody is done or its time is over; else looks again later.
pub async fn close(engine: &Engine, id: &SweepId) -> Result<Option<Closed>, EngineError> {
    let key = keys::sweep(id)?;
    let Some((sweep, _)) = engine.store.read::<Sweep>(&key).await? else {
        return Err(EngineError::Missing(key.to_string()));
    };
    if let Some(closed) = closed(engine, id).await? {
        return Ok(Some(closed));
    }
    let now = engine.clock.now();
    let folder = keys::done_folder(id);
    let mut done: BTreeMap<Target, Key> = BTreeMap::new();
    let mut after: Option<Key> = None;
    loop {
        let page = engine.store.list(&folder, after.as_ref(), 500).await?;
        for key in &page {
            let name = key.as_str().get(folder.len() + 1..).unwrap_or_default();
            if let Ok(target) = name.parse() {
                done.insert(target, key.clone());
            }
        }
        match page.last() {
            Some(last) if page.len() == 500 => after = Some(last.clone()),
            _ => break,
        }
    }
    // Who is missing is asked of the pages: a tenant that moved while they were written stands on two of them.
    let unknown = missing(engine, &sweep, &done).await?;
    let all = sweep.enumerated && unknown.is_empty();
    if !all && now < sweep.deadline {
        work::send(engine, &Work::Close { sweep: id.clone() }, CLOSE_AGAIN).await?;
        return Ok(None);
    }
    let silent = match &sweep.unit {
        None => heartbeat::silent(engine, &heartbeat::beat(engine, id).await?).await?,
        Some(unit) => {
            heartbeat::note(engine, id, unit).await?;
            Vec::new()
        }
    };
    let mut end = Closed {
        sweep: id.clone(),
        cloud: sweep.cloud.clone(),
        unit: sweep.unit.clone(),
        started: sweep.started,
        ended: now,
        complete: sweep.enumerated,
        targets: u32::try_from(done.len() + unknown.len()).unwrap_or(u32::MAX),
        done: u32::try_from(done.len()).unwrap_or(u32::MAX),
        changes: 0,
        unknown,
        counts: Counts::default(),
        attention: Vec::new(),
        silent,
        paused: pause::read(&*engine.store).await?.pause().cloned(),
    };
    for (target, key) in &done {
        let Some((one, _)) = engine.store.read::<DoneTarget>(key).await? else { continue };
        end.counts.add(one.counts);
        end.changes += one.changes;
        if one.counts.needs_attention() {
            end.attention.push(target.clone());
        }
    }
    match engine.store.create_json(&keys::closed(id)?, &end).await {
        Ok(_) => {
            let unknown = end.unknown.len();
            match &end.unit {
                // The platforms' alarms wait for exactly these words: a sweep of one unit must not put them off.
                None => {
                    tracing::info!(sweep = %id, targets = end.targets, done = end.done, unknown, "sweep closed")
                }
                Some(unit) => {
                    tracing::info!(sweep = %id, %unit, targets = end.targets, done = end.done, unknown, "unit swept");
                }
            }
            Ok(Some(end))
        }
        Err(StoreError::Conflict { .. }) => closed(engine, id).await,
        Err(error) => Err(error.into()),
    }
}

/// The end of a sweep, where it has one.
pub async fn closed(engine: &Engine, id: &SweepId) -> Result<Option<Closed>, EngineError> {
    Ok(engine.store.read::<Closed>(&keys::closed(id)?).await?.map(|(closed, _)| closed))
}

/// The targets of a sweep that nobody finished.
async fn missing(
    engine: &Engine,
    sweep: &Sweep,
    done: &BTreeMap<Target, Key>,
) -> Result<Vec<Target>, EngineError> {
    let mut missing = Vec::new();
    let organization = Target::Organization(sweep.cloud.clone());
    if sweep.unit.is_none() && !done.contains_key(&organization) {
        missing.push(organization);
    }
    for page in 0..sweep.pages {
        let Some((tenants, _)) = engine.store.read::<Vec<Surveyed>>(&keys::page(&sweep.sweep, page)?).await?
        else {
            continue;
        };
        missing.extend(
            tenants
                .into_iter()
                .map(|surveyed| Target::Tenant(surveyed.tenant))
                .filter(|target| !done.contains_key(target)),
        );
    }
    missing.sort();
    missing.dedup();
    Ok(missing)
}
