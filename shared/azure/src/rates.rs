//! Resource Manager's quotas, as Microsoft publishes them: buckets for each identity and subscription, and for the directory.
//!
//! Source: <https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling>, "Throttling limits";
//! read in November 2026. Landfall lets half a bucket through at once, so that the people who work there never notice.

use landfall_engine::governor::Rate;

use crate::client::Verb;

/// Operations that draw on the same quota.
pub(crate) const fn family(verb: Verb) -> &'static str {
    match verb {
        Verb::Get => "reads",
        Verb::Put | Verb::Patch | Verb::Post => "writes",
        Verb::Delete => "deletes",
    }
}

/// The quota of a family: reads refill 25 a second from a bucket of 250, writes and deletes 10 a second from one of 200.
#[must_use]
pub fn rate(family: &str) -> Rate {
    match family {
        "reads" => Rate::per_second(25, 125),
        _ => Rate::per_second(10, 100),
    }
}
