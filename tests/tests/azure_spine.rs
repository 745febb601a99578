//! The whole way on Azure: a subscription is discovered, gated, brought to its baseline, handed over, broken, repaired; and what may
//! come in its way.

#![expect(clippy::unwrap_used, reason = "test harness: a failure here is a failed test")]

use jiff::SignedDuration;
use landfall_engine::engine::Deadline;
use landfall_engine::reconcile::{Order, Reconciled, reconcile};
use landfall_model::catalog::ControlKind;
use landfall_model::desired::Standing;
use landfall_model::finding::Status;
use landfall_model::outcome::Done;
use landfall_model::record::Life;
use landfall_model::report::{Next, Report};
use landfall_model::target::Target;
use landfall_model::trigger::Cause;
use landfall_simulator::Faults;
use landfall_tests::azure::{ACME, AzureStage, ask, subscription};
use landfall_tests::stage::{Stage, tenant};
use std::time::Duration;

/// A stage after its first sweep, and a new subscription in it.
async fn with_a_new_subscription(name: &str) -> (AzureStage, String) {
    let stage = Stage::on_azure(3).await;
    stage.sweep().await;
    let id = stage.simulator.edit(|world| world.add_subscription(name));
    stage.simulator.clear_calls();
    (stage, id)
}

/// Brings a subscription on its way as far as it goes: what Azure takes minutes for is looked at again.
async fn bring(stage: &AzureStage, id: &str) -> Life {
    stage.run(id, Cause::Created).await;
    for _ in 0..6 {
        if stage.record(id).await.unwrap().life == Life::HandedOver {
            break;
        }
        stage.clock.pass(SignedDuration::from_secs(11));
        stage.run(id, Cause::Asked).await;
    }
    stage.record(id).await.unwrap().life
}

fn told(report: &Report) -> String {
    landfall_reports::text::report(report)
}

#[tokio::test]
async fn the_first_sweep_makes_the_directory_ready_and_a_second_finds_nothing_to_do() {
    let stage = Stage::on_azure(3).await;
    let closed = stage.sweep().await;
    assert!(closed.unknown.is_empty() && closed.complete, "{closed:?}");
    let organization = Target::Organization("azure".parse().unwrap());
    let Reconciled::Done(report) = stage.order(organization, Cause::Asked).await else { panic!("not done") };
    assert_eq!((report.counts.fail, report.counts.unknown), (0, 0), "{}", told(&report));
    stage.simulator.clear_calls();
    let closed = stage.sweep().await;
    assert_eq!(closed.changes, 0, "{closed:?}");
    let writes: Vec<String> = stage
        .simulator
        .calls()
        .into_iter()
        .filter(|call| call.method != "GET" && !call.operation.contains("summarize"))
        .map(|call| format!("{} {}", call.method, call.path))
        .collect();
    assert!(writes.is_empty(), "{writes:?}");
}

#[tokio::test]
async fn a_new_subscription_is_gated_brought_to_its_baseline_verified_and_handed_over() {
    let (stage, id) = with_a_new_subscription("new-shop").await;
    let life = bring(&stage, &id).await;
    let report =
        landfall_engine::ask::last_report(&*stage.engine.store, &tenant(&id)).await.unwrap().unwrap();
    assert_eq!(life, Life::HandedOver, "{}", told(&report));
    assert!(stage.history_is_whole(&id).await);
    let left = stage.preview(&id).await;
    assert!(left.plan.changes.is_empty(), "{}", landfall_reports::text::plan(&left.plan, None));
    // The gate closes before anything else is written, and opens after everything else.
    let writes = stage.writes_to(&id);
    assert_eq!(writes.first().unwrap(), "Microsoft.Authorization:policyAssignments/write", "{writes:?}");
    // Only the subscription's lock comes after it, which would have held it closed.
    let last = writes.last_chunk::<2>().unwrap();
    assert_eq!(
        last,
        &["Microsoft.Authorization:policyAssignments/delete", "Microsoft.Authorization:locks/write"],
        "{writes:?}"
    );
    let deliveries = stage.engine.store.list("deliveries", None, 10).await.unwrap();
    assert_eq!(deliveries.len(), 1);
}

