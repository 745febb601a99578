//! Tags of a subscription, a resource group or a resource: <https://learn.microsoft.com/rest/api/resources/tags>

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::answer::{Answered, Good, bad, no_method};
use super::super::request::{ENVELOPE, Request, invalid, only};
use super::super::scope::Scope;
use super::super::world::resource::key;
use super::super::world::{AzureWorld, deployed_key};
use crate::refusal::Refusal;

/// <https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#limitations>
const MOST: usize = 50;
const NAME: usize = 512;
const VALUE: usize = 256;

pub(super) fn answer(world: &mut AzureWorld, request: &Request) -> Answered {
    if !request.name().eq_ignore_ascii_case("default") {
        return Err(bad("InvalidTagsResourceName", "The name of the tags resource must be 'default'."));
    }
    if matches!(request.scope, Scope::Tenant | Scope::Group(_)) {
        return Err(bad("InvalidTagsScope", "Tags are on subscriptions, resource groups and resources."));
    }
    let before = tags(world, &request.scope);
    let after = match request.method.as_str() {
        "GET" => return Ok(Good::ok(show(request, &before))),
        "PUT" => {
            only(request.object()?, "", "TagsResource", &ENVELOPE)?;
            sent(request)?
        }
        "PATCH" => {
            only(request.object()?, "", "TagsPatchResource", &["operation", "properties"])?;
            let operation = request.object()?.get("operation").and_then(Value::as_str).unwrap_or_default();
            patched(before, sent(request)?, operation)?
        }
        "DELETE" => {
            store(world, &request.scope, BTreeMap::new());
            return Ok(Good::ok(Value::Null));
        }
        _ => return Err(no_method(request)),
    };
    if after.len() > MOST {
        let message = format!("The number of tags {} is more than the maximum of {MOST}.", after.len());
        return Err(bad("TagsLimitExceeded", message));
    }
    let shown = show(request, &after);
    store(world, &request.scope, after);
    Ok(Good::ok(shown))
}

type Tags = BTreeMap<String, String>;

fn patched(before: Tags, sent: Tags, operation: &str) -> Result<Tags, Refusal> {
    let same = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
    Ok(match operation.to_ascii_lowercase().as_str() {
        "replace" => sent,
        "merge" => {
            // Names have no case: a name that is there keeps how it is written.
            let mut after = before;
            for (name, value) in sent {
                let there = after.keys().find(|known| same(known, &name)).cloned();
                after.insert(there.unwrap_or(name), value);
            }
            after
        }
        "delete" => {
            let gone = |name: &str, value: &str| {
                sent.iter().any(|(other, only)| same(name, other) && (only.is_empty() || only == value))
            };
            before.into_iter().filter(|(name, value)| !gone(name, value)).collect()
        }
        _ => return Err(invalid("The 'operation' must be one of Replace, Merge, Delete.")),
    })
}

fn sent(request: &Request) -> Result<Tags, Refusal> {
    let properties = request.properties()?;
    only(properties, "properties.", "Tags", &["tags"])?;
    let empty = Map::new();
    read(properties.get("tags").and_then(Value::as_object).unwrap_or(&empty))
}

/// Tags as they were sent, when their names and values can be.
pub(super) fn read(sent: &Map<String, Value>) -> Result<Tags, Refusal> {
    let mut tags = Tags::new();
    for (name, value) in sent {
        let value = value.as_str().ok_or_else(|| invalid(format!("The tag '{name}' must be text.")))?;
        let wrong = name.is_empty() || name.contains(['<', '>', '%', '&', '\\', '?', '/']);
        if wrong || name.chars().count() > NAME {
            return Err(bad("InvalidTagName", format!("The tag name '{name}' is invalid.")));
        }
        if value.chars().count() > VALUE {
            let message = format!("The value of tag '{name}' has more than {VALUE} characters.");
            return Err(bad("InvalidTagValueLength", message));
        }
        if tags.keys().any(|known: &String| known.eq_ignore_ascii_case(name)) {
            return Err(bad("InvalidTagName", format!("The tag name '{name}' is there twice.")));
        }
        tags.insert(name.clone(), value.to_owned());
    }
    Ok(tags)
}

/// A resource carries its tags in its own envelope.
fn tags(world: &AzureWorld, scope: &Scope) -> Tags {
    if let Scope::Resource(id, group, kind, name) = scope {
        let group = world.subscription(id).and_then(|one| one.resource_groups.get(&key(group)));
        let found = group.and_then(|group| group.resources.get(&deployed_key(kind, name)));
        return found.and_then(|found| found.resource.tags.clone()).unwrap_or_default();
    }
    world.governance(scope).map(|governance| governance.tags.clone()).unwrap_or_default()
}

fn store(world: &mut AzureWorld, scope: &Scope, tags: Tags) {
    if let Scope::Resource(id, group, kind, name) = scope {
        let group = world.subscription_mut(id).and_then(|one| one.resource_groups.get_mut(&key(group)));
        if let Some(found) = group.and_then(|group| group.resources.get_mut(&deployed_key(kind, name))) {
            found.resource.tags = Some(tags);
        }
    } else if let Some(governance) = world.governance_mut(scope) {
        governance.tags = tags;
    }
}

fn show(request: &Request, tags: &Tags) -> Value {
    json!({
        "id": format!("{}/providers/Microsoft.Resources/tags/default", request.scope.id()),
        "name": "default",
        "type": "Microsoft.Resources/tags",
        "properties": {"tags": tags},
    })
}
