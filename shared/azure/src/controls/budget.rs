//! `budget` on Azure: a monthly budget of the subscription with a notification for each percentage, row Z14.
//!
//! The budget is found by its name, which is ours; others are left alone. Azure keeps it with its notifications in one setting, so
//! that is one setting here: the addresses, action groups and roles that others put to a notification stay, and so do notifications
//! of their own.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Compare, Control, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::budget::Settings;
use landfall_model::desired::Desired;
use landfall_model::judgement::Verdict;
use landfall_model::manifest;
use landfall_model::observed::{Address, shows};
use landfall_model::plan::{Change, Deed};

use super::{Azure, absent, json, reported, seen};
use crate::client::service::BUDGETS;
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};

/// The budget's name in the subscription.
const NAME: &str = "landfall-monthly";

/// Notifications of one budget: `BudgetProperties` of the API.
const MOST: usize = 5;

pub(super) struct Budget;

/// The budget, in Azure's own names, without what changes by itself. The write takes the same but for the currency.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Monthly {
    #[serde(default, deserialize_with = "super::or_default")]
    category: String,
    #[serde(default, deserialize_with = "super::or_default")]
    amount: f64,
    #[serde(default, deserialize_with = "super::or_default")]
    time_grain: String,
    /// Of which costs only, where somebody narrowed it.
    #[serde(default, skip_serializing_if = "is_empty")]
    filter: Value,
    #[serde(default, deserialize_with = "super::or_default")]
    notifications: BTreeMap<String, Notification>,
    /// From when until when. Azure lets nobody move the start, and asks for it.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    time_period: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    current_spend: Option<Currency>,
    /// Of the version that was seen, without which Azure changes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    e_tag: Option<String>,
}

/// What the subscription is billed in. How much was spent is not kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Currency {
    #[serde(default, deserialize_with = "super::or_default")]
    unit: String,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Notification {
    #[serde(default, deserialize_with = "super::or_default")]
    enabled: bool,
    #[serde(default, deserialize_with = "super::or_default")]
    operator: String,
    #[serde(default, deserialize_with = "super::or_default")]
    threshold: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    threshold_type: Option<String>,
    #[serde(default, deserialize_with = "super::or_default")]
    contact_emails: Vec<String>,
    #[serde(default, deserialize_with = "super::or_default", skip_serializing_if = "Vec::is_empty")]
    contact_roles: Vec<String>,
    #[serde(default, deserialize_with = "super::or_default", skip_serializing_if = "Vec::is_empty")]
    contact_groups: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    locale: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(default)]
    e_tag: Option<String>,
    properties: Monthly,
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty)
}

impl Notification {
    /// Whether it is about this percentage of what was spent.
    fn is_at(&self, percent: u32) -> bool {
        let actual = self.threshold_type.as_ref().is_none_or(|kind| kind.eq_ignore_ascii_case("Actual"));
        let above = ["GreaterThan", "GreaterThanOrEqualTo"]
            .iter()
            .any(|operator| self.operator.eq_ignore_ascii_case(operator));
        actual && above && (self.threshold - f64::from(percent)).abs() < 0.005
    }

    fn tells(&self, recipient: &str) -> bool {
        self.contact_emails.iter().any(|there| there.eq_ignore_ascii_case(recipient))
    }

    fn at(percent: u32) -> Self {
        Notification {
            operator: "GreaterThan".to_owned(),
            threshold: f64::from(percent),
            threshold_type: Some("Actual".to_owned()),
            ..Notification::default()
        }
    }
}

/// What Azure's portal calls such a notification.
fn name_at(percent: u32) -> String {
    format!("Actual_GreaterThan_{percent}_Percent")
}

fn path(session: &Session) -> String {
    format!("{}/providers/Microsoft.Consumption/budgets/{NAME}", session.scope())
}

#[async_trait]
impl Control for Budget {
    const KIND: ControlKind = ControlKind::Budget;
    const PERMISSIONS: Permissions = Permissions {
        read: &["Microsoft.Consumption/budgets/read"],
        // A write that is told of another version looks whose it is.
        write: &["Microsoft.Consumption/budgets/read", "Microsoft.Consumption/budgets/write"],
    };

    type On = Azure;
    type Want = Settings;

    fn addresses(&self, _: &Settings, _: &Desired) -> Vec<Address> {
        vec![Address::global(Self::KIND, "monthly")]
    }

