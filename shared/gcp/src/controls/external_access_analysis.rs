//! `external-access-analysis` on Google Cloud: the constraint iam.allowedPolicyMemberDomains, row G7.

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
