//! What the gate of a project says, compared with what it should say at this point of the project's life. Pure.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use landfall_engine::control::kept;
use landfall_model::catalog::quarantine_gate::Settings;
use landfall_model::desired::{Desired, Standing};
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::observed::{Address, Observed};
use landfall_model::plan::{Change, Deed, Stage};

use super::principals::{EVERYBODY, service_agents, spared};
use super::{
    Constrained, DENY_POLICY, Gate, Held, KIND, Rule, Spec, address, constraint, denied, of_constraint,
};
use crate::controls::{ground, json, policies, reported};

/// What the deny policy and its rule are called. Names have 63 letters at most, descriptions 256.
const DISPLAY_NAME: &str = "Landfall: closed until the baseline holds";

/// The constraints that the gate sets on this project. What the manifest asks of the project itself has its own policy there.
pub(super) fn closing(desired: &Desired) -> impl Iterator<Item = (&'static str, Value)> {
    let own = policies::of_its_own(desired);
    denied::constraints().into_iter().filter(move |(constraint, _)| !own.contains(*constraint))
}

/// Whether the gate's own policy says what is in force for a constraint, as long as it is closed.
pub(in crate::controls) fn constrains(desired: &Desired, constraint: &str) -> bool {
    desired.standing.before_handover() && closing(desired).any(|(name, _)| name == constraint)
}

/// What the ledger shows as closed and not opened.
pub(super) fn left_closed(desired: &Desired) -> impl Iterator<Item = &Address> {
    desired.record.made.iter().filter(|address| address.control == KIND)
}

pub(super) fn judge(want: &Settings, desired: &Desired, observed: &Observed) -> Vec<Judgement> {
    let of = |resource: &str, why: &str| {
        let verdict = Verdict::NotApplicable { why: why.to_owned() };
        vec![Judgement { control: KIND, address: address(resource), verdict }]
    };
    let Some(tenant) = desired.target.tenant() else {
        return of("organization", "each new project has a gate of its own");
    };
    if ground(desired).and_then(|ground| ground.controller_project.as_deref()) == Some(tenant.native()) {
        return of(DENY_POLICY, "the project of Landfall is never gated");
    }
    match &desired.standing {
        Standing::New | Standing::Waiting => {
            let constraints = closing(desired).map(|(constraint, spec)| {
                let address = of_constraint(constraint);
                Judgement::of(KIND, &address, observed, |there| closed(want, desired, &address, spec, there))
            });
            let address = address(DENY_POLICY);
            let deny =
                Judgement::of(KIND, &address, observed, |there| denies(want, desired, &address, there));
            constraints.chain([deny]).collect()
        }
        Standing::HandedOver => {
            let left: Vec<Judgement> = left_closed(desired)
                .map(|address| Judgement::of(KIND, address, observed, |there| opened(address, there)))
                .collect();
            if left.is_empty() {
                return of(
                    DENY_POLICY,
                    "it was opened when the project was handed over, as the ledger shows",
                );
            }
            left
        }
        Standing::Organization | Standing::Adopted | Standing::ReportOnly(_) => {
            of(DENY_POLICY, "only new projects are gated")
        }
    }
}

/// What the deny policy of a project has to say.
fn asked(desired: &Desired, number: &str) -> Result<Rule, String> {
    let mut exception_principals = spared(desired)?;
    exception_principals.insert(service_agents(number));
    Ok(Rule {
        denied_principals: BTreeSet::from([EVERYBODY.to_owned()]),
        exception_principals,
        denied_permissions: denied::permissions().collect(),
        ..Rule::default()
    })
}

/// The deny policy before handover.
fn denies(want: &Settings, desired: &Desired, address: &Address, there: Option<&Value>) -> Verdict {
    let gate: Gate = match kept(there) {
        Ok(gate) => gate.unwrap_or_default(),
        Err(unknown) => return unknown,
    };
    let rule = match asked(desired, &gate.number) {
        Ok(rule) => rule,
        Err(why) => return reported(format!("the gate can't be closed: {why}")),
    };
    let (verb, deed, why) = match &gate.policy {
        None => ("close", Deed::Create, "nobody is denied anything".to_owned()),
        Some(held) => match differs(held, &rule) {
            None => return due(want, open(address, there.cloned())),
            Some(how) => ("restore", Deed::Update, format!("the gate's deny policy {how}")),
        },
    };
    let etag = gate.policy.as_ref().map(|held| held.etag.as_str()).filter(|etag| !etag.is_empty());
    let mut document = json!({
        "displayName": DISPLAY_NAME,
        "rules": [{"description": DISPLAY_NAME, "denyRule": rule}],
    });
    if let (Some(etag), Some(fields)) = (etag, document.as_object_mut()) {
        fields.insert("etag".to_owned(), json!(etag));
    }
    let close = Change::new(address, verb, deed, why)
        .before(there.cloned())
        .after(json!({"policy": {"rules": [rule]}}))
        .with(document)
        .at(Stage::Gate);
    closes(want, close, there)
}