#[tokio::test]
async fn the_timer_s_sweep_alone_finds_a_new_subscription_and_brings_it_the_same_way() {
    let (stage, id) = with_a_new_subscription("new-shop").await;
    stage.sweep().await;
    for _ in 0..3 {
        stage.clock.pass(SignedDuration::from_secs(11));
        stage.sweep().await;
    }
    assert_eq!(stage.record(&id).await.unwrap().life, Life::HandedOver);
    // The event that comes late finds nothing to do.
    stage.simulator.clear_calls();
    stage.run(&id, Cause::Joined).await;
    assert!(stage.writes_to(&id).is_empty());
}

#[tokio::test]
async fn what_is_broken_by_hand_is_found_and_repaired_by_the_next_sweep() {
    let (stage, id) = with_a_new_subscription("new-shop").await;
    assert_eq!(bring(&stage, &id).await, Life::HandedOver);
    stage.simulator.edit(|world| {
        let inside = world.subscription_mut(&id).unwrap();
        inside.security_contacts.clear();
        inside.governance.locks.clear();
        inside.governance.diagnostic_settings.clear();
    });
    stage.simulator.clear_calls();
    stage.sweep().await;
    assert!(!stage.writes_to(&id).is_empty());
    stage.simulator.clear_calls();
    stage.sweep().await;
    assert!(stage.writes_to(&id).is_empty(), "{:?}", stage.writes_to(&id));
    assert!(stage.preview(&id).await.plan.changes.is_empty());
    assert!(stage.history_is_whole(&id).await);
}

#[tokio::test]
async fn a_subscription_that_was_there_before_is_not_written_until_the_manifest_names_it() {
    let mut stage = Stage::on_azure(5).await;
    let older = subscription(5);
    stage.sweep().await;
    let report = stage.reconcile(&older, Cause::Joined).await;
    assert!(matches!(report.standing, Standing::ReportOnly(_)), "{:?}", report.standing);
    assert!(stage.writes_to(&older).is_empty());

    stage.follow_on_azure(&ACME.replace("000000000003", "000000000005")).await;
    let report = stage.reconcile(&older, Cause::Asked).await;
    assert_eq!(report.standing, Standing::Adopted);
    let writes = stage.writes_to(&older);
    assert!(writes.contains(&"Microsoft.Resources:tags/write".to_owned()), "{writes:?}");
}

#[tokio::test]
async fn a_subscription_that_comes_with_a_business_in_it_is_never_gated() {
    let (stage, id) = with_a_new_subscription("acquired-shop").await;
    stage.simulator.edit(|world| {
        let inside = world.subscription_mut(&id).unwrap();
        let group = inside.add_resource_group("shop", "westeurope");
        group.add_resource("Microsoft.Web/sites", "shop", "westeurope", &serde_json::json!({}));
    });
    let report = stage.reconcile(&id, Cause::Joined).await;
    assert!(matches!(report.standing, Standing::ReportOnly(_)), "{:?}", report.standing);
    assert_eq!(report.life, Life::Adopted);
    assert!(stage.writes_to(&id).is_empty());
    // It stays so when its last resource is gone.
    stage.simulator.edit(|world| world.subscription_mut(&id).unwrap().resource_groups.clear());
    stage.sweep().await;
    assert!(stage.writes_to(&id).is_empty());
}

#[tokio::test]
async fn nothing_is_gated_before_the_first_inventory() {
    let stage = Stage::on_azure(1).await;
    let id = stage.simulator.edit(|world| world.add_subscription("new-shop"));
    let report = stage.reconcile(&id, Cause::Created).await;
    assert_eq!(
        report.standing,
        Standing::ReportOnly("there is no first inventory yet: the next sweep writes it".into())
    );
    assert!(stage.writes_to(&id).is_empty());
}

#[tokio::test]
async fn a_new_subscription_that_nobody_lets_in_stays_behind_its_gate() {
    let (stage, id) = with_a_new_subscription("mystery").await;
    let report = stage.reconcile(&id, Cause::Created).await;
    assert_eq!((report.life, &report.standing), (Life::Gated, &Standing::Waiting));
    assert_eq!(stage.writes_to(&id), ["Microsoft.Authorization:policyAssignments/write"]);
    // A sweep later it is still there, and nothing more was written.
    stage.sweep().await;
    assert_eq!(stage.writes_to(&id), ["Microsoft.Authorization:policyAssignments/write"]);
}

