//! What the audit log says of a project's creation.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use landfall_simulator::gcp::{ORGANIZATION, event};
use serde_json::{Value, json};

use crate::client::{Client, RESOURCES, ROOT, simulator};

#[test]
fn a_creation_is_told_twice_and_only_the_second_says_how_it_ended() {
    let simulator = simulator(0);
    simulator.edit(|world| world.create_project("team-born", ROOT));
    let entries = simulator.take_events();
    assert_eq!(entries.len(), 2);
    let (first, last) = (&entries[0], &entries[1]);
    assert_eq!((&first["operation"]["first"], &last["operation"]["last"]), (&json!(true), &json!(true)));
    assert_eq!(first["operation"]["id"], last["operation"]["id"]);
    assert_ne!(first["insertId"], last["insertId"]);
    assert_eq!((first["protoPayload"].get("status"), &last["protoPayload"]["status"]), (None, &json!({})));
    for entry in &entries {
        assert_eq!(entry["protoPayload"]["methodName"], "CreateProject");
        assert_eq!(entry["protoPayload"]["resourceName"], "projects/team-born");
        assert_eq!(entry["protoPayload"]["authenticationInfo"]["principalEmail"], "founder@acme.example");
    }
    assert_eq!(
        last["protoPayload"]["request"]["project"]["parent"],
        json!({"id": ORGANIZATION, "type": "organization"})
    );
    assert!(simulator.take_events().is_empty());
}

#[test]
fn a_project_made_over_the_wire_is_told_when_it_is_there() {
    let simulator = simulator(0);
    let client = Client::new(&simulator);
    let begun =
        client.post(&format!("{RESOURCES}/projects"), &json!({"projectId": "team-born", "parent": ROOT}));
    assert!(simulator.take_events().is_empty());
    client.finish(RESOURCES, &begun);
    assert_eq!(simulator.take_events().len(), 2);
    let again =
        client.post(&format!("{RESOURCES}/projects"), &json!({"projectId": "team-born", "parent": ROOT}));
    assert_eq!(again.told(), "409 ALREADY_EXISTS");
}

#[test]
fn an_entry_travels_as_a_cloud_event_and_as_a_push() {
    let simulator = simulator(1);
    let sent = simulator.creation_event("team-0001").unwrap();
    assert_eq!(
        (&sent["specversion"], &sent["type"]),
        (&json!("1.0"), &json!("google.cloud.audit.log.v1.written"))
    );
    assert_eq!(sent["source"], "//cloudaudit.googleapis.com/projects/team-0001/logs/activity");
    assert_eq!(sent["subject"], "cloudresourcemanager.googleapis.com/projects/team-0001");
    let pushed = event::pushed(&sent["data"]);
    let data = STANDARD.decode(pushed["message"]["data"].as_str().unwrap()).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&data).unwrap(), sent["data"]);
    assert_eq!(pushed["message"]["messageId"], pushed["message"]["message_id"]);
    assert!(simulator.creation_event("nobody").is_none());
}
