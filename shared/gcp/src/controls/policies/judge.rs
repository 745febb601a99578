//! What a place says of a constraint, compared with what it has to say. Pure.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::json;

use landfall_engine::control::kept;
use landfall_model::catalog::organization_policies::CUSTOM;
use landfall_model::catalog::policies::{At, Point};
use landfall_model::desired::{Desired, Standing};
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::manifest::GcpCloud;
use landfall_model::observed::{Address, Observed, Seen};
use landfall_model::plan::{Change, ChangeId, Deed, Stage};

use super::force::{Force, Held, Lists};
use super::look::Seated;
use super::place::{self, Wanted, address};
use super::spec::Spec;
use super::write::Order;
use super::{KIND, quota};
use crate::controls::units::{self, Unit};
use crate::controls::{ground, json as value, organization_policies, reported};

/// What is said of every constraint that a place holds by itself.
pub(super) fn place(point: &Point, desired: &Desired, observed: &Observed) -> Vec<Judgement> {
    let Some(ground) = ground(desired) else { return Vec::new() };
    let judge = |constraint: String| {
        let address = address(&point.at, &constraint);
        Judgement::of(KIND, &address, observed, |there| {
            let seated: Seated = match kept(there) {
                Ok(seated) => seated.unwrap_or_default(),
                Err(unknown) => return unknown,
            };
            let exempt = place::exempt_on(desired, looked(observed, &address));
            let wanted = place::wanted(&point.at, desired, &exempt).remove(&constraint);
            let one = One {
                point,
                desired,
                observed,
                ground,
                address: &address,
                constraint: &constraint,
                seated: &seated,
                exempt: &exempt,
            };
            one.compare(wanted)
        })
    };
    place::held_at(&point.at, desired).into_iter().map(judge).collect()
}

/// The day on which a setting was looked at, which says which exemptions hold.
pub(super) fn looked(observed: &Observed, address: &Address) -> Date {
    let at = observed.0.get(address).map_or(jiff::Timestamp::UNIX_EPOCH, |look| look.at);
    at.to_zoned(TimeZone::UTC).date()
}

/// One constraint at one place.
struct One<'a> {
    point: &'a Point,
    desired: &'a Desired,
    observed: &'a Observed,
    ground: &'a GcpCloud,
    address: &'a Address,
    constraint: &'a str,
    seated: &'a Seated,
    exempt: &'a BTreeSet<landfall_model::catalog::ControlKind>,
}

/// What has to be said.
enum Say {
    /// What is there is enough.
    Nothing,
    /// This, because of that.
    Spec(Spec, String),
    /// It can't be.
    Impossible(String),
}

