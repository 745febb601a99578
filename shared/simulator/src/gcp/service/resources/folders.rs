//! Folders: <https://cloud.google.com/resource-manager/reference/rest/v3/folders>

use serde_json::{Value, json};

use super::{filter, metadata, parent, violation};
use crate::gcp::answer::{Answered, aborted, bad, precondition};
use crate::gcp::gate::forbidden;
use crate::gcp::operation::{any, begin};
use crate::gcp::page::page;
use crate::gcp::request::Request;
use crate::gcp::world::{Folder, GcpWorld};
use crate::refusal::Refusal;

/// How deep the tree may be, and how many folders one may hold: <https://cloud.google.com/resource-manager/docs/limits>
const DEEPEST: usize = 10;
const MOST: usize = 300;

pub(super) fn answer(world: &mut GcpWorld, request: &Request) -> Answered {
    let (method, parts, verb) = request.asked();
    match (method, parts.as_slice(), verb) {
        ("GET", ["folders"], "search") => {
            let query = request.query("query").unwrap_or_default();
            let all = world.folders.values().map(Folder::show);
            page(world, request, "folders", all.filter(|shown| filter::matches(query, shown)), 1_000)
        }
        ("GET", ["folders"], "") => {
            let parent = parent(world, request)?;
            let deleted = request.flag("showDeleted");
            let all = world.folders.values().filter(|folder| folder.parent == parent);
            let all = all.filter(|folder| deleted || folder.deleted_at.is_none()).map(Folder::show);
            page(world, request, "folders", all, 300)
        }
        ("POST", ["folders"], "") => create(world, request),
        ("GET", ["folders", _], "") => Ok(found(world, request)?.show()),
        ("PATCH", ["folders", _], "") => patch(world, request),
        ("POST", ["folders", _], "move") => relocate(world, request),
        ("DELETE", ["folders", _], "") => delete(world, request),
        ("POST", ["folders", _], "undelete") => {
            found(world, request)?;
            let body = metadata("UndeleteFolder", json!({}));
            let with = json!({"name": request.path, "at": Value::Null});
            Ok(begin(world, request, "operations/fu.", body, set_deleted, with))
        }
        _ => Err(request.unknown()),
    }
}

fn found<'a>(world: &'a GcpWorld, request: &Request) -> Result<&'a Folder, Refusal> {
    world.folders.get(&request.path).ok_or_else(|| forbidden(request))
}

/// Three to thirty letters, digits, spaces, hyphens and underscores; the first and the last are letters or digits.
fn check_name(name: &str) -> Result<(), Refusal> {
    let plain = |c: char| c.is_alphanumeric();
    let ends = name.starts_with(plain) && name.ends_with(plain);
    let count = name.chars().count();
    let right = ends && (3..=30).contains(&count) && name.chars().all(|c| plain(c) || " -_".contains(c));
    if right {
        Ok(())
    } else {
        Err(bad(format!(
            "folder display name `{name}` is invalid: it must be 3 to 30 letters, digits, spaces, hyphens and underscores"
        )))
    }
}

/// What stands in the way of a folder of this name there.
fn check_place(world: &GcpWorld, parent: &str, name: &str, itself: &str) -> Result<(), Refusal> {
    let siblings = || world.folders.values().filter(|one| one.parent == parent && one.name != itself);
    let live = siblings().filter(|one| one.deleted_at.is_none());
    if live.clone().any(|one| one.display_name == name) {
        let message = "Folder reservation failed for parent: a folder with this display name exists.";
        return Err(violation(precondition(message), "FOLDER_NAME_UNIQUENESS_VIOLATION", parent));
    }
    if live.count() >= MOST {
        let message = format!("A folder or organization holds at most {MOST} folders.");
        return Err(violation(precondition(message), "MAX_CHILD_FOLDERS_VIOLATION", parent));
    }
    if world.way_up(parent).len() > DEEPEST {
        let message = format!("Folders are at most {DEEPEST} deep.");
        return Err(violation(precondition(message), "FOLDER_HEIGHT_VIOLATION", parent));
    }
    Ok(())
}

fn create(world: &mut GcpWorld, request: &Request) -> Answered {
    let (parent, name) = (request.needs("parent")?, request.needs("displayName")?);
    check_name(name)?;
    if !world.is_parent(parent) {
        return Err(forbidden(request));
    }
    let body = metadata("CreateFolder", json!({"displayName": name, "parent": parent}));
    let with = json!({"displayName": name, "parent": parent});
    Ok(begin(world, request, "operations/cf.", body, made, with))
}

