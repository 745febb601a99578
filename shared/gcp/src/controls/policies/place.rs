//! Which constraints a place has to hold by a policy of its own. Pure.
//!
//! A unit says again only what differs from the unit above it: what is the same is inherited. A tenant that is exempt from a control
//! its units ask for needs a policy of its own as well, one that says what would hold without that control.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde_json::Value;

use landfall_model::catalog::policies::{At, Point, Settings};
use landfall_model::catalog::units::{self as units_catalog, WantedUnit};
use landfall_model::catalog::{ControlKind, placement};
use landfall_model::desired::Desired;
use landfall_model::id::UnitPath;
use landfall_model::manifest::GcpCloud;
use landfall_model::observed::Address;

use super::KIND;
use super::compile::{Forces, forces};
use super::force::Force;
use crate::controls::ground;

/// The places that the target's own asking names.
pub(super) fn points(desired: &Desired) -> Vec<Point> {
    let settings = desired.asked(KIND).and_then(|asked| asked.want::<Settings>().ok());
    settings.map(|settings| settings.points).unwrap_or_default()
}

/// Which existing folders the manifest's units stand for: all of them for the organization, those above it for a tenant.
pub(super) fn units_of(desired: &Desired) -> Vec<WantedUnit> {
    let all =
        desired.asked(ControlKind::Units).and_then(|asked| asked.want::<units_catalog::Settings>().ok());
    let line =
        desired.asked(ControlKind::Placement).and_then(|asked| asked.want::<placement::Settings>().ok());
    all.map(|settings| settings.units).or(line.map(|settings| settings.line)).unwrap_or_default()
}

/// The unit a tenant belongs in.
pub(super) fn home(desired: &Desired) -> Option<UnitPath> {
    let asked = desired.asked(ControlKind::Placement)?;
    asked.want::<placement::Settings>().ok().map(|settings| settings.unit)
}

/// What a place is called in addresses.
fn resource(at: &At) -> String {
    match at {
        At::Unit(path) => path.as_str().to_owned(),
        At::Tenant(tenant) => tenant.native().to_owned(),
    }
}

/// The policy of one constraint at one place.
pub(super) fn address(at: &At, constraint: &str) -> Address {
    Address::global(KIND, format!("{}/{constraint}", resource(at)))
}

/// The place and the constraint of an address.
pub(super) fn of(address: &Address, desired: &Desired) -> Option<(At, String)> {
    let (place, constraint) = address.resource.rsplit_once('/')?;
    let tenant = desired.target.tenant().filter(|tenant| tenant.native() == place);
    let at = match tenant {
        Some(tenant) => At::Tenant(tenant.clone()),
        None => At::Unit(place.parse().ok()?),
    };
    Some((at, constraint.to_owned()))
}

/// The units on the way down to a place, without the place itself.
pub(super) fn line(at: &At, desired: &Desired) -> Vec<UnitPath> {
    match at {
        At::Unit(path) => path.line().into_iter().filter(|step| step != path).collect(),
        At::Tenant(_) => home(desired).map(|unit| unit.line()).unwrap_or_default(),
    }
}

/// What a place has to say of one constraint by itself.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wanted {
    /// What has to be in force; or why that can't be said.
    pub(super) force: Result<Force, String>,
    /// The tenant is exempt from a control that its units ask for, so that less is in force than above.
    pub(super) exempt: bool,
}

/// What a place asks, and what those above it ask already, by what the manifest says.
pub(super) struct Asks {
    /// At the place.
    pub(super) here: Forces,
    /// Above it, by policies of ours.
    pub(super) above: Forces,
}

/// The controls that a tenant need not hold on a day.
pub(super) fn exempt_on(desired: &Desired, today: Date) -> BTreeSet<ControlKind> {
    desired.exemptions.iter().filter(|one| one.holds(today)).map(|one| one.control).collect()
}

fn everything_exempt(desired: &Desired) -> BTreeSet<ControlKind> {
    desired.exemptions.iter().map(|one| one.control).collect()
}

