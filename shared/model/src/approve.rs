//! The brake between a plan and its application: `apply` takes `Approved`, and only `approve` makes one.

use serde::{Deserialize, Serialize};

use crate::id::Digest;
use crate::manifest::Limits;
use crate::plan::Plan;

/// A plan within its limits. There is no other way to make one than [`approve`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Approved {
    plan: Plan,
    digest: Digest,
}

impl Approved {
    /// The plan.
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The digest of the plan as it was stored.
    pub const fn digest(&self) -> &Digest {
        &self.digest
    }
}

/// A plan that goes beyond its limits, with every reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("the plan goes beyond its limits: {}", reasons.join("; "))]
pub struct Refused {
    /// Each limit that is passed, by how much, and what to do.
    pub reasons: Vec<String>,
}

/// Lets a plan pass when it stays within the limits.
pub fn approve(plan: Plan, limits: Limits) -> Result<Approved, Refused> {
    let Limits { changes, deletions, tenants } = limits;
    let mut reasons = Vec::new();
    let many = |what: &str, found: usize, limit: u32| {
        format!(
            "{found} {what}, and `limits.{what}` is {limit}; raise it in the manifest, or release this run with `--limit {what}={found}`"
        )
    };
    if plan.changes.len() > limit(changes) {
        reasons.push(many("changes", plan.changes.len(), changes));
    }
    let lost = plan.changes.iter().filter(|change| change.loses).count();
    if lost > limit(deletions) {
        reasons.push(many("deletions", lost, deletions));
    }
    let reached = plan.changes.iter().filter_map(|change| change.reaches).max().unwrap_or(0);
    if reached > tenants {
        reasons.push(many("tenants", limit(reached), tenants));
    }
    if reasons.is_empty() {
        let digest = plan.digest();
        Ok(Approved { plan, digest })
    } else {
        Err(Refused { reasons })
    }
}

fn limit(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
