//! Resource groups: <https://learn.microsoft.com/rest/api/resources/resource-groups>

use serde_json::{Value, json};

use super::super::answer::{Answered, Good, bad, conflict, no_method};
use super::super::gate::no_resource_group;
use super::super::page::page;
use super::super::request::{ENVELOPE, Request, invalid, only};
use super::super::world::resource::key;
use super::super::world::{AzureWorld, ResourceGroup};
use super::tags;
use crate::refusal::Refusal;

const MOST: usize = 980;

pub(super) fn answer(world: &mut AzureWorld, request: &Request) -> Answered {
    let id = request.scope.subscription().unwrap_or_default().to_owned();
    let name = key(request.name());
    let found = |world: &AzureWorld| {
        let found = world.subscription(&id).and_then(|one| one.resource_groups.get(&name));
        found.map(|group| show(&id, group))
    };
    match (request.method.as_str(), request.names.is_empty()) {
        ("GET", true) => {
            let all = world.subscription(&id).into_iter().flat_map(|one| one.resource_groups.values());
            page(world, request, all.map(|group| show(&id, group)))
        }
        ("GET", false) => found(world).map(Good::ok).ok_or_else(|| no_resource_group(request.name())),
        ("HEAD", false) => {
            found(world).map(|_| Good::no_content()).ok_or_else(|| no_resource_group(request.name()))
        }
        ("PUT", false) => put(world, request, &id),
        ("PATCH", false) => {
            let sent = sent_tags(request)?;
            let subscription = world.subscription_mut(&id);
            let group = subscription.and_then(|one| one.resource_groups.get_mut(&name));
            let group = group.ok_or_else(|| no_resource_group(request.name()))?;
            group.governance.tags = sent;
            Ok(Good::ok(show(&id, group)))
        }
        ("DELETE", false) => {
            let subscription = world.subscription_mut(&id);
            let removed = subscription.and_then(|one| one.resource_groups.remove(&name));
            // Azure takes minutes; here it is done when it is accepted.
            removed.map(|_| Good::ok(Value::Null)).ok_or_else(|| no_resource_group(request.name()))
        }
        _ => Err(no_method(request)),
    }
}

pub(super) fn sent_tags(request: &Request) -> Result<std::collections::BTreeMap<String, String>, Refusal> {
    match request.object()?.get("tags").filter(|tags| !tags.is_null()) {
        None => Ok(std::collections::BTreeMap::new()),
        Some(sent) => tags::read(sent.as_object().ok_or_else(|| invalid("The tags must be an object."))?),
    }
}

fn put(world: &mut AzureWorld, request: &Request, id: &str) -> Answered {
    let name = request.name();
    let right = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '(' | ')' | '.');
    if name.chars().count() > 90 || !name.chars().all(right) || name.ends_with('.') {
        let message = format!(
            "The provided resource group name '{name}' has these invalid characters or more than 90."
        );
        return Err(bad("InvalidResourceGroup", message));
    }
    let mut envelope = ENVELOPE.to_vec();
    envelope.extend(["location", "tags", "managedBy"]);
    only(request.object()?, "", "ResourceGroup", &envelope)?;
    let location = request.object()?.get("location").and_then(Value::as_str).unwrap_or_default();
    let location = super::super::policy::plain_location(location);
    if location.is_empty() {
        return Err(bad("LocationRequired", "The location property is required for this definition."));
    }
    if !world.settings.locations.contains(&location) {
        let message = format!(
            "The provided location '{location}' is not available for resource group. List of available regions is '{}'.",
            world.settings.locations.join(",")
        );
        return Err(bad("LocationNotAvailableForResourceGroup", message));
    }
    let tags = sent_tags(request)?;
    let Some(subscription) = world.subscription_mut(id) else { return Err(no_resource_group(name)) };
    let new = !subscription.resource_groups.contains_key(&key(name));
    if new && subscription.resource_groups.len() >= MOST {
        let message = format!("The subscription has {MOST} resource groups already.");
        return Err(conflict("ResourceGroupQuotaExceeded", message));
    }
    let group = subscription.add_resource_group(name, &location);
    if group.location != location {
        let message = format!(
            "Invalid resource group location '{location}'. The Resource group already exists in location '{}'.",
            group.location
        );
        return Err(conflict("InvalidResourceGroupLocation", message));
    }
    group.governance.tags = tags;
    Ok(Good::put(new, show(id, group)))
}

fn show(subscription: &str, group: &ResourceGroup) -> Value {
    let mut shown = json!({
        "id": format!("/subscriptions/{subscription}/resourceGroups/{}", group.name),
        "name": group.name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": group.location,
        "properties": {"provisioningState": "Succeeded"},
    });
    if let (false, Some(members)) = (group.governance.tags.is_empty(), shown.as_object_mut()) {
        members.insert("tags".to_owned(), json!(group.governance.tags));
    }
    shown
}
