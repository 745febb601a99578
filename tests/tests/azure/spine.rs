//! The whole way on Azure: a subscription is discovered, gated, brought to its baseline, handed over, broken, repaired; and what may
//! come in its way.

use jiff::SignedDuration;
use landfall_model::desired::Standing;
use landfall_model::finding::Status;
use landfall_model::record::Life;
use landfall_model::trigger::Cause;
use landfall_simulator::azure::AzureSimulator;
use landfall_tests::azure::{ACME, ask, closing, subscription, world};
use landfall_tests::spine::{self, bring, with_a_new_tenant};
use landfall_tests::stage::{Stage, tenant};

landfall_tests::whole_way! { AzureSimulator:
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
async fn a_new_subscription_is_handed_over_and_its_gate_opens_last() {
    let writes =
        spine::a_new_tenant_is_gated_brought_to_its_baseline_verified_and_handed_over::<AzureSimulator>()
            .await;
    // What comes after it: the subscription's lock, which would have held it closed, and identities, which it denies.
    const AFTER: [&str; 4] = [
        "Microsoft.Resources:subscriptions/resourceGroups/write",
        "Microsoft.Authorization:locks/write",
        "Microsoft.ManagedIdentity:userAssignedIdentities/write",
        "Microsoft.ManagedIdentity:userAssignedIdentities/federatedIdentityCredentials/write",
    ];
    let opens =
        writes.iter().rposition(|write| write == "Microsoft.Authorization:policyAssignments/delete").unwrap();
    let after = &writes[opens + 1..];
    assert!(after.iter().all(|write| AFTER.contains(&write.as_str())), "{writes:?}");
}

#[tokio::test]
async fn what_is_broken_by_hand_is_found_and_repaired_by_the_next_sweep() {
    spine::what_is_broken_by_hand_is_found_and_repaired_by_the_next_sweep::<AzureSimulator>(|world, id| {
        let inside = world.subscription_mut(id).unwrap();
        inside.security_contacts.clear();
        inside.governance.locks.clear();
        inside.governance.diagnostic_settings.clear();
    })
    .await;
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

/// Subscription 2 was there before, with a storage account that anybody may read.
#[tokio::test]
async fn public_storage_of_an_adopted_subscription_is_closed_where_that_is_asked() {
    let store = std::sync::Arc::new(landfall_engine::store::memory::MemoryStore::new());
    let stage = Stage::on(world(3), &closing(), store).await;
    let shop = subscription(2);
    let public = || {
        stage.simulator.read(|world| {
            let groups = &world.subscription(&subscription(2)).unwrap().resource_groups;
            groups["website"]
                .resources
                .values()
                .any(|one| one.resource.properties["allowBlobPublicAccess"] == true)
        })
    };
    let existing = async || {
        let report =
            landfall_engine::ask::last_report(&*stage.engine.store, &tenant(&shop)).await.unwrap().unwrap();
        let mut found = report.findings.into_iter();
        found.find(|one| one.address.to_string() == "block-public-storage/existing").unwrap()
    };
    assert!(public());
    // The first sweep assigns and places; Azure's view names the account when it stands in its unit, and the next one starts the task.
    for _ in 0..2 {
        stage.sweep().await;
        stage.clock.pass(SignedDuration::from_secs(11));
    }
    let starting = existing().await;
    assert_eq!(starting.status, Status::Unknown, "a task at work is no pass: {}", starting.why);
    for _ in 0..3 {
        stage.run(&shop, Cause::Asked).await;
        stage.clock.pass(SignedDuration::from_secs(11));
    }
    assert!(!public());
    let closed = existing().await;
    assert_eq!(closed.status, Status::Pass, "{}", closed.why);
    let evidence = closed.evidence.unwrap().value.unwrap();
    assert_eq!(
        (&evidence["wrong"], &evidence["task"]["state"]),
        (&serde_json::json!([]), &serde_json::json!("Succeeded"))
    );
    assert_eq!(evidence["task"]["total"], 1);
    stage.simulator.clear_calls();
    let swept = stage.sweep().await;
    assert_eq!(swept.changes, 0, "{swept:?}");
    let writes: Vec<String> = stage
        .simulator
        .calls()
        .into_iter()
        .filter(|call| call.method != "GET" && !call.operation.contains("policyStates"))
        .map(|call| format!("{} {}", call.method, call.path))
        .collect();
    assert!(writes.is_empty(), "{writes:?}");
    assert!(stage.history_is_whole(&shop).await);
}

#[tokio::test]
async fn a_subscription_that_comes_with_a_business_in_it_is_never_gated() {
    let (stage, id) = with_a_new_tenant::<AzureSimulator>("acquired-shop").await;
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
async fn a_subscription_that_does_not_work_and_landfall_s_own_are_reported_and_not_gated() {
    let (stage, id) = with_a_new_tenant::<AzureSimulator>("new-shop").await;
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
    let (stage, id) = with_a_new_tenant::<AzureSimulator>("new-shop").await;
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
