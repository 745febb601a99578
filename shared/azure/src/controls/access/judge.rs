//! What the project's teams have, compared with what they are granted, and the definitions of the manifest's own roles. Pure.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use landfall_engine::control::kept;
use landfall_engine::strangers::strangers;
use landfall_model::catalog::access::Settings;
use landfall_model::desired::Desired;
use landfall_model::id::UnitPath;
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::manifest::AzureRole;
use landfall_model::observed::{Address, Observed, Seen};
use landfall_model::plan::{Change, Deed, Stage};

use super::{
    Definition, Grant, Held, Holder, KIND, MARK, Owners, Permission, assignment_name, dropped, grants, key,
    of_grant, of_owners, of_role, own_id, own_name, root_scope, withdrawn,
};
use crate::controls::{ground, json, reported, units};

pub(super) fn judge(want: &Settings, desired: &Desired, observed: &Observed) -> Vec<Judgement> {
    let mut judgements = Vec::new();
    for grant in grants(want, desired).values() {
        let address = grant.address();
        judgements.push(if grant.is_by_id() {
            Judgement::of(KIND, &address, observed, |there| given(grant, desired, &address, there))
        } else {
            let why = format!("`{}` is not the object id of a group: give that", grant.group);
            Judgement { control: KIND, address, verdict: reported(why) }
        });
    }
    for (group, azure) in withdrawn(want, desired) {
        let address = of_grant(group, azure);
        judgements.push(Judgement::of(KIND, &address, observed, |there| {
            taken(group, azure, desired, &address, there)
        }));
    }
    let silent = want.grants.iter().filter(|grant| grant.rights.azure.is_empty());
    for role in silent.map(|grant| grant.role.as_str()).collect::<BTreeSet<_>>() {
        let why = format!("the role `{role}` gives nothing on Azure");
        let verdict = Verdict::NotApplicable { why };
        judgements.push(Judgement { control: KIND, address: of_role(role), verdict });
    }
    judgements.push(Judgement::of(KIND, &of_owners(), observed, |there| owners(want, desired, there)));
    judgements
}

/// The subscription's id; nothing of ours is judged elsewhere.
fn subscription(desired: &Desired) -> &str {
    desired.target.tenant().map_or("", |tenant| tenant.native())
}

fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// A grant that is asked.
fn given(grant: &Grant<'_>, desired: &Desired, address: &Address, there: Option<&Value>) -> Verdict {
    let Grant { group, azure, roles } = grant;
    let held: Held = match kept(there) {
        Ok(held) => held.unwrap_or_default(),
        Err(unknown) => return unknown,
    };
    let roles = list(roles.iter().copied());
    let Some(role) = &held.role else {
        return reported(format!(
            "Azure has no role `{azure}` that could be assigned here, which {roles} should give: name it as Azure does"
        ));
    };
    let derived = assignment_name(subscription(desired), group, role);
    let (deed, reason) = match (held.assigned, held.condition) {
        (true, false) => return Verdict::Holds,
        (true, true) if held.name.as_ref() != Some(&derived) => {
            return reported(format!(
                "the group `{group}` holds `{azure}` only under a condition, by an assignment that is not Landfall's"
            ));
        }
        (true, true) => (
            Deed::Update,
            format!("the group `{group}` holds `{azure}` only under a condition, which nobody asks for"),
        ),
        (false, _) => (
            Deed::Create,
            format!("the group `{group}` does not hold `{azure}` here, which {roles} should give"),
        ),
    };
    let description = format!("{MARK}: {} gives it.", roles.replace('`', ""));
    Verdict::fails(
        Change::new(address, "assign", deed, reason)
            .before(there.cloned())
            .after(json!({"assigned": true, "condition": false}))
            .with(json!({"name": derived, "role": role, "group": group, "description": description}))
            .at(Stage::Handover),
    )
}

