//! The simulator's own door, breakages, and starting twice.

use landfall_simulator::StartError;
use landfall_simulator::gcp::{GcpBreakage, GcpOptions, GcpSimulator, GcpWorld};
use serde_json::json;

use crate::client::{Client, RESOURCES, ROOT, simulator};

#[test]
fn another_process_can_look_break_and_set_faults() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let search = &format!("{RESOURCES}/projects:search");
    client.get(search);
    let calls = client.control("GET", "calls", "").json();
    assert_eq!(calls.as_array().unwrap().len(), 1, "the control door is not logged");
    assert_eq!(calls[0]["operation"], "projects.search");
    let number = client.control("POST", "projects", r#"{"id":"team-born"}"#).text("/number");
    let world = client.control("GET", "world", "").json();
    assert_eq!(world["projects"]["team-born"]["parent"], ROOT);
    assert_eq!(world["projects"]["team-born"]["number"], number);
    assert_eq!(client.control("GET", "events", "").json().as_array().unwrap().len(), 2);
    assert_eq!(client.control("GET", "events", "").json(), json!([]));
    assert_eq!(client.control("POST", "tokens", r#"{"ada":"user:ada@acme.example"}"#).status, 200);
    assert_eq!(Client::with(&simulator, "ada").get(search).told(), "403 PERMISSION_DENIED");
    assert_eq!(client.control("POST", "faults", "throttle=1").status, 200);
    assert_eq!(client.get(search).told(), "429 RESOURCE_EXHAUSTED");
    assert_eq!(client.control("POST", "faults", "throttle=3").status, 400);
    assert_eq!(client.control("POST", "faults", "").status, 200);
    let settings = client
        .control("POST", "settings", r#"{"empty_pages":true,"operation_polls":3,"retry_after":7}"#)
        .json();
    assert_eq!((&settings["empty_pages"], &settings["operation_polls"]), (&json!(true), &json!(3)));
    assert!(client.get(search).json().get("projects").is_none());
    assert_eq!(client.control("POST", "settings", r#"{"speed":1}"#).status, 400);
    assert_eq!(client.control("GET", "nothing", "").status, 404);
    assert_eq!(client.control("DELETE", "calls", "").status, 200);
    assert!(simulator.calls().is_empty());
}

#[test]
fn everything_that_can_be_broken_can_be_broken() {
    let simulator = simulator(4);
    let client = Client::new(&simulator);
    for (name, _) in GcpBreakage::all() {
        let body = json!({"project": "team-0004", "what": name}).to_string();
        let answer = client.control("POST", "break", &body);
        assert_eq!(answer.status, 200, "{name}: {}", answer.body);
    }
    simulator.read(|world| {
        let found = world.project("team-0004").unwrap();
        assert_eq!((found.display_name.as_str(), found.deleted_at.is_some()), ("renamed by hand", true));
        assert!(found.governance.iam.grants("roles/owner", "user:somebody@elsewhere.example"));
        assert!(found.governance.things("cloudresourcemanager/liens").is_empty());
        assert!(found.governance.things("compute/networks").contains_key("default"));
        assert_eq!(found.governance.things("iam/serviceAccountKeys").len(), 1);
    });
    let unknown = client.control("POST", "break", &json!({"project": "team-0004", "what": "x"}).to_string());
    assert!(unknown.body.contains("`x` can't be broken, expected one of labels"));
    let nobody = client.control("POST", "break", &json!({"project": "x", "what": "labels"}).to_string());
    assert_eq!(nobody.json()["error"], "there is no project `x`");
}

#[test]
fn a_loosened_policy_allows_everything() {
    let mut world = GcpWorld::sample(4);
    world.damage("team-0004", GcpBreakage::OrgPolicy).unwrap();
    let policies = &world.project("team-0004").unwrap().governance.org_policies;
    assert_eq!(policies["gcp.resourceLocations"], json!({"spec": {"rules": [{"allowAll": true}]}}));
    assert!(world.damage("team-0005", GcpBreakage::Labels).is_err());
}

#[test]
fn a_busy_port_is_refused_and_a_stopped_one_is_free() {
    let first = simulator(0);
    let listen = first.address();
    let again = GcpSimulator::start(GcpOptions { listen, ..GcpOptions::default() });
    assert!(matches!(again, Err(StartError::Listen { .. })));
    first.stop();
    GcpSimulator::start(GcpOptions { listen, ..GcpOptions::default() }).unwrap();
}
