//! `protect-baseline` on AWS: a service control policy over Landfall's roles and what the baseline rests on, row O5.

use landfall_engine::carried::Carried;
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::protect_baseline::Settings;

pub(super) struct ProtectBaseline;

impl Carried for ProtectBaseline {
    const KIND: ControlKind = ControlKind::ProtectBaseline;

    type Want = Settings;

    fn unasked(&self, _: &Settings) -> Option<&'static str> {
        None
    }
}
