//! Makes the changes of an approved plan, stage by stage: the intent first, then the write, then the outcome.
//!
//! Independent changes go on after a failure; what needs a change that did not happen is withheld. Nothing is looked up here in
//! order to choose: the plan says everything, and a setting that is no longer as the plan saw it is left alone.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::{self, StreamExt as _};
use tokio::sync::Mutex;

use landfall_model::approve::Approved;
use landfall_model::desired::Desired;
use landfall_model::ledger::Event;
use landfall_model::observed::{Address, Observed, Seen, shows};
use landfall_model::outcome::{Done, Outcome};
use landfall_model::pause::Turn;
use landfall_model::plan::{Change, ChangeId, Stage};

use crate::cloud::{Made, Reader, Writer};
use crate::engine::{Deadline, Engine, EngineError};
use crate::history::History;
use crate::lease::Held;
use crate::observe;

/// Writes under way at once, for one target. Few, because most APIs allow a handful of writes a second.
pub const WRITES: usize = 4;

/// What every change of a run is made with.
#[derive(Clone, Copy)]
pub struct Site<'a> {
    /// The engine.
    pub engine: &'a Engine,
    /// What must hold.
    pub desired: &'a Desired,
    /// What the plan was made from.
    pub observed: &'a Observed,
    /// Who looks.
    pub reader: &'a dyn Reader,
    /// Who writes.
    pub writer: &'a dyn Writer,
    /// When to stop.
    pub deadline: Deadline,
}

impl std::fmt::Debug for Site<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Site").field("target", &self.desired.target).finish_non_exhaustive()
    }
}

/// What has happened so far in a run.
#[derive(Debug, Default)]
pub struct Progress {
    /// One for each change that had its turn, in the plan's order.
    pub outcomes: Vec<Outcome>,
    /// What came to be.
    pub made: Made,
    /// Settings that were written.
    pub touched: BTreeSet<Address>,
    /// Settings whose writing failed: only a look tells what became of them.
    pub doubtful: BTreeSet<Address>,
    /// Settings that were looked at again, and not written since.
    pub looked: Observed,
    /// Changes that time did not allow.
    pub out_of_time: bool,
    /// Who stopped everything while this run was under way, or before.
    pub paused: Option<Turn>,
}

impl Progress {
    /// Whether every change of a stage was written.
    pub fn wrote_all(&self, approved: &Approved, stage: Stage) -> bool {
        of_stage(approved, stage).all(|change| self.written(&change.id))
    }

    fn written(&self, id: &ChangeId) -> bool {
        self.outcomes
            .iter()
            .any(|outcome| &outcome.change == id && matches!(outcome.result, Done::Written { .. }))
    }

    fn record(&mut self, engine: &Engine, change: &Change, result: Done) {
        match &result {
            Done::Written { made } => {
                self.made.insert(change.id.clone(), made.clone());
                self.touched.insert(change.address.clone());
                self.looked.0.remove(&change.address);
            }
            Done::Failed { .. } => {
                self.doubtful.insert(change.address.clone());
                self.looked.0.remove(&change.address);
            }
            Done::Moved { .. } | Done::Withheld { .. } => {}
        }
        self.outcomes.push(Outcome {
            change: change.id.clone(),
            address: change.address.clone(),
            result,
            at: engine.clock.now(),
        });
    }

    /// Says of every change of a stage that it was not made, and why.
    pub fn withhold(&mut self, engine: &Engine, approved: &Approved, stage: Stage, why: &str) {
        for change in of_stage(approved, stage) {
            self.record(engine, change, Done::Withheld { why: why.to_owned() });
        }
    }
}

/// The changes of one stage.
pub fn of_stage(approved: &Approved, stage: Stage) -> impl Iterator<Item = &Change> {
    approved.plan().changes.iter().filter(move |change| change.stage == stage)
}

/// Makes the changes of one stage, those that nothing holds up first.
pub async fn stage(
    site: Site<'_>,
    approved: &Approved,
    stage: Stage,
    history: &mut History,
    held: &mut Held,
    progress: &mut Progress,
) -> Result<(), EngineError> {
    let mut waiting: Vec<&Change> = of_stage(approved, stage).collect();
    while !waiting.is_empty() {
        let free: Vec<&Change> = waiting
            .iter()
            .copied()
            .filter(|change| !change.needs.iter().any(|need| waiting.iter().any(|other| &other.id == need)))
            .collect();
        // Two writes at one address never race: the second would find the setting moved.
        let first = |change: &Change| free.iter().find(|other| other.address == change.address);
        let (ready, rest): (Vec<&Change>, Vec<&Change>) =
            waiting.iter().partition(|change| first(change).is_some_and(|first| first.id == change.id));
        if ready.is_empty() {
            // INVARIANT: `judge` never names two changes that need each other; were it to, nothing would be written.
            for change in rest {
                let why = "its changes need each other".to_owned();
                progress.record(site.engine, change, Done::Withheld { why });
            }
            return Ok(());
        }
        // Whoever lost the lease stops here; whoever holds it keeps it for another wave.
        history.catch_up(&mut held.record);
        held.save(site.engine).await?;
        // What opens a tenant is done one after the other, in the plan's order: its gate before anything that might hold it closed.
        let at_once = if stage == Stage::Open { 1 } else { WRITES };
        wave(site, approved, &ready, at_once, history, progress).await?;
        waiting = rest;
    }
    Ok(())
}

