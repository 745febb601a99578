//! `denied-services` on Google Cloud: the constraint gcp.restrictServiceUsage, row G7.

use landfall_engine::carried::Carried;
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::denied_services::Settings;

pub(super) struct DeniedServices;

impl Carried for DeniedServices {
    const KIND: ControlKind = ControlKind::DeniedServices;

    type Want = Settings;

    fn unasked(&self, want: &Settings) -> Option<&'static str> {
        want.gcp.is_empty().then_some("no services are named for gcp")
    }
}
