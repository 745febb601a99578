//! Identity Store: the groups that permission sets are given to.

use serde_json::{Map, Value, json};

use super::Answered;
use crate::ask::{Ask, member};
use crate::page::{IDENTITY, page};
use crate::refusal::Refusal;
use crate::world::{Group, World, uuid};

pub(super) fn answer(world: &mut World, ask: &Ask) -> Answered {
    let store = ask.need("IdentityStoreId")?;
    if !world.identity_center.enabled || store != world.identity_center.identity_store_id {
        return Err(missing("IDENTITY_STORE", store));
    }
    match ask.operation.as_str() {
        "ListGroups" => list(world, ask, store),
        "GetGroupId" => group_id(world, ask, store),
        "DescribeGroup" => {
            let id = ask.need("GroupId")?;
            let group = world.identity_center.groups.get(id).ok_or_else(|| missing("GROUP", id))?;
            Ok(group_json(store, group))
        }
        "CreateGroup" => create(world, ask, store),
        _ => Err(super::unknown(Some(ask.service), &ask.operation)),
    }
}

fn missing(kind: &str, id: &str) -> Refusal {
    Refusal::new("ResourceNotFoundException", format!("{kind} not found."))
        .member("ResourceType", kind)
        .member("ResourceId", id)
}

fn arn(id: &str) -> String {
    format!("arn:aws:identitystore:::group/{id}")
}

fn group_json(store: &str, group: &Group) -> Value {
    let mut shown = Map::from_iter([
        ("IdentityStoreId".to_owned(), json!(store)),
        ("GroupId".to_owned(), json!(group.id)),
        ("GroupArn".to_owned(), json!(arn(&group.id))),
        ("Revision".to_owned(), json!("1")),
        ("DisplayName".to_owned(), json!(group.name)),
    ]);
    if let Some(description) = &group.description {
        shown.insert("Description".to_owned(), json!(description));
    }
    Value::Object(shown)
}

/// The only filter there is: an exact display name.
fn list(world: &World, ask: &Ask, store: &str) -> Answered {
    let filters = ask.array("Filters");
    if filters.iter().any(|filter| member(filter, "AttributePath") != "DisplayName") {
        return Err(ask.invalid("The only supported filter attribute is DisplayName"));
    }
    let wanted = |group: &&Group| filters.iter().all(|filter| member(filter, "AttributeValue") == group.name);
    let groups = world.identity_center.groups.values().filter(wanted).map(|group| group_json(store, group));
    page(world, ask, IDENTITY, "Groups", groups).map(Value::Object)
}

fn group_id(world: &World, ask: &Ask, store: &str) -> Answered {
    let unique = ask.object("AlternateIdentifier").and_then(|identifier| identifier.get("UniqueAttribute"));
    let unique = unique.ok_or_else(|| ask.invalid("AlternateIdentifier must have a UniqueAttribute"))?;
    if !member(unique, "AttributePath").eq_ignore_ascii_case("displayName") {
        return Err(ask.invalid("The only supported attribute is displayName"));
    }
    let name = member(unique, "AttributeValue");
    let found = world.identity_center.groups.values().find(|group| group.name == name);
    let group = found.ok_or_else(|| missing("GROUP", name))?;
    Ok(json!({"IdentityStoreId": store, "GroupId": group.id, "GroupArn": arn(&group.id)}))
}

fn create(world: &mut World, ask: &Ask, store: &str) -> Answered {
    let name = ask.need("DisplayName")?;
    if world.identity_center.groups.values().any(|group| group.name == name) {
        return Err(Refusal::new("ConflictException", "Duplicate GroupDisplayName")
            .member("Reason", "UNIQUENESS_CONSTRAINT_VIOLATION"));
    }
    let id = uuid(&format!("group/{name}"));
    let description = ask.text("Description").map(str::to_owned);
    world
        .identity_center
        .groups
        .insert(id.clone(), Group { id: id.clone(), name: name.to_owned(), description });
    Ok(json!({"IdentityStoreId": store, "GroupId": id, "GroupArn": arn(&id), "Revision": "1"}))
}