impl One<'_> {
    fn compare(&self, wanted: Option<Wanted>) -> Verdict {
        let One { desired, address, seated, constraint, .. } = self;
        let made = desired.record.made.contains(*address);
        let Some(Wanted { force, exempt }) = wanted else { return self.unasked(made) };
        let force = match force {
            Ok(force) => force,
            Err(why) => return reported(format!("`{constraint}`: {why}")),
        };
        let foreign = seated.own.as_ref().filter(|_| !made);
        if let Some(own) = foreign.filter(|own| own.is_conditional()) {
            let some = if own.force().holds(&force) == Held::Yes { "may be lifted" } else { "does not hold" };
            return reported(format!(
                "somebody else's policy on `{constraint}` has conditions on tags, by which it {some} for some resources: reported, not overwritten"
            ));
        }
        let said = if exempt { self.exempted(&force, foreign) } else { self.held(&force, foreign) };
        match said {
            Say::Nothing => Verdict::Holds,
            Say::Impossible(why) => reported(why),
            Say::Spec(spec, why) => match &seated.own {
                Some(own) if own.is_like(&spec) => Verdict::Holds,
                Some(_) => self.write("update", Deed::Update, why, Some(spec)),
                None => self.write("create", Deed::Create, why, Some(spec)),
            },
        }
    }

    /// What people who exempted the tenant want: what would be in force without the control.
    fn exempted(&self, force: &Force, foreign: Option<&Spec>) -> Say {
        let constraint = self.constraint;
        if foreign.is_some() {
            return Say::Impossible(format!(
                "the tenant is exempt, but somebody else's policy on `{constraint}` is there: reported, not touched"
            ));
        }
        let met = self.others().and_then(|others| others.meet(force));
        match met {
            // What is above is what it is exempt from: it says all by itself.
            Ok(force) => Say::Spec(
                Spec { inherit_from_parent: false, ..Spec::from(&force) },
                format!("the tenant is exempt from what `{constraint}` holds above"),
            ),
            Err(why) => Say::Impossible(format!("`{constraint}`: {why}")),
        }
    }

    fn held(&self, force: &Force, foreign: Option<&Spec>) -> Say {
        let constraint = self.constraint;
        let impossible = |why: String| Say::Impossible(format!("`{constraint}`: {why}"));
        let others = match self.others() {
            Ok(others) => others,
            Err(why) => return impossible(why),
        };
        let mut stricter = others.clone();
        let why = match (&self.seated.own, foreign) {
            (None, _) => match others.holds(force) {
                // Somebody above asks the same or more.
                Held::Yes => return Say::Nothing,
                Held::No(_) | Held::Unclear(_) => format!("`{constraint}` is not set"),
            },
            (Some(_), None) => format!("`{constraint}` does not say what it should"),
            (Some(own), Some(_)) => {
                let there = self.with_what_it_inherits(own, &others);
                match there.holds(force) {
                    Held::Yes => return Say::Nothing,
                    Held::Unclear(why) => return impossible(why),
                    Held::No(why) => {
                        // What is narrower than asked stays so.
                        match stricter.meet(&there) {
                            Ok(both) => stricter = both,
                            Err(why) => return impossible(why),
                        }
                        format!("somebody else's policy on `{constraint}` does not hold what is asked: {why}")
                    }
                }
            }
        };
        match stricter.meet(force) {
            Ok(both) if both.is_empty() => impossible(format!(
                "nothing of what is asked is among what others allow there, {}; what is stricter is never loosened",
                told(&stricter)
            )),
            Ok(both) => Say::Spec(Spec::from(&both), why),
            Err(why) => impossible(why),
        }
    }

    /// What others say above.
    fn others(&self) -> Result<Force, String> {
        self.seated.above.iter().try_fold(Force::Free, |all, spec| all.meet(&spec.force()))
    }

    /// What somebody else's policy forces, with what is inherited: allowed values add up, and so do denied ones.
    fn with_what_it_inherits(&self, own: &Spec, others: &Force) -> Force {
        if !own.inherit_from_parent {
            return own.force();
        }
        let asked = place::asks(&self.point.at, self.desired, self.ground, self.exempt).above;
        let ours = asked.get(self.constraint).and_then(|force| force.clone().ok()).unwrap_or(Force::Free);
        let above = others.meet(&ours).unwrap_or(Force::Free);
        match (own.force(), above) {
            (Force::Free, above) => above,
            (own, Force::Free) => own,
            (Force::Listed(own), Force::Listed(above)) => {
                let allow = match (own.allow, above.allow) {
                    (None, allow) | (allow, None) => allow,
                    (Some(own), Some(above)) => Some(own.union(&above).cloned().collect()),
                };
                Lists { allow, deny: own.deny.union(&above.deny).cloned().collect() }.force()
            }
            (Force::Enforced, _) | (_, Force::Enforced) => Force::Enforced,
            (Force::DenyAll, _) | (_, Force::DenyAll) => Force::DenyAll,
        }
    }

    /// What nothing asks for any more goes, where it is ours.
    fn unasked(&self, made: bool) -> Verdict {
        let One { seated, constraint, .. } = self;
        match (&seated.own, made, seated.dry_run) {
            (Some(_), true, false) => {
                self.write("delete", Deed::Delete, format!("nothing asks for `{constraint}` any more"), None)
            }
            (Some(_), true, true) => reported(format!(
                "nothing asks for `{constraint}` any more, but somebody keeps a dry run in its policy: it stays"
            )),
            (None, _, _) | (Some(_), false, _) => {
                Verdict::NotApplicable { why: format!("nothing asks for `{constraint}` here") }
            }
        }
    }

    fn write(&self, verb: &'static str, deed: Deed, why: String, spec: Option<Spec>) -> Verdict {
        let One { point, desired, seated, address, constraint, .. } = self;
        if let Some(owner) = &point.owner {
            return reported(format!("{why}; the policies here are owned by {owner}: reported, not touched"));
        }
        if let Some(over) = spec.as_ref().and_then(quota::over) {
            return reported(format!("{why}; `{constraint}` can't be written: {over}"));
        }
        let mut needs = Vec::new();
        let (place, stage, reaches) = match &point.at {
            At::Tenant(tenant) => {
                // Who works there already is bound at once.
                let works = matches!(desired.standing, Standing::HandedOver | Standing::Adopted);
                (Some(format!("projects/{}", tenant.native())), Stage::Baseline, works.then_some(1))
            }
            At::Unit(path) => match self.observed.seen(&units::address(path)) {
                Seen::Present(unit) => match kept::<Unit>(Some(&unit)) {
                    Ok(unit) => (
                        unit.as_ref().map(|unit| unit.name.clone()),
                        Stage::Foundation,
                        unit.map(|unit| unit.projects),
                    ),
                    Err(unknown) => return unknown,
                },
                Seen::Absent => match units::adopted(&place::units_of(desired), path) {
                    Some(folder) => {
                        return reported(format!(
                            "`{path}` adopts `{folder}`, which the organization does not have: there is nothing to set a policy on"
                        ));
                    }
                    None => {
                        needs.push(units::creation(path));
                        (None, Stage::Foundation, None)
                    }
                },
                Seen::Unreadable(why) => return Verdict::Unknown { why },
                Seen::NotOffered(why) => return Verdict::NotApplicable { why },
            },
        };
        needs.extend(self.custom());
        let order = Order {
            place,
            constraint: (*constraint).to_owned(),
            spec: spec.clone(),
            was: seated.own.clone(),
        };
        let mut change = Change::new(address, verb, deed, why)
            .before(seated.own.as_ref().map(|own| json!({"own": own})))
            .after(json!({"own": spec}))
            .with(value(&order))
            .at(stage);
        change.needs = needs;
        change.reaches = reaches;
        // With an exemption that is over nothing is lost that people use.
        let lifted = seated.own.as_ref().is_some_and(|own| own.force() == Force::Free);
        change.loses = deed == Deed::Delete && !lifted;
        Verdict::fails(change)
    }

    /// The change that makes the custom constraint, where the same run does.
    fn custom(&self) -> Option<ChangeId> {
        if !self.constraint.starts_with(CUSTOM) {
            return None;
        }
        organization_policies::creation(self.constraint, self.desired, self.observed)
    }
}

/// What is in force, for people.
pub(super) fn told(force: &Force) -> String {
    let list = |texts: &BTreeSet<String>| {
        texts.iter().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(", ")
    };
    match force {
        Force::Free => "everything".to_owned(),
        Force::Enforced => "enforced".to_owned(),
        Force::DenyAll => "nothing".to_owned(),
        Force::Listed(Lists { allow: Some(allow), .. }) => list(allow),
        Force::Listed(Lists { allow: None, deny }) => format!("everything but {}", list(deny)),
    }
}