/// How a deny policy does not say what it should, for people.
fn differs(held: &Held, asked: &Rule) -> Option<String> {
    let [rule] = held.rules.as_slice() else {
        return Some(format!("has {} rules and not one", held.rules.len()));
    };
    let Rule {
        denied_principals,
        exception_principals,
        denied_permissions,
        exception_permissions,
        denial_condition,
    } = rule;
    let lower = |names: &BTreeSet<String>| -> BTreeSet<String> {
        names.iter().map(|name| name.to_ascii_lowercase()).collect()
    };
    let mut how = Vec::new();
    let mut told = |what: &str, names: BTreeSet<String>| {
        if !names.is_empty() {
            how.push(format!("{what} {}", list(&names)));
        }
    };
    let (there, wanted) = (lower(exception_principals), lower(&asked.exception_principals));
    told("spares, unasked,", &there - &wanted);
    told("does not spare", &wanted - &there);
    told("does not deny", &asked.denied_permissions - denied_permissions);
    told("lets through", exception_permissions.clone());
    if !denied_principals.contains(EVERYBODY) {
        how.push("does not bind everybody".to_owned());
    }
    if denial_condition.is_some() {
        how.push("binds only under a condition".to_owned());
    }
    if how.is_empty() { None } else { Some(how.join("; ")) }
}

/// Most names that a finding tells; the evidence has them all.
const TOLD: usize = 5;

fn list(names: &BTreeSet<String>) -> String {
    let told: Vec<String> = names.iter().take(TOLD).map(|name| format!("`{name}`")).collect();
    match names.len().saturating_sub(TOLD) {
        0 => told.join(", "),
        more => format!("{} and {more} more", told.join(", ")),
    }
}

/// A constraint before handover.
fn closed(
    want: &Settings,
    desired: &Desired,
    address: &Address,
    spec: Value,
    there: Option<&Value>,
) -> Verdict {
    let constrained: Option<Constrained> = match kept(there) {
        Ok(constrained) => constrained,
        Err(unknown) => return unknown,
    };
    let name = constraint(address).unwrap_or_default();
    let ours = desired.record.made.contains(address);
    let (verb, deed, why) = match constrained {
        None => ("close", Deed::Create, format!("`{name}` is not set")),
        Some(Constrained { spec: there }) if ours => {
            if says(&there, &spec) {
                return due(want, open(address, Some(json(&Constrained { spec: there }))));
            }
            ("restore", Deed::Update, format!("`{name}` does not say what closes the project"))
        }
        // Whoever made the project may have set it up; the deny policy binds everybody but them all the same.
        Some(_) => {
            let why = format!("the project's policy on `{name}` is somebody else's, and stays as it is");
            return Verdict::Due { why, changes: Vec::new() };
        }
    };
    let close = Change::new(address, verb, deed, why)
        .before(there.cloned())
        .after(json!({"spec": spec}))
        .at(Stage::Gate);
    closes(want, close, there)
}

/// Whether a policy says what closes the project.
fn says(there: &Spec, spec: &Value) -> bool {
    serde_json::from_value::<Spec>(spec.clone()).is_ok_and(|wanted| *there == wanted)
}

/// It has to be closed first, and opens last, or not before somebody names it.
fn closes(want: &Settings, close: Change, there: Option<&Value>) -> Verdict {
    let why = close.reason.clone();
    let open = want.opens.then(|| open(&close.address, there.cloned()).needs(&close.id));
    Verdict::Fails { why, changes: [close].into_iter().chain(open).collect() }
}

fn due(want: &Settings, open: Change) -> Verdict {
    if want.opens {
        Verdict::Due { why: "closed until its baseline holds".to_owned(), changes: vec![open] }
    } else {
        Verdict::Due { why: "stays closed until somebody names it".to_owned(), changes: Vec::new() }
    }
}

fn open(address: &Address, there: Option<Value>) -> Change {
    let open = Change::new(address, "open", Deed::Delete, "its baseline holds").before(there).at(Stage::Open);
    match constraint(address) {
        Some(_) => open,
        None => open.after(json!({"policy": null})),
    }
}

/// What is still closed after handover: a crash came between the two.
fn opened(address: &Address, there: Option<&Value>) -> Verdict {
    let closed = match constraint(address) {
        Some(_) => there.is_some(),
        None => match kept::<Gate>(there) {
            Ok(gate) => gate.is_some_and(|gate| gate.policy.is_some()),
            Err(unknown) => return unknown,
        },
    };
    if !closed {
        return Verdict::Holds;
    }
    let why = "handed over, but its gate is still closed".to_owned();
    Verdict::Fails { why, changes: vec![open(address, there.cloned())] }
}

#[cfg(test)]
mod tests;
