//! Liens, which keep a project from being deleted: <https://cloud.google.com/resource-manager/reference/rest/v3/liens>

use serde_json::{Value, json};

use crate::gcp::answer::{Answered, bad, not_found, precondition};
use crate::gcp::gate::forbidden;
use crate::gcp::page::page;
use crate::gcp::request::Request;
use crate::gcp::world::{GcpWorld, Project};
use crate::refusal::Refusal;

const LIENS: &str = "cloudresourcemanager/liens";

pub(super) fn answer(world: &mut GcpWorld, request: &Request) -> Answered {
    let (method, parts, verb) = request.asked();
    match (method, parts.as_slice(), verb) {
        ("GET", ["liens"], "") => {
            let project = of(world, request, request.query("parent").unwrap_or_default())?;
            let liens = &world.projects.get(&project).ok_or_else(|| forbidden(request))?.governance;
            let all = liens.things(LIENS).iter().map(|(id, lien)| show(id, lien));
            page(world, request, "liens", all, 300)
        }
        ("POST", ["liens"], "") => create(world, request),
        ("GET", ["liens", id], "") => {
            let found = world.projects.values().find_map(|one| one.governance.things(LIENS).get(*id));
            found.map(|lien| show(id, lien)).ok_or_else(|| missing(id))
        }
        ("DELETE", ["liens", id], "") => {
            let mut all = world.projects.values_mut();
            let gone = all.find_map(|one| one.governance.things_mut(LIENS).remove(*id));
            gone.map(|_| Value::Null).ok_or_else(|| missing(id))
        }
        _ => Err(request.unknown()),
    }
}

fn missing(id: &str) -> Refusal {
    not_found(format!("Lien liens/{id} was not found."))
}

fn show(id: &str, lien: &Value) -> Value {
    let mut shown = lien.clone();
    if let Some(members) = shown.as_object_mut() {
        members.insert("name".to_owned(), json!(format!("liens/{id}")));
    }
    shown
}

/// The id of the project that is named by its number or its id.
fn of(world: &GcpWorld, request: &Request, parent: &str) -> Result<String, Refusal> {
    let Some(id) = parent.strip_prefix("projects/") else {
        return Err(bad("Request contains an invalid argument: parent must be `projects/NUMBER`."));
    };
    world.project(id).map(|project| project.id.clone()).ok_or_else(|| forbidden(request))
}

fn create(world: &mut GcpWorld, request: &Request) -> Answered {
    let project = of(world, request, request.text("parent"))?;
    let restrictions = request.body.get("restrictions").cloned().unwrap_or_else(|| json!([]));
    if restrictions != json!(["resourcemanager.projects.delete"]) {
        return Err(bad("Lien restrictions must be [\"resourcemanager.projects.delete\"]."));
    }
    for field in ["origin", "reason"] {
        let length = request.needs(field)?.chars().count();
        if length > 200 {
            return Err(bad(format!("Lien {field} has {length} characters, at most 200 are allowed.")));
        }
    }
    let serial = world.number();
    let project = world.projects.get_mut(&project).ok_or_else(|| forbidden(request))?;
    let id = format!("p{}-l{serial}", project.number);
    let lien = json!({
        "parent": project.name(), "restrictions": restrictions, "origin": request.text("origin"),
        "reason": request.text("reason"), "createTime": request.now.to_string(),
    });
    let shown = show(&id, &lien);
    project.governance.things_mut(LIENS).insert(id, lien);
    Ok(shown)
}

/// Whether nothing stands in the way.
pub(super) fn allow(project: &Project, permission: &str) -> Result<(), Refusal> {
    let restricts = |lien: &&Value| {
        let all = lien.get("restrictions").and_then(Value::as_array);
        all.is_some_and(|all| all.iter().any(|one| one == permission))
    };
    match project.governance.things(LIENS).values().find(restricts) {
        None => Ok(()),
        Some(lien) => {
            let text = |name: &str| lien.get(name).and_then(Value::as_str).unwrap_or_default();
            Err(precondition(format!(
                "A lien to prevent deletion was placed on the project by [{}] with reason [{}]. Remove the lien to allow deletion.",
                text("origin"),
                text("reason")
            )))
        }
    }
}
