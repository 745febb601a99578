//! The simulator's own door, breakages, and starting twice.

use landfall_simulator::StartError;
use landfall_simulator::azure::{AzureBreakage, AzureOptions, AzureSimulator, AzureWorld, OWNER};
use serde_json::json;

use crate::client::{Client, DIRECTORY, SECOND, simulator, subscription};

#[test]
fn another_process_can_look_break_and_set_faults() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    client.get("/subscriptions");
    let calls = client.control("GET", "calls", "").json();
    assert_eq!(calls.as_array().unwrap().len(), 1, "the control door is not logged");
    assert_eq!(calls[0]["operation"], "subscriptions/read");
    let id = client.control("POST", "subscriptions", r#"{"name":"born"}"#).json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let world = client.control("GET", "world", "").json();
    assert_eq!(world["subscriptions"][&id]["parent"], DIRECTORY);
    assert_eq!(client.control("GET", "events", "").json().as_array().unwrap().len(), 4);
    assert_eq!(client.control("GET", "events", "").json(), json!([]));
    assert_eq!(client.control("POST", "faults", "throttle=1").status, 200);
    assert_eq!(client.get("/subscriptions").told(), "429 TooManyRequests");
    assert_eq!(client.control("POST", "faults", "throttle=3").status, 400);
    assert_eq!(client.control("POST", "faults", "").status, 200);
    let settings = client.control("POST", "settings", r#"{"empty_pages":true,"operation_polls":3}"#).json();
    assert_eq!((&settings["empty_pages"], &settings["operation_polls"]), (&json!(true), &json!(3)));
    assert_eq!(client.get("/subscriptions").json()["value"], json!([]));
    assert_eq!(client.control("POST", "settings", r#"{"speed":1}"#).status, 400);
    assert_eq!(client.control("GET", "nothing", "").status, 404);
    assert_eq!(client.control("DELETE", "calls", "").status, 200);
    assert!(simulator.calls().is_empty());
}

#[test]
fn everything_that_can_be_broken_can_be_broken() {
    let simulator = simulator(2);
    let client = Client::new(&simulator);
    for (name, _) in AzureBreakage::all() {
        let body = json!({"subscription": SECOND.to_uppercase(), "what": name}).to_string();
        let answer = client.control("POST", "break", &body);
        assert_eq!(answer.status, 200, "{name}: {}", answer.body);
    }
    simulator.read(|world| {
        let found = world.subscription(SECOND).unwrap();
        assert_eq!((found.state.as_str(), found.name.as_str()), ("Warned", "team-0002 (renamed)"));
        assert!(found.resource_groups.contains_key("leaky") && found.governance.role_assignments.len() == 1);
        assert!(
            found
                .governance
                .role_assignments
                .values()
                .all(|one| one.text("roleDefinitionId").ends_with(OWNER))
        );
    });
    let unknown = client.control("POST", "break", &json!({"subscription": SECOND, "what": "x"}).to_string());
    assert!(unknown.body.contains("`x` can't be broken, expected one of tags"));
    let nobody = client.control("POST", "break", &json!({"subscription": "x", "what": "tags"}).to_string());
    assert_eq!(nobody.json()["error"], "there is no subscription `x`");
    let mut world = AzureWorld::sample(1);
    assert!(world.damage(SECOND, AzureBreakage::Tags).is_err());
}

#[test]
fn a_busy_port_is_refused_and_a_stopped_one_is_free() {
    let first = simulator(0);
    let listen = first.address();
    let again = AzureSimulator::start(AzureOptions { listen, ..AzureOptions::default() });
    assert!(matches!(again, Err(StartError::Listen { .. })));
    first.stop();
    AzureSimulator::start(AzureOptions { listen, ..AzureOptions::default() }).unwrap();
}

#[test]
fn a_prepared_world_is_served_and_can_be_broken_by_hand() {
    let mut world = AzureWorld::sample(4);
    "Disabled".clone_into(&mut world.subscription_mut(SECOND).unwrap().state);
    let simulator =
        AzureSimulator::start(AzureOptions { world: Some(world), ..AzureOptions::default() }).unwrap();
    let client = Client::new(&simulator);
    assert_eq!(client.get(&subscription(SECOND)).json()["state"], "Disabled");
    simulator.edit(|world| world.at(&subscription(SECOND)).unwrap().tags.insert("a".into(), "b".into()));
    assert_eq!(client.get(&subscription(SECOND)).json()["tags"], json!({"a": "b"}));
    let names = client.get("/subscriptions").listed("/displayName");
    assert_eq!(names, ["platform", "team-0002", "team-0003", "team-0004"]);
}