/// Makes changes that do not need each other, a few at a time; tells of them in the plan's order.
async fn wave(
    site: Site<'_>,
    approved: &Approved,
    ready: &[&Change],
    at_once: usize,
    history: &mut History,
    progress: &mut Progress,
) -> Result<(), EngineError> {
    let mut go: Vec<&Change> = Vec::new();
    let mut results: BTreeMap<usize, Result<Done, EngineError>> = BTreeMap::new();
    for (place, change) in ready.iter().enumerate() {
        match change.needs.iter().find(|need| !progress.written(need)) {
            Some(need) => {
                let why = format!("it needs `{need}`, which was not made");
                results.insert(place, Ok(Done::Withheld { why }));
            }
            None => go.push(change),
        }
    }
    let shared = Mutex::new(history);
    let (made, touched) = (&progress.made, &progress.touched);
    // Collected first: a stream over a borrowing closure is not `Send` for the compiler.
    let mut writes = Vec::new();
    for (place, change) in
        ready.iter().enumerate().filter(|(_, change)| go.iter().any(|go| go.id == change.id))
    {
        let shared = &shared;
        writes.push(async move { (place, one(site, approved, change, made, touched, shared).await) });
    }
    let written: Vec<(usize, Result<Done, EngineError>)> =
        stream::iter(writes).buffer_unordered(at_once).collect().await;
    results.extend(written);
    for (place, result) in results {
        let Some(change) = ready.get(place) else { continue };
        let result = result?;
        progress.out_of_time |= matches!(&result, Done::Withheld { why } if why == OUT_OF_TIME);
        progress.record(site.engine, change, result);
    }
    Ok(())
}

const OUT_OF_TIME: &str = "time ran out; the next run goes on with it";

/// Makes one change.
async fn one(
    site: Site<'_>,
    approved: &Approved,
    change: &Change,
    made: &Made,
    touched: &BTreeSet<Address>,
    history: &Mutex<&mut History>,
) -> Result<Done, EngineError> {
    let Site { engine, desired, observed, reader, writer, deadline } = site;
    if !deadline.allows(engine.clock.now()) {
        return Ok(Done::Withheld { why: OUT_OF_TIME.to_owned() });
    }
    if !touched.contains(&change.address) {
        let now = observe::look(reader, &*engine.clock, desired, &change.address).await.seen;
        let then = observed.seen(&change.address);
        if now != then {
            let why = "the setting is no longer as the plan saw it; the next run plans anew".to_owned();
            return Ok(Done::Moved { why });
        }
    }
    let asked = desired.asked(change.address.control);
    let intent = Event::Intent {
        change: Box::new(change.clone()),
        names: asked.map(|asked| asked.names.clone()).unwrap_or_default(),
        satisfies: asked.map(|asked| asked.satisfies.clone()).unwrap_or_default(),
        plan: approved.digest().clone(),
        provenance: engine.trusted.provenance.clone(),
    };
    let intent = history.lock().await.append(engine, intent).await?;
    let result = match writer.write(change, made).await {
        Ok(made) => Done::Written { made },
        Err(why) => {
            // A refusal leaves everything as it was, and a lost answer does not say so: a look does. Somebody else who made the very same in
            // between is taken for us, as where a cloud answers that it is there already.
            let now = observe::look(reader, &*engine.clock, desired, &change.address).await.seen;
            if !is_undone(&now, change) {
                history.lock().await.settle(engine, intent, change, &now).await?;
                let seen = match now {
                    Seen::Present(_) | Seen::Absent | Seen::NotOffered(_) => {
                        "a look shows that it took effect all the same"
                    }
                    Seen::Unreadable(_) => "and whether it took effect can't be seen now",
                };
                return Ok(Done::Failed { why: format!("{why}; {seen}") });
            }
            Done::Failed { why }
        }
    };
    let outcome = Event::Outcome { intent, change: change.id.clone(), result: result.clone() };
    history.lock().await.append(engine, outcome).await?;
    tracing::debug!(change = %change.id, written = matches!(result, Done::Written { .. }), "change made");
    Ok(result)
}

/// Whether a look shows that a write which failed did nothing of what it was to do.
fn is_undone(seen: &Seen, change: &Change) -> bool {
    match seen {
        Seen::Present(_) | Seen::Absent => !shows(seen, change.after.as_ref()),
        Seen::NotOffered(_) => true,
        Seen::Unreadable(_) => false,
    }
}
