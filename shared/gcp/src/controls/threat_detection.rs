//! `threat-detection` on Google Cloud: services of Security Command Center for the project.
//!
//! Each service is a setting of its own. What counts is its effective state: one that is on for the organization or a folder is on for the
//! project as well. Services that are not asked are neither looked at nor changed, and the modules of an asked one stay as they are.
//!
//! Security Command Center is activated by people, in the console, and its tier says which services there are
//! (<https://cloud.google.com/security-command-center/docs/activate-scc-overview>): what is missing there is reported.

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Compare, Control, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::threat_detection::Settings;
use landfall_model::desired::Desired;
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::observed::{Address, Seen};
use landfall_model::plan::{Change, Deed};

use super::{Gcp, absent, reported, seen, unasked};
use crate::client::service::SECURITY;
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};

const ENABLED: &str = "ENABLED";

pub(super) struct ThreatDetection;

/// A service's states:
/// <https://cloud.google.com/security-command-center/docs/reference/security-center-management/rest/v1/projects.locations.securityCenterServices>.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Service {
    /// What somebody chose for the project: `ENABLED`, `DISABLED` or `INHERITED`.
    #[serde(deserialize_with = "super::or_default")]
    intended_enablement_state: String,
    /// What came of it, and of what was chosen above: "may differ from the intended enablement state due to billing eligibility or
    /// onboarding status".
    #[serde(deserialize_with = "super::or_default")]
    effective_enablement_state: String,
}

/// What services need: the methods `get` and `patch` of the same document.
pub(super) const PERMISSIONS: Permissions = Permissions {
    read: &["securitycentermanagement.securityCenterServices.get"],
    write: &["securitycentermanagement.securityCenterServices.update"],
};

/// The name as the API has it: `EVENT_THREAT_DETECTION`, as findings and older documents name it, is `event-threat-detection`.
fn name(service: &str) -> String {
    service.to_ascii_lowercase().replace('_', "-")
}

