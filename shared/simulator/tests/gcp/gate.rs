//! Who may do what: allow policies, deny policies, and whom the gate spares.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "test code")]

use landfall_simulator::gcp::{GcpSimulator, WRITE_IDENTITY};
use serde_json::{Value, json};

use crate::client::{Answer, Client, RESOURCES, ROOT, simulator};

const DENY: &str =
    "/iam.googleapis.com/v2/policies/cloudresourcemanager.googleapis.com%2Fprojects%2Fteam-0001/denypolicies";

/// Ada owns the project, Grace is in the break-glass group.
fn peopled() -> GcpSimulator {
    let simulator = simulator(1);
    simulator.edit(|world| {
        world.tokens.insert("ada".to_owned(), "user:ada@acme.example".to_owned());
        world.tokens.insert("grace".to_owned(), "user:grace@acme.example".to_owned());
        world
            .groups
            .insert("group:break-glass@acme.example".to_owned(), vec!["user:grace@acme.example".to_owned()]);
        world.give("projects/team-0001", "roles/owner", "user:ada@acme.example");
        world.give(ROOT, "roles/owner", "group:break-glass@acme.example");
        world.add_service_account("team-0001", "robot-one");
        world.enable("team-0001", &["compute.googleapis.com"]);
    });
    simulator
}

fn closing() -> Value {
    json!({"displayName": "closed", "rules": [{"description": "everybody else", "denyRule": {
        "deniedPrincipals": ["principalSet://goog/public:all"],
        "exceptionPrincipals": [
            "principal://iam.googleapis.com/projects/-/serviceAccounts/landfall-write@acme-landfall.iam.gserviceaccount.com",
            "principalSet://goog/group/break-glass@acme.example",
        ],
        "deniedPermissions": [
            "storage.googleapis.com/buckets.create", "compute.googleapis.com/instances.create", "iam.googleapis.com/serviceAccountKeys.create",
            "cloudresourcemanager.googleapis.com/projects.setIamPolicy", "cloudresourcemanager.googleapis.com/projects.updateLiens",
        ],
    }}]})
}

fn close(client: &Client) -> Value {
    let begun = client.post(&format!("{DENY}?policyId=landfall-quarantine"), &closing());
    let (done, _) = client.finish("/iam.googleapis.com/v2", &begun);
    done["response"].clone()
}

fn attempts(client: &Client) -> Vec<Answer> {
    let policy = client.post(&format!("{RESOURCES}/projects/team-0001:getIamPolicy"), &json!({})).json();
    let robot = "projects/team-0001/serviceAccounts/robot-one@team-0001.iam.gserviceaccount.com";
    let name = format!("bucket-{}", policy["etag"].as_str().unwrap_or("x"));
    let zone = "/compute.googleapis.com/compute/v1/projects/team-0001/zones/europe-west1-b";
    vec![
        client.post(&format!("{zone}/instances"), &json!({"name": "machine"})),
        client.post("/storage.googleapis.com/storage/v1/b?project=team-0001", &json!({"name": name})),
        client.post(&format!("/iam.googleapis.com/v1/{robot}/keys"), &json!({})),
        client.post(&format!("{RESOURCES}/projects/team-0001:setIamPolicy"), &json!({"policy": policy})),
    ]
}

/// What was made goes, so that it can be made again.
fn clear(simulator: &GcpSimulator) {
    simulator.edit(|world| {
        let things = &mut world.at("projects/team-0001").unwrap().things;
        things.remove("storage/buckets");
        things.remove("compute/instances");
    });
}

fn told(client: &Client) -> Vec<String> {
    attempts(client).iter().map(Answer::told).collect()
}

#[test]
fn a_closed_gate_stops_an_owner_and_spares_whom_it_names() {
    let simulator = peopled();
    let (ada, grace, landfall) =
        (Client::with(&simulator, "ada"), Client::with(&simulator, "grace"), Client::new(&simulator));
    assert_eq!(told(&ada), ["200"; 4]);
    let made = close(&landfall);
    let number = simulator.read(|world| world.project("team-0001").unwrap().number.clone());
    let name = format!(
        "policies/cloudresourcemanager.googleapis.com%2Fprojects%2F{number}/denypolicies/landfall-quarantine"
    );
    assert_eq!((made["name"].as_str(), made["kind"].as_str()), (Some(&*name), Some("DenyPolicy")));
    assert_eq!(told(&ada), ["403 PERMISSION_DENIED"; 4]);
    assert_eq!(ada.get(&format!("{RESOURCES}/projects/team-0001")).told(), "200", "she may still look");
    let lien = json!({"parent": format!("projects/{number}"), "restrictions": ["resourcemanager.projects.delete"], "origin": "a", "reason": "b"});
    assert_eq!(ada.post(&format!("{RESOURCES}/liens"), &lien).told(), "403 PERMISSION_DENIED");
    clear(&simulator);
    assert_eq!(told(&landfall), ["200"; 4]);
    clear(&simulator);
    assert_eq!(told(&grace), ["200"; 4]);
    let open = landfall.delete(&format!("{DENY}/landfall-quarantine"));
    landfall.finish("/iam.googleapis.com/v2", &open);
    clear(&simulator);
    assert_eq!(told(&ada), ["200"; 4]);
}

