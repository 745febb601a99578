//! What the store keeps of one target: its life, who holds it, and where its history ends.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::facts::Facts;
use crate::finding::{Finding, Status};
use crate::id::{Digest, RunId, SweepId};
use crate::observed::Address;
use crate::target::Target;

/// Where a tenant is in its life. The order is the order of the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Life {
    /// Known, and nothing done yet.
    Discovered,
    /// There before us, or joined: looked at; written only where the manifest names it.
    Adopted,
    /// New: the gate is closed.
    Gated,
    /// New, gated, and in its unit.
    Placed,
    /// New, gated, and every required control was seen to hold.
    Verified,
    /// In its team's hands; the gate is open.
    HandedOver,
    /// Closed by the cloud.
    Closed,
}

impl fmt::Display for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Life::Discovered => "discovered",
            Life::Adopted => "adopted",
            Life::Gated => "gated",
            Life::Placed => "placed",
            Life::Verified => "verified",
            Life::HandedOver => "handed over",
            Life::Closed => "closed",
        })
    }
}

/// Who may write to a target, until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The run that holds it.
    pub run: RunId,
    /// After this it counts no more.
    pub until: Timestamp,
}

/// Where a target's history ends.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The last entry's number; 0 before the first.
    pub seq: u64,
    /// The last entry's hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<Digest>,
}

/// How many settings have which status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Counts {
    /// Seen to hold.
    pub pass: u32,
    /// Seen not to hold.
    pub fail: u32,
    /// Nobody could tell.
    pub unknown: u32,
    /// Not asked or not there.
    pub not_applicable: u32,
    /// Of those that fail or are unknown: accepted for now.
    pub exempt: u32,
}

impl Counts {
    /// Counts findings.
    pub fn of(findings: &[Finding]) -> Self {
        let mut counts = Counts::default();
        for finding in findings {
            let place = match finding.status {
                Status::Pass => &mut counts.pass,
                Status::Fail => &mut counts.fail,
                Status::Unknown => &mut counts.unknown,
                Status::NotApplicable => &mut counts.not_applicable,
            };
            *place += 1;
            if matches!(finding.status, Status::Fail | Status::Unknown) && finding.exemption.is_some() {
                counts.exempt += 1;
            }
        }
        counts
    }

    /// Adds another target's counts.
    pub fn add(&mut self, other: Counts) {
        let Counts { pass, fail, unknown, not_applicable, exempt } = other;
        self.pass += pass;
        self.fail += fail;
        self.unknown += unknown;
        self.not_applicable += not_applicable;
        self.exempt += exempt;
    }

    /// Whether a person should look: something fails or is unknown and nobody accepted it.
    pub const fn needs_attention(&self) -> bool {
        self.fail + self.unknown > self.exempt
    }
}

/// The run that last finished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastRun {
    /// Which run; its report is under `runs/`.
    pub run: RunId,
    /// When it ended.
    pub at: Timestamp,
    /// The bundle it followed.
    pub bundle: Digest,
    /// What it found.
    pub counts: Counts,
}

/// What the store keeps of one target, under `tenants/…` or `organizations/…`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Record {
    /// The run that wrote it last, so that two writes never look the same.
    pub writer: RunId,
    /// How often it was written.
    pub turn: u64,
    /// Whom it is about.
    pub target: Target,
    /// Where in its life it is.
    pub life: Life,
    /// What the cloud said of it, when somebody last asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<Facts>,
    /// The name it had when it was first met. Intake goes by this one: a name that is given later, by Landfall or by a person, lets
    /// nobody in and puts nobody out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub came_as: Option<String>,
    /// Who holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<Lease>,
    /// Somebody asked while it was held: the holder runs again before it lets go.
    #[serde(default)]
    pub dirty: bool,
    /// Where its history ended when it was last let go. A crash may have left entries beyond.
    #[serde(default)]
    pub head: Head,
    /// When its gate was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gated: Option<Timestamp>,
    /// When it was handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handed_over: Option<Timestamp>,
    /// Settings that Landfall made, by the ledger; only these may it take away again.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub made: BTreeSet<Address>,
    /// Settings written a moment ago, and until when their effect may take to show.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settling: BTreeMap<Address, Timestamp>,
    /// The run that last finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<LastRun>,
    /// The sweep that last came by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub swept: Option<SweepId>,
    /// The last turn of the stop switch that its history tells of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switched: Option<u64>,
}

impl Record {
    /// A target nobody has seen before.
    pub fn new(target: Target, writer: &RunId) -> Self {
        Record {
            writer: writer.clone(),
            turn: 0,
            target,
            life: Life::Discovered,
            facts: None,
            came_as: None,
            lease: None,
            dirty: false,
            head: Head::default(),
            gated: None,
            handed_over: None,
            made: BTreeSet::new(),
            settling: BTreeMap::new(),
            last: None,
            swept: None,
            switched: None,
        }
    }

    /// Who holds it at this time; an expired lease holds nothing.
    pub fn holder(&self, now: Timestamp) -> Option<&Lease> {
        self.lease.as_ref().filter(|lease| lease.until > now)
    }
}
