//! What one run did and found: the value that is stored, printed and replayed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::approve::Refused;
use crate::desired::Standing;
use crate::finding::Finding;
use crate::id::{Digest, Name, RunId, SweepId};
use crate::outcome::{Done, Outcome};
use crate::pause::Turn;
use crate::plan::{Blocked, Change};
use crate::record::{Counts, Life};
use crate::target::Target;
use crate::trigger::Cause;

/// Which bundle a run followed, and who vouches for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Provenance {
    /// The bundle's digest.
    pub bundle: Digest,
    /// The statement's number; 0 where nobody signed.
    pub generation: u64,
    /// The key that signed; nothing where nobody did.
    pub signed_by: Option<String>,
    /// Who is responsible for it, as the statement says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
}

/// What one run did and found in one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[must_use]
pub struct Report {
    /// The run.
    pub run: RunId,
    /// The sweep it was part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweep: Option<SweepId>,
    /// Whom it was about.
    pub target: Target,
    /// The target's own name in the cloud.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The manifest's name of the cloud.
    pub cloud: Name,
    /// Why it ran.
    pub cause: Cause,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// What it followed.
    pub provenance: Provenance,
    /// What the target is to us.
    pub standing: Standing,
    /// Where in its life the target was when the run ended.
    pub life: Life,
    /// The plan's digest; the plan is under `plans/`.
    pub plan: Digest,
    /// What was to be changed.
    pub changes: Vec<Change>,
    /// What was wanted and not allowed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocked: Vec<Blocked>,
    /// Why the plan as a whole was not applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refused>,
    /// Who stopped everything, where somebody did: then nothing was written from there on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<Turn>,
    /// What happened to each change.
    pub outcomes: Vec<Outcome>,
    /// What holds and what does not.
    pub findings: Vec<Finding>,
    /// How many of each.
    pub counts: Counts,
    /// What else a person should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What comes next by itself.
    pub next: Next,
}

/// What comes next by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Next {
    /// The next sweep.
    Sweep,
    /// Another look, because writes are settling.
    LookAgain {
        /// When.
        at: Timestamp,
    },
    /// The rest of the work, because time ran out.
    Resume,
}

impl Report {
    /// How many changes were written.
    pub fn written(&self) -> u32 {
        let written = |outcome: &&Outcome| matches!(outcome.result, Done::Written { .. });
        u32::try_from(self.outcomes.iter().filter(written).count()).unwrap_or(u32::MAX)
    }

    /// Whether a person should see to it.
    pub fn needs_attention(&self) -> bool {
        self.refused.is_some()
            || (self.paused.is_some() && !self.changes.is_empty())
            || self.findings.iter().any(Finding::needs_attention)
    }
}
