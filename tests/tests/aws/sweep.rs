//! A sweep whose work is lost, cut or kept waiting.

use std::time::Duration;

use jiff::SignedDuration;
use landfall_engine::engine::Deadline;
use landfall_engine::queue::Queue as _;
use landfall_engine::{sweep, work};
use landfall_model::trigger::{Cause, Work};
use landfall_tests::stage::{Stage, tenant};

#[tokio::test]
async fn a_sweep_that_nobody_finishes_closes_with_who_is_unknown() {
    let stage = Stage::with(3).await;
    let id = sweep::begin(&stage.engine, None, stage.deadline()).await.unwrap();
    // One message of three is poison for its worker: it is never done, and ends among the dead.
    let mut lost = None;
    for _ in 0..20 {
        for message in stage.queue.receive(10).await.unwrap() {
            let work = work::read(&message.body).unwrap();
            match &work {
                Work::Reconcile { target, .. } if lost.is_none() || lost.as_ref() == Some(target) => {
                    lost = Some(target.clone());
                    stage.queue.retry(&message.receipt, Duration::ZERO).await.unwrap();
                }
                Work::Reconcile { .. } | Work::Sweep { .. } | Work::Continue { .. } | Work::Close { .. } => {
                    drop(work::perform(&stage.engine, &work, stage.deadline()).await.unwrap());
                    stage.queue.done(&message.receipt).await.unwrap();
                }
            }
        }
    }
    assert_eq!(stage.queue.dead().await.unwrap().len(), 1);
    assert!(sweep::close(&stage.engine, &id).await.unwrap().is_none(), "its time is not over");
    stage.clock.pass(SignedDuration::from_mins(31));
    let closed = sweep::close(&stage.engine, &id).await.unwrap().unwrap();
    assert_eq!(closed.unknown, [lost.unwrap()]);
    assert_eq!(closed.done + 1, closed.targets);
}

#[tokio::test]
async fn a_sweep_cut_by_its_deadline_goes_on_where_it_was() {
    let stage = Stage::with(45).await;
    let short = Deadline(stage.engine.clock.now() + SignedDuration::from_secs(2));
    let id = sweep::begin(&stage.engine, None, short).await.unwrap();
    for _ in 0..20 {
        stage.drain().await;
    }
    let closed = loop {
        if let Some(closed) = sweep::close(&stage.engine, &id).await.unwrap() {
            break closed;
        }
        stage.drain().await;
    };
    assert!(closed.unknown.is_empty(), "{closed:?}");
    assert_eq!(closed.targets, 47, "45 accounts, the management account and the organization");
}

#[tokio::test]
async fn a_tenant_that_is_busy_is_not_done_and_its_sweep_waits_for_it() {
    let stage = Stage::with(2).await;
    stage.sweep().await;
    // Another run holds an account, and dies.
    let held = landfall_engine::lease::take(
        &stage.engine,
        &tenant("222222222222"),
        &stage.engine.new_run(),
        Deadline(stage.engine.clock.now() + SignedDuration::from_secs(60)),
    )
    .await
    .unwrap();
    let id = sweep::begin(&stage.engine, None, stage.deadline()).await.unwrap();
    stage.drain().await;
    assert!(sweep::close(&stage.engine, &id).await.unwrap().is_none(), "one is missing");
    drop(held);
    // Its lease ends, and the message that was left for that moment is done.
    stage.clock.pass(SignedDuration::from_secs(70));
    let target = tenant("222222222222");
    let cause = Cause::Resumed(stage.record("222222222222").await.unwrap().lease.unwrap().run);
    let work = Work::Reconcile { target, sweep: Some(id.clone()), page: Some(0), cause };
    drop(work::perform(&stage.engine, &work, stage.deadline()).await.unwrap());
    let closed = sweep::close(&stage.engine, &id).await.unwrap().unwrap();
    assert!(closed.unknown.is_empty() && closed.complete, "{closed:?}");
}