/// Whether it reads as the name of a service: nothing else is sent.
fn is_a_name(service: &str) -> bool {
    !service.is_empty() && service.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn path(session: &Session, address: &Address) -> String {
    format!("{}/locations/global/securityCenterServices/{}", session.scope(), address.resource)
}

/// How a service is looked at.
pub(super) async fn look(session: &Session, address: &Address) -> Result<Sighting, CallError> {
    if !is_a_name(&address.resource) {
        return Ok(Sighting { seen: Seen::Absent, request: None });
    }
    match session.client.get(&SECURITY, &path(session, address)).await {
        Ok(reply) => Ok(seen(&reply, &reply.json::<Service>()?)),
        Err(error) if error.is_not_found() => Ok(absent(&error)),
        Err(error) => Err(explained(error, address, "could not be looked at")),
    }
}

/// How a service is switched on. Its modules are not in the mask.
pub(super) async fn write(session: &Session, change: &Change) -> Result<Value, CallError> {
    let path = format!("{}?updateMask=intendedEnablementState", path(session, &change.address));
    let body = json!({"intendedEnablementState": ENABLED});
    match session.client.patch(&SECURITY, &path, &body).await {
        Ok(_) => Ok(Value::Null),
        Err(error) => Err(explained(error, &change.address, "could not be switched on")),
    }
}

/// Google refuses a project without Security Command Center in the same words as an account without rights.
fn explained(error: CallError, address: &Address, what: &str) -> CallError {
    let refused = error.is_denied() || error.is_not_found() || error.status() == Some("FAILED_PRECONDITION");
    if !refused || error.is_service_disabled() {
        return error;
    }
    let name = &address.resource;
    error.explained(format!(
        "the service `{name}` {what}: Security Command Center is activated neither for the project nor for the organization, its tier \
         does not have the service, or Landfall's account lacks its permission there"
    ))
}

/// What is said of a service.
pub(super) fn compare(address: &Address, there: Option<Service>) -> Verdict {
    let name = &address.resource;
    let Some(Service { intended_enablement_state: intended, effective_enablement_state: effective }) = there
    else {
        return reported(format!(
            "Security Command Center shows no service `{name}` for the project: it has none of that name, or it is activated neither for \
             the project nor for the organization"
        ));
    };
    if effective == ENABLED {
        return Verdict::Holds;
    }
    if intended == ENABLED {
        return reported(format!(
            "the service `{name}` is switched on and stays off: Security Command Center is activated neither for the project nor for the \
             organization, or its tier does not have the service"
        ));
    }
    let reason = format!("the service `{name}` is not on");
    let after = json!({"intendedEnablementState": ENABLED});
    Verdict::fails(Change::new(address, "switch-on", Deed::Update, reason).after(after))
}

#[async_trait]
impl Control for ThreatDetection {
    const KIND: ControlKind = ControlKind::ThreatDetection;
    const PERMISSIONS: Permissions = PERMISSIONS;

    type On = Gcp;
    type Want = Settings;

    fn addresses(&self, want: &Settings, _: &Desired) -> Vec<Address> {
        let names: BTreeSet<String> = want.gcp.iter().map(|service| name(service)).collect();
        names.iter().map(|name| Address::global(Self::KIND, name)).collect()
    }

    async fn look(&self, reader: &Reader, _: &Desired, address: &Address) -> Result<Sighting, CallError> {
        look(&reader.0, address).await
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        write(&writer.0, change).await
    }
}

impl Compare for ThreatDetection {
    type There = Service;

    fn compare(&self, _: &Settings, _: &Desired, address: &Address, there: Option<Service>) -> Verdict {
        compare(address, there)
    }

    fn unasked(&self, want: &Settings) -> Option<Judgement> {
        want.gcp.is_empty().then(|| unasked(Self::KIND, "control", "no services are listed for Google Cloud"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::landscape::Landscape;

    const EVENTS: &str = "threat-detection/event-threat-detection";
    const MACHINES: &str = "threat-detection/vm-threat-detection";

    fn asked(services: &[&str]) -> Landscape {
        let settings = json!({"aws": [], "azure": [], "gcp": services});
        Landscape::adopted("acme-checkout-prod").asks(ControlKind::ThreatDetection, settings)
    }

    fn states(intended: &str, effective: &str) -> Value {
        json!({"intendedEnablementState": intended, "effectiveEnablementState": effective})
    }

    /// Both services as they are asked, but for the second one.
    fn said(intended: &str, effective: &str) -> Vec<String> {
        let landscape = asked(&["event-threat-detection", "vm-threat-detection"]);
        let landscape = landscape.saw(EVENTS, states("ENABLED", "ENABLED"));
        landscape.saw(MACHINES, states(intended, effective)).said(&ThreatDetection)
    }

    #[test]
    fn each_service_that_is_asked_is_looked_at_once_by_the_name_that_the_api_has() {
        let asked = asked(&["VM_THREAT_DETECTION", "event-threat-detection", "vm-threat-detection"]);
        assert_eq!(asked.addresses(&ThreatDetection), [EVENTS, MACHINES]);
    }

    #[test]
    fn a_service_that_is_on_needs_nothing_wherever_it_was_switched_on() {
        for intended in ["ENABLED", "INHERITED", ""] {
            assert_eq!(said(intended, "ENABLED"), ["holds", "holds"], "{intended}");
        }
    }

    #[test]
    fn a_service_that_is_off_is_switched_on() {
        let table =
            [("INHERITED", "DISABLED"), ("DISABLED", "DISABLED"), ("INHERITED", "INGEST_ONLY"), ("", "")];
        for (intended, effective) in table {
            let expected = "fails: the service `vm-threat-detection` is not on\n\
                            ~ baseline threat-detection/vm-threat-detection#switch-on {\"intendedEnablementState\":\"ENABLED\"}";
            assert_eq!(said(intended, effective), ["holds", expected]);
        }
    }

    #[test]
    fn what_no_write_puts_right_is_reported() {
        let expected = "fails: the service `vm-threat-detection` is switched on and stays off: Security Command Center is activated \
                        neither for the project nor for the organization, or its tier does not have the service";
        assert_eq!(said("ENABLED", "DISABLED"), ["holds", expected]);
        let landscape = asked(&["nothing"]).saw_nothing("threat-detection/nothing");
        assert_eq!(
            landscape.said(&ThreatDetection),
            [
                "fails: Security Command Center shows no service `nothing` for the project: it has none of that name, or it is \
              activated neither for the project nor for the organization"
            ]
        );
    }

    #[test]
    fn nothing_is_asked_where_nothing_is_listed() {
        let expected = ["not applicable: no services are listed for Google Cloud"];
        assert_eq!(asked(&[]).said(&ThreatDetection), expected);
    }
}
