//! `budget` on Google Cloud: a monthly budget of the billing account that pays for the project, for that project alone, row G15.
//!
//! The budget is found among those of the project by its display name, which is ours; others are left alone. Mail goes to the manifest's
//! recipients through notification channels of Cloud Monitoring in the project, and to whom the billing account's roles name besides.
//! <https://cloud.google.com/billing/docs/reference/budget/rest/v1/billingAccounts.budgets>

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Compare, Control, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::budget::Settings;
use landfall_model::desired::Desired;
use landfall_model::judgement::Verdict;
use landfall_model::manifest;
use landfall_model::observed::Address;
use landfall_model::plan::{Change, Deed};

use super::{Gcp, billing_account, json, reported, seen};
use crate::client::service::{BILLING, BUDGETS, MONITORING};
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};

/// Channels of one budget: `NotificationsRule.monitoringNotificationChannels`.
const MOST: usize = 5;

/// How often the budget is read again because somebody else wrote meanwhile.
const TURNS: usize = 5;

pub(super) struct Budget;

/// What is kept of a look.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Monthly {
    /// `billingAccounts/01AB23-45CD67-89EF01`; empty where nobody pays.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    account: String,
    /// What that account is billed in, where it may be seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    /// Nothing where there is no budget.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    budget: Option<Kept>,
    /// The addresses that its channels write to, in lower case.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    recipients: BTreeSet<String>,
}

/// The budget, in Google's own names, without what is not asked of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kept {
    #[serde(default)]
    amount: Amount,
    #[serde(default)]
    budget_filter: Map<String, Value>,
    #[serde(default)]
    threshold_rules: Vec<Threshold>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Amount {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    specified_amount: Option<Money>,
}

/// `google.type.Money`; what is zero is not said.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Money {
    #[serde(default)]
    currency_code: String,
    #[serde(default = "zero")]
    units: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nanos: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Threshold {
    /// 0.5 is 50 %.
    #[serde(default)]
    threshold_percent: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    spend_basis: Option<String>,
}

/// The whole budget as it is answered.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    name: String,
    #[serde(default)]
    display_name: String,
    #[serde(default)]
    etag: String,
    /// What others put there stays.
    #[serde(default)]
    notifications_rule: Map<String, Value>,
    #[serde(flatten)]
    kept: Kept,
}

/// A notification channel of Cloud Monitoring.
#[derive(Deserialize)]
struct Channel {
    name: String,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    enabled: Option<bool>,
}

fn zero() -> String {
    "0".to_owned()
}

impl Answer {
    fn channels(&self) -> Vec<String> {
        let channels = self.notifications_rule.get("monitoringNotificationChannels");
        let channels = channels.and_then(Value::as_array).into_iter().flatten();
        channels.filter_map(Value::as_str).map(str::to_owned).collect()
    }
}

impl Channel {
    /// The address that it writes to, if it does.
    fn address(&self) -> Option<String> {
        let email = self.labels.get("email_address").filter(|_| self.kind == "email");
        email.filter(|_| self.enabled != Some(false)).map(|email| email.to_ascii_lowercase())
    }
}

impl Threshold {
    /// Whether it is about this percentage of what was spent.
    fn is_at(&self, percent: u32) -> bool {
        let spent = self.spend_basis.as_deref().is_none_or(|basis| basis != "FORECASTED_SPEND");
        spent && (self.threshold_percent * 100.0 - f64::from(percent)).abs() < 0.005
    }
}

/// The name by which the budget of a project is found: at most 60 characters, and a project's id has at most 30.
fn display_name(project: &str) -> String {
    format!("landfall {project}")
}

