//! A control that holds by being part of a policy: `policies` makes the policy, the control itself only looks.

use serde::de::DeserializeOwned;

use landfall_model::catalog::ControlKind;
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
pub fn uncarried(control: ControlKind, mode: Mode) -> Option<&'static str> {
    let word = match mode {
        Mode::Detect => "detect",
        Mode::Repair => "repair",
        Mode::Prevent => "prevent",
    };
    (!mode.is_carried(control)).then_some(word)
}
