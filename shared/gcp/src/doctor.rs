//! What a person wants to know before anything runs: who we are, and what the manifest's identities can read. Nothing is written.

use std::collections::{BTreeMap, BTreeSet};

use landfall_engine::control::Permissions;
use landfall_engine::permissions::Errand;
use landfall_model::manifest::GcpCloud;
use serde::Deserialize;

use crate::client::service::{self, COMPUTE, RESOURCES, SERVICES};
use crate::client::{Client, Gcp, escape};
use crate::directory::Directory;
use crate::error::{CallError, tidy};
use crate::identity::Who;

/// What it calls, beside asking for tokens. The services are looked up in the controller's project.
pub(crate) const ERRAND: Errand = Errand {
    name: "doctor",
    needs: Permissions {
        read: &[
            "resourcemanager.folders.get",
            "resourcemanager.organizations.get",
            "resourcemanager.projects.get",
            "serviceusage.services.get",
        ],
        write: &[],
    },
};

/// Which identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The process's own: it keeps the store, sends work and impersonates the other two.
    Own,
    /// The one that plans are made with.
    Read,
    /// The one that changes are made with.
    Write,
}

/// The organization, as far as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Organization {
    /// Its domain.
    #[serde(default)]
    pub display_name: String,
    /// The customer it belongs to, which the manifest names as `customer`.
    #[serde(default)]
    pub directory_customer_id: String,
    /// `ACTIVE`, or why nothing can be done.
    #[serde(default)]
    pub state: String,
}

/// A project, as far as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// What people read.
    pub name: String,
    /// `ACTIVE`, or why nothing can be written.
    pub state: String,
    /// The folder or organization it is in.
    pub parent: String,
}

/// How much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Folders of the organization.
    pub folders: usize,
    /// Its projects.
    pub projects: usize,
}

/// Which of the APIs that are called are enabled in the project that the calls are counted in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Apis {
    /// How many are.
    pub enabled: usize,
    /// Those that are not, by their hosts.
    pub missing: Vec<String>,
}

/// Beside the services that are called by name: tokens of impersonated accounts, and the store.
const BESIDE: [&str; 2] = ["iamcredentials", "storage"];

/// Service Usage tells of at most so many at once:
/// <https://cloud.google.com/service-usage/docs/reference/rest/v1/services/batchGet>.
const BATCH: usize = 30;

/// Whose token an identity gets, by the manifest; nothing where that is the process's own. An account that can't be impersonated is an
/// error: `roles/iam.serviceAccountTokenCreator` on it is missing, or the account.
pub async fn whoami(gcp: &Gcp, ground: &GcpCloud, way: Way) -> Result<Option<String>, CallError> {
    client(gcp, ground, way)?.token().await?;
    Ok(match way {
        Way::Own => None,
        Way::Read => ground.identities.read.clone(),
        Way::Write => ground.identities.write.clone(),
    })
}

/// The organization, as the identity that reads sees it.
pub async fn organization(gcp: &Gcp, ground: &GcpCloud) -> Result<Organization, CallError> {
    let path = format!("organizations/{}", ground.organization);
    let Organization { display_name, directory_customer_id, state } =
        client(gcp, ground, Way::Read)?.get(&RESOURCES, &path).await?.json()?;
    Ok(Organization {
        display_name: tidy(&display_name),
        directory_customer_id: tidy(&directory_customer_id),
        state: tidy(&state),
    })
}

/// The whole tree: whoever reads it, sees everybody. Resource Manager leaves out what may not be seen, so an extent that is too small
/// means that a right is missing.
pub async fn tree(gcp: &Gcp, ground: &GcpCloud) -> Result<Extent, CallError> {
    let tree = Directory::new(client(gcp, ground, Way::Read)?, ground).tree().await?;
    let folders = tree.folders.keys().filter(|name| tree.is_below(name, &tree.root)).count();
    Ok(Extent { folders, projects: tree.projects.len() })
}

/// Which APIs are enabled in the controller's project; nothing where the manifest names none. A switched-off one makes every call of
/// it fail, whomever it is about.
pub async fn apis(gcp: &Gcp, ground: &GcpCloud) -> Result<Option<Apis>, CallError> {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(default)]
        services: Vec<Service>,
    }
    #[derive(Deserialize)]
    struct Service {
        name: String,
        #[serde(default)]
        state: String,
    }
    let Some(project) = &ground.controller_project else { return Ok(None) };
    let client = client(gcp, ground, Way::Read)?;
    let needed: Vec<String> = needed().into_iter().map(|name| format!("{name}.googleapis.com")).collect();
    let mut states: BTreeMap<String, bool> = BTreeMap::new();
    for some in needed.chunks(BATCH) {
        let names: Vec<String> = some
            .iter()
            .map(|host| format!("names={}", escape(&format!("projects/{project}/services/{host}"))))
            .collect();
        let path = format!("projects/{project}/services:batchGet?{}", names.join("&"));
        let Answer { services } = client.get(&SERVICES, &path).await?.json()?;
        for Service { name, state } in services {
            // The project is told by its number.
            let host = name.rsplit('/').next().unwrap_or_default().to_owned();
            states.insert(host, state == "ENABLED");
        }
    }
    let (enabled, missing): (Vec<String>, Vec<String>) =
        needed.into_iter().partition(|host| states.get(host).is_some_and(|enabled| *enabled));
    Ok(Some(Apis { enabled: enabled.len(), missing }))
}

