//! Organization policies: written with etags, inherited, and enforced.

#![expect(clippy::indexing_slicing, reason = "test code")]

use serde_json::{Value, json};

use crate::client::{Client, ROOT, simulator};

const POLICY: &str = "/orgpolicy.googleapis.com/v2";

fn write(client: &Client, on: &str, constraint: &str, spec: &Value) {
    let body = json!({"name": format!("{on}/policies/{constraint}"), "spec": spec});
    let answer = client.post(&format!("{POLICY}/{on}/policies"), &body);
    assert_eq!(answer.status, 200, "{}", answer.body);
}

fn effective(client: &Client, on: &str, constraint: &str) -> Value {
    client.get(&format!("{POLICY}/{on}/policies/{constraint}:getEffectivePolicy")).json()["spec"]["rules"]
        .clone()
}

#[test]
fn a_policy_is_made_read_changed_and_deleted() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let all = &format!("{POLICY}/projects/team-0001/policies");
    let one = &format!("{all}/iam.disableServiceAccountKeyCreation");
    assert_eq!(client.get(one).told(), "404 NOT_FOUND");
    assert_eq!(client.patch(one, &json!({"spec": {"rules": [{"enforce": true}]}})).told(), "404 NOT_FOUND");
    let body = json!({"name": "projects/team-0001/policies/iam.disableServiceAccountKeyCreation", "spec": {"rules": [{"enforce": true}]}});
    let made = client.post(all, &body);
    let number = simulator.read(|world| world.project("team-0001").unwrap().number.clone());
    assert_eq!(
        made.text("/name"),
        format!("projects/{number}/policies/iam.disableServiceAccountKeyCreation")
    );
    assert_eq!(made.text("/spec/etag"), made.text("/etag"));
    assert_eq!(client.post(all, &body).told(), "409 ALREADY_EXISTS");
    let off = json!({"spec": {"etag": made.text("/spec/etag"), "rules": [{"enforce": false}]}});
    let changed = client.patch(&format!("{one}?updateMask=policy.spec"), &off);
    assert_eq!(changed.json()["spec"]["rules"], json!([{"enforce": false}]));
    assert_eq!(client.patch(one, &off).told(), "409 ABORTED");
    assert_eq!(client.get(all).listed("policies", "/etag"), [changed.text("/etag")]);
    assert_eq!(client.delete(&format!("{one}?etag=old")).told(), "409 ABORTED");
    assert_eq!(client.delete(one).told(), "200");
    assert_eq!(client.delete(one).told(), "404 NOT_FOUND");
}

#[test]
fn what_a_constraint_does_not_have_is_refused() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let told = |constraint: &str, spec: Value| {
        let body = json!({"name": format!("{ROOT}/policies/{constraint}"), "spec": spec});
        client.post(&format!("{POLICY}/{ROOT}/policies"), &body).told()
    };
    let rules = |rule: Value| json!({"rules": [rule]});
    assert_eq!(told("gcp.nothing", rules(json!({"enforce": true}))), "404 NOT_FOUND");
    assert_eq!(told("custom.nothing", rules(json!({"enforce": true}))), "404 NOT_FOUND");
    for (constraint, spec) in [
        ("sql.restrictPublicIp", rules(json!({"denyAll": true}))),
        ("sql.restrictPublicIp", json!({"inheritFromParent": true, "rules": [{"enforce": true}]})),
        ("gcp.resourceLocations", rules(json!({"enforce": true}))),
        ("gcp.resourceLocations", json!({"reset": true, "rules": [{"denyAll": true}]})),
        ("gcp.resourceLocations", json!({})),
    ] {
        assert_eq!(told(constraint, spec.clone()), "400 INVALID_ARGUMENT", "{constraint} {spec}");
    }
    let listed = client.get(&format!("{POLICY}/{ROOT}/constraints")).listed("constraints", "/name");
    assert!(listed.contains(&format!("{ROOT}/constraints/gcp.resourceLocations")));
}

/// The page's own examples: <https://cloud.google.com/resource-manager/docs/organization-policy/understanding-hierarchy>
#[test]
fn policies_are_inherited_merged_replaced_and_reset() {
    let simulator = simulator(3);
    let client = Client::new(&simulator);
    let constraint = "compute.trustedImageProjects";
    let values = |allowed: Value, denied: Value| json!([{"values": {"allowedValues": allowed, "deniedValues": denied}}]);
    let one = "projects/team-0001";
    assert_eq!(effective(&client, one, constraint), json!([{"allowAll": true}]));
    write(&client, ROOT, constraint, &json!({"rules": [{"values": {"allowedValues": ["red", "green"]}}]}));
    assert_eq!(effective(&client, one, constraint), json!([{"values": {"allowedValues": ["red", "green"]}}]));
    write(
        &client,
        one,
        constraint,
        &json!({"inheritFromParent": true, "rules": [{"values": {"allowedValues": ["blue"]}}]}),
    );
    assert_eq!(
        effective(&client, one, constraint),
        json!([{"values": {"allowedValues": ["red", "green", "blue"]}}])
    );
    let two = "projects/team-0002";
    write(
        &client,
        two,
        constraint,
        &json!({"inheritFromParent": true, "rules": [{"values": {"deniedValues": ["green"]}}]}),
    );
    assert_eq!(effective(&client, two, constraint), values(json!(["red", "green"]), json!(["green"])));
    let three = "projects/team-0003";
    write(&client, three, constraint, &json!({"rules": [{"values": {"allowedValues": ["yellow"]}}]}));
    assert_eq!(effective(&client, three, constraint), json!([{"values": {"allowedValues": ["yellow"]}}]));
    let path = format!("{POLICY}/{three}/policies/{constraint}");
    assert_eq!(client.patch(&path, &json!({"spec": {"reset": true}})).told(), "200");
    assert_eq!(effective(&client, three, constraint), json!([{"allowAll": true}]));
    let boolean = "sql.restrictPublicIp";
    write(&client, ROOT, boolean, &json!({"rules": [{"enforce": true}]}));
    assert_eq!(effective(&client, one, boolean), json!([{"enforce": true}]));
    write(&client, one, boolean, &json!({"rules": [{"enforce": false}]}));
    assert_eq!(effective(&client, one, boolean), json!([{"enforce": false}]));
}

