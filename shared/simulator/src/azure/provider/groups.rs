//! Management groups: <https://learn.microsoft.com/rest/api/managementgroups/management-groups>

use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::answer::{Answered, Good, bad, no_method};
use super::super::gate::no_group;
use super::super::operation;
use super::super::page::page;
use super::super::request::{Request, invalid};
use super::super::world::group::{arm_id, named};
use super::super::world::resource::key;
use super::super::world::{AzureWorld, Governance, ManagementGroup};
use crate::refusal::Refusal;

/// Levels below the tenant root group.
///
/// <https://learn.microsoft.com/azure/governance/management-groups/overview>
const DEPTH: usize = 6;

pub(super) fn answer(world: &mut AzureWorld, request: &Request) -> Answered {
    if request.names.is_empty() {
        let groups = world.directory.management_groups.values().map(|group| {
            json!({
                "id": group.arm_id(), "type": "Microsoft.Management/managementGroups", "name": group.id,
                "properties": {"tenantId": world.directory.id, "displayName": group.display_name},
            })
        });
        return page(world, request, groups);
    }
    match request.method.as_str() {
        "GET" => get(world, request),
        "PUT" => put(world, request),
        "PATCH" => patch(world, request),
        "DELETE" => delete(world, request),
        _ => Err(no_method(request)),
    }
}

fn get(world: &mut AzureWorld, request: &Request) -> Answered {
    // Looking is how time passes here: somebody who lost the operation's address still finds the group in the end.
    operation::step(world, request.name());
    let group = world.group(request.name()).ok_or_else(|| no_group(request.name()))?;
    let mut shown = group.show(&world.directory);
    if request.query("$expand").is_some_and(|expand| expand.eq_ignore_ascii_case("children")) {
        let recurse = request.query("$recurse").is_some_and(|flag| flag.eq_ignore_ascii_case("true"));
        let children = children(world, &group.id, if recurse { DEPTH + 1 } else { 1 });
        if let Some(properties) = shown.get_mut("properties").and_then(Value::as_object_mut) {
            properties.insert("children".to_owned(), children);
        }
    }
    Ok(Good::ok(shown))
}

/// Null where there are none, as the API writes it.
fn children(world: &AzureWorld, group: &str, levels: usize) -> Value {
    if levels == 0 {
        return Value::Null;
    }
    let below = |parent: Option<&str>| parent.is_some_and(|parent| parent.eq_ignore_ascii_case(group));
    let groups = world.directory.management_groups.values().filter(|child| below(child.parent.as_deref()));
    let groups = groups.map(|child| {
        json!({
            "type": "Microsoft.Management/managementGroups", "id": child.arm_id(), "name": child.id,
            "displayName": child.display_name, "children": children(world, &child.id, levels - 1),
        })
    });
    let subscriptions = world.subscriptions.values().filter(|child| below(Some(&child.parent)));
    let subscriptions = subscriptions.map(|child| {
        json!({"type": "/subscriptions", "id": child.arm_id(), "name": child.id, "displayName": child.name})
    });
    let all: Vec<Value> = groups.chain(subscriptions).collect();
    if all.is_empty() { Value::Null } else { Value::Array(all) }
}

fn put(world: &mut AzureWorld, request: &Request) -> Answered {
    let id = request.name().to_owned();
    let right = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '(' | ')' | '.');
    if id.len() > 90 || !id.chars().all(right) || id.ends_with('.') {
        let message =
            format!("The provided management group name '{id}' is not valid: it has up to 90 characters.");
        return Err(bad("InvalidGroupId", message));
    }
    let body = request.object()?;
    if let Some(name) = body.get("name").and_then(Value::as_str)
        && !name.eq_ignore_ascii_case(&id)
    {
        return Err(bad(
            "BadRequest",
            format!("The name '{name}' in the body is not the name '{id}' in the URL."),
        ));
    }
    // Who begins again finds what was begun before done.
    operation::finish(world, &id);
    let properties = body.get("properties");
    let text = |pointer: &str| properties.and_then(|all| all.pointer(pointer)).and_then(Value::as_str);
    let before = world.group(&id);
    let parent = match (text("/details/parent/id"), before) {
        (Some(parent), _) => Some(named(parent).to_owned()),
        (None, Some(before)) => before.parent.clone(),
        (None, None) => Some(birthplace(world)),
    };
    let display_name = text("/displayName").map(str::to_owned);
    let display_name = display_name
        .or_else(|| before.map(|before| before.display_name.clone()))
        .unwrap_or_else(|| id.clone());
    let parent = placed(world, &id, parent)?;
    if display_name.chars().count() > 90 {
        return Err(bad("InvalidGroupDisplayName", "The display name has up to 90 characters."));
    }
    let outcome = ManagementGroup {
        id: before.map_or_else(|| id.clone(), |before| before.id.clone()),
        display_name,
        parent,
        governance: Governance::default(),
        updated_at: Timestamp::UNIX_EPOCH,
        version: 1,
    };
    Ok(operation::begin(world, request, &id, Some(outcome)))
}

