//! Resource Manager: the tree, allow policies, liens, tags.

use landfall_simulator::gcp::{GcpOptions, GcpSimulator, GcpWorld, LEGACY_FOLDER};
use serde_json::{Value, json};

use crate::client::{Client, RESOURCES, ROOT, simulator};

#[test]
fn callers_are_told_apart() {
    let simulator = simulator(1);
    let path = &format!("{RESOURCES}/projects/team-0001");
    let writer = Client::new(&simulator);
    let nobody = writer.send("GET", path, "", "").unwrap();
    assert_eq!(
        (nobody.told().as_str(), nobody.reason().as_str()),
        ("401 UNAUTHENTICATED", "CREDENTIALS_MISSING")
    );
    assert_eq!(Client::with(&simulator, "stranger").get(path).told(), "401 UNAUTHENTICATED");
    let reader = Client::with(&simulator, "landfall-read");
    assert_eq!(reader.get(path).told(), "200");
    assert_eq!(reader.post(&format!("{path}:getIamPolicy"), &json!({})).told(), "200");
    let refused = reader.patch(&format!("{path}?updateMask=labels"), &json!({"labels": {}}));
    assert_eq!(
        (refused.told().as_str(), refused.reason().as_str()),
        ("403 PERMISSION_DENIED", "IAM_PERMISSION_DENIED")
    );
    assert_eq!(refused.text("/error/details/0/metadata/permission"), "resourcemanager.projects.update");
}

#[test]
fn an_api_is_found_by_folder_or_by_host() {
    let simulator = simulator(0);
    let client = Client::new(&simulator);
    let headers = "authorization: Bearer landfall-own\r\nhost: cloudresourcemanager.googleapis.com\r\n";
    let answer = client.send("GET", &format!("/v3/{ROOT}"), headers, "").unwrap();
    assert_eq!(answer.json()["displayName"], "acme.example");
    assert_eq!(client.get("/cloudresourcemanager.googleapis.com/v9/projects").told(), "404 NOT_FOUND");
    assert_eq!(client.get("/nothing.googleapis.com/v1/x").told(), "404 NOT_FOUND");
    let calls: Vec<_> =
        simulator.calls().into_iter().map(|call| format!("{} {}", call.service, call.operation)).collect();
    assert_eq!(calls[0], "cloudresourcemanager organizations.get");
}

#[test]
fn a_project_that_is_not_there_looks_like_one_that_may_not_be_seen() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let answer = client.get(&format!("{RESOURCES}/projects/nobody-has-this"));
    assert_eq!(answer.told(), "403 PERMISSION_DENIED");
    assert!(answer.text("/error/message").contains("(or it may not exist)"), "{}", answer.body);
    let project = client.get(&format!("{RESOURCES}/projects/team-0001")).json();
    let by_number = client.get(&format!("{RESOURCES}/{}", project["name"].as_str().unwrap())).json();
    assert_eq!(project, by_number);
    assert_eq!((&project["state"], &project["parent"]), (&json!("ACTIVE"), &json!(ROOT)));
}

#[test]
fn labels_are_replaced_by_an_operation_that_takes_its_polls() {
    let mut world = GcpWorld::sample(2);
    world.settings.operation_polls = 3;
    let simulator = GcpSimulator::start(GcpOptions { world: Some(world), ..GcpOptions::default() }).unwrap();
    let client = Client::new(&simulator);
    let path = &format!("{RESOURCES}/projects/team-0002");
    let before = client.get(path).json();
    let begun = client.patch(&format!("{path}?updateMask=labels"), &json!({"labels": {"owner": "acme"}}));
    assert_eq!(client.get(path).json(), before, "it is not done yet");
    let (done, polls) = client.finish(RESOURCES, &begun);
    assert_eq!((polls, &done["response"]["labels"]), (4, &json!({"owner": "acme"})));
    let old = json!({"labels": {}, "etag": before["etag"]});
    assert_eq!(client.patch(&format!("{path}?updateMask=labels"), &old).told(), "409 ABORTED");
    let wrong =
        client.patch(&format!("{path}?updateMask=labels"), &json!({"labels": {"Owner": "Acme Inc."}}));
    assert_eq!(wrong.told(), "400 INVALID_ARGUMENT");
}

