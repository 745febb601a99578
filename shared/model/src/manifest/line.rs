//! Inheritance tightens: what the levels above a place ask for, combined into one asking a control.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Control, Handover, LandingZone, Manifest, Mode, Tenant};
use crate::catalog::{Combine, ControlKind, Parameter, Weakened};
use crate::desired::Asked;
use crate::id::{Name, TenantId, UnitPath};

/// What all levels together ask of one control.
#[derive(Debug, Clone, PartialEq)]
pub struct Asking {
    /// The manifest's names for it.
    pub names: Vec<Name>,
    /// Its parameters, combined; the catalog's defaults where nobody says.
    pub with: BTreeMap<String, Value>,
    /// The levels that ask, for people, the highest first.
    pub sources: Vec<String>,
    /// The clauses it answers, sorted.
    pub satisfies: Vec<String>,
    /// The strictest mode that any level asks for.
    pub mode: Mode,
    /// Whether any level makes a new tenant wait for it.
    pub handover: Handover,
}

impl Asking {
    /// The parameters as one value.
    pub fn value(&self) -> Value {
        Value::Object(self.with.clone().into_iter().collect())
    }

    /// As a control that is asked of a target.
    pub fn asked(self, control: ControlKind) -> Asked {
        let settings = Ok(self.value());
        let Asking { names, with: _, sources, satisfies, mode, handover } = self;
        Asked { control, names, settings, sources, satisfies, mode, handover }
    }

    /// Two askings of the same control where neither is above the other: the stricter of each parameter holds.
    #[must_use]
    pub fn join(mut self, control: ControlKind, other: &Asking) -> Asking {
        for (name, value) in &other.with {
            let joined = match (self.with.get(name), control.entry().parameter(name)) {
                (Some(own), Some(parameter)) => parameter.combine.join(own, value),
                (Some(own), None) => own.clone(),
                (None, _) => value.clone(),
            };
            self.with.insert(name.clone(), joined);
        }
        self.merge(other);
        self
    }

    fn merge(&mut self, other: &Asking) {
        let Asking { names, with: _, sources, satisfies, mode, handover } = other;
        append(&mut self.names, names);
        append(&mut self.sources, sources);
        append(&mut self.satisfies, satisfies);
        self.satisfies.sort_unstable();
        self.mode = self.mode.max(*mode);
        self.handover = self.handover.max(*handover);
    }
}

fn append<T: Clone + PartialEq>(to: &mut Vec<T>, from: &[T]) {
    for item in from {
        if !to.contains(item) {
            to.push(item.clone());
        }
    }
}

impl Manifest {
    /// What is asked at a unit: by the units above, and by itself.
    pub fn askings_at(&self, unit: &UnitPath) -> BTreeMap<ControlKind, Asking> {
        self.askings(unit, None, None)
    }

    /// What is asked of a tenant in a unit: by its units from the top down (each unit's landing zone, the lowest `extends`
    /// first, then its controls), by the landing zone, and by the tenant itself.
    ///
    /// A control that a higher level lists already adds nothing when a lower one lists it again. A level that would weaken a
    /// higher one is an error of `check`, so a checked manifest has none; here the higher level's value stands.
    pub fn askings(
        &self,
        unit: &UnitPath,
        landing_zone: Option<&Name>,
        tenant: Option<&Tenant>,
    ) -> BTreeMap<ControlKind, Asking> {
        let mut askings = self.along(unit, landing_zone, tenant).askings;
        for (kind, asking) in &mut askings {
            for parameter in kind.entry().parameters {
                if let Some(default) = parameter.default.and_then(|text| serde_json::from_str(text).ok()) {
                    asking.with.entry(parameter.name.to_owned()).or_insert(default);
                }
            }
        }
        askings
    }

    /// The same without the catalog's defaults, and what the levels got wrong on the way.
    pub(crate) fn along(
        &self,
        unit: &UnitPath,
        landing_zone: Option<&Name>,
        tenant: Option<&Tenant>,
    ) -> Line {
        let mut line = Line::default();
        for path in unit.line() {
            let Some(unit) = self.units.get(&path) else { continue };
            if let Some(zone) = &unit.landing_zone {
                self.zones(&mut line, zone);
            }
            line.level(&format!("unit {path}"), self.named(&unit.controls));
        }
        if let Some(zone) = landing_zone {
            self.zones(&mut line, zone);
        }
        if let Some(tenant) = tenant {
            line.tenant(tenant);
        }
        line
    }

    fn zones(&self, line: &mut Line, name: &Name) {
        for (name, LandingZone { version, extends: _, controls }) in self.landing_zone_line(name) {
            line.level(&format!("landing zone {name} v{version}"), self.named(controls));
        }
    }

    fn named(&self, names: &[Name]) -> Vec<(&Name, &Control)> {
        names.iter().filter_map(|name| self.controls.get_key_value(name)).collect()
    }
}

