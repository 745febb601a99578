//! Which APIs may be used: one that is not enabled is refused, and becomes usable some time after it was enabled.
//!
//! <https://cloud.google.com/docs/quotas/quota-project>: most APIs ask the project that the caller's credentials belong to, and Compute
//! asks the one that it is about.

use serde_json::{Value, json};

use crate::gcp::answer::{because, denied};
use crate::gcp::request::{Request, Right};
use crate::gcp::world::{CONTROLLER_PROJECT, GcpWorld};
use crate::refusal::Refusal;

/// Services that are on their way, with how many looks it still takes.
const COMING: &str = "serviceusage/coming";

/// For the APIs that ask the caller's project, which is Landfall's for Landfall's identities. Everybody else comes with one of their own.
pub(crate) fn check(world: &mut GcpWorld, request: &Request) -> Result<(), Refusal> {
    let host = format!("{}.googleapis.com", request.service.name);
    match request.caller.right {
        Right::Granted => Ok(()),
        Right::Look | Right::Everything => {
            if world.project(CONTROLLER_PROJECT).is_none() {
                return Ok(());
            }
            check_in(world, CONTROLLER_PROJECT, &host)
        }
    }
}

/// Whether a project's own API may be used.
pub(crate) fn check_in(world: &mut GcpWorld, project: &str, host: &str) -> Result<(), Refusal> {
    if is_active(world, project, host) {
        return Ok(());
    }
    let number = world.project(project).map_or(project, |project| &project.number).to_owned();
    let title = super::serviceusage::title(host);
    let url = format!("https://console.developers.google.com/apis/api/{host}/overview?project={number}");
    let message = format!(
        "{title} has not been used in project {number} before or it is disabled. Enable it by visiting {url} then retry. If you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry."
    );
    let consumer = format!("projects/{number}");
    let metadata = [
        ("service", host),
        ("consumer", &consumer),
        ("containerInfo", &number),
        ("serviceTitle", &title),
        ("activationUrl", &url),
    ];
    let mut refused = because(denied(&message), "SERVICE_DISABLED", "googleapis.com", &metadata);
    if host == "compute.googleapis.com" {
        // Compute's older form says it in other words.
        let older = json!([{"message": message, "domain": "usageLimits", "reason": "accessNotConfigured", "extendedHelp": "https://console.developers.google.com"}]);
        refused.members.insert("errors".to_owned(), older);
    }
    Err(refused)
}

/// Whether an API is enabled and shows; each look brings one that is on its way nearer.
pub(crate) fn is_active(world: &mut GcpWorld, project: &str, host: &str) -> bool {
    let Some(project) = world.project_mut(project) else { return false };
    if !project.services.contains(host) {
        return false;
    }
    let coming = project.governance.things_mut(COMING);
    match coming.get(host).and_then(Value::as_u64) {
        None => true,
        Some(0) => {
            coming.remove(host);
            true
        }
        Some(looks) => {
            coming.insert(host.to_owned(), json!(looks - 1));
            false
        }
    }
}

/// Enables APIs in a project; they show after as many looks as the world is set to. Answers those that were not enabled before.
pub(crate) fn enable(world: &mut GcpWorld, project: &str, hosts: &[String]) -> Vec<String> {
    let looks = world.settings.activation_looks;
    let Some(project) = world.project_mut(project) else { return Vec::new() };
    let mut new = Vec::new();
    for host in hosts {
        if project.services.insert(host.clone()) {
            if looks > 0 {
                project.governance.things_mut(COMING).insert(host.clone(), json!(looks));
            }
            new.push(host.clone());
        }
    }
    let id = project.id.clone();
    if new.iter().any(|host| host == "compute.googleapis.com") {
        super::compute::begin(world, &id);
    }
    new
}

impl GcpWorld {
    /// Enables APIs in a project as if somebody had done so long ago, with all that comes with them: for Compute that is the network
    /// `default`.
    pub fn enable(&mut self, project: &str, hosts: &[&str]) {
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        let looks = std::mem::take(&mut self.settings.activation_looks);
        enable(self, project, &hosts);
        self.settings.activation_looks = looks;
    }
}
