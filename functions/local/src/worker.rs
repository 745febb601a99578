//! Works off a queue in this process: receives, performs, waits for what comes back soon, and says what is left.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;
use landfall_engine::control::chain;
use landfall_engine::engine::{Engine, EngineError};
use landfall_engine::queue::{Queue, Received};
use landfall_engine::reconcile::Reconciled;
use landfall_engine::store::StoreExt as _;
use landfall_engine::sweep::{self, Closed, Sweep};
use landfall_engine::{keys, work};
use landfall_model::id::SweepId;
use landfall_model::report::{Next, Report};
use landfall_model::target::Target;
use landfall_model::trigger::{Cause, Work};

use crate::desk::{Desk, deadline};
use crate::made::{self, Deed, is_made};

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
    /// What came of the changes to each target, over all its runs.
    pub(crate) deeds: BTreeMap<Target, Vec<Deed>>,
    /// How the sweep ended, where one was worked off.
    pub(crate) closed: Option<Closed>,
    /// What is not over, and what to do about it.
    pub(crate) remains: BTreeMap<Target, String>,
    /// Messages that nobody could do, and why.
    pub(crate) failures: Vec<String>,
    /// Whether somebody pressed Ctrl-C.
    pub(crate) interrupted: bool,
    /// When those are looked at again that something more is to be seen in; another run's targets are not among them.
    again: BTreeMap<Target, Timestamp>,
    /// Messages that failed and are tried again.
    retried: BTreeSet<String>,
}

impl Worked {
    /// Whether a person should see to something.
    pub(crate) fn needs_attention(&self) -> bool {
        !self.remains.is_empty()
            || !self.failures.is_empty()
            || self.closed.as_ref().is_some_and(|closed| !closed.silent.is_empty())
            || self.reports.values().any(|report| {
                report.needs_attention() || report.outcomes.iter().any(|one| !is_made(&one.result))
            })
    }

    /// Takes a report in: what it did, and whether something of it is still to come.
    pub(crate) fn take(&mut self, report: Report) {
        let target = report.target.clone();
        let deeds = self.deeds.entry(target.clone()).or_default();
        // What an earlier run did not get done was this run's to do, or is no longer wanted.
        deeds.retain(|(_, result)| is_made(result));
        deeds.extend(made::deeds(&report));
        self.again.remove(&target);
        match &report.next {
            Next::Sweep => {
                self.remains.remove(&target);
            }
            Next::LookAgain { at } => {
                self.again.insert(target.clone(), *at);
                self.remains
                    .insert(target.clone(), "it is not over yet; the next sweep looks again".to_owned());
            }
            Next::Resume => {
                self.again.insert(target.clone(), report.ended);
                self.remains
                    .insert(target.clone(), "time ran out; the next sweep goes on with it".to_owned());
            }
        }
        self.reports.insert(target, report);
    }

    /// How many changes were made to a target.
    pub(crate) fn made(&self, target: &Target) -> usize {
        self.deeds.get(target).into_iter().flatten().filter(|(_, result)| is_made(result)).count()
    }

    /// The last report of each target, with the changes of all its runs.
    pub(crate) fn told(&self) -> impl Iterator<Item = Report> + '_ {
        self.reports.iter().map(|(target, report)| {
            made::with(report, self.deeds.get(target).map(Vec::as_slice).unwrap_or_default())
        })
    }

    /// Whether something comes back soon that only this process waits for. The close of a sweep comes back for ever, and what
    /// another run holds is that run's to end.
    fn awaits(&self) -> bool {
        let soon = Timestamp::now() + PATIENCE;
        !self.retried.is_empty() || self.again.values().any(|at| *at <= soon)
    }
}

type Running<'a> = BoxFuture<'a, (Received, Work, Result<Option<Reconciled>, EngineError>)>;

/// Works until nothing is left, only what comes much later or is another run's, or somebody presses Ctrl-C: then what is begun is
/// ended. Begins with what is known already.
pub(crate) async fn work(
    desk: &Desk,
    engine: &Engine,
    queue: &dyn Queue,
    sweep: Option<&SweepId>,
    mut worked: Worked,
    bar: &ProgressBar,
) -> anyhow::Result<Worked> {
    let mut running: FuturesUnordered<Running<'_>> = FuturesUnordered::new();
    // One that listens all the time: who presses the keys between two waits is heard as well.
    let mut interrupt = Box::pin(tokio::signal::ctrl_c());
    loop {
        while !worked.interrupted && running.len() < HANDS {
            let received = queue.receive(HANDS - running.len()).await?;
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
                        queue.done(&one.receipt).await?;
                    }
                }
            }
        }
        if running.is_empty() {
            if let (Some(sweep), None) = (sweep, &worked.closed) {
                worked.closed = close(engine, sweep, &worked).await?;
            }
            let over = worked.remains.is_empty() && (sweep.is_none() || worked.closed.is_some());
            match queue.next_due().await? {
                _ if over || worked.interrupted || !worked.awaits() => break,
                None => break,
                Some(wait) if wait > PATIENCE => break,
                Some(wait) => {
                    bar.set_message(format!("waiting {} s for effects to show", wait.as_secs() + 1));
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        _ = &mut interrupt => worked.interrupted = true,
                    }
                }
            }
            continue;
        }
        tokio::select! {
            Some((one, work, result)) = running.next() => settle(queue, one, &work, result, &mut worked, bar).await?,
            _ = &mut interrupt => {
                anyhow::ensure!(!worked.interrupted, "interrupted at once; the next run settles what was begun");
                worked.interrupted = true;
                interrupt = Box::pin(tokio::signal::ctrl_c());
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
    queue: &dyn Queue,
    one: Received,
    work: &Work,
    result: Result<Option<Reconciled>, EngineError>,
    worked: &mut Worked,
    bar: &ProgressBar,
) -> anyhow::Result<()> {
    let target = match work {
        Work::Reconcile { target, .. } => Some(target.clone()),
        Work::Sweep { .. } | Work::Continue { .. } | Work::Close { .. } => None,
    };
    match result {
        Ok(reconciled) => {
            queue.done(&one.receipt).await?;
            worked.retried.remove(&one.body);
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
                    worked.again.remove(&target);
                    worked.remains.insert(
                        target,
                        format!("run {run} is at it, or was cut within the last two minutes: try again then"),
                    );
                }
                (Some(Reconciled::Settled), Some(target)) => {
                    worked.again.remove(&target);
                    worked.remains.remove(&target);
                }
                (Some(Reconciled::Busy { .. } | Reconciled::Settled), None) | (None, _) => {}
            }
        }
        Err(error) => {
            let why = chain(&error);
            if one.attempts >= 3 {
                queue.done(&one.receipt).await?;
                worked.retried.remove(&one.body);
                if let Some(target) = &target {
                    worked.again.remove(target);
                }
                let whom = target.map(|target| format!("{target}: ")).unwrap_or_default();
                worked.failures.push(format!("{whom}{why}"));
            } else {
                tracing::info!(why, "a message failed; it is tried again");
                queue.retry(&one.receipt, AGAIN).await?;
                worked.retried.insert(one.body);
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
