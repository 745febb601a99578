//! Compute: the default network, and the metadata of all instances.

use landfall_simulator::gcp::{GcpOptions, GcpSimulator, GcpWorld};
use serde_json::{Value, json};

use crate::client::{Answer, Client, simulator};

const COMPUTE: &str = "/compute.googleapis.com/compute/v1/projects/team-0001";

fn started() -> GcpSimulator {
    let simulator = simulator(1);
    simulator.edit(|world| world.enable("team-0001", &["compute.googleapis.com"]));
    simulator
}

/// Follows one of Compute's own operations.
fn finish(client: &Client, begun: &Answer) -> Value {
    assert_eq!(begun.told(), "200", "{}", begun.body);
    let name = begun.text("/name");
    assert_eq!(begun.text("/kind"), "compute#operation");
    let path = format!("{COMPUTE}/global/operations/{name}");
    let mut looks = std::iter::once(begun.json()).chain((0..20).map(|_| client.get(&path).json()));
    looks.find(|operation| operation.get("status") == Some(&json!("DONE"))).unwrap_or_default()
}

#[test]
fn a_default_network_comes_with_compute_and_goes_after_its_rules() {
    let simulator = started();
    let client = Client::new(&simulator);
    let networks = format!("{COMPUTE}/global/networks");
    let firewalls = format!("{COMPUTE}/global/firewalls");
    assert_eq!(client.get(&networks).listed("items", "/name"), ["default"]);
    let rules = client.get(&firewalls).listed("items", "/name");
    assert_eq!(
        rules,
        ["default-allow-icmp", "default-allow-internal", "default-allow-rdp", "default-allow-ssh"]
    );
    let refused = client.delete(&format!("{networks}/default"));
    assert_eq!(refused.status, 400);
    assert_eq!(refused.text("/error/errors/0/reason"), "resourceInUseByAnotherResource");
    for rule in rules {
        let done = finish(&client, &client.delete(&format!("{firewalls}/{rule}")));
        assert_eq!((&done["operationType"], &done["progress"]), (&json!("delete"), &json!(100)));
    }
    finish(&client, &client.delete(&format!("{networks}/default")));
    assert!(client.get(&networks).json().get("items").is_none());
    let gone = client.delete(&format!("{networks}/default"));
    assert_eq!((gone.status, gone.text("/error/errors/0/reason").as_str()), (404, "notFound"));
}

#[test]
fn a_network_with_an_instance_stays() {
    let simulator = started();
    simulator.edit(|world| {
        world.at("projects/team-0001").unwrap().things_mut("compute/firewalls").clear();
        world.add_instance("team-0001", "vm-1", "default");
    });
    let client = Client::new(&simulator);
    let refused = client.delete(&format!("{COMPUTE}/global/networks/default"));
    assert!(
        refused
            .text("/error/message")
            .ends_with("is already being used by 'projects/team-0001/zones/europe-west1-b/instances/vm-1'"),
        "{}",
        refused.body
    );
    let all = client.get(&format!("{COMPUTE}/aggregated/instances")).json();
    assert_eq!(all["items"]["zones/europe-west1-b"]["instances"][0]["name"], "vm-1");
    assert_eq!(all["items"]["zones/us-central1-b"]["warning"]["code"], "NO_RESULTS_ON_PAGE");
}

#[test]
fn no_default_network_comes_where_the_organization_forbids_it() {
    let mut world = GcpWorld::sample(1);
    let policy = json!({"spec": {"rules": [{"enforce": true}]}});
    world
        .organization
        .governance
        .org_policies
        .insert("compute.skipDefaultNetworkCreation".to_owned(), policy);
    world.enable("team-0001", &["compute.googleapis.com"]);
    let simulator = GcpSimulator::start(GcpOptions { world: Some(world), ..GcpOptions::default() }).unwrap();
    let client = Client::new(&simulator);
    assert!(client.get(&format!("{COMPUTE}/global/networks")).json().get("items").is_none());
    assert!(client.get(&format!("{COMPUTE}/global/firewalls")).json().get("items").is_none());
}

#[test]
fn a_service_account_comes_with_compute_and_edits_unless_that_is_forbidden() {
    let mut world = GcpWorld::sample(2);
    let policy = json!({"spec": {"rules": [{"enforce": true}]}});
    let forbidden = "iam.automaticIamGrantsForDefaultServiceAccounts".to_owned();
    world.at("projects/team-0002").unwrap().org_policies.insert(forbidden, policy);
    for (project, edits) in [("team-0001", true), ("team-0002", false)] {
        world.enable(project, &["compute.googleapis.com"]);
        let number = world.project(project).unwrap().number.clone();
        let email = format!("{number}-compute@developer.gserviceaccount.com");
        let governance = world.governance(&format!("projects/{project}")).unwrap();
        assert!(governance.things("iam/serviceAccounts").contains_key(&email));
        assert_eq!(governance.iam.grants("roles/editor", &format!("serviceAccount:{email}")), edits);
    }
}

#[test]
fn metadata_is_replaced_by_whoever_knows_its_fingerprint() {
    let simulator = started();
    let client = Client::new(&simulator);
    let project = client.get(COMPUTE).json();
    let before = &project["commonInstanceMetadata"];
    assert!(before.get("items").is_none());
    let path = format!("{COMPUTE}/setCommonInstanceMetadata");
    let items = json!([{"key": "enable-oslogin", "value": "TRUE"}]);
    let refused = client.post(&path, &json!({"items": items, "fingerprint": "b2xk"}));
    assert_eq!((refused.status, refused.text("/error/errors/0/reason").as_str()), (412, "conditionNotMet"));
    assert_eq!(client.post(&path, &json!({"items": items})).status, 412);
    let begun = client.post(&path, &json!({"items": items, "fingerprint": before["fingerprint"]}));
    assert_eq!(client.get(COMPUTE).json()["commonInstanceMetadata"], *before, "it is not done yet");
    finish(&client, &begun);
    let after = &client.get(COMPUTE).json()["commonInstanceMetadata"];
    assert_eq!(after["items"], items);
    assert_ne!(after["fingerprint"], before["fingerprint"]);
}

#[test]
fn rules_are_added_and_calls_have_their_documents_names() {
    let simulator = started();
    let client = Client::new(&simulator);
    let rule = json!({
        "name": "team", "network": "global/networks/default", "direction": "INGRESS",
        "allowed": [{"IPProtocol": "tcp", "ports": ["443"]}], "sourceRanges": ["10.0.0.0/8"],
    });
    let begun = client.post(&format!("{COMPUTE}/global/firewalls"), &rule);
    let wait = format!("{COMPUTE}/global/operations/{}/wait", begun.text("/name"));
    assert_eq!(client.post(&wait, &Value::Null).text("/status"), "DONE");
    assert!(
        client
            .get(&format!("{COMPUTE}/global/firewalls/team"))
            .text("/network")
            .ends_with("/networks/default")
    );
    assert_eq!(client.post(&format!("{COMPUTE}/global/firewalls"), &rule).told(), "409 ALREADY_EXISTS");
    let operations: Vec<String> = simulator.calls().into_iter().map(|call| call.operation).collect();
    assert_eq!(
        operations,
        ["firewalls.insert", "globalOperations.wait", "firewalls.get", "firewalls.insert"]
    );
    let reader = Client::with(&simulator, "landfall-read");
    let refused = reader.delete(&format!("{COMPUTE}/global/networks/default"));
    assert_eq!(refused.text("/error/details/0/metadata/permission"), "compute.networks.delete");
}
