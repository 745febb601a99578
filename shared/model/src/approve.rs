//! The brake between a plan and its application: `apply` takes `Approved`, and only `approve` makes one.
//!
//! First [`hold_back`] takes out what goes too far by itself (a deletion of what people may still use, a policy that reaches too
//! many tenants), so that one such change does not keep the others from being made. What is left must stay within the number of
//! changes, or nothing of it is made.

use serde::{Deserialize, Serialize};

use crate::id::Digest;
use crate::manifest::Limits;
use crate::plan::{Blocked, Plan, Stage};

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

/// Takes the changes out of a plan that go beyond the limits by themselves, with those that need them, and says why.
pub fn hold_back(mut plan: Plan, limits: Limits) -> Plan {
    let lost = plan.changes.iter().filter(|change| change.loses).count();
    let mut held: Vec<Blocked> = Vec::new();
    // Until nothing more is held back: a change may stand before the one it needs.
    loop {
        let mut go = Vec::new();
        let before = held.len();
        for change in plan.changes {
            let reaches = change.reaches.unwrap_or(0);
            let why = if change.loses && lost > number(limits.deletions) {
                Some(passed("deletions", lost, limits.deletions))
            } else if reaches > limits.tenants {
                Some(passed("tenants", number(reaches), limits.tenants))
            } else {
                change
                    .needs
                    .iter()
                    .find(|need| held.iter().any(|blocked| &blocked.change.id == *need))
                    .map(|need| format!("it needs `{need}`, which is held back"))
            };
            match why {
                Some(why) => held.push(Blocked { change, why }),
                None => go.push(change),
            }
        }
        plan.changes = go;
        if held.len() == before {
            plan.blocked.extend(held);
            return plan;
        }
    }
}

/// Lets a plan pass when it stays within the limits.
pub fn approve(plan: Plan, limits: Limits) -> Result<Approved, Refused> {
    let mut reasons = Vec::new();
    let Limits { changes, deletions, tenants, silence: _ } = limits;
    // Closing a new tenant's gate is never too much.
    let counted = plan.changes.iter().filter(|change| change.stage != Stage::Gate).count();
    if counted > number(changes) {
        reasons.push(passed("changes", counted, changes));
    }
    let lost = plan.changes.iter().filter(|change| change.loses).count();
    if lost > number(deletions) {
        reasons.push(passed("deletions", lost, deletions));
    }
    let reached = plan.changes.iter().filter_map(|change| change.reaches).max().unwrap_or(0);
    if reached > tenants {
        reasons.push(passed("tenants", number(reached), tenants));
    }
    if reasons.is_empty() {
        let digest = plan.digest();
        Ok(Approved { plan, digest })
    } else {
        Err(Refused { reasons })
    }
}

fn passed(what: &str, found: usize, limit: u32) -> String {
    format!(
        "{found} {what}, and `limits.{what}` is {limit}; raise it in the manifest, or release one run with `landfall apply --limit {what}={found}`"
    )
}

fn number(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::ControlKind;
    use crate::observed::Address;
    use crate::plan::{Change, Deed};

    fn plan(changes: Vec<Change>) -> Plan {
        Plan {
            run: "20261121T101500Z-00000001".parse().unwrap(),
            target: "aws/222222222222".parse().unwrap(),
            cloud: "aws".parse().unwrap(),
            at: jiff::Timestamp::UNIX_EPOCH,
            bundle: Digest::of(b""),
            changes,
            blocked: Vec::new(),
        }
    }

    fn change(resource: &str) -> Change {
        Change::new(&Address::global(ControlKind::Policies, resource), "create", Deed::Create, "asked")
    }

    const LIMITS: Limits = Limits { changes: 3, deletions: 0, tenants: 10, silence: 3 };

    #[test]
    fn a_plan_within_its_limits_passes_whole() {
        let plan = hold_back(plan(vec![change("a"), change("b")]), LIMITS);
        assert!(plan.blocked.is_empty());
        assert_eq!(approve(plan, LIMITS).unwrap().plan().changes.len(), 2);
    }

    #[test]
    fn one_that_goes_too_far_is_held_back_with_those_that_need_it_and_the_others_go_on() {
        let far = Change { reaches: Some(11), ..change("far") };
        let needs = change("needs").needs(&far.id);
        let lost = Change { loses: true, ..change("lost") };
        let plan = hold_back(plan(vec![far, needs, lost, change("near")]), LIMITS);
        let held: Vec<(&str, &str)> = plan
            .blocked
            .iter()
            .map(|blocked| (blocked.change.address.resource.as_str(), blocked.why.as_str()))
            .collect();
        assert_eq!(held.len(), 3, "{held:?}");
        assert!(held[0].1.starts_with("11 tenants, and `limits.tenants` is 10"), "{held:?}");
        assert!(held[1].1.contains("which is held back"), "{held:?}");
        assert!(held[2].1.starts_with("1 deletions, and `limits.deletions` is 0"), "{held:?}");
        assert_eq!(approve(plan, LIMITS).unwrap().plan().changes.len(), 1);
    }

    #[test]
    fn too_many_changes_are_refused_together() {
        let plan = plan(vec![change("a"), change("b"), change("c"), change("d")]);
        let refused = approve(plan, LIMITS).unwrap_err();
        assert!(refused.to_string().contains("4 changes, and `limits.changes` is 3"), "{refused}");
    }
}
