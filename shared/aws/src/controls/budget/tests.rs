//! What is said of budgets and of who is told.

use landfall_model::desired::Standing;

use super::super::scenario::{addresses, said};
use super::*;

fn want(recipients: &[&str]) -> Value {
    json!({
        "budget": {"monthly": 2000, "currency": "USD", "alert-at": [80, 100]},
        "recipients": recipients,
    })
}

fn limited(amount: &str) -> Value {
    json!({
        "BudgetName": "landfall", "BudgetType": "COST", "TimeUnit": "MONTHLY",
        "BudgetLimit": {"Amount": amount, "Unit": "USD"},
    })
}

fn told(addresses: &[&str]) -> Value {
    let subscribers: Vec<Subscriber> = addresses.iter().map(|address| Subscriber::mail(address)).collect();
    json!(Told { subscribers })
}

#[test]
fn the_budget_and_each_alert_are_settings() {
    let expected = ["budget/monthly", "budget/alert-at-80", "budget/alert-at-100"];
    assert_eq!(addresses(&Budget, want(&[])), expected);
    assert_eq!(notification(&alert(80))["Threshold"], json!(80));
}

#[test]
fn amounts_are_numbers_however_they_are_written() {
    for (written, plainly) in
        [("2000.0", "2000"), ("2000", "2000"), ("12.50", "12.5"), ("1E+7", "10000000"), ("?", "?")]
    {
        assert_eq!(plain(written), plainly);
    }
}

#[test]
fn the_budget_is_set_to_what_is_asked() {
    let mut narrowed = limited("2000");
    narrowed["CostFilters"] = json!({"Service": ["Amazon S3"]});
    let mut cleared = limited("2000");
    cleared["CostFilters"] = json!({});
    let set = limited("2000");
    let table = [
        (Seen::Present(limited("2000")), "holds".to_owned()),
        (Seen::Present(cleared), "holds".to_owned()),
        (Seen::Absent, format!("fails: there is no budget\n+ create {set}")),
        (Seen::Present(limited("500")), format!("fails: the budget is 500 USD\n~ update {set}")),
        (
            Seen::Present(narrowed),
            format!("fails: the budget is not about all costs of a month\n~ update {set}"),
        ),
    ];
    for (seen, expected) in table {
        let saw = [("budget/monthly", seen)];
        assert_eq!(said(&Budget, want(&["a@example.com"]), Standing::Adopted, &saw), [expected]);
    }
}

#[test]
fn everybody_is_told_and_nobody_is_taken_away() {
    let both = ["a@example.com", "b@example.com"];
    let table = [
        (Seen::Present(told(&both)), "holds".to_owned()),
        (Seen::Present(told(&["A@example.com", "b@example.com", "c@example.com"])), "holds".to_owned()),
        (
            Seen::Absent,
            format!("fails: at 80 % nobody tells a@example.com, b@example.com\n+ tell {}", told(&both)),
        ),
        (
            Seen::Present(told(&["b@example.com", "c@example.com"])),
            format!(
                "fails: at 80 % nobody tells a@example.com\n~ tell {}",
                told(&["a@example.com", "b@example.com", "c@example.com"])
            ),
        ),
    ];
    for (seen, expected) in table {
        let saw = [("budget/alert-at-80", seen)];
        assert_eq!(said(&Budget, want(&both), Standing::Adopted, &saw), [expected]);
    }
    let nobody = said(&Budget, want(&[]), Standing::Adopted, &[("budget/alert-at-80", Seen::Absent)]);
    assert_eq!(nobody, ["fails: the manifest names nobody who could be told"]);
}

#[test]
fn a_full_notification_says_so() {
    let many: Vec<String> = (0..12).map(|n| format!("{n:02}@example.com")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let saw = [("budget/alert-at-80", Seen::Absent)];
    let line = said(&Budget, want(&many), Standing::Adopted, &saw).remove(0);
    assert!(line.contains("at most 10 mail addresses"), "{line}");
    assert_eq!(line.matches("EMAIL").count(), 10);
    let saw = [("budget/alert-at-80", Seen::Present(told(&many[..10])))];
    let line = said(&Budget, want(&many), Standing::Adopted, &saw).remove(0);
    assert!(line.starts_with("fails: at 80 % nobody tells 10@example.com, 11@example.com;"), "{line}");
    assert!(!line.contains('\n'), "{line}");
}

#[test]
fn a_notification_waits_for_its_budget() {
    let observe = |monthly: Seen| {
        let look =
            |seen| landfall_model::observed::Look { seen, at: jiff::Timestamp::UNIX_EPOCH, request: None };
        Observed([(super::monthly(), look(monthly)), (alert(80), look(Seen::Absent))].into())
    };
    let settings: Settings = serde_json::from_value(want(&["a@example.com"])).unwrap();
    let desired = super::super::scenario::desired(Budget::KIND, want(&["a@example.com"]), Standing::Adopted);
    let needs = |monthly: Seen| {
        let judgements = Budget.judge(&settings, &desired, &observe(monthly));
        let Verdict::Fails { changes, .. } = &judgements[1].verdict else { panic!("{judgements:?}") };
        changes[0].needs.clone()
    };
    assert_eq!(needs(Seen::Absent), [ChangeId("budget/monthly#create".to_owned())]);
    assert_eq!(needs(Seen::Present(limited("2000"))), []);
}
