//! The controls that hold by being part of a policy: whether the documents that carry them are in force.
//!
//! `policies` makes and attaches; the controls themselves only look, so that a report says of each of them whether it holds.

use async_trait::async_trait;
use serde_json::Value;

use landfall_engine::carried::{Carried, uncarried};
use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Control, Judge, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::policies::Point;
use landfall_model::desired::Desired;
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::observed::{Address, Observed};
use landfall_model::plan::Change;

use super::judge::lacking;
use super::look::Seated;
use super::{Document, Policies, UNBOUND, address, documents, idle, points};
use crate::controls::{Aws, ground, kept, reported, unasked};
use crate::error::CallError;
use crate::session::{Reader, Writer};

/// What such a control does: it looks at what `policies` looks at, and writes nothing.
pub(in crate::controls) struct InPolicies<C>(pub(in crate::controls) C);

#[async_trait]
impl<C: Carried> Control for InPolicies<C> {
    const KIND: ControlKind = C::KIND;
    const PERMISSIONS: Permissions = Permissions { read: Policies::PERMISSIONS.read, write: &[] };

    type On = Aws;
    type Want = C::Want;

    /// The places on the way to the tenant that carry it.
    fn addresses(&self, _: &C::Want, desired: &Desired) -> Vec<Address> {
        carrying(C::KIND, desired).iter().map(|(point, _)| address(&point.at)).collect()
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
        match self.0.unasked(want) {
            Some(why) => vec![unasked(C::KIND, "policies", why)],
            None => judge(C::KIND, desired, observed),
        }
    }
}

/// Says of each place that carries the control whether it does.
fn judge(kind: ControlKind, desired: &Desired, observed: &Observed) -> Vec<Judgement> {
    let whole =
        |verdict| vec![Judgement { control: kind, address: Address::global(kind, "policies"), verdict }];
    let management = ground(desired).map(|ground| ground.management_account.as_str());
    if desired.target.tenant().is_some_and(|tenant| Some(tenant.native()) == management) {
        return whole(Verdict::NotApplicable { why: UNBOUND.to_owned() });
    }
    if let Some(mode) = desired.asked(kind).and_then(|asked| uncarried(kind, asked.mode)) {
        return whole(reported(format!("its mode is `{mode}`, so no policy is made of it")));
    }
    let carrying = carrying(kind, desired);
    if carrying.is_empty() {
        return whole(reported("no unit above the tenant carries it, nor the tenant itself"));
    }
    let judge = |(point, documents): &(Point, Result<Vec<Document>, String>)| {
        Judgement::of(kind, &address(&point.at), observed, |there| {
            let documents = match documents {
                Ok(documents) => documents,
                Err(why) => return reported(format!("its policies can't be made: {why}")),
            };
            let seated: Seated = match kept(there) {
                Ok(seated) => seated.unwrap_or_default(),
                Err(unknown) => return unknown,
            };
            let lacking = lacking(&seated, documents.iter().filter(|one| one.controls.contains(&kind)));
            if lacking.is_empty() { Verdict::Holds } else { reported(lacking.join("; ")) }
        })
    };
    carrying.iter().map(judge).collect()
}

/// The places that ask for the control in a way that AWS can carry, with their documents.
fn carrying(kind: ControlKind, desired: &Desired) -> Vec<(Point, Result<Vec<Document>, String>)> {
    points(desired)
        .into_iter()
        .filter(|point| point.asks.contains_key(&kind) && idle(point, desired).is_none())
        .map(|point| {
            let documents = documents(&point, desired);
            (point, documents)
        })
        .filter(|(_, documents)| match documents {
            Ok(documents) => documents.iter().any(|one| one.controls.contains(&kind)),
            Err(_) => true,
        })
        .collect()
}
