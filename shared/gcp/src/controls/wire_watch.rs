//! Who watches, over the wire, against the simulator: what is asked is made, twice is once, and what others set stays.

use landfall_model::catalog::ControlKind;
use serde_json::{Value, json};

use super::landscape::Landscape;
use super::wire::{CHECKOUT, Wire};

const APPROVALS: &str = "accessapproval/settings";

fn settings(wire: &Wire) -> Value {
    wire.simulator.read(|world| world.project(CHECKOUT).unwrap().governance.things(APPROVALS)["self"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_is_enrolled_beside_what_others_chose() {
    let wire = Wire::new(|world| {
        let theirs = json!({
            "notificationEmails": ["ada@acme.example"], "preferNoBroadApprovalRequests": true,
            "approvalPolicy": {"justificationBasedApprovalPolicy": "JUSTIFICATION_BASED_APPROVAL_ENABLED_ALL"},
        });
        let governance = &mut world.project_mut(CHECKOUT).unwrap().governance;
        governance.things_mut(APPROVALS).insert("self".to_owned(), theirs);
    });
    let asked = json!({"recipients": ["security@acme.example"]});
    let checkout = Landscape::adopted(CHECKOUT).asks(ControlKind::AccessApproval, asked).desired;
    let wrong = wire.held_twice(ControlKind::AccessApproval, &checkout).await;
    assert_eq!(
        wrong,
        ["Google's people need not ask before they look; every access is approved by itself; \
          nobody tells security@acme.example of requests"]
    );
    let expected = json!({
        "notificationEmails": ["ada@acme.example", "security@acme.example"], "preferNoBroadApprovalRequests": true,
        "enrolledServices": [{"cloudProduct": "all", "enrollmentLevel": "BLOCK_ALL"}],
        "approvalPolicy": {"justificationBasedApprovalPolicy": "JUSTIFICATION_BASED_APPROVAL_NOT_ENABLED"},
    });
    assert_eq!(settings(&wire), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_enrolled_above_is_not_said_again() {
    let wire = Wire::new(|world| {
        let above = json!({"enrolledServices": [{"cloudProduct": "all", "enrollmentLevel": "BLOCK_ALL"}]});
        world.organization.governance.things_mut(APPROVALS).insert("self".to_owned(), above);
    });
    let asked = json!({"recipients": ["security@acme.example"]});
    let checkout = Landscape::adopted(CHECKOUT).asks(ControlKind::AccessApproval, asked).desired;
    let wrong = wire.held_twice(ControlKind::AccessApproval, &checkout).await;
    assert_eq!(wrong, ["nobody tells security@acme.example of requests"]);
    assert_eq!(settings(&wire), json!({"notificationEmails": ["security@acme.example"]}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_is_made_for_the_organization_beside_those_of_others() {
    const FEEDS: &str = "cloudasset/feeds";
    let asked = json!({
        "gcp": "projects/acme-logs/topics/assets", "asset-types": ["compute.googleapis.com/Disk", "storage.googleapis.com/Bucket"],
    });
    let theirs = json!({
        "name": "organizations/123456789012/feeds/theirs", "assetTypes": ["compute.googleapis.com/Disk"], "contentType": "RESOURCE",
        "feedOutputConfig": {"pubsubDestination": {"topic": "projects/theirs/topics/x"}},
    });
    let wire = Wire::new(|world| {
        let feeds = world.organization.governance.things_mut(FEEDS);
        feeds.insert("theirs".to_owned(), theirs.clone());
    });
    let organization = Landscape::organization().asks(ControlKind::ConfigurationRecording, asked).desired;
    let wrong = wire.held_twice(ControlKind::ConfigurationRecording, &organization).await;
    assert_eq!(wrong, ["no feed of the organization tells the named topic how resources are set up"]);
    // Somebody narrows ours, and adds a type.
    wire.simulator.edit(|world| {
        let feeds = world.organization.governance.things_mut(FEEDS);
        let ours = feeds.get_mut("landfall-configuration").unwrap();
        ours["assetTypes"] = json!(["iam.googleapis.com/Role"]);
        ours["condition"] = json!({"expression": "temporal_asset.deleted == true"});
    });
    assert_eq!(wire.held_twice(ControlKind::ConfigurationRecording, &organization).await.len(), 1);
    wire.simulator.read(|world| {
        let feeds = world.organization.governance.things(FEEDS);
        assert_eq!((feeds.len(), &feeds["theirs"]), (2, &theirs));
        let ours = &feeds["landfall-configuration"];
        let types = json!([
            "compute.googleapis.com/Disk",
            "iam.googleapis.com/Role",
            "storage.googleapis.com/Bucket"
        ]);
        assert_eq!((&ours["assetTypes"], ours.get("condition")), (&types, None));
    });
}
