//! Which tag values hang on a resource: <https://cloud.google.com/resource-manager/reference/rest/v3/tagBindings>

use serde_json::{Value, json};

use super::metadata;
use super::tags::text;
use crate::gcp::answer::{Answered, bad, not_found, precondition};
use crate::gcp::gate::forbidden;
use crate::gcp::operation::{any, begin};
use crate::gcp::page::page;
use crate::gcp::request::Request;
use crate::gcp::world::GcpWorld;
use crate::gcp::world::tag::VALUES;

const TREE: &str = "//cloudresourcemanager.googleapis.com/";

pub(super) fn answer(world: &mut GcpWorld, request: &Request) -> Answered {
    let (method, parts, verb) = request.asked();
    match (method, parts.as_slice(), verb) {
        ("GET", ["tagBindings"], "") => {
            let name = place(request, request.query("parent").unwrap_or_default())?;
            let found = world.governance(&name).ok_or_else(|| forbidden(request))?;
            let full = full(world, &name);
            let all = found.tags.iter().map(|value| show(&full, value));
            page(world, request, "tagBindings", all, 300)
        }
        ("GET", ["effectiveTags"], "") => effective(world, request),
        ("POST", ["tagBindings"], "") => create(world, request),
        ("DELETE", ["tagBindings", full, "tagValues", id], "") => {
            let name = place(request, full)?;
            let value = format!("tagValues/{id}");
            if !world.governance(&name).is_some_and(|found| found.tags.contains(&value)) {
                return Err(not_found(format!("{value} is not bound to {name}.")));
            }
            let body = metadata("DeleteTagBinding", json!({}));
            let with = json!({"name": name, "value": value, "bind": false});
            Ok(begin(world, request, "operations/rdtb.", body, bound, with))
        }
        _ => Err(request.unknown()),
    }
}

/// A resource of the tree by its full name: `//cloudresourcemanager.googleapis.com/projects/1`.
fn place(request: &Request, full: &str) -> Result<String, crate::refusal::Refusal> {
    if full.is_empty() {
        return Err(bad("Request contains an invalid argument: parent is required."));
    }
    full.strip_prefix(TREE).map(str::to_owned).ok_or_else(|| forbidden(request))
}

fn full(world: &GcpWorld, name: &str) -> String {
    format!("{TREE}{}", world.canonical(name))
}

fn show(full: &str, value: &str) -> Value {
    let encoded = full.replace('/', "%2F");
    json!({"name": format!("tagBindings/{encoded}/{value}"), "parent": full, "tagValue": value})
}

fn create(world: &mut GcpWorld, request: &Request) -> Answered {
    let name = place(request, request.text("parent"))?;
    let values = world.organization.governance.things(VALUES);
    let named = request.text("tagValueNamespacedName");
    let value = match request.text("tagValue") {
        "" => values.values().find(|one| text(one, "namespacedName") == named),
        value => values.get(value.strip_prefix("tagValues/").unwrap_or(value)),
    };
    let value = value.ok_or_else(|| forbidden(request))?;
    let (key, value) = (text(value, "parent").to_owned(), text(value, "name").to_owned());
    let found = world.governance(&name).ok_or_else(|| forbidden(request))?;
    // A resource has one value of a key at most.
    let other = found.tags.iter().find(|bound| {
        let id = bound.strip_prefix("tagValues/").unwrap_or(bound);
        values.get(id).is_some_and(|one| text(one, "parent") == key) && **bound != value
    });
    if let Some(other) = other {
        return Err(precondition(format!("A value of {key} is bound already: {other}.")));
    }
    let body = metadata("CreateTagBinding", json!({}));
    let with = json!({"name": name, "value": value, "bind": true});
    Ok(begin(world, request, "operations/rctb.", body, bound, with))
}

fn bound(world: &mut GcpWorld, with: &Value) -> Answered {
    let (name, value) = (text(with, "name").to_owned(), text(with, "value").to_owned());
    let bind = with.get("bind") == Some(&json!(true));
    if let Some(found) = world.at(&name) {
        if bind {
            found.tags.insert(value.clone());
        } else {
            found.tags.remove(&value);
        }
    }
    if !bind {
        return Ok(any("google.protobuf.Empty", json!({})));
    }
    Ok(any("google.cloud.resourcemanager.v3.TagBinding", show(&full(world, &name), &value)))
}

/// What hangs on a resource or on one above it; the nearest value of a key counts.
fn effective(world: &GcpWorld, request: &Request) -> Answered {
    let name = place(request, request.query("parent").unwrap_or_default())?;
    if world.governance(&name).is_none() {
        return Err(forbidden(request));
    }
    let shown = world.tags(&name).into_iter().map(|tag| {
        json!({
            "tagKey": tag.key_id, "tagValue": tag.value_id, "namespacedTagKey": tag.key,
            "namespacedTagValue": format!("{}/{}", tag.key, tag.value), "tagKeyParentName": tag.parent,
            "inherited": tag.inherited,
        })
    });
    page(world, request, "effectiveTags", shown, 300)
}
