//! A process that ends at any call of a baseline: nobody is stranded, and nobody is let in before the handover. What is asked of each
//! cloud is written here once.

#![expect(clippy::unwrap_used, reason = "test harness: a failure here is a failed test")]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use jiff::SignedDuration;
use landfall_engine::engine::{Deadline, Engine};
use landfall_engine::lease;
use landfall_engine::reconcile::{Order, reconcile};
use landfall_model::record::Life;
use landfall_model::trigger::Cause;
use landfall_simulator::Faults;

use crate::real::Real;
use crate::spine::Way;
use crate::stage::{Stage, TestClock, tenant};

/// A cloud whose calls can be cut.
pub trait Cut: Way + Real {
    /// A stage after its first sweep, with a new tenant in which somebody could make something if he were let.
    fn beginning() -> impl Future<Output = (Stage<Self>, String)> + Send;
    /// Whether somebody who is no one of ours can make something in the tenant.
    fn is_open(stage: &Stage<Self>, id: &str) -> bool;
    /// Whether nobody can be let in, or nothing has been done to the tenant yet: its calls that changed something are given.
    fn is_guarded(stage: &Stage<Self>, id: &str, done: &[String]) -> bool;
}

/// After this time a setting that settles is looked at again.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(11);

/// Looks that a baseline takes at most.
const LOOKS: usize = 6;

/// Of the calls that only look, each so many is cut.
const EVERY: u64 = 7;

/// Cuts at once: each has a simulator of its own, on a thread of its own.
const AT_ONCE: usize = 4;

/// What the events and messages of a new tenant lead to, as far as one process lives.
async fn walk(engine: &Engine, clock: &TestClock, id: &str) {
    let mut cause = Cause::Created;
    for _ in 0..LOOKS {
        let deadline = Deadline(engine.clock.now() + SignedDuration::from_mins(5));
        let order = Order::new(tenant(id), cause, deadline);
        // A run that is cut may end with an error; so may the one after it, as long as nothing answers.
        drop(reconcile(engine, &order).await);
        let record = lease::peek(&*engine.store, &tenant(id)).await.unwrap();
        if record.is_some_and(|record| record.life == Life::HandedOver) {
            return;
        }
        clock.pass(LOOK_AGAIN);
        cause = Cause::Asked;
    }
}

/// What has to be true after a crash at a call, before and after the next delivery.
async fn crash_at<S: Cut>(stage: Stage<S>, id: &str, k: u64, cut_before: bool) {
    let at = format!("call {k}, {} its effect", if cut_before { "before" } else { "after" });
    stage.simulator.clear();
    stage.simulator.set(Faults { cut_at: Some(k), cut_before, ..Faults::default() });
    // The process ends where its call is cut: the task is dropped in the middle of whatever it was doing.
    let run = tokio::spawn({
        let (engine, clock, id) = (S::another(&stage).await, Arc::clone(&stage.clock), id.to_owned());
        async move { walk(&engine, &clock, &id).await }
    });
    while !run.is_finished() && (stage.simulator.received().len() as u64) < k {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    run.abort();
    drop(run.await);
    let reached = stage.simulator.received().len() as u64;
    assert!(reached >= k, "{at}: only {reached} calls were made");
    let done = S::writes(&stage, id);
    stage.simulator.set(Faults::default());

    // Nobody is let in before the handover.
    let life = stage.record(id).await.map(|record| record.life);
    if life != Some(Life::HandedOver) {
        assert!(S::is_guarded(&stage, id, &done), "{at}: unguarded after {done:?}, in {life:?}");
    }

    // The dead run's lease ends, and the event comes again.
    stage.clock.pass(SignedDuration::from_mins(6));
    drop(stage.order(tenant(id), Cause::Created).await);
    for _ in 0..LOOKS {
        stage.drain().await;
        let record = stage.record(id).await.unwrap();
        if record.life == Life::HandedOver && record.lease.is_none() {
            break;
        }
        assert!(
            record.life == Life::HandedOver || !S::is_open(&stage, id),
            "{at}: let in, in {:?}",
            record.life
        );
        stage.clock.pass(LOOK_AGAIN);
        drop(stage.order(tenant(id), Cause::Asked).await);
    }
    let record = stage.record(id).await.unwrap();
    assert_eq!(record.life, Life::HandedOver, "{at}");
    assert!(record.lease.is_none(), "{at}");
    // The gate is opened after the handover is written; whoever comes next finds a crash in between.
    let left = stage.preview(id).await.plan;
    assert!(left.changes.is_empty(), "{at}: {}", landfall_reports::text::plan(&left, None));
    assert!(S::is_open(&stage, id), "{at}: handed over, and still closed");
    assert!(stage.history_is_whole(id).await, "{at}");
    let deliveries =
        stage.engine.store.list(&format!("deliveries/{}/{id}", S::PROVIDER), None, 10).await.unwrap();
    assert_eq!(deliveries.len(), 1, "{at}");
}

/// The calls of one undisturbed baseline, in order: whether each one writes.
async fn calls_of_a_baseline<S: Cut>(stage: &Stage<S>, id: &str) -> Vec<bool> {
    stage.simulator.clear();
    walk(&S::another(stage).await, &stage.clock, id).await;
    assert_eq!(stage.record(id).await.unwrap().life, Life::HandedOver);
    stage.simulator.received().iter().map(S::changes_something).collect()
}

/// The one test.
pub async fn a_process_that_ends_at_any_call_strands_nobody_and_lets_nobody_in<S: Cut>() {
    let (beginning, id) = S::beginning().await;
    let calls = calls_of_a_baseline(&S::copy(&beginning).await, &id).await;
    assert!(calls.len() > 50, "only {} calls: a baseline has more than that", calls.len());
    // Every call that writes is cut before and after it took effect; of those that look, some.
    let cuts: BTreeSet<(u64, bool)> = (1..)
        .zip(&calls)
        .filter(|(k, writes)| **writes || k % EVERY == 0)
        .flat_map(|(k, writes)| [(k, false), (k, *writes)])
        .collect();
    let (beginning, id) = (&beginning, &id);
    futures_util::stream::iter(cuts)
        .for_each_concurrent(AT_ONCE, async |(k, cut_before)| {
            let (stage, id) = (S::copy(beginning).await, id.clone());
            tokio::spawn(async move { crash_at(stage, &id, k, cut_before).await }).await.unwrap();
        })
        .await;
}
