//! Budgets: <https://learn.microsoft.com/rest/api/consumption/budgets>

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::super::answer::{Answered, Good, bad, conflict, no_method, not_found};
use super::super::request::Request;
use super::super::scope::Scope;
use super::super::world::resource::key;
use super::super::world::{AzureWorld, Governance, Resource, Resources};
use super::{held, held_mut};
use crate::refusal::Refusal;

const NOTIFICATIONS: usize = 5;
const NAME: usize = 63;
const EMAILS: usize = 50;

fn pick(governance: &Governance) -> &Resources {
    &governance.budgets
}

fn pick_mut(governance: &mut Governance) -> &mut Resources {
    &mut governance.budgets
}

pub(super) fn answer(world: &mut AzureWorld, request: &Request) -> Answered {
    let missing = || not_found("NotFound", format!("Budget '{}' is not found.", request.name()));
    match (request.method.as_str(), request.names.is_empty()) {
        ("GET", true) => {
            let all = held(world, request, pick).into_iter().flat_map(Resources::values);
            let shown: Vec<Value> = all.map(|one| show(world, request, one)).collect();
            super::super::page::page(world, request, shown.into_iter())
        }
        ("GET", false) => {
            let found = held(world, request, pick).and_then(|all| all.get(&key(request.name())));
            Ok(Good::ok(show(world, request, found.ok_or_else(missing)?)))
        }
        ("PUT", false) => put(world, request),
        ("DELETE", false) => {
            let removed = held_mut(world, request, pick_mut)?.remove(&key(request.name()));
            removed.map(|_| Good::ok(Value::Null)).ok_or_else(missing)
        }
        _ => Err(no_method(request)),
    }
}

/// The eTag of a budget: hex of when it was written and how often.
fn etag(budget: &Resource) -> String {
    format!("\"{}\"", crate::world::hex(&format!("budget {} {}", budget.name, budget.version), 16))
}

fn show(world: &AzureWorld, request: &Request, budget: &Resource) -> Value {
    let currency = request.scope.subscription().and_then(|id| world.subscription(id));
    let currency = currency.map_or("EUR", |subscription| subscription.currency.as_str());
    let mut shown = budget.clone();
    shown.properties.entry("currentSpend").or_insert_with(|| json!({"amount": 0.0, "unit": currency}));
    let mut shown = shown.show(&request.scope.id(), "Microsoft.Consumption/budgets");
    if let Some(members) = shown.as_object_mut() {
        members.insert("eTag".to_owned(), Value::from(etag(budget)));
    }
    shown
}

fn put(world: &mut AzureWorld, request: &Request) -> Answered {
    if request.scope == Scope::Tenant {
        return Err(bad(
            "BadRequest",
            "Budgets are on subscriptions, resource groups and management groups.",
        ));
    }
    let name = request.name().to_owned();
    let right = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if name.is_empty() || name.len() > NAME || !name.chars().all(right) {
        return Err(bad(
            "BadRequest",
            format!("The budget name '{name}' has 1 to {NAME} letters, digits, '_' and '-'."),
        ));
    }
    let properties = checked(request)?;
    let sent_tag = request.object()?.get("eTag").and_then(Value::as_str).map(str::to_owned);
    let before = held(world, request, pick).and_then(|all| all.get(&key(&name)));
    if let Some(before) = before {
        // Who changes a budget has to show that it saw the last one.
        if sent_tag.as_deref() != Some(etag(before).as_str()) {
            let message = "Budget etag doesn't match. Get the latest budget and try again with its eTag.";
            return Err(conflict("Conflict", message));
        }
        if start(&before.properties) != start(&properties) {
            return Err(bad("BadRequest", "The start date of a budget can't be changed."));
        }
        let grain = properties.get("timeGrain").and_then(Value::as_str).unwrap_or_default();
        if !before.text("timeGrain").eq_ignore_ascii_case(grain) {
            return Err(bad("BadRequest", "The time grain of a budget can't be changed."));
        }
    }
    let (new, stored) =
        super::put(held_mut(world, request, pick_mut)?, Resource::made(&name, properties, request.now));
    let stored = stored.clone();
    Ok(Good::put(new, show(world, request, &stored)))
}