/// The project's budget that is ours. Asked for those of the project alone: a billing account may have fifty thousand.
async fn find(session: &Session, account: &str) -> Result<Option<Answer>, CallError> {
    let scope = session.numbered().await?;
    let path = format!("{account}/budgets?scope={scope}&pageSize=100");
    let (reply, all) = session.client.list(&BUDGETS, &path, "budgets").await?;
    let name = display_name(&session.project);
    for value in all {
        let budget: Answer = serde_json::from_value(value).map_err(|error| reply.unreadable(error))?;
        if budget.display_name == name {
            return Ok(Some(budget));
        }
    }
    Ok(None)
}

/// The project's channels that write to an address, by that address.
async fn channels(session: &Session) -> Result<BTreeMap<String, BTreeSet<String>>, CallError> {
    let path = format!("projects/{}/notificationChannels?pageSize=500", session.project);
    let (reply, all) = session.client.list(&MONITORING, &path, "notificationChannels").await?;
    let mut by_address: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for value in all {
        let channel: Channel = serde_json::from_value(value).map_err(|error| reply.unreadable(error))?;
        if let Some(address) = channel.address() {
            by_address.entry(address).or_default().insert(id(&channel.name).to_owned());
        }
    }
    Ok(by_address)
}

/// A channel's own id: budgets may name its project by number or by id.
fn id(channel: &str) -> &str {
    channel.rsplit('/').next().unwrap_or_default()
}

/// Channels for these addresses; what is there is used, whoever made it.
async fn channels_for(session: &Session, recipients: &[String]) -> Result<Vec<String>, CallError> {
    let there = channels(session).await?;
    let mut all = Vec::new();
    // One after the other, as the API's reference asks.
    for recipient in recipients {
        let known = there.get(&recipient.to_ascii_lowercase()).and_then(|ids| ids.first());
        all.push(match known {
            Some(id) => format!("projects/{}/notificationChannels/{id}", session.project),
            None => {
                let body = json!({
                    "type": "email", "displayName": format!("landfall {recipient}"),
                    "labels": {"email_address": recipient},
                });
                let path = format!("projects/{}/notificationChannels", session.project);
                let made: Channel = session.client.post(&MONITORING, &path, &body).await?.json()?;
                made.name
            }
        });
    }
    Ok(all)
}

#[async_trait]
impl Control for Budget {
    const KIND: ControlKind = ControlKind::Budget;
    const PERMISSIONS: Permissions = Permissions {
        // Those of billing are granted on the billing account.
        read: &[
            "billing.accounts.get",
            "billing.budgets.get",
            "billing.budgets.list",
            "monitoring.notificationChannels.list",
            "resourcemanager.projects.get",
        ],
        write: &[
            "billing.budgets.create",
            "billing.budgets.get",
            "billing.budgets.list",
            "billing.budgets.update",
            "monitoring.notificationChannels.create",
            "monitoring.notificationChannels.get",
            "monitoring.notificationChannels.list",
            "resourcemanager.projects.get",
        ],
    };

    type On = Gcp;
    type Want = Settings;

    fn addresses(&self, _: &Settings, _: &Desired) -> Vec<Address> {
        vec![Address::global(Self::KIND, "monthly")]
    }

