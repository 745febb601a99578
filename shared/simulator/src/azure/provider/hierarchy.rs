//! What belongs to a management group but is not one: hierarchy settings, and the subscriptions in it.

use serde_json::{Map, Value, json};

use super::super::answer::{Answered, Good, bad, no_method, not_found};
use super::super::event;
use super::super::gate::no_group;
use super::super::page::page;
use super::super::request::Request;
use super::super::world::group::{arm_id, named};
use super::super::world::{AzureWorld, HierarchySettings, Subscription};
use crate::refusal::Refusal;

/// Only the tenant root group has settings: <https://learn.microsoft.com/rest/api/managementgroups/hierarchy-settings>
pub(super) fn settings(world: &mut AzureWorld, request: &Request) -> Answered {
    let named_default = request.names.len() < 2 || request.name().eq_ignore_ascii_case("default");
    let root = request.first_name().eq_ignore_ascii_case(&world.directory.id);
    if !root || !named_default {
        let message = "Hierarchy settings exist only as 'default' on the root management group.";
        return Err(bad("BadRequest", message));
    }
    let missing =
        || not_found("NotFound", "The hierarchy settings of the root management group are not set.");
    match (request.method.as_str(), request.names.len()) {
        ("GET", 1) => {
            let all = world.directory.hierarchy_settings.iter().map(|set| show(world, set)).collect();
            Ok(Good::list(all))
        }
        ("GET", _) => {
            let set = world.directory.hierarchy_settings.as_ref().ok_or_else(missing)?;
            Ok(Good::ok(show(world, set)))
        }
        ("PUT", 2) => change(world, request, HierarchySettings::default()),
        ("PATCH", 2) => {
            let before = world.directory.hierarchy_settings.clone().ok_or_else(missing)?;
            change(world, request, before)
        }
        ("DELETE", 2) => {
            world.directory.hierarchy_settings = None;
            Ok(Good::ok(Value::Null))
        }
        _ => Err(no_method(request)),
    }
}

fn change(world: &mut AzureWorld, request: &Request, mut settings: HierarchySettings) -> Answered {
    let sent: &Map<String, Value> = request.properties()?;
    match sent.get("defaultManagementGroup") {
        None => {}
        Some(Value::Null) => settings.default_management_group = None,
        Some(value) => {
            let id = named(value.as_str().unwrap_or_default());
            let group = world.group(id).ok_or_else(|| no_group(id))?;
            settings.default_management_group = Some(group.id.clone());
        }
    }
    if let Some(required) = sent.get("requireAuthorizationForGroupCreation").and_then(Value::as_bool) {
        settings.require_authorization = required;
    }
    let shown = show(world, &settings);
    world.directory.hierarchy_settings = Some(settings);
    Ok(Good::ok(shown))
}

fn show(world: &AzureWorld, settings: &HierarchySettings) -> Value {
    let root = &world.directory.id;
    let default = settings.default_management_group.as_deref().unwrap_or(root);
    json!({
        "id": format!("{}/settings/default", arm_id(root)),
        "type": "Microsoft.Management/managementGroups/settings",
        "name": "default",
        "properties": {
            "tenantId": root,
            "defaultManagementGroup": arm_id(default),
            "requireAuthorizationForGroupCreation": settings.require_authorization,
        },
    })
}

/// <https://learn.microsoft.com/rest/api/managementgroups/management-group-subscriptions>
pub(super) fn subscriptions(world: &mut AzureWorld, request: &Request) -> Answered {
    let group = world.group(request.first_name()).ok_or_else(|| no_group(request.first_name()))?.id.clone();
    let inside = |subscription: &&Subscription| subscription.parent.eq_ignore_ascii_case(&group);
    if request.names.len() == 1 {
        let all = world.subscriptions.values().filter(inside).map(|one| show_placed(world, one));
        return page(world, request, all);
    }
    let id = request.name().to_owned();
    let missing = || -> Refusal {
        not_found("NotFound", format!("Subscription '{id}' was not found under management group '{group}'."))
    };
    match request.method.as_str() {
        "GET" => {
            let found = world.subscription(&id).filter(inside).ok_or_else(missing)?;
            Ok(Good::ok(show_placed(world, found)))
        }
        "PUT" => {
            let subscription = world.subscription_mut(&id).ok_or_else(|| {
                not_found("SubscriptionNotFound", format!("The subscription '{id}' could not be found."))
            })?;
            let moved = !subscription.parent.eq_ignore_ascii_case(&group);
            subscription.parent.clone_from(&group);
            if moved {
                event::subscription_moved(world, &id, &group, request.now);
            }
            let found = world.subscription(&id).ok_or_else(missing)?;
            Ok(Good::ok(show_placed(world, found)))
        }
        "DELETE" => {
            let root = world.directory.id.clone();
            match world.subscription_mut(&id).filter(|one| one.parent.eq_ignore_ascii_case(&group)) {
                // Taken out of its group, it is below the root again.
                Some(found) => {
                    found.parent = root;
                    Ok(Good::ok(Value::Null))
                }
                None => Ok(Good::no_content()),
            }
        }
        _ => Err(no_method(request)),
    }
}

fn show_placed(world: &AzureWorld, subscription: &Subscription) -> Value {
    json!({
        "id": format!("{}/subscriptions/{}", arm_id(&subscription.parent), subscription.id),
        "type": "Microsoft.Management/managementGroups/subscriptions",
        "name": subscription.id,
        "properties": {
            "tenant": world.directory.id,
            "displayName": subscription.name,
            "parent": {"id": arm_id(&subscription.parent)},
            "state": if subscription.state == "Enabled" { "Active" } else { &subscription.state },
        },
    })
}
