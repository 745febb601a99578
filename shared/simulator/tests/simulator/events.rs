use serde_json::{Value, json};

use crate::client::{Client, MEMBER, simulator};

#[test]
fn a_created_account_is_told_with_its_id_in_one_place_only() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let body = json!({"AccountName": "new team", "Email": "new@example.com", "Tags": [{"Key": "team", "Value": "x"}]});
    let begun = client.organizations("CreateAccount", &body).json()["CreateAccountStatus"].clone();
    assert_eq!(begun["State"], "IN_PROGRESS");
    assert!(begun["Id"].as_str().unwrap().starts_with("car-"));
    let look = || {
        client
            .organizations("DescribeCreateAccountStatus", &json!({"CreateAccountRequestId": begun["Id"]}))
            .json()
    };
    assert_eq!(look()["CreateAccountStatus"]["State"], "IN_PROGRESS");
    assert!(simulator.take_events().is_empty(), "nothing is told before it is done");
    let done = look()["CreateAccountStatus"].clone();
    assert_eq!(done["State"], "SUCCEEDED");
    let id = done["AccountId"].as_str().unwrap();
    let events = simulator.take_events();
    assert_eq!(events.len(), 1);
    let event = &events[0];
    assert_eq!(event["source"], "aws.organizations");
    assert_eq!(event["detail-type"], "AWS Service Event via CloudTrail");
    assert_eq!((&event["account"], &event["region"]), (&json!("111111111111"), &json!("us-east-1")));
    assert_eq!(event["detail"]["eventName"], "CreateAccountResult");
    assert_eq!(event["detail"]["eventType"], "AwsServiceEvent");
    let status = &event["detail"]["serviceEventDetails"]["createAccountStatus"];
    assert_eq!(status["state"], "SUCCEEDED");
    assert_eq!(status["accountId"], id);
    assert_eq!(status["accountName"], "****");
    assert_eq!(event.to_string().matches(id).count(), 1);
    assert!(!event.to_string().contains("new team"));
    assert!(simulator.take_events().is_empty(), "events are told once");
    let tags = client.organizations("ListTagsForResource", &json!({"ResourceId": id})).json();
    assert_eq!(tags["Tags"], json!([{"Key": "team", "Value": "x"}]));
}

#[test]
fn a_taken_address_fails_the_creation_and_has_no_id() {
    let simulator = simulator(1);
    simulator.edit(|world| world.settings.create_account_polls = 0);
    let client = Client::new(&simulator);
    let body = json!({"AccountName": "again", "Email": "aws+team-0001@example.com"});
    let begun = client.organizations("CreateAccount", &body).json()["CreateAccountStatus"].clone();
    let ask = json!({"CreateAccountRequestId": begun["Id"]});
    let done =
        client.organizations("DescribeCreateAccountStatus", &ask).json()["CreateAccountStatus"].clone();
    assert_eq!((&done["State"], &done["FailureReason"]), (&json!("FAILED"), &json!("EMAIL_ALREADY_EXISTS")));
    let status = simulator.take_events()[0]["detail"]["serviceEventDetails"]["createAccountStatus"].clone();
    assert_eq!(status["state"], "FAILED");
    assert_eq!(status.get("accountId"), None);
    let nothing =
        client.organizations("DescribeCreateAccountStatus", &json!({"CreateAccountRequestId": "car-0"}));
    assert_eq!(nothing.code(), "CreateAccountStatusNotFoundException");
}

#[test]
fn moving_and_closing_are_told() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let unit = simulator.edit(|world| world.organization.add_unit("Sandbox", "r-ab12"));
    let go = json!({"AccountId": MEMBER, "SourceParentId": "r-ab12", "DestinationParentId": unit});
    assert_eq!(client.organizations("MoveAccount", &go).status, 200);
    assert_eq!(client.organizations("CloseAccount", &json!({"AccountId": MEMBER})).status, 200);
    let again = client.organizations("CloseAccount", &json!({"AccountId": MEMBER}));
    assert_eq!(again.code(), "AccountAlreadyClosedException");
    let events = simulator.take_events();
    let names: Vec<(&Value, &Value)> =
        events.iter().map(|event| (&event["detail-type"], &event["detail"]["eventName"])).collect();
    let (call, service) = (json!("AWS API Call via CloudTrail"), json!("AWS Service Event via CloudTrail"));
    assert_eq!(
        names,
        [
            (&call, &json!("MoveAccount")),
            (&call, &json!("CloseAccount")),
            (&service, &json!("CloseAccountResult"))
        ]
    );
    assert_eq!(events[0]["detail"]["requestParameters"]["accountId"], MEMBER);
    assert_eq!(events[0]["detail"]["requestParameters"]["destinationParentId"], unit);
    assert_eq!(client.assume_role(MEMBER, "landfall-read", None).code(), "AccessDenied");
}
