//! Access against the simulator of Resource Manager: look, write, look again; a repeated write is the same.

use landfall_engine::cloud::Made;
use landfall_engine::control::AnyControl;
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::observed::{Look, Observed};
use landfall_model::plan::Change;
use landfall_simulator::azure::{
    AzureOptions, AzureSimulator, AzureWorld, CONTRIBUTOR, CREATOR, READER, Resource, WRITE_IDENTITY,
};
use serde_json::json;

use super::*;
use crate::client;
use crate::controls::landscape::Landscape;
use crate::session::Door;

const GROUP: &str = "5a0e0000-0000-4000-8000-00000000000a";
const NUMBER: &str = "3f2c0000-0000-4000-8000-000000000002";
const HERE: &str = "/subscriptions/3f2c0000-0000-4000-8000-000000000002";

/// The simulator, with the team's group in its directory and lists that come in many pages.
fn simulator() -> AzureSimulator {
    let mut world = AzureWorld::sample(4);
    world.settings.page_size = 1;
    world.settings.empty_pages = true;
    world.add_principal(GROUP, "Group", "payments-dev");
    AzureSimulator::start(AzureOptions { world: Some(world), ..AzureOptions::default() }).unwrap()
}

fn door(simulator: &AzureSimulator, desired: &Desired) -> Door {
    let azure = client::Azure::loopback(&simulator.url()).unwrap();
    Door::new(&azure, ground(desired).unwrap().clone()).unwrap()
}

async fn judge(door: &Door, desired: &Desired) -> Vec<Judgement> {
    let asked = desired.asked(KIND).unwrap();
    let reader = door.reader(desired.target.tenant().map_or("", |tenant| tenant.native()));
    let mut observed = Observed::default();
    for address in AnyControl::addresses(&Access, asked, desired) {
        let seen = AnyControl::look(&Access, &reader, desired, &address).await.seen;
        observed.0.insert(address, Look { seen, at: jiff::Timestamp::UNIX_EPOCH, request: None });
    }
    AnyControl::judge(&Access, asked, desired, &observed)
}

/// What is said of one setting, and its changes.
async fn said(door: &Door, desired: &Desired, resource: &str) -> (String, Vec<Change>) {
    let judgements = judge(door, desired).await;
    let found = judgements.into_iter().find(|judgement| judgement.address.resource == resource);
    match found.unwrap_or_else(|| panic!("{resource} is not judged")).verdict {
        Verdict::Holds => ("holds".to_owned(), Vec::new()),
        Verdict::Fails { why, changes } => (why, changes),
        verdict @ (Verdict::Due { .. } | Verdict::Unknown { .. } | Verdict::NotApplicable { .. }) => {
            (format!("{verdict:?}"), Vec::new())
        }
    }
}

async fn write(door: &Door, desired: &Desired, change: &Change) -> Result<Value, String> {
    let writer = door.writer(desired.target.tenant().map_or("", |tenant| tenant.native()));
    AnyControl::write(&Access, &writer, change, &Made::new()).await
}

/// The names of the group's assignments on the subscription.
fn names(simulator: &AzureSimulator) -> Vec<String> {
    let of_group = |world: &AzureWorld| {
        let all = &world.subscription(NUMBER).unwrap().governance.role_assignments;
        let ours = all.values().filter(|one| one.text("principalId") == GROUP);
        ours.map(|one| one.name.clone()).collect()
    };
    simulator.read(of_group)
}

#[tokio::test]
async fn a_grant_is_written_once_however_often_it_is_written() {
    let simulator = simulator();
    let desired = Landscape::adopted(2).desired;
    let door = door(&simulator, &desired);
    let resource = format!("{GROUP}/Contributor");
    let (why, changes) = said(&door, &desired, &resource).await;
    assert!(why.contains("does not hold `Contributor`"), "{why}");
    for _ in 0..2 {
        write(&door, &desired, &changes[0]).await.unwrap();
        assert_eq!(names(&simulator), [assignment_name(NUMBER, GROUP, CONTRIBUTOR)]);
    }
    assert_eq!(said(&door, &desired, &resource).await.0, "holds");

    // Somebody makes the same by hand, between our look and our write.
    simulator.edit(|world| {
        world.at(HERE).unwrap().role_assignments.clear();
        world.give(HERE, CONTRIBUTOR, GROUP, "Group").unwrap();
    });
    let by_hand = names(&simulator);
    write(&door, &desired, &changes[0]).await.unwrap();
    assert_eq!(names(&simulator), by_hand);
    assert_eq!(said(&door, &desired, &resource).await.0, "holds");
}

