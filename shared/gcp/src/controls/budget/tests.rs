use super::*;
use crate::controls::landscape::Landscape;

const AT: &str = "budget/monthly";

/// The budget as it is asked, as a look keeps it.
fn agreed() -> Value {
    let at = |percent: f64| json!({"thresholdPercent": percent, "spendBasis": "CURRENT_SPEND"});
    json!({
        "account": "billingAccounts/01AB23-45CD67-89EF01", "currency": "EUR",
        "budget": {
            "amount": {"specifiedAmount": {"currencyCode": "EUR", "units": "2000"}},
            "budgetFilter": {
                "projects": ["projects/415104041262"], "calendarPeriod": "MONTH",
                "creditTypesTreatment": "INCLUDE_ALL_CREDITS",
            },
            "thresholdRules": [at(0.5), at(0.8), at(1.0)],
        },
        "recipients": ["bills@acme.example", "ops@acme.example", "security@acme.example"],
    })
}

fn differing(pointer: &str, value: Value) -> Value {
    let mut budget = agreed();
    let (parent, last) = pointer.rsplit_once('/').unwrap();
    budget.pointer_mut(parent).unwrap()[last] = value;
    budget
}

fn said(there: Value) -> String {
    Landscape::adopted("acme-checkout-prod").saw(AT, there).said(&Budget).remove(0)
}

const WITH: &str =
    "with {\"recipients\":[\"bills@acme.example\",\"ops@acme.example\",\"security@acme.example\"]}";

#[test]
fn a_budget_as_agreed_needs_nothing() {
    let more = json!([
        {"thresholdPercent": 0.5}, {"thresholdPercent": 0.8}, {"thresholdPercent": 0.9, "spendBasis": "FORECASTED_SPEND"},
        {"thresholdPercent": 1.0},
    ]);
    let unsaid = json!({"projects": ["projects/415104041262"], "services": []});
    for there in
        [agreed(), differing("/budget/thresholdRules", more), differing("/budget/budgetFilter", unsaid)]
    {
        assert_eq!(said(there), "holds");
    }
}

#[test]
fn a_project_without_one_gets_it() {
    let none = json!({"account": "billingAccounts/01AB23-45CD67-89EF01", "currency": "EUR"});
    let mut after = agreed();
    after["budget"]["budgetFilter"] = json!({"calendarPeriod": "MONTH"});
    let expected = format!("fails: there is no budget\n+ baseline budget/monthly#put {after} {WITH}");
    assert_eq!(said(none), expected);
}

#[test]
fn what_differs_is_put_right() {
    let table = [
        ("/budget/amount/specifiedAmount/units", json!("10"), "the budget is 10"),
        ("/budget/amount", json!({}), "the budget is what was spent before"),
        (
            "/budget/budgetFilter/calendarPeriod",
            json!("YEAR"),
            "the budget is not about all costs of a month",
        ),
        (
            "/budget/budgetFilter/services",
            json!(["services/1"]),
            "the budget is not about all costs of a month",
        ),
        (
            "/recipients",
            json!(["bills@acme.example", "ops@acme.example"]),
            "the budget tells nobody at security@acme.example",
        ),
    ];
    for (pointer, there, why) in table {
        let mut after = agreed();
        if pointer.contains("budgetFilter") {
            // Whether the project is in it is seen to by the write.
            after["budget"]["budgetFilter"]["calendarPeriod"] = json!("MONTH");
        }
        let expected = format!("fails: {why}\n~ baseline budget/monthly#put {after} {WITH}");
        assert_eq!(said(differing(pointer, there)), expected);
    }
    let rules = json!([{"thresholdPercent": 0.5}, {"thresholdPercent": 1.0}]);
    assert!(
        said(differing("/budget/thresholdRules", rules)).starts_with("fails: at 80 % nobody is told\n~ ")
    );
}

#[test]
fn another_currency_is_said_and_nothing_is_converted() {
    let expected = "fails: the manifest's budget is in EUR, and `billingAccounts/01AB23-45CD67-89EF01` is \
                    billed in USD: nothing is converted";
    assert_eq!(said(differing("/currency", json!("USD"))), expected);
}

#[test]
fn a_project_that_nobody_pays_for_has_no_budget() {
    let expected = "fails: no billing account pays for the project, so there can be no budget";
    assert_eq!(said(json!({})), expected);
}

#[test]
fn a_channel_tells_somebody_while_it_is_on_and_writes_mail() {
    let channel = |kind: &str, enabled: Value| -> Option<String> {
        let channel = json!({
            "name": "projects/x/notificationChannels/1", "type": kind, "enabled": enabled,
            "labels": {"email_address": "Ops@acme.example"},
        });
        serde_json::from_value::<Channel>(channel).unwrap().address()
    };
    assert_eq!(channel("email", Value::Null).as_deref(), Some("ops@acme.example"));
    assert_eq!(channel("email", json!(false)), None);
    assert_eq!(channel("sms", json!(true)), None);
}
