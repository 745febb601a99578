//! Tags on accounts, units, the root and policies.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Answered;
use crate::ask::{Ask, member};
use crate::page::{ORGANIZATIONS, page};
use crate::refusal::Refusal;
use crate::world::World;

/// `[{Key, Value}]` as a map.
pub(crate) fn parse(tags: &[Value]) -> BTreeMap<String, String> {
    tags.iter().map(|tag| (member(tag, "Key").to_owned(), member(tag, "Value").to_owned())).collect()
}

pub(super) fn store(world: &mut World, id: &str, tags: &[Value]) {
    if !tags.is_empty() {
        world.organization.tags.entry(id.to_owned()).or_default().extend(parse(tags));
    }
}

fn resource<'a>(world: &World, ask: &'a Ask) -> Result<&'a str, Refusal> {
    let id = ask.need("ResourceId")?;
    if world.organization.is_target(id) || world.organization.policies.contains_key(id) {
        return Ok(id);
    }
    Err(Refusal::new("TargetNotFoundException", "You specified a target that doesn't exist."))
}

pub(super) fn tag(world: &mut World, ask: &Ask) -> Answered {
    let id = resource(world, ask)?;
    let tags = ask.array("Tags");
    let reserved = |tag: &Value| member(tag, "Key").to_lowercase().starts_with("aws:");
    if tags.iter().any(reserved) {
        return Err(super::invalid(
            "INVALID_SYSTEM_TAGS_PARAMETER",
            "System tags cannot be added or edited.",
        ));
    }
    let mut after = world.organization.tags.get(id).cloned().unwrap_or_default();
    after.extend(parse(tags));
    if after.len() > 50 {
        return Err(Refusal::new(
            "ConstraintViolationException",
            "You have exceeded the number of tags allowed.",
        )
        .reason("MAX_TAG_LIMIT_EXCEEDED"));
    }
    world.organization.tags.insert(id.to_owned(), after);
    Ok(Value::Null)
}

pub(super) fn untag(world: &mut World, ask: &Ask) -> Answered {
    let id = resource(world, ask)?;
    if let Some(tags) = world.organization.tags.get_mut(id) {
        tags.retain(|key, _| !ask.array("TagKeys").iter().any(|gone| gone.as_str() == Some(key)));
    }
    Ok(Value::Null)
}

pub(super) fn list(world: &World, ask: &Ask) -> Answered {
    let id = resource(world, ask)?;
    let tags = world.organization.tags.get(id).into_iter().flatten();
    let tags = tags.map(|(key, value)| json!({"Key": key, "Value": value}));
    page(world, ask, ORGANIZATIONS, "Tags", tags).map(Value::Object)
}
