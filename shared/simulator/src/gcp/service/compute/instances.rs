//! Virtual machines, as far as somebody may make one: <https://cloud.google.com/compute/docs/reference/rest/v1/instances>

use serde_json::{Value, json};

use super::super::fields::{text, with};
use super::{INSTANCES, NETWORKS, get, last, link, listed, operations, refusal};
use crate::gcp::answer::Answered;
use crate::gcp::page::page;
use crate::gcp::request::Request;
use crate::gcp::world::GcpWorld;

/// Those of one zone.
pub(super) fn list(world: &GcpWorld, request: &Request, project: &str, zone: &str) -> Answered {
    let governance = world.governance(&format!("projects/{project}")).ok_or_else(|| request.unknown())?;
    let here = governance.things(INSTANCES).values().filter(|one| last(text(one, "zone")) == zone);
    let answered = page(world, request, "items", here.cloned(), 500)?;
    Ok(listed(answered, request, "compute#instanceList"))
}

/// Names are unique in a project here, and in a zone with Google.
pub(super) fn insert(world: &mut GcpWorld, request: &Request, project: &str, zone: &str) -> Answered {
    let name = request.needs("name")?.to_owned();
    let of = world.project(project).map_or(project, |found| &found.id).to_owned();
    let place = format!("projects/{of}/zones/{zone}");
    if get(world, request, project, INSTANCES, &name).is_ok() {
        let message = format!("The resource '{place}/instances/{name}' already exists");
        return Err(refusal(409, "ALREADY_EXISTS", "alreadyExists", &message));
    }
    let interfaces = request.body.get("networkInterfaces").and_then(Value::as_array);
    for interface in interfaces.into_iter().flatten() {
        let network = text(interface, "network");
        get(world, request, project, NETWORKS, if network.is_empty() { "default" } else { last(network) })?;
    }
    let made = with(request.body.clone(), "kind", "compute#instance");
    let made = with(with(made, "id", world.number().to_string()), "zone", link(&place));
    let made = with(with(made, "status", "RUNNING"), "selfLink", link(&format!("{place}/instances/{name}")));
    let effect = json!({"insert": [INSTANCES, name], "what": made});
    let begun = operations::begin(world, request, project, "insert", &effect, "instances", &name);
    Ok(operations::place(world, &format!("projects/{of}"), text(&begun, "name"), zone))
}
