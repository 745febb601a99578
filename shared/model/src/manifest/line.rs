//! Inheritance tightens: what the levels above a place ask for, combined into one asking a control.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Control, Handover, LandingZone, Manifest, Mode, Tenant};
use crate::catalog::ControlKind;
use crate::desired::Asked;
use crate::id::{Name, UnitPath};

/// What all levels together ask of one control.
#[derive(Debug, Clone, PartialEq)]
pub struct Asking {
    /// The manifest's names for it.
    pub names: Vec<Name>,
    /// Its parameters, combined; the catalog's defaults where nobody says.
    pub with: BTreeMap<String, Value>,
    /// The levels that ask, for people.
    pub sources: Vec<String>,
    /// The clauses it answers.
    pub satisfies: Vec<String>,
    /// The strictest mode that any level asks for.
    pub mode: Mode,
    /// Whether any level makes a new tenant wait for it.
    pub handover: Handover,
}

/// One level's controls, from the highest to the lowest.
#[derive(Debug, Clone, PartialEq)]
pub struct Level<'a> {
    /// What it is, for people: `unit workloads`, `landing zone standard v3`.
    pub source: String,
    /// Its controls under their names.
    pub controls: Vec<(&'a Name, &'a Control)>,
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

    /// Two askings where neither is above the other: the stricter of each parameter holds.
    #[must_use]
    pub fn join(mut self, other: &Asking) -> Asking {
        for (kind, value) in &other.with {
            self.with.entry(kind.clone()).or_insert_with(|| value.clone());
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
    /// The levels above and at a place: each unit's landing zone (the lowest `extends` first) and controls from the top down,
    /// then the tenant's own landing zone.
    pub fn levels(&self, unit: &UnitPath, landing_zone: Option<&Name>) -> Vec<Level<'_>> {
        let mut levels = Vec::new();
        for path in unit.line() {
            let Some(unit) = self.units.get(&path) else { continue };
            if let Some(zone) = &unit.landing_zone {
                levels.extend(
                    self.landing_zone_line(zone).into_iter().map(|(name, zone)| self.zone(name, zone)),
                );
            }
            levels.push(self.level(format!("unit {path}"), &unit.controls));
        }
        if let Some(zone) = landing_zone {
            levels.extend(self.landing_zone_line(zone).into_iter().map(|(name, zone)| self.zone(name, zone)));
        }
        levels
    }

    fn zone(&self, name: &Name, zone: &LandingZone) -> Level<'_> {
        self.level(format!("landing zone {name} v{}", zone.version), &zone.controls)
    }

    fn level(&self, source: String, names: &[Name]) -> Level<'_> {
        Level {
            source,
            controls: names.iter().filter_map(|name| self.controls.get_key_value(name)).collect(),
        }
    }

    /// What is asked at a unit.
    pub fn askings_at(&self, unit: &UnitPath) -> BTreeMap<ControlKind, Asking> {
        self.askings(unit, None, None)
    }

    /// What is asked of a tenant in a unit: its units, its landing zone, and what it asks of itself.
    ///
    /// A level that would weaken a higher one is an error of `check`, so a checked manifest has none; here the higher level's
    /// value stands.
    pub fn askings(
        &self,
        unit: &UnitPath,
        landing_zone: Option<&Name>,
        tenant: Option<&Tenant>,
    ) -> BTreeMap<ControlKind, Asking> {
        let mut askings: BTreeMap<ControlKind, Asking> = BTreeMap::new();
        for level in self.levels(unit, landing_zone) {
            let mut here: BTreeMap<ControlKind, Asking> = BTreeMap::new();
            for (name, control) in &level.controls {
                let Control { control: kind, with, satisfies, mode, handover } = control;
                let one = Asking {
                    names: vec![(*name).clone()],
                    with: with.clone(),
                    sources: vec![level.source.clone()],
                    satisfies: satisfies.clone(),
                    mode: *mode,
                    handover: *handover,
                };
                combine(&mut here, *kind, one, |parameter, a, b| parameter.combine.join(a, b));
            }
            for (kind, asking) in here {
                combine(&mut askings, kind, asking, |parameter, higher, lower| {
                    parameter.combine.tighten(higher, lower).unwrap_or_else(|_| higher.clone())
                });
            }
        }
        if let Some(tenant) = tenant {
            for (kind, with) in &tenant.with {
                if let Some(asking) = askings.get_mut(kind) {
                    let own = Asking {
                        with: with.clone(),
                        sources: vec![format!("tenant {}", tenant.id)],
                        ..asking.clone()
                    };
                    combine(&mut askings, *kind, own, |parameter, higher, lower| {
                        parameter.combine.tighten(higher, lower).unwrap_or_else(|_| higher.clone())
                    });
                }
            }
        }
        for (kind, asking) in &mut askings {
            for parameter in kind.entry().parameters {
                if let Some(default) = parameter.default.and_then(|text| serde_json::from_str(text).ok()) {
                    asking.with.entry(parameter.name.to_owned()).or_insert(default);
                }
            }
        }
        askings
    }
}

fn combine(
    askings: &mut BTreeMap<ControlKind, Asking>,
    kind: ControlKind,
    lower: Asking,
    how: impl Fn(&crate::catalog::Parameter, &Value, &Value) -> Value,
) {
    let Some(higher) = askings.get_mut(&kind) else {
        askings.insert(kind, lower);
        return;
    };
    for (name, value) in &lower.with {
        let combined = match (higher.with.get(name), kind.entry().parameter(name)) {
            (Some(above), Some(parameter)) => how(parameter, above, value),
            _ => value.clone(),
        };
        higher.with.insert(name.clone(), combined);
    }
    higher.merge(&lower);
}
