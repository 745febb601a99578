//! `hardened-instances` on Azure: a policy of our own on passwords of Linux machines, row Z28.

use landfall_engine::carried::Carried;
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::hardened_instances::Settings;

pub(super) struct HardenedInstances;

impl Carried for HardenedInstances {
    const KIND: ControlKind = ControlKind::HardenedInstances;

    type Want = Settings;

    fn unasked(&self, _: &Settings) -> Option<&'static str> {
        None
    }
}
