//! What is attached to a place, compared with what it asks. Pure.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use landfall_model::catalog::ControlKind;
use landfall_model::catalog::policies::{At, Point};
use landfall_model::catalog::units;
use landfall_model::desired::{Desired, Standing};
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::observed::{Address, Observed, Seen};
use landfall_model::plan::{Change, ChangeId, Deed, Stage};

use super::look::Seated;
use super::pack::{self, Document};
use super::{KIND, Order, QUARANTINE, address, documents, idle, quota, resource};
use crate::controls::{enabled_services, json, kept, reported, units as unit};

/// What is said of one place.
pub(super) fn point(point: &Point, desired: &Desired, observed: &Observed) -> Judgement {
    let address = address(&point.at);
    if let Some(why) = idle(point, desired) {
        return Judgement { control: KIND, address, verdict: Verdict::NotApplicable { why: why.to_owned() } };
    }
    Judgement::of(KIND, &address, observed, |there| match documents(point, desired) {
        Ok(wanted) => compare(point, desired, observed, there, &wanted),
        Err(why) => reported(format!("its policies can't be made: {why}")),
    })
}

/// The documents that are not in force as they should be, for people; a policy that was edited says so.
pub(super) fn lacking<'a>(seated: &Seated, wanted: impl IntoIterator<Item = &'a Document>) -> Vec<String> {
    let said = |document: &Document| match seated.attached.get(&document.name) {
        Some(held) if held.document == document.digest() => None,
        Some(_) => Some(format!("`{}` does not say what it should", document.name)),
        None => Some(format!("`{}` is not attached", document.name)),
    };
    wanted.into_iter().filter_map(said).collect()
}

fn compare(
    point: &Point,
    desired: &Desired,
    observed: &Observed,
    there: Option<&Value>,
    wanted: &[Document],
) -> Verdict {
    let seated: Seated = match kept(there) {
        Ok(seated) => seated.unwrap_or_default(),
        Err(unknown) => return unknown,
    };
    let place = resource(&point.at);
    let mut why = lacking(&seated, wanted);
    if !point.own {
        return match why.is_empty() {
            true => Verdict::Holds,
            false => reported(format!("{}; a sweep of the organization makes it", why.join("; "))),
        };
    }
    let base = pack::base(&place);
    let asked = |name: &str| wanted.iter().any(|document| document.name == name);
    let strays: Vec<&String> = seated.attached.keys().filter(|name| !asked(name)).collect();
    let made = desired.record.made.contains(&address(&point.at));
    let leftover = made && seated.detached.keys().any(|name| !asked(name));
    if why.is_empty() && strays.is_empty() && !leftover {
        return Verdict::Holds;
    }
    why.extend(strays.iter().map(|name| match made {
        true => format!("`{name}` is attached, and nothing asks for it"),
        false => format!(
            "`{name}` is attached, and nothing asks for it; it stays, because the ledger does not show that Landfall made it"
        ),
    }));
    if leftover {
        why.push("policies that nothing asks for are left over".to_owned());
    }
    let why = why.join("; ");
    if let Some(owner) = &point.owner {
        return reported(format!(
            "{why}; the policies of `{place}` are owned by {owner}: reported, not touched"
        ));
    }
    if let Some(full) = full(point, desired, &seated, wanted, made) {
        return reported(full);
    }
    let ground = match ground(point, desired, observed) {
        Ok(ground) => ground,
        Err(verdict) => return verdict,
    };
    let mut plan = Drafts { address: address(&point.at), base, ground, seated: &seated, changes: Vec::new() };
    for document in wanted {
        plan.make(document);
    }
    if made {
        plan.remove(wanted);
    }
    Verdict::Fails { why, changes: plan.changes }
}

