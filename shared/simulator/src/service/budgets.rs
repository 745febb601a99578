//! Budgets and who hears when one is overspent.

use serde_json::{Map, Value, json};

use super::Answered;
use super::organizations::epoch;
use crate::ask::{Ask, member};
use crate::gate;
use crate::page::{BUDGETS, page};
use crate::refusal::Refusal;
use crate::world::{Budget, Notification, World};

/// AWS allows this many notifications on a budget.
const NOTIFICATIONS: usize = 10;

pub(super) fn answer(world: &mut World, ask: &Ask) -> Answered {
    if ask.need("AccountId")? != ask.caller.account {
        return Err(gate::denial(ask));
    }
    match ask.operation.as_str() {
        "DescribeBudget" => Ok(json!({"Budget": named(world, ask)?.budget})),
        "DescribeBudgets" => {
            let account = world.accounts.get(&ask.caller.account);
            let budgets = account.into_iter().flat_map(|account| account.budgets.values());
            page(world, ask, BUDGETS, "Budgets", budgets.map(|budget| budget.budget.clone()))
                .map(Value::Object)
        }
        "CreateBudget" => create(world, ask),
        "UpdateBudget" => update(world, ask),
        "DeleteBudget" => {
            let name = ask.need("BudgetName")?;
            let account = world.accounts.get_mut(&ask.caller.account).ok_or_else(|| no_budget(name))?;
            account.budgets.remove(name).map(|_| json!({})).ok_or_else(|| no_budget(name))
        }
        "DescribeNotificationsForBudget" => {
            let found = named(world, ask)?.notifications.iter().map(|one| one.notification.clone());
            page(world, ask, BUDGETS, "Notifications", found).map(Value::Object)
        }
        "DescribeSubscribersForNotification" => {
            let wanted = notification(ask)?;
            let all = &named(world, ask)?.notifications;
            let found =
                all.iter().find(|one| same(&one.notification, &wanted)).ok_or_else(no_notification)?;
            page(world, ask, BUDGETS, "Subscribers", found.subscribers.iter().cloned()).map(Value::Object)
        }
        "CreateNotification" => create_notification(world, ask),
        "DeleteNotification" => delete_notification(world, ask),
        _ => Err(super::unknown(Some(ask.service), &ask.operation)),
    }
}

fn no_budget(name: &str) -> Refusal {
    Refusal::new("NotFoundException", format!("Unable to get budget: {name} - the budget doesn't exist."))
}

fn no_notification() -> Refusal {
    Refusal::new("NotFoundException", "Unable to find the notification - it doesn't exist.")
}

fn named<'a>(world: &'a World, ask: &Ask) -> Result<&'a Budget, Refusal> {
    let name = ask.need("BudgetName")?;
    world
        .accounts
        .get(&ask.caller.account)
        .and_then(|account| account.budgets.get(name))
        .ok_or_else(|| no_budget(name))
}

fn named_mut<'a>(world: &'a mut World, ask: &Ask) -> Result<&'a mut Budget, Refusal> {
    let name = ask.need("BudgetName")?;
    let account = world.accounts.get_mut(&ask.caller.account);
    account.and_then(|account| account.budgets.get_mut(name)).ok_or_else(|| no_budget(name))
}

/// A budget as AWS shows it after it was sent: with a period, cost types and what was spent.
fn completed(ask: &Ask, sent: &Map<String, Value>) -> Result<Value, Refusal> {
    let text = |name: &str| sent.get(name).and_then(Value::as_str).unwrap_or_default();
    let name = text("BudgetName");
    if name.is_empty() || name.chars().count() > 100 || name.contains([':', '\\']) {
        return Err(ask.invalid("The budget name must have 1 to 100 characters, none of them : or \\"));
    }
    if !matches!(text("TimeUnit"), "DAILY" | "MONTHLY" | "QUARTERLY" | "ANNUALLY" | "CUSTOM")
        || text("BudgetType").is_empty()
    {
        return Err(ask.invalid("TimeUnit and BudgetType are required"));
    }
    let mut budget = sent.clone();
    let mut put = |name: &str, value: Value| {
        budget.entry(name).or_insert(value);
    };
    put("CostFilters", json!({}));
    put("TimePeriod", json!({"Start": epoch(ask.now).floor(), "End": 3_706_473_600_u64}));
    put("CalculatedSpend", json!({"ActualSpend": {"Amount": "0.0", "Unit": "USD"}}));
    put("LastUpdatedTime", json!(epoch(ask.now)));
    if text("BudgetType") == "COST" {
        put(
            "CostTypes",
            json!({
                "IncludeTax": true, "IncludeSubscription": true, "UseBlended": false, "IncludeRefund": true,
                "IncludeCredit": true, "IncludeUpfront": true, "IncludeRecurring": true,
                "IncludeOtherSubscription": true, "IncludeSupport": true, "IncludeDiscount": true, "UseAmortized": false,
            }),
        );
    }
    Ok(Value::Object(budget))
}

