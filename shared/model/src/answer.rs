//! What comes back to whoever woke us or asked: the noun after everything else is done.

use serde::{Deserialize, Serialize};

use crate::approve::Refused;
use crate::desired::{Asked, Standing};
use crate::finding::Finding;
use crate::heartbeat::{Heartbeat, Partial};
use crate::id::{RunId, SweepId, UnitPath};
use crate::ledger::Entry;
use crate::pause::Turn;
use crate::plan::Plan;
use crate::record::Record;
use crate::report::{Provenance, Report};
use crate::target::Target;

/// What came of a trigger.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Answer {
    /// One target was reconciled.
    Reconciled(Reconciled),
    /// A sweep has begun.
    Swept {
        /// Which.
        sweep: SweepId,
        /// The unit that it is for, where it is not for everybody.
        unit: Option<UnitPath>,
    },
    /// A target is left to the work queue: more was told at once than one run does.
    Left(Target),
    /// The messages of the work queue that failed, by the queue's own ids; the others are done.
    Worked {
        /// Those that have to come again.
        failed: Vec<String>,
    },
    /// What was asked, for each target.
    Told(Vec<(Target, About)>),
    /// How things stand.
    Status(Status),
    /// The cloud could not make a tenant.
    CreationFailed {
        /// The cloud's own reason.
        why: String,
    },
    /// It was not for us.
    Ignored {
        /// Why.
        why: String,
    },
    /// Nobody can make sense of it.
    Refused {
        /// Why.
        why: String,
        /// The record that tells of it, where there is one.
        recorded: Option<String>,
    },
}

/// How things stand, by what the store knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Status {
    /// Who stopped everything, where somebody did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<Turn>,
    /// When each cloud was last swept.
    pub swept: Vec<Heartbeat>,
    /// Units that were swept on their own since.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub partly: Vec<Partial>,
    /// Every target.
    pub targets: Vec<Record>,
}

/// What is told of one target that a person asked about.
#[derive(Debug, Clone, PartialEq)]
pub enum About {
    /// What would be done.
    Plan(Box<Preview>),
    /// What was done.
    Applied(Reconciled),
    /// Why it is as it is.
    Explained(Box<Explanation>),
    /// No run has looked at it yet.
    Unknown,
    /// It could not be told, and why.
    Failed(String),
}

/// What came of reconciling one target.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Reconciled {
    /// It was done; the report of the last round.
    Done(Box<Report>),
    /// Another run is at it, and will look again.
    Busy {
        /// That run.
        run: RunId,
    },
    /// There was nothing left to do: the run that this one was to go on with came to its end.
    Settled,
}

/// What would be done to a target, and what holds in it now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[must_use]
pub struct Preview {
    /// Whom it is about.
    pub target: Target,
    /// The target's own name in the cloud.
    pub name: String,
    /// What it is to us.
    pub standing: Standing,
    /// What would be done.
    pub plan: Plan,
    /// Why the plan would not be applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refused>,
    /// What holds now.
    pub findings: Vec<Finding>,
}

/// Why a setting is as it is: the whole chain from the clause to the evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Explanation {
    /// Whom it is about.
    pub target: Target,
    /// What was found last, for each setting that fits the question.
    pub findings: Vec<Finding>,
    /// What is asked of it by the manifest as it is now.
    pub asked: Vec<Asked>,
    /// What was done about it, oldest first.
    pub history: Vec<Entry>,
    /// The run that found it.
    pub run: RunId,
    /// The bundle that run followed, and who vouches for it.
    pub provenance: Provenance,
}