#[test]
fn whoever_is_not_spared_is_stopped_even_when_it_is_landfall() {
    let simulator = peopled();
    let landfall = Client::new(&simulator);
    close(&landfall);
    simulator.edit(|world| {
        let policy =
            world.project_mut("team-0001").unwrap().governance.deny_policies.values_mut().next().unwrap();
        policy["rules"][0]["denyRule"]["exceptionPrincipals"] = json!([]);
    });
    assert_eq!(told(&landfall), ["403 PERMISSION_DENIED"; 4]);
    assert!(WRITE_IDENTITY.contains("landfall-write"));
}

#[test]
fn roles_decide_where_nothing_denies() {
    let simulator = peopled();
    let ada = Client::with(&simulator, "ada");
    let policies = "/orgpolicy.googleapis.com/v2/projects/team-0001/policies";
    let body = json!({"name": "projects/team-0001/policies/sql.restrictPublicIp", "spec": {"rules": [{"enforce": true}]}});
    assert_eq!(ada.post(policies, &body).told(), "403 PERMISSION_DENIED", "an owner is no policy admin");
    simulator.edit(|world| world.give(ROOT, "roles/orgpolicy.policyAdmin", "domain:acme.example"));
    assert_eq!(ada.post(policies, &body).told(), "200");
    let other = format!("{RESOURCES}/projects/acme-landfall");
    assert_eq!(ada.get(&other).told(), "403 PERMISSION_DENIED");
    let asked = json!({"permissions": ["resourcemanager.projects.delete", "iam.denypolicies.create"]});
    let tested = ada.post(&format!("{RESOURCES}/projects/team-0001:testIamPermissions"), &asked).json();
    assert_eq!(tested["permissions"], json!(["resourcemanager.projects.delete"]));
    simulator.edit(|world| {
        world.organization.governance.things_mut("iam/roles").insert(
            "looker".to_owned(),
            json!({"title": "t", "stage": "GA", "includedPermissions": ["resourcemanager.projects.get"]}),
        );
        world.give("projects/acme-landfall", &format!("{ROOT}/roles/looker"), "user:ada@acme.example");
    });
    assert_eq!(ada.get(&other).told(), "200");
}

#[test]
fn a_binding_of_a_tag_needs_rights_on_what_it_hangs_on() {
    let simulator = peopled();
    let ada = Client::with(&simulator, "ada");
    let bindings = |project: &str| {
        let parent = format!("//cloudresourcemanager.googleapis.com/projects/{project}");
        let full = parent.replace('/', "%2F");
        let listed = ada.get(&format!("{RESOURCES}/tagBindings?parent={parent}")).told();
        let gone = ada.delete(&format!("{RESOURCES}/tagBindings/{full}/tagValues/1")).told();
        (listed, gone)
    };
    assert_eq!(bindings("team-0001"), ("200".to_owned(), "404 NOT_FOUND".to_owned()));
    let denied = "403 PERMISSION_DENIED".to_owned();
    assert_eq!(bindings("acme-landfall"), (denied.clone(), denied));
}

#[test]
fn deny_policies_have_etags_documents_and_a_quota() {
    let simulator = peopled();
    let client = Client::new(&simulator);
    let made = close(&client);
    let one = &format!("{DENY}/landfall-quarantine");
    assert_eq!(
        client.post(&format!("{DENY}?policyId=landfall-quarantine"), &closing()).told(),
        "409 ALREADY_EXISTS"
    );
    let mut next = closing();
    next["etag"] = json!("old");
    assert_eq!(client.call("PUT", one, &next).told(), "409 ABORTED");
    next["etag"] = made["etag"].clone();
    next["rules"][0]["denyRule"]["deniedPermissions"] = json!(["compute.googleapis.com/instances.create"]);
    let (done, _) = client.finish("/iam.googleapis.com/v2", &client.call("PUT", one, &next));
    assert_eq!(done["response"]["uid"], made["uid"]);
    let listed = client.get(DENY).json();
    assert!(listed["policies"][0].get("rules").is_none() && listed["policies"][0]["etag"].is_string());
    simulator.edit(|world| world.settings.undeniable.insert("run.googleapis.com/jobs.run".to_owned()));
    for wrong in ["instances.create", "resourcemanager.projects.delete", "run.googleapis.com/jobs.run"] {
        next["rules"][0]["denyRule"]["deniedPermissions"] = json!([wrong]);
        next["etag"] = json!("");
        assert_eq!(client.call("PUT", one, &next).told(), "400 INVALID_ARGUMENT", "{wrong}");
    }
    simulator.edit(|world| world.settings.deny_quota = true);
    let told: Vec<String> = (0..6).map(|_| client.get(one).told()).collect();
    assert_eq!(told[4..], ["200", "429 RESOURCE_EXHAUSTED"]);
    assert_eq!(client.delete(one).told(), "200", "writes are counted by themselves");
    assert_eq!(client.get(&DENY.replace("team-0001", "nobody-here")).told(), "403 PERMISSION_DENIED");
}
