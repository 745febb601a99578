//! The APIs that are called, each in the version that is called. Versions are those of the published management SDKs, which the tests
//! check every request against.

/// One API of a resource provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Service {
    /// The resource provider's namespace.
    pub(crate) namespace: &'static str,
    /// The version of its API.
    pub(crate) version: &'static str,
}

macro_rules! services {
    ($($(#[$doc:meta])* $name:ident $namespace:literal $version:literal,)*) => {
        $($(#[$doc])* pub(crate) const $name: Service = Service { namespace: $namespace, version: $version };)*

        /// Every one of them.
        #[cfg(test)]
        pub(crate) const ALL: &[Service] = &[$($name),*];
    };
}

services! {
    /// Subscriptions, to look at.
    SUBSCRIPTIONS "Microsoft.Resources" "2022-12-01",
    /// Tags, resource groups and resource providers.
    RESOURCES "Microsoft.Resources" "2025-04-01",
    /// Management groups, who is in them, and the settings of the hierarchy.
    GROUPS "Microsoft.Management" "2023-04-01",
    /// Names of subscriptions, and who may leave the directory.
    SUBSCRIPTION "Microsoft.Subscription" "2021-10-01",
    /// Policy definitions and assignments.
    POLICY "Microsoft.Authorization" "2026-06-01",
    /// Policy exemptions, of which only previews exist.
    EXEMPTIONS "Microsoft.Authorization" "2022-07-01-preview",
    /// Role definitions and assignments.
    ROLES "Microsoft.Authorization" "2022-04-01",
    /// Locks.
    LOCKS "Microsoft.Authorization" "2020-05-01",
    /// Budgets.
    BUDGETS "Microsoft.Consumption" "2024-08-01",
    /// Plans of Defender for Cloud.
    PRICINGS "Microsoft.Security" "2024-01-01",
    /// Whom Defender for Cloud writes to, of which only previews exist.
    CONTACTS "Microsoft.Security" "2023-12-01-preview",
    /// Where a subscription's activity log goes, of which only previews exist.
    DIAGNOSTICS "Microsoft.Insights" "2021-05-01-preview",
    /// Where a management group's activity log goes, of which only previews exist.
    GROUP_DIAGNOSTICS "Microsoft.Insights" "2020-01-01-preview",
    /// Alerts on the activity log.
    ALERTS "Microsoft.Insights" "2020-10-01",
    /// Who is told of an alert.
    ACTION_GROUPS "Microsoft.Insights" "2023-01-01",
    /// Whether Microsoft asks before it looks, of which only previews exist.
    LOCKBOX "Microsoft.CustomerLockbox" "2018-02-28-preview",
    /// User-assigned identities, and who elsewhere may become them.
    IDENTITIES "Microsoft.ManagedIdentity" "2024-11-30",
    /// What policies found, and their repair.
    REMEDIATIONS "Microsoft.PolicyInsights" "2024-10-01",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_dates() {
        for Service { namespace, version } in ALL {
            assert!(namespace.starts_with("Microsoft."), "{namespace}");
            let date = version.trim_end_matches("-preview");
            assert!(date.parse::<jiff::civil::Date>().is_ok(), "{namespace} {version}");
        }
    }
}
