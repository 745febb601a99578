//! Which APIs a project has enabled: <https://cloud.google.com/service-usage/docs/reference/rest/v1/services>

use serde_json::{Value, json};

use super::enabled;
use super::fields::{only, text, texts};
use crate::gcp::answer::{Answered, bad, because, denied, precondition};
use crate::gcp::operation::{self, any};
use crate::gcp::page::page;
use crate::gcp::request::Request;
use crate::gcp::world::GcpWorld;
use crate::refusal::Refusal;

/// The most that one call may enable.
const BATCH: usize = 20;
/// The most that one call may ask for.
const ASKED: usize = 30;

/// What can be enabled, with its title.
const KNOWN: [(&str, &str); 62] = [
    ("accessapproval", "Access Approval API"),
    ("accesscontextmanager", "Access Context Manager API"),
    ("analyticshub", "Analytics Hub API"),
    ("apikeys", "API Keys API"),
    ("appengine", "App Engine Admin API"),
    ("artifactregistry", "Artifact Registry API"),
    ("autoscaling", "Cloud Autoscaling API"),
    ("bigquery", "BigQuery API"),
    ("bigquerystorage", "BigQuery Storage API"),
    ("billingbudgets", "Cloud Billing Budget API"),
    ("binaryauthorization", "Binary Authorization API"),
    ("cloudapis", "Google Cloud APIs"),
    ("cloudasset", "Cloud Asset API"),
    ("cloudbilling", "Cloud Billing API"),
    ("cloudbuild", "Cloud Build API"),
    ("cloudfunctions", "Cloud Functions API"),
    ("cloudidentity", "Cloud Identity API"),
    ("cloudkms", "Cloud Key Management Service (KMS) API"),
    ("cloudquotas", "Cloud Quotas API"),
    ("cloudresourcemanager", "Cloud Resource Manager API"),
    ("cloudscheduler", "Cloud Scheduler API"),
    ("cloudtasks", "Cloud Tasks API"),
    ("cloudtrace", "Cloud Trace API"),
    ("compute", "Compute Engine API"),
    ("container", "Kubernetes Engine API"),
    ("containeranalysis", "Container Analysis API"),
    ("containerregistry", "Container Registry API"),
    ("dataflow", "Dataflow API"),
    ("dataproc", "Cloud Dataproc API"),
    ("datastore", "Cloud Datastore API"),
    ("deploymentmanager", "Cloud Deployment Manager V2 API"),
    ("dns", "Cloud DNS API"),
    ("essentialcontacts", "Essential Contacts API"),
    ("eventarc", "Eventarc API"),
    ("file", "Cloud Filestore API"),
    ("firestore", "Cloud Firestore API"),
    ("iam", "Identity and Access Management (IAM) API"),
    ("iamcredentials", "IAM Service Account Credentials API"),
    ("iap", "Cloud Identity-Aware Proxy API"),
    ("logging", "Cloud Logging API"),
    ("monitoring", "Cloud Monitoring API"),
    ("networkmanagement", "Network Management API"),
    ("orgpolicy", "Organization Policy API"),
    ("oslogin", "Cloud OS Login API"),
    ("osconfig", "OS Config API"),
    ("privilegedaccessmanager", "Privileged Access Manager API"),
    ("pubsub", "Cloud Pub/Sub API"),
    ("run", "Cloud Run Admin API"),
    ("secretmanager", "Secret Manager API"),
    ("securitycenter", "Security Command Center API"),
    ("securitycentermanagement", "Security Center Management API"),
    ("servicehealth", "Service Health API"),
    ("servicemanagement", "Service Management API"),
    ("servicenetworking", "Service Networking API"),
    ("serviceusage", "Service Usage API"),
    ("sql-component", "Cloud SQL"),
    ("sqladmin", "Cloud SQL Admin API"),
    ("storage", "Cloud Storage API"),
    ("storage-api", "Google Cloud Storage JSON API"),
    ("storage-component", "Cloud Storage"),
    ("sts", "Security Token Service API"),
    ("vpcaccess", "Serverless VPC Access API"),
];

/// What comes along with an API: without it, it can't be used.
const NEEDS: [(&str, &[&str]); 5] = [
    ("compute", &["oslogin"]),
    (
        "container",
        &[
            "autoscaling",
            "artifactregistry",
            "compute",
            "containerregistry",
            "oslogin",
            "pubsub",
            "storage-api",
        ],
    ),
    ("cloudfunctions", &["storage-api"]),
    ("dataflow", &["compute", "oslogin"]),
    ("dataproc", &["compute", "oslogin"]),
];