#[tokio::test]
async fn a_subscription_that_can_t_be_verified_stays_gated_and_the_report_says_why() {
    let (stage, id) = with_a_new_subscription("new-shop").await;
    stage.simulator.set_faults("deny=Microsoft.Security:securityContacts/write".parse().unwrap());
    let report = stage.reconcile(&id, Cause::Created).await;
    assert_eq!(report.life, Life::Placed, "{}", told(&report));
    let withheld: Vec<_> = report
        .outcomes
        .iter()
        .filter_map(|outcome| match &outcome.result {
            Done::Withheld { why } => Some(why.as_str()),
            Done::Written { .. } | Done::Failed { .. } | Done::Moved { .. } => None,
        })
        .collect();
    assert!(withheld.iter().any(|why| why.contains("security-contacts")), "{withheld:?}");
    assert_eq!(
        report.outcomes.iter().filter(|outcome| matches!(outcome.result, Done::Failed { .. })).count(),
        1,
        "one broken setting costs that setting"
    );
    assert!(!stage.writes_to(&id).contains(&"Microsoft.Authorization:policyAssignments/delete".to_owned()));
    // The right is granted, and the next look hands it over.
    stage.simulator.set_faults(Faults::default());
    stage.clock.pass(SignedDuration::from_mins(20));
    assert_eq!(bring(&stage, &id).await, Life::HandedOver);
    assert!(stage.history_is_whole(&id).await);
}

#[tokio::test]
async fn could_not_look_is_unknown_and_never_a_pass() {
    let (stage, id) = with_a_new_subscription("new-shop").await;
    assert_eq!(bring(&stage, &id).await, Life::HandedOver);
    stage
        .simulator
        .set_faults(format!("deny=Microsoft.Security:securityContacts/read@{id}").parse().unwrap());
    let report = stage.reconcile(&id, Cause::Asked).await;
    let control = ControlKind::SecurityContacts;
    let finding = report.findings.iter().find(|finding| finding.control == control).unwrap();
    assert_eq!(finding.status, Status::Unknown);
    assert!(finding.why.contains("AuthorizationFailed"), "{}", finding.why);
    assert!(report.changes.is_empty(), "what can't be seen is not written");
}

#[tokio::test]
async fn a_gate_that_can_t_be_closed_or_seen_stops_everything_behind_it() {
    for what in ["write", "read"] {
        let (stage, id) = with_a_new_subscription("new-shop").await;
        let fault = format!("deny=Microsoft.Authorization:policyAssignments/{what}@{id}");
        stage.simulator.set_faults(fault.parse().unwrap());
        let report = stage.reconcile(&id, Cause::Created).await;
        assert_eq!(report.life, Life::Discovered, "{fault}: {}", told(&report));
        let writes = stage.writes_to(&id);
        assert!(writes.is_empty(), "{fault}: {writes:?}");
    }
}

#[tokio::test]
async fn throttling_of_a_fifth_and_slow_effects_only_cost_time() {
    for faults in ["throttle=0.2,seed=7", "5xx=0.1,seed=3", "throttle=0.2,lag=300ms,seed=11"] {
        let (stage, id) = with_a_new_subscription("new-shop").await;
        stage.simulator.set_faults(faults.parse().unwrap());
        drop(stage.order(tenant(&id), Cause::Created).await);
        for _ in 0..8 {
            if stage.record(&id).await.unwrap().life == Life::HandedOver {
                break;
            }
            tokio::time::sleep(Duration::from_millis(400)).await;
            stage.clock.pass(SignedDuration::from_mins(11));
            drop(stage.order(tenant(&id), Cause::Asked).await);
        }
        assert_eq!(stage.record(&id).await.unwrap().life, Life::HandedOver, "{faults}");
        tokio::time::sleep(Duration::from_millis(400)).await;
        let left = stage.preview(&id).await;
        assert!(left.plan.changes.is_empty(), "{faults}: {}", landfall_reports::text::plan(&left.plan, None));
        assert!(stage.history_is_whole(&id).await, "{faults}");
    }
}