    async fn look(&self, reader: &Reader, desired: &Desired, _: &Address) -> Result<Sighting, CallError> {
        let session = &reader.0;
        let (reply, paid) = billing_account::paid(session).await?;
        let account = paid.billing_account_name;
        if account.is_empty() {
            return Ok(seen(&reply, &Monthly::default()));
        }
        let Some(budget) = find(session, &account).await? else {
            // Only to say beforehand what would be refused.
            let currency = match session.client.get(&BILLING, &account).await {
                Ok(reply) => reply.value()?.get("currencyCode").and_then(Value::as_str).map(str::to_owned),
                Err(error) if error.is_denied() => None,
                Err(error) => return Err(error),
            };
            return Ok(seen(&reply, &Monthly { account, currency, ..Monthly::default() }));
        };
        let asked = desired.asked(Self::KIND).and_then(|asked| asked.want::<Settings>().ok());
        let asked: BTreeSet<String> = asked
            .map(|want| want.recipients.iter().map(|email| email.to_ascii_lowercase()).collect())
            .unwrap_or_default();
        let told: BTreeSet<String> = budget.channels().iter().map(|channel| id(channel).to_owned()).collect();
        let mut recipients = BTreeSet::new();
        if !told.is_empty() {
            let all = channels(session).await?;
            let reached = all.into_iter().filter(|(_, ids)| !ids.is_disjoint(&told));
            recipients.extend(reached.map(|(address, _)| address).filter(|address| asked.contains(address)));
        }
        let currency = budget.kept.amount.specified_amount.as_ref().map(|money| money.currency_code.clone());
        Ok(seen(&reply, &Monthly { account, currency, budget: Some(budget.kept), recipients }))
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        let session = &writer.0;
        let after = change.after.clone().unwrap_or_default();
        // INVARIANT: the changes are ours, and each says what it leaves behind.
        let Ok(Monthly { account, budget: Some(kept), .. }) = serde_json::from_value(after) else {
            return Err(CallError::NothingToWrite(Self::KIND));
        };
        let recipients = change.with.as_ref().and_then(|with| with.get("recipients")).cloned();
        let recipients: Vec<String> =
            recipients.and_then(|list| serde_json::from_value(list).ok()).unwrap_or_default();
        let ours = channels_for(session, &recipients).await?;
        put(session, &account, &kept, &ours).await?;
        Ok(Value::Null)
    }
}

/// Makes the budget, or changes what is there; channels and topics that others put to it stay.
async fn put(session: &Session, account: &str, kept: &Kept, ours: &[String]) -> Result<(), CallError> {
    let client = &session.client;
    let mut filter = kept.budget_filter.clone();
    filter.insert("projects".to_owned(), json!([session.numbered().await?]));
    let mut turn = 0;
    loop {
        let there = find(session, account).await?;
        let mut rule = there.as_ref().map(|there| there.notifications_rule.clone()).unwrap_or_default();
        let mut channels = there.as_ref().map(Answer::channels).unwrap_or_default();
        for channel in ours {
            if !channels.iter().any(|there| id(there) == id(channel)) {
                channels.push(channel.clone());
            }
        }
        rule.insert("monitoringNotificationChannels".to_owned(), json!(channels));
        let mut body = json!({
            "displayName": display_name(&session.project), "amount": kept.amount, "budgetFilter": filter,
            "thresholdRules": kept.threshold_rules, "notificationsRule": rule,
        });
        let answer = match &there {
            None => client.post(&BUDGETS, &format!("{account}/budgets"), &body).await,
            Some(Answer { name, etag, .. }) => {
                if let Some(body) = body.as_object_mut() {
                    body.insert("etag".to_owned(), json!(etag));
                }
                let mask = "amount,budgetFilter,thresholdRules,notificationsRule";
                client.patch(&BUDGETS, &format!("{name}?updateMask={mask}"), &body).await
            }
        };
        match answer {
            Ok(_) => return Ok(()),
            Err(error) if error.is_conflict() && turn < TURNS => turn += 1,
            Err(error) => return Err(error),
        }
    }
}

impl Compare for Budget {
    type There = Monthly;

