//! What goes wrong on purpose, and what is seen late.

use std::time::Duration;

use landfall_simulator::Faults;
use serde_json::json;

use crate::client::{Client, RESOURCES, ROOT, simulator};

const PROJECT: &str = "/cloudresourcemanager.googleapis.com/v3/projects/team-0001";

#[test]
fn calls_are_throttled_refused_and_cut_as_asked() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    simulator.set_faults(Faults { throttle: 1.0, ..Faults::default() });
    let throttled = client.get(PROJECT);
    assert_eq!(
        (throttled.told().as_str(), throttled.reason().as_str()),
        ("429 RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED")
    );
    assert_eq!(throttled.header("retry-after"), None);
    simulator.set_faults(Faults { server_error: 1.0, ..Faults::default() });
    assert_eq!(client.get(PROJECT).told(), "503 UNAVAILABLE");
    simulator.set_faults("cut=1".parse().unwrap());
    let authorization = "authorization: Bearer landfall-write\r\n";
    let body = json!({"displayName": "made anyway", "parent": ROOT}).to_string();
    simulator.edit(|world| world.settings.operation_polls = 0);
    assert!(client.send("POST", &format!("{RESOURCES}/folders"), authorization, &body).is_none());
    assert!(client.send("GET", PROJECT, authorization, "").is_none());
    assert!(
        simulator.read(|world| world.folders.values().any(|folder| folder.display_name == "made anyway"))
    );
    simulator.set_faults("deny=cloudresourcemanager:projects.get@team-0001".parse().unwrap());
    assert_eq!(client.get(PROJECT).told(), "403 PERMISSION_DENIED");
    assert_eq!(client.get(&format!("{RESOURCES}/projects/acme-landfall")).told(), "200");
    let last = simulator.calls().pop().unwrap();
    assert_eq!(
        (last.service.as_str(), last.operation.as_str(), last.account.as_str()),
        ("cloudresourcemanager", "projects.get", "acme-landfall")
    );
}

#[test]
fn searches_lag_and_gets_do_not() {
    let simulator = simulator(1);
    simulator.edit(|world| world.settings.operation_polls = 0);
    simulator.set_faults(Faults { lag: Duration::from_secs(60), ..Faults::default() });
    let client = Client::new(&simulator);
    let made =
        client.post(&format!("{RESOURCES}/folders"), &json!({"displayName": "workloads", "parent": ROOT}));
    let name = made.text("/response/name");
    assert_eq!(client.get(&format!("{RESOURCES}/{name}")).told(), "200");
    let search = format!("{RESOURCES}/folders:search?query=displayName=workloads");
    assert_eq!(client.get(&search).json(), json!({}));
    simulator.set_faults(Faults::default());
    assert_eq!(client.get(&search).listed("folders", "/name"), [name]);
}

#[test]
fn what_is_allowed_is_decided_by_what_was() {
    let simulator = simulator(1);
    simulator.edit(|world| {
        world.tokens.insert("ada".to_owned(), "user:ada@acme.example".to_owned());
        world.settings.operation_polls = 0;
    });
    simulator.set_faults(Faults { lag: Duration::from_secs(60), ..Faults::default() });
    let (client, ada) = (Client::new(&simulator), Client::with(&simulator, "ada"));
    let policy =
        json!({"policy": {"bindings": [{"role": "roles/viewer", "members": ["user:ada@acme.example"]}]}});
    assert_eq!(client.post(&format!("{PROJECT}:setIamPolicy"), &policy).told(), "200");
    assert_eq!(ada.get(PROJECT).told(), "403 PERMISSION_DENIED", "not yet");
    simulator.set_faults(Faults::default());
    assert_eq!(ada.get(PROJECT).told(), "200");
}
