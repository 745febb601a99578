//! What Landfall's identities may do where the world says what their roles hold: that, and nothing else.

use std::collections::BTreeSet;

use landfall_simulator::gcp::{GcpSimulator, READ_IDENTITY, WRITE_IDENTITY};
use serde_json::{Value, json};

use crate::client::{Client, RESOURCES, ROOT, simulator};

fn hold(simulator: &GcpSimulator, who: &str, permissions: &[&str]) {
    let held = permissions.iter().map(|one| (*one).to_owned()).collect();
    simulator.edit(|world| world.settings.grants.insert(who.to_owned(), held));
}

/// Each call takes its permissions one after the other: with those before it, the next one is what is missing.
#[test]
fn a_call_takes_its_permissions_and_names_the_first_that_is_missing() {
    let simulator = simulator(1);
    simulator.edit(|world| world.enable("team-0001", &["compute.googleapis.com"]));
    let compute = "/compute.googleapis.com/compute/v1/projects/team-0001";
    let alert = json!({"conditions": [{"conditionMatchedLog": {}}]});
    let table: Vec<(&str, String, Value, &[&str])> = vec![
        ("GET", format!("{RESOURCES}/projects/team-0001"), Value::Null, &["resourcemanager.projects.get"]),
        ("GET", format!("{RESOURCES}/folders?parent={ROOT}"), Value::Null, &["resourcemanager.folders.list"]),
        (
            "POST",
            format!("{RESOURCES}/{ROOT}:getIamPolicy"),
            json!({}),
            &["resourcemanager.organizations.getIamPolicy"],
        ),
        (
            "POST",
            format!("{RESOURCES}/tagBindings"),
            json!({"parent": "//cloudresourcemanager.googleapis.com/projects/team-0001"}),
            &["resourcemanager.hierarchyNodes.createTagBinding", "resourcemanager.tagValueBindings.create"],
        ),
        (
            "PUT",
            "/cloudbilling.googleapis.com/v1/projects/team-0001/billingInfo".to_owned(),
            json!({"billingAccountName": "billingAccounts/01AB23-45CD67-89EF01"}),
            &[
                "resourcemanager.projects.createBillingAssignment",
                "resourcemanager.projects.deleteBillingAssignment",
                "billing.resourceAssociations.create",
            ],
        ),
        (
            "POST",
            "/orgpolicy.googleapis.com/v2/projects/team-0001/policies".to_owned(),
            json!({}),
            &["orgpolicy.policies.create", "orgpolicy.policy.set"],
        ),
        (
            "POST",
            format!("/cloudasset.googleapis.com/v1/{ROOT}/feeds"),
            json!({}),
            &["cloudasset.feeds.create", "cloudasset.assets.exportResource"],
        ),
        (
            "POST",
            format!("{compute}/setCommonInstanceMetadata"),
            json!({}),
            &["compute.projects.setCommonInstanceMetadata", "iam.serviceAccounts.actAs"],
        ),
        (
            "DELETE",
            format!("{compute}/global/firewalls/default-allow-ssh"),
            Value::Null,
            &["compute.firewalls.delete", "compute.networks.updatePolicy"],
        ),
        (
            "POST",
            "/monitoring.googleapis.com/v3/projects/team-0001/alertPolicies".to_owned(),
            alert,
            &["monitoring.alertPolicies.create", "logging.notificationRules.create"],
        ),
        (
            "POST",
            "/monitoring.googleapis.com/v3/projects/team-0001/alertPolicies".to_owned(),
            json!({"conditions": [{"conditionThreshold": {}}]}),
            &["monitoring.alertPolicies.create"],
        ),
    ];
    let client = Client::new(&simulator);
    for (method, path, body, permissions) in table {
        for (at, missing) in permissions.iter().enumerate() {
            hold(&simulator, WRITE_IDENTITY, permissions.get(..at).unwrap());
            let answer = client.call(method, &path, &body);
            assert_eq!(answer.told(), "403 PERMISSION_DENIED", "{method} {path}: {}", answer.body);
            assert_eq!(answer.text("/error/details/0/metadata/permission"), *missing, "{method} {path}");
            let said = answer.text("/error/message");
            assert!(said.starts_with(&format!("Permission '{missing}' denied on resource")), "{said}");
        }
        hold(&simulator, WRITE_IDENTITY, permissions);
        // What is not there may be refused in the same words.
        let missing = client.call(method, &path, &body).text("/error/details/0/metadata/permission");
        assert!(missing.is_empty() || permissions.contains(&missing.as_str()), "{method} {path}: {missing}");
    }
}

#[test]
fn operations_take_what_their_apis_ask() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let pool = "/iam.googleapis.com/v1/projects/team-0001/locations/global/workloadIdentityPools";
    let create = "iam.workloadIdentityPools.create";
    hold(&simulator, WRITE_IDENTITY, &[create, "resourcemanager.folders.create"]);
    let begun = client.post(&format!("{pool}?workloadIdentityPoolId=ci-systems"), &json!({}));
    let operation = format!("/iam.googleapis.com/v1/{}", begun.text("/name"));
    let polled = client.get(&operation);
    assert_eq!(polled.text("/error/details/0/metadata/permission"), "iam.operations.get", "{}", polled.body);
    // Cloud Resource Manager asks nothing of who began one.
    let begun =
        client.post(&format!("{RESOURCES}/folders"), &json!({"displayName": "sandbox", "parent": ROOT}));
    let polled = client.get(&format!("{RESOURCES}/{}", begun.text("/name")));
    assert_eq!(polled.status, 200, "{}", polled.body);
}

#[test]
fn who_holds_what_is_told_apart_and_what_was_taken_is_known() {
    let simulator = simulator(1);
    let (reader, writer) = (Client::with(&simulator, "landfall-read"), Client::new(&simulator));
    let (project, rename) = (format!("{RESOURCES}/projects/team-0001"), json!({"displayName": "another"}));
    // Where nothing is said, nothing is held back.
    assert_eq!(writer.get(&project).status, 200);
    hold(&simulator, READ_IDENTITY, &["resourcemanager.projects.get", "resourcemanager.projects.update"]);
    hold(&simulator, WRITE_IDENTITY, &["resourcemanager.projects.update"]);
    assert_eq!(reader.get(&project).status, 200);
    assert_eq!(reader.call("PATCH", &project, &rename).status, 403, "it only looks");
    assert_eq!(writer.get(&project).status, 403);
    assert_ne!(writer.call("PATCH", &project, &rename).status, 403);
    let taken = simulator.read(|world| world.taken.all());
    let expected = ["resourcemanager.projects.get", "resourcemanager.projects.update"];
    assert_eq!(taken, BTreeSet::from(expected.map(str::to_owned)));
    // Who asks what it may do is told the truth.
    let asked = json!({"permissions": ["resourcemanager.projects.get", "resourcemanager.projects.update"]});
    let answer = writer.post(&format!("{project}:testIamPermissions"), &asked);
    assert_eq!(answer.json(), json!({"permissions": ["resourcemanager.projects.update"]}));
}