/// The way from the top of the tree down to a place.
#[derive(Debug, Default)]
pub(crate) struct Line {
    pub(crate) askings: BTreeMap<ControlKind, Asking>,
    /// Each place where a level asked for less than a higher one demands.
    pub(crate) weakenings: Vec<Weakening>,
    /// Each place where two controls of one level leave nothing that both allow.
    pub(crate) contradictions: Vec<Contradiction>,
    said: BTreeMap<(ControlKind, String), Said>,
    seen: BTreeSet<Name>,
}

/// A level asked for less than a higher one demands.
#[derive(Debug, Clone)]
pub(crate) struct Weakening {
    pub(crate) control: ControlKind,
    pub(crate) parameter: &'static Parameter,
    pub(crate) higher: Said,
    pub(crate) lower: Said,
    pub(crate) what: Weakened,
}

/// Two controls of one level have nothing in common.
#[derive(Debug, Clone)]
pub(crate) struct Contradiction {
    pub(crate) control: ControlKind,
    pub(crate) parameter: &'static Parameter,
    pub(crate) one: Said,
    pub(crate) other: Said,
}

/// Where a parameter's value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    /// Whose `with` it stands in.
    pub(crate) origin: Origin,
    /// The level that asks for it, for people.
    pub(crate) level: String,
}

/// Whose `with` a parameter stands in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    Control(Name),
    Tenant(TenantId),
}

impl Line {
    fn level(&mut self, level: &str, controls: Vec<(&Name, &Control)>) {
        let mut here: BTreeMap<(ControlKind, &str), (Value, Said)> = BTreeMap::new();
        for (name, Control { control, with, satisfies, mode, handover }) in controls {
            self.ask(
                *control,
                Asking {
                    names: vec![name.clone()],
                    with: BTreeMap::new(),
                    sources: vec![level.to_owned()],
                    satisfies: satisfies.clone(),
                    mode: *mode,
                    handover: *handover,
                },
            );
            if !self.seen.insert(name.clone()) {
                continue;
            }
            for (parameter, value) in with {
                let said = Said { origin: Origin::Control(name.clone()), level: level.to_owned() };
                let joined = match (here.remove(&(*control, parameter)), control.entry().parameter(parameter))
                {
                    (Some((own, by)), Some(entry)) => {
                        let joined = entry.combine.join(&own, value);
                        let nothing = joined.as_array().is_some_and(Vec::is_empty);
                        if nothing && entry.combine == Combine::Intersection {
                            let (one, other) = (by.clone(), said.clone());
                            self.contradictions.push(Contradiction {
                                control: *control,
                                parameter: entry,
                                one,
                                other,
                            });
                        }
                        let by = if joined == own { by } else { said };
                        (joined, by)
                    }
                    (Some(_) | None, _) => (value.clone(), said),
                };
                here.insert((*control, parameter), joined);
            }
        }
        for ((control, parameter), (value, said)) in here {
            self.tighten(control, parameter, &value, said);
        }
    }

    fn tenant(&mut self, Tenant { id, with, .. }: &Tenant) {
        let level = format!("tenant {id}");
        for (control, with) in with {
            let mode = Mode::of(*control);
            let (mode, handover) = match self.askings.get(control) {
                Some(asked) => (asked.mode, asked.handover),
                None => (mode, Handover::of(*control, mode)),
            };
            self.ask(
                *control,
                Asking {
                    names: Vec::new(),
                    with: BTreeMap::new(),
                    sources: vec![level.clone()],
                    satisfies: Vec::new(),
                    mode,
                    handover,
                },
            );
            for (parameter, value) in with {
                let said = Said { origin: Origin::Tenant(id.clone()), level: level.clone() };
                self.tighten(*control, parameter, value, said);
            }
        }
    }

    fn ask(&mut self, control: ControlKind, asking: Asking) {
        match self.askings.get_mut(&control) {
            Some(above) => above.merge(&asking),
            None => {
                self.askings.insert(control, asking);
            }
        }
    }

    fn tighten(&mut self, control: ControlKind, parameter: &str, lower: &Value, said: Said) {
        let Some(asking) = self.askings.get_mut(&control) else { return };
        let key = (control, parameter.to_owned());
        let combined = match (asking.with.get(parameter), control.entry().parameter(parameter)) {
            (Some(higher), Some(entry)) => match entry.combine.tighten(higher, lower) {
                Ok(combined) if combined == *higher => return,
                Ok(combined) => combined,
                Err(what) => {
                    if let Some(higher) = self.said.get(&key).cloned() {
                        self.weakenings.push(Weakening {
                            control,
                            parameter: entry,
                            higher,
                            lower: said,
                            what,
                        });
                    }
                    return;
                }
            },
            (Some(_) | None, _) => lower.clone(),
        };
        asking.with.insert(parameter.to_owned(), combined);
        self.said.insert(key, said);
    }
}

#[cfg(test)]
mod tests;