/// What somebody has to pay for.
const PAID: [&str; 10] = [
    "artifactregistry",
    "cloudbuild",
    "compute",
    "container",
    "containerregistry",
    "dataflow",
    "dataproc",
    "run",
    "secretmanager",
    "vpcaccess",
];

pub(super) fn answer(world: &mut GcpWorld, request: &Request) -> Answered {
    let (method, parts, verb) = request.asked();
    let ["projects", project, "services", rest @ ..] = parts.as_slice() else {
        return Err(request.unknown());
    };
    enabled::check(world, request)?;
    match (method, rest, verb) {
        ("GET", [], "") => list(world, request, project),
        ("GET", [], "batchGet") => batch_get(world, request, project),
        ("GET", [host], "") => {
            known(&[*host])?;
            Ok(show(world, project, host))
        }
        ("POST", [], "batchEnable") => {
            only(&request.body, "", &["serviceIds"])?;
            let asked = texts(&request.body, "serviceIds");
            begin(world, request, project, &asked, "BatchEnableServicesResponse")
        }
        ("POST", [host], "enable") => {
            only(&request.body, "", &[])?;
            begin(world, request, project, &[*host], "EnableServiceResponse")
        }
        ("POST", [host], "disable") => disable(world, request, project, host),
        _ => Err(request.unknown()),
    }
}

/// The product's title, or the host of one that nobody knows.
pub(super) fn title(host: &str) -> String {
    let short = host.strip_suffix(".googleapis.com").unwrap_or(host);
    KNOWN
        .iter()
        .find(|(name, _)| *name == short)
        .map_or_else(|| host.to_owned(), |(_, title)| (*title).to_owned())
}

fn host(short: &str) -> String {
    format!("{short}.googleapis.com")
}

fn short(host: &str) -> &str {
    host.strip_suffix(".googleapis.com").unwrap_or(host)
}

/// Refuses services that do not exist, or that the caller may not see.
fn known(hosts: &[&str]) -> Result<(), Refusal> {
    let is_known = |asked: &&str| {
        let short = asked.strip_suffix(".googleapis.com");
        short.is_some_and(|short| KNOWN.iter().any(|(name, _)| *name == short))
    };
    let unknown: Vec<&str> = hosts.iter().copied().filter(|host| !is_known(host)).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let names = unknown.join(", ");
    Err(because(
        denied(format!("Not found or permission denied for service(s): {names}.")),
        "SERVICE_CONFIG_NOT_FOUND_OR_PERMISSION_DENIED",
        "serviceusage.googleapis.com",
        &[("services", &names)],
    ))
}

fn show(world: &mut GcpWorld, project: &str, host: &str) -> Value {
    let active = enabled::is_active(world, project, host);
    let parent = world.canonical(&format!("projects/{project}"));
    json!({
        "name": format!("{parent}/services/{host}"),
        "parent": parent,
        "config": {"name": host, "title": title(host)},
        "state": if active { "ENABLED" } else { "DISABLED" },
    })
}

fn list(world: &mut GcpWorld, request: &Request, project: &str) -> Answered {
    let wanted = match request.query("filter") {
        None | Some("") => None,
        Some(filter) => match filter.strip_prefix("state:") {
            Some(state @ ("ENABLED" | "DISABLED")) => Some(state.to_owned()),
            Some(_) | None => return Err(bad(format!("Invalid filter: {filter}"))),
        },
    };
    let hosts: Vec<String> = KNOWN.iter().map(|(short, _)| host(short)).collect();
    let shown = hosts.iter().map(|host| show(world, project, host));
    let shown: Vec<Value> =
        shown.filter(|one| wanted.as_deref().is_none_or(|state| text(one, "state") == state)).collect();
    page(world, request, "services", shown.into_iter(), 200)
}

fn batch_get(world: &mut GcpWorld, request: &Request, project: &str) -> Answered {
    let names: Vec<&str> = request.queries("names").collect();
    if names.is_empty() || names.len() > ASKED {
        return Err(bad(format!("Between 1 and {ASKED} names are required, but there are {}.", names.len())));
    }
    let parent = world.canonical(&format!("projects/{project}"));
    let mut shown = Vec::new();
    for name in names {
        let (of, host) =
            name.rsplit_once("/services/").ok_or_else(|| bad(format!("Invalid resource name: {name}")))?;
        if world.canonical(of) != parent {
            return Err(bad(format!("The parent of `{name}` does not match `{parent}`.")));
        }
        known(&[host])?;
        shown.push(show(world, project, host));
    }
    Ok(json!({ "services": shown }))
}

