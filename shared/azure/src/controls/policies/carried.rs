//! The controls that hold by being policies: whether the assignments that carry them are in force.
//!
//! `policies` assigns; the controls themselves only look, so that a report says of each of them whether it holds.

use async_trait::async_trait;
use serde_json::Value;

use landfall_engine::carried::{Carried, uncarried};
use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Control, Judge, Permissions, kept};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::policies::Point;
use landfall_model::desired::Desired;
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::manifest::AzureCloud;
use landfall_model::observed::{Address, Observed, Seen};
use landfall_model::plan::Change;

use super::assignment::Assignment;
use super::judge::{hollow, lacking};
use super::look::{Kept, Seated};
use super::{Policies, address, compile, definitions_at, exemption, idle, ours, points, scope};
use crate::controls::{Azure, ground, reported, unasked};
use crate::error::CallError;
use crate::session::{Reader, Writer};

/// What such a control does: it looks at what `policies` looks at, and writes nothing.
pub(in crate::controls) struct InPolicies<C>(pub(in crate::controls) C);

#[async_trait]
impl<C: Carried> Control for InPolicies<C> {
    const KIND: ControlKind = C::KIND;
    const PERMISSIONS: Permissions = Permissions { read: Policies::PERMISSIONS.read, write: &[] };

    type On = Azure;
    type Want = C::Want;

    /// The places on the way to the tenant that carry it, the definitions of ours that they rest on, and who is exempt.
    fn addresses(&self, want: &C::Want, desired: &Desired) -> Vec<Address> {
        if self.0.unasked(want).is_some() {
            return Vec::new();
        }
        let carrying = carrying(C::KIND, desired);
        let mut addresses: Vec<Address> = carrying.iter().map(|(point, _)| address(&point.at)).collect();
        let custom = |one: &Assignment| {
            ground(desired).is_some_and(|ground| ours::of(ground, &one.definition).is_some())
        };
        if carrying.iter().any(|(_, assignments)| assignments.iter().flatten().any(custom)) {
            addresses.push(definitions_at());
        }
        if !carrying.is_empty() {
            addresses.extend(exemption::looked_at(desired));
        }
        addresses
    }

    async fn look(&self, reader: &Reader, desired: &Desired, at: &Address) -> Result<Sighting, CallError> {
        Policies.look(reader, desired, at).await
    }

    async fn write(&self, _: &Writer, _: &Change, _: &Made) -> Result<Value, CallError> {
        Err(CallError::NothingToWrite(C::KIND))
    }
}

impl<C: Carried> Judge for InPolicies<C> {
    fn judge(&self, want: &C::Want, desired: &Desired, observed: &Observed) -> Vec<Judgement> {
        match (self.0.unasked(want), ground(desired)) {
            (Some(why), _) => vec![unasked(C::KIND, "policies", why)],
            (None, Some(ground)) => judge(C::KIND, ground, desired, observed),
            (None, None) => Vec::new(),
        }
    }
}

/// Says of each place that carries the control whether it does.
fn judge(kind: ControlKind, ground: &AzureCloud, desired: &Desired, observed: &Observed) -> Vec<Judgement> {
    let whole =
        |verdict| vec![Judgement { control: kind, address: Address::global(kind, "policies"), verdict }];
    if let Some(mode) = desired.asked(kind).and_then(|asked| uncarried(kind, asked.mode)) {
        return whole(reported(format!("its mode is `{mode}`, so no policy is made of it")));
    }
    let carrying = carrying(kind, desired);
    if carrying.is_empty() {
        return whole(reported("no unit above the tenant carries it, nor the tenant itself"));
    }
    let judge = |(point, assignments): &(Point, Result<Vec<Assignment>, String>)| {
        Judgement::of(kind, &address(&point.at), observed, |there| {
            let assignments = match assignments {
                Ok(assignments) => assignments,
                Err(why) => return reported(format!("its policies can't be made: {why}")),
            };
            let seated: Seated = match kept(there) {
                Ok(seated) => seated.unwrap_or_default(),
                Err(unknown) => return unknown,
            };
            let ids: Vec<String> =
                assignments.iter().map(|one| one.id(&scope(&point.at, desired, ground))).collect();
            let mut why = lacking(&seated, assignments);
            let mut unknown = None;
            for more in [stands(ground, assignments, observed), exemption::lifted(desired, observed, &ids)] {
                match more {
                    Ok(more) => why.extend(more),
                    Err(verdict) => unknown = unknown.or(Some(verdict)),
                }
            }
            match (why.is_empty(), unknown) {
                (false, _) => reported(why.join("; ")),
                (true, Some(unknown)) => unknown,
                (true, None) => Verdict::Holds,
            }
        })
    };
    carrying.iter().map(judge).collect()
}

/// Whether the definitions of ours that the assignments rest on say what they should: what does not, for people.
fn stands(
    ground: &AzureCloud,
    assignments: &[Assignment],
    observed: &Observed,
) -> Result<Vec<String>, Verdict> {
    if !assignments.iter().any(|one| ours::of(ground, &one.definition).is_some()) {
        return Ok(Vec::new());
    }
    match observed.seen(&definitions_at()) {
        Seen::Present(value) => {
            let there: Kept = kept(Some(&value))?.unwrap_or_default();
            Ok(hollow(ground, &there, assignments))
        }
        Seen::Absent => Ok(hollow(ground, &Kept::default(), assignments)),
        Seen::Unreadable(why) => {
            Err(Verdict::Unknown { why: format!("its definition could not be looked at: {why}") })
        }
        Seen::NotOffered(why) => Err(Verdict::NotApplicable { why }),
    }
}

/// The assignment of a control that acts on what is there already, with the place that carries it: one at most, because a lower level
/// that asks the same as one above carries nothing of its own.
pub(super) fn acting(kind: ControlKind, desired: &Desired) -> Option<(Point, Assignment)> {
    let mode = desired.asked(kind)?.mode;
    if uncarried(kind, mode).is_some() {
        return None;
    }
    let all = carrying(kind, desired).into_iter().rev();
    all.filter_map(|(point, assignments)| {
        let one = assignments.ok()?.into_iter().find(|one| one.acts.is_some())?;
        Some((point, one))
    })
    .next()
}

/// The places that ask for the control in a way that Azure can carry, with its assignments there.
fn carrying(kind: ControlKind, desired: &Desired) -> Vec<(Point, Result<Vec<Assignment>, String>)> {
    let Some(ground) = ground(desired) else { return Vec::new() };
    points(desired)
        .into_iter()
        .filter(|point| point.asks.contains_key(&kind) && idle(point, desired).is_none())
        .map(|point| {
            let assignments = compile::due(&point, desired, ground)
                .map(|all| all.into_iter().filter(|one| one.control == Some(kind)).collect());
            (point, assignments)
        })
        .filter(|(_, assignments): &(Point, Result<Vec<Assignment>, String>)| match assignments {
            Ok(assignments) => !assignments.is_empty(),
            Err(_) => true,
        })
        .collect()
}
