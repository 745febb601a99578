//! `budget` on AWS: a monthly cost budget in the account, and a notification for each percentage, row A31.
//!
//! The budget is found by its name, which is ours; others are left alone. Each notification is a setting of its own, known by its
//! percentage, and what is looked at is who is told.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Control, Judge, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::budget::Settings;
use landfall_model::desired::Desired;
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::observed::{Address, Observed, Seen};
use landfall_model::plan::{Change, ChangeId, Deed};

use super::{Aws, absent, done, kept, reported, seen};
use crate::client::protocol::Reply;
use crate::client::service::BUDGETS;
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};

/// The budget's name in the account.
const NAME: &str = "landfall";

const MONTHLY: &str = "monthly";
const ALERT: &str = "alert-at-";

/// AWS's reference says ten in one place and five in another; the lower one is left to AWS to refuse.
const MOST_ALERTS: usize = 10;

/// Mail addresses of one notification.
const MOST_RECIPIENTS: usize = 10;

pub(super) struct Budget;

/// The budget, in AWS's own names, without what changes by itself. The write takes the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Monthly {
    budget_name: String,
    budget_type: String,
    time_unit: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    budget_limit: Option<Spend>,
    /// Of which costs only, where somebody narrowed it; in the older and in the newer form.
    #[serde(default, skip_serializing_if = "is_empty")]
    cost_filters: Value,
    #[serde(default, skip_serializing_if = "is_empty")]
    filter_expression: Value,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Spend {
    amount: String,
    unit: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    budget: Monthly,
}

/// Who is told, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Told {
    subscribers: Vec<Subscriber>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Subscriber {
    subscription_type: String,
    address: String,
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty)
}

/// AWS writes 2000 as `2000.0`: the same number has one spelling here.
fn plain(amount: &str) -> String {
    amount.parse::<f64>().map_or_else(|_| amount.to_owned(), |number| number.to_string())
}

impl Monthly {
    /// AWS may show a filter that filters nothing.
    fn tidy(mut self) -> Self {
        for filter in [&mut self.cost_filters, &mut self.filter_expression] {
            if is_empty(filter) {
                *filter = Value::Null;
            }
        }
        self
    }

    fn asked(want: &Settings) -> Self {
        let landfall_model::manifest::Budget { monthly, currency, alert_at: _ } = &want.budget;
        Monthly {
            budget_name: NAME.to_owned(),
            budget_type: "COST".to_owned(),
            time_unit: "MONTHLY".to_owned(),
            budget_limit: Some(Spend { amount: monthly.to_string(), unit: currency.clone() }),
            cost_filters: Value::Null,
            filter_expression: Value::Null,
        }
    }
}

impl Subscriber {
    fn mail(address: &str) -> Self {
        Subscriber { subscription_type: "EMAIL".to_owned(), address: address.to_owned() }
    }

    fn is_mail(&self) -> bool {
        self.subscription_type == "EMAIL"
    }
}

fn monthly() -> Address {
    Address::global(Budget::KIND, MONTHLY)
}

fn alert(percent: u32) -> Address {
    Address::global(Budget::KIND, format!("{ALERT}{percent}"))
}

/// The notification that an address is about, as AWS knows it: there is no id.
fn notification(address: &Address) -> Value {
    let percent: u32 =
        address.resource.strip_prefix(ALERT).and_then(|text| text.parse().ok()).unwrap_or_default();
    json!({
        "NotificationType": "ACTUAL",
        "ComparisonOperator": "GREATER_THAN",
        "Threshold": percent,
        "ThresholdType": "PERCENTAGE",
    })
}

#[async_trait]
impl Control for Budget {
    const KIND: ControlKind = ControlKind::Budget;
    const PERMISSIONS: Permissions =
        Permissions { read: &["budgets:ViewBudget"], write: &["budgets:ModifyBudget"] };

    type On = Aws;
    type Want = Settings;

    fn addresses(&self, want: &Settings, _: &Desired) -> Vec<Address> {
        std::iter::once(monthly()).chain(want.budget.alert_at.iter().map(|percent| alert(*percent))).collect()
    }

    async fn look(&self, reader: &Reader, _: &Desired, address: &Address) -> Result<Sighting, CallError> {
        let looked = if address.resource == MONTHLY {
            budget(&reader.0).await
        } else {
            told(&reader.0, address).await
        };
        match looked {
            Err(error) if error.code() == Some("NotFoundException") => Ok(absent(&error)),
            looked => looked,
        }
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        let session = &writer.0;
        if change.address.resource == MONTHLY {
            match change.deed {
                Deed::Create => {
                    let made = ask(session, "CreateBudget", json!({"Budget": change.after})).await;
                    done(made, &["DuplicateRecordException"])?;
                }
                Deed::Update | Deed::Delete => {
                    ask(session, "UpdateBudget", json!({"NewBudget": change.after})).await?;
                }
            }
            return Ok(Value::Null);
        }
        let notification = notification(&change.address);
        let Ok(Some(Told { subscribers })) = kept(change.with.as_ref()) else {
            return Err(CallError::NothingToWrite(Self::KIND));
        };
        if change.deed == Deed::Create {
            let body = json!({"BudgetName": NAME, "Notification": notification, "Subscribers": subscribers});
            done(ask(session, "CreateNotification", body).await, &["DuplicateRecordException"])?;
            return Ok(Value::Null);
        }
        for subscriber in subscribers {
            let body = json!({"BudgetName": NAME, "Notification": notification, "Subscriber": subscriber});
            done(ask(session, "CreateSubscriber", body).await, &["DuplicateRecordException"])?;
        }
        Ok(Value::Null)
    }
}

