//! `external-access-analysis` on Azure: built-in policies that audit what guests of the directory may, row Z28.

use landfall_engine::carried::Carried;
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::external_access_analysis::Settings;

pub(super) struct ExternalAccessAnalysis;

impl Carried for ExternalAccessAnalysis {
    const KIND: ControlKind = ControlKind::ExternalAccessAnalysis;

    type Want = Settings;

    fn unasked(&self, _: &Settings) -> Option<&'static str> {
        None
    }
}
