//! Billing accounts, and the budgets that belong to them.

use landfall_simulator::gcp::BILLING_ACCOUNT;
use serde_json::{Value, json};

use crate::client::{Client, simulator};

const BILLING: &str = "/cloudbilling.googleapis.com/v1";

fn budgets() -> String {
    format!("/billingbudgets.googleapis.com/v1/billingAccounts/{BILLING_ACCOUNT}/budgets")
}

fn budget() -> Value {
    json!({
        "displayName": "landfall team-0001", "budgetFilter": {"projects": ["projects/team-0001"]},
        "amount": {"specifiedAmount": {"units": "500", "nanos": 500_000_000}},
        "thresholdRules": [{"thresholdPercent": 0.8}, {"thresholdPercent": 1.0, "spendBasis": "FORECASTED_SPEND"}],
    })
}

#[test]
fn a_project_has_one_billing_account_or_none() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let path = format!("{BILLING}/projects/team-0001/billingInfo");
    let info = client.get(&path).json();
    let account = format!("billingAccounts/{BILLING_ACCOUNT}");
    assert_eq!(
        info,
        json!({
            "name": "projects/team-0001/billingInfo", "projectId": "team-0001",
            "billingAccountName": account, "billingEnabled": true,
        })
    );
    let off = client.call("PUT", &path, &json!({"billingAccountName": ""})).json();
    assert!(off.get("billingAccountName").is_none() && off.get("billingEnabled").is_none(), "{off}");
    let foreign =
        client.call("PUT", &path, &json!({"billingAccountName": "billingAccounts/000000-000000-000000"}));
    assert_eq!(foreign.told(), "403 PERMISSION_DENIED");
    assert_eq!(client.call("PUT", &path, &json!({"billingAccountName": account})).json(), info);
    let known = client.get(&format!("{BILLING}/{account}")).json();
    assert_eq!((&known["currencyCode"], &known["open"]), (&json!("EUR"), &json!(true)));
    assert_eq!(
        client.get(&format!("{BILLING}/{account}/projects")).listed("projectBillingInfo", "/projectId").len(),
        2
    );
}

#[test]
fn a_budget_comes_back_with_its_defaults_and_with_numbers_for_names() {
    let simulator = simulator(2);
    let client = Client::new(&simulator);
    let made = client.post(&budgets(), &budget());
    assert_eq!(made.told(), "200", "{}", made.body);
    let number = simulator.read(|world| world.project("team-0001").unwrap().name());
    let made = made.json();
    assert_eq!(made["budgetFilter"]["projects"], json!([number]));
    assert_eq!(made["budgetFilter"]["calendarPeriod"], "MONTH");
    assert_eq!(made["budgetFilter"]["creditTypesTreatment"], "INCLUDE_ALL_CREDITS");
    assert_eq!(
        made["amount"]["specifiedAmount"],
        json!({"currencyCode": "EUR", "units": "500", "nanos": 500_000_000})
    );
    assert_eq!(made["thresholdRules"][0]["spendBasis"], "CURRENT_SPEND");
    assert_eq!(made["ownershipScope"], "ALL_USERS");
    assert_eq!(
        client.get(&format!("/billingbudgets.googleapis.com/v1/{}", made["name"].as_str().unwrap())).json(),
        made
    );
    let scoped = |project: &str| {
        client.get(&format!("{}?scope=projects/{project}", budgets())).listed("budgets", "/name")
    };
    assert_eq!(scoped("team-0001").len(), 1);
    assert!(scoped("team-0002").is_empty());
}

#[test]
fn a_budget_is_changed_by_its_mask_and_its_etag() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let made = client.post(&budgets(), &budget()).json();
    let path = format!("/billingbudgets.googleapis.com/v1/{}", made["name"].as_str().unwrap());
    let change = json!({"amount": {"specifiedAmount": {"units": "700"}}, "etag": made["etag"]});
    let changed = client.patch(&format!("{path}?updateMask=amount"), &change);
    assert_eq!(changed.text("/amount/specifiedAmount/units"), "700");
    assert_eq!(changed.json()["thresholdRules"], made["thresholdRules"]);
    assert_ne!(changed.json()["etag"], made["etag"]);
    assert_eq!(client.patch(&format!("{path}?updateMask=amount"), &change).told(), "409 ABORTED");
    // Without a mask all of it is replaced.
    let whole = client.patch(&path, &json!({"amount": {"specifiedAmount": {"units": "1"}}})).json();
    assert!(whole.get("displayName").is_none() && whole.get("thresholdRules").is_none(), "{whole}");
    assert_eq!(client.delete(&path).told(), "200");
    assert_eq!(client.get(&path).told(), "404 NOT_FOUND");
}

#[test]
fn what_a_budget_may_not_be() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let wrong = |pointer: &str, value: Value| {
        let mut budget = budget();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        budget.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(name.to_owned(), value);
        client.post(&budgets(), &budget).told()
    };
    for (pointer, value) in [
        ("/amount/specifiedAmount/currencyCode", json!("USD")),
        ("/amount/specifiedAmount/units", json!("-1")),
        ("/amount/specifiedAmount/unit", json!("1")),
        ("/amount/lastPeriodAmount", json!({})),
        ("/budgetFilter/projects", json!(["projects/nobody-has-this"])),
        ("/budgetFilter/calendarPeriod", json!("DAY")),
        ("/displayName", json!("x".repeat(61))),
        ("/notificationsRule", json!({"pubsubTopic": "projects/p/topics/t"})),
        ("/thresholds", json!([])),
    ] {
        assert_eq!(wrong(pointer, value), "400 INVALID_ARGUMENT", "{pointer}");
    }
    let foreign = budgets().replace(BILLING_ACCOUNT, "000000-000000-000000");
    assert_eq!(client.get(&foreign).told(), "403 PERMISSION_DENIED");
}
