//! Who watches: asset feeds, Access Approval, Security Command Center.

use landfall_simulator::gcp::LEGACY_FOLDER;
use serde_json::json;

use crate::client::{Client, ROOT, simulator};

#[test]
fn feeds_tell_a_topic() {
    let simulator = simulator(0);
    let client = Client::new(&simulator);
    let feeds = format!("/cloudasset.googleapis.com/v1/{ROOT}/feeds");
    let feed = json!({
        "assetTypes": ["cloudresourcemanager.googleapis.com/Project"], "contentType": "RESOURCE",
        "feedOutputConfig": {"pubsubDestination": {"topic": "projects/acme-landfall/topics/landfall-events"}},
    });
    let made = client.post(&feeds, &json!({"feedId": "landfall", "feed": feed}));
    assert_eq!(made.text("/name"), format!("{ROOT}/feeds/landfall"));
    assert_eq!(
        client.post(&feeds, &json!({"feedId": "landfall", "feed": feed})).told(),
        "409 ALREADY_EXISTS"
    );
    let change = json!({"feed": {"name": made.text("/name"), "contentType": "IAM_POLICY"}, "updateMask": "content_type"});
    let changed = client.patch(&format!("{feeds}/landfall"), &change);
    assert_eq!(
        (changed.text("/contentType").as_str(), &changed.json()["assetTypes"]),
        ("IAM_POLICY", &feed["assetTypes"])
    );
    assert_eq!(client.get(&feeds).json()["feeds"], json!([changed.json()]));
    let silent = json!({"feedId": "silent", "feed": {"assetTypes": ["x"]}});
    assert_eq!(client.post(&feeds, &silent).told(), "400 INVALID_ARGUMENT");
    assert_eq!(client.delete(&format!("{feeds}/landfall")).told(), "200");
    assert_eq!(client.get(&feeds).json(), json!({}));
}

#[test]
fn access_approval_comes_from_above() {
    let simulator = simulator(1);
    simulator.edit(|world| world.project_mut("team-0001").unwrap().parent = LEGACY_FOLDER.to_owned());
    let client = Client::new(&simulator);
    let of = |name: &str| format!("/accessapproval.googleapis.com/v1/{name}/accessApprovalSettings");
    let project = of("projects/team-0001");
    assert_eq!(client.get(&project).told(), "404 NOT_FOUND");
    let all = json!({"enrolledServices": [{"cloudProduct": "all"}], "notificationEmails": ["security@acme.example"]});
    let set =
        client.patch(&format!("{}?updateMask=enrolledServices,notificationEmails", of(LEGACY_FOLDER)), &all);
    assert_eq!(set.text("/enrolledServices/0/enrollmentLevel"), "BLOCK_ALL");
    let below = client.get(&project).json();
    assert_eq!((&below["enrolledAncestor"], below.get("enrolledServices")), (&json!(true), None));
    let some = json!({"enrolledServices": [{"cloudProduct": "compute.googleapis.com"}]});
    assert_eq!(
        client.patch(&format!("{project}?updateMask=enrolledServices"), &some).told(),
        "400 INVALID_ARGUMENT"
    );
    let of_all = client.patch(&format!("{}?updateMask=enrolledServices", of(ROOT)), &some);
    assert_eq!(of_all.text("/enrolledServices/0/cloudProduct"), "compute.googleapis.com");
    assert_eq!(client.delete(&of(LEGACY_FOLDER)).told(), "200");
}

#[test]
fn security_services_are_inherited() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let of = |name: &str| {
        format!("/securitycentermanagement.googleapis.com/v1/{name}/locations/global/securityCenterServices")
    };
    let project = of("projects/team-0001");
    let state =
        |path: &str| client.get(&format!("{path}/event-threat-detection")).text("/effectiveEnablementState");
    assert_eq!(
        client.get(&project).listed("securityCenterServices", "/intendedEnablementState"),
        ["INHERITED"; 5]
    );
    assert_eq!(state(&project), "DISABLED");
    let on = json!({"intendedEnablementState": "ENABLED"});
    let path = format!("{}/event-threat-detection?updateMask=intendedEnablementState", of(ROOT));
    assert_eq!(
        client.patch(&format!("{path}&validateOnly=true"), &on).text("/effectiveEnablementState"),
        "ENABLED"
    );
    assert_eq!(state(&project), "DISABLED", "it was only validated");
    client.patch(&path, &on);
    assert_eq!(state(&project), "ENABLED");
    let modules = json!({"modules": {"MALWARE_BAD_IP": {"intendedEnablementState": "DISABLED"}}});
    let set = client.patch(&format!("{project}/event-threat-detection?updateMask=modules"), &modules);
    assert_eq!(set.text("/modules/MALWARE_BAD_IP/effectiveEnablementState"), "DISABLED");
    assert_eq!(set.text("/effectiveEnablementState"), "ENABLED");
    let wrong = json!({"intendedEnablementState": "INGEST_ONLY"});
    assert_eq!(client.patch(&path, &wrong).told(), "400 INVALID_ARGUMENT");
    assert_eq!(client.get(&format!("{project}/nothing")).told(), "404 NOT_FOUND");
}
