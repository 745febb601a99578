//! What a run has to be permitted on a cloud, and who needs it: what Landfall itself looks up there, and what each control adds.
//!
//! Whoever calls declares: a control beside its calls ([`Control::PERMISSIONS`](crate::control::Control::PERMISSIONS)), the directory
//! and the doctor beside theirs ([`Errand`]). A provider adds them up, so that nobody keeps a list that could differ from the code.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use landfall_model::catalog::ControlKind;
use landfall_model::manifest::Mode;

use crate::control::{Permissions, Platform};
use crate::offer;

/// What a role is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// To look: plans are made with it.
    Plan,
    /// To look and to write.
    Apply,
}

/// Every control of the catalog, in the mode that needs most: what any manifest may come to ask.
pub fn whole_catalog() -> BTreeMap<ControlKind, Mode> {
    ControlKind::ALL.iter().map(|kind| (*kind, Mode::Prevent)).collect()
}

/// What Landfall does on a cloud whatever the manifest asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Errand {
    /// In a word or two: `directory`.
    pub name: &'static str,
    /// What it may call.
    pub needs: Permissions,
}

/// Who needs a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Needer {
    /// An errand, by its name.
    Errand(&'static str),
    /// A control.
    Control(ControlKind),
}

impl fmt::Display for Needer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Needer::Errand(name) => f.write_str(name),
            Needer::Control(kind) => write!(f, "{kind}"),
        }
    }
}

/// Permissions as the cloud names them, and who needs each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needed(pub BTreeMap<&'static str, BTreeSet<Needer>>);

impl Needed {
    /// Adds up what errands and a cloud's controls need. A control that only detects is never written.
    pub fn of_controls<On: Platform>(
        purpose: Purpose,
        errands: &[Errand],
        controls: &BTreeMap<ControlKind, Mode>,
    ) -> Self {
        let declared =
            |(kind, mode): (&ControlKind, &Mode)| Some((*kind, *mode, offer::permissions::<On>(*kind)?));
        Needed::of(purpose, errands, controls.iter().filter_map(declared))
    }

    fn of(
        purpose: Purpose,
        errands: &[Errand],
        controls: impl IntoIterator<Item = (ControlKind, Mode, Permissions)>,
    ) -> Self {
        let mut needed = Needed::default();
        for Errand { name, needs } in errands {
            needed.add(Needer::Errand(name), needs.read);
            if purpose == Purpose::Apply {
                needed.add(Needer::Errand(name), needs.write);
            }
        }
        for (kind, mode, needs) in controls {
            needed.add(Needer::Control(kind), needs.read);
            if purpose == Purpose::Apply && mode != Mode::Detect {
                needed.add(Needer::Control(kind), needs.write);
            }
        }
        needed
    }

    fn add(&mut self, by: Needer, permissions: &[&'static str]) {
        for permission in permissions {
            self.0.entry(permission).or_default().insert(by);
        }
    }

    /// The permissions, in order.
    pub fn permissions(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.0.keys().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTING: Errand =
        Errand { name: "directory", needs: Permissions { read: &["accounts:List"], write: &[] } };
    const TAGS: Permissions = Permissions { read: &["tags:List"], write: &["tags:List", "tags:Set"] };
    const BUDGET: Permissions = Permissions { read: &["accounts:List"], write: &["budgets:Set"] };

    fn needed(purpose: Purpose, mode: Mode) -> Vec<String> {
        let controls = [(ControlKind::Tags, mode, TAGS), (ControlKind::Budget, Mode::Repair, BUDGET)];
        let Needed(all) = Needed::of(purpose, &[LISTING], controls);
        let by = |by: BTreeSet<Needer>| by.iter().map(Needer::to_string).collect::<Vec<_>>().join(" ");
        all.into_iter().map(|(permission, who)| format!("{permission} {}", by(who))).collect()
    }

    #[test]
    fn each_permission_says_who_needs_it() {
        assert_eq!(needed(Purpose::Plan, Mode::Repair), ["accounts:List directory budget", "tags:List tags"]);
        assert_eq!(
            needed(Purpose::Apply, Mode::Repair),
            ["accounts:List directory budget", "budgets:Set budget", "tags:List tags", "tags:Set tags"]
        );
    }

    #[test]
    fn what_is_only_detected_is_never_written() {
        let apply = needed(Purpose::Apply, Mode::Detect);
        assert_eq!(apply, ["accounts:List directory budget", "budgets:Set budget", "tags:List tags"]);
    }
}
