//! `allowed-regions` on Azure: the built-in policies Allowed locations, row Z28.

use landfall_engine::carried::Carried;
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::allowed_regions::Settings;

pub(super) struct AllowedRegions;

impl Carried for AllowedRegions {
    const KIND: ControlKind = ControlKind::AllowedRegions;

    type Want = Settings;

    fn unasked(&self, want: &Settings) -> Option<&'static str> {
        let some = want.azure.as_ref().is_some_and(|locations| !locations.is_empty());
        (!some).then_some("no locations are named for azure")
    }
}