/// Whether the name is free is found out while the operation goes on, as with Google.
fn made(world: &mut GcpWorld, with: &Value) -> Answered {
    let text = |name: &str| with.get(name).and_then(Value::as_str).unwrap_or_default();
    check_place(world, text("parent"), text("displayName"), "")?;
    let name = world.add_folder(text("displayName"), text("parent"));
    Ok(shown(world, &name))
}

fn shown(world: &GcpWorld, name: &str) -> Value {
    let shown = world.folders.get(name).map(Folder::show).unwrap_or_default();
    any("google.cloud.resourcemanager.v3.Folder", shown)
}

fn patch(world: &mut GcpWorld, request: &Request) -> Answered {
    let before = found(world, request)?;
    let etag = request.text("etag");
    if !etag.is_empty() && before.show().get("etag").and_then(Value::as_str) != Some(etag) {
        return Err(aborted("The etag of the folder does not match."));
    }
    let mask = request.mask();
    if mask.iter().any(|field| !["displayName", "name", "etag"].contains(&field.as_str())) {
        return Err(bad("Request contains an invalid argument: only `display_name` can be updated."));
    }
    let name = request.needs("displayName")?;
    check_name(name)?;
    let body = metadata("UpdateFolder", json!({}));
    let with = json!({"name": request.path, "displayName": name});
    Ok(begin(world, request, "operations/uf.", body, renamed, with))
}

fn renamed(world: &mut GcpWorld, with: &Value) -> Answered {
    let text = |name: &str| with.get(name).and_then(Value::as_str).unwrap_or_default();
    let parent = world.folders.get(text("name")).map(|folder| folder.parent.clone()).unwrap_or_default();
    check_place(world, &parent, text("displayName"), text("name"))?;
    if let Some(folder) = world.folders.get_mut(text("name")) {
        text("displayName").clone_into(&mut folder.display_name);
        folder.updated_at = jiff::Timestamp::now();
    }
    Ok(shown(world, text("name")))
}

fn relocate(world: &mut GcpWorld, request: &Request) -> Answered {
    found(world, request)?;
    let to = request.needs("destinationParent")?;
    if !world.is_parent(to) {
        return Err(forbidden(request));
    }
    if world.way_up(to).contains(&request.path) {
        let message = "A folder can't be moved below itself.";
        return Err(violation(precondition(message), "CYCLE_INTRODUCED_VIOLATION", to));
    }
    let body = metadata("MoveFolder", json!({"destinationParent": to}));
    let with = json!({"name": request.path, "parent": to});
    Ok(begin(world, request, "operations/fm.", body, moved, with))
}

fn moved(world: &mut GcpWorld, with: &Value) -> Answered {
    let text = |name: &str| with.get(name).and_then(Value::as_str).unwrap_or_default();
    let name = world.folders.get(text("name")).map(|folder| folder.display_name.clone()).unwrap_or_default();
    check_place(world, text("parent"), &name, text("name"))?;
    if let Some(folder) = world.folders.get_mut(text("name")) {
        text("parent").clone_into(&mut folder.parent);
        folder.updated_at = jiff::Timestamp::now();
    }
    Ok(shown(world, text("name")))
}

/// Only an empty folder can be deleted.
fn delete(world: &mut GcpWorld, request: &Request) -> Answered {
    found(world, request)?;
    let name = &request.path;
    let folders = world.folders.values().any(|one| one.parent == *name && one.deleted_at.is_none());
    let projects = world.projects.values().any(|one| one.parent == *name && one.deleted_at.is_none());
    if folders || projects {
        let message = "The folder has active children.";
        return Err(violation(precondition(message), "FOLDER_TO_DELETE_NON_EMPTY_VIOLATION", name));
    }
    let body = metadata("DeleteFolder", json!({}));
    let with = json!({"name": name, "at": request.now.to_string()});
    Ok(begin(world, request, "operations/fd.", body, set_deleted, with))
}

fn set_deleted(world: &mut GcpWorld, with: &Value) -> Answered {
    let name = with.get("name").and_then(Value::as_str).unwrap_or_default();
    let at = with.get("at").and_then(Value::as_str).and_then(|at| at.parse().ok());
    if let Some(folder) = world.folders.get_mut(name) {
        folder.deleted_at = at;
        folder.updated_at = jiff::Timestamp::now();
    }
    Ok(shown(world, name))
}
