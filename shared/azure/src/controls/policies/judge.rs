//! What is assigned at a place, compared with what it asks; and the definitions of ours, compared with what they should say. Pure.

use std::collections::BTreeMap;

use serde_json::json;

use landfall_engine::control::kept;
use landfall_model::catalog::policies::{At, Point};
use landfall_model::desired::{Desired, Standing};
use landfall_model::id::UnitPath;
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::manifest::AzureCloud;
use landfall_model::observed::{Address, Observed, Seen};
use landfall_model::plan::{Change, ChangeId, Deed, Stage};

use super::assignment::{self, Assignment};
use super::drafts::{Draft, Drafts};
use super::grant::{self, Grant};
use super::look::{Given, Kept, Seated};
use super::{KIND, Order, address, compile, definitions_at, idle, ours, quota, resource, scope, units_of};
use crate::controls::units::{self, Unit};
use crate::controls::{ground, json, reported};

/// What is said of one place.
pub(super) fn point(point: &Point, desired: &Desired, observed: &Observed) -> Judgement {
    let address = address(&point.at);
    if let Some(why) = idle(point, desired) {
        return Judgement { control: KIND, address, verdict: Verdict::NotApplicable { why: why.to_owned() } };
    }
    let Some(ground) = ground(desired) else {
        let verdict = Verdict::NotApplicable { why: "it is not on Azure".to_owned() };
        return Judgement { control: KIND, address, verdict };
    };
    Judgement::of(KIND, &address, observed, |there| {
        let seated: Seated = match kept(there) {
            Ok(seated) => seated.unwrap_or_default(),
            Err(unknown) => return unknown,
        };
        match compile::due(point, desired, ground) {
            Ok(wanted) => Place { point, desired, observed, ground, address: &address, seated: &seated }
                .compare(&wanted),
            Err(why) => reported(format!("its policies can't be made: {why}")),
        }
    })
}

/// The assignments that are not as they should be, for people.
pub(super) fn lacking<'a>(seated: &Seated, wanted: impl IntoIterator<Item = &'a Assignment>) -> Vec<String> {
    let said = |assignment: &Assignment| match seated.assigned.get(&*assignment.name) {
        None => Some(format!("`{}` is not assigned", assignment.name)),
        Some(held) => match assignment.differs(held) {
            Some(how) => Some(format!("`{}` {how}", assignment.name)),
            None => idle_hands(seated, assignment),
        },
    };
    wanted.into_iter().filter_map(said).collect()
}

/// That an assignment can't act because its identity holds no role, for people.
fn idle_hands(seated: &Seated, assignment: &Assignment) -> Option<String> {
    let acts = assignment.acts.as_ref().filter(|_| seated.acting(assignment).is_none())?;
    Some(format!("the identity of `{}` does not hold the role `{}` there", assignment.name, acts.role_name))
}

/// The definitions of ours that assignments rest on and that do not say what they should, for people.
pub(super) fn hollow<'a>(
    ground: &AzureCloud,
    kept: &Kept,
    wanted: impl IntoIterator<Item = &'a Assignment>,
) -> Vec<String> {
    let said = |assignment: &Assignment| {
        let definition = ours::of(ground, &assignment.definition)?;
        match kept.definitions.get(definition.name) {
            Some(digest) if digest == &definition.digest() => None,
            Some(_) => Some(format!("the definition `{}` does not say what it should", definition.name)),
            None => Some(format!("the definition `{}` does not exist", definition.name)),
        }
    };
    wanted.into_iter().filter_map(said).collect()
}

/// What an assignment waits for.
enum Behind {
    Nothing,
    /// The change that makes its definition.
    Change(ChangeId),
    /// Its definition, which only the organization's target makes.
    Organization(&'static str),
}

struct Place<'a> {
    point: &'a Point,
    desired: &'a Desired,
    observed: &'a Observed,
    ground: &'a AzureCloud,
    address: &'a Address,
    seated: &'a Seated,
}

