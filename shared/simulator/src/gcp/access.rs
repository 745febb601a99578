//! Whether a caller may do what it asks: the permission that a method needs, and who has it.

use super::gate::forbidden;
use super::request::{Request, Right};
use super::world::GcpWorld;
use crate::refusal::Refusal;

/// A permission in the two spellings of IAM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Permission {
    /// The service's name in allow policies: `resourcemanager`.
    prefix: &'static str,
    /// The service's host: `cloudresourcemanager.googleapis.com`.
    host: String,
    /// `projects.setIamPolicy`
    what: String,
}

impl Permission {
    /// As roles have it: `resourcemanager.projects.setIamPolicy`.
    pub(crate) fn v1(&self) -> String {
        format!("{}.{}", self.prefix, self.what)
    }
}

/// What a method needs: `service.collection.verb`, which is right for nearly all.
pub(crate) fn permission(request: &Request) -> Permission {
    let parts = request.parts();
    let collection = parts.iter().step_by(2).next_back().copied().unwrap_or("resources");
    let verb = match request.verb.as_str() {
        "" => request.plain_verb(),
        "search" => "get",
        verb => verb,
    };
    let verb = if verb == "patch" { "update" } else { verb };
    Permission {
        prefix: request.service.prefix,
        host: format!("{}.googleapis.com", request.service.name),
        what: format!("{collection}.{verb}"),
    }
}

pub(crate) fn check(_world: &GcpWorld, request: &Request) -> Result<(), Refusal> {
    match request.caller.right {
        Right::Look | Right::Everything => Ok(()),
        Right::Granted => Err(forbidden(request)),
    }
}

/// Those of the asked permissions that the caller has.
pub(crate) fn tested(world: &GcpWorld, request: &Request) -> serde_json::Value {
    let asked = request.body.get("permissions").and_then(serde_json::Value::as_array);
    let has = |_: &&serde_json::Value| check(world, request).is_ok();
    let has: Vec<_> = asked.into_iter().flatten().filter(has).collect();
    serde_json::json!({ "permissions": has })
}
