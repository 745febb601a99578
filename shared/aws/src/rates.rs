//! The published quotas of the APIs, as data for the governor.
//!
//! Sources: the quota pages of AWS Organizations, Account Management, Security Token Service, IAM Identity Center and CloudTrail, the
//! throttling page of the EC2 API, and the first page of the Security Hub API reference. Where partitions differ, the lowest number stands here. What a service does not publish is
//! a guess on the slow side: waiting a little costs us nothing, and being throttled costs everybody in the account.

use std::borrow::Cow;

use landfall_engine::governor::Rate;

/// Calls that draw on the same quota of an account. Organizations and Account Management count each operation by itself,
/// EC2 and CloudTrail reading and changing, the others everything together, but for one operation of Security Hub.
pub(crate) fn family(service: &'static str, operation: &str) -> Cow<'static, str> {
    match service {
        "organizations" | "account" => Cow::Owned(format!("{service}/{operation}")),
        "ec2" if is_reading(operation) => Cow::Borrowed("ec2/reading"),
        "ec2" => Cow::Borrowed("ec2/changing"),
        "cloudtrail" if is_reading(operation) => Cow::Borrowed("cloudtrail/reading"),
        "cloudtrail" => Cow::Borrowed("cloudtrail/changing"),
        "securityhub" if operation == "BatchEnableStandards" => {
            Cow::Borrowed("securityhub/BatchEnableStandards")
        }
        _ => Cow::Borrowed(service),
    }
}

/// The quota of a family: its own row, else its service's, else the default.
#[must_use]
pub fn rate(family: &str) -> Rate {
    let row = |name: &str| ROWS.iter().find(|(row, ..)| *row == name).map(|(.., rate)| *rate);
    if let Some(rate) = row(family) {
        return rate;
    }
    match family.split_once('/') {
        Some((service, operation)) if is_reading(operation) => row(service),
        Some(("organizations", _)) => Some(ORGANIZATION_WRITES),
        Some(("account", _)) => Some(ACCOUNT_WRITES),
        Some((service, _)) => row(service),
        None => None,
    }
    .unwrap_or(DEFAULT)
}

fn is_reading(operation: &str) -> bool {
    ["Describe", "List", "Get"].iter().any(|verb| operation.starts_with(verb))
}

const DEFAULT: Rate = Rate::per_second(5, 10);
const ORGANIZATION_WRITES: Rate = Rate::per_second(2, 3);
const ACCOUNT_WRITES: Rate = Rate::per_second(1, 1);

static ROWS: [(&str, Rate); 31] = [
    // Reading that has no row of its own; changing is ORGANIZATION_WRITES.
    ("organizations", Rate::per_second(5, 8)),
    ("organizations/CreateAccount", Rate::new(1, std::time::Duration::from_secs(10), 3)),
    ("organizations/DescribePolicy", Rate::per_second(2, 2)),
    ("organizations/ListAccounts", Rate::per_second(8, 12)),
    ("organizations/ListParents", Rate::per_second(5, 8)),
    ("organizations/ListPolicies", Rate::per_second(5, 8)),
    ("organizations/ListPoliciesForTarget", Rate::per_second(5, 8)),
    ("organizations/TagResource", Rate::per_second(4, 6)),
    ("organizations/UntagResource", Rate::per_second(4, 6)),
    ("account", Rate::per_second(3, 3)),
    ("account/GetAlternateContact", Rate::per_second(3, 5)),
    ("account/GetContactInformation", Rate::per_second(3, 5)),
    ("account/PutAlternateContact", Rate::per_second(1, 6)),
    ("account/DeleteAlternateContact", Rate::per_second(1, 6)),
    ("account/PutContactInformation", Rate::per_second(1, 2)),
    ("account/ListRegions", Rate::per_second(5, 5)),
    ("account/GetRegionOptStatus", Rate::per_second(5, 5)),
    ("ec2/reading", Rate::per_second(20, 50)),
    ("ec2/changing", Rate::per_second(5, 20)),
    ("iam", Rate::per_second(10, 10)),
    ("s3control", Rate::per_second(10, 10)),
    // Identity Center counts all its operations together, at 20.
    ("sso-admin", Rate::per_second(10, 10)),
    ("identitystore", Rate::per_second(10, 10)),
    // 600 are published for an account; ours assumes the roles of all the others.
    ("sts", Rate::per_second(50, 100)),
    // Standard queues have hardly any limit.
    ("sqs", Rate::per_second(100, 100)),
    ("accessanalyzer", Rate::per_second(5, 10)),
    ("guardduty", Rate::per_second(5, 10)),
    ("securityhub", Rate::per_second(10, 10)),
    ("securityhub/BatchEnableStandards", Rate::per_second(1, 1)),
    // DescribeTrails and GetTrailStatus are answered 10 times a second, what changes a trail once.
    ("cloudtrail/reading", Rate::per_second(10, 10)),
    ("cloudtrail/changing", Rate::per_second(1, 1)),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::service::ALL;

    #[test]
    fn a_family_has_the_rate_that_is_published_for_it() {
        let of = |service, operation| rate(&family(service, operation));
        assert_eq!(of("organizations", "ListAccounts"), Rate::per_second(8, 12));
        assert_eq!(of("organizations", "ListRoots"), Rate::per_second(5, 8));
        assert_eq!(of("organizations", "AttachPolicy"), Rate::per_second(2, 3));
        assert_eq!(of("organizations", "MoveAccount"), Rate::per_second(2, 3));
        assert_eq!(of("account", "EnableRegion"), Rate::per_second(1, 1));
        assert_eq!(of("ec2", "DescribeVpcs"), Rate::per_second(20, 50));
        assert_eq!(of("ec2", "DeleteVpc"), Rate::per_second(5, 20));
        assert_eq!(of("iam", "GetRole"), of("iam", "CreateRole"));
        assert_eq!(of("securityhub", "BatchEnableStandards"), Rate::per_second(1, 1));
        assert_eq!(of("securityhub", "GetEnabledStandards"), Rate::per_second(10, 10));
        assert_eq!(of("budgets", "DescribeBudgets"), DEFAULT);
        assert_eq!(rate("anything"), DEFAULT);
    }

    #[test]
    fn every_row_is_about_a_service_that_we_call() {
        for (row, _) in &ROWS {
            let service = row.split('/').next().unwrap();
            assert!(ALL.iter().any(|about| about.name == service), "{row}");
        }
    }
}
