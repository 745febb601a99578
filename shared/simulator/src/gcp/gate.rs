//! What is checked before an API sees a call: existence, rights, deny policies, state.

use super::access::{self, Permission};
use super::answer::{because, denied, exhausted};
use super::constraint;
use super::request::{Request, Right};
use super::world::GcpWorld;
use crate::fault::Faults;
use crate::refusal::Refusal;

/// <https://cloud.google.com/docs/quotas/troubleshoot>
pub(crate) fn throttled(request: &Request) -> Refusal {
    let service = format!("{}.googleapis.com", request.service.name);
    let kind = if request.reads() { "Read" } else { "Write" };
    let message = format!(
        "Quota exceeded for quota metric '{kind} requests' and limit '{kind} requests per minute' of service '{service}' for consumer 'project_number:{}'.",
        "415104041001"
    );
    let limit = format!("{kind}RequestsPerMinutePerProject");
    because(
        exhausted(message),
        "RATE_LIMIT_EXCEEDED",
        "googleapis.com",
        &[("service", &service), ("quota_limit", &limit), ("quota_location", "global")],
    )
}

/// A resource that does not exist can't be told from one that may not be seen.
pub(crate) fn exists(world: &GcpWorld, request: &Request) -> Result<(), Refusal> {
    match request.about() {
        Some(about) if world.governance(&about).is_none() && !request.service.tells_missing => {
            Err(forbidden(request))
        }
        _ => Ok(()),
    }
}

pub(crate) fn check(world: &GcpWorld, faults: &Faults, request: &Request) -> Result<(), Refusal> {
    let about = request.about();
    let account = about.as_deref().map_or("organization", named);
    if faults.denies(request.service.name, &request.operation(), account) {
        return Err(forbidden(request));
    }
    if request.caller.right == Right::Look && !request.reads() {
        return Err(forbidden(request));
    }
    access::check(world, request)?;
    alive(world, request)?;
    constraint::check(world, request)
}

/// A project whose deletion was asked for is still there for who looks, and for Resource Manager, which can bring it back.
///
/// <https://cloud.google.com/resource-manager/docs/creating-managing-projects#shutting_down_projects>
fn alive(world: &GcpWorld, request: &Request) -> Result<(), Refusal> {
    let about = request.about().unwrap_or_default();
    let project = about.strip_prefix("projects/").and_then(|id| world.project(id));
    let dead = project.is_some_and(|project| project.deleted_at.is_some());
    if !dead || request.reads() || request.service.name == "cloudresourcemanager" {
        return Ok(());
    }
    let service = format!("{}.googleapis.com", request.service.name);
    let message = format!("Permission denied on resource {about}: the project has been deleted.");
    let metadata = [("consumer", about.as_str()), ("service", service.as_str())];
    Err(because(denied(message), "CONSUMER_INVALID", "googleapis.com", &metadata))
}

/// A project by its id alone, everything else by its whole name.
pub(crate) fn named(about: &str) -> &str {
    about.strip_prefix("projects/").unwrap_or(about)
}

/// The refusal of all APIs that ask IAM, for the permission that the method is known for.
pub(crate) fn forbidden(request: &Request) -> Refusal {
    refused(request, &access::permission(request))
}

/// <https://cloud.google.com/iam/docs/permission-error-messages>
pub(crate) fn refused(request: &Request, permission: &Permission) -> Refusal {
    let permission = permission.v1();
    let resource = match request.about() {
        Some(about) => format!("//cloudresourcemanager.googleapis.com/{about}"),
        None => format!("//{}.googleapis.com/{}", request.service.name, request.path),
    };
    let message = format!("Permission '{permission}' denied on resource '{resource}' (or it may not exist).");
    let domain = format!("{}.googleapis.com", request.service.name);
    let metadata = [("permission", permission.as_str()), ("resource", resource.as_str())];
    because(denied(message), "IAM_PERMISSION_DENIED", &domain, &metadata)
}
