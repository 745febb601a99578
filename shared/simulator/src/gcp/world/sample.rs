//! A deterministic organization for demonstrations, tests and benchmarks.

use jiff::Timestamp;
use serde_json::json;

use super::{
    Binding, CONTROLLER_PROJECT, CREATOR, Folder, GcpWorld, LEGACY_FOLDER, READ_IDENTITY, WRITE_IDENTITY,
};

/// 1 January 2023: old enough that nothing takes the sample for newborn.
const BIRTH: i64 = 1_672_531_200;
const DAY: i64 = 86_400;

/// The APIs that Landfall's own project has enabled: those that are called with its credentials.
const CONTROLLER_SERVICES: [&str; 16] = [
    "accessapproval.googleapis.com",
    "billingbudgets.googleapis.com",
    "cloudasset.googleapis.com",
    "cloudbilling.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    "cloudscheduler.googleapis.com",
    "cloudtasks.googleapis.com",
    "essentialcontacts.googleapis.com",
    "iam.googleapis.com",
    "iamcredentials.googleapis.com",
    "orgpolicy.googleapis.com",
    "pubsub.googleapis.com",
    "run.googleapis.com",
    "securitycentermanagement.googleapis.com",
    "sts.googleapis.com",
    "storage.googleapis.com",
];

/// Projects `team-000N` right below the organization, as they come: nothing configured but that some have been used. The `n`th differs,
/// by `n % 4`: 1 nothing · 2 a binding that expires and a label of the team's · 3 an owner from outside · 0 a foreign lien, and an
/// organization policy of the team's own.
///
/// Landfall's own project is `acme-landfall`. The write identity owns the organization, the read identity reads it.
pub(super) fn build(projects: usize) -> GcpWorld {
    let mut world = GcpWorld::new();
    let root = world.organization.name();
    world.organization.created_at = day(0);
    for (role, member) in [
        ("roles/resourcemanager.organizationAdmin", "user:admin@acme.example"),
        ("roles/resourcemanager.projectCreator", CREATOR),
        ("roles/owner", WRITE_IDENTITY),
        ("roles/viewer", READ_IDENTITY),
        ("roles/iam.securityReviewer", READ_IDENTITY),
    ] {
        world.give(&root, role, member);
    }
    world.folders.insert(LEGACY_FOLDER.to_owned(), Folder::new(LEGACY_FOLDER, "legacy", &root, day(0)));
    world.add_project(CONTROLLER_PROJECT, &root, day(0));
    world.enable(CONTROLLER_PROJECT, &CONTROLLER_SERVICES);
    for n in 1..=projects {
        let id = format!("team-{n:04}");
        let days = i64::try_from(n).unwrap_or_default().min(1_000);
        world.add_project(&id, &root, day(days));
        world.give(&format!("projects/{id}"), "roles/owner", CREATOR);
        use_it(&mut world, &id, n % 4);
    }
    world
}

fn day(n: i64) -> Timestamp {
    Timestamp::from_second(BIRTH + DAY * n).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn use_it(world: &mut GcpWorld, id: &str, way: usize) {
    let Some(project) = world.project_mut(id) else { return };
    match way {
        2 => {
            project.labels.insert("team".to_owned(), "storefront".to_owned());
            project.governance.iam.bindings.push(Binding {
                role: "roles/compute.admin".to_owned(),
                members: vec!["user:contractor@acme.example".to_owned()],
                condition: Some(json!({
                    "title": "until the move is over", "expression": "request.time < timestamp(\"2030-01-01T00:00:00Z\")",
                })),
            });
            project.governance.iam.tidy();
        }
        3 => project.governance.iam.give("roles/owner", "user:somebody@elsewhere.example"),
        0 => {
            let lien = json!({
                "parent": project.name(), "restrictions": ["resourcemanager.projects.delete"],
                "origin": "team", "reason": "ask the team first", "createTime": project.created_at.to_string(),
            });
            let id = format!("p{}-l0001", project.number);
            project.governance.things_mut("cloudresourcemanager/liens").insert(id, lien);
            let policy = json!({"spec": {"rules": [{"values": {"allowedValues": ["in:eu-locations"]}}]}});
            project.governance.org_policies.insert("gcp.resourceLocations".to_owned(), policy);
        }
        _ => {}
    }
}