/// New groups go where new subscriptions go: below the tenant root group unless a parent is named.
fn birthplace(world: &AzureWorld) -> String {
    world.directory.id.clone()
}

/// The parent, when the group may be put below it.
fn placed(world: &AzureWorld, id: &str, parent: Option<String>) -> Result<Option<String>, Refusal> {
    let Some(parent) = parent else { return Ok(None) };
    let Some(above) = world.group(&parent) else {
        return Err(no_group(&parent));
    };
    let way = world.directory.way_up(&above.id);
    if way.iter().any(|group| group.id.eq_ignore_ascii_case(id)) {
        return Err(bad("InvalidParent", "A management group cannot be put below itself."));
    }
    // The tenant root group does not count, and the way includes it.
    if way.len() + height(world, id) > DEPTH + 1 {
        let message = format!("The hierarchy has up to {DEPTH} levels below the root management group.");
        return Err(bad("ManagementGroupHierarchyDepthExceeded", message));
    }
    Ok(Some(above.id.clone()))
}

/// How many levels a group brings with it: itself, and those below it.
fn height(world: &AzureWorld, id: &str) -> usize {
    let below = world.directory.management_groups.values();
    let below =
        below.filter(|group| group.parent.as_deref().is_some_and(|parent| parent.eq_ignore_ascii_case(id)));
    1 + below.map(|group| height(world, &group.id)).max().unwrap_or(0)
}

/// PATCH names its members without `properties`, and answers at once.
fn patch(world: &mut AzureWorld, request: &Request) -> Answered {
    operation::finish(world, request.name());
    let body = request.object()?;
    let before = world.group(request.name()).ok_or_else(|| no_group(request.name()))?;
    let parent = match body.get("parentGroupId").and_then(Value::as_str) {
        Some(parent) => placed(world, request.name(), Some(named(parent).to_owned()))?,
        None => before.parent.clone(),
    };
    let name = body.get("displayName").and_then(Value::as_str).map(str::to_owned);
    if let Some(group) = world.directory.management_groups.get_mut(&key(request.name())) {
        group.parent = parent;
        group.display_name = name.unwrap_or_else(|| group.display_name.clone());
        group.version += 1;
        group.updated_at = request.now;
    }
    let group = world.group(request.name()).ok_or_else(|| no_group(request.name()))?;
    Ok(Good::ok(group.show(&world.directory)))
}

/// A group that holds anything can't be deleted, and the tenant root group never.
fn delete(world: &mut AzureWorld, request: &Request) -> Answered {
    let id = request.name().to_owned();
    operation::finish(world, &id);
    let Some(group) = world.group(&id) else { return Ok(Good::no_content()) };
    if !children(world, &id, 1).is_null() {
        let message = format!("Management group '{id}' cannot be deleted because it has children.");
        return Err(bad("GroupNotEmpty", message));
    }
    let default = world.directory.hierarchy_settings.as_ref();
    let default = default.and_then(|settings| settings.default_management_group.as_deref());
    if group.parent.is_none() || default.is_some_and(|default| default.eq_ignore_ascii_case(&id)) {
        let message = format!("Management group '{}' cannot be deleted.", arm_id(&id));
        return Err(bad("BadRequest", message));
    }
    Ok(operation::begin(world, request, &id, None))
}

/// Everything below a group, groups and subscriptions in no order that means anything.
pub(super) fn descendants(world: &mut AzureWorld, request: &Request) -> Answered {
    if request.method != Method::GET {
        return Err(no_method(request));
    }
    let top = world.group(request.first_name()).ok_or_else(|| no_group(request.first_name()))?.id.clone();
    let below =
        |parent: &str| world.directory.way_up(parent).iter().any(|group| group.id.eq_ignore_ascii_case(&top));
    let shown = |id: String, kind: &str, name: &str, display: &str, parent: &str| json!({"id": id, "type": kind, "name": name, "properties": {"displayName": display, "parent": {"id": arm_id(parent)}}});
    // Subscriptions first: who needs parents before children has to see to it.
    let subscriptions = world
        .subscriptions
        .values()
        .filter(|one| below(&one.parent))
        .map(|one| shown(one.arm_id(), "/subscriptions", &one.id, &one.name, &one.parent));
    let groups = world.directory.management_groups.values().filter_map(|group| {
        let parent = group.parent.as_deref().filter(|parent| below(parent))?;
        let kind = "Microsoft.Management/managementGroups";
        Some(shown(group.arm_id(), kind, &group.id, &group.display_name, parent))
    });
    if request.query("$top").is_some_and(|top| top.parse::<u64>().is_err()) {
        return Err(invalid("The value of $top must be a whole number."));
    }
    page(world, request, subscriptions.chain(groups))
}