impl Place<'_> {
    fn compare(&self, wanted: &[Assignment]) -> Verdict {
        let Place { point, desired, seated, .. } = self;
        let mut why = lacking(seated, wanted);
        if !point.own {
            return match why.is_empty() {
                true => Verdict::Holds,
                false => reported(format!("{}; a sweep of the organization makes it", why.join("; "))),
            };
        }
        let made = desired.record.made.contains(self.address);
        let strays: Vec<&String> = seated
            .assigned
            .keys()
            .filter(|name| !wanted.iter().any(|one| one.name == name.as_str()))
            .collect();
        let left = self.left(wanted);
        if why.is_empty() && strays.is_empty() && left.is_empty() {
            return Verdict::Holds;
        }
        why.extend(strays.iter().map(|name| match made {
            true => format!("`{name}` is assigned, and nothing asks for it"),
            false => format!(
                "`{name}` is assigned, and nothing asks for it; it stays, because the ledger does not show that Landfall made it"
            ),
        }));
        why.extend(left.values().map(|given| {
            let principal = &given.principal;
            match made {
                true => format!("`{principal}` holds a role for a policy, and nothing asks for it"),
                false => format!(
                    "`{principal}` holds a role for a policy, and nothing asks for it; it stays, because the ledger does not show that Landfall gave it"
                ),
            }
        }));
        for one in wanted {
            if let Behind::Organization(definition) = self.behind(one) {
                why.push(format!(
                    "the definition `{definition}` does not exist; a sweep of the organization makes it"
                ));
            }
        }
        let why = why.join("; ");
        let place = resource(&point.at);
        if let Some(owner) = &point.owner {
            return reported(format!(
                "{why}; the policies of `{place}` are owned by {owner}: reported, not touched"
            ));
        }
        let staying = if made { 0 } else { strays.len() };
        if let Some(over) = over(seated.others + staying + wanted.len(), self.gate(), quota::ASSIGNMENTS) {
            return reported(format!(
                "`{place}` has no room for {over} of its assignments, {} in all: Azure takes at most {} at one place, and {} are taken",
                wanted.len(),
                quota::ASSIGNMENTS,
                seated.others + staying + self.gate(),
            ));
        }
        let left = if made { left } else { BTreeMap::new() };
        match self.changes(wanted, if made { &strays } else { &[] }, &left) {
            Ok(changes) => Verdict::Fails { why, changes },
            Err(verdict) => verdict,
        }
    }

    /// The roles that Landfall gave and by which no assignment acts that is asked for.
    fn left(&self, wanted: &[Assignment]) -> BTreeMap<&String, &Given> {
        let acting = |given: &Given| {
            let held = wanted.iter().filter_map(|one| self.seated.acting(one));
            held.into_iter().any(|(_, acting)| acting == given)
        };
        self.seated.roles.iter().filter(|(_, given)| given.ours && !acting(given)).collect()
    }

    /// A new subscription keeps one free for its gate.
    fn gate(&self) -> usize {
        usize::from(matches!(self.point.at, At::Tenant(_)))
    }

    fn changes(
        &self,
        wanted: &[Assignment],
        strays: &[&String],
        left: &BTreeMap<&String, &Given>,
    ) -> Result<Vec<Change>, Verdict> {
        let Place { point, desired, seated, .. } = self;
        let scope = scope(&point.at, desired, self.ground);
        let mut drafts = self.drafts()?;
        for one in wanted {
            let held = seated.assigned.get(&*one.name);
            let (verb, deed, why) = match held.map(|held| one.differs(held)) {
                None => ("create", Deed::Create, format!("`{}` is not assigned", one.name)),
                Some(Some(how)) => ("update", Deed::Update, format!("`{}` {how}", one.name)),
                Some(None) => {
                    self.grant(&mut drafts, one, &scope, None);
                    continue;
                }
            };
            let behind = match self.behind(one) {
                Behind::Nothing => None,
                Behind::Change(change) => Some(change),
                Behind::Organization(_) => continue,
            };
            let after = json!({"assigned": { &*one.name: one.held() }});
            let order = json(&Order { id: one.id(&scope), body: Some(one.body_over(held)) });
            let before = held.map(|held| json!({"assigned": { &*one.name: held }}));
            drafts.add(Draft { verb, name: &one.name, deed, why, before, after, order }, behind);
            self.grant(&mut drafts, one, &scope, Some(verb));
        }
        // The role goes before the assignment: without that, nobody would know whose it was.
        let mut revoked = Vec::new();
        for (name, given) in left {
            let why =
                format!("`{}` holds a role for a policy, and nothing asks for it any more", given.principal);
            let before = Some(json!({"roles": { *name: given }}));
            let after = json!({"roles": { *name: null }});
            let order = json(&Order { id: grant::path(&scope, name), body: None });
            // Rights that nobody asks for any more are taken at once: no limit of deletions holds that up.
            let deed = Deed::Update;
            revoked.push(drafts.add(Draft { verb: "revoke", name, deed, why, before, after, order }, None));
        }
        for name in strays {
            let before = seated.assigned.get(*name).map(|held| json!({"assigned": { *name: held }}));
            let after = json!({"assigned": { *name: null }});
            let order = json(&Order { id: assignment::id(&scope, name), body: None });
            let why = format!("nothing asks for `{name}` any more");
            let acted = self.seated.assigned.get(*name).is_some_and(|held| held.identity.is_some());
            let waits = if acted { revoked.clone() } else { Vec::new() };
            drafts.add(Draft { verb: "delete", name, deed: Deed::Delete, why, before, after, order }, waits);
        }
        Ok(drafts.all(!wanted.is_empty()))
    }

    /// Gives the identity of an assignment its role, where it does not hold it; `writes` is the change that writes the assignment.
    fn grant(&self, drafts: &mut Drafts<'_>, one: &Assignment, scope: &str, writes: Option<&str>) {
        let Some(acts) = one.acts.as_ref().filter(|_| self.seated.acting(one).is_none()) else { return };
        let identity = self.seated.assigned.get(&*one.name).and_then(|held| held.identity.as_ref());
        let writes = writes.map(|verb| ChangeId(format!("{}#{verb}-{}", self.address, one.name)));
        let grant = Grant {
            scope: scope.to_owned(),
            role: acts.role.to_owned(),
            assignment: one.name.to_string(),
            principal: identity.map(|identity| identity.principal.clone()),
            made_by: writes.clone().filter(|_| identity.is_none()),
        };
        let why = format!("the identity of `{}` does not hold the role `{}` there", one.name, acts.role_name);
        let after = json!({"assigned": { &*one.name: one.held() }});
        let draft = Draft {
            verb: "grant",
            name: &one.name,
            deed: Deed::Create,
            why,
            before: None,
            after,
            order: json(&grant),
        };
        drafts.add(draft, writes);
    }

    /// What an assignment waits for: the change that makes its definition, where that is ours and does not exist.
    fn behind(&self, one: &Assignment) -> Behind {
        let Some(definition) = ours::of(self.ground, &one.definition) else { return Behind::Nothing };
        // Where nobody could look, Azure says whether it is there.
        let Seen::Present(value) = self.observed.seen(&definitions_at()) else { return Behind::Nothing };
        let there: Kept = serde_json::from_value(value).unwrap_or_default();
        if there.definitions.contains_key(definition.name) {
            Behind::Nothing
        } else if self.desired.target.tenant().is_some() {
            Behind::Organization(definition.name)
        } else {
            Behind::Change(ChangeId(format!("{}#create-{}", definitions_at(), definition.name)))
        }
    }

    /// Where changes are made, whom they reach, and what they wait for.
    fn drafts(&self) -> Result<Drafts<'_>, Verdict> {
        let path = match &self.point.at {
            At::Tenant(_) => {
                let mut drafts = Drafts::new(self.address, Stage::Baseline);
                // Who works there already is bound at once.
                drafts.reaches =
                    matches!(self.desired.standing, Standing::HandedOver | Standing::Adopted).then_some(1);
                return Ok(drafts);
            }
            At::Unit(path) => path,
        };
        let mut drafts = Drafts::new(self.address, Stage::Foundation);
        match self.observed.seen(&units::address(path)) {
            Seen::Present(value) => {
                let unit: Option<Unit> = kept(Some(&value))?;
                drafts.reaches = unit.map(|unit| unit.subscriptions);
            }
            Seen::Absent => match units::adopted(&units_of(self.desired), path) {
                Some(id) => {
                    return Err(reported(format!(
                        "`{path}` adopts `{id}`, which the directory does not have: there is nothing to assign to"
                    )));
                }
                None => drafts.behind.push(units::creation(path)),
            },
            Seen::Unreadable(why) => return Err(Verdict::Unknown { why }),
            Seen::NotOffered(why) => return Err(Verdict::NotApplicable { why }),
        }
        Ok(drafts)
    }
}

