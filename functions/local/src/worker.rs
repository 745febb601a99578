//! Works off a queue in this process: receives, performs, waits for what comes back soon, and says what is left.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use landfall_engine::control::chain;
use landfall_engine::engine::{Engine, EngineError};
use landfall_engine::queue::Received;
use landfall_engine::reconcile::Reconciled;
use landfall_engine::store::StoreExt as _;
use landfall_engine::sweep::{self, Closed, Sweep};
use landfall_engine::{keys, work};
use landfall_model::id::SweepId;
use landfall_model::outcome::Done;
use landfall_model::report::{Next, Report};
use landfall_model::target::Target;
use landfall_model::trigger::{Cause, Work};

use crate::desk::{Desk, deadline};

/// Targets worked on at once. Each waits for its cloud most of the time; more would only wait for the organization's own API.
const HANDS: usize = 8;

/// What comes back within this time is waited for: a setting that settles does, another run's lease does not.
const PATIENCE: Duration = Duration::from_secs(45);

/// How soon a message that failed is tried again.
const AGAIN: Duration = Duration::from_secs(2);

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Worked {
    /// The last report of each target.
    pub(crate) reports: BTreeMap<Target, Report>,
    /// How many changes were made to each target, over all its runs.
    pub(crate) changes: BTreeMap<Target, usize>,
    /// How the sweep ended, where one was worked off.
    pub(crate) closed: Option<Closed>,
    /// What is not over, and what to do about it.
    pub(crate) remains: BTreeMap<Target, String>,
    /// Messages that nobody could do, and why.
    pub(crate) failures: Vec<String>,
}

impl Worked {
    /// Whether a person should see to something.
    pub(crate) fn needs_attention(&self) -> bool {
        !self.remains.is_empty()
            || !self.failures.is_empty()
            || self.reports.values().any(|report| {
                report.needs_attention()
                    || report.outcomes.iter().any(|one| !matches!(one.result, Done::Written { .. }))
            })
    }

    /// Takes a report in: what it did, and whether something of it is still to come.
    pub(crate) fn take(&mut self, report: Report) {
        let target = report.target.clone();
        let written = report.outcomes.iter().filter(|one| matches!(one.result, Done::Written { .. })).count();
        *self.changes.entry(target.clone()).or_default() += written;
        match &report.next {
            Next::Sweep => {
                self.remains.remove(&target);
            }
            Next::LookAgain { .. } => {
                self.remains
                    .insert(target.clone(), "it is not over yet; the next sweep looks again".to_owned());
            }
            Next::Resume => {
                self.remains
                    .insert(target.clone(), "time ran out; the next sweep goes on with it".to_owned());
            }
        }
        self.reports.insert(target, report);
    }
}

type Deed<'a> = BoxFuture<'a, (Received, Work, Result<Option<Reconciled>, EngineError>)>;

/// Works until nothing is left, only what comes much later is, or somebody presses Ctrl-C: then what is begun is ended.
pub(crate) async fn work(
    desk: &Desk,
    engine: &Engine,
    sweep: Option<&SweepId>,
    bar: &ProgressBar,
) -> anyhow::Result<Worked> {
    let mut worked = Worked::default();
    let mut running: FuturesUnordered<Deed<'_>> = FuturesUnordered::new();
    let mut stopped = false;
    loop {
        while !stopped && running.len() < HANDS {
            let received = engine.queue.receive(HANDS - running.len()).await?;
            if received.is_empty() {
                break;
            }
            for one in received {
                match work::read(&one.body) {
                    Ok(work) => running.push(Box::pin(async move {
                        let engine = if comes_back(&work) { &desk.afresh(engine) } else { engine };
                        let result = work::perform(engine, &work, deadline()).await;
                        (one, work, result)
                    })),
                    Err(why) => {
                        worked.failures.push(why);
                        engine.queue.done(&one.receipt).await?;
                    }
                }
            }
        }
        if running.is_empty() {
            if let (Some(sweep), None) = (sweep, &worked.closed) {
                worked.closed = close(engine, sweep, &worked).await?;
            }
            let over = worked.remains.is_empty() && (sweep.is_none() || worked.closed.is_some());
            match engine.queue.next_due().await? {
                _ if over || stopped => break,
                None => break,
                Some(wait) if wait > PATIENCE => break,
                Some(wait) => {
                    bar.set_message(format!("waiting {} s for effects to show", wait.as_secs() + 1));
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        _ = tokio::signal::ctrl_c() => stopped = true,
                    }
                }
            }
            continue;
        }
        tokio::select! {
            Some((one, work, result)) = running.next() => settle(engine, one, &work, result, &mut worked, bar).await?,
            _ = tokio::signal::ctrl_c() => {
                anyhow::ensure!(!stopped, "stopped at once; the next run settles what was begun");
                stopped = true;
                bar.set_message("ending what is begun; once more stops at once");
            }
        }
    }
    Ok(worked)
}

