//! Google's quotas, as it publishes them: for each API, and for the project that calls, which is the one that our service accounts are
//! in, whomever a call is about.
//!
//! Read in November 2026.

use landfall_engine::governor::Rate;

use crate::client::Verb;
use crate::client::service::{COMPUTE, DENY, IAM, RESOURCES, SERVICES, Service};

/// Operations that draw on the same quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Family {
    name: &'static str,
    /// How many a minute.
    minute: u32,
    /// The page that says so.
    source: &'static str,
}

macro_rules! families {
    ($($const:ident $name:literal $minute:literal $source:expr,)*) => {
        $(const $const: Family = Family { name: $name, minute: $minute, source: $source };)*

        const ALL: &[Family] = &[$($const),*];
    };
}

const RESOURCE_LIMITS: &str = "https://cloud.google.com/resource-manager/docs/limits";
const IAM_QUOTAS: &str = "https://cloud.google.com/iam/quotas";
const USAGE_QUOTAS: &str = "https://cloud.google.com/service-usage/docs/quotas";
const COMPUTE_QUOTAS: &str = "https://cloud.google.com/compute/api-quota";
/// The pages of the other APIs name no figure a minute. What Resource Manager allows is taken for the least that any of them does.
const NO_PAGE: &str = RESOURCE_LIMITS;

families! {
    RESOURCE_READS "resource manager reads" 600 RESOURCE_LIMITS,
    RESOURCE_SEARCHES "resource manager searches" 240 RESOURCE_LIMITS,
    RESOURCE_WRITES "resource manager writes" 600 RESOURCE_LIMITS,
    FOLDER_CREATIONS "folder creations" 6 RESOURCE_LIMITS,
    FOLDER_MOVES "folder moves" 6 RESOURCE_LIMITS,
    IAM_READS "iam reads" 6000 IAM_QUOTAS,
    IAM_WRITES "iam writes" 600 IAM_QUOTAS,
    DENY_READS "deny policy reads" 5 IAM_QUOTAS,
    DENY_WRITES "deny policy writes" 5 IAM_QUOTAS,
    SERVICE_READS "service usage reads" 240 USAGE_QUOTAS,
    SERVICE_WRITES "service usage writes" 60 USAGE_QUOTAS,
    // Each counts as five writes.
    SERVICE_BATCHES "service usage batches" 12 USAGE_QUOTAS,
    COMPUTE_READS "compute reads" 1500 COMPUTE_QUOTAS,
    COMPUTE_WRITES "compute writes" 1500 COMPUTE_QUOTAS,
    OTHER_READS "other reads" 600 NO_PAGE,
    OTHER_WRITES "other writes" 600 NO_PAGE,
}

/// Whose quota a call draws on besides: which API's, and which part of it.
pub(crate) fn family(service: &Service, verb: Verb, path: &str) -> &'static str {
    let path = path.split('?').next().unwrap_or_default();
    let method = path.rsplit_once(':').map(|(_, method)| method);
    // What only looks, though it is posted.
    let looks = verb == Verb::Get
        || matches!(
            method,
            Some("getIamPolicy" | "testIamPermissions" | "getEffectivePolicy" | "queryGrantableRoles")
        );
    let family = match *service {
        RESOURCES if verb == Verb::Get && method == Some("search") => RESOURCE_SEARCHES,
        RESOURCES if verb == Verb::Post && path == "folders" => FOLDER_CREATIONS,
        RESOURCES if verb == Verb::Post && path.starts_with("folders/") && method == Some("move") => {
            FOLDER_MOVES
        }
        RESOURCES if looks => RESOURCE_READS,
        RESOURCES => RESOURCE_WRITES,
        // The policies alone are counted so strictly, not whoever asks after an operation.
        DENY if looks && path.contains("/operations/") => IAM_READS,
        DENY if looks => DENY_READS,
        DENY => DENY_WRITES,
        IAM if looks => IAM_READS,
        IAM => IAM_WRITES,
        SERVICES if looks => SERVICE_READS,
        SERVICES if method == Some("batchEnable") => SERVICE_BATCHES,
        SERVICES => SERVICE_WRITES,
        COMPUTE if looks => COMPUTE_READS,
        COMPUTE => COMPUTE_WRITES,
        _ if looks => OTHER_READS,
        _ => OTHER_WRITES,
    };
    family.name
}

/// What is used of a family's quota: four fifths of a minute's calls, and a tenth of them at once, so that no minute has more than it may.
#[must_use]
pub fn rate(family: &str) -> Rate {
    let known = ALL.iter().find(|known| known.name == family);
    let minute = known.map_or(OTHER_WRITES.minute, |known| known.minute);
    Rate::per_minute(minute * 4 / 5, (minute / 10).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::service::{self, BUDGETS};

    #[test]
    fn each_call_is_counted_where_google_counts_it() {
        for (service, verb, path, expected) in [
            (RESOURCES, Verb::Get, "projects:search?pageSize=500", "resource manager searches"),
            (RESOURCES, Verb::Get, "projects/acme", "resource manager reads"),
            (RESOURCES, Verb::Post, "projects/acme:getIamPolicy", "resource manager reads"),
            (RESOURCES, Verb::Post, "projects/acme:setIamPolicy", "resource manager writes"),
            (RESOURCES, Verb::Post, "folders", "folder creations"),
            (RESOURCES, Verb::Post, "folders/1:move", "folder moves"),
            (RESOURCES, Verb::Post, "projects/acme:move", "resource manager writes"),
            (DENY, Verb::Get, "policies/x/denypolicies/gate", "deny policy reads"),
            (DENY, Verb::Get, "policies/x/operations/1", "iam reads"),
            (DENY, Verb::Delete, "policies/x/denypolicies/gate", "deny policy writes"),
            (SERVICES, Verb::Post, "projects/acme/services:batchEnable", "service usage batches"),
            (COMPUTE, Verb::Delete, "projects/acme/global/networks/default", "compute writes"),
            (BUDGETS, Verb::Patch, "billingAccounts/1/budgets/2", "other writes"),
        ] {
            assert_eq!(family(&service, verb, path), expected, "{path}");
        }
    }

    #[test]
    fn every_family_has_a_quota_and_says_who_told_it() {
        for Family { name, minute, source } in ALL {
            assert!(source.starts_with("https://cloud.google.com/"), "{name}");
            assert!(minute * 4 / 5 > 0 && minute * 4 / 5 + (minute / 10).max(1) <= *minute, "{name}");
        }
        for service in service::ALL {
            for verb in [Verb::Get, Verb::Put, Verb::Patch, Verb::Post, Verb::Delete] {
                let name = family(service, verb, "projects/acme");
                assert!(ALL.iter().any(|family| family.name == name), "{name}");
            }
        }
    }
}
