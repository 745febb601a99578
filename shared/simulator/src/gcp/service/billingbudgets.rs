//! Budgets, which belong to a billing account: <https://cloud.google.com/billing/docs/reference/budget/rest/v1/billingAccounts.budgets>

use serde_json::{Map, Value, json};

use super::cloudbilling::{account, currency};
use super::enabled;
use super::fields::{masked, missing, only, text, texts, with, without};
use crate::gcp::answer::{Answered, aborted, bad};
use crate::gcp::page::page;
use crate::gcp::request::Request;
use crate::gcp::world::{GcpWorld, etag};
use crate::refusal::Refusal;

const BUDGETS: &str = "billingbudgets/budgets";

const FIELDS: [&str; 6] =
    ["displayName", "budgetFilter", "amount", "thresholdRules", "notificationsRule", "ownershipScope"];
const TOLD: [&str; 2] = ["name", "etag"];

pub(super) fn answer(world: &mut GcpWorld, request: &Request) -> Answered {
    let (method, parts, verb) = request.asked();
    let ["billingAccounts", id, "budgets", rest @ ..] = parts.as_slice() else {
        return Err(request.unknown());
    };
    enabled::check(world, request)?;
    let found = account(world, id)?;
    let kept = |budget: &str| found.things(BUDGETS).get(budget).cloned().ok_or_else(|| missing(request));
    match (method, rest, verb) {
        ("GET", [], "") => {
            let all: Vec<Value> = found.things(BUDGETS).values().map(show).collect();
            let scope = request.query("scope").map(|scope| world.canonical(scope));
            let within =
                all.into_iter().filter(|budget| scope.as_deref().is_none_or(|scope| is_for(budget, scope)));
            page(world, request, "budgets", within, 1_000)
        }
        ("GET", [budget], "") => kept(budget).map(|budget| show(&budget)),
        ("POST", [], "") => {
            let new = settled(world, id, &request.body)?;
            let serial = world.number();
            let budget = format!("00000000-0000-4000-8000-{serial:012}");
            let new = with(new, "name", format!("billingAccounts/{id}/budgets/{budget}"));
            keep(world, request, id, &budget, new)
        }
        ("PATCH", [budget], "") => {
            let old = kept(budget)?;
            let given = request.text("etag");
            if !given.is_empty() && given != text(&show(&old), "etag") {
                return Err(aborted("The etag of the budget does not match: it was changed meanwhile."));
            }
            only(&request.body, "budget", &[FIELDS.as_slice(), TOLD.as_slice()].concat())?;
            // Without a mask the whole budget is replaced.
            let all = FIELDS.map(str::to_owned).to_vec();
            let mask = if request.query("updateMask").is_some() { request.mask() } else { all };
            let new = settled(world, id, &masked(&old, &request.body, &mask, &FIELDS, &TOLD)?)?;
            let new = with(new, "name", text(&old, "name"));
            keep(world, request, id, budget, new)
        }
        ("DELETE", [budget], "") => {
            kept(budget)?;
            if let Some(account) = world.billing_accounts.get_mut(*id) {
                account.things_mut(BUDGETS).remove(*budget);
            }
            Ok(Value::Null)
        }
        _ => Err(request.unknown()),
    }
}

fn keep(world: &mut GcpWorld, request: &Request, account: &str, id: &str, budget: Value) -> Answered {
    let account = world.billing_accounts.get_mut(account).ok_or_else(|| missing(request))?;
    account.things_mut(BUDGETS).insert(id.to_owned(), budget.clone());
    Ok(show(&budget))
}

fn show(budget: &Value) -> Value {
    let mark = etag(&budget.to_string());
    with(budget.clone(), "etag", mark)
}

/// Whether a budget looks at a project, folder or organization and nothing beside.
fn is_for(budget: &Value, scope: &str) -> bool {
    let filter = budget.get("budgetFilter").cloned().unwrap_or_default();
    let named = [texts(&filter, "projects"), texts(&filter, "resourceAncestors")].concat();
    named == [scope]
}

/// A budget as it is kept: checked, with its defaults, and with numbers for the projects' ids.
fn settled(world: &GcpWorld, id: &str, budget: &Value) -> Answered {
    only(budget, "budget", &[FIELDS.as_slice(), TOLD.as_slice()].concat())?;
    let mut settled = without(budget.clone(), &TOLD);
    if text(budget, "displayName").chars().count() > 60 {
        return Err(bad("The budget display name must not be longer than 60 characters."));
    }
    let code = currency(account(world, id)?);
    settled = with(settled, "amount", amount(budget, code)?);
    settled = with(settled, "budgetFilter", filter(world, budget)?);
    if let Some(rules) = budget.get("thresholdRules").and_then(Value::as_array) {
        let rules: Result<Vec<Value>, Refusal> = rules.iter().map(threshold).collect();
        settled = with(settled, "thresholdRules", rules?);
    }
    if let Some(rule) = budget.get("notificationsRule") {
        notifications(rule)?;
    }
    if budget.get("ownershipScope").is_none() {
        settled = with(settled, "ownershipScope", "ALL_USERS");
    }
    Ok(settled)
}

