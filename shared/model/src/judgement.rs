//! What the comparison of one setting says. Plans and findings both follow from it, so they can't disagree.

use serde::{Deserialize, Serialize};

use crate::catalog::ControlKind;
use crate::observed::{Address, Observed, Seen};
use crate::plan::Change;

/// What is said of one setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[must_use]
pub struct Judgement {
    /// The control that asks.
    pub control: ControlKind,
    /// The setting that was looked at.
    pub address: Address,
    /// What was found.
    pub verdict: Verdict,
}

/// Whether a setting holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It does.
    Holds,
    /// It does not; the changes would put it right, where anything can.
    Fails {
        /// How it differs, for people.
        why: String,
        /// What would put it right.
        changes: Vec<Change>,
    },
    /// It holds as it should for now, and these changes follow later in the tenant's life, such as the opening of its gate.
    Due {
        /// What it waits for, for people.
        why: String,
        /// What follows.
        changes: Vec<Change>,
    },
    /// We could not look, or can't tell.
    Unknown {
        /// Why, for people.
        why: String,
    },
    /// It is not asked here, or does not exist here.
    NotApplicable {
        /// Why, for people.
        why: String,
    },
}

impl Judgement {
    /// Judges one setting by what was seen there: could not look is unknown, not offered is not applicable, and only what
    /// is present or absent is for the control to judge.
    pub fn of(
        control: ControlKind,
        address: &Address,
        observed: &Observed,
        judge: impl FnOnce(Option<&serde_json::Value>) -> Verdict,
    ) -> Self {
        let verdict = match observed.seen(address) {
            Seen::Present(value) => judge(Some(&value)),
            Seen::Absent => judge(None),
            Seen::Unreadable(why) => Verdict::Unknown { why },
            Seen::NotOffered(why) => Verdict::NotApplicable { why },
        };
        Judgement { control, address: address.clone(), verdict }
    }
}

impl Verdict {
    /// It fails, and one change puts it right.
    pub fn fails(change: Change) -> Self {
        Verdict::Fails { why: change.reason.clone(), changes: vec![change] }
    }
}
