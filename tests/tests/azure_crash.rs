//! A process that ends at any call of a baseline on Azure: nobody is stranded, and nobody is let in before the handover.

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
use landfall_simulator::{Call, Faults};
use landfall_tests::azure::{AzureStage, ask};
use landfall_tests::stage::{Stage, TestClock, tenant};

/// After this time a setting that settles is looked at again.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(11);

/// Looks that a baseline takes at most.
const LOOKS: usize = 6;

/// Of the calls that only look, each so many is cut.
const EVERY: u64 = 7;

/// Cuts at once: each has a simulator of its own, on a thread of its own.
const AT_ONCE: usize = 4;

/// A stage after its first sweep, with a new subscription in which somebody could make something if he were let.
async fn beginning() -> (AzureStage, String) {
    let stage = Stage::on_azure(1).await;
    stage.sweep().await;
    let id = stage.simulator.edit(|world| {
        let id = world.add_subscription("new-shop");
        let inside = world.subscription_mut(&id).unwrap();
        inside.add_resource_group("shop", "westeurope");
        inside.register("Microsoft.Storage");
        id
    });
    (stage, id)
}

/// What the events and messages of a new subscription lead to, as far as one process lives.
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

/// Whether somebody who is no one of ours can make something in the subscription.
fn is_open(stage: &AzureStage, id: &str) -> bool {
    let path = format!(
        "/subscriptions/{id}/resourceGroups/shop/providers/Microsoft.Storage/storageAccounts/one?api-version=2024-01-01"
    );
    let body = serde_json::json!({"location": "westeurope", "properties": {"allowBlobPublicAccess": false}});
    let (status, answer) = ask(&stage.simulator.url(), "PUT", &path, "somebody", &body);
    assert!([201, 200, 403].contains(&status), "{status} {answer}");
    status != 403
}

/// What has to be true after a crash at a call, before and after the next delivery.
async fn crash_at(stage: AzureStage, id: &str, k: u64, cut_before: bool) {
    let at = format!("call {k}, {} its effect", if cut_before { "before" } else { "after" });
    stage.simulator.clear_calls();
    stage.simulator.set_faults(Faults { cut_at: Some(k), cut_before, ..Faults::default() });
    // The process ends where its call is cut: the task is dropped in the middle of whatever it was doing.
    let run = tokio::spawn({
        let (engine, clock, id) = (stage.another_on_azure(), Arc::clone(&stage.clock), id.to_owned());
        async move { walk(&engine, &clock, &id).await }
    });
    while !run.is_finished() && (stage.simulator.calls().len() as u64) < k {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    run.abort();
    drop(run.await);
    let reached = stage.simulator.calls().len() as u64;
    assert!(reached >= k, "{at}: only {reached} calls were made");
    let touched = stage.writes_to(id).len();
    stage.simulator.set_faults(Faults::default());

    // Nobody is let in before the handover: a subscription that stands outside of quarantine has a gate of its own, and so has one
    // in which something was done.
    let life = stage.record(id).await.map(|record| record.life);
    if life != Some(Life::HandedOver) {
        let (parent, gated) = stage.simulator.read(|world| {
            let inside = world.subscription(id).unwrap();
            let gated = inside.governance.policy_assignments.contains_key("landfall-quarantine");
            (inside.parent.clone(), gated)
        });
        let untouched = touched == 0 && parent == "acme-quarantine";
        assert!(gated || untouched, "{at}: ungated in `{parent}` after {touched} writes, in {life:?}");
        assert!(!is_open(&stage, id), "{at}: somebody was let in, in {life:?}");
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
            record.life == Life::HandedOver || !is_open(&stage, id),
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
    assert!(is_open(&stage, id), "{at}: handed over, and still closed");
    assert!(stage.history_is_whole(id).await, "{at}");
    let deliveries = stage.engine.store.list(&format!("deliveries/azure/{id}"), None, 10).await.unwrap();
    assert_eq!(deliveries.len(), 1, "{at}");
}

/// The calls of one undisturbed baseline, in order: whether each one writes.
async fn calls_of_a_baseline(stage: &AzureStage, id: &str) -> Vec<bool> {
    stage.simulator.clear_calls();
    walk(&stage.another_on_azure(), &stage.clock, id).await;
    assert_eq!(stage.record(id).await.unwrap().life, Life::HandedOver);
    // A summary of what policies found is asked for with a POST.
    let writes = |call: &Call| call.method != "GET" && !call.operation.contains("summarize");
    stage.simulator.calls().iter().map(writes).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_ends_at_any_call_strands_nobody_and_lets_nobody_in() {
    let (beginning, id) = beginning().await;
    let calls = calls_of_a_baseline(&beginning.copy_on_azure().await, &id).await;
    assert!(calls.len() > 100, "only {} calls: a baseline has more than that", calls.len());
    // Every call that writes is cut before and after it took effect; of those that look, some.
    let cuts: BTreeSet<(u64, bool)> = (1..)
        .zip(&calls)
        .filter(|(k, writes)| **writes || k % EVERY == 0)
        .flat_map(|(k, writes)| [(k, false), (k, *writes)])
        .collect();
    println!("{} cuts of a baseline of {} calls", cuts.len(), calls.len());
    let (beginning, id) = (&beginning, &id);
    futures_util::stream::iter(cuts)
        .for_each_concurrent(AT_ONCE, async |(k, cut_before)| {
            let (stage, id) = (beginning.copy_on_azure().await, id.clone());
            tokio::spawn(async move { crash_at(stage, &id, k, cut_before).await }).await.unwrap();
        })
        .await;
}
