//! How large a service control policy may be, and how many fit on one target.

use crate::endpoint::Partition;

/// The quotas of one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quota {
    /// Characters in one document, as it is sent.
    pub(super) characters: usize,
    /// Policies attached directly to one root, unit or account; what is inherited does not count, FullAWSAccess does.
    pub(super) attached: usize,
}

/// The rows that differ from the last, which holds for every other partition.
///
/// Source: AWS Organizations user guide, "Quotas and service limits for AWS Organizations", read in November 2026. Both numbers
/// were 5,120 and 5 until May 2026. What is announced for the commercial partition alone is not counted on elsewhere: a policy
/// that is split once too often holds, one that is too large does not.
static ROWS: [(&str, Quota); 1] = [("aws", Quota { characters: 10_240, attached: 10 })];

const ELSEWHERE: Quota = Quota { characters: 5_120, attached: 5 };

impl Quota {
    /// The quotas of the partition that a region is in.
    pub(super) fn of(partition: &Partition) -> Quota {
        ROWS.iter().find(|(id, _)| *id == partition.id).map_or(ELSEWHERE, |(_, quota)| *quota)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_announced_for_a_partition_is_not_counted_on() {
        assert_eq!(Quota::of(Partition::of_region("eu-central-1")).characters, 10_240);
        assert_eq!(Quota::of(Partition::of_region("cn-north-1")), ELSEWHERE);
    }
}