/// By how much so many are too many, beside what is kept free.
fn over(wanted: usize, free: usize, most: usize) -> Option<usize> {
    (wanted + free).checked_sub(most).filter(|over| *over > 0)
}

/// What is said of the definitions of ours, which the organization keeps.
pub(super) fn definitions(desired: &Desired, observed: &Observed) -> Option<Judgement> {
    let ground = ground(desired)?;
    let address = definitions_at();
    Some(Judgement::of(KIND, &address, observed, |there| {
        let there: Kept = match kept(there) {
            Ok(there) => there.unwrap_or_default(),
            Err(unknown) => return unknown,
        };
        compare_definitions(ground, &address, &there, observed)
    }))
}

fn compare_definitions(ground: &AzureCloud, address: &Address, there: &Kept, observed: &Observed) -> Verdict {
    let root = units::address(&UnitPath::root());
    let mut drafts = Drafts::new(address, Stage::Foundation);
    let mut below = None;
    match observed.seen(&root) {
        Seen::Present(value) => match kept::<Unit>(Some(&value)) {
            Ok(unit) => below = unit.map(|unit| unit.subscriptions),
            Err(unknown) => return unknown,
        },
        Seen::Absent => drafts.behind.push(units::creation(&UnitPath::root())),
        Seen::Unreadable(why) | Seen::NotOffered(why) => {
            return Verdict::Unknown { why: format!("the root group could not be looked at: {why}") };
        }
    }
    let mut why = Vec::new();
    for definition in ours::ours() {
        let name = definition.name;
        let digest = definition.digest();
        let held = there.definitions.get(name);
        let (verb, deed, how) = match held {
            Some(held) if held == &digest => continue,
            Some(_) => {
                ("update", Deed::Update, format!("the definition `{name}` does not say what it should"))
            }
            None => ("create", Deed::Create, format!("the definition `{name}` does not exist")),
        };
        why.push(how.clone());
        // What it says changes for whoever it is assigned to; one that is new is assigned to nobody.
        drafts.reaches = held.and(below);
        let after = json!({"definitions": { name: digest }});
        let before = held.map(|held| json!({"definitions": { name: held }}));
        let order = json(&Order { id: definition.id(ground), body: Some(definition.body()) });
        drafts.add(Draft { verb, name, deed, why: how, before, after, order }, None);
    }
    if why.is_empty() {
        return Verdict::Holds;
    }
    // One is the gate's.
    if let Some(over) = over(there.others + ours::ours().len(), 1, quota::DEFINITIONS) {
        return reported(format!(
            "{}; `{}` has no room for {over} of them: Azure takes at most {} definitions at one place",
            why.join("; "),
            ground.root,
            quota::DEFINITIONS,
        ));
    }
    Verdict::Fails { why: why.join("; "), changes: drafts.all(true) }
}

#[cfg(test)]
mod tests;