#[tokio::test]
async fn what_is_held_further_up_is_not_held_here() {
    let simulator = simulator();
    let desired = Landscape::adopted(2).desired;
    simulator.edit(|world| {
        let directory =
            "/providers/Microsoft.Management/managementGroups/8f0c1a52-0000-4000-8000-000000000001";
        world.give(directory, CONTRIBUTOR, GROUP, "Group").unwrap();
        world.give(HERE, READER, GROUP, "Group").unwrap();
    });
    let (why, _) = said(&door(&simulator, &desired), &desired, &format!("{GROUP}/Contributor")).await;
    assert!(why.contains("does not hold `Contributor`"), "{why}");
}

#[tokio::test]
async fn a_withdrawn_grant_is_taken_away_and_twice_is_the_same() {
    let simulator = simulator();
    let address = format!("access/{GROUP}/Reader");
    let desired = Landscape::adopted(2).made(&address).desired;
    let door = door(&simulator, &desired);
    let name = assignment_name(NUMBER, GROUP, READER);
    simulator.edit(|world| {
        let given = world.give(HERE, READER, GROUP, "Group").unwrap();
        let all = &mut world.at(HERE).unwrap().role_assignments;
        let mut ours = all.remove(&given).unwrap();
        ours.name.clone_from(&name);
        all.insert(name.clone(), ours);
    });
    let (_, changes) = said(&door, &desired, &format!("{GROUP}/Reader")).await;
    for _ in 0..2 {
        write(&door, &desired, &changes[0]).await.unwrap();
        assert!(names(&simulator).is_empty());
    }
}

#[tokio::test]
async fn a_withdrawn_grant_is_taken_away_under_our_own_lock_and_not_under_anothers() {
    let simulator = simulator();
    let desired = Landscape::adopted(2).made(&format!("access/{GROUP}/Reader")).desired;
    let door = door(&simulator, &desired);
    let name = assignment_name(NUMBER, GROUP, READER);
    let lock = json!({"level": "CanNotDelete"});
    simulator.edit(|world| {
        let given = world.give(HERE, READER, GROUP, "Group").unwrap();
        let here = world.at(HERE).unwrap();
        let mut ours = here.role_assignments.remove(&given).unwrap();
        ours.name.clone_from(&name);
        here.role_assignments.insert(name.clone(), ours);
        for name in ["landfall", "theirs"] {
            here.locks.insert(name.to_owned(), Resource::new(name, &lock));
        }
    });
    let locks = |simulator: &AzureSimulator| -> Vec<String> {
        simulator.read(|world| world.subscription(NUMBER).unwrap().governance.locks.keys().cloned().collect())
    };
    let (_, changes) = said(&door, &desired, &format!("{GROUP}/Reader")).await;
    let why = write(&door, &desired, &changes[0]).await.unwrap_err();
    assert!(why.starts_with("a lock that is not Landfall's") && why.contains("ScopeLocked"), "{why}");
    assert_eq!((names(&simulator).len(), locks(&simulator)), (1, vec!["landfall".into(), "theirs".into()]));
    simulator.edit(|world| world.at(HERE).unwrap().locks.remove("theirs"));
    for _ in 0..2 {
        write(&door, &desired, &changes[0]).await.unwrap();
        assert_eq!((names(&simulator).len(), locks(&simulator)), (0, vec!["landfall".to_owned()]));
    }
}

#[tokio::test]
async fn a_group_that_is_not_there_or_is_no_group_is_told() {
    let simulator = simulator();
    let desired = Landscape::adopted(2).desired;
    let door = door(&simulator, &desired);
    let (_, changes) = said(&door, &desired, &format!("{GROUP}/Contributor")).await;
    simulator.edit(|world| world.directory.principals.remove(GROUP));
    let why = write(&door, &desired, &changes[0]).await.unwrap_err();
    assert!(why.starts_with(&format!("the directory has no group `{GROUP}`")), "{why}");
    assert!(why.contains("PrincipalNotFound"), "{why}");
    simulator.edit(|world| world.add_principal(GROUP, "User", "ada"));
    let why = write(&door, &desired, &changes[0]).await.unwrap_err();
    assert!(why.starts_with(&format!("`{GROUP}` is no group: ")), "{why}");
}

#[tokio::test]
async fn an_unknown_role_is_told_and_does_not_keep_the_others() {
    let simulator = simulator();
    let mut desired = Landscape::adopted(2).desired;
    for asked in desired.asked.iter_mut().filter(|asked| asked.control == KIND) {
        let roles = json!(["Contribtor", "Reader"]);
        asked.settings.as_mut().unwrap()["grants"][0]["rights"]["azure"] = roles;
    }
    let door = door(&simulator, &desired);
    let (why, changes) = said(&door, &desired, &format!("{GROUP}/Contribtor")).await;
    assert!(why.starts_with("Azure has no role `Contribtor`") && changes.is_empty(), "{why}");
    let (_, changes) = said(&door, &desired, &format!("{GROUP}/Reader")).await;
    write(&door, &desired, &changes[0]).await.unwrap();
    assert_eq!(names(&simulator), [assignment_name(NUMBER, GROUP, READER)]);
}

