//! The directory against the simulator.

use landfall_model::manifest::{GcpIdentities, Manage};
use landfall_simulator::gcp::{
    CONTROLLER_PROJECT, CUSTOMER, GcpOptions, GcpSimulator, LEGACY_FOLDER, ORGANIZATION, READ_IDENTITY,
    WRITE_IDENTITY,
};

use super::*;
use crate::client::Gcp;
use crate::session::Door;

/// The simulator's organization, as a manifest says it.
pub(crate) fn ground() -> GcpCloud {
    let account = |text: &str| Some(text.trim_start_matches("serviceAccount:").to_owned());
    GcpCloud {
        organization: ORGANIZATION.to_owned(),
        locations: Vec::new(),
        customer: Some(CUSTOMER.to_owned()),
        billing_accounts: BTreeMap::new(),
        controller_project: Some(CONTROLLER_PROJECT.to_owned()),
        identities: GcpIdentities {
            read: account(READ_IDENTITY),
            write: account(WRITE_IDENTITY),
            bootstrap: Vec::new(),
        },
        manage: Manage::Full,
    }
}

fn start(projects: usize) -> (GcpSimulator, Directory) {
    let options = GcpOptions { projects, ..GcpOptions::default() };
    let simulator = GcpSimulator::start(options).unwrap();
    let gcp = Gcp::loopback(&simulator.url()).unwrap();
    let directory = Door::new(&gcp, ground()).unwrap().directory().clone();
    (simulator, directory)
}

fn tenant(id: &str) -> TenantId {
    TenantId::new(Provider::Gcp, id).unwrap()
}

#[tokio::test]
async fn the_tree_is_read_once_and_anew_when_it_is_forgotten() {
    let (simulator, directory) = start(2);
    let first = directory.tree().await.unwrap();
    assert_eq!(first.root, directory.root());
    assert_eq!(first.folder(LEGACY_FOLDER).map(|folder| folder.parent.as_str()), Some(directory.root()));
    assert_eq!(first.projects.len(), 3);
    let calls = simulator.calls().len();
    let made = simulator.edit(|world| {
        let folder = world.add_folder("workloads", &format!("organizations/{ORGANIZATION}"));
        world.create_project("acme-new", &folder);
        folder
    });
    assert!(directory.tree().await.unwrap().folder(&made).is_none());
    assert_eq!(simulator.calls().len(), calls);
    directory.forget_tree().await;
    let second = directory.tree().await.unwrap();
    assert_eq!(second.child(directory.root(), "workloads").map(|folder| &folder.name), Some(&made));
    assert!(second.is_below(&made, directory.root()) && !second.is_below(directory.root(), &made));
    assert_eq!(second.projects_below(&made), 1);
    assert!(simulator.calls().iter().all(|call| call.method == "GET"));
}

#[tokio::test]
async fn a_project_says_what_it_is_and_when_it_was_made() {
    let (simulator, directory) = start(1);
    let facts = directory.facts(&tenant("team-0001")).await.unwrap().unwrap();
    assert_eq!((facts.state, facts.origin), (State::Active, Origin::Created));
    assert!(facts.joined.is_some());
    let before = Timestamp::now();
    // In a folder that is younger than the tree that is remembered.
    simulator.edit(|world| {
        let folder = world.add_folder("sandbox", &format!("organizations/{ORGANIZATION}"));
        world.create_project("acme-born", &folder);
    });
    let born = directory.facts(&tenant("acme-born")).await.unwrap().unwrap();
    assert!(born.joined.unwrap().as_second() >= before.as_second() - 1, "{born:?}");
}

/// Google answers 403 for a project that does not exist as for one that may not be seen.
#[tokio::test]
async fn a_project_that_is_not_there_is_told_from_one_that_may_not_be_seen() {
    let (simulator, directory) = start(1);
    assert_eq!(directory.facts(&tenant("acme-nobody")).await.unwrap(), None);
    // What is listed and refused all the same is not absent.
    let denied = landfall_simulator::Denied {
        service: "cloudresourcemanager".to_owned(),
        operation: "*".to_owned(),
        account: Some("team-0001".to_owned()),
    };
    directory.tree().await.unwrap();
    simulator.set_faults(landfall_simulator::Faults { deny: vec![denied], ..Default::default() });
    let unseen = directory.facts(&tenant("team-0001")).await;
    assert!(unseen.is_err(), "{unseen:?}");
}

#[tokio::test]
async fn somebody_elses_project_is_none_of_this_organization() {
    let (simulator, directory) = start(0);
    simulator.edit(|world| {
        world.create_project("other-project", "organizations/999999999999");
    });
    assert_eq!(directory.facts(&tenant("other-project")).await.unwrap(), None);
    assert!(!directory.tree().await.unwrap().projects.contains_key("other-project"));
}

#[tokio::test]
async fn pages_name_everybody_once_and_in_order() {
    let (_simulator, directory) = start(60);
    let mut cursor = None;
    let mut all = Vec::new();
    let mut pages = 0;
    loop {
        let page = directory.page(cursor.as_deref()).await.unwrap();
        pages += 1;
        for surveyed in &page.tenants {
            assert!(surveyed.facts.joined.is_some());
            assert!(surveyed.seen.0.contains_key(&Address::global(ControlKind::Placement, "project")));
        }
        all.extend(page.tenants.into_iter().map(|surveyed| surveyed.tenant.native().to_owned()));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!((all.len(), pages), (61, 2));
    assert!(all.is_sorted() && all.iter().any(|id| id == CONTROLLER_PROJECT));
}
