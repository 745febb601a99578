//! Compute Engine, as far as a project's baseline goes: its networks, their firewall rules, and the metadata of all its instances.
//!
//! <https://cloud.google.com/compute/docs/reference/rest/v1>. Its paths, operations and errors are older than the rules that the other
//! APIs follow.

mod instances;
mod networks;
mod operations;
mod path;
mod project;

use serde_json::{Value, json};

use super::enabled;
use super::fields::text;
use crate::gcp::answer::Answered;
use crate::gcp::constraint;
use crate::gcp::request::Request;
use crate::gcp::world::{GcpWorld, etag};
use crate::refusal::Refusal;

pub(crate) use path::{method, permission};

const NETWORKS: &str = "compute/networks";
const FIREWALLS: &str = "compute/firewalls";
/// Each with `zone` and `networkInterfaces`.
const INSTANCES: &str = "compute/instances";
/// Those that somebody made; the ones of a network in auto mode are its own.
const SUBNETWORKS: &str = "compute/subnetworks";
/// What Compute knows of the project as a whole: `self`.
const PROJECT: &str = "compute/project";

const HOST: &str = "compute.googleapis.com";

pub(super) fn answer(world: &mut GcpWorld, request: &Request) -> Answered {
    let (method, parts, verb) = request.asked();
    let ["projects", project, rest @ ..] = parts.as_slice() else { return Err(request.unknown()) };
    enabled::check_in(world, project, HOST)?;
    begin(world, project);
    operations::pass(world, project, request.now);
    match (method, rest, verb) {
        ("GET", [], "") => project::get(world, request, project),
        ("POST", ["setCommonInstanceMetadata"], "") => project::set_metadata(world, request, project),
        ("GET", ["global", "operations", name] | ["zones", _, "operations", name], "") => {
            operations::get(world, request, project, name)
        }
        ("GET", ["zones", zone, "instances"], "") => instances::list(world, request, project, zone),
        ("POST", ["zones", zone, "instances"], "") => instances::insert(world, request, project, zone),
        ("GET", ["zones", _, "instances", name], "") => get(world, request, project, INSTANCES, name),
        ("POST", ["global", "operations", name, "wait"] | ["zones", _, "operations", name, "wait"], "") => {
            operations::wait(world, request, project, name)
        }
        ("GET", ["aggregated", "instances"], "") => networks::instances(world, request, project),
        ("GET", ["global", "networks"], "") => list(world, request, project, NETWORKS, "networkList"),
        ("GET", ["global", "firewalls"], "") => list(world, request, project, FIREWALLS, "firewallList"),
        ("GET", ["global", "networks", name], "") => get(world, request, project, NETWORKS, name),
        ("GET", ["global", "firewalls", name], "") => get(world, request, project, FIREWALLS, name),
        ("POST", ["global", "firewalls"], "") => networks::insert_firewall(world, request, project),
        ("DELETE", ["global", "networks", name], "") => networks::delete(world, request, project, name),
        ("DELETE", ["global", "firewalls", name], "") => {
            get(world, request, project, FIREWALLS, name)?;
            Ok(operations::begin(
                world,
                request,
                project,
                "delete",
                &json!({"delete": [FIREWALLS, name]}),
                "firewalls",
                name,
            ))
        }
        _ => Err(request.unknown()),
    }
}

/// What Compute makes when it is enabled: the network `default` with its four rules, and a service account that edits everything; each
/// unless the organization forbids it.
///
/// <https://cloud.google.com/vpc/docs/vpc#default-network>,
/// <https://cloud.google.com/iam/docs/service-account-types#default>
pub(super) fn begin(world: &mut GcpWorld, project: &str) {
    let name = format!("projects/{project}");
    if world.governance(&name).is_some_and(|one| one.things(PROJECT).contains_key("self")) {
        return;
    }
    let enforced = |constraint: &str| constraint::effective(world, &name, constraint).enforce;
    let network = !enforced("compute.skipDefaultNetworkCreation");
    let edits = !enforced("iam.automaticIamGrantsForDefaultServiceAccounts");
    let id = world.number().to_string();
    let Some(found) = world.project(project) else { return };
    let (at, project, number) = (found.created_at.to_string(), found.id.clone(), found.number.clone());
    let email = format!("{number}-compute@developer.gserviceaccount.com");
    let account = json!({
        "name": format!("projects/{project}/serviceAccounts/{email}"), "projectId": project, "uniqueId": format!("1{id:0>20}"),
        "email": email, "displayName": "Compute Engine default service account", "oauth2ClientId": format!("1{id:0>20}"),
        "etag": etag(&email),
    });
    let Some(governance) = world.at(&name) else { return };
    governance.things_mut(PROJECT).insert("self".to_owned(), json!({"creationTimestamp": at, "id": id}));
    governance.things_mut("iam/serviceAccounts").insert(email.clone(), account);
    if edits {
        governance.iam.give("roles/editor", &format!("serviceAccount:{email}"));
    }
    if network {
        networks::make_default(world, &project);
    }
}

