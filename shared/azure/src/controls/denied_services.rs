//! `denied-services` on Azure: the built-in policy Not allowed resource types, row Z28.

use landfall_engine::carried::Carried;
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::denied_services::Settings;

pub(super) struct DeniedServices;

impl Carried for DeniedServices {
    const KIND: ControlKind = ControlKind::DeniedServices;

    type Want = Settings;

    fn unasked(&self, want: &Settings) -> Option<&'static str> {
        want.azure.is_empty().then_some("no resource types are named for azure")
    }
}
