//! What the project's teams have, compared with what they are granted. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use landfall_model::catalog::access::Settings;
use landfall_model::desired::Desired;
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::manifest::AwsRole;
use landfall_model::observed::{Address, Observed, Seen};
use landfall_model::plan::{Change, ChangeId, Deed, Stage};

use super::{Assignment, KIND, MARK, PermissionSet, grants, is_marked, of_grant, of_role, withdrawn};
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
                let carrier = || carrier(role, &Asked::of(role, rights, desired), observed);
                judgements.push(Judgement::of(KIND, &address, observed, |there| {
                    given(role, group, &address, there, carrier)
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
        let asked = Asked::of(role, rights, desired);
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
    /// The ledger shows that Landfall made the role's set, whatever is written on it.
    made: bool,
}

/// What can be done with a permission set that is there.
enum Fit {
    /// It carries what is asked.
    Right,
    /// It is ours, and will carry what is asked.
    Drifted,
    /// It is not ours, or carries what is not ours to take out.
    Barred,
}

impl Asked {
    fn of(role: &str, rights: &AwsRole, desired: &Desired) -> Self {
        let AwsRole { managed_policies, session_hours } = rights;
        let region = ground(desired).map_or("", |ground| ground.home_region.as_str());
        let partition = Partition::of_region(region).id;
        let policies = managed_policies.iter().map(|policy| arn(policy, partition)).collect();
        let made = desired.record.made.contains(&of_role(role));
        Asked { policies, hours: *session_hours, made }
    }

    fn session(&self) -> String {
        format!("PT{}H", self.hours)
    }

    fn has_length(&self, set: &PermissionSet) -> bool {
        seconds(&set.session) == Some(self.length())
    }

    fn length(&self) -> u64 {
        u64::from(self.hours) * 3600
    }

    fn is_ours(&self, set: &PermissionSet) -> bool {
        self.made || is_marked(set.description.as_deref())
    }

    /// It lets people do more, or for longer.
    fn is_exceeded(&self, set: &PermissionSet) -> bool {
        set.inline_policy
            || !set.policies.is_subset(&self.policies)
            || seconds(&set.session).is_none_or(|length| length > self.length())
    }

    fn fit(&self, set: &PermissionSet) -> Fit {
        let equal = set.policies == self.policies && self.has_length(set);
        match (set.inline_policy, equal, self.is_ours(set)) {
            (true, _, _) | (false, false, false) => Fit::Barred,
            (false, true, _) => Fit::Right,
            (false, false, true) => Fit::Drifted,
        }
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

/// A role's permission set: made when it is missing, and kept as the role asks where Landfall made it. One that others made is left
/// as it is.
fn set(role: &str, asked: &Asked, address: &Address, there: Option<&Value>) -> Verdict {
    let set: Option<PermissionSet> = match kept(there) {
        Ok(set) => set,
        Err(unknown) => return unknown,
    };
    match set {
        None if role.chars().count() > LONGEST_NAME => reported(format!(
            "`{role}` is longer than the {LONGEST_NAME} characters of a permission set's name"
        )),
        None => {
            let after = json!({"Description": MARK, "Policies": asked.policies, "Session": asked.session()});
            let reason = format!("there is no permission set `{role}`");
            let create = Change::new(address, "create", Deed::Create, reason);
            Verdict::fails(create.after(after).at(Stage::Handover))
        }
        Some(set) if asked.is_ours(&set) => ours(role, asked, address, there, set),
        Some(set) => match asked.fit(&set) {
            Fit::Right => Verdict::Holds,
            Fit::Drifted | Fit::Barred => {
                let carries = if asked.is_exceeded(&set) { "more than asked" } else { "something else" };
                reported(format!(
                    "`{role}` exists and is not Landfall's: it carries {carries}; rename the role or remove the set"
                ))
            }
        },
    }
}

/// A permission set that Landfall made: the manifest says all that it carries. An inline policy is somebody's own work, and is told.
fn ours(role: &str, asked: &Asked, address: &Address, there: Option<&Value>, set: PermissionSet) -> Verdict {
    let missing = asked.policies.difference(&set.policies);
    let surplus = set.policies.difference(&asked.policies);
    let mut differs: Vec<String> = missing
        .map(|policy| format!("the permission set `{role}` lacks `{policy}`"))
        .chain(surplus.map(|policy| {
            format!("the permission set `{role}` carries `{policy}`, which the role does not ask for")
        }))
        .collect();
    let same_length = asked.has_length(&set);
    if !same_length {
        differs.push(format!("its sessions last `{}`, not `{}`", set.session, asked.session()));
    }
    let inline = set.inline_policy.then(|| {
        format!("the permission set `{role}` has an inline policy, which the role does not ask for: take it out by hand")
    });
    let reason = differs.join("; ");
    differs.extend(inline);
    if differs.is_empty() {
        return Verdict::Holds;
    }
    let mut changes = Vec::new();
    if !reason.is_empty() {
        let after = PermissionSet {
            policies: asked.policies.clone(),
            session: if same_length { set.session } else { asked.session() },
            description: set.description.or_else(|| Some(MARK.to_owned())),
            ..set
        };
        let update = Change::new(address, "update", Deed::Update, reason);
        changes.push(update.before(there.cloned()).after(json(&after)).at(Stage::Handover));
    }
    Verdict::Fails { why: differs.join("; "), changes }
}

/// What a group is given: the ARN of a role's permission set, and the change that makes or mends it first. A set that carries
/// something else than what is asked is given to nobody.
fn carrier(
    role: &str,
    asked: &Asked,
    observed: &Observed,
) -> Result<(Option<String>, Option<ChangeId>), Verdict> {
    let first = |verb: &str| Some(ChangeId(format!("{}#{verb}", of_role(role))));
    let Some(set) = set_of(role, observed)? else {
        return match role.chars().count() > LONGEST_NAME {
            true => Err(reported(format!("the role `{role}` has no permission set"))),
            false => Ok((None, first("create"))),
        };
    };
    match asked.fit(&set) {
        Fit::Right => Ok((Some(set.permission_set), None)),
        Fit::Drifted => Ok((Some(set.permission_set), first("update"))),
        Fit::Barred => Err(reported(format!(
            "the role `{role}` has no permission set that carries what is asked and no more"
        ))),
    }
}

/// A role's permission set; nothing where there is none.
fn set_of(role: &str, observed: &Observed) -> Result<Option<PermissionSet>, Verdict> {
    match observed.seen(&of_role(role)) {
        Seen::Present(value) => kept(Some(&value)),
        Seen::Absent => Ok(None),
        Seen::Unreadable(why) => Err(Verdict::Unknown { why }),
        Seen::NotOffered(why) => Err(Verdict::NotApplicable { why }),
    }
}

/// A grant that is asked.
fn given(
    role: &str,
    group: &str,
    address: &Address,
    there: Option<&Value>,
    carrier: impl FnOnce() -> Result<(Option<String>, Option<ChangeId>), Verdict>,
) -> Verdict {
    let assignment: Assignment = match kept(there) {
        Ok(Some(assignment)) => assignment,
        Ok(None) => Assignment { group: None, assigned: false },
        Err(unknown) => return unknown,
    };
    let Assignment { group: id, assigned } = assignment;
    let Some(id) = id else { return reported(format!("the identity provider has no group `{group}`")) };
    let (set, first) = match carrier() {
        Ok(found) => found,
        Err(verdict) => return verdict,
    };
    if assigned {
        return Verdict::Holds;
    }
    let reason = format!("the group `{group}` does not hold the role `{role}` here");
    let mut assign = Change::new(address, "assign", Deed::Create, reason)
        .before(there.cloned())
        .after(json!({"Assigned": true}))
        .with(json!({"PermissionSet": set, "Group": id}))
        .at(Stage::Handover);
    assign.needs.extend(first);
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
        Ok(Some(set)) => Verdict::fails(
            Change::new(
                address,
                "remove",
                Deed::Delete,
                format!("the group `{group}` is no longer granted the role `{role}`"),
            )
            .before(there.cloned())
            .after(json!({"Assigned": false}))
            .with(json!({"PermissionSet": set.permission_set, "Group": id}))
            .at(Stage::Handover),
        ),
        Ok(None) => gone,
        Err(verdict) => verdict,
    }
}

#[cfg(test)]
mod tests;
