//! Faults: throttling, denials, cut connections, lag.

#![expect(clippy::indexing_slicing, reason = "a helper of tests: what fails here fails the test")]

use std::time::{Duration, Instant};

use landfall_simulator::azure::READER;
use landfall_simulator::{Denied, Faults};
use serde_json::{Value, json};

use crate::client::{
    Client, FIRST, SECOND, THIRD, assigning, denying, group, policy, simulator, subscription,
};

fn tags(id: &str) -> String {
    format!("{}/providers/Microsoft.Resources/tags/default?api-version=2025-04-01", subscription(id))
}

const BEARER: &str = "authorization: Bearer landfall-write\r\n";

fn tagging(client: &Client, id: &str, value: &str) -> Option<u16> {
    let body = json!({"operation": "Merge", "properties": {"tags": {"a": value}}}).to_string();
    client.send("PATCH", &tags(id), BEARER, &body).map(|answer| answer.status)
}

fn tagged(client: &Client, id: &str) -> Value {
    client.get(&tags(id)).json()["properties"]["tags"].clone()
}

#[test]
fn a_throttled_call_says_how_long_to_wait() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    simulator.edit(|world| world.settings.retry_after = 7);
    simulator.set_faults("throttle=1".parse().unwrap());
    let answer = client.get(&subscription(FIRST));
    assert_eq!(answer.told(), "429 TooManyRequests");
    assert_eq!(answer.header("retry-after"), Some("7"));
    assert_eq!(answer.header("x-ms-ratelimit-remaining-subscription-reads"), Some("0"));
    simulator.set_faults("5xx=1".parse().unwrap());
    assert_eq!(client.get(&subscription(FIRST)).told(), "503 ServiceUnavailable");
}

#[test]
fn a_denial_can_be_aimed_at_one_permission_in_one_subscription() {
    let simulator = simulator(2);
    let client = Client::new(&simulator);
    let lock = |id: &str| format!("{}/providers/Microsoft.Authorization/locks/x", subscription(id));
    let body = json!({"properties": {"level": "CanNotDelete"}});
    simulator.set_faults(format!("deny=Microsoft.Authorization:locks/write@{SECOND}").parse().unwrap());
    assert_eq!(client.put(&lock(SECOND), &body).told(), "403 AuthorizationFailed");
    assert_eq!(client.get(&lock(SECOND)).told(), "404 LockNotFound");
    assert_eq!(client.put(&lock(FIRST), &body).status, 201);
    simulator.set_faults("deny=Microsoft.Authorization:*".parse().unwrap());
    assert_eq!(client.get(&lock(FIRST)).told(), "403 AuthorizationFailed");
    let denied = Denied {
        service: "Microsoft.Management".into(),
        operation: "*".into(),
        account: Some("acme".into()),
    };
    simulator.set_faults(Faults { deny: vec![denied], ..Faults::default() });
    assert_eq!(client.get(&group("acme")).told(), "403 AuthorizationFailed");
    assert_eq!(client.get("/providers/Microsoft.Management/managementGroups").status, 200);
}

#[test]
fn a_cut_call_takes_effect_but_nobody_hears_of_it() {
    let simulator = simulator(2);
    let client = Client::new(&simulator);
    simulator.set_faults("cut=2".parse().unwrap());
    assert_eq!(tagging(&client, FIRST, "1"), Some(200));
    assert_eq!(tagging(&client, SECOND, "2"), None);
    assert_eq!(tagging(&client, FIRST, "3"), None, "and everything after it is cut too");
    simulator.set_faults(Faults::default());
    assert_eq!((tagged(&client, FIRST), tagged(&client, SECOND)), (json!({"a": "1"}), json!({"a": "2"})));
    assert_eq!(simulator.calls()[1].status, None);
    simulator.set_faults("cut-before=1".parse().unwrap());
    assert_eq!(tagging(&client, FIRST, "4"), None);
    simulator.set_faults(Faults::default());
    assert_eq!(tagged(&client, FIRST), json!({"a": "1"}));
}

#[test]
fn a_group_whose_making_was_cut_is_made_by_who_begins_again() {
    let simulator = simulator(0);
    let client = Client::new(&simulator);
    simulator.set_faults("cut=1".parse().unwrap());
    let path = format!("{}?api-version=2023-04-01", group("g"));
    assert!(client.send("PUT", &path, BEARER, "{}").is_none());
    simulator.set_faults(Faults::default());
    assert_eq!(client.get(&group("g")).status, 404, "it is being made");
    assert_eq!(client.put(&group("g"), &json!({})).status, 202);
    assert_eq!(client.get(&group("g")).status, 200);
}

#[test]
fn reads_lag_behind_writes_of_the_same_subscription_only() {
    let simulator = simulator(3);
    let client = Client::new(&simulator);
    simulator.set_faults(Faults { lag: Duration::from_secs(3_600), ..Faults::default() });
    tagging(&client, SECOND, "1");
    assert_eq!(tagged(&client, SECOND), json!({}));
    simulator.edit(|world| world.at(&subscription(THIRD)).unwrap().tags.insert("b".into(), "2".into()));
    assert_eq!(tagged(&client, THIRD), json!({"b": "2"}));
    let role = format!(
        "{}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-4000-8000-000000000001",
        subscription(SECOND)
    );
    let reader = format!("/providers/Microsoft.Authorization/roleDefinitions/{READER}");
    let body = json!({"properties": {"roleDefinitionId": reader, "principalId": landfall_simulator::azure::CREATOR}});
    assert_eq!(client.put(&role, &body).status, 201);
    assert_eq!(client.get(&role).status, 404);
    assert_eq!(client.put(&role, &body).status, 200, "writes see the truth");
    let place = format!("{}/subscriptions/{SECOND}", group("acme"));
    assert_eq!(client.put(&place, &Value::Null).status, 200);
    assert_eq!(client.get(&place).status, 404);
    assert!(client.get(&format!("{}/descendants", group("acme"))).listed("/name").is_empty());
    assert_eq!(simulator.read(|world| world.subscription(SECOND).unwrap().parent.clone()), "acme");
    simulator.set_faults(Faults::default());
    assert_eq!((client.get(&role).status, client.get(&place).status), (200, 200));
}

#[test]
fn a_policy_binds_only_after_the_lag() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let lag = Duration::from_millis(300);
    simulator.set_faults(Faults { lag, ..Faults::default() });
    let definition = policy(&group(crate::client::DIRECTORY), "policyDefinitions", "no");
    client.put(&definition, &denying(&json!({"field": "type", "exists": true})));
    let begun = Instant::now();
    assert_eq!(
        client.put(&policy(&subscription(FIRST), "policyAssignments", "no"), &assigning(&definition)).status,
        201
    );
    let put = || {
        client
            .put(&format!("{}/resourceGroups/x", subscription(FIRST)), &json!({"location": "westeurope"}))
            .status
    };
    let first = put();
    assert!(first == 201 || begun.elapsed() >= lag, "{first}");
    while put() != 403 {
        assert!(begun.elapsed() < Duration::from_secs(20), "the lag never ended");
        std::thread::yield_now();
    }
    assert!(begun.elapsed() >= lag);
}