/// A project, as one of the identities sees it.
pub async fn project(gcp: &Gcp, ground: &GcpCloud, id: &str, way: Way) -> Result<Project, CallError> {
    let directory = Directory::new(client(gcp, ground, way)?, ground);
    let project = directory.project(id).await?;
    Ok(Project {
        name: tidy(&project.display_name),
        state: tidy(&project.state),
        parent: tidy(&project.parent),
    })
}

/// The names of all that is called, and that asks the project of whoever calls. Compute asks the project that it is about, and can't be
/// told otherwise: <https://cloud.google.com/docs/quotas/quota-project>, "Resource-based APIs". Enabled in the controller's project it
/// would do nothing but make a default network there.
fn needed() -> BTreeSet<&'static str> {
    let called = service::ALL.iter().map(|service| service.name);
    called.filter(|name| *name != COMPUTE.name).chain(BESIDE).collect()
}

fn client(gcp: &Gcp, ground: &GcpCloud, way: Way) -> Result<Client, CallError> {
    let who = match way {
        Way::Own => Who::Own,
        Way::Read => Who::Read(ground.identities.read.clone()),
        Way::Write => Who::Write(ground.identities.write.clone()),
    };
    Ok(gcp.client(&who)?)
}

#[cfg(test)]
mod tests {
    use landfall_simulator::gcp::{CONTROLLER_PROJECT, CUSTOMER, GcpOptions, GcpSimulator};

    use super::*;
    use crate::directory::tests::ground;
    use landfall_engine::scripted::{Server, say};

    #[tokio::test]
    async fn what_can_be_read_is_read_and_nothing_is_written() {
        let options = GcpOptions { projects: 3, ..GcpOptions::default() };
        let simulator = GcpSimulator::start(options).unwrap();
        let gcp = Gcp::loopback(&simulator.url()).unwrap();
        let ground = ground();
        for (way, expected) in
            [(Way::Own, &None), (Way::Read, &ground.identities.read), (Way::Write, &ground.identities.write)]
        {
            assert_eq!(whoami(&gcp, &ground, way).await.unwrap(), *expected);
        }
        let seen = organization(&gcp, &ground).await.unwrap();
        assert_eq!((seen.directory_customer_id.as_str(), seen.state.as_str()), (CUSTOMER, "ACTIVE"));
        let extent = tree(&gcp, &ground).await.unwrap();
        assert_eq!(extent, Extent { folders: 1, projects: 4 });
        for way in [Way::Read, Way::Write] {
            let seen = project(&gcp, &ground, CONTROLLER_PROJECT, way).await.unwrap();
            assert_eq!(seen.state, "ACTIVE");
            assert!(project(&gcp, &ground, "acme-nobody", way).await.unwrap_err().is_denied());
        }
        let other = GcpCloud { organization: "999999999999".to_owned(), ..ground };
        assert!(organization(&gcp, &other).await.is_err());
        assert!(simulator.calls().iter().all(|call| call.method == "GET"), "{:?}", simulator.calls());
    }

    /// The simulator refuses what is called while it is not enabled, as Google does, and its sample is deployed as it should be.
    #[tokio::test]
    async fn nothing_is_missing_where_landfall_works() {
        let simulator = GcpSimulator::start(GcpOptions::default()).unwrap();
        let gcp = Gcp::loopback(&simulator.url()).unwrap();
        let missing = async || apis(&gcp, &ground()).await.unwrap().unwrap().missing;
        assert!(missing().await.is_empty(), "{:?}", missing().await);
        let taken = "essentialcontacts.googleapis.com";
        simulator.edit(|world| world.project_mut(CONTROLLER_PROJECT).unwrap().services.remove(taken));
        assert_eq!(missing().await, [taken]);
    }

    /// What the templates deploy is what the doctor asks for.
    #[test]
    fn the_templates_enable_the_same_apis() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/gcp/apis.tf");
        let text = std::fs::read_to_string(file).unwrap();
        let (_, list) = text.split_once("called_apis = [").unwrap();
        let (list, _) = list.split_once(']').unwrap();
        let enabled: BTreeSet<&str> =
            list.split(',').map(|one| one.trim().trim_matches('"')).filter(|one| !one.is_empty()).collect();
        assert_eq!(enabled, needed());
    }

    #[tokio::test]
    async fn an_api_that_is_not_enabled_is_named() {
        let server = Server::start(|_, seen, _| {
            let services: Vec<String> = needed()
                .iter()
                .map(|name| format!("{name}.googleapis.com"))
                .filter(|host| seen.path.contains(host.as_str()))
                .map(|host| {
                    let state = if host.starts_with("billingbudgets") { "DISABLED" } else { "ENABLED" };
                    format!(r#"{{"name":"projects/1/services/{host}","state":"{state}"}}"#)
                })
                .collect();
            say(200, format!(r#"{{"services":[{}]}}"#, services.join(",")))
        });
        let gcp = Gcp::loopback(&server.url).unwrap();
        let apis = super::apis(&gcp, &ground()).await.unwrap().unwrap();
        assert_eq!(apis.missing, ["billingbudgets.googleapis.com"]);
        assert_eq!(apis.enabled, needed().len() - 1);
        let paths = server.paths();
        let begin = "GET /serviceusage.googleapis.com/v1/projects/acme-landfall/services:batchGet?names=projects%2Facme-landfall%2Fservices%2F";
        assert!(paths.iter().all(|path| path.starts_with(begin)), "{paths:?}");
        // Where no project is named there is none to look into.
        let nowhere = GcpCloud { controller_project: None, ..ground() };
        assert_eq!(super::apis(&gcp, &nowhere).await.unwrap(), None);
    }
}