/// A grant that Landfall made and that nobody asks for any more.
fn taken(group: &str, azure: &str, desired: &Desired, address: &Address, there: Option<&Value>) -> Verdict {
    let held: Held = match kept(there) {
        Ok(held) => held.unwrap_or_default(),
        Err(unknown) => return unknown,
    };
    let Held { role: Some(role), assigned: true, name: Some(name), description, condition: _ } = held else {
        let why = format!("`{group}` is no longer granted `{azure}`, and has it no more");
        return Verdict::NotApplicable { why };
    };
    let marked = description.is_some_and(|text| text.starts_with(MARK));
    if name != assignment_name(subscription(desired), group, &role) && !marked {
        let why = format!(
            "`{group}` is no longer granted `{azure}`, and has it by an assignment that is not Landfall's"
        );
        return Verdict::NotApplicable { why };
    }
    let reason = format!("the group `{group}` is no longer granted `{azure}`");
    // Rights that nobody grants any more are taken at once: no limit of deletions holds that up, as on AWS.
    let change = Change::new(address, "remove", Deed::Delete, reason)
        .before(there.cloned())
        .after(json!({"assigned": false}))
        .with(json!({"name": name}))
        .at(Stage::Handover);
    Verdict::fails(change)
}

/// Whoever could open the gate from inside and whom the manifest does not name. Nobody is taken out: who made a subscription is its
/// owner, and may be the only one.
fn owners(want: &Settings, desired: &Desired, there: Option<&Value>) -> Verdict {
    let Owners { holders, unread } = match kept::<Owners>(there) {
        Ok(owners) => owners.unwrap_or_default(),
        Err(unknown) => return unknown,
    };
    let platform = ground(desired).map(|ground| ground.identities.principals.as_slice()).unwrap_or_default();
    let grants = grants(want, desired);
    let here = format!("/subscriptions/{}", subscription(desired));
    let stranger = |holder: &&Holder| {
        let Holder { principal, role, scope, .. } = holder;
        let mut spared = desired.break_glass.iter().chain(platform);
        !(spared.any(|one| one.eq_ignore_ascii_case(principal))
            || (scope.eq_ignore_ascii_case(&here) && grants.contains_key(&key(principal, role))))
    };
    let told = |holders: &BTreeSet<Holder>| -> Vec<String> {
        holders.iter().filter(stranger).map(|holder| tell(holder, &here)).collect()
    };
    strangers(&told(&holders), &told(&unread), &desired.standing, "so to open the gate from inside")
}

fn tell(holder: &Holder, here: &str) -> String {
    let Holder { principal, kind, role, scope, condition } = holder;
    let kind = match kind.as_str() {
        "User" => "the user",
        "Group" => "the group",
        "ServicePrincipal" => "the service principal",
        _ => "the principal",
    };
    let place = match scope.rsplit_once("/managementGroups/") {
        _ if scope.eq_ignore_ascii_case(here) => String::new(),
        Some((_, group)) => format!(" on the management group `{group}`"),
        None => format!(" on `{scope}`"),
    };
    let condition = if *condition { ", under a condition" } else { "" };
    format!("{kind} `{principal}` ({role}{place}{condition})")
}

