//! The same event three times at once, and a process that ends at every call: nothing is done twice, nobody is stranded.

#![expect(clippy::unwrap_used, reason = "test harness: a failure here is a failed test")]

use std::sync::Arc;

use jiff::SignedDuration;
use landfall_engine::reconcile::{Order, reconcile};
use landfall_engine::work;
use landfall_model::record::Life;
use landfall_model::trigger::Cause;
use landfall_simulator::Faults;
use landfall_tests::stage::{Stage, tenant};

fn order(stage: &Stage, account: &str) -> Order {
    Order::new(tenant(account), Cause::Created, stage.deadline())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_event_delivered_three_times_at_once_is_one_set_of_writes_and_one_delivery() {
    // What one delivery alone writes.
    let alone = Stage::with(2).await;
    alone.sweep().await;
    let account = alone.simulator.edit(|world| world.create_account("new-shop"));
    alone.simulator.clear_calls();
    alone.run(&account, Cause::Created).await;
    let mut once = alone.writes_about(&account);
    once.sort();

    let stage = Stage::with(2).await;
    stage.sweep().await;
    let same = stage.simulator.edit(|world| world.create_account("new-shop"));
    assert_eq!(same, account, "the simulator gives the same ids in the same order");
    stage.simulator.clear_calls();
    let engines = [stage.another().await, stage.another().await, stage.another().await];
    let orders = engines.iter().map(|engine| {
        let order = order(&stage, &account);
        async move { reconcile(engine, &order).await.unwrap() }
    });
    drop(futures_util::future::join_all(orders).await);
    stage.drain().await;
    let mut thrice = stage.writes_about(&account);
    thrice.sort();
    assert_eq!(thrice, once);

    assert_eq!(stage.record(&account).await.unwrap().life, Life::HandedOver);
    let deliveries = stage.engine.store.list(&format!("deliveries/aws/{account}"), None, 10).await.unwrap();
    assert_eq!(deliveries.len(), 1);
    assert!(stage.history_is_whole(&account).await);
}

/// What has to be true after a crash at any call, before and after the next delivery.
async fn crash_at(k: u64, cut_before: bool) {
    let stage = Stage::with(1).await;
    stage.sweep().await;
    let account = stage.simulator.edit(|world| world.create_account("new-shop"));
    stage.simulator.clear_calls();
    let cut = Faults { cut_at: Some(k), cut_before, ..Faults::default() };
    stage.simulator.set_faults(cut);
    // The process ends where its call is cut: the task is dropped in the middle of whatever it was doing.
    let engine = Arc::new(stage.another().await);
    let order_of_it = order(&stage, &account);
    let mut run = tokio::spawn({
        let engine = Arc::clone(&engine);
        async move { reconcile(&engine, &order_of_it).await }
    });
    let finished = loop {
        tokio::select! {
            done = &mut run => { drop(done); break true }
            () = tokio::time::sleep(std::time::Duration::from_millis(2)) => {
                if stage.simulator.calls().len() as u64 >= k { run.abort(); drop(run.await); break false }
            }
        }
    };
    stage.simulator.set_faults(Faults::default());

    // Nobody is ungated before handover: a new account that is not handed over has its gate, or nothing was done in it yet.
    let gated = stage.simulator.read(|world| {
        world.organization.attached(&account).any(|policy| {
            world.organization.policies.get(policy).is_some_and(|policy| policy.name == "landfall-quarantine")
        })
    });
    let life = stage.record(&account).await.map(|record| record.life);
    let touched = stage.writes_about(&account).len();
    if life != Some(Life::HandedOver) {
        assert!(gated || touched == 0, "call {k}: ungated after {touched} writes in {life:?}");
    }

    // The dead run's lease ends, and the event comes again.
    stage.clock.pass(SignedDuration::from_mins(6));
    drop(stage.order(tenant(&account), Cause::Created).await);
    stage.drain().await;
    let record = stage.record(&account).await.unwrap();
    assert_eq!(record.life, Life::HandedOver, "call {k} (finished: {finished})");
    assert!(record.lease.is_none(), "call {k}");
    assert!(stage.preview(&account).await.plan.changes.is_empty(), "call {k}");
    assert!(stage.history_is_whole(&account).await, "call {k}");
    let deliveries = stage.engine.store.list(&format!("deliveries/aws/{account}"), None, 10).await.unwrap();
    assert_eq!(deliveries.len(), 1, "call {k}");
}

/// The calls of one undisturbed baseline, in order: whether each one writes.
async fn calls_of_a_baseline() -> Vec<bool> {
    let stage = Stage::with(1).await;
    stage.sweep().await;
    let account = stage.simulator.edit(|world| world.create_account("new-shop"));
    stage.simulator.clear_calls();
    stage.run(&account, Cause::Created).await;
    stage
        .simulator
        .calls()
        .iter()
        .map(|call| landfall_tests::stage::is_write(&format!("{}:{}", call.service, call.operation)))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_ends_at_any_call_strands_nobody() {
    let calls = calls_of_a_baseline().await;
    assert!(calls.len() > 40, "only {} calls: a baseline has more than that", calls.len());
    // Every call is cut after it took effect; one that writes also before.
    let after = (1..=calls.len() as u64).map(|k| (k, false));
    let before = (1..).zip(&calls).filter(|(_, writes)| **writes).map(|(k, _)| (k, true));
    let cuts: Vec<(u64, bool)> = after.chain(before).collect();
    println!("{} cuts of a baseline of {} calls", cuts.len(), calls.len());
    for cuts in cuts.chunks(8) {
        futures_util::future::join_all(cuts.iter().map(|(k, before)| crash_at(*k, *before))).await;
    }
}

#[tokio::test]
async fn a_message_that_can_t_be_read_is_refused_with_a_reason() {
    for body in [
        "",
        "{}",
        "[]",
        "{\"work\":\"dance\"}",
        "{\"work\":\"reconcile\",\"target\":\"aws/1\",\"cause\":\"sweep\"}",
    ] {
        let why = work::read(body).unwrap_err();
        assert!(why.starts_with("the message can't be read"), "{body}: {why}");
    }
}
