//! The whole way: an event, the gate, the baseline, the handover, a break, a sweep, and nothing left to do.

use landfall_model::record::Life;
use landfall_model::trigger::Cause;
use landfall_tests::stage::Stage;

#[tokio::test]
async fn a_new_account_is_gated_brought_to_its_baseline_verified_and_handed_over() {
    let stage = Stage::with(3).await;
    let closed = stage.sweep().await;
    assert!(closed.unknown.is_empty(), "{closed:#?}");

    let account = stage.simulator.edit(|world| world.create_account("new-shop"));
    let report = stage.reconcile(&account, Cause::Created).await;
    println!("{}", landfall_reports::text::report(&report));
    assert_eq!(report.life, Life::HandedOver, "{:#?}", report.notes);
    assert!(stage.history_is_whole(&account).await);
    assert!(stage.preview(&account).await.plan.changes.is_empty());
}
