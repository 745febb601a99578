//! Buckets as far as tests make some: <https://cloud.google.com/storage/docs/json_api/v1/buckets>

use serde_json::{Value, json};

use crate::gcp::answer::{Answered, bad, not_found, precondition, there_already};
use crate::gcp::constraint;
use crate::gcp::page::page;
use crate::gcp::request::Request;
use crate::gcp::world::GcpWorld;
use crate::refusal::Refusal;

const BUCKETS: &str = "storage/buckets";

pub(super) fn answer(world: &mut GcpWorld, request: &Request) -> Answered {
    let (method, parts, verb) = request.asked();
    match (method, parts.as_slice(), verb) {
        ("GET", ["b"], "") => {
            let project = world.project(request.query("project").unwrap_or_default());
            let all = project.map(|project| project.governance.things(BUCKETS).clone());
            let all = all.ok_or_else(|| not_found("The requested project was not found."))?;
            page(world, request, "items", all.into_values(), 1_000)
        }
        ("POST", ["b"], "") => insert(world, request),
        ("GET", ["b", name], "") => {
            let mut all = world.projects.values();
            let found = all.find_map(|one| one.governance.things(BUCKETS).get(*name));
            found.cloned().ok_or_else(|| missing(name))
        }
        ("DELETE", ["b", name], "") => {
            let mut all = world.projects.values_mut();
            let gone = all.find_map(|one| one.governance.things_mut(BUCKETS).remove(*name));
            gone.map(|_| Value::Null).ok_or_else(|| missing(name))
        }
        _ => Err(request.unknown()),
    }
}

fn missing(name: &str) -> Refusal {
    not_found(format!("The specified bucket does not exist: {name}."))
}

fn insert(world: &mut GcpWorld, request: &Request) -> Answered {
    let project = world.project(request.query("project").unwrap_or_default());
    let project = project.ok_or_else(|| bad("Unknown project id."))?.id.clone();
    let name = request.needs("name")?.to_owned();
    if world.projects.values().any(|one| one.governance.things(BUCKETS).contains_key(&name)) {
        return Err(there_already("The requested bucket name is not available."));
    }
    let on = format!("projects/{project}");
    let prevented = constraint::effective(world, &on, "storage.publicAccessPrevention").enforce;
    let uniform = constraint::effective(world, &on, "storage.uniformBucketLevelAccess").enforce;
    let mut bucket = request.body.as_object().cloned().unwrap_or_default();
    let asked = request.body.pointer("/iamConfiguration/uniformBucketLevelAccess/enabled");
    if uniform && asked == Some(&json!(false)) {
        let message = "Request violates constraint 'constraints/storage.uniformBucketLevelAccess'";
        return Err(precondition(message).status(412));
    }
    let location = request.text("location").to_ascii_uppercase();
    bucket.insert("kind".to_owned(), json!("storage#bucket"));
    bucket.insert("id".to_owned(), json!(name));
    bucket.insert("location".to_owned(), json!(if location.is_empty() { "US" } else { &location }));
    // What the organization enforces is not written on the bucket: it stays `inherited`.
    let level = uniform || asked == Some(&json!(true));
    bucket.insert(
        "iamConfiguration".to_owned(),
        json!({"publicAccessPrevention": if prevented { "inherited" } else { request.body.pointer("/iamConfiguration/publicAccessPrevention").and_then(Value::as_str).unwrap_or("inherited") },
            "uniformBucketLevelAccess": {"enabled": level}}),
    );
    bucket.insert("timeCreated".to_owned(), json!(request.now.to_string()));
    let bucket = Value::Object(bucket);
    if let Some(found) = world.at(&on) {
        found.things_mut(BUCKETS).insert(name, bucket.clone());
    }
    Ok(bucket)
}