    async fn look(&self, reader: &Reader, _: &Desired, _: &Address) -> Result<Sighting, CallError> {
        look(&reader.0).await
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        let session = &writer.0;
        let Some(mut properties) = change.after.clone() else {
            return Err(CallError::NothingToWrite(Self::KIND));
        };
        let with = |name: &str| change.with.as_ref().and_then(|with| with.get(name)).cloned();
        // A budget counts from the first of a month on. Which one is nobody's wish, so that it is no part of the plan.
        let period = with("timePeriod").unwrap_or_else(|| json!({"startDate": this_month()}));
        if let Some(properties) = properties.as_object_mut() {
            properties.insert("timePeriod".to_owned(), period);
        }
        let mut body = json!({"properties": properties});
        if let (Some(e_tag), Some(body)) = (with("eTag"), body.as_object_mut()) {
            body.insert("eTag".to_owned(), e_tag);
        }
        match session.client.put(&BUDGETS, &path(session), &body).await {
            Ok(_) => Ok(Value::Null),
            // Another version is there: either somebody else's, or ours since a moment ago, and that answer was lost.
            Err(error) if matches!(error.status(), Some(409 | 412)) => {
                match shows(&look(session).await?.seen, change.after.as_ref()) {
                    true => Ok(Value::Null),
                    false => Err(error),
                }
            }
            Err(error) => Err(explained(error)),
        }
    }
}

/// <https://learn.microsoft.com/azure/cost-management-billing/costs/tutorial-acm-create-budgets>, "Prerequisites".
fn explained(error: CallError) -> CallError {
    match has_no_costs(&error) {
        true => error.explained(
            "Azure has no cost data of the subscription, which a new one lacks for up to 48 hours, and some offers for good",
        ),
        false => error,
    }
}

/// Azure says so by several numbers and codes, one of which (404, `NotFound`) reads as if there were no budget:
/// <https://github.com/Azure/terraform-azurerm-lz-vending/issues/471>, <https://github.com/MicrosoftDocs/azure-docs/issues/60672>.
fn has_no_costs(error: &CallError) -> bool {
    const WORDS: [&str; 2] = ["Cost management data is not supported", "Cost Management supports only"];
    matches!(error, CallError::Api { message, .. } if WORDS.iter().any(|words| message.contains(words)))
}

async fn look(session: &Session) -> Result<Sighting, CallError> {
    match session.client.get(&BUDGETS, &path(session)).await {
        Ok(reply) => {
            let Answer { e_tag, properties } = reply.json()?;
            Ok(seen(&reply, &Monthly { e_tag, ..properties }))
        }
        Err(error) if error.is_not_found() && !has_no_costs(&error) => Ok(absent(&error)),
        Err(error) => Err(explained(error)),
    }
}

/// The first of this month, as Azure takes it.
fn this_month() -> String {
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    format!("{}T00:00:00Z", today.first_of_month())
}

impl Compare for Budget {
    type There = Monthly;

    fn compare(&self, want: &Settings, _: &Desired, address: &Address, there: Option<Monthly>) -> Verdict {
        let Settings { budget: manifest::Budget { monthly, currency, alert_at }, recipients } = want;
        if recipients.is_empty() {
            return reported("the manifest names nobody who could be told");
        }
        let mut why = Vec::new();
        let (deed, there) = match there {
            Some(there) => (Deed::Update, there),
            None => (Deed::Create, Monthly::default()),
        };
        let mut after =
            Monthly { time_period: Value::Null, current_spend: None, e_tag: None, ..there.clone() };
        // Whole units, far below where a number loses any.
        #[expect(clippy::cast_precision_loss, reason = "no budget is of 2^53 units")]
        let amount = *monthly as f64;
        if (there.amount - amount).abs() >= 0.005 {
            why.push(format!("the budget is {}", there.amount));
            after.amount = amount;
        }
        let of_a_month = there.time_grain.eq_ignore_ascii_case("Monthly");
        if !of_a_month || !there.category.eq_ignore_ascii_case("Cost") || !is_empty(&there.filter) {
            why.push("the budget is not about all costs of a month".to_owned());
            "Monthly".clone_into(&mut after.time_grain);
            "Cost".clone_into(&mut after.category);
            after.filter = Value::Null;
        }
        let left_out = notifications(&mut after.notifications, alert_at, recipients, &mut why);
        if deed == Deed::Create {
            why = vec!["there is no budget".to_owned()];
        }
        let repairs = !why.is_empty();
        why.extend(left_out);
        why.extend(billed_otherwise(currency, &there));
        if why.is_empty() {
            return Verdict::Holds;
        }
        let why = why.join("; ");
        if !repairs {
            return reported(why);
        }
        let Monthly { time_period, e_tag, .. } = there;
        let mut with = serde_json::Map::new();
        if !time_period.is_null() {
            with.insert("timePeriod".to_owned(), time_period);
        }
        if let Some(e_tag) = e_tag {
            with.insert("eTag".to_owned(), Value::String(e_tag));
        }
        let with = if with.is_empty() { Value::Null } else { Value::Object(with) };
        Verdict::fails(Change::new(address, "put", deed, why).after(json(&after)).with(with))
    }
}

