//! Allow policies: whether a principal has a role with a permission, on the resource or above it.

use serde_json::Value;

use super::{Permission, is_in};
use crate::gcp::condition;
use crate::gcp::world::GcpWorld;

/// What roles allow, as far as tests ask: patterns, those with `!` taken away again. Owners and editors can neither write organization
/// policies nor deny policies.
///
/// <https://cloud.google.com/iam/docs/understanding-roles>
const ROLES: &[(&str, &[&str])] = &[
    ("roles/owner", &["*", "!orgpolicy.*", "!iam.denypolicies.*", "!billing.*"]),
    (
        "roles/editor",
        &[
            "*",
            "!*.setIamPolicy",
            "!orgpolicy.*",
            "!iam.denypolicies.*",
            "!iam.roles.*",
            "!iam.workloadIdentityPool*",
            "!billing.*",
            "!resourcemanager.projects.delete",
            "!resourcemanager.projects.move",
            "!resourcemanager.projects.createBillingAssignment",
            "!logging.sinks.*",
        ],
    ),
    ("roles/viewer", &["*.get", "*.list", "*.getIamPolicy"]),
    ("roles/browser", &["resourcemanager.*.get", "resourcemanager.*.list", "resourcemanager.*.getIamPolicy"]),
    (
        "roles/resourcemanager.organizationAdmin",
        &[
            "resourcemanager.*.get*",
            "resourcemanager.*.list",
            "resourcemanager.*.setIamPolicy",
            "orgpolicy.policy.get",
        ],
    ),
    (
        "roles/resourcemanager.projectCreator",
        &["resourcemanager.projects.create", "resourcemanager.organizations.get"],
    ),
    ("roles/resourcemanager.projectDeleter", &["resourcemanager.projects.delete"]),
    (
        "roles/resourcemanager.projectIamAdmin",
        &["resourcemanager.projects.get*", "resourcemanager.projects.setIamPolicy"],
    ),
    (
        "roles/resourcemanager.projectMover",
        &["resourcemanager.projects.get", "resourcemanager.projects.move", "resourcemanager.projects.update"],
    ),
    (
        "roles/resourcemanager.folderAdmin",
        &[
            "resourcemanager.folders.*",
            "resourcemanager.projects.get*",
            "resourcemanager.projects.list",
            "resourcemanager.projects.move",
            "resourcemanager.projects.setIamPolicy",
            "orgpolicy.policy.get",
        ],
    ),
    ("roles/resourcemanager.lienModifier", &["resourcemanager.projects.updateLiens"]),
    ("roles/resourcemanager.tagAdmin", &["resourcemanager.tag*", "resourcemanager.hierarchyNodes.*"]),
    ("roles/orgpolicy.policyAdmin", &["orgpolicy.*"]),
    ("roles/orgpolicy.policyViewer", &["orgpolicy.*.get", "orgpolicy.*.list"]),
    ("roles/iam.denyAdmin", &["iam.denypolicies.*"]),
    ("roles/iam.denyReviewer", &["iam.denypolicies.get", "iam.denypolicies.list"]),
    ("roles/iam.organizationRoleAdmin", &["iam.roles.*"]),
    ("roles/iam.securityReviewer", &["*.list", "*.getIamPolicy"]),
    ("roles/iam.securityAdmin", &["*.getIamPolicy", "*.setIamPolicy", "*.list"]),
    (
        "roles/iam.serviceAccountAdmin",
        &["iam.serviceAccounts.*", "!iam.serviceAccounts.actAs", "resourcemanager.projects.get"],
    ),
    (
        "roles/iam.serviceAccountCreator",
        &["iam.serviceAccounts.create", "iam.serviceAccounts.get", "iam.serviceAccounts.list"],
    ),
    (
        "roles/iam.serviceAccountKeyAdmin",
        &["iam.serviceAccountKeys.*", "iam.serviceAccounts.get", "iam.serviceAccounts.list"],
    ),
    ("roles/iam.workloadIdentityPoolAdmin", &["iam.workloadIdentityPool*"]),
    ("roles/serviceusage.serviceUsageAdmin", &["serviceusage.*"]),
    (
        "roles/billing.projectManager",
        &["resourcemanager.projects.createBillingAssignment", "resourcemanager.projects.get"],
    ),
    ("roles/billing.admin", &["billing.*"]),
    ("roles/compute.admin", &["compute.*", "resourcemanager.projects.get"]),
    (
        "roles/compute.instanceAdmin.v1",
        &["compute.instances.*", "compute.disks.*", "compute.*.get", "compute.*.list"],
    ),
    (
        "roles/compute.networkAdmin",
        &["compute.networks.*", "compute.subnetworks.*", "compute.*.get", "compute.*.list"],
    ),
    ("roles/storage.admin", &["storage.*", "resourcemanager.projects.get"]),
    ("roles/logging.configWriter", &["logging.sinks.*", "logging.buckets.*"]),
    ("roles/logging.admin", &["logging.*"]),
    ("roles/monitoring.admin", &["monitoring.*"]),
    ("roles/essentialcontacts.admin", &["essentialcontacts.*"]),
];