/// What is not zero of an amount of money: `units` is a text, as every int64 in Google's JSON.
fn amount(budget: &Value, currency: &str) -> Answered {
    let amount = budget.get("amount").ok_or_else(|| bad("The budget amount is required."))?;
    let members = only(amount, "budget.amount", &["specifiedAmount", "lastPeriodAmount"])?;
    if members.len() != 1 {
        return Err(bad("Exactly one of specified_amount and last_period_amount is required."));
    }
    let Some(money) = amount.get("specifiedAmount") else { return Ok(amount.clone()) };
    only(money, "budget.amount.specified_amount", &["currencyCode", "units", "nanos"])?;
    let code = text(money, "currencyCode");
    if !code.is_empty() && code != currency {
        return Err(bad(format!(
            "Currency code {code} does not match the currency of the billing account, which is {currency}."
        )));
    }
    let units = match money.get("units") {
        None => 0,
        Some(Value::String(text)) => text.parse().map_err(|_| {
            bad(format!("Invalid value at 'budget.amount.specified_amount.units' (TYPE_INT64), \"{text}\""))
        })?,
        Some(other) => other
            .as_i64()
            .ok_or_else(|| bad("Invalid value at 'budget.amount.specified_amount.units' (TYPE_INT64)"))?,
    };
    let nanos = money.get("nanos").and_then(Value::as_i64).unwrap_or(0);
    if units < 0 || !(0..1_000_000_000).contains(&nanos) {
        return Err(bad("The budget amount must not be negative."));
    }
    let mut kept = Map::new();
    kept.insert("currencyCode".to_owned(), json!(currency));
    if units != 0 {
        kept.insert("units".to_owned(), json!(units.to_string()));
    }
    if nanos != 0 {
        kept.insert("nanos".to_owned(), json!(nanos));
    }
    Ok(json!({ "specifiedAmount": kept }))
}

fn filter(world: &GcpWorld, budget: &Value) -> Answered {
    const KNOWN: [&str; 9] = [
        "projects",
        "resourceAncestors",
        "services",
        "subaccounts",
        "labels",
        "creditTypes",
        "creditTypesTreatment",
        "calendarPeriod",
        "customPeriod",
    ];
    let mut filter = budget.get("budgetFilter").cloned().unwrap_or_else(|| json!({}));
    only(&filter, "budget.budget_filter", &KNOWN)?;
    let mut numbers = Vec::new();
    for project in texts(&filter, "projects") {
        let id = project.strip_prefix("projects/");
        let found = id.and_then(|id| world.project(id));
        let found = found.ok_or_else(|| bad(format!("Invalid project in the budget filter: {project}")))?;
        numbers.push(found.name());
    }
    if !numbers.is_empty() {
        filter = with(filter, "projects", numbers);
    }
    if let Some(ancestor) =
        texts(&filter, "resourceAncestors").iter().find(|name| world.governance(name).is_none())
    {
        return Err(bad(format!("Invalid resource ancestor in the budget filter: {ancestor}")));
    }
    let treatment = text(&filter, "creditTypesTreatment");
    if !["", "INCLUDE_ALL_CREDITS", "EXCLUDE_ALL_CREDITS", "INCLUDE_SPECIFIED_CREDITS"].contains(&treatment) {
        return Err(bad(format!(
            "Invalid value at 'budget.budget_filter.credit_types_treatment', {treatment:?}"
        )));
    }
    if treatment.is_empty() {
        filter = with(filter, "creditTypesTreatment", "INCLUDE_ALL_CREDITS");
    }
    let period = text(&filter, "calendarPeriod");
    if !["", "MONTH", "QUARTER", "YEAR"].contains(&period) {
        return Err(bad(format!("Invalid value at 'budget.budget_filter.calendar_period', {period:?}")));
    }
    if period.is_empty() && filter.get("customPeriod").is_none() {
        filter = with(filter, "calendarPeriod", "MONTH");
    }
    Ok(filter)
}

fn threshold(rule: &Value) -> Answered {
    only(rule, "budget.threshold_rules", &["thresholdPercent", "spendBasis"])?;
    let percent = rule.get("thresholdPercent").and_then(Value::as_f64).unwrap_or(0.0);
    if percent < 0.0 {
        return Err(bad("The threshold percent must not be negative."));
    }
    match text(rule, "spendBasis") {
        "" => Ok(with(rule.clone(), "spendBasis", "CURRENT_SPEND")),
        "CURRENT_SPEND" | "FORECASTED_SPEND" => Ok(rule.clone()),
        other => Err(bad(format!("Invalid value at 'budget.threshold_rules.spend_basis', {other:?}"))),
    }
}

fn notifications(rule: &Value) -> Result<(), Refusal> {
    const KNOWN: [&str; 5] = [
        "pubsubTopic",
        "schemaVersion",
        "monitoringNotificationChannels",
        "disableDefaultIamRecipients",
        "enableProjectLevelRecipients",
    ];
    only(rule, "budget.notifications_rule", &KNOWN)?;
    if !text(rule, "pubsubTopic").is_empty() && text(rule, "schemaVersion") != "1.0" {
        return Err(bad("The schema version of the notifications must be 1.0."));
    }
    match texts(rule, "monitoringNotificationChannels").len() {
        0..=5 => Ok(()),
        more => {
            Err(bad(format!("At most 5 monitoring notification channels are allowed, but there are {more}.")))
        }
    }
}