/// Puts the notifications as they are asked; says what has no place.
fn notifications(
    all: &mut BTreeMap<String, Notification>,
    alert_at: &[u32],
    recipients: &[String],
    why: &mut Vec<String>,
) -> Option<String> {
    let mut left_out = Vec::new();
    for percent in alert_at {
        let there = all.iter().find(|(_, there)| there.is_at(*percent)).map(|(name, _)| name.clone());
        if there.is_none() && all.len() >= MOST {
            left_out.push(format!("{percent} %"));
            continue;
        }
        let is_new = there.is_none();
        let one = all.entry(there.unwrap_or_else(|| name_at(*percent)));
        let one = one.or_insert_with(|| Notification::at(*percent));
        let missing: Vec<String> =
            recipients.iter().filter(|recipient| !one.tells(recipient)).cloned().collect();
        match (is_new, one.enabled, missing.is_empty()) {
            (true, _, _) => why.push(format!("at {percent} % nobody tells anybody")),
            (false, false, _) => why.push(format!("the notification at {percent} % is switched off")),
            (false, true, false) => why.push(format!("at {percent} % nobody tells {}", missing.join(", "))),
            (false, true, true) => {}
        }
        one.contact_emails.extend(missing);
        one.enabled = true;
    }
    let told = format!("a budget at Azure has at most {MOST} notifications: none at {}", left_out.join(", "));
    (!left_out.is_empty()).then_some(told)
}