#[test]
fn folders_are_made_moved_and_searched() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let folders = &format!("{RESOURCES}/folders");
    let make = |name: &str, parent: &str| {
        let begun = client.post(folders, &json!({"displayName": name, "parent": parent}));
        client.finish(RESOURCES, &begun).0
    };
    let workloads = make("workloads", ROOT)["response"]["name"].as_str().unwrap().to_owned();
    let production = make("production", &workloads)["response"]["name"].as_str().unwrap().to_owned();
    let again = make("production", &workloads);
    assert_eq!(again["error"]["code"], 9);
    assert_eq!(again["error"]["details"][0]["violations"][0]["type"], "FOLDER_NAME_UNIQUENESS_VIOLATION");
    let listed = client.get(&format!("{folders}?parent={workloads}")).listed("folders", "/displayName");
    assert_eq!(listed, ["production"]);
    let found = client.get(&format!("{folders}:search?query=displayName:leg* state:ACTIVE"));
    assert_eq!(found.listed("folders", "/name"), [LEGACY_FOLDER]);
    let project = &format!("{RESOURCES}/projects/team-0001");
    let begun = client.post(&format!("{project}:move"), &json!({"destinationParent": production}));
    client.finish(RESOURCES, &begun);
    assert_eq!(client.get(project).json()["parent"], production);
    let circle =
        client.post(&format!("{RESOURCES}/{workloads}:move"), &json!({"destinationParent": production}));
    assert_eq!(circle.told(), "400 FAILED_PRECONDITION");
    let nowhere = client.post(&format!("{project}:move"), &json!({"destinationParent": "folders/1"}));
    assert_eq!(nowhere.told(), "403 PERMISSION_DENIED");
    assert_eq!(client.delete(&format!("{RESOURCES}/{production}")).told(), "400 FAILED_PRECONDITION");
}

#[test]
fn searches_come_in_pages_and_empty_ones_are_not_the_end() {
    let simulator = simulator(5);
    simulator.edit(|world| world.settings.empty_pages = true);
    let client = Client::new(&simulator);
    let (all, pages) = client.pages(&format!("{RESOURCES}/projects:search?pageSize=2"), "projects");
    assert_eq!((all.len(), pages), (6, 5));
}

#[test]
fn a_deleted_project_is_still_found_and_can_come_back() {
    let simulator = simulator(4);
    let client = Client::new(&simulator);
    let project = &format!("{RESOURCES}/projects/team-0001");
    client.finish(RESOURCES, &client.delete(project));
    let found = client.get(&format!("{RESOURCES}/projects:search?query=state:DELETE_REQUESTED"));
    assert_eq!(found.listed("projects", "/projectId"), ["team-0001"]);
    let listed = client.get(&format!("{RESOURCES}/projects?parent={ROOT}")).listed("projects", "/projectId");
    assert!(!listed.contains(&"team-0001".to_owned()));
    let late = client.patch(&format!("{project}?updateMask=labels"), &json!({"labels": {}}));
    assert_eq!(late.told(), "400 FAILED_PRECONDITION");
    let roles = "/iam.googleapis.com/v1/projects/team-0001/serviceAccounts";
    let dead = client.post(roles, &json!({"accountId": "robot-one"}));
    assert_eq!((dead.told().as_str(), dead.reason().as_str()), ("403 PERMISSION_DENIED", "CONSUMER_INVALID"));
    assert_eq!(client.get(roles).told(), "200");
    client.finish(RESOURCES, &client.post(&format!("{project}:undelete"), &json!({})));
    assert_eq!(client.get(project).json()["state"], "ACTIVE");
    assert_eq!(
        client.delete(&format!("{RESOURCES}/projects/team-0004")).told(),
        "400 FAILED_PRECONDITION",
        "a lien"
    );
}

fn policy(client: &Client, name: &str, version: u64) -> Value {
    let asked = json!({"options": {"requestedPolicyVersion": version}});
    client.post(&format!("{RESOURCES}/{name}:getIamPolicy"), &asked).json()
}

