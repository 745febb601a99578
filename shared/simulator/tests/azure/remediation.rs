//! What `modify` makes of requests, and what a remediation task makes of what is there already.

use landfall_simulator::azure::STORAGE_ACCOUNT_CONTRIBUTOR;
use serde_json::{Value, json};

use crate::client::{Client, SECOND, policy, simulator, subscription};

const MODIFIES: &str =
    "/providers/Microsoft.Authorization/policyDefinitions/13502221-8df0-4414-9937-de9c5c4e396b";

fn assigning(identity: bool) -> Value {
    let properties = json!({"policyDefinitionId": MODIFIES, "parameters": {"effect": {"value": "Modify"}}});
    match identity {
        true => {
            json!({"location": "westeurope", "identity": {"type": "SystemAssigned"}, "properties": properties})
        }
        false => json!({"properties": properties}),
    }
}

fn task() -> String {
    format!("{}/providers/Microsoft.PolicyInsights/remediations/r", subscription(SECOND))
}

/// Asks after the task until it is over.
fn over(client: &Client) -> Value {
    let ask = || client.get(&task()).json().get("properties").cloned().unwrap_or_default();
    let at_work = |told: &Value| {
        let state = told.get("provisioningState").and_then(Value::as_str);
        matches!(state, Some("Accepted" | "Evaluating"))
    };
    let mut told = ask();
    for _ in 0..5 {
        if at_work(&told) {
            told = ask();
        }
    }
    told
}

fn wrong(client: &Client, assignment: &str) -> usize {
    let states = format!("{}/providers/Microsoft.PolicyInsights/policyStates/latest", subscription(SECOND));
    let filter = format!("PolicyAssignmentId eq '{assignment}' and ComplianceState eq 'NonCompliant'");
    let rows = client.call("POST", &format!("{states}/queryResults?$filter={filter}"), &Value::Null);
    rows.listed("/resourceId").len()
}

#[test]
fn what_is_written_is_changed_and_what_is_there_waits_for_a_task_whose_identity_holds_the_role() {
    let simulator = simulator(2);
    simulator.edit(|world| world.subscription_mut(SECOND).unwrap().register("Microsoft.PolicyInsights"));
    let client = Client::new(&simulator);
    let assignment = policy(&subscription(SECOND), "policyAssignments", "modifies");
    assert_eq!(client.put(&assignment, &assigning(false)).told(), "400 ResourceIdentityRequired");
    let made = client.put(&assignment, &assigning(true)).json();
    let principal = made["identity"]["principalId"].as_str().unwrap().to_owned();
    let again = client.put(&assignment, &assigning(true)).json();
    assert_eq!(again["identity"]["principalId"], principal.as_str(), "a second write keeps the identity");

    let accounts = format!(
        "{}/resourceGroups/website/providers/Microsoft.Storage/storageAccounts",
        subscription(SECOND)
    );
    let public = json!({"location": "westeurope", "properties": {"allowBlobPublicAccess": true}});
    let new = client.put(&format!("{accounts}/new"), &public).json();
    assert_eq!(new["properties"]["allowBlobPublicAccess"], false, "what is written is changed on its way");
    let old =
        || client.get(&format!("{accounts}/website")).json()["properties"]["allowBlobPublicAccess"].clone();
    assert_eq!((old(), wrong(&client, &assignment)), (json!(true), 1));

    // Without its role, the identity can change nothing.
    let body = json!({"properties": {"policyAssignmentId": assignment, "resourceDiscoveryMode": "ExistingNonCompliant"}});
    assert_eq!(client.put(&task(), &body).json()["properties"]["provisioningState"], "Accepted");
    assert_eq!(client.put(&task(), &body).told(), "400 InvalidUpdateRemediationRequest", "it is at work");
    assert_eq!(client.delete(&task()).told(), "400 InvalidDeleteRemediationRequest");
    let failed = over(&client);
    assert_eq!(
        (&failed["provisioningState"], &failed["deploymentStatus"]["failedDeployments"]),
        (&json!("Failed"), &json!(1))
    );
    assert!(failed["statusMessage"].as_str().unwrap().contains(&principal), "{failed}");
    assert_eq!(old(), true);

    simulator.edit(|world| {
        world
            .give(&subscription(SECOND), STORAGE_ACCOUNT_CONTRIBUTOR, &principal, "ServicePrincipal")
            .unwrap()
    });
    client.put(&task(), &body);
    let succeeded = over(&client);
    assert_eq!(succeeded["provisioningState"], "Succeeded");
    assert_eq!((old(), wrong(&client, &assignment)), (json!(false), 0));

    // Another assignment of the same name has another identity, which holds nothing.
    assert_eq!(client.delete(&assignment).status, 200);
    assert_ne!(
        client.put(&assignment, &assigning(true)).json()["identity"]["principalId"],
        principal.as_str()
    );
}
