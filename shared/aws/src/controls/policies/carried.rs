//! The controls that hold by being part of a policy: whether the documents that carry them are in force.
//!
//! `policies` makes and attaches; the controls themselves only look, so that a report says of each of them whether it holds.

use landfall_model::catalog::ControlKind;
use landfall_model::catalog::policies::Point;
use landfall_model::desired::Desired;
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::manifest::Mode;
use landfall_model::observed::{Address, Observed};

use super::judge::lacking;
use super::look::Seated;
use super::{Document, UNBOUND, address, documents, idle, points};
use crate::controls::{ground, kept, reported};

/// The places on the way to the tenant that carry a control.
pub(in crate::controls) fn addresses(kind: ControlKind, desired: &Desired) -> Vec<Address> {
    carrying(kind, desired).iter().map(|(point, _)| address(&point.at)).collect()
}

/// Says of each place that carries the control whether it does. `nothing` says why nothing is asked, where nothing is.
pub(in crate::controls) fn judge(
    kind: ControlKind,
    desired: &Desired,
    observed: &Observed,
    nothing: Option<&str>,
) -> Vec<Judgement> {
    let whole =
        |verdict| vec![Judgement { control: kind, address: Address::global(kind, "policies"), verdict }];
    if let Some(why) = nothing {
        return whole(Verdict::NotApplicable { why: why.to_owned() });
    }
    let management = ground(desired).map(|ground| ground.management_account.as_str());
    if desired.target.tenant().is_some_and(|tenant| Some(tenant.native()) == management) {
        return whole(Verdict::NotApplicable { why: UNBOUND.to_owned() });
    }
    if let Some(mode) = desired.asked(kind).map(|asked| asked.mode).filter(|mode| *mode != Mode::Prevent) {
        let mode = match mode {
            Mode::Detect => "detect",
            Mode::Repair => "repair",
            Mode::Prevent => "prevent",
        };
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
