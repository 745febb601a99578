//! Service Usage: which APIs are enabled, and what is refused where one is not.

use landfall_simulator::gcp::{CONTROLLER_PROJECT, GcpSimulator};
use serde_json::{Value, json};

use crate::client::{Client, simulator};

const USAGE: &str = "/serviceusage.googleapis.com/v1";
const COMPUTE: &str = "/compute.googleapis.com/compute/v1/projects/team-0001";

fn enabled(client: &Client) -> Vec<String> {
    let path = format!("{USAGE}/projects/team-0001/services?filter=state:ENABLED&pageSize=5");
    let (services, pages) = client.pages(&path, "services");
    assert!(pages > 1, "the list has pages");
    let name = |one: &Value| one.pointer("/config/name").and_then(Value::as_str).unwrap_or("?").to_owned();
    services.iter().map(name).collect()
}

fn batch_enable(client: &Client, services: &[&str]) -> crate::client::Answer {
    let path = format!("{USAGE}/projects/team-0001/services:batchEnable");
    client.post(&path, &json!({ "serviceIds": services }))
}

fn set(simulator: &GcpSimulator, change: Value) {
    assert_eq!(Client::new(simulator).control("POST", "settings", &change.to_string()).status, 200);
}

#[test]
fn services_are_enabled_by_an_operation_with_what_they_need() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    assert!(!enabled(&client).contains(&"compute.googleapis.com".to_owned()));
    let begun = batch_enable(&client, &["compute.googleapis.com", "pubsub.googleapis.com"]);
    assert_ne!(begun.json()["done"], json!(true));
    let (done, _) = client.finish(USAGE, &begun);
    assert_eq!(
        done["response"]["@type"],
        "type.googleapis.com/google.api.serviceusage.v1.BatchEnableServicesResponse"
    );
    assert_eq!(done["response"]["services"][1]["config"]["title"], "Cloud Pub/Sub API");
    let now = enabled(&client);
    for host in ["compute", "oslogin", "pubsub", "logging"] {
        assert!(now.contains(&format!("{host}.googleapis.com")), "{host}: {now:?}");
    }
    let again = batch_enable(&client, &["pubsub.googleapis.com"]).json();
    assert_eq!((&again["name"], &again["done"]), (&json!("operations/noop.DONE_OPERATION"), &json!(true)));
}

#[test]
fn answers_name_projects_by_their_numbers() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let number = simulator.read(|world| world.project("team-0001").unwrap().name());
    let one = client.get(&format!("{USAGE}/projects/team-0001/services/logging.googleapis.com")).json();
    assert_eq!(one["parent"], json!(number));
    assert_eq!(
        (&one["name"], &one["state"]),
        (&json!(format!("{number}/services/logging.googleapis.com")), &json!("ENABLED"))
    );
    let names = "names=projects/team-0001/services/run.googleapis.com&names=projects/team-0001/services/logging.googleapis.com";
    let both = client.get(&format!("{USAGE}/projects/team-0001/services:batchGet?{names}"));
    let states: Vec<String> = both.listed("services", "/state");
    assert_eq!(states, ["DISABLED", "ENABLED"]);
}

#[test]
fn what_can_not_be_enabled() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let many: Vec<String> = (0..21).map(|n| format!("s{n}.googleapis.com")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(batch_enable(&client, &many).told(), "400 INVALID_ARGUMENT");
    assert_eq!(batch_enable(&client, &[]).told(), "400 INVALID_ARGUMENT");
    let unknown = batch_enable(&client, &["nothing.googleapis.com"]);
    assert_eq!(unknown.told(), "403 PERMISSION_DENIED");
    assert_eq!(unknown.reason(), "SERVICE_CONFIG_NOT_FOUND_OR_PERMISSION_DENIED");
    simulator.edit(|world| world.project_mut("team-0001").unwrap().billing_account = None);
    let unpaid = batch_enable(&client, &["compute.googleapis.com"]);
    assert_eq!(
        (unpaid.told().as_str(), unpaid.reason().as_str()),
        ("400 FAILED_PRECONDITION", "UREQ_PROJECT_BILLING_NOT_FOUND")
    );
    let path = format!("{USAGE}/projects/team-0001/services:batchEnable");
    assert_eq!(client.post(&path, &json!({"services": []})).told(), "400 INVALID_ARGUMENT");
}

#[test]
fn an_api_that_others_need_is_disabled_only_with_them() {
    let simulator = simulator(1);
    simulator.edit(|world| world.enable("team-0001", &["compute.googleapis.com", "oslogin.googleapis.com"]));
    let client = Client::new(&simulator);
    let path = format!("{USAGE}/projects/team-0001/services/oslogin.googleapis.com:disable");
    assert_eq!(client.post(&path, &json!({})).told(), "400 FAILED_PRECONDITION");
    let (done, _) = client.finish(USAGE, &client.post(&path, &json!({"disableDependentServices": true})));
    assert_eq!(done["response"]["service"]["state"], "DISABLED");
    assert!(!enabled(&client).iter().any(|host| host.starts_with("compute") || host.starts_with("oslogin")));
}

#[test]
fn what_is_enabled_shows_after_some_looks() {
    let simulator = simulator(1);
    set(&simulator, json!({"activation_looks": 2, "operation_polls": 0}));
    let client = Client::new(&simulator);
    assert_eq!(batch_enable(&client, &["compute.googleapis.com"]).json()["done"], true);
    let state =
        || client.get(&format!("{USAGE}/projects/team-0001/services/compute.googleapis.com")).text("/state");
    assert_eq!(state(), "DISABLED");
    assert_eq!(client.get(COMPUTE).reason(), "SERVICE_DISABLED");
    assert_eq!(state(), "ENABLED");
    assert_eq!(client.get(COMPUTE).told(), "200");
}

#[test]
fn an_api_that_is_not_enabled_is_refused() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    // Compute asks the project that the call is about …
    let refused = client.get(COMPUTE);
    assert_eq!(
        (refused.told().as_str(), refused.reason().as_str()),
        ("403 PERMISSION_DENIED", "SERVICE_DISABLED")
    );
    assert_eq!(refused.text("/error/errors/0/reason"), "accessNotConfigured");
    assert_eq!(refused.text("/error/details/0/metadata/service"), "compute.googleapis.com");
    assert!(refused.text("/error/message").starts_with("Compute Engine API has not been used in project "));
    // … and most others the caller's own.
    let contacts = "/essentialcontacts.googleapis.com/v1/projects/team-0001/contacts";
    assert_eq!(client.get(contacts).told(), "200");
    simulator.edit(|world| {
        world.project_mut(CONTROLLER_PROJECT).unwrap().services.remove("essentialcontacts.googleapis.com")
    });
    let refused = client.get(contacts);
    assert_eq!(
        (refused.told().as_str(), refused.reason().as_str()),
        ("403 PERMISSION_DENIED", "SERVICE_DISABLED")
    );
}
