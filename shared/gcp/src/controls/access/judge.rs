//! What the project's teams have, compared with what they are granted, and the definitions of the manifest's own roles. Pure.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use landfall_engine::control::kept;
use landfall_engine::strangers::strangers;
use landfall_model::catalog::access::Settings;
use landfall_model::desired::Desired;
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::manifest::{GcpIdentities, GcpRole};
use landfall_model::observed::{Address, Observed};
use landfall_model::plan::{Change, Deed, Stage};

use super::{
    Definition, Grant, Held, Holder, KIND, LONGEST_ID, MARK, Owners, dropped, grants, member, of_grant,
    of_owners, of_role, own_id, own_name, withdrawn,
};
use crate::controls::iam_policy::same;
use crate::controls::{ground, json, reported};

pub(super) fn judge(want: &Settings, desired: &Desired, observed: &Observed) -> Vec<Judgement> {
    let mut judgements = Vec::new();
    for grant in grants(want, desired).values() {
        let address = grant.address();
        judgements.push(if grant.is_by_mail() {
            Judgement::of(KIND, &address, observed, |there| given(grant, &address, there))
        } else {
            let why = format!("`{}` is not the mail address of a group: give that", grant.group);
            Judgement { control: KIND, address, verdict: reported(why) }
        });
    }
    for (group, role) in withdrawn(want, desired) {
        let address = of_grant(group, role);
        judgements.push(Judgement::of(KIND, &address, observed, |there| taken(group, role, &address, there)));
    }
    let silent = want.grants.iter().filter(|grant| grant.rights.gcp.is_empty());
    for role in silent.map(|grant| grant.role.as_str()).collect::<BTreeSet<_>>() {
        let why = format!("the role `{role}` gives nothing on Google Cloud");
        let verdict = Verdict::NotApplicable { why };
        judgements.push(Judgement { control: KIND, address: of_role(role), verdict });
    }
    judgements.push(Judgement::of(KIND, &of_owners(), observed, |there| owners(want, desired, there)));
    judgements
}

fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// A grant that is asked.
fn given(grant: &Grant<'_>, address: &Address, there: Option<&Value>) -> Verdict {
    let Grant { group, role, roles } = grant;
    let Held { held, under_condition } = match kept::<Held>(there) {
        Ok(held) => held.unwrap_or_default(),
        Err(unknown) => return unknown,
    };
    if held {
        return Verdict::Holds;
    }
    let roles = list(roles.iter().copied());
    let how = if under_condition { "only under a condition holds" } else { "does not hold" };
    let reason = format!("the group `{group}` {how} `{role}` here, which {roles} should give");
    Verdict::fails(
        Change::new(address, "grant", Deed::Create, reason)
            .before(there.cloned())
            .after(json!({"held": true}))
            .with(json!({"group": group, "role": role}))
            .at(Stage::Handover),
    )
}

/// A grant that Landfall made and that nobody asks for any more.
fn taken(group: &str, role: &str, address: &Address, there: Option<&Value>) -> Verdict {
    let held: Held = match kept(there) {
        Ok(held) => held.unwrap_or_default(),
        Err(unknown) => return unknown,
    };
    if !held.held {
        let why = format!("`{group}` is no longer granted `{role}`, and has it no more");
        return Verdict::NotApplicable { why };
    }
    let reason = format!("the group `{group}` is no longer granted `{role}`");
    // Rights that nobody grants any more are taken at once: no limit of deletions holds that up, as on AWS.
    Verdict::fails(
        Change::new(address, "revoke", Deed::Delete, reason)
            .before(there.cloned())
            .after(json!({"held": false}))
            .with(json!({"group": group, "role": role}))
            .at(Stage::Handover),
    )
}

/// Whoever could open the gate from inside and whom the manifest does not name. Nobody is taken out: who made a project is its owner,
/// and may be the only one.
fn owners(want: &Settings, desired: &Desired, there: Option<&Value>) -> Verdict {
    let Owners { holders, unread } = match kept::<Owners>(there) {
        Ok(owners) => owners.unwrap_or_default(),
        Err(unknown) => return unknown,
    };
    let Some(ground) = ground(desired) else {
        return Verdict::NotApplicable { why: "this is not Google Cloud".to_owned() };
    };
    let GcpIdentities { read, write, bootstrap } = &ground.identities;
    let ours: Vec<String> =
        [read, write].into_iter().flatten().map(|email| format!("serviceAccount:{email}")).collect();
    let spared: Vec<&String> = desired.break_glass.iter().chain(bootstrap).chain(&ours).collect();
    let here = format!("projects/{}", desired.target.tenant().map_or("", |tenant| tenant.native()));
    let grants = grants(want, desired);
    let granted = |holder: &Holder| {
        holder.place == here
            && grants
                .values()
                .any(|grant| grant.role == holder.role && same(&member(grant.group), &holder.member))
    };
    let stranger = |holder: &&Holder| !spared.iter().any(|one| same(one, &holder.member)) && !granted(holder);
    let told = |holders: &BTreeSet<Holder>| -> Vec<String> {
        holders.iter().filter(stranger).map(|holder| tell(holder, &here)).collect()
    };
    strangers(&told(&holders), &told(&unread), &desired.standing, "so to open the gate")
}