/// Whether a message goes on with what an earlier run began.
fn comes_back(work: &Work) -> bool {
    matches!(work, Work::Reconcile { cause: Cause::Settling(_) | Cause::Resumed(_), .. })
}

/// Notes what came of one message.
async fn settle(
    engine: &Engine,
    one: Received,
    work: &Work,
    result: Result<Option<Reconciled>, EngineError>,
    worked: &mut Worked,
    bar: &ProgressBar,
) -> anyhow::Result<()> {
    let target = match work {
        Work::Reconcile { target, .. } => Some(target.clone()),
        Work::Continue { .. } | Work::Close { .. } => None,
    };
    match result {
        Ok(reconciled) => {
            engine.queue.done(&one.receipt).await?;
            match (reconciled, target) {
                (Some(Reconciled::Done(report)), _) => {
                    let new = !worked.reports.contains_key(&report.target);
                    if new && bar.length().is_none_or(|length| bar.position() < length) {
                        bar.inc(1);
                    }
                    bar.set_message(report.target.to_string());
                    worked.take(*report);
                }
                (Some(Reconciled::Busy { run }), Some(target)) => {
                    worked.remains.insert(
                        target,
                        format!("run {run} is at it, or was cut within the last two minutes: try again then"),
                    );
                }
                (Some(Reconciled::Settled), Some(target)) => {
                    worked.remains.remove(&target);
                }
                (Some(Reconciled::Busy { .. } | Reconciled::Settled), None) | (None, _) => {}
            }
        }
        Err(error) => {
            let why = chain(&error);
            if one.attempts >= 3 {
                engine.queue.done(&one.receipt).await?;
                let whom = target.map(|target| format!("{target}: ")).unwrap_or_default();
                worked.failures.push(format!("{whom}{why}"));
            } else {
                tracing::info!(why, "a message failed; it is tried again");
                engine.queue.retry(&one.receipt, AGAIN).await?;
            }
        }
    }
    Ok(())
}

/// Closes a sweep as soon as its last target is done: its own message would come a little later.
async fn close(engine: &Engine, id: &SweepId, worked: &Worked) -> anyhow::Result<Option<Closed>> {
    let Some((sweep, _)) = engine.store.read::<Sweep>(&keys::sweep(id)?).await? else { return Ok(None) };
    let tenants: BTreeSet<&Target> = worked
        .reports
        .keys()
        .chain(worked.remains.keys())
        .filter(|target| target.tenant().is_some())
        .collect();
    let all = sweep.enumerated && tenants.len() >= usize::try_from(sweep.tenants).unwrap_or(usize::MAX);
    if all { Ok(sweep::close(engine, id).await?) } else { Ok(None) }
}

/// A bar on standard error, where that is a terminal; `many` is how much there is to do.
pub(crate) fn bar(many: usize, what: &'static str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(
        Some(u64::try_from(many).unwrap_or(u64::MAX)),
        ProgressDrawTarget::stderr(),
    );
    let style = ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len}  {elapsed}  {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style.progress_chars("━━─"));
    bar.set_prefix(what);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
