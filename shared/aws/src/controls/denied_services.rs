//! `denied-services` on AWS: a service control policy that denies actions, row O5.

use landfall_engine::carried::Carried;
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::denied_services::Settings;

pub(super) struct DeniedServices;

impl Carried for DeniedServices {
    const KIND: ControlKind = ControlKind::DeniedServices;

    type Want = Settings;

    fn unasked(&self, want: &Settings) -> Option<&'static str> {
        want.aws.is_empty().then_some("no services are named for aws")
    }
}
