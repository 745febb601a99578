//! The APIs that are called, each in the version that is called. Tests check every request against Google's discovery documents.

/// One API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Service {
    /// The host is `<name>.googleapis.com`.
    pub(crate) name: &'static str,
    /// The version of it.
    pub(crate) version: &'static str,
}

macro_rules! services {
    ($($(#[$doc:meta])* $const:ident $name:literal $version:literal,)*) => {
        $($(#[$doc])* pub(crate) const $const: Service = Service { name: $name, version: $version };)*

        /// Every one of them.
        pub(crate) const ALL: &[Service] = &[$($const),*];
    };
}

services! {
    /// Organization, folders, projects, tags, liens, and IAM policies on them.
    RESOURCES "cloudresourcemanager" "v3",
    /// Organization policies and custom constraints.
    POLICY "orgpolicy" "v2",
    /// Service accounts, custom roles, workload identity pools.
    IAM "iam" "v1",
    /// IAM deny policies.
    DENY "iam" "v2",
    /// Which APIs are enabled.
    SERVICES "serviceusage" "v1",
    /// Which billing account pays for a project.
    BILLING "cloudbilling" "v1",
    /// Budgets.
    BUDGETS "billingbudgets" "v1",
    /// Whom Google writes to.
    CONTACTS "essentialcontacts" "v1",
    /// Log sinks and buckets, log-based metrics.
    LOGGING "logging" "v2",
    /// Alerting.
    MONITORING "monitoring" "v3",
    /// Asset feeds.
    ASSETS "cloudasset" "v1",
    /// Networks and a project's metadata.
    COMPUTE "compute" "v1",
    /// Who of Google's may look into a project.
    ACCESS_APPROVAL "accessapproval" "v1",
    /// Where work is left for later.
    TASKS "cloudtasks" "v2",
    /// What Security Command Center watches.
    SECURITY "securitycentermanagement" "v1",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_stable_ones() {
        for Service { name, version } in ALL {
            let number = version.strip_prefix('v').unwrap_or_default();
            assert!(number.parse::<u8>().is_ok(), "{name} {version}");
        }
    }
}
