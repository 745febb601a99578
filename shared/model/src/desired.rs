//! What must hold in a target: resolved from the manifest, what the cloud says of the target, and what we know of its past.

mod reach;
mod resolve;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::catalog::ControlKind;
use crate::exemption::Exemption;
use crate::facts::Facts;
use crate::id::Name;
use crate::manifest::{self, Handover, Mode};
use crate::record::Record;
use crate::target::Target;

pub use reach::reach;
pub use resolve::{Known, resolve, unit_of};

/// One control that is asked, with everything it needs to be judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Asked {
    /// Which control.
    pub control: ControlKind,
    /// The manifest's names for it.
    pub names: Vec<Name>,
    /// Its settings, in the form of the catalog's `Settings`; nothing where it does not apply.
    pub settings: Result<Value, String>,
    /// The levels that ask for it, for people.
    pub sources: Vec<String>,
    /// The clauses it answers.
    pub satisfies: Vec<String>,
    /// What is done about a deviation.
    pub mode: Mode,
    /// Whether a new tenant waits for it.
    pub handover: Handover,
}

impl Asked {
    /// The settings as the catalog's type.
    pub fn want<T: DeserializeOwned>(&self) -> Result<T, String> {
        let settings = self.settings.clone()?;
        serde_json::from_value(settings)
            .map_err(|error| format!("the settings of `{}` can't be read: {error}", self.control))
    }
}

/// What a target is to us: whether we may write there, and why not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "standing", content = "why")]
pub enum Standing {
    /// The organization itself.
    Organization,
    /// A new tenant on its way to its team: gated, and ours alone until handover.
    New,
    /// A new tenant that nobody named and no intake rule lets in: gated, nothing else written.
    Waiting,
    /// Handed over by us.
    HandedOver,
    /// There before us, and named in the manifest.
    Adopted,
    /// Looked at and reported, never written; why.
    ReportOnly(String),
}

impl Standing {
    /// Whether its own people can't have put anything into it yet.
    pub const fn before_handover(&self) -> bool {
        matches!(self, Standing::New | Standing::Waiting)
    }

    /// Why a change of a control in this mode may not be made here; `None` when it may.
    pub fn forbids(&self, mode: Mode) -> Option<String> {
        match self {
            Standing::ReportOnly(why) => Some(why.clone()),
            Standing::Organization
            | Standing::New
            | Standing::Waiting
            | Standing::HandedOver
            | Standing::Adopted => match mode {
                Mode::Detect => Some("its mode is `detect`: reported, not repaired".to_owned()),
                Mode::Repair | Mode::Prevent => None,
            },
        }
    }
}

/// Everything that must hold in one target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Desired {
    /// Whom it is about.
    pub target: Target,
    /// The manifest's name of the cloud.
    pub cloud: Name,
    /// The cloud as the manifest says.
    pub ground: manifest::Cloud,
    /// Principals that no deny ever stops, as the provider writes them.
    pub break_glass: Vec<String>,
    /// The organization's short name.
    pub organization: Name,
    /// What the target is to us.
    pub standing: Standing,
    /// What we know of its past.
    pub record: Record,
    /// What the cloud says of it.
    pub facts: Option<Facts>,
    /// What must hold, in catalog order.
    pub asked: Vec<Asked>,
    /// The acceptances for this target.
    pub exemptions: Vec<Exemption>,
}

impl Desired {
    /// What is asked of a control.
    pub fn asked(&self, control: ControlKind) -> Option<&Asked> {
        self.asked.iter().find(|asked| asked.control == control)
    }
}
