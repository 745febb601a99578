//! The status of one control on one setting of one target at one time, with its evidence.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::catalog::ControlKind;
use crate::desired::{Asked, Desired};
use crate::exemption::Exemption;
use crate::id::{Digest, Name};
use crate::judgement::{Judgement, Verdict};
use crate::manifest::{Handover, Mode};
use crate::observed::{Address, Observed, Seen};

/// Whether a control holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It was seen to hold.
    Pass,
    /// It was seen not to hold.
    Fail,
    /// Nobody could look, or the effect of a write does not show yet. Never a pass.
    Unknown,
    /// It is not asked here, or does not exist here.
    NotApplicable,
}

impl Status {
    /// The word for tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Pass => "pass",
            Status::Fail => "fail",
            Status::Unknown => "unknown",
            Status::NotApplicable => "not applicable",
        }
    }
}

/// What proves a status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Evidence {
    /// When we looked.
    pub at: Timestamp,
    /// The cloud's id of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// The value as read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// The digest of what was seen.
    pub digest: Digest,
}

/// One control on one setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Finding {
    /// The control of the catalog.
    pub control: ControlKind,
    /// The manifest's names for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<Name>,
    /// The clauses it answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub satisfies: Vec<String>,
    /// The levels of the manifest that ask for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    /// The setting.
    pub address: Address,
    /// Whether it holds.
    pub status: Status,
    /// Why it does not, or nobody can tell.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// What Landfall does about it.
    pub mode: Mode,
    /// Whether handover waits for it.
    pub handover: Handover,
    /// The acceptance that covers it today; shown beside the status, never instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exemption: Option<Exemption>,
    /// A write was made whose effect does not show yet; it is looked at again until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settling_until: Option<Timestamp>,
    /// What proves it; absent where nobody looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
}

impl Finding {
    /// Whether a new tenant has to wait for it.
    pub fn holds_up_handover(&self) -> bool {
        self.handover == Handover::Required
            && matches!(self.status, Status::Fail | Status::Unknown)
            && self.exemption.is_none()
    }

    /// Whether a person should see to it.
    pub fn needs_attention(&self) -> bool {
        matches!(self.status, Status::Fail | Status::Unknown) && self.exemption.is_none()
    }
}

/// Turns judgements into findings: every control that is asked has at least one.
///
/// `settling` holds the settings that were written a moment ago, and until when their effect may take to show.
pub fn findings(
    desired: &Desired,
    observed: &Observed,
    judgements: &[Judgement],
    settling: &std::collections::BTreeMap<Address, Timestamp>,
    now: Timestamp,
) -> Vec<Finding> {
    let today = now.to_zoned(TimeZone::UTC).date();
    let mut findings: Vec<Finding> = judgements
        .iter()
        .map(|judgement| {
            let (status, why) = status(&judgement.verdict);
            let settles = settling.get(&judgement.address).filter(|until| **until > now);
            let (status, why, settling_until) = match settles {
                Some(until) if status == Status::Fail => (
                    Status::Unknown,
                    format!("written, but a look does not show it yet; settling until {until}"),
                    Some(*until),
                ),
                _ => (status, why, None),
            };
            let mut finding = blank(desired, judgement.control, judgement.address.clone(), today);
            finding.status = status;
            finding.why = why;
            finding.settling_until = settling_until;
            finding.evidence = evidence(observed, &judgement.address);
            finding
        })
        .collect();
    for Asked { control, .. } in &desired.asked {
        if !findings.iter().any(|finding| finding.control == *control) {
            let mut finding = blank(desired, *control, Address::global(*control, "control"), today);
            finding.why = "nothing was judged".to_owned();
            findings.push(finding);
        }
    }
    findings.sort_by(|a, b| (a.control, &a.address).cmp(&(b.control, &b.address)));
    findings
}

fn status(verdict: &Verdict) -> (Status, String) {
    match verdict {
        Verdict::Holds => (Status::Pass, String::new()),
        Verdict::Due { why, .. } => (Status::Pass, why.clone()),
        Verdict::Fails { why, .. } => (Status::Fail, why.clone()),
        Verdict::Unknown { why } => (Status::Unknown, why.clone()),
        Verdict::NotApplicable { why } => (Status::NotApplicable, why.clone()),
    }
}

fn blank(desired: &Desired, control: ControlKind, address: Address, today: jiff::civil::Date) -> Finding {
    let asked = desired.asked(control);
    Finding {
        control,
        names: asked.map(|asked| asked.names.clone()).unwrap_or_default(),
        satisfies: asked.map(|asked| asked.satisfies.clone()).unwrap_or_default(),
        sources: asked.map(|asked| asked.sources.clone()).unwrap_or_default(),
        address,
        status: Status::Unknown,
        why: String::new(),
        mode: asked.map_or(Mode::Detect, |asked| asked.mode),
        handover: asked.map_or(Handover::Reported, |asked| asked.handover),
        exemption: desired
            .exemptions
            .iter()
            .find(|exemption| exemption.control == control && exemption.holds(today))
            .cloned(),
        settling_until: None,
        evidence: None,
    }
}

fn evidence(observed: &Observed, address: &Address) -> Option<Evidence> {
    let look = observed.0.get(address)?;
    let value = match &look.seen {
        Seen::Present(value) => Some(value.clone()),
        Seen::Absent | Seen::Unreadable(_) | Seen::NotOffered(_) => None,
    };
    Some(Evidence { at: look.at, request: look.request.clone(), value, digest: look.digest() })
}
