//! The whole way on Google Cloud: a project is discovered, gated, brought to its baseline, handed over, broken, repaired; and what may
//! come in its way.

use landfall_model::desired::Standing;
use landfall_model::record::Life;
use landfall_model::trigger::Cause;
use landfall_simulator::gcp::{GcpBreakage, GcpSimulator};
use landfall_tests::gcp::ACME;
use landfall_tests::spine::{self, bring, with_a_new_tenant};
use landfall_tests::stage::Stage;

landfall_tests::whole_way! { GcpSimulator:
    the_first_sweeps_make_the_organization_ready_and_another_finds_nothing_to_do,
    a_sweep_alone_finds_a_new_tenant_and_brings_it_the_same_way,
    a_sweep_of_one_unit_brings_who_belongs_there_and_leaves_the_others_alone,
    nothing_is_gated_before_the_first_inventory,
    a_new_tenant_that_nobody_lets_in_stays_behind_its_gate,
    a_tenant_that_can_t_be_verified_stays_gated_and_the_report_says_why,
    could_not_look_is_unknown_and_never_a_pass,
    a_gate_that_can_t_be_closed_or_seen_stops_everything_behind_it,
    throttling_of_a_fifth_and_slow_effects_only_cost_time,
    three_deliveries_at_once_come_to_one_baseline,
    a_run_without_time_says_so_and_the_next_one_goes_on,
    while_somebody_has_paused_nothing_is_written_and_everybody_is_told,
    a_pause_in_the_middle_of_a_run_stops_what_is_left,
    another_cloud_s_target_is_refused,
}

#[tokio::test]
async fn a_new_project_is_handed_over_and_its_gate_opens_last() {
    let writes =
        spine::a_new_tenant_is_gated_brought_to_its_baseline_verified_and_handed_over::<GcpSimulator>().await;
    let opens = writes.iter().rposition(|write| write == "iam:policies.denypolicies.delete").unwrap();
    let after = &writes[opens + 1..];
    assert!(after.is_empty(), "{after:?} after the gate opened");
}

#[tokio::test]
async fn what_is_broken_by_hand_is_found_and_repaired_by_the_next_sweep() {
    spine::what_is_broken_by_hand_is_found_and_repaired_by_the_next_sweep::<GcpSimulator>(|world, id| {
        for how in [GcpBreakage::Contacts, GcpBreakage::Lien] {
            world.damage(id, how).unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn a_project_that_was_there_before_is_not_written_until_the_manifest_names_it() {
    let mut stage = Stage::on_gcp(5).await;
    stage.sweep().await;
    let report = stage.reconcile("team-0005", Cause::Joined).await;
    assert!(matches!(report.standing, Standing::ReportOnly(_)), "{:?}", report.standing);
    assert!(stage.writes_in("team-0005").is_empty());

    stage.follow_in_gcp(&ACME.replace("team-0002", "team-0005")).await;
    let report = stage.reconcile("team-0005", Cause::Asked).await;
    assert_eq!(report.standing, Standing::Adopted);
    let writes = stage.writes_in("team-0005");
    assert!(writes.iter().any(|write| write == "cloudresourcemanager:projects.patch"), "{writes:?}");
    assert!(
        !writes.iter().any(|write| write.starts_with("iam:policies.denypolicies")),
        "it was never gated: {writes:?}"
    );
}

/// Moved in from another organization, or made long ago and seen only now: its time of creation is before the first inventory.
#[tokio::test]
async fn a_project_that_is_older_than_the_inventory_is_never_gated() {
    let (stage, _) = with_a_new_tenant::<GcpSimulator>("new-shop").await;
    let old = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24 * 400);
    stage.simulator.edit(|world| world.add_project("acquired-shop", landfall_tests::gcp::ORGANIZATION, old));
    let report = stage.reconcile("acquired-shop", Cause::Joined).await;
    assert!(matches!(report.standing, Standing::ReportOnly(_)), "{:?}", report.standing);
    assert_eq!(report.life, Life::Adopted);
    assert!(stage.writes_in("acquired-shop").is_empty());
}

#[tokio::test]
async fn a_project_that_is_being_deleted_and_landfall_s_own_are_reported_and_not_written() {
    let (stage, id) = with_a_new_tenant::<GcpSimulator>("new-shop").await;
    stage.simulator.edit(|world| world.damage(&id, GcpBreakage::Deleted).unwrap());
    let report = stage.reconcile(&id, Cause::Created).await;
    assert!(matches!(report.standing, Standing::ReportOnly(_)), "{:?}", report.standing);
    assert!(stage.writes_in(&id).is_empty());
    let own = stage.reconcile("acme-landfall", Cause::Asked).await;
    assert!(matches!(own.standing, Standing::ReportOnly(_)));
    assert!(stage.writes_in("acme-landfall").is_empty());
}

#[tokio::test]
async fn a_project_of_its_own_way_keeps_its_history() {
    let (stage, id) = with_a_new_tenant::<GcpSimulator>("new-shop").await;
    assert_eq!(bring(&stage, &id).await, Life::HandedOver, "{}", spine::told(&stage, &id).await);
    assert!(stage.history_is_whole(&id).await);
}