#[tokio::test]
async fn three_deliveries_at_once_come_to_one_baseline() {
    let (stage, id) = with_a_new_subscription("new-shop").await;
    let engines = [stage.another_on_azure(), stage.another_on_azure(), stage.another_on_azure()];
    let order = Order::new(tenant(&id), Cause::Created, stage.deadline());
    let [one, two, three] = &engines;
    let (one, two, three) =
        tokio::join!(reconcile(one, &order), reconcile(two, &order), reconcile(three, &order));
    for done in [one, two, three] {
        drop(done.unwrap());
    }
    for _ in 0..3 {
        stage.clock.pass(SignedDuration::from_mins(6));
        stage.run(&id, Cause::Asked).await;
    }
    assert_eq!(stage.record(&id).await.unwrap().life, Life::HandedOver);
    assert!(stage.preview(&id).await.plan.changes.is_empty());
    let deliveries = stage.engine.store.list("deliveries", None, 10).await.unwrap();
    assert_eq!(deliveries.len(), 1);
    assert!(stage.history_is_whole(&id).await);
}

#[tokio::test]
async fn a_run_without_time_says_so_and_the_next_one_goes_on() {
    let (stage, id) = with_a_new_subscription("new-shop").await;
    let soon = Deadline(stage.engine.clock.now() + SignedDuration::from_secs(2));
    let order = Order::new(tenant(&id), Cause::Created, soon);
    let Reconciled::Done(report) = reconcile(&stage.engine, &order).await.unwrap() else {
        panic!("not done")
    };
    assert_eq!(report.next, Next::Resume);
    assert!(stage.writes_to(&id).is_empty());
    stage.drain().await;
    assert_eq!(bring(&stage, &id).await, Life::HandedOver);
}

#[tokio::test]
async fn a_subscription_that_does_not_work_and_landfall_s_own_are_reported_and_not_gated() {
    let (stage, id) = with_a_new_subscription("new-shop").await;
    for state in ["Disabled", "Warned", "PastDue"] {
        stage.simulator.edit(|world| world.subscription_mut(&id).unwrap().state = state.to_owned());
        let report = stage.reconcile(&id, Cause::Created).await;
        assert_eq!(report.standing, Standing::ReportOnly("it is suspended".into()), "{state}");
        assert!(stage.writes_to(&id).is_empty(), "{state}");
    }
    let own = stage.reconcile(&subscription(1), Cause::Asked).await;
    assert!(matches!(own.standing, Standing::ReportOnly(_)));
    assert!(stage.writes_to(&subscription(1)).is_empty());
}

#[tokio::test]
async fn behind_the_gate_nobody_makes_anything_and_after_it_only_what_the_unit_allows() {
    let (stage, id) = with_a_new_subscription("new-shop").await;
    let make = |kind: &str, location: &str| {
        let path = format!("/subscriptions/{id}/resourceGroups/shop/providers/{kind}/one");
        let body = serde_json::json!({"location": location, "properties": {"allowBlobPublicAccess": false}});
        ask(&stage.simulator.url(), "PUT", &format!("{path}?api-version=2024-07-01"), "somebody", &body)
    };
    stage.simulator.edit(|world| {
        let inside = world.subscription_mut(&id).unwrap();
        inside.add_resource_group("shop", "westeurope");
        inside.register("Microsoft.Storage");
        inside.register("Microsoft.Sql");
    });
    // Born in quarantine: before any run of ours has come by.
    assert_eq!(make("Microsoft.Storage/storageAccounts", "westeurope").0, 403);
    assert_eq!(bring(&stage, &id).await, Life::HandedOver);
    assert_eq!(make("Microsoft.Storage/storageAccounts", "westeurope").0, 201);
    assert_eq!(make("Microsoft.Storage/storageAccounts", "eastus").0, 403, "not in an allowed location");
    assert_eq!(make("Microsoft.Sql/servers", "westeurope").0, 403, "denied by its unit");
}

#[tokio::test]
async fn another_cloud_s_target_is_refused() {
    let stage = Stage::on_azure(1).await;
    for target in ["organization/aws", "aws/222222222222"] {
        let order = Order::new(target.parse().unwrap(), Cause::Asked, stage.deadline());
        let refused = reconcile(&stage.engine, &order).await.unwrap_err();
        assert!(refused.to_string().contains("is not of the cloud `azure`"), "{refused}");
    }
}