/// Permissions that an answer of one of Google's own roles names, as far as it has them; the real ones have thousands.
const TOLD: [&str; 14] = [
    "compute.instances.create",
    "compute.instances.get",
    "iam.denypolicies.delete",
    "iam.denypolicies.update",
    "iam.roles.create",
    "orgpolicy.policies.delete",
    "orgpolicy.policies.update",
    "orgpolicy.policy.set",
    "resourcemanager.folders.setIamPolicy",
    "resourcemanager.organizations.setIamPolicy",
    "resourcemanager.projects.get",
    "resourcemanager.projects.setIamPolicy",
    "serviceusage.services.enable",
    "storage.buckets.create",
];

/// What one of Google's own roles includes; nothing where there is no such role.
pub(crate) fn included(role: &str) -> Option<Vec<&'static str>> {
    let (_, patterns) = ROLES.iter().find(|(known, _)| *known == role)?;
    Some(TOLD.into_iter().filter(|told| matches(patterns, told)).collect())
}

fn matches(patterns: &[&str], wanted: &str) -> bool {
    let (without, with): (Vec<&str>, Vec<&str>) =
        patterns.iter().partition(|pattern| pattern.starts_with('!'));
    with.iter().any(|pattern| like(pattern, wanted))
        && !without.iter().any(|pattern| like(pattern.trim_start_matches('!'), wanted))
}

/// Whether any policy on the way up gives a permission.
pub(super) fn granted(world: &GcpWorld, way: &[String], principal: &str, permission: &Permission) -> bool {
    let resource = way.first().map_or("", String::as_str);
    let wanted = permission.v1();
    way.iter().filter_map(|up| world.governance(up)).flat_map(|one| &one.iam.bindings).any(|binding| {
        binding.members.iter().any(|member| means(world, member, principal))
            && gives(world, &binding.role, &wanted)
            // What is not known here is not given.
            && condition::holds(world, resource, binding.condition.as_ref()).unwrap_or(false)
    })
}

fn means(world: &GcpWorld, member: &str, principal: &str) -> bool {
    match member.split_once(':') {
        _ if member == principal || member == "allUsers" || member == "allAuthenticatedUsers" => true,
        Some(("group", _)) => is_in(world, member, principal),
        Some(("domain", domain)) => {
            principal.starts_with("user:") && principal.ends_with(&format!("@{domain}"))
        }
        _ => false,
    }
}

fn gives(world: &GcpWorld, role: &str, wanted: &str) -> bool {
    if let Some((_, patterns)) = ROLES.iter().find(|(known, _)| *known == role) {
        return matches(patterns, wanted);
    }
    // A custom role of the organization or of a project.
    let Some((owner, id)) = role.split_once("/roles/") else { return false };
    let Some(role) = world.governance(owner).and_then(|one| one.things("iam/roles").get(id)) else {
        return false;
    };
    let dead = role.get("deleted") == Some(&Value::Bool(true))
        || role.get("stage") == Some(&Value::from("DISABLED"));
    let all = role.get("includedPermissions").and_then(Value::as_array);
    !dead && all.is_some_and(|all| all.iter().any(|one| one == wanted))
}

/// A pattern of IAM's: `*` stands for anything.
pub(super) fn like(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, after)) => {
            let Some(rest) = text.strip_prefix(before) else { return false };
            let mut ends = (0..=rest.len()).filter_map(|at| rest.get(at..));
            ends.any(|rest| like(after, rest))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::like;

    #[test]
    fn patterns_match_as_globs_do() {
        let table = [
            ("*", "a.b.c", true),
            ("*.get", "compute.networks.get", true),
            ("*.get", "compute.networks.getIamPolicy", false),
            ("compute.*.list", "compute.networks.list", true),
            ("compute.*.list", "storage.buckets.list", false),
            ("iam.workloadIdentityPool*", "iam.workloadIdentityPoolProviders.get", true),
        ];
        for (pattern, text, expected) in table {
            assert_eq!(like(pattern, text), expected, "{pattern} {text}");
        }
    }
}
