//! Projects: <https://cloud.google.com/resource-manager/reference/rest/v3/projects>

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{filter, liens, metadata, parent};
use crate::gcp::answer::{Answered, aborted, bad, precondition, there_already};
use crate::gcp::event;
use crate::gcp::gate::forbidden;
use crate::gcp::operation::{any, begin};
use crate::gcp::page::page;
use crate::gcp::request::Request;
use crate::gcp::world::{GcpWorld, Project};
use crate::refusal::Refusal;

pub(super) fn answer(world: &mut GcpWorld, request: &Request) -> Answered {
    let (method, parts, verb) = request.asked();
    match (method, parts.as_slice(), verb) {
        // Those whose deletion was asked for are found as well.
        ("GET", ["projects"], "search") => {
            let query = request.query("query").unwrap_or_default();
            let all = world.projects.values().map(Project::show);
            page(world, request, "projects", all.filter(|shown| filter::matches(query, shown)), 1_000)
        }
        ("GET", ["projects"], "") => {
            let parent = parent(world, request)?;
            let deleted = request.flag("showDeleted");
            let all = world.projects.values().filter(|project| project.parent == parent);
            let all = all.filter(|project| deleted || project.deleted_at.is_none()).map(Project::show);
            page(world, request, "projects", all, 500)
        }
        ("POST", ["projects"], "") => create(world, request),
        ("GET", ["projects", id], "") => Ok(found(world, request, id)?.show()),
        ("PATCH", ["projects", id], "") => patch(world, request, id),
        ("POST", ["projects", id], "move") => relocate(world, request, id),
        ("DELETE", ["projects", id], "") => delete(world, request, id),
        ("POST", ["projects", id], "undelete") => {
            let project = found(world, request, id)?;
            if project.deleted_at.is_none() {
                return Err(precondition("The project is active."));
            }
            let with = json!({"id": project.id, "at": Value::Null});
            let body = metadata("UndeleteProject", json!({}));
            Ok(begin(world, request, "operations/up.", body, set_deleted, with))
        }
        _ => Err(request.unknown()),
    }
}

fn found<'a>(world: &'a GcpWorld, request: &Request, id: &str) -> Result<&'a Project, Refusal> {
    world.project(id).ok_or_else(|| forbidden(request))
}

/// Nothing but its deletion can be changed in a project that is being deleted.
fn live<'a>(world: &'a GcpWorld, request: &Request, id: &str) -> Result<&'a Project, Refusal> {
    let project = found(world, request, id)?;
    match project.deleted_at {
        None => Ok(project),
        Some(_) => Err(precondition("The project's lifecycle state is not ACTIVE.")),
    }
}

fn create(world: &mut GcpWorld, request: &Request) -> Answered {
    let id = request.needs("projectId")?;
    let plain = id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let starts = id.starts_with(|c: char| c.is_ascii_lowercase()) && !id.ends_with('-');
    if !plain || !starts || !(6..=30).contains(&id.len()) {
        return Err(bad(
            "project_id must be 6 to 30 lowercase letters, digits and hyphens, and begin with a letter",
        ));
    }
    let root = world.organization.name();
    let place = Some(request.text("parent")).filter(|parent| !parent.is_empty()).unwrap_or(&root);
    if !world.is_parent(place) {
        return Err(forbidden(request));
    }
    if world.projects.contains_key(id) {
        return Err(there_already("Requested entity already exists"));
    }
    if let Some(labels) = request.body.get("labels") {
        self::labels(labels)?;
    }
    let body = metadata(
        "CreateProject",
        json!({"createTime": request.now.to_string(), "gettable": false, "ready": false}),
    );
    let with = json!({
        "projectId": id, "parent": place, "labels": request.body.get("labels"), "displayName": request.text("displayName"),
        "by": request.caller.principal,
    });
    Ok(begin(world, request, "operations/cp.", body, made, with))
}

fn made(world: &mut GcpWorld, with: &Value) -> Answered {
    let text = |name: &str| with.get(name).and_then(Value::as_str).unwrap_or_default();
    let id = text("projectId");
    world.add_project(id, text("parent"), Timestamp::now());
    // Whoever makes a project owns it: https://cloud.google.com/resource-manager/docs/default-access-control
    world.give(&format!("projects/{id}"), "roles/owner", text("by"));
    if let Some(project) = world.projects.get_mut(id) {
        if !text("displayName").is_empty() {
            text("displayName").clone_into(&mut project.display_name);
        }
        if let Some(labels) = with.get("labels").filter(|labels| !labels.is_null()) {
            project.labels = self::labels(labels)?;
        }
        // Whoever uses the API links a billing account afterwards.
        project.billing_account = None;
    }
    event::project_made(world, id, text("by"));
    Ok(shown(world, id))
}

fn shown(world: &GcpWorld, id: &str) -> Value {
    let shown = world.projects.get(id).map(Project::show).unwrap_or_default();
    any("google.cloud.resourcemanager.v3.Project", shown)
}