#[test]
fn custom_constraints_are_the_organizations() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let all = &format!("{POLICY}/{ROOT}/customConstraints");
    let name = format!("{ROOT}/customConstraints/custom.noPublicIp");
    let mut body = json!({
        "name": name, "resourceTypes": ["sqladmin.googleapis.com/Instance"], "methodTypes": ["CREATE", "UPDATE"],
        "condition": "resource.settings.ipConfiguration.ipv4Enabled == true", "actionType": "DENY", "displayName": "no public IP",
    });
    assert_eq!(client.post(all, &body).told(), "200");
    assert_eq!(client.post(all, &body).told(), "409 ALREADY_EXISTS");
    body["displayName"] = json!("none");
    assert_eq!(client.patch(&format!("{POLICY}/{name}"), &body).text("/displayName"), "none");
    write(&client, "projects/team-0001", "custom.noPublicIp", &json!({"rules": [{"enforce": true}]}));
    assert_eq!(client.delete(&format!("{POLICY}/{name}")).told(), "200");
    assert_eq!(client.get(&format!("{POLICY}/{name}")).told(), "404 NOT_FOUND");
}

#[test]
fn constraints_bind_whoever_calls() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let on = "projects/team-0001";
    let bucket = |name: &str, location: &str| {
        let body = json!({"name": name, "location": location});
        client.post("/storage.googleapis.com/storage/v1/b?project=team-0001", &body)
    };
    assert_eq!(bucket("first", "US").told(), "200");
    write(
        &client,
        on,
        "gcp.resourceLocations",
        &json!({"rules": [{"values": {"allowedValues": ["in:eu-locations"]}}]}),
    );
    assert_eq!(bucket("second", "").told(), "412 FAILED_PRECONDITION");
    assert_eq!(bucket("second", "EUROPE-WEST1").told(), "200");
    write(
        &client,
        on,
        "gcp.restrictServiceUsage",
        &json!({"inheritFromParent": true, "rules": [{"values": {"deniedValues": ["storage.googleapis.com"]}}]}),
    );
    let refused = bucket("third", "EUROPE-WEST1");
    assert_eq!(refused.told(), "403 PERMISSION_DENIED");
    assert!(refused.text("/error/message").contains("constraints/gcp.restrictServiceUsage"));
    assert_eq!(client.get("/storage.googleapis.com/storage/v1/b/first").told(), "403 PERMISSION_DENIED");
    let machine = |zone: &str, name: &str, interface: Value| {
        let body = json!({"name": name, "networkInterfaces": [interface]});
        client.post(
            &format!("/compute.googleapis.com/compute/v1/projects/team-0001/zones/{zone}/instances"),
            &body,
        )
    };
    simulator.edit(|world| world.enable("team-0001", &["compute.googleapis.com"]));
    assert_eq!(machine("us-central1-a", "far", json!({})).told(), "412 FAILED_PRECONDITION");
    assert_eq!(machine("europe-west1-b", "near", json!({})).told(), "200");
    write(&client, on, "compute.vmExternalIpAccess", &json!({"rules": [{"denyAll": true}]}));
    assert_eq!(
        machine("europe-west1-b", "open", json!({"accessConfigs": [{}]})).told(),
        "412 FAILED_PRECONDITION"
    );
    assert_eq!(machine("europe-west1-b", "closed", json!({})).told(), "200");
    let email = simulator.edit(|world| world.add_service_account("team-0001", "robot-one"));
    let keys = format!("/iam.googleapis.com/v1/{on}/serviceAccounts/{email}/keys");
    assert_eq!(client.post(&keys, &json!({})).told(), "200");
    write(&client, on, "iam.disableServiceAccountKeyCreation", &json!({"rules": [{"enforce": true}]}));
    let refused = client.post(&keys, &json!({}));
    assert_eq!(refused.told(), "400 FAILED_PRECONDITION");
    assert_eq!(
        refused.text("/error/details/0/violations/0/type"),
        "constraints/iam.disableServiceAccountKeyCreation"
    );
}

#[test]
fn a_rule_may_ask_for_a_tag() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let resources = crate::client::RESOURCES;
    let make = |what: &str, body: Value| {
        let begun = client.post(&format!("{resources}/{what}"), &body);
        client.finish(resources, &begun).0["response"]["name"].as_str().unwrap_or_default().to_owned()
    };
    let key = make("tagKeys", json!({"parent": ROOT, "shortName": "exempt"}));
    let value = make("tagValues", json!({"parent": key, "shortName": "yes"}));
    let condition = json!({"expression": "resource.matchTag(\"123456789012/exempt\", \"yes\")"});
    write(
        &client,
        ROOT,
        "sql.restrictPublicIp",
        &json!({"rules": [{"enforce": true}, {"enforce": false, "condition": condition}]}),
    );
    let seen = || effective(&client, "projects/team-0001", "sql.restrictPublicIp");
    assert_eq!(seen(), json!([{"enforce": true}]));
    make(
        "tagBindings",
        json!({"parent": "//cloudresourcemanager.googleapis.com/projects/team-0001", "tagValue": value}),
    );
    assert_eq!(seen(), json!([{"enforce": false}]));
}
