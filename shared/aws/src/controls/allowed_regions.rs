//! `allowed-regions` on AWS: a service control policy that denies by aws:RequestedRegion, row A35.

use landfall_engine::carried::Carried;
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::allowed_regions::Settings;

pub(super) struct AllowedRegions;

impl Carried for AllowedRegions {
    const KIND: ControlKind = ControlKind::AllowedRegions;

    type Want = Settings;

    fn unasked(&self, want: &Settings) -> Option<&'static str> {
        let some = want.aws.as_ref().is_some_and(|regions| !regions.is_empty());
        (!some).then_some("no regions are named for aws")
    }
}