/// Says by how many slots the policies do not fit beside those of others.
fn full(
    point: &Point,
    desired: &Desired,
    seated: &Seated,
    wanted: &[Document],
    made: bool,
) -> Option<String> {
    // A new account keeps one free for its gate.
    let gate = usize::from(matches!(point.at, At::Tenant(_)));
    let strays = seated.attached.keys().filter(|name| !wanted.iter().any(|document| &document.name == *name));
    let others = seated.others + gate + if made { 0 } else { strays.count() };
    let most = quota(desired).attached;
    let over = (others + wanted.len()).checked_sub(most).filter(|over| *over > 0)?;
    Some(format!(
        "`{}` has no slot for {over} of its policies, {} in all: AWS attaches at most {most} to one place, and {others} are taken",
        resource(&point.at),
        wanted.len(),
    ))
}

/// Where changes are made, and what they wait for.
struct Ground {
    stage: Stage,
    target_id: Option<String>,
    target_made_by: Option<ChangeId>,
    /// What switches service control policies on, where they are off.
    enabled_by: Option<ChangeId>,
    reaches: Option<u32>,
}

fn ground(point: &Point, desired: &Desired, observed: &Observed) -> Result<Ground, Verdict> {
    let path = match &point.at {
        At::Tenant(tenant) => {
            return Ok(Ground {
                stage: Stage::Baseline,
                target_id: Some(tenant.native().to_owned()),
                target_made_by: None,
                enabled_by: None,
                // Who works there already is bound at once.
                reaches: matches!(desired.standing, Standing::HandedOver | Standing::Adopted).then_some(1),
            });
        }
        At::Unit(path) => path,
    };
    let mut ground = Ground {
        stage: Stage::Foundation,
        target_id: None,
        target_made_by: None,
        enabled_by: enabled_services::missing(observed),
        reaches: None,
    };
    let wanted = desired.asked(ControlKind::Units).and_then(|asked| asked.want::<units::Settings>().ok());
    let wanted = wanted.map(|settings| settings.units).unwrap_or_default();
    match observed.seen(&unit::address(path)) {
        Seen::Present(value) => {
            let unit: Option<unit::Unit> = kept(Some(&value))?;
            ground.reaches = unit.as_ref().map(|unit| unit.accounts);
            ground.target_id = unit.map(|unit| unit.id);
        }
        Seen::Absent => match unit::adopted(&wanted, path) {
            Some(id) => {
                return Err(reported(format!(
                    "`{path}` adopts `{id}`, which the organization does not have: there is nothing to attach to"
                )));
            }
            None => ground.target_made_by = Some(unit::creation(path)),
        },
        Seen::Unreadable(why) => return Err(Verdict::Unknown { why }),
        Seen::NotOffered(why) => return Err(Verdict::NotApplicable { why }),
    }
    Ok(ground)
}

/// The changes of one place, each after the one before: two writes at one address never race.
struct Drafts<'a> {
    address: Address,
    base: String,
    ground: Ground,
    seated: &'a Seated,
    changes: Vec<Change>,
}