#[test]
fn allow_policies_are_written_whole_with_etag_version_and_mask() {
    let simulator = simulator(2);
    let client = Client::new(&simulator);
    let name = "projects/team-0002";
    let set = |body: Value| client.post(&format!("{RESOURCES}/{name}:setIamPolicy"), &body);
    let shallow = policy(&client, name, 1);
    let hidden = shallow["bindings"][0]["role"].as_str().unwrap();
    assert!(hidden.starts_with("roles/compute.admin_withcond_"), "{shallow}");
    assert_eq!(set(json!({"policy": shallow})).told(), "400 INVALID_ARGUMENT", "it would lose a condition");
    let mut full = policy(&client, name, 3);
    assert_eq!(full["version"], 3);
    assert!(full["bindings"][0]["condition"].is_object());
    let old = full["etag"].clone();
    full["bindings"]
        .as_array_mut()
        .unwrap()
        .push(json!({"role": "roles/viewer", "members": ["group:a@acme.example"]}));
    full["auditConfigs"] = json!([{"service": "allServices", "auditLogConfigs": [{"logType": "DATA_READ"}]}]);
    let written = set(json!({"policy": full})).json();
    assert!(written.get("auditConfigs").is_none(), "the mask does not name them");
    assert_ne!(written["etag"], old);
    assert_eq!(set(json!({"policy": full})).told(), "409 ABORTED");
    full["etag"] = written["etag"].clone();
    full["bindings"] = json!([]);
    let configs = set(json!({"policy": full, "updateMask": "auditConfigs,etag"})).json();
    assert!(configs["auditConfigs"].is_array() && configs["bindings"].as_array().unwrap().len() == 3);
    for (member, told) in [("nobody", "400 INVALID_ARGUMENT"), ("user:ada@acme.example", "200")] {
        let blind =
            json!({"policy": {"version": 3, "bindings": [{"role": "roles/viewer", "members": [member]}]}});
        assert_eq!(set(blind).told(), told);
    }
    let mut plain = policy(&client, name, 3);
    plain["bindings"][0]["condition"] = json!({"title": "t", "expression": "true"});
    plain["version"] = json!(1);
    assert_eq!(set(json!({"policy": plain})).told(), "400 INVALID_ARGUMENT");
}

#[test]
fn liens_hold_a_project() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let name = client.get(&format!("{RESOURCES}/projects/team-0001")).text("/name");
    let lien = json!({"parent": name, "restrictions": ["resourcemanager.projects.delete"], "origin": "landfall", "reason": "x"});
    let made = client.post(&format!("{RESOURCES}/liens"), &lien).text("/name");
    let listed = client.get(&format!("{RESOURCES}/liens?parent={name}")).listed("liens", "/origin");
    assert_eq!(listed, ["landfall"]);
    assert_eq!(client.delete(&format!("{RESOURCES}/projects/team-0001")).told(), "400 FAILED_PRECONDITION");
    assert_eq!(client.delete(&format!("{RESOURCES}/{made}")).told(), "200");
    assert_eq!(client.delete(&format!("{RESOURCES}/{made}")).told(), "404 NOT_FOUND");
    assert_eq!(client.delete(&format!("{RESOURCES}/projects/team-0001")).told(), "200");
}

#[test]
fn tags_are_inherited() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let make = |what: &str, body: Value| {
        let begun = client.post(&format!("{RESOURCES}/{what}"), &body);
        client.finish(RESOURCES, &begun).0["response"]["name"].as_str().unwrap_or_default().to_owned()
    };
    let key = make("tagKeys", json!({"parent": ROOT, "shortName": "environment"}));
    let value = make("tagValues", json!({"parent": key, "shortName": "production"}));
    let other = make("tagValues", json!({"parent": key, "shortName": "dev"}));
    let full = |name: &str| format!("//cloudresourcemanager.googleapis.com/{name}");
    let binding = make("tagBindings", json!({"parent": full(ROOT), "tagValue": value}));
    let two =
        client.post(&format!("{RESOURCES}/tagBindings"), &json!({"parent": full(ROOT), "tagValue": other}));
    assert_eq!(two.told(), "400 FAILED_PRECONDITION");
    let effective = format!("{RESOURCES}/effectiveTags?parent={}", full("projects/team-0001"));
    let seen = client.get(&effective).json();
    assert_eq!(seen["effectiveTags"][0]["namespacedTagValue"], "123456789012/environment/production");
    assert_eq!(seen["effectiveTags"][0]["inherited"], true);
    assert_eq!(client.delete(&format!("{RESOURCES}/{value}")).told(), "400 FAILED_PRECONDITION");
    let _ = binding;
    let encoded = full(ROOT).replace('/', "%2F");
    let gone = client.delete(&format!("{RESOURCES}/tagBindings/{encoded}/{value}"));
    client.finish(RESOURCES, &gone);
    assert_eq!(client.get(&effective).json(), json!({}));
}
