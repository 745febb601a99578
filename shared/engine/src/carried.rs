//! A control that holds by being part of a policy: `policies` makes the policy, the control itself only looks.

use serde::de::DeserializeOwned;

use landfall_model::catalog::{ControlKind, Place};
use landfall_model::manifest::Mode;

/// A control that policies carry.
pub trait Carried: Send + Sync {
    /// Which control.
    const KIND: ControlKind;
    /// Its settings, from its catalog file.
    type Want: DeserializeOwned + Send + Sync;

    /// Why nothing is asked, where nothing is.
    fn unasked(&self, want: &Self::Want) -> Option<&'static str>;
}

/// The mode, where no policy carries a control that is asked in it.
pub fn uncarried(kind: ControlKind, mode: Mode) -> Option<&'static str> {
    // What is a setting of each tenant on one cloud is put right by a policy where another has no such setting.
    let repaired = kind.entry().place == Place::Tenant;
    match mode {
        Mode::Detect => Some("detect"),
        Mode::Repair if repaired => None,
        Mode::Repair => Some("repair"),
        Mode::Prevent => None,
    }
}
