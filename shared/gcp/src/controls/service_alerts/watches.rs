//! What the alerts on Google Cloud watch.

/// What one alert watches.
pub(super) struct Watch {
    pub(super) name: &'static str,
    pub(super) filter: &'static str,
    /// What the mail says.
    pub(super) says: &'static str,
    /// What the mail shows of an entry: <https://cloud.google.com/logging/docs/alerting/log-based-alerts#extract-log-data>.
    pub(super) shows: &'static [(&'static str, &'static str)],
}

/// What Google announces, whatever sort of event it is, and the changes that the CIS Google Cloud Platform Foundation Benchmark 3.0
/// names in 2.4 to 2.11, each in fields of Google's audit logs. What an Admin Activity log has are writes, so that those of Compute need
/// no list of methods; a method's name begins with its version there.
///
/// <https://cloud.google.com/service-health/docs/configure-alerts-terraform>, <https://cloud.google.com/iam/docs/audit-logging>,
/// <https://cloud.google.com/vpc/docs/audit-logging>, <https://cloud.google.com/storage/docs/audit-logging>,
/// <https://cloud.google.com/sql/docs/audit-logging>
pub(super) const WATCHES: [Watch; 9] = [
    Watch {
        name: "audit-configuration",
        filter: "logName:\"cloudaudit.googleapis.com%2Factivity\" AND protoPayload.methodName=\"SetIamPolicy\" \
                 AND protoPayload.serviceData.policyDelta.auditConfigDeltas:*",
        says: "Somebody changed which audit logs are written.",
        shows: &[],
    },
    Watch {
        name: "bucket-access",
        filter: "logName:\"cloudaudit.googleapis.com%2Factivity\" AND resource.type=\"gcs_bucket\" \
                 AND protoPayload.methodName=\"storage.setIamPermissions\"",
        says: "Somebody changed who may use a bucket.",
        shows: &[],
    },
    Watch {
        name: "custom-role",
        filter: "logName:\"cloudaudit.googleapis.com%2Factivity\" AND protoPayload.serviceName=\"iam.googleapis.com\" \
                 AND protoPayload.methodName=(\"google.iam.admin.v1.CreateRole\" OR \"google.iam.admin.v1.UpdateRole\" \
                 OR \"google.iam.admin.v1.DeleteRole\" OR \"google.iam.admin.v1.UndeleteRole\")",
        says: "Somebody changed a custom role.",
        shows: &[],
    },
    Watch {
        name: "firewall",
        filter: "logName:\"cloudaudit.googleapis.com%2Factivity\" AND protoPayload.serviceName=\"compute.googleapis.com\" \
                 AND protoPayload.methodName:(\"compute.firewalls.\" OR \"compute.networkFirewallPolicies.\" \
                 OR \"compute.regionNetworkFirewallPolicies.\")",
        says: "Somebody changed a firewall rule.",
        shows: &[],
    },
    Watch {
        name: "network",
        filter: "logName:\"cloudaudit.googleapis.com%2Factivity\" AND protoPayload.serviceName=\"compute.googleapis.com\" \
                 AND protoPayload.methodName:\"compute.networks.\"",
        says: "Somebody changed a network.",
        shows: &[],
    },
    Watch {
        name: "owner",
        filter: "logName:\"cloudaudit.googleapis.com%2Factivity\" \
                 AND protoPayload.serviceName=\"cloudresourcemanager.googleapis.com\" \
                 AND (protoPayload.serviceData.policyDelta.bindingDeltas.role=\"roles/owner\" \
                 OR protoPayload.methodName:\"ProjectOwnership\")",
        says: "Somebody changed who owns the project.",
        shows: &[],
    },
    Watch {
        name: "route",
        filter: "logName:\"cloudaudit.googleapis.com%2Factivity\" AND protoPayload.serviceName=\"compute.googleapis.com\" \
                 AND protoPayload.methodName:\"compute.routes.\"",
        says: "Somebody changed a route.",
        shows: &[],
    },
    Watch {
        name: "service-health",
        filter: "resource.type=\"servicehealth.googleapis.com/Event\" \
                 AND jsonPayload.@type=\"type.googleapis.com/google.cloud.servicehealth.logging.v1.EventLog\"",
        says: "${log.extracted_label.title} (${log.extracted_label.state}): an event of Google Cloud concerns this project.",
        shows: &[("state", "EXTRACT(jsonPayload.state)"), ("title", "EXTRACT(jsonPayload.title)")],
    },
    Watch {
        name: "sql-instance",
        filter: "logName:\"cloudaudit.googleapis.com%2Factivity\" AND protoPayload.serviceName=\"cloudsql.googleapis.com\" \
                 AND protoPayload.methodName=\"cloudsql.instances.update\"",
        says: "Somebody changed a Cloud SQL instance.",
        shows: &[],
    },
];
