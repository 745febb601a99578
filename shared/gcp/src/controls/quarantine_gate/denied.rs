//! What the gate denies: the permissions of its deny policy, and the constraints it sets on the project.
//!
//! Deny policies know some permissions and refuse a document that names another one
//! (<https://cloud.google.com/iam/docs/deny-permissions-support>), so only those stand here that are known to be taken. What they can't
//! deny is told in shared/README.md, "What the gate can't deny on Google Cloud". They judge callers, and organization policies judge
//! resources whoever calls, so that these deny only what the baseline itself never needs.

use serde_json::{Value, json};

/// The permissions, by service. Names are those of IAM's second version: Cloud SQL is `cloudsql` there.
const PERMISSIONS: &[(&str, &[&str])] = &[
    // The project itself: where it stands, what it is called, who may do what in it.
    (
        "cloudresourcemanager",
        &[
            "projects.delete",
            "projects.move",
            "projects.setIamPolicy",
            "projects.update",
            "projects.updateLiens",
        ],
    ),
    ("orgpolicy", &["policies.create", "policies.delete", "policies.update", "policy.set"]),
    ("serviceusage", &["services.disable", "services.enable"]),
    // Identities: new ones, their keys and tokens, and those from elsewhere.
    (
        "iam",
        &[
            "roles.create",
            "roles.delete",
            "roles.undelete",
            "roles.update",
            "serviceAccountKeys.create",
            "serviceAccounts.actAs",
            "serviceAccounts.create",
            "serviceAccounts.delete",
            "serviceAccounts.disable",
            "serviceAccounts.enable",
            "serviceAccounts.getAccessToken",
            "serviceAccounts.getOpenIdToken",
            "serviceAccounts.implicitDelegation",
            "serviceAccounts.setIamPolicy",
            "serviceAccounts.signBlob",
            "serviceAccounts.signJwt",
            "serviceAccounts.undelete",
            "workloadIdentityPoolProviders.create",
            "workloadIdentityPoolProviders.delete",
            "workloadIdentityPoolProviders.undelete",
            "workloadIdentityPoolProviders.update",
            "workloadIdentityPools.create",
            "workloadIdentityPools.delete",
            "workloadIdentityPools.undelete",
            "workloadIdentityPools.update",
        ],
    ),
    // What runs, and what it runs on.
    (
        "compute",
        &[
            "disks.create",
            "firewalls.create",
            "images.create",
            "instanceTemplates.create",
            "instances.create",
            "instances.setServiceAccount",
            "networks.create",
            "snapshots.create",
            "subnetworks.create",
            "vpnGateways.create",
        ],
    ),
    ("alloydb", &["clusters.create", "instances.create"]),
    ("cloudbuild", &["builds.create"]),
    ("cloudsql", &["instances.create"]),
    ("container", &["clusters.create"]),
    ("dataproc", &["clusters.create"]),
    ("file", &["instances.create"]),
    ("redis", &["instances.create"]),
    (
        "run",
        &[
            "jobs.create",
            "jobs.setIamPolicy",
            "jobs.update",
            "services.create",
            "services.setIamPolicy",
            "services.update",
        ],
    ),
    // Data, and what is logged of it.
    ("artifactregistry", &["repositories.uploadArtifacts"]),
    ("bigquery", &["datasets.setIamPolicy"]),
    ("logging", &["buckets.delete", "buckets.update", "sinks.create", "sinks.delete", "sinks.update"]),
    ("storage", &["buckets.setIamPolicy", "buckets.update", "hmacKeys.create", "objects.create"]),
];

/// Every permission that the gate denies: `compute.googleapis.com/instances.create`.
pub(super) fn permissions() -> impl Iterator<Item = String> {
    PERMISSIONS.iter().flat_map(|(service, all)| {
        all.iter().map(move |permission| format!("{service}.googleapis.com/{permission}"))
    })
}

/// The constraint that says which services may be used.
pub(super) const SERVICES: &str = "gcp.restrictServiceUsage";

/// Services that hold or run something, and that the baseline never uses: they are denied by name, so that what the folders above deny or
/// allow counts as well. Each is among those that the constraint knows
/// (<https://cloud.google.com/resource-manager/docs/organization-policy/restricting-resources-supported-services>).
const WORKLOADS: [&str; 15] = [
    "aiplatform.googleapis.com",
    "artifactregistry.googleapis.com",
    "bigquery.googleapis.com",
    "cloudbuild.googleapis.com",
    "cloudfunctions.googleapis.com",
    "cloudscheduler.googleapis.com",
    "cloudtasks.googleapis.com",
    "container.googleapis.com",
    "dataflow.googleapis.com",
    "dataproc.googleapis.com",
    "pubsub.googleapis.com",
    "run.googleapis.com",
    "spanner.googleapis.com",
    "sqladmin.googleapis.com",
    "storage.googleapis.com",
];

/// The constraints that close the project, with what their policies say.
pub(super) fn constraints() -> [(&'static str, Value); 4] {
    let enforced = || json!({"rules": [{"enforce": true}]});
    [
        ("compute.vmExternalIpAccess", json!({"rules": [{"denyAll": true}]})),
        (SERVICES, json!({"inheritFromParent": true, "rules": [{"values": {"deniedValues": WORKLOADS}}]})),
        ("iam.disableServiceAccountKeyCreation", enforced()),
        ("iam.disableServiceAccountKeyUpload", enforced()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_permission_stands_once_and_in_its_second_version() {
        let all: Vec<String> = permissions().collect();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
        for permission in &all {
            let (service, rest) = permission.split_once('/').unwrap();
            assert!(service.ends_with(".googleapis.com") && rest.split('.').count() == 2, "{permission}");
            assert!(!permission.contains('*') && !service.starts_with("resourcemanager"), "{permission}");
        }
        // Landfall itself has to get through, and nobody can be denied to open what Deny Admins hold.
        assert!(!all.iter().any(|permission| permission.contains("denypolicies")));
    }
}