fn patch(world: &mut GcpWorld, request: &Request, id: &str) -> Answered {
    let project = live(world, request, id)?;
    let etag = request.text("etag");
    if !etag.is_empty() && project.show().get("etag").and_then(Value::as_str) != Some(etag) {
        return Err(aborted("The etag of the project does not match."));
    }
    let id = project.id.clone();
    let mut with = json!({ "id": id });
    for field in request.mask() {
        let value = request.body.get(&field).cloned().unwrap_or_default();
        match field.as_str() {
            "labels" => drop(labels(&value)?),
            "displayName" => check_name(value.as_str().unwrap_or_default())?,
            // What only the server says is left as it is, where the mask does not name it.
            _ if request.query("updateMask").is_none() => continue,
            _ => return Err(bad(format!("Field `{field}` can't be updated."))),
        }
        if let Some(with) = with.as_object_mut() {
            with.insert(field, value);
        }
    }
    let body = metadata("UpdateProject", json!({}));
    Ok(begin(world, request, "operations/pu.", body, changed, with))
}

fn changed(world: &mut GcpWorld, with: &Value) -> Answered {
    let id = with.get("id").and_then(Value::as_str).unwrap_or_default();
    if let Some(project) = world.projects.get_mut(id) {
        if let Some(labels) = with.get("labels") {
            project.labels = self::labels(labels)?;
        }
        if let Some(name) = with.get("displayName").and_then(Value::as_str) {
            name.clone_into(&mut project.display_name);
        }
        project.updated_at = Timestamp::now();
    }
    Ok(shown(world, id))
}

/// Four to thirty letters, digits, quotes, hyphens, spaces and exclamation marks.
fn check_name(name: &str) -> Result<(), Refusal> {
    let plain = |c: char| c.is_alphanumeric() || "'\"- !".contains(c);
    if (4..=30).contains(&name.chars().count()) && name.chars().all(plain) {
        return Ok(());
    }
    Err(bad(format!(
        "field [display_name] has issue [project display name `{name}` is invalid: it must be 4 to 30 letters, digits, quotes, hyphens, spaces and exclamation marks]"
    )))
}

/// <https://cloud.google.com/resource-manager/docs/creating-managing-labels#requirements>
fn labels(value: &Value) -> Result<BTreeMap<String, String>, Refusal> {
    if value.is_null() {
        return Ok(BTreeMap::new());
    }
    let labels: BTreeMap<String, String> = serde_json::from_value(value.clone())
        .map_err(|wrong| bad(format!("Invalid value at 'project.labels': {wrong}")))?;
    let plain = |c: char| c.is_alphanumeric() && !c.is_uppercase() || "_-".contains(c);
    let fits = |text: &str| text.chars().count() <= 63 && text.chars().all(plain);
    let wrong = labels.iter().find(|(key, value)| {
        !key.starts_with(|c: char| c.is_alphabetic() && !c.is_uppercase()) || !fits(key) || !fits(value)
    });
    match wrong {
        Some((key, value)) => {
            Err(bad(format!("Label `{key}`: `{value}` does not match the requirements of labels.")))
        }
        None if labels.len() > 64 => Err(bad("A project has at most 64 labels.")),
        None => Ok(labels),
    }
}

fn relocate(world: &mut GcpWorld, request: &Request, id: &str) -> Answered {
    let project = live(world, request, id)?;
    let (id, to) = (project.id.clone(), request.needs("destinationParent")?);
    if !world.is_parent(to) {
        return Err(forbidden(request));
    }
    let body = metadata("MoveProject", json!({}));
    let with = json!({"id": id, "parent": to});
    Ok(begin(world, request, "operations/pm.", body, moved, with))
}

fn moved(world: &mut GcpWorld, with: &Value) -> Answered {
    let text = |name: &str| with.get(name).and_then(Value::as_str).unwrap_or_default();
    if let Some(project) = world.projects.get_mut(text("id")) {
        text("parent").clone_into(&mut project.parent);
        project.updated_at = Timestamp::now();
    }
    Ok(shown(world, text("id")))
}

fn delete(world: &mut GcpWorld, request: &Request, id: &str) -> Answered {
    let project = live(world, request, id)?;
    liens::allow(project, "resourcemanager.projects.delete")?;
    let with = json!({"id": project.id, "at": request.now.to_string()});
    let body = metadata("DeleteProject", json!({}));
    Ok(begin(world, request, "operations/dp.", body, set_deleted, with))
}

fn set_deleted(world: &mut GcpWorld, with: &Value) -> Answered {
    let id = with.get("id").and_then(Value::as_str).unwrap_or_default();
    let at = with.get("at").and_then(Value::as_str).and_then(|at| at.parse().ok());
    if let Some(project) = world.projects.get_mut(id) {
        project.deleted_at = at;
        project.updated_at = Timestamp::now();
    }
    Ok(shown(world, id))
}
