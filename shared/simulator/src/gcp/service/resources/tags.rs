//! Tag keys and their values: <https://cloud.google.com/resource-manager/reference/rest/v3/tagKeys>

use serde_json::{Map, Value, json};

use super::metadata;
use crate::gcp::answer::{Answered, aborted, bad, precondition, there_already};
use crate::gcp::gate::forbidden;
use crate::gcp::operation::{any, begin};
use crate::gcp::page::page;
use crate::gcp::request::Request;
use crate::gcp::world::tag::{KEYS, VALUES};
use crate::gcp::world::{GcpWorld, Things, etag};
use crate::refusal::Refusal;

/// Keys or values; both are kept on the organization and look alike.
pub(super) fn answer(world: &mut GcpWorld, request: &Request) -> Answered {
    let (method, parts, verb) = request.asked();
    let kind = if request.part(0) == "tagKeys" { KEYS } else { VALUES };
    let all = || world.organization.governance.things(kind);
    match (method, parts.as_slice(), verb) {
        ("GET", [collection], "") => {
            let parent = request.query("parent").unwrap_or_default();
            let parent = world.canonical(parent);
            let shown = all().values().filter(|one| text(one, "parent") == parent).map(show);
            page(world, request, collection, shown, 300)
        }
        ("GET", [_, "namespaced"], "") => {
            let name = request.query("name").unwrap_or_default();
            let found = all().values().find(|one| text(one, "namespacedName") == name);
            found.map(show).ok_or_else(|| forbidden(request))
        }
        ("GET", [_, _], "") => one(all(), request).map(show),
        ("POST", [_], "") => create(world, request, kind),
        ("PATCH", [_, _], "") => {
            let before = one(all(), request)?;
            fresh(before, request.text("etag"))?;
            if request.mask().iter().any(|field| !["description", "etag", "name"].contains(&field.as_str())) {
                return Err(bad("Only `description` can be updated."));
            }
            let mut after = before.clone();
            put(&mut after, "description", request.text("description"));
            Ok(operation(world, request, kind, "Update", after))
        }
        ("DELETE", [_, _], "") => {
            let before = one(all(), request)?.clone();
            fresh(&before, request.query("etag").unwrap_or_default())?;
            let name = text(&before, "name").to_owned();
            let used = if kind == KEYS {
                world.organization.governance.things(VALUES).values().any(|one| text(one, "parent") == name)
            } else {
                let bound = |tags: &std::collections::BTreeSet<String>| tags.contains(&name);
                bound(&world.organization.governance.tags)
                    || world.folders.values().any(|one| bound(&one.governance.tags))
                    || world.projects.values().any(|one| bound(&one.governance.tags))
            };
            if used {
                return Err(precondition(format!("{name} is still used.")));
            }
            Ok(operation(world, request, kind, "Delete", json!({"name": name, "gone": true})))
        }
        _ => Err(request.unknown()),
    }
}

pub(super) fn text<'a>(thing: &'a Value, name: &str) -> &'a str {
    thing.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn put(thing: &mut Value, name: &str, value: &str) {
    if let Some(members) = thing.as_object_mut() {
        members.insert(name.to_owned(), json!(value));
    }
}

fn one<'a>(all: &'a Things, request: &Request) -> Result<&'a Value, Refusal> {
    all.get(request.name()).ok_or_else(|| forbidden(request))
}

fn show(thing: &Value) -> Value {
    let mut shown = thing.clone();
    put(&mut shown, "etag", &etag(&thing.to_string()));
    shown
}

fn fresh(thing: &Value, seen: &str) -> Result<(), Refusal> {
    if seen.is_empty() || seen == etag(&thing.to_string()) {
        return Ok(());
    }
    Err(aborted("The etag does not match: it was changed since it was read."))
}

fn create(world: &mut GcpWorld, request: &Request, kind: &str) -> Answered {
    let short = request.needs("shortName")?;
    let parent = world.canonical(request.needs("parent")?);
    let space = if kind == KEYS {
        if world.governance(&parent).is_none() {
            return Err(forbidden(request));
        }
        parent.split_once('/').map_or("", |(_, id)| id).to_owned()
    } else {
        let keys = world.organization.governance.things(KEYS);
        let key = parent.strip_prefix("tagKeys/").and_then(|id| keys.get(id));
        text(key.ok_or_else(|| forbidden(request))?, "namespacedName").to_owned()
    };
    let namespaced = format!("{space}/{short}");
    let all = world.organization.governance.things(kind);
    if all.values().any(|one| text(one, "namespacedName") == namespaced) {
        return Err(there_already(format!("{namespaced} exists already.")));
    }
    let name = format!("{}/{}", request.part(0), world.number());
    let mut thing = Map::new();
    for field in ["description", "purpose", "purposeData"] {
        if let Some(value) = request.body.get(field) {
            thing.insert(field.to_owned(), value.clone());
        }
    }
    let now = request.now.to_string();
    for (field, value) in [
        ("name", &*name),
        ("parent", &*parent),
        ("shortName", short),
        ("namespacedName", &*namespaced),
        ("createTime", &*now),
        ("updateTime", &*now),
    ] {
        thing.insert(field.to_owned(), json!(value));
    }
    if request.flag("validateOnly") {
        return Ok(json!({"done": true, "response": any(message(kind), json!({}))}));
    }
    Ok(operation(world, request, kind, "Create", Value::Object(thing)))
}

fn message(kind: &str) -> &'static str {
    if kind == KEYS {
        "google.cloud.resourcemanager.v3.TagKey"
    } else {
        "google.cloud.resourcemanager.v3.TagValue"
    }
}

fn operation(world: &mut GcpWorld, request: &Request, kind: &str, verb: &str, thing: Value) -> Value {
    let what = if kind == KEYS { "TagKey" } else { "TagValue" };
    let prefix = if kind == KEYS { "operations/rctk." } else { "operations/rctv." };
    let with = json!({"kind": kind, "thing": thing});
    begin(world, request, prefix, metadata(&format!("{verb}{what}"), json!({})), written, with)
}

fn written(world: &mut GcpWorld, with: &Value) -> Answered {
    let kind = text(with, "kind").to_owned();
    let thing = with.get("thing").cloned().unwrap_or_default();
    let id = text(&thing, "name").split_once('/').map_or("", |(_, id)| id).to_owned();
    let all = world.organization.governance.things_mut(&kind);
    if thing.get("gone").is_some() {
        return Ok(any(message(&kind), all.remove(&id).unwrap_or_default()));
    }
    let shown = any(message(&kind), show(&thing));
    all.insert(id, thing);
    Ok(shown)
}