fn start(properties: &Map<String, Value>) -> Option<Timestamp> {
    moment(properties.get("timePeriod")?.get("startDate")?.as_str()?)
}

/// Dates come with and without a time.
fn moment(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| format!("{text}T00:00:00Z").parse().ok())
}

fn checked(request: &Request) -> Result<Map<String, Value>, Refusal> {
    let wrong = |message: &str| Err(bad("BadRequest", message));
    let mut properties = request.properties()?.clone();
    let text = |name: &str| properties.get(name).and_then(Value::as_str).unwrap_or_default();
    if !text("category").eq_ignore_ascii_case("Cost") {
        return wrong("The category of a budget must be 'Cost'.");
    }
    let grains = ["Monthly", "Quarterly", "Annually", "BillingMonth", "BillingQuarter", "BillingAnnual"];
    if !grains.iter().any(|grain| grain.eq_ignore_ascii_case(text("timeGrain"))) {
        return wrong("The time grain of a budget must be Monthly, Quarterly or Annually.");
    }
    if properties.get("amount").and_then(Value::as_f64).is_none_or(|amount| amount <= 0.0) {
        return wrong("The amount of a budget must be more than 0.");
    }
    let Some(start) = start(&properties) else { return wrong("The start date of a budget is missing.") };
    let date = start.to_zoned(jiff::tz::TimeZone::UTC);
    if date.day() != 1 {
        return wrong("The start date of a budget must be the first of a month.");
    }
    if start < "2017-06-01T00:00:00Z".parse().unwrap_or(Timestamp::UNIX_EPOCH) {
        return wrong("The start date of a budget must be on or after June 1, 2017.");
    }
    let end = properties.get("timePeriod").and_then(|period| period.get("endDate")).and_then(Value::as_str);
    let in_ten_years =
        date.checked_add(jiff::Span::new().years(10)).map(|end| end.timestamp()).unwrap_or(start);
    let end = match end {
        Some(end) => match moment(end) {
            Some(end) if end > start => end,
            _ => return wrong("The end date of a budget must be after its start date."),
        },
        None => in_ten_years,
    };
    notifications(&properties)?;
    // ARM writes both dates in full and fills in the end.
    properties
        .insert("timePeriod".to_owned(), json!({"startDate": start.to_string(), "endDate": end.to_string()}));
    Ok(properties)
}

fn notifications(properties: &Map<String, Value>) -> Result<(), Refusal> {
    let Some(all) = properties.get("notifications").and_then(Value::as_object) else { return Ok(()) };
    if all.len() > NOTIFICATIONS {
        return Err(bad("BadRequest", format!("A budget has up to {NOTIFICATIONS} notifications.")));
    }
    for (name, one) in all {
        let list = |member: &str| one.get(member).and_then(Value::as_array).map_or(0, Vec::len);
        let text = |member: &str| one.get(member).and_then(Value::as_str).unwrap_or_default();
        let threshold = one.get("threshold").and_then(Value::as_f64);
        let heard = list("contactEmails") + list("contactRoles") + list("contactGroups");
        let right = matches!(text("operator"), "EqualTo" | "GreaterThan" | "GreaterThanOrEqualTo")
            && matches!(text("thresholdType"), "" | "Actual" | "Forecasted")
            && threshold.is_some_and(|threshold| threshold > 0.0 && threshold <= 1_000.0)
            && one.get("enabled").is_some_and(Value::is_boolean)
            && heard > 0
            && one.get("contactEmails").is_some()
            && list("contactEmails") <= EMAILS;
        if !right {
            return Err(bad("BadRequest", format!("The notification '{name}' of the budget is invalid.")));
        }
    }
    Ok(())
}
