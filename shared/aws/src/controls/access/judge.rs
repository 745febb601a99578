//! What the project's teams have, compared with what they are granted. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use landfall_model::catalog::access::Settings;
use landfall_model::desired::Desired;
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::manifest::AwsRole;
use landfall_model::observed::{Address, Observed, Seen};
use landfall_model::plan::{Change, ChangeId, Deed, Stage};

use super::{Assignment, KIND, PermissionSet, grants, of_grant, of_role, withdrawn};
use crate::controls::{ground, json, kept, reported, unasked};
use crate::endpoint::Partition;

/// Most characters of a permission set's name (IAM Identity Center API reference, CreatePermissionSet).
const LONGEST_NAME: usize = 32;

/// AWS managed policies that stand under `job-function/` and not directly among the others (IAM user guide, "AWS managed policies
/// for job functions"; read in November 2026).
const JOB_FUNCTIONS: [&str; 7] = [
    "Billing",
    "DataScientist",
    "DatabaseAdministrator",
    "NetworkAdministrator",
    "SupportUser",
    "SystemAdministrator",
    "ViewOnlyAccess",
];

pub(super) fn judge(want: &Settings, desired: &Desired, observed: &Observed) -> Vec<Judgement> {
    let mut judgements = Vec::new();
    let grants = grants(want);
    let mut roles: BTreeMap<&str, &AwsRole> = BTreeMap::new();
    for ((role, group), grant) in &grants {
        let address = of_grant(role, group);
        match &grant.rights.aws {
            Some(rights) => {
                roles.insert(role, rights);
                judgements.push(Judgement::of(KIND, &address, observed, |there| {
                    given(role, group, &address, there, observed)
                }));
            }
            None => judgements.push(Judgement {
                control: KIND,
                address,
                verdict: Verdict::NotApplicable { why: format!("the role `{role}` gives nothing on AWS") },
            }),
        }
    }
    for (role, rights) in roles {
        let address = of_role(role);
        let asked = Asked::of(rights, desired);
        judgements.push(Judgement::of(KIND, &address, observed, |there| set(role, &asked, &address, there)));
    }
    for (role, group) in withdrawn(want, desired) {
        let address = of_grant(role, group);
        judgements.push(Judgement::of(KIND, &address, observed, |there| {
            taken(role, group, &address, there, observed)
        }));
    }
    if judgements.is_empty() {
        judgements.push(unasked(KIND, "grants", "no team is given access"));
    }
    judgements
}

/// What a role's permission set should have.
struct Asked {
    policies: BTreeSet<String>,
    hours: u32,
}

impl Asked {
    fn of(rights: &AwsRole, desired: &Desired) -> Self {
        let AwsRole { managed_policies, session_hours } = rights;
        let region = ground(desired).map_or("", |ground| ground.home_region.as_str());
        let partition = Partition::of_region(region).id;
        let policies = managed_policies.iter().map(|policy| arn(policy, partition)).collect();
        Asked { policies, hours: *session_hours }
    }

    fn session(&self) -> String {
        format!("PT{}H", self.hours)
    }
}

fn arn(policy: &str, partition: &str) -> String {
    if policy.starts_with("arn:") {
        policy.to_owned()
    } else if JOB_FUNCTIONS.contains(&policy) {
        format!("arn:{partition}:iam::aws:policy/job-function/{policy}")
    } else {
        format!("arn:{partition}:iam::aws:policy/{policy}")
    }
}

/// The seconds of `PT8H`, `PT1H30M` or `PT3600S`.
fn seconds(duration: &str) -> Option<u64> {
    let mut rest = duration.strip_prefix("PT")?;
    let mut seconds = 0;
    while !rest.is_empty() {
        let unit = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest.get(..unit)?.parse().ok()?;
        let factor = match rest.get(unit..=unit)? {
            "H" => 3600,
            "M" => 60,
            "S" => 1,
            _ => return None,
        };
        seconds += number * factor;
        rest = rest.get(unit + 1..)?;
    }
    Some(seconds)
}

