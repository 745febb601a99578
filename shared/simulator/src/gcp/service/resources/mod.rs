//! Resource Manager: the tree and what hangs on all of it.
//!
//! <https://cloud.google.com/resource-manager/reference/rest/v3>

mod filter;
mod folders;
mod liens;
mod projects;
mod tag_bindings;
mod tags;

use serde_json::{Value, json};

use super::iam_policy;
use crate::gcp::access;
use crate::gcp::answer::{Answered, bad};
use crate::gcp::gate::forbidden;
use crate::gcp::page::page;
use crate::gcp::request::Request;
use crate::gcp::world::GcpWorld;
use crate::refusal::Refusal;

pub(super) fn answer(world: &mut GcpWorld, request: &Request) -> Answered {
    match request.asked() {
        ("POST", parts, "getIamPolicy") if tree(&parts) => {
            let found = world.governance(&request.path).ok_or_else(|| forbidden(request))?;
            iam_policy::get(&found.iam, request)
        }
        ("POST", parts, "setIamPolicy") if tree(&parts) => {
            let found = world.at(&request.path).ok_or_else(|| forbidden(request))?;
            iam_policy::set(&mut found.iam, request)
        }
        ("POST", parts, "testIamPermissions") if tree(&parts) => Ok(access::tested(world, request)),
        ("GET", parts, "") if matches!(parts.as_slice(), ["organizations", _]) => {
            Ok(world.organization.show())
        }
        ("GET", parts, "search") if matches!(parts.as_slice(), ["organizations"]) => {
            let shown = world.organization.show();
            page(world, request, "organizations", std::iter::once(shown), 50)
        }
        _ => match request.part(0) {
            "projects" => projects::answer(world, request),
            "folders" => folders::answer(world, request),
            "liens" => liens::answer(world, request),
            "tagKeys" | "tagValues" => tags::answer(world, request),
            "tagBindings" | "effectiveTags" => tag_bindings::answer(world, request),
            _ => Err(request.unknown()),
        },
    }
}

/// A resource of the tree, and nothing below it.
fn tree(parts: &[&str]) -> bool {
    matches!(parts, ["organizations" | "folders" | "projects", _])
}

/// The parent that a list asks for; it must be there.
fn parent(world: &GcpWorld, request: &Request) -> Result<String, Refusal> {
    match request.query("parent") {
        None | Some("") => Err(bad("Request contains an invalid argument: parent is required.")),
        Some(parent) if world.is_parent(parent) => Ok(parent.to_owned()),
        Some(_) => Err(forbidden(request)),
    }
}

/// A change refused for a rule of the tree.
///
/// <https://cloud.google.com/resource-manager/reference/rest/v3/folders/create>
fn violation(mut refusal: Refusal, kind: &str, subject: &str) -> Refusal {
    let info = json!({
        "@type": "type.googleapis.com/google.rpc.PreconditionFailure",
        "violations": [{"type": kind, "subject": subject, "description": refusal.message}],
    });
    crate::gcp::answer::detail(&mut refusal, info);
    refusal
}

/// An operation's metadata, which says what it is.
fn metadata(kind: &str, body: Value) -> Value {
    crate::gcp::operation::any(&format!("google.cloud.resourcemanager.v3.{kind}Metadata"), body)
}