fn begin(
    world: &mut GcpWorld,
    request: &Request,
    project: &str,
    asked: &[&str],
    response: &'static str,
) -> Answered {
    if asked.is_empty() || asked.len() > BATCH {
        return Err(bad(format!(
            "Request contains an invalid argument: between 1 and {BATCH} services can be enabled at a time, but there are {}.",
            asked.len()
        )));
    }
    known(asked)?;
    let Some(found) = world.project(project) else { return Err(request.unknown()) };
    let (number, paid, services) =
        (found.number.clone(), found.billing_account.is_some(), found.services.clone());
    let unpaid: Vec<&str> =
        asked.iter().copied().filter(|host| !paid && PAID.contains(&short(host))).collect();
    if !unpaid.is_empty() {
        let names = unpaid.join(",");
        return Err(because(
            precondition(format!(
                "Billing account for project '{number}' is not found. Billing must be enabled for activation of service(s) '{names}' to proceed."
            )),
            "UREQ_PROJECT_BILLING_NOT_FOUND",
            "serviceusage.googleapis.com",
            &[("services", &names)],
        ));
    }
    let with = json!({"project": project, "services": asked, "response": response});
    if asked.iter().all(|host| services.contains(*host)) {
        // Nothing to do is done at once.
        let response = enable(world, &with)?;
        return Ok(json!({"name": "operations/noop.DONE_OPERATION", "done": true, "response": response}));
    }
    let names: Vec<String> = asked.iter().map(|host| format!("services/{host}")).collect();
    Ok(operation::begin(
        world,
        request,
        &format!("operations/acf.p2-{number}-"),
        any("google.api.serviceusage.v1.OperationMetadata", json!({ "resourceNames": names })),
        enable,
        with,
    ))
}

fn enable(world: &mut GcpWorld, with: &Value) -> Answered {
    let (project, asked) = (text(with, "project"), texts(with, "services"));
    let mut hosts: Vec<String> = Vec::new();
    for asked in &asked {
        let needs = NEEDS.iter().find(|(name, _)| *name == short(asked)).map(|(_, needs)| *needs);
        hosts.extend(needs.into_iter().flatten().map(|needed| host(needed)));
        hosts.push((*asked).to_owned());
    }
    enabled::enable(world, project, &hosts);
    let parent = world.canonical(&format!("projects/{project}"));
    let services: Vec<Value> = asked
        .iter()
        .map(|host| {
            json!({
                "name": format!("{parent}/services/{host}"), "parent": parent,
                "config": {"name": host, "title": title(host)}, "state": "ENABLED",
            })
        })
        .collect();
    let kind = text(with, "response");
    let message = match services.as_slice() {
        [one] if kind == "EnableServiceResponse" => json!({ "service": one }),
        _ => json!({ "services": services }),
    };
    Ok(any(&format!("google.api.serviceusage.v1.{kind}"), message))
}

fn disable(world: &mut GcpWorld, request: &Request, project: &str, host: &str) -> Answered {
    only(&request.body, "", &["disableDependentServices", "checkIfServiceHasUsage"])?;
    known(&[host])?;
    let Some(found) = world.project(project) else { return Err(request.unknown()) };
    let (number, services) = (found.number.clone(), found.services.clone());
    let depends = |other: &&String| {
        let needs = NEEDS.iter().find(|(name, _)| *name == short(other));
        needs.is_some_and(|(_, needs)| needs.contains(&short(host)))
    };
    let dependents: Vec<String> = services.iter().filter(depends).cloned().collect();
    let along = request.body.get("disableDependentServices") == Some(&Value::Bool(true));
    if !dependents.is_empty() && !along {
        let names = dependents.join(",");
        return Err(because(
            precondition(format!(
                "The service {host} is depended on by the following active service(s): {names}; Please specify disable_dependent_services=true if you want to proceed with disabling all services."
            )),
            "COMMON_SU_SERVICE_HAS_DEPENDENT_SERVICES",
            "serviceusage.googleapis.com",
            &[("services", &names)],
        ));
    }
    let mut gone = dependents;
    gone.push(host.to_owned());
    let names: Vec<String> = gone.iter().map(|host| format!("services/{host}")).collect();
    Ok(operation::begin(
        world,
        request,
        &format!("operations/acf.p2-{number}-"),
        any("google.api.serviceusage.v1.OperationMetadata", json!({ "resourceNames": names })),
        |world, with| {
            let (project, hosts) = (text(with, "project"), texts(with, "services"));
            if let Some(project) = world.project_mut(project) {
                project.services.retain(|host| !hosts.contains(&host.as_str()));
            }
            let last = hosts.last().copied().unwrap_or_default();
            let service = show(world, project, last);
            Ok(any("google.api.serviceusage.v1.DisableServiceResponse", json!({ "service": service })))
        },
        json!({"project": project, "services": gone}),
    ))
}
