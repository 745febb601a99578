//! What would be done, and why: made from what is desired and what was observed, by looking at nothing else.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::desired::Desired;
use crate::id::{Digest, Name, RunId};
use crate::judgement::{Judgement, Verdict};
use crate::manifest::Mode;
use crate::observed::Address;
use crate::target::Target;

/// When in a tenant's life a change is made. The order is the order of the stages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Close the gate: before anything else.
    Gate,
    /// What others stand on: units, enabled services, policies on units.
    Foundation,
    /// The tenant's own settings.
    Baseline,
    /// Put the tenant into its unit, so that the unit's policies hold.
    Place,
    /// Give people access. Only once every control that handover waits for has been seen to hold.
    Handover,
    /// Open the gate: after everything else.
    Open,
}

impl Stage {
    /// Every stage in order.
    pub const ALL: [Stage; 6] =
        [Stage::Gate, Stage::Foundation, Stage::Baseline, Stage::Place, Stage::Handover, Stage::Open];

    /// Whether it waits until the required controls have been seen to hold.
    pub const fn waits_for_verification(self) -> bool {
        matches!(self, Stage::Handover | Stage::Open)
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stage::Gate => "gate",
            Stage::Foundation => "foundation",
            Stage::Baseline => "baseline",
            Stage::Place => "place",
            Stage::Handover => "handover",
            Stage::Open => "open",
        })
    }
}

/// What a change does to its setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deed {
    /// Makes what is not there.
    Create,
    /// Changes what is there.
    Update,
    /// Removes what is there.
    Delete,
}

impl Deed {
    /// The sign in front of a change, as people know it from terraform.
    pub const fn sign(self) -> char {
        match self {
            Deed::Create => '+',
            Deed::Update => '~',
            Deed::Delete => '-',
        }
    }
}

/// The name of a change inside its plan: the address and the verb, `policies/workloads#attach`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChangeId(pub String);

impl fmt::Display for ChangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One change to one setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Change {
    /// Its name in the plan.
    pub id: ChangeId,
    /// What it changes.
    pub address: Address,
    /// What the control's code calls the write: `update`, `attach`.
    pub verb: String,
    /// What it does to the setting.
    pub deed: Deed,
    /// When it is its turn.
    pub stage: Stage,
    /// What was seen; nothing where there was nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What it leaves behind, as a look will show it; nothing where nothing is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
    /// What else the write needs to know and no look shows, such as a document's text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<Value>,
    /// Why.
    pub reason: String,
    /// Changes that must be done before; their results are handed to this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<ChangeId>,
    /// Something people might still use is lost: counts against the limit of deletions.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub loses: bool,
    /// For a policy on a unit: how many tenants live below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reaches: Option<u32>,
}

impl Change {
    /// A change of the tenant's own settings; the rest is said with the other verbs.
    pub fn new(address: &Address, verb: &str, deed: Deed, reason: impl Into<String>) -> Self {
        Change {
            id: ChangeId(format!("{address}#{verb}")),
            address: address.clone(),
            verb: verb.to_owned(),
            deed,
            stage: Stage::Baseline,
            before: None,
            after: None,
            with: None,
            reason: reason.into(),
            needs: Vec::new(),
            loses: false,
            reaches: None,
        }
    }

    /// With what was seen before.
    #[must_use]
    pub fn before(mut self, before: Option<Value>) -> Self {
        self.before = before.filter(|before| !before.is_null());
        self
    }

    /// With what a look will show afterwards.
    #[must_use]
    pub fn after(mut self, after: Value) -> Self {
        self.after = Some(after).filter(|after| !after.is_null());
        self
    }

    /// With what the write needs besides.
    #[must_use]
    pub fn with(mut self, with: Value) -> Self {
        self.with = Some(with).filter(|with| !with.is_null());
        self
    }

    /// In another stage than the baseline.
    #[must_use]
    pub fn at(mut self, stage: Stage) -> Self {
        self.stage = stage;
        self
    }

    /// After another change, whose result it is handed.
    #[must_use]
    pub fn needs(mut self, other: &ChangeId) -> Self {
        self.needs.push(other.clone());
        self
    }
}

/// A change that is wanted and not made, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocked {
    /// The change.
    pub change: Change,
    /// What stands in its way.
    pub why: String,
}

/// Everything one run would do to one target, in the order of the stages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[must_use]
pub struct Plan {
    /// The run that made it.
    pub run: RunId,
    /// Whom it is for.
    pub target: Target,
    /// The manifest's name of the cloud.
    pub cloud: Name,
    /// When it was made.
    pub at: Timestamp,
    /// The bundle it follows from.
    pub bundle: Digest,
    /// What it would do.
    pub changes: Vec<Change>,
    /// What it would do if it might.
    pub blocked: Vec<Blocked>,
}

impl Plan {
    /// The digest of the whole plan: what is stored, approved and applied is the same.
    pub fn digest(&self) -> Digest {
        Digest::of(serde_json::to_string(self).unwrap_or_default().as_bytes())
    }
}

/// Makes the plan: every deviation that may be put right becomes changes, the others say why not.
pub fn plan(
    run: &RunId,
    at: Timestamp,
    bundle: &Digest,
    desired: &Desired,
    judgements: &[Judgement],
) -> Plan {
    let mut changes = Vec::new();
    let mut blocked = Vec::new();
    for judgement in judgements {
        let (Verdict::Fails { changes: wanted, .. } | Verdict::Due { changes: wanted, .. }) =
            &judgement.verdict
        else {
            continue;
        };
        let mode = desired.asked(judgement.control).map_or(Mode::Detect, |asked| asked.mode);
        for change in wanted {
            match desired.standing.forbids(mode) {
                None => changes.push(change.clone()),
                Some(why) => blocked.push(Blocked { change: change.clone(), why }),
            }
        }
    }
    // What others need comes before them, within its setting.
    changes.sort_by(|a, b| {
        (a.stage, &a.address, a.needs.len(), &a.id).cmp(&(b.stage, &b.address, b.needs.len(), &b.id))
    });
    blocked.sort_by(|a, b| (a.change.stage, &a.change.id).cmp(&(b.change.stage, &b.change.id)));
    Plan {
        run: run.clone(),
        target: desired.target.clone(),
        cloud: desired.cloud.clone(),
        at,
        bundle: bundle.clone(),
        changes,
        blocked,
    }
}