/// The definitions of the manifest's own roles.
pub(super) fn definitions(want: &Settings, desired: &Desired, observed: &Observed) -> Vec<Judgement> {
    let mut judgements = Vec::new();
    for (role, rights) in &want.roles {
        let rights = &rights.azure;
        let address = of_role(role.as_str());
        judgements.push(Judgement::of(KIND, &address, observed, |there| {
            defined(role.as_str(), rights, desired, &address, there, observed)
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
    rights: &AzureRole,
    desired: &Desired,
    address: &Address,
    there: Option<&Value>,
    observed: &Observed,
) -> Verdict {
    let there_is: Option<Definition> = match kept(there) {
        Ok(definition) => definition,
        Err(unknown) => return unknown,
    };
    let name = own_name(desired, role);
    let (Some(ground), Some(id)) = (ground(desired), own_id(desired, &name)) else {
        return Verdict::NotApplicable { why: "this is not Azure".to_owned() };
    };
    let AzureRole { roles: _, actions, not_actions, data_actions, not_data_actions } = rights;
    let set = |actions: &[String]| actions.iter().cloned().collect();
    let asked = Definition {
        role_name: name.clone(),
        assignable_scopes: BTreeSet::from([root_scope(ground)]),
        permissions: vec![Permission {
            actions: set(actions),
            not_actions: set(not_actions),
            data_actions: set(data_actions),
            not_data_actions: set(not_data_actions),
        }],
    };
    let (deed, reason) = match &there_is {
        None => (Deed::Create, format!("there is no role `{name}`")),
        Some(there) => match differs(there, &asked) {
            None => return Verdict::Holds,
            Some(how) => (Deed::Update, format!("the role `{name}` {how}")),
        },
    };
    let description = format!("{MARK} as the role {role} of {}. Changes are put back.", desired.organization);
    let mut change = Change::new(address, "define", deed, reason)
        .before(there.cloned())
        .after(json(&asked))
        .with(json!({"name": id, "description": description}))
        .at(Stage::Foundation);
    // The root group has to be there before a role can be assignable in it.
    if matches!(observed.seen(&units::address(&UnitPath::root())), Seen::Absent) {
        change = change.needs(&units::creation(&UnitPath::root()));
    }
    Verdict::fails(change)
}

/// How a definition is not what is asked. Azure compares all of it without case.
fn differs(there: &Definition, asked: &Definition) -> Option<String> {
    let lower = |texts: &BTreeSet<String>| -> BTreeSet<String> {
        texts.iter().map(|text| text.to_ascii_lowercase()).collect()
    };
    let ([one], [want]) = (there.permissions.as_slice(), asked.permissions.as_slice()) else {
        return Some("is made of several parts".to_owned());
    };
    let mut how = Vec::new();
    for (word, there, want) in [
        ("actions", &one.actions, &want.actions),
        ("not-actions", &one.not_actions, &want.not_actions),
        ("data-actions", &one.data_actions, &want.data_actions),
        ("not-data-actions", &one.not_data_actions, &want.not_data_actions),
    ] {
        let (there, want) = (lower(there), lower(want));
        let missing: Vec<&str> = want.difference(&there).map(String::as_str).collect();
        let surplus: Vec<&str> = there.difference(&want).map(String::as_str).collect();
        if !missing.is_empty() {
            how.push(format!("lacks {} among its {word}", list(missing)));
        }
        if !surplus.is_empty() {
            how.push(format!("has {} among its {word}, which nobody asks for", list(surplus)));
        }
    }
    if !there.role_name.eq_ignore_ascii_case(&asked.role_name) {
        how.push(format!("is called `{}`", there.role_name));
    }
    if lower(&there.assignable_scopes) != lower(&asked.assignable_scopes) {
        how.push(format!("can be assigned in {}", list(there.assignable_scopes.iter().map(String::as_str))));
    }
    if how.is_empty() { None } else { Some(how.join("; ")) }
}

/// A definition that Landfall made and that the manifest no longer has. Azure keeps it as long as somebody holds it.
fn undefined(role: &str, desired: &Desired, address: &Address, there: Option<&Value>) -> Verdict {
    let name = own_name(desired, role);
    let (Some(_), Some(id)) = (there, own_id(desired, &name)) else {
        return Verdict::NotApplicable {
            why: format!("the role `{name}` is no longer asked for, and is gone"),
        };
    };
    let mut change =
        Change::new(address, "drop", Deed::Delete, format!("the role `{name}` is no longer asked for"))
            .before(there.cloned())
            .with(json!({"name": id}))
            .at(Stage::Foundation);
    change.loses = true;
    Verdict::fails(change)
}

#[cfg(test)]
mod tests;
