//! `standards-assessment` on Google Cloud: Security Command Center's service Security Health Analytics is on for the project.
//!
//! It assesses resources against all standards that it knows, such as CIS, PCI DSS, NIST 800-53 and ISO 27001
//! (<https://cloud.google.com/security-command-center/docs/concepts-vulnerabilities-findings>): there is none to choose. Postures are
//! deployed by people, on the organization; a name that is listed is reported, so that nobody takes it for held.

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde_json::Value;

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Compare, Control, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::standards_assessment::Settings;
use landfall_model::desired::Desired;
use landfall_model::judgement::Verdict;
use landfall_model::observed::{Address, Seen};
use landfall_model::plan::Change;

use super::threat_detection::{self, Service};
use super::{Gcp, reported};
use crate::error::CallError;
use crate::session::{Reader, Writer};

pub(super) struct StandardsAssessment;

const SERVICE: &str = "security-health-analytics";

#[async_trait]
impl Control for StandardsAssessment {
    const KIND: ControlKind = ControlKind::StandardsAssessment;
    const PERMISSIONS: Permissions = threat_detection::PERMISSIONS;

    type On = Gcp;
    type Want = Settings;

    fn addresses(&self, want: &Settings, _: &Desired) -> Vec<Address> {
        let names: BTreeSet<&str> = want.gcp.iter().map(String::as_str).chain([SERVICE]).collect();
        names.into_iter().map(|name| Address::global(Self::KIND, name)).collect()
    }

    async fn look(&self, reader: &Reader, _: &Desired, address: &Address) -> Result<Sighting, CallError> {
        if address.resource != SERVICE {
            // There is nothing to look at.
            return Ok(Sighting { seen: Seen::Absent, request: None });
        }
        threat_detection::look(&reader.0, address).await
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        threat_detection::write(&writer.0, change).await
    }
}

impl Compare for StandardsAssessment {
    type There = Service;

    fn compare(&self, _: &Settings, _: &Desired, address: &Address, there: Option<Service>) -> Verdict {
        let name = &address.resource;
        if name != SERVICE {
            return reported(format!(
                "`{name}` can't be chosen on Google Cloud: Security Health Analytics assesses against all standards that it knows; take \
                 the name from the list"
            ));
        }
        threat_detection::compare(address, there)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controls::landscape::Landscape;

    const AT: &str = "standards-assessment/security-health-analytics";

    fn asked(names: &[&str]) -> Landscape {
        let settings = json!({"aws": [], "azure": [], "gcp": names});
        Landscape::adopted("acme-checkout-prod").asks(ControlKind::StandardsAssessment, settings)
    }

    fn said(intended: &str, effective: &str) -> Vec<String> {
        let there = json!({"intendedEnablementState": intended, "effectiveEnablementState": effective});
        asked(&[]).saw(AT, there).said(&StandardsAssessment)
    }

    #[test]
    fn an_assessment_that_is_on_needs_nothing() {
        assert_eq!(asked(&[]).addresses(&StandardsAssessment), [AT]);
        assert_eq!(said("INHERITED", "ENABLED"), ["holds"]);
        assert_eq!(said("ENABLED", "ENABLED"), ["holds"]);
    }

    #[test]
    fn an_assessment_that_is_off_is_switched_on_and_one_that_stays_off_is_reported() {
        assert_eq!(
            said("DISABLED", "DISABLED"),
            ["fails: the service `security-health-analytics` is not on\n\
              ~ baseline standards-assessment/security-health-analytics#switch-on {\"intendedEnablementState\":\"ENABLED\"}"]
        );
        assert_eq!(
            said("ENABLED", "DISABLED"),
            [
                "fails: the service `security-health-analytics` is switched on and stays off: Security Command Center is activated \
              neither for the project nor for the organization, or its tier does not have the service"
            ]
        );
    }

    #[test]
    fn a_name_that_is_listed_is_reported() {
        let there = json!({"intendedEnablementState": "ENABLED", "effectiveEnablementState": "ENABLED"});
        let landscape = asked(&["cis"]).saw(AT, there).saw_nothing("standards-assessment/cis");
        assert_eq!(
            landscape.said(&StandardsAssessment),
            [
                "fails: `cis` can't be chosen on Google Cloud: Security Health Analytics assesses against all standards that it \
                 knows; take the name from the list",
                "holds"
            ]
        );
    }
}
