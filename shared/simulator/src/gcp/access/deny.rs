//! Deny policies: whether one on the resource or above it forbids a principal a permission. They win over every allow policy.
//!
//! <https://cloud.google.com/iam/docs/deny-overview>

use serde_json::Value;

use super::allow::like;
use super::{Permission, is_in};
use crate::gcp::condition;
use crate::gcp::world::GcpWorld;

pub(super) fn denied(world: &GcpWorld, way: &[String], principal: &str, permission: &Permission) -> bool {
    let resource = way.first().map_or("", String::as_str);
    let policies =
        way.iter().filter_map(|up| world.governance(up)).flat_map(|one| one.deny_policies.values());
    let rules = policies.filter_map(|policy| policy.get("rules")?.as_array()).flatten();
    rules.filter_map(|rule| rule.get("denyRule")).any(|rule| {
        let texts = |field: &str| {
            let all = rule.get(field).and_then(Value::as_array).into_iter().flatten();
            all.filter_map(Value::as_str)
        };
        let v2 = permission.v2();
        texts("deniedPermissions").any(|pattern| like(pattern, &v2))
            && !texts("exceptionPermissions").any(|pattern| like(pattern, &v2))
            && texts("deniedPrincipals").any(|name| means(world, name, principal))
            && !texts("exceptionPrincipals").any(|name| means(world, name, principal))
            // What is not known here denies.
            && condition::holds(world, resource, rule.get("denialCondition")).unwrap_or(true)
    })
}

/// Whether a principal in the spelling of IAM's second version is this caller, in the spelling of the first.
///
/// <https://cloud.google.com/iam/docs/principal-identifiers#v2>
fn means(world: &GcpWorld, name: &str, principal: &str) -> bool {
    let (kind, email) = principal.split_once(':').unwrap_or_default();
    let same = |other: &str| other.eq_ignore_ascii_case(email);
    if name == "principalSet://goog/public:all" || name == principal {
        return true;
    }
    if let Some(subject) = name.strip_prefix("principal://goog/subject/") {
        return kind == "user" && same(subject);
    }
    if let Some(group) = name.strip_prefix("principalSet://goog/group/") {
        return is_in(world, &format!("group:{group}"), principal);
    }
    if let Some(customer) = name.strip_prefix("principalSet://goog/cloudIdentityCustomerId/") {
        let ours = customer == world.organization.customer;
        return ours && kind == "user" && email.ends_with(&format!("@{}", world.organization.display_name));
    }
    if let Some(account) = name.strip_prefix("principal://iam.googleapis.com/projects/-/serviceAccounts/") {
        return kind == "serviceAccount" && same(account);
    }
    // All service accounts, or all of Google's own, of a project or of everything below a folder or the organization.
    let Some(rest) = name.strip_prefix("principalSet://cloudresourcemanager.googleapis.com/") else {
        return false;
    };
    let Some((owner, sort)) = rest.rsplit_once("/type/") else { return false };
    let Some(home) = home(world, kind, email) else { return false };
    let agent = is_agent(email);
    (sort == "ServiceAgent") == agent
        && world.way_up(&home).iter().any(|up| up == owner || world.canonical(up) == world.canonical(owner))
}

/// The project that a service account belongs to.
fn home(world: &GcpWorld, kind: &str, email: &str) -> Option<String> {
    if kind != "serviceAccount" {
        return None;
    }
    let (account, domain) = email.split_once('@')?;
    let named = if is_agent(email) {
        account.rsplit('-').next()?
    } else {
        domain.strip_suffix(".iam.gserviceaccount.com").or_else(|| account.split('-').next())?
    };
    world.project(named).map(|project| format!("projects/{}", project.id))
}

/// `service-415104041262@compute-system.iam.gserviceaccount.com`, `415104041262@cloudservices.gserviceaccount.com`
fn is_agent(email: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some((account, domain)) = email.split_once('@') else { return false };
    account.strip_prefix("service-").is_some_and(digits)
        || (digits(account) && domain == "cloudservices.gserviceaccount.com")
}
