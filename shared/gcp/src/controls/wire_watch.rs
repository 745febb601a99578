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