#[tokio::test]
async fn whoever_owns_a_new_subscription_is_named() {
    let simulator = simulator();
    let desired = Landscape::new(2).desired;
    let door = door(&simulator, &desired);
    let (why, changes) = said(&door, &desired, "owners").await;
    assert!(why.contains(&format!("the user `{CREATOR}` (Owner)")), "{why}");
    // The simulator's write identity is not the one that this manifest names.
    let inherited = format!(
        "the service principal `{WRITE_IDENTITY}` (Owner on the management group `8f0c1a52-0000-4000-8000-000000000001`)"
    );
    assert!(why.contains(&inherited), "{why}");
    assert!(changes.is_empty());
    // Readers are nobody to be named.
    assert!(!why.contains("Reader"), "{why}");
}

#[tokio::test]
async fn a_role_that_azure_does_not_show_is_asked_for_again() {
    const ROLE: &str = "b1b1b1b1-0000-4000-8000-000000000001";
    let simulator = simulator();
    let desired = Landscape::new(2).desired;
    let door = door(&simulator, &desired);
    let role = json!({"roleName": "Hidden", "permissions": [{"actions": ["*"], "notActions": []}]});
    let role = Resource::new(ROLE, &role);
    simulator.edit(|world| {
        world.directory.role_definitions.insert(ROLE.to_owned(), role.clone());
        world.give(HERE, ROLE, GROUP, "Group").unwrap();
        world.directory.role_definitions.remove(ROLE);
    });
    let (why, _) = said(&door, &desired, "owners").await;
    assert!(
        why.contains(&format!("by a role that could not be read: the group `{GROUP}` ({ROLE})")),
        "{why}"
    );
    simulator.edit(|world| world.directory.role_definitions.insert(ROLE.to_owned(), role));
    let (why, _) = said(&door, &desired, "owners").await;
    assert!(why.contains(&format!("the group `{GROUP}` (Hidden)")), "{why}");
}

#[tokio::test]
async fn a_role_of_the_manifest_is_made_put_back_and_kept_while_somebody_holds_it() {
    let simulator = simulator();
    let mut desired = Landscape::organization().desired;
    let settings = json!({"grants": [], "roles": {"support": {"azure": {"actions": ["Microsoft.Support/*"], "data-actions": ["*/read"]}}}});
    let mut asked = desired.asked[0].clone();
    (asked.control, asked.settings) = (KIND, Ok(settings));
    desired.asked.push(asked);
    let door = door(&simulator, &desired);
    let (why, changes) = said(&door, &desired, "roles/support").await;
    assert_eq!(why, "there is no role `landfall acme support`");
    for _ in 0..2 {
        write(&door, &desired, &changes[0]).await.unwrap();
        assert_eq!(said(&door, &desired, "roles/support").await.0, "holds");
    }
    let id = own_id(&desired, "landfall acme support").unwrap();
    simulator.edit(|world| {
        let role = world.directory.role_definitions.get_mut(&id).unwrap();
        role.set("permissions", json!([{"actions": ["*"], "notActions": []}]));
    });
    let (why, changes) = said(&door, &desired, "roles/support").await;
    assert!(why.contains("has `*` among its actions, which nobody asks for"), "{why}");
    write(&door, &desired, &changes[0]).await.unwrap();
    assert_eq!(said(&door, &desired, "roles/support").await.0, "holds");

    // Nobody asks for it any more.
    desired.record.made.insert(of_role("support"));
    for asked in desired.asked.iter_mut().filter(|asked| asked.control == KIND) {
        asked.settings = Ok(json!({"grants": []}));
    }
    let (_, changes) = said(&door, &desired, "roles/support").await;
    simulator.edit(|world| world.give(HERE, &id, GROUP, "Group"));
    let why = write(&door, &desired, &changes[0]).await.unwrap_err();
    assert!(
        why.starts_with("somebody still holds it") && why.contains("RoleDefinitionHasAssignments"),
        "{why}"
    );
    simulator.edit(|world| world.at(HERE).unwrap().role_assignments.clear());
    for _ in 0..2 {
        write(&door, &desired, &changes[0]).await.unwrap();
    }
    let (why, _) = said(&door, &desired, "roles/support").await;
    assert!(why.contains("is gone"), "{why}");
}
