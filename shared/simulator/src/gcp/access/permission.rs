//! The permission that a method needs.

use crate::gcp::request::Request;
use crate::gcp::service::{SERVICES, compute};

/// A permission in the two spellings of IAM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Permission {
    /// The service's name in allow policies: `resourcemanager`.
    prefix: String,
    /// The service's host: `cloudresourcemanager.googleapis.com`.
    host: String,
    /// `projects.setIamPolicy`
    what: String,
}

impl Permission {
    /// As roles have it: `resourcemanager.projects.setIamPolicy`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (prefix, what) = text.split_once('.')?;
        let host = SERVICES.iter().find(|service| service.prefix == prefix).map_or(prefix, |one| one.name);
        Some(Self {
            prefix: prefix.to_owned(),
            host: format!("{host}.googleapis.com"),
            what: what.to_owned(),
        })
    }

    /// As roles have it.
    pub(crate) fn v1(&self) -> String {
        format!("{}.{}", self.prefix, self.what)
    }

    /// As deny policies have it: `cloudresourcemanager.googleapis.com/projects.setIamPolicy`.
    pub(crate) fn v2(&self) -> String {
        format!("{}/{}", self.host, self.what)
    }

    /// Whether nothing changes by it.
    pub(crate) fn looks(&self) -> bool {
        let verb = self.what.rsplit('.').next().unwrap_or_default();
        ["get", "list", "search", "test", "query", "analyze", "fetch", "lookup"]
            .iter()
            .any(|start| verb.starts_with(start))
            && verb != "getAccessToken"
            && verb != "getOpenIdToken"
    }
}

/// Methods whose permission is not `collection.verb`: API, collection, verb, permission.
///
/// <https://cloud.google.com/iam/docs/permissions-reference>
const OTHERS: &[(&str, &str, &str, &str)] = &[
    ("accessapproval", "accessApprovalSettings", "delete", "settings.delete"),
    ("accessapproval", "accessApprovalSettings", "get", "settings.get"),
    ("accessapproval", "accessApprovalSettings", "update", "settings.update"),
    ("cloudbilling", "billingAccounts", "get", "accounts.get"),
    ("cloudbilling", "billingAccounts", "list", "accounts.list"),
    ("cloudbilling", "billingInfo", "update", "projects.createBillingAssignment"),
    ("cloudbilling", "billingInfo", "get", "projects.get"),
    ("cloudresourcemanager", "liens", "create", "projects.updateLiens"),
    ("cloudresourcemanager", "liens", "delete", "projects.updateLiens"),
    ("cloudresourcemanager", "liens", "get", "projects.get"),
    ("cloudresourcemanager", "liens", "list", "projects.get"),
    ("cloudresourcemanager", "tagBindings", "create", "hierarchyNodes.createTagBinding"),
    ("cloudresourcemanager", "tagBindings", "delete", "hierarchyNodes.deleteTagBinding"),
    ("cloudresourcemanager", "tagBindings", "list", "hierarchyNodes.listTagBindings"),
    ("cloudresourcemanager", "effectiveTags", "list", "hierarchyNodes.listEffectiveTags"),
    ("essentialcontacts", "contacts", "compute", "contacts.list"),
    ("iam", "keys", "create", "serviceAccountKeys.create"),
    ("iam", "keys", "upload", "serviceAccountKeys.create"),
    ("iam", "keys", "delete", "serviceAccountKeys.delete"),
    ("iam", "keys", "get", "serviceAccountKeys.get"),
    ("iam", "keys", "list", "serviceAccountKeys.list"),
    ("iam", "providers", "create", "workloadIdentityPoolProviders.create"),
    ("iam", "providers", "delete", "workloadIdentityPoolProviders.delete"),
    ("iam", "providers", "get", "workloadIdentityPoolProviders.get"),
    ("iam", "providers", "list", "workloadIdentityPoolProviders.list"),
    ("iam", "providers", "undelete", "workloadIdentityPoolProviders.undelete"),
    ("iam", "providers", "update", "workloadIdentityPoolProviders.update"),
    ("logging", "metrics", "create", "logMetrics.create"),
    ("logging", "metrics", "delete", "logMetrics.delete"),
    ("logging", "metrics", "get", "logMetrics.get"),
    ("logging", "metrics", "list", "logMetrics.list"),
    ("logging", "metrics", "update", "logMetrics.update"),
    ("orgpolicy", "policies", "get", "policy.get"),
    ("orgpolicy", "policies", "getEffectivePolicy", "policy.get"),
    ("serviceusage", "services", "batchEnable", "services.enable"),
    ("serviceusage", "services", "batchGet", "services.get"),
    ("storage", "b", "create", "buckets.create"),
    ("storage", "b", "delete", "buckets.delete"),
    ("storage", "b", "get", "buckets.get"),
    ("storage", "b", "list", "buckets.list"),
    ("storage", "b", "update", "buckets.update"),
];

/// What a method needs: `collection.verb`, which is right for nearly all.
pub(crate) fn permission(request: &Request) -> Permission {
    let parts = request.parts();
    let collection = match parts.as_slice() {
        // A binding's name ends with that of its value.
        [collection @ "tagBindings", ..] => collection,
        parts => parts.iter().step_by(2).next_back().copied().unwrap_or("resources"),
    };
    let verb = match request.verb.as_str() {
        "" => request.plain_verb(),
        "search" => "get",
        verb => verb,
    };
    let verb = if verb == "patch" { "update" } else { verb };
    let name = request.service.name;
    if name == "compute" {
        let what = compute::permission(request.method.as_str(), &parts);
        return Permission {
            prefix: request.service.prefix.to_owned(),
            host: format!("{name}.googleapis.com"),
            what,
        };
    }
    let other = OTHERS.iter().find(|(api, of, does, _)| *api == name && *of == collection && *does == verb);
    let what = other.map_or_else(|| format!("{collection}.{verb}"), |(_, _, _, what)| (*what).to_owned());
    let prefix =
        if what == "projects.createBillingAssignment" || (name == "cloudbilling" && what == "projects.get") {
            "resourcemanager"
        } else {
            request.service.prefix
        };
    let host = SERVICES.iter().find(|service| service.prefix == prefix).map_or(name, |service| service.name);
    Permission { prefix: prefix.to_owned(), host: format!("{host}.googleapis.com"), what }
}