/// Makes the default network again, whatever the organization says of it: somebody did it by hand.
pub(crate) fn restore_default_network(world: &mut GcpWorld, project: &str) {
    world.enable(project, &[HOST]);
    begin(world, project);
    networks::make_default(world, project);
}

fn list(world: &GcpWorld, request: &Request, project: &str, kind: &str, name: &str) -> Answered {
    let governance = world.governance(&format!("projects/{project}")).ok_or_else(|| request.unknown())?;
    let items = governance.things(kind).values().cloned();
    let answered = crate::gcp::page::page(world, request, "items", items, 500)?;
    Ok(listed(answered, request, &format!("compute#{name}")))
}

/// What every list of Compute's says of itself.
fn listed(mut answered: Value, request: &Request, kind: &str) -> Value {
    if let Some(members) = answered.as_object_mut() {
        members.insert("kind".to_owned(), json!(kind));
        members.insert("id".to_owned(), json!(request.path));
        members.insert("selfLink".to_owned(), json!(link(&request.path)));
    }
    answered
}

fn get(world: &GcpWorld, request: &Request, project: &str, kind: &str, name: &str) -> Answered {
    let governance = world.governance(&format!("projects/{project}"));
    let found = governance.and_then(|governance| governance.things(kind).get(name));
    found.cloned().ok_or_else(|| missing(&request.path))
}

/// The address of something, as Compute writes it wherever it listens.
fn link(path: &str) -> String {
    format!("https://www.googleapis.com/compute/v1/{path}")
}

/// Whether a link names this: they come with and without their beginnings.
fn names(link: &str, collection: &str, name: &str) -> bool {
    link.rsplit_once(&format!("{collection}/")).is_some_and(|(_, last)| last == name) || link == name
}

/// A refusal in Compute's older form: <https://cloud.google.com/compute/docs/troubleshooting/troubleshooting-using-http-errors>
fn refusal(status: u16, code: &str, reason: &str, message: &str) -> Refusal {
    let mut refused = Refusal::new(code, message).status(status);
    let errors = json!([{"message": message, "domain": "global", "reason": reason}]);
    refused.members.insert("errors".to_owned(), errors);
    refused
}

fn missing(path: &str) -> Refusal {
    refusal(404, "NOT_FOUND", "notFound", &format!("The resource '{path}' was not found"))
}

impl GcpWorld {
    /// A virtual machine in a network of a project, in zone `europe-west1-b`, as if somebody had made it.
    pub fn add_instance(&mut self, project: &str, name: &str, network: &str) {
        let id = self.number().to_string();
        let Some(found) = self.project(project) else { return };
        let of = found.id.clone();
        let place = format!("projects/{of}/zones/europe-west1-b");
        let instance = json!({
            "kind": "compute#instance", "id": id, "name": name, "zone": link(&place), "status": "RUNNING",
            "selfLink": link(&format!("{place}/instances/{name}")),
            "networkInterfaces": [{"network": link(&format!("projects/{of}/global/networks/{network}"))}],
        });
        if let Some(governance) = self.at(&format!("projects/{of}")) {
            governance.things_mut(INSTANCES).insert(name.to_owned(), instance);
        }
    }
}

/// The last part of a link.
fn last(link: &str) -> &str {
    link.rsplit('/').next().unwrap_or_default()
}

/// Whether something has a network among its members.
fn uses(thing: &Value, network: &str) -> bool {
    let interfaces = thing.get("networkInterfaces").and_then(Value::as_array);
    names(text(thing, "network"), "networks", network)
        || interfaces.into_iter().flatten().any(|one| names(text(one, "network"), "networks", network))
}