/// A role's permission set: made when it is missing; what is missing in one that is there is added, what others added stays.
fn set(role: &str, asked: &Asked, address: &Address, there: Option<&Value>) -> Verdict {
    let set: Option<PermissionSet> = match kept(there) {
        Ok(set) => set,
        Err(unknown) => return unknown,
    };
    let Some(set) = set else {
        if role.chars().count() > LONGEST_NAME {
            return reported(format!(
                "`{role}` is longer than the {LONGEST_NAME} characters of a permission set's name"
            ));
        }
        let after = json!({"Policies": asked.policies, "Session": asked.session()});
        let reason = format!("there is no permission set `{role}`");
        return Verdict::fails(
            Change::new(address, "create", Deed::Create, reason).after(after).at(Stage::Handover),
        );
    };
    let missing: Vec<&String> = asked.policies.difference(&set.policies).collect();
    let same_length = seconds(&set.session) == Some(u64::from(asked.hours) * 3600);
    if missing.is_empty() && same_length {
        return Verdict::Holds;
    }
    let mut why: Vec<String> =
        missing.iter().map(|policy| format!("the permission set `{role}` lacks `{policy}`")).collect();
    if !same_length {
        why.push(format!("its sessions last `{}`, not `{}`", set.session, asked.session()));
    }
    let after = PermissionSet {
        permission_set: set.permission_set.clone(),
        policies: set.policies.union(&asked.policies).cloned().collect(),
        session: if same_length { set.session } else { asked.session() },
    };
    Verdict::fails(
        Change::new(address, "update", Deed::Update, why.join("; "))
            .before(there.cloned())
            .after(json(&after))
            .at(Stage::Handover),
    )
}

/// The ARN of a role's permission set, or the change that makes it.
fn set_of(role: &str, observed: &Observed) -> Result<(Option<String>, Option<ChangeId>), Verdict> {
    match observed.seen(&of_role(role)) {
        Seen::Present(value) => {
            let set: Option<PermissionSet> = kept(Some(&value))?;
            Ok((set.map(|set| set.permission_set), None))
        }
        Seen::Absent if role.chars().count() > LONGEST_NAME => {
            Err(reported(format!("the role `{role}` has no permission set")))
        }
        Seen::Absent => Ok((None, Some(ChangeId(format!("{}#create", of_role(role)))))),
        Seen::Unreadable(why) => Err(Verdict::Unknown { why }),
        Seen::NotOffered(why) => Err(Verdict::NotApplicable { why }),
    }
}

/// A grant that is asked.
fn given(role: &str, group: &str, address: &Address, there: Option<&Value>, observed: &Observed) -> Verdict {
    let assignment: Assignment = match kept(there) {
        Ok(Some(assignment)) => assignment,
        Ok(None) => Assignment { group: None, assigned: false },
        Err(unknown) => return unknown,
    };
    let Assignment { group: id, assigned } = assignment;
    let Some(id) = id else { return reported(format!("the identity provider has no group `{group}`")) };
    if assigned {
        return Verdict::Holds;
    }
    let (set, created_by) = match set_of(role, observed) {
        Ok(set) => set,
        Err(verdict) => return verdict,
    };
    let reason = format!("the group `{group}` does not hold the role `{role}` here");
    let mut assign = Change::new(address, "assign", Deed::Create, reason)
        .before(there.cloned())
        .after(json!({"Assigned": true}))
        .with(json!({"PermissionSet": set, "Group": id}))
        .at(Stage::Handover);
    assign.needs.extend(created_by);
    Verdict::fails(assign)
}

/// A grant that Landfall made and that nobody asks for any more.
fn taken(role: &str, group: &str, address: &Address, there: Option<&Value>, observed: &Observed) -> Verdict {
    let assignment: Option<Assignment> = match kept(there) {
        Ok(assignment) => assignment,
        Err(unknown) => return unknown,
    };
    let held = assignment.filter(|one| one.assigned).and_then(|one| one.group);
    let gone = Verdict::NotApplicable {
        why: format!("`{group}` is no longer granted `{role}`, and has it no more"),
    };
    let Some(id) = held else { return gone };
    match set_of(role, observed) {
        Ok((Some(set), _)) => Verdict::fails(
            Change::new(
                address,
                "remove",
                Deed::Delete,
                format!("the group `{group}` is no longer granted the role `{role}`"),
            )
            .before(there.cloned())
            .after(json!({"Assigned": false}))
            .with(json!({"PermissionSet": set, "Group": id}))
            .at(Stage::Handover),
        ),
        Ok((None, _)) => gone,
        Err(verdict) => verdict,
    }
}

#[cfg(test)]
mod tests;