impl Judge for Budget {
    fn judge(&self, want: &Settings, _: &Desired, observed: &Observed) -> Vec<Judgement> {
        let Settings { budget, recipients } = want;
        let monthly = monthly();
        let whole =
            Judgement::of(Self::KIND, &monthly, observed, |there| compare_budget(want, &monthly, there));
        // A notification can only be made where there is a budget.
        let first: Option<ChangeId> = match (&whole.verdict, observed.seen(&monthly)) {
            (Verdict::Fails { changes, .. }, Seen::Absent) => changes.first().map(|change| change.id.clone()),
            (_, _) => None,
        };
        let alerts = budget.alert_at.iter().enumerate().map(|(place, percent)| {
            let address = alert(*percent);
            Judgement::of(Self::KIND, &address, observed, |there| {
                if place >= MOST_ALERTS {
                    return reported(format!("a budget at AWS has at most {MOST_ALERTS} notifications"));
                }
                compare_alert(recipients, *percent, first.as_ref(), &address, there)
            })
        });
        let alerts: Vec<Judgement> = alerts.collect();
        [vec![whole], alerts].concat()
    }
}

async fn budget(session: &Session) -> Result<Sighting, CallError> {
    let reply =
        ask(session, "DescribeBudget", json!({"BudgetName": NAME, "ShowFilterExpression": true})).await?;
    let Answer { budget: mut there } = reply.json()?;
    if let Some(limit) = &mut there.budget_limit {
        limit.amount = plain(&limit.amount);
    }
    Ok(seen(&reply, &there))
}

async fn told(session: &Session, address: &Address) -> Result<Sighting, CallError> {
    let body = json!({
        "AccountId": session.account, "BudgetName": NAME, "Notification": notification(address),
    });
    let operation = "DescribeSubscribersForNotification";
    let pages = session.tenant.json_pages(&BUDGETS, session.home(), operation, body).await?;
    let mut all = Told::default();
    let mut request = None;
    for reply in pages {
        let Told { subscribers } = reply.json()?;
        all.subscribers.extend(subscribers);
        request = reply.request_id;
    }
    all.subscribers.sort_unstable();
    Ok(Sighting { seen: Seen::present(&all), request })
}

async fn ask(session: &Session, operation: &'static str, mut body: Value) -> Result<Reply, CallError> {
    if let Some(members) = body.as_object_mut() {
        members.insert("AccountId".to_owned(), Value::String(session.account.clone()));
    }
    session.tenant.json(&BUDGETS, session.home(), operation, body).await
}

fn compare_budget(want: &Settings, address: &Address, there: Option<&Value>) -> Verdict {
    let budget: Option<Monthly> = match kept(there) {
        Ok(budget) => budget.map(Monthly::tidy),
        Err(unknown) => return unknown,
    };
    let asked = Monthly::asked(want);
    let (verb, deed, reason) = match &budget {
        None => ("create", Deed::Create, "there is no budget".to_owned()),
        Some(there) if *there == asked => return Verdict::Holds,
        Some(Monthly { budget_limit, .. }) if *budget_limit == asked.budget_limit => {
            ("update", Deed::Update, "the budget is not about all costs of a month".to_owned())
        }
        Some(Monthly { budget_limit: Some(Spend { amount, unit }), .. }) => {
            ("update", Deed::Update, format!("the budget is {amount} {unit}"))
        }
        Some(_) => ("update", Deed::Update, "the budget has no amount".to_owned()),
    };
    Verdict::fails(Change::new(address, verb, deed, reason).before(there.cloned()).after(json!(asked)))
}

fn compare_alert(
    recipients: &[String],
    percent: u32,
    budget: Option<&ChangeId>,
    address: &Address,
    there: Option<&Value>,
) -> Verdict {
    let told: Option<Told> = match kept(there) {
        Ok(told) => told,
        Err(unknown) => return unknown,
    };
    let deed = if told.is_some() { Deed::Update } else { Deed::Create };
    let Told { subscribers } = told.unwrap_or_default();
    let hears = |recipient: &&String| {
        subscribers.iter().any(|there| there.is_mail() && there.address.eq_ignore_ascii_case(recipient))
    };
    let missing: Vec<&String> = recipients.iter().filter(|recipient| !hears(recipient)).collect();
    if recipients.is_empty() {
        return reported("the manifest names nobody who could be told");
    }
    if missing.is_empty() {
        return Verdict::Holds;
    }
    let room = MOST_RECIPIENTS.saturating_sub(subscribers.iter().filter(|there| there.is_mail()).count());
    let add: Vec<Subscriber> = missing.iter().take(room).map(|address| Subscriber::mail(address)).collect();
    let names: Vec<&str> = missing.iter().map(|address| address.as_str()).collect();
    let mut why = format!("at {percent} % nobody tells {}", names.join(", "));
    if missing.len() > room {
        why.push_str(&format!("; a notification at AWS has at most {MOST_RECIPIENTS} mail addresses"));
    }
    if add.is_empty() {
        return reported(why);
    }
    let mut after = [subscribers, add.clone()].concat();
    after.sort_unstable();
    let mut change = Change::new(address, "tell", deed, &why)
        .before(there.cloned())
        .after(json!(Told { subscribers: after }))
        .with(json!(Told { subscribers: add }));
    if let (Some(budget), Deed::Create) = (budget, deed) {
        change = change.needs(budget);
    }
    Verdict::Fails { why, changes: vec![change] }
}

#[cfg(test)]
mod tests;