fn create(world: &mut World, ask: &Ask) -> Answered {
    let sent = ask.object("Budget").ok_or_else(|| ask.invalid("Budget is required"))?;
    let budget = completed(ask, sent)?;
    let name = member(&budget, "BudgetName").to_owned();
    let account = world.accounts.get_mut(&ask.caller.account).ok_or_else(|| no_budget(&name))?;
    if account.budgets.contains_key(&name) {
        return Err(Refusal::new(
            "DuplicateRecordException",
            format!("Error creating budget: {name} - the budget already exists."),
        ));
    }
    let with = ask.array("NotificationsWithSubscribers");
    if with.len() > NOTIFICATIONS {
        return Err(too_many());
    }
    let notifications = with.iter().map(|one| Notification {
        notification: normal(one.get("Notification").cloned().unwrap_or_default()),
        subscribers: one.get("Subscribers").and_then(Value::as_array).cloned().unwrap_or_default(),
    });
    let notifications = notifications.collect();
    account.budgets.insert(name, Budget { budget, notifications });
    Ok(json!({}))
}

fn update(world: &mut World, ask: &Ask) -> Answered {
    let sent = ask.object("NewBudget").ok_or_else(|| ask.invalid("NewBudget is required"))?;
    let budget = completed(ask, sent)?;
    let name = member(&budget, "BudgetName");
    let account = world.accounts.get_mut(&ask.caller.account).ok_or_else(|| no_budget(name))?;
    let existing = account.budgets.get_mut(name).ok_or_else(|| no_budget(name))?;
    existing.budget = budget;
    Ok(json!({}))
}

fn too_many() -> Refusal {
    Refusal::new("CreationLimitExceededException", "You've exceeded the notification limit.")
}

/// A percentage unless it says otherwise, and calm until it is not.
fn normal(mut notification: Value) -> Value {
    if let Some(members) = notification.as_object_mut() {
        members.entry("ThresholdType").or_insert_with(|| json!("PERCENTAGE"));
        members.entry("NotificationState").or_insert_with(|| json!("OK"));
    }
    notification
}

fn notification(ask: &Ask) -> Result<Value, Refusal> {
    let sent = ask.params.get("Notification").ok_or_else(|| ask.invalid("Notification is required"))?;
    Ok(normal(sent.clone()))
}

/// A notification has no id: its type, operator and threshold are what it is.
fn same(one: &Value, other: &Value) -> bool {
    let text = |name: &str| member(one, name) == member(other, name);
    let threshold = |value: &Value| value.get("Threshold").and_then(Value::as_f64);
    text("NotificationType")
        && text("ComparisonOperator")
        && text("ThresholdType")
        && threshold(one) == threshold(other)
}

fn create_notification(world: &mut World, ask: &Ask) -> Answered {
    let wanted = notification(ask)?;
    let budget = named_mut(world, ask)?;
    if budget.notifications.iter().any(|one| same(&one.notification, &wanted)) {
        return Err(Refusal::new("DuplicateRecordException", "The notification already exists."));
    }
    if budget.notifications.len() >= NOTIFICATIONS {
        return Err(too_many());
    }
    budget
        .notifications
        .push(Notification { notification: wanted, subscribers: ask.array("Subscribers").to_vec() });
    Ok(json!({}))
}

fn delete_notification(world: &mut World, ask: &Ask) -> Answered {
    let wanted = notification(ask)?;
    let budget = named_mut(world, ask)?;
    let before = budget.notifications.len();
    budget.notifications.retain(|one| !same(&one.notification, &wanted));
    if budget.notifications.len() == before { Err(no_notification()) } else { Ok(json!({})) }
}
