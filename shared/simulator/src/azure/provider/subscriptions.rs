//! Subscriptions themselves: looking, renaming, making, and whether they may leave.

use serde_json::{Value, json};

use super::super::answer::{Answered, Good, bad, no_method, not_found};
use super::super::page::page;
use super::super::request::{Request, invalid, only};
use super::super::world::{AzureWorld, SubscriptionPolicy};

/// <https://learn.microsoft.com/rest/api/resources/subscriptions>
pub(super) fn answer(world: &mut AzureWorld, request: &Request) -> Answered {
    if request.method != http::Method::GET {
        return Err(no_method(request));
    }
    let directory = &world.directory.id;
    match request.scope.subscription() {
        None => {
            let there = world.subscriptions.values().filter(|one| one.state != "Deleted");
            page(world, request, there.map(|one| one.show(directory)))
        }
        Some(id) => {
            let missing =
                || not_found("SubscriptionNotFound", format!("The subscription '{id}' could not be found."));
            Ok(Good::ok(world.subscription(id).ok_or_else(missing)?.show(directory)))
        }
    }
}

/// <https://learn.microsoft.com/rest/api/subscription/subscription/rename>
pub(super) fn rename(world: &mut AzureWorld, request: &Request) -> Answered {
    if request.method != http::Method::POST {
        return Err(no_method(request));
    }
    let name = request.object()?.get("subscriptionName").and_then(Value::as_str).unwrap_or_default();
    if name.trim().is_empty() || name.chars().count() > 64 {
        return Err(bad("InvalidSubscriptionName", "The subscription name has 1 to 64 characters."));
    }
    let id = request.scope.subscription().unwrap_or_default();
    if let Some(subscription) = world.subscription_mut(id) {
        name.clone_into(&mut subscription.name);
    }
    Ok(Good::ok(json!({ "subscriptionId": id })))
}

/// One policy for the whole directory: <https://learn.microsoft.com/rest/api/subscription/subscription-policy>
pub(super) fn policy(world: &mut AzureWorld, request: &Request) -> Answered {
    if !request.name().eq_ignore_ascii_case("default") {
        return Err(not_found("NotFound", "There is only the policy 'default'."));
    }
    match request.method.as_str() {
        "GET" => {}
        "PUT" => {
            let body = request.object()?;
            let known =
                ["blockSubscriptionsLeavingTenant", "blockSubscriptionsIntoTenant", "exemptedPrincipals"];
            only(body, "", "PutTenantPolicyRequestProperties", &known)?;
            let flag = |name: &str| body.get(name).and_then(Value::as_bool).unwrap_or_default();
            let exempted =
                body.get("exemptedPrincipals").and_then(Value::as_array).cloned().unwrap_or_default();
            let exempted: Option<Vec<String>> =
                exempted.iter().map(|one| one.as_str().map(str::to_owned)).collect();
            world.directory.subscription_policy = SubscriptionPolicy {
                block_leaving: flag("blockSubscriptionsLeavingTenant"),
                block_entering: flag("blockSubscriptionsIntoTenant"),
                exempted_principals: exempted
                    .ok_or_else(|| invalid("exemptedPrincipals must be object ids."))?,
            };
        }
        _ => return Err(no_method(request)),
    }
    let directory = &world.directory;
    let policy = &directory.subscription_policy;
    Ok(Good::ok(json!({
        "id": "/providers/Microsoft.Subscription/policies/default",
        "type": "providers/Microsoft.Subscription/policies",
        "name": "default",
        "properties": {
            "policyId": directory.id,
            "blockSubscriptionsLeavingTenant": policy.block_leaving,
            "blockSubscriptionsIntoTenant": policy.block_entering,
            "exemptedPrincipals": policy.exempted_principals,
        },
    })))
}

/// Making a subscription: at once here, where Azure takes a minute.
///
/// <https://learn.microsoft.com/rest/api/subscription/alias/create>
pub(super) fn alias(world: &mut AzureWorld, request: &Request) -> Answered {
    let found = |world: &AzureWorld| {
        let mut all = world.subscriptions.values();
        all.find(|one| one.name.eq_ignore_ascii_case(request.name())).map(|one| one.id.clone())
    };
    let shown = |id: &str, state: &str| {
        json!({
            "id": format!("/providers/Microsoft.Subscription/aliases/{}", request.name()),
            "type": "Microsoft.Subscription/aliases",
            "name": request.name(),
            "properties": {"subscriptionId": id, "provisioningState": state},
        })
    };
    match request.method.as_str() {
        "PUT" => {
            request.properties()?;
            match found(world) {
                Some(id) => Ok(Good::ok(shown(&id, "Succeeded"))),
                None => {
                    let id = world.add_subscription(request.name());
                    Ok(Good::created(shown(&id, "Succeeded")))
                }
            }
        }
        "GET" => {
            let missing =
                || not_found("AliasNotFound", format!("The alias '{}' was not found.", request.name()));
            Ok(Good::ok(shown(&found(world).ok_or_else(missing)?, "Succeeded")))
        }
        _ => Err(no_method(request)),
    }
}