impl Drafts<'_> {
    /// A policy that is asked: made, brought to what it should say, attached.
    fn make(&mut self, document: &Document) {
        let Document { name, content, controls: _ } = document;
        let digest = document.digest();
        let (attached, held) = match self.seated.attached.get(name) {
            Some(held) => (true, Some(held)),
            None => (false, self.seated.detached.get(name)),
        };
        let state = if attached { "Attached" } else { "Detached" };
        let after = json!({ state: { name: {"Document": digest} } });
        let order = Order {
            name: name.clone(),
            id: held.map(|held| held.id.clone()),
            content: Some(content.clone()),
            ..Order::default()
        };
        let mut made_by = None;
        match held {
            None => {
                let reason = format!("the policy `{name}` does not exist");
                made_by = Some(self.add("create", name, Deed::Create, reason, Some(after), &order));
            }
            Some(held) if held.document != digest => {
                let reason = format!("the policy `{name}` does not say what it should");
                self.add("update", name, Deed::Update, reason, Some(after), &order);
                if attached {
                    self.reaches();
                }
            }
            Some(_) => {}
        }
        if !attached {
            let reason = format!("the policy `{name}` is not attached");
            let after = json!({"Attached": { name: {"Document": digest} }});
            let order = Order { made_by, content: None, ..self.placed(order) };
            self.add("attach", name, Deed::Create, reason, Some(after), &order);
            if let (Some(enabled_by), Some(change)) = (&self.ground.enabled_by, self.changes.last_mut()) {
                change.needs.push(enabled_by.clone());
            }
            self.reaches();
        }
    }

    /// Policies of ours that nothing asks for any more. One that was made for another place is only detached.
    fn remove(&mut self, wanted: &[Document]) {
        let seated = self.seated;
        let asked = |name: &String| wanted.iter().any(|document| &document.name == name);
        for (name, held) in seated.attached.iter().filter(|(name, _)| !asked(name) && *name != QUARANTINE) {
            let order = Order { name: name.clone(), id: Some(held.id.clone()), ..Order::default() };
            let reason = format!("nothing asks for the policy `{name}` any more");
            let after = json!({"Attached": { name: null }});
            let detach = self.placed(order.clone());
            self.add("detach", name, Deed::Update, reason.clone(), Some(after), &detach);
            if let Some(change) = self.changes.last_mut() {
                change.loses = true;
            }
            self.reaches();
            if pack::belongs(&self.base, name) {
                self.delete(wanted, reason, &order);
            }
        }
        for (name, held) in seated.detached.iter().filter(|(name, _)| !asked(name)) {
            let order = Order { name: name.clone(), id: Some(held.id.clone()), ..Order::default() };
            self.delete(
                wanted,
                format!("the policy `{name}` is attached nowhere and asked by nobody"),
                &order,
            );
        }
    }

    /// The address counts as unmade only with the last policy of the place.
    fn delete(&mut self, wanted: &[Document], reason: String, order: &Order) {
        for earlier in self.changes.iter_mut().filter(|change| change.deed == Deed::Delete) {
            earlier.deed = Deed::Update;
        }
        let deed = if wanted.is_empty() { Deed::Delete } else { Deed::Update };
        let name = &order.name;
        let after = json!({"Attached": { name: null }, "Detached": { name: null }});
        self.add("delete", name, deed, reason, Some(after), order);
    }

    fn placed(&self, order: Order) -> Order {
        Order {
            target_id: self.ground.target_id.clone(),
            target_made_by: self.ground.target_made_by.clone(),
            ..order
        }
    }

    fn add(
        &mut self,
        verb: &str,
        name: &str,
        deed: Deed,
        reason: String,
        after: Option<Value>,
        order: &Order,
    ) -> ChangeId {
        let which = pack::number(&self.base, name).unwrap_or(name);
        let mut change = Change::new(&self.address, &format!("{verb}-{which}"), deed, reason)
            .before(self.held(name))
            .with(json(order))
            .at(self.ground.stage);
        change.after = after;
        change.needs = match self.changes.last() {
            Some(last) => vec![last.id.clone()],
            None => self.ground.target_made_by.iter().cloned().collect(),
        };
        // INVARIANT: what a write is handed comes from a change that it needs.
        for handed in [&order.made_by, &order.target_made_by].into_iter().flatten() {
            if !change.needs.contains(handed) {
                change.needs.push(handed.clone());
            }
        }
        let id = change.id.clone();
        self.changes.push(change);
        id
    }

    /// What was seen of one policy.
    fn held(&self, name: &str) -> Option<Value> {
        let place = |state: &str, held: &BTreeMap<String, super::look::Held>| {
            held.get(name).map(|held| json!({ state: { name: held } }))
        };
        place("Attached", &self.seated.attached).or_else(|| place("Detached", &self.seated.detached))
    }

    fn reaches(&mut self) {
        if let Some(change) = self.changes.last_mut() {
            change.reaches = self.ground.reaches;
        }
    }
}

#[cfg(test)]
mod tests;
