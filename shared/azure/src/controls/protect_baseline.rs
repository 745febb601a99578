//! `protect-baseline` on Azure: a policy of our own that denies deleting what the baseline rests on, row Z28.

use landfall_model::catalog::ControlKind;
use landfall_model::catalog::protect_baseline::Settings;

use super::policies::Carried;

pub(super) struct ProtectBaseline;

impl Carried for ProtectBaseline {
    const KIND: ControlKind = ControlKind::ProtectBaseline;

    type Want = Settings;

    fn unasked(&self, _: &Settings) -> Option<&'static str> {
        None
    }
}