fn tell(holder: &Holder, here: &str) -> String {
    let Holder { member, role, place, condition } = holder;
    let place = if place == here { String::new() } else { format!(" on `{place}`") };
    let condition = if *condition { ", under a condition" } else { "" };
    format!("`{member}` ({role}{place}{condition})")
}

/// The definitions of the manifest's own roles.
pub(super) fn definitions(want: &Settings, desired: &Desired, observed: &Observed) -> Vec<Judgement> {
    let mut judgements = Vec::new();
    for (role, rights) in &want.roles {
        let address = of_role(role.as_str());
        judgements.push(Judgement::of(KIND, &address, observed, |there| {
            defined(role.as_str(), &rights.gcp, desired, &address, there)
        }));
    }
    for role in dropped(want, desired) {
        let address = of_role(role);
        judgements
            .push(Judgement::of(KIND, &address, observed, |there| undefined(role, desired, &address, there)));
    }
    if judgements.is_empty() {
        judgements.push(crate::controls::unasked(KIND, "roles", "no role needs a definition of its own"));
    }
    judgements
}

fn defined(
    role: &str,
    rights: &GcpRole,
    desired: &Desired,
    address: &Address,
    there: Option<&Value>,
) -> Verdict {
    let there_is: Option<Definition> = match kept(there) {
        Ok(definition) => definition,
        Err(unknown) => return unknown,
    };
    let GcpRole { roles: _, permissions } = rights;
    let id = own_id(desired, role);
    if id.len() > LONGEST_ID {
        return reported(format!(
            "`{id}` is longer than the {LONGEST_ID} letters that an id may have: call the role otherwise"
        ));
    }
    let asked = Definition {
        title: format!("Landfall: {role}"),
        included_permissions: permissions.iter().cloned().collect(),
        stage: "GA".to_owned(),
        deleted: false,
    };
    let (deed, reason) = match &there_is {
        None => (Deed::Create, format!("there is no role `{id}`")),
        Some(there) => match differs(there, &asked) {
            None => return Verdict::Holds,
            // It is ours from now on, whoever deleted it.
            Some(how) if there.deleted => (Deed::Create, format!("the role `{id}` {how}")),
            Some(how) => (Deed::Update, format!("the role `{id}` {how}")),
        },
    };
    let description = format!("{MARK} as the role {role} of {}. Changes are put back.", desired.organization);
    Verdict::fails(
        Change::new(address, "define", deed, reason)
            .before(there.cloned())
            .after(json(&asked))
            .with(json!({"role": own_name(desired, role), "description": description}))
            .at(Stage::Foundation),
    )
}

/// How a definition is not what is asked.
fn differs(there: &Definition, asked: &Definition) -> Option<String> {
    let Definition { title, included_permissions, stage, deleted } = there;
    if *deleted {
        return Some("was deleted".to_owned());
    }
    let mut how = Vec::new();
    let missing = &asked.included_permissions - included_permissions;
    let surplus = included_permissions - &asked.included_permissions;
    if !missing.is_empty() {
        how.push(format!("lacks {}", list(missing.iter().map(String::as_str))));
    }
    if !surplus.is_empty() {
        how.push(format!("has {}, which nobody asks for", list(surplus.iter().map(String::as_str))));
    }
    if *title != asked.title {
        how.push(format!("is called `{title}`"));
    }
    if *stage != asked.stage {
        how.push(format!("is set to `{stage}`"));
    }
    if how.is_empty() { None } else { Some(how.join("; ")) }
}

/// A definition that Landfall made and that the manifest no longer has. Bindings of it stay where they are, and give nothing.
fn undefined(role: &str, desired: &Desired, address: &Address, there: Option<&Value>) -> Verdict {
    let id = own_id(desired, role);
    match kept::<Definition>(there) {
        Ok(Some(Definition { deleted: false, .. })) => {}
        Ok(_) => {
            return Verdict::NotApplicable {
                why: format!("the role `{id}` is no longer asked for, and is gone"),
            };
        }
        Err(unknown) => return unknown,
    }
    let mut change =
        Change::new(address, "drop", Deed::Delete, format!("the role `{id}` is no longer asked for"))
            .before(there.cloned())
            .after(json!({"deleted": true}))
            .with(json!({"role": own_name(desired, role)}))
            .at(Stage::Foundation);
    change.loses = true;
    Verdict::fails(change)
}

#[cfg(test)]
mod tests;