    fn compare(&self, want: &Settings, _: &Desired, address: &Address, there: Option<Monthly>) -> Verdict {
        let Settings { budget: manifest::Budget { monthly, currency, alert_at }, recipients } = want;
        if recipients.is_empty() {
            return reported("the manifest names nobody who could be told");
        }
        let Monthly { account, currency: billed, budget, recipients: told } = there.unwrap_or_default();
        if account.is_empty() {
            return reported("no billing account pays for the project, so there can be no budget");
        }
        if let Some(billed) = billed.filter(|billed| !billed.eq_ignore_ascii_case(currency)) {
            return reported(format!(
                "the manifest's budget is in {currency}, and `{account}` is billed in {billed}: nothing is converted"
            ));
        }
        let deed = if budget.is_some() { Deed::Update } else { Deed::Create };
        let mut after = budget.unwrap_or_default();
        let mut why = Vec::new();
        let wanted =
            Money { currency_code: currency.clone(), units: monthly.to_string(), ..Money::default() };
        if after.amount.specified_amount.as_ref() != Some(&wanted) {
            why.push(match &after.amount.specified_amount {
                Some(Money { units, nanos, .. }) => {
                    format!("the budget is {units}{}", if nanos.is_some() { " and a bit" } else { "" })
                }
                None => "the budget is what was spent before".to_owned(),
            });
            after.amount.specified_amount = Some(wanted);
        }
        if !is_of_a_month(&after.budget_filter) {
            why.push("the budget is not about all costs of a month".to_owned());
            after.budget_filter = of_a_month(&after.budget_filter);
        }
        for percent in alert_at
            .iter()
            .filter(|percent| !after.threshold_rules.iter().any(|one| one.is_at(**percent)))
            .copied()
            .collect::<Vec<u32>>()
        {
            why.push(format!("at {percent} % nobody is told"));
            let spend_basis = Some("CURRENT_SPEND".to_owned());
            let threshold_percent = f64::from(percent) / 100.0;
            after.threshold_rules.push(Threshold { threshold_percent, spend_basis });
        }
        after.threshold_rules.sort_by(|a, b| a.threshold_percent.total_cmp(&b.threshold_percent));
        let missing: Vec<&str> = recipients
            .iter()
            .map(String::as_str)
            .filter(|recipient| !told.contains(&recipient.to_ascii_lowercase()))
            .collect();
        if !missing.is_empty() {
            why.push(format!("the budget tells nobody at {}", missing.join(", ")));
        }
        if why.is_empty() {
            return Verdict::Holds;
        }
        if deed == Deed::Create {
            why = vec!["there is no budget".to_owned()];
        }
        if recipients.len() > MOST {
            return reported(format!(
                "a budget at Google Cloud tells at most {MOST} addresses; {}",
                why.join("; ")
            ));
        }
        let mut everybody = told;
        everybody.extend(recipients.iter().map(|email| email.to_ascii_lowercase()));
        let after =
            Monthly { account, currency: Some(currency.clone()), budget: Some(after), recipients: everybody };
        let change = Change::new(address, "put", deed, why.join("; "))
            .after(json(&after))
            .with(json!({"recipients": recipients}));
        Verdict::fails(change)
    }
}

/// What narrows a budget to a part of the project's costs, or stretches it over another time.
const NARROWS: [&str; 7] = [
    "customPeriod",
    "labels",
    "resourceAncestors",
    "services",
    "subaccounts",
    "creditTypes",
    "calendarPeriod",
];

fn is_of_a_month(filter: &Map<String, Value>) -> bool {
    let narrows = |name: &&str| match filter.get(*name) {
        None | Some(Value::Null) => false,
        Some(Value::Array(list)) => !list.is_empty(),
        Some(Value::Object(map)) => !map.is_empty(),
        Some(value) => *name != "calendarPeriod" || value != "MONTH",
    };
    let projects = filter.get("projects").and_then(Value::as_array);
    projects.is_some_and(|projects| projects.len() == 1) && !NARROWS.iter().any(narrows)
}

/// All costs of a month, with the credits treated as they are. Which project it is comes with the write.
fn of_a_month(filter: &Map<String, Value>) -> Map<String, Value> {
    let mut all = filter.clone();
    all.retain(|name, _| !NARROWS.contains(&name.as_str()));
    if all.get("creditTypesTreatment").is_some_and(|treatment| treatment == "INCLUDE_SPECIFIED_CREDITS") {
        // There are none specified any more.
        all.remove("creditTypesTreatment");
    }
    all.insert("calendarPeriod".to_owned(), json!("MONTH"));
    all
}

#[cfg(test)]
mod tests;
