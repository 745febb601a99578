//! Google's quotas, as it publishes them, for each project that calls and each API.
//!
//! Sources: <https://cloud.google.com/resource-manager/docs/limits>, <https://cloud.google.com/iam/quotas>,
//! <https://cloud.google.com/service-usage/docs/service-usage-quotas>; read in November 2026. Landfall lets half a bucket through at
//! once, so that the people who work there never notice.

use landfall_engine::governor::Rate;

use crate::client::Verb;
use crate::client::service::{DENY, Service};

/// Operations that draw on the same quota.
pub(crate) fn family(service: &Service, verb: Verb) -> &'static str {
    match (service, verb) {
        (service, Verb::Get) if *service == DENY => "deny reads",
        (service, _) if *service == DENY => "deny writes",
        (_, Verb::Get) => "reads",
        (_, Verb::Put | Verb::Patch | Verb::Post | Verb::Delete) => "writes",
    }
}

/// The quota of a family. IAM deny policies allow five reads and five writes a minute.
#[must_use]
pub fn rate(family: &str) -> Rate {
    match family {
        "deny reads" | "deny writes" => Rate::per_minute(5, 5),
        "reads" => Rate::per_second(10, 50),
        _ => Rate::per_second(5, 25),
    }
}
