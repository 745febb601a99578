//! `standards-assessment` on Azure: built-in initiatives of Regulatory Compliance, row Z29.

use landfall_engine::carried::Carried;
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::standards_assessment::Settings;

pub(super) struct StandardsAssessment;

impl Carried for StandardsAssessment {
    const KIND: ControlKind = ControlKind::StandardsAssessment;

    type Want = Settings;

    fn unasked(&self, want: &Settings) -> Option<&'static str> {
        want.azure.is_empty().then_some("no standards are named for azure")
    }
}