/// Azure takes an amount without a currency: it is the subscription's, which shows once there is a budget.
fn billed_otherwise(currency: &str, there: &Monthly) -> Option<String> {
    let Currency { unit } = there.current_spend.as_ref()?;
    let other = !unit.is_empty() && !unit.eq_ignore_ascii_case(currency);
    other.then(|| {
        format!("the manifest's budget is in {currency}, and the subscription is billed in {unit}: nothing is converted")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::landscape::Landscape;

    const AT: &str = "budget/monthly";

    fn at(percent: u32) -> Value {
        json!({
            "enabled": true, "operator": "GreaterThan", "threshold": f64::from(percent), "thresholdType": "Actual",
            "contactEmails": ["ops@acme.example", "security@acme.example"],
        })
    }

    /// The budget as it is asked, as a look keeps it.
    fn agreed() -> Value {
        json!({
            "category": "Cost", "amount": 2000.0, "timeGrain": "Monthly",
            "notifications": {
                "Actual_GreaterThan_100_Percent": at(100), "Actual_GreaterThan_50_Percent": at(50),
                "Actual_GreaterThan_80_Percent": at(80),
            },
            "timePeriod": {"startDate": "2026-01-01T00:00:00Z", "endDate": "2036-01-01T00:00:00Z"},
            "currentSpend": {"unit": "EUR"}, "eTag": "\"1d\"",
        })
    }

    #[test]
    fn a_subscription_without_cost_data_is_not_one_without_a_budget() {
        let young =
            "Cost management data is not supported for subscription(s) x, in the provided api-version.";
        let offer = "Cost Management supports only Enterprise Agreement, Web direct and Microsoft Customer Agreement offer types.";
        let table = [
            (404, "NotFound", young, true),
            (400, "BadRequest", offer, true),
            (404, "NotFound", "no budget of this name", false),
        ];
        for (status, code, message, expected) in table {
            let told = explained(CallError::refused(status, code, message)).to_string();
            assert_eq!(told.starts_with("Azure has no cost data"), expected, "{told}");
        }
    }

    fn differing(pointer: &str, value: Value) -> Value {
        let mut budget = agreed();
        let (parent, last) = pointer.rsplit_once('/').unwrap();
        budget.pointer_mut(parent).unwrap()[last] = value;
        budget
    }

    fn said(there: Value) -> String {
        Landscape::adopted(2).saw(AT, there).said(&Budget).remove(0)
    }

    /// What Azure takes of the budget as asked.
    fn asked() -> Value {
        let mut asked = agreed();
        for name in ["timePeriod", "currentSpend", "eTag"] {
            asked.as_object_mut().unwrap().remove(name);
        }
        asked
    }

    const WITH: &str = "with {\"eTag\":\"\\\"1d\\\"\",\
                        \"timePeriod\":{\"endDate\":\"2036-01-01T00:00:00Z\",\"startDate\":\"2026-01-01T00:00:00Z\"}}";

    #[test]
    fn a_budget_as_agreed_needs_nothing() {
        let table = [
            agreed(),
            differing("/amount", json!(2000)),
            differing("/filter", json!({})),
            differing("/currentSpend", Value::Null),
            differing("/notifications/Actual_GreaterThan_80_Percent/operator", json!("greaterthanorequalto")),
            differing("/notifications/theirs", at(90)),
        ];
        for there in table {
            assert_eq!(said(there), "holds");
        }
    }

    #[test]
    fn a_subscription_without_one_gets_it_and_its_month_comes_with_the_write() {
        let said = Landscape::new(2).saw_nothing(AT).said(&Budget);
        let asked = asked().to_string();
        assert_eq!(said, [format!("fails: there is no budget\n+ baseline budget/monthly#put {asked}")]);
        let month = this_month();
        assert!(month.ends_with("-01T00:00:00Z"), "{month}");
    }

    #[test]
    fn what_differs_is_put_right() {
        let table = [
            ("/amount", json!(10.0), "the budget is 10"),
            ("/timeGrain", json!("Annually"), "the budget is not about all costs of a month"),
            ("/filter", json!({"tags": {"name": "a"}}), "the budget is not about all costs of a month"),
            (
                "/notifications/Actual_GreaterThan_80_Percent/enabled",
                json!(false),
                "the notification at 80 % is switched off",
            ),
            (
                "/notifications/Actual_GreaterThan_80_Percent/contactEmails",
                json!(["OPS@acme.example"]),
                "at 80 % nobody tells security@acme.example",
            ),
        ];
        for (pointer, there, why) in table {
            let mut asked = asked();
            if pointer.ends_with("contactEmails") {
                *asked.pointer_mut(pointer).unwrap() = json!(["OPS@acme.example", "security@acme.example"]);
            }
            let expected = format!("fails: {why}\n~ baseline budget/monthly#put {asked} {WITH}");
            assert_eq!(said(differing(pointer, there)), expected);
        }
    }

    #[test]
    fn notifications_of_others_stay_and_what_has_no_place_is_said() {
        let mut there = differing("/notifications/theirs", at(90));
        there["notifications"]["more"] = at(95);
        let notifications = there["notifications"].as_object_mut().unwrap();
        notifications.remove("Actual_GreaterThan_80_Percent");
        notifications.insert("yet-more".to_owned(), at(99));
        assert_eq!(said(there), "fails: a budget at Azure has at most 5 notifications: none at 80 %");
    }

    #[test]
    fn another_currency_is_said_and_not_converted() {
        let other =
            "the manifest's budget is in EUR, and the subscription is billed in USD: nothing is converted";
        let dollars = differing("/currentSpend", json!({"unit": "USD"}));
        assert_eq!(said(dollars.clone()), format!("fails: {other}"));
        let mut little = dollars;
        little["amount"] = json!(1.5);
        assert!(said(little).starts_with(&format!("fails: the budget is 1.5; {other}\n~ ")));
    }

    #[test]
    fn the_answer_is_read() {
        let answer = json!({
            "id": "x", "eTag": "\"1d\"", "properties": {
                "category": "Cost", "amount": 2000, "timeGrain": "Monthly",
                "currentSpend": {"amount": 80.9, "unit": "EUR"},
                "notifications": {"a": {
                    "enabled": true, "operator": "GreaterThan", "threshold": 80, "contactEmails": [],
                    "contactGroups": ["/subscriptions/x"], "thresholdType": "Actual",
                }},
            },
        });
        let Answer { e_tag, properties } = serde_json::from_value(answer).unwrap();
        assert_eq!(e_tag.unwrap(), "\"1d\"");
        assert!(properties.notifications["a"].is_at(80));
        assert_eq!(properties.notifications["a"].contact_groups, ["/subscriptions/x"]);
        assert_eq!(json(&properties)["currentSpend"], json!({"unit": "EUR"}));
    }
}