/// Adds up what is asked on the way down to a place.
pub(super) fn asks(at: &At, desired: &Desired, ground: &GcpCloud, exempt: &BTreeSet<ControlKind>) -> Asks {
    let line = line(at, desired);
    let mut above: BTreeMap<ControlKind, Value> = BTreeMap::new();
    // What another tool owns is asked there and may not be made.
    let mut made: BTreeMap<ControlKind, Value> = BTreeMap::new();
    let mut here = BTreeMap::new();
    for Point { at: place, asks, owner, .. } in points(desired) {
        match &place {
            _ if place == *at => here = asks,
            At::Unit(path) if line.contains(path) => {
                above.extend(asks.clone());
                if owner.is_none() {
                    made.extend(asks);
                }
            }
            At::Unit(_) | At::Tenant(_) => {}
        }
    }
    above.extend(here);
    above.retain(|kind, _| !exempt.contains(kind));
    Asks { here: forces(&above, ground), above: forces(&made, ground) }
}

/// What a place has to say by itself, where `exempt` are the controls that need not hold there.
pub(super) fn wanted(at: &At, desired: &Desired, exempt: &BTreeSet<ControlKind>) -> BTreeMap<String, Wanted> {
    let Some(ground) = ground(desired) else { return BTreeMap::new() };
    let Asks { here, above } = asks(at, desired, ground, exempt);
    let lifted = above
        .keys()
        .filter(|constraint| !here.contains_key(*constraint))
        .map(|constraint| (constraint.clone(), Wanted { force: Ok(Force::Free), exempt: true }));
    let differing = here.iter().filter(|(constraint, force)| above.get(*constraint) != Some(force));
    let differing = differing.map(|(constraint, force)| {
        let looser = match (force, above.get(constraint)) {
            (Ok(force), Some(Ok(above))) => force.meet(above).as_ref() == Ok(above),
            (Ok(_) | Err(_), _) => false,
        };
        (constraint.clone(), Wanted { force: force.clone(), exempt: looser && !exempt.is_empty() })
    });
    // Without an exemption a place never asks less than those above it.
    let lifted = lifted.filter(|_| !exempt.is_empty());
    differing.chain(lifted).collect()
}

/// The constraints that have, or had, or may get a policy of ours at a place.
pub(super) fn held_at(at: &At, desired: &Desired) -> BTreeSet<String> {
    let none = BTreeSet::new();
    let mut all: BTreeSet<String> = wanted(at, desired, &none).into_keys().collect();
    if !desired.exemptions.is_empty() {
        all.extend(wanted(at, desired, &everything_exempt(desired)).into_keys());
        // Of several exemptions each ends on its own day.
        for one in everything_exempt(desired) {
            all.extend(wanted(at, desired, &BTreeSet::from([one])).into_keys());
        }
    }
    let made = desired.record.made.iter().filter(|address| address.control == KIND);
    all.extend(
        made.filter_map(|address| of(address, desired))
            .filter(|(place, _)| place == at)
            .map(|(_, constraint)| constraint),
    );
    all
}

/// The topmost unit on the way down to a place that carries a constraint by a policy of ours.
pub(super) fn topmost(at: &At, constraint: &str, desired: &Desired) -> Option<UnitPath> {
    carrying(at, constraint, desired).into_iter().next()
}

/// The units on the way down to a place that carry a constraint by a policy of ours.
pub(super) fn carrying(at: &At, constraint: &str, desired: &Desired) -> Vec<UnitPath> {
    let Some(ground) = ground(desired) else { return Vec::new() };
    let points = points(desired);
    let carries = |path: &UnitPath| {
        points.iter().any(|point| {
            point.at == At::Unit(path.clone())
                && point.owner.is_none()
                && forces(&point.asks, ground).contains_key(constraint)
        })
    };
    line(at, desired).into_iter().filter(carries).collect()
}

/// The constraints on which the tenant has, or may get, a policy of its own: `quarantine-gate` leaves them alone.
pub(in crate::controls) fn of_its_own(desired: &Desired) -> BTreeSet<String> {
    let Some(tenant) = desired.target.tenant() else { return BTreeSet::new() };
    held_at(&At::Tenant(tenant.clone()), desired)
}
