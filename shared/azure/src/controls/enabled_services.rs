//! `enabled-services` on Azure: resource providers that the subscription is registered for, row Z21.
//!
//! Those that are listed, and those that other controls asked here stand on. Nothing is ever unregistered. Registering is of the
//! foundation, so that it is under way before the first setting that needs it is written; a setting whose provider is not registered
//! all the same, because nobody asks for this control, registers it by itself (`registration.rs`).

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Control, Judge, Permissions, kept};
use landfall_model::catalog::enabled_services::Settings;
use landfall_model::catalog::{ControlKind, Place, audit_log, federation};
use landfall_model::desired::{Asked, Desired};
use landfall_model::id::Provider;
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::manifest::Mode;
use landfall_model::observed::{Address, Observed};
use landfall_model::plan::{Change, Deed, Stage};

use super::registration::{self, REGISTERED, part};
use super::{Azure, absent, json, reported, seen, unasked};
use crate::client::service::{
    ALERTS, CONTACTS, DIAGNOSTICS, IDENTITIES, PRICINGS, REMEDIATIONS, RESOURCES, Service,
};
use crate::error::CallError;
use crate::session::{Reader, Writer};

pub(super) struct EnabledServices;

/// What the subscription is to a resource provider, in Azure's own names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Registration {
    registration_state: String,
}

/// The resource provider that what is asked of a control stands on; most stand on none that has to be registered.
fn needed(asked: &Asked) -> Option<&'static str> {
    let Asked { control, mode, settings, .. } = asked;
    if *mode == Mode::Detect || settings.is_err() {
        // Nothing is written.
        return None;
    }
    let on = |service: &Service| Some(service.namespace);
    if *control == ControlKind::ThreatDetection {
        return on(&PRICINGS);
    }
    if *control == ControlKind::SecurityContacts {
        return on(&CONTACTS);
    }
    if *control == ControlKind::ServiceAlerts {
        return on(&ALERTS);
    }
    if *control == ControlKind::Federation {
        let named = asked
            .want::<federation::Settings>()
            .is_ok_and(|settings| settings.issuers().any(|(_, issuer)| issuer.azure.is_some()));
        return on(&IDENTITIES).filter(|_| named);
    }
    if *control == ControlKind::AuditLog {
        let named = asked.want::<audit_log::Settings>().is_ok_and(|settings| settings.azure.is_some());
        return on(&DIAGNOSTICS).filter(|_| named);
    }
    on(&REMEDIATIONS).filter(|_| control.place_on(Provider::Azure) == Place::Policy)
}

/// Policies that audit what Defender for Cloud assesses find nothing where it does not assess.
fn assessing(asked: &Asked) -> Option<&'static str> {
    let carried = asked.control == ControlKind::ExternalAccessAnalysis && needed(asked).is_some();
    carried.then_some(PRICINGS.namespace)
}

/// The namespaces that must be registered, by what they are to Azure: it does not tell upper from lower case.
fn namespaces(want: &Settings, desired: &Desired) -> BTreeMap<String, String> {
    let listed = want.azure.iter().cloned();
    let needed = desired.asked.iter().flat_map(|asked| [needed(asked), assessing(asked)]).flatten();
    listed.chain(needed.map(str::to_owned)).map(|name| (name.to_ascii_lowercase(), name)).collect()
}

#[async_trait]
impl Control for EnabledServices {
    const KIND: ControlKind = ControlKind::EnabledServices;
    const PERMISSIONS: Permissions = Permissions {
        read: &["Microsoft.Resources/subscriptions/providers/read"],
        // Whatever is listed: each has an action of its own.
        write: &["*/register/action"],
    };

    type On = Azure;
    type Want = Settings;

    fn addresses(&self, want: &Settings, desired: &Desired) -> Vec<Address> {
        let all = namespaces(want, desired);
        all.into_values().map(|namespace| Address::global(Self::KIND, namespace)).collect()
    }

    async fn look(&self, reader: &Reader, _: &Desired, at: &Address) -> Result<Sighting, CallError> {
        let session = &reader.0;
        let path = registration::path(session, &part(&at.resource));
        match session.client.get(&RESOURCES, &path).await {
            Ok(reply) => {
                let registration::Answer { registration_state } = reply.json()?;
                Ok(seen(&reply, &Registration { registration_state }))
            }
            Err(error) if error.is_not_found() => Ok(absent(&error)),
            Err(error) => Err(error),
        }
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        registration::register(&writer.0, &part(&change.address.resource)).await?;
        Ok(Value::Null)
    }
}

impl Judge for EnabledServices {
    fn judge(&self, want: &Settings, desired: &Desired, observed: &Observed) -> Vec<Judgement> {
        let addresses = self.addresses(want, desired);
        if addresses.is_empty() {
            return vec![unasked(Self::KIND, "control", "no resource provider is listed or needed")];
        }
        let judge =
            |address: &Address| Judgement::of(Self::KIND, address, observed, |there| compare(address, there));
        addresses.iter().map(judge).collect()
    }
}

fn compare(address: &Address, there: Option<&Value>) -> Verdict {
    let namespace = &address.resource;
    let registration_state = match kept(there) {
        Ok(Some(Registration { registration_state })) => registration_state,
        Ok(None) => return reported(format!("Azure knows no resource provider `{namespace}`")),
        Err(unknown) => return unknown,
    };
    if registration_state.eq_ignore_ascii_case(REGISTERED) {
        return Verdict::Holds;
    }
    // Until it is over, it settles; one that never is, is asked for again.
    let reason = match registration_state.eq_ignore_ascii_case("Registering") {
        true => format!("`{namespace}` is still being registered"),
        false => format!("the subscription is not registered for `{namespace}`"),
    };
    let after = Registration { registration_state: REGISTERED.to_owned() };
    let change = Change::new(address, "register", Deed::Update, reason);
    Verdict::fails(change.before(there.cloned()).after(json(&after)).at(Stage::Foundation))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controls::landscape::Landscape;

    fn registered(landscape: Landscape) -> Landscape {
        ["Microsoft.Insights", "Microsoft.PolicyInsights", "Microsoft.Security"].iter().fold(
            landscape,
            |landscape, namespace| {
                landscape
                    .saw(&format!("enabled-services/{namespace}"), json!({"registrationState": "Registered"}))
            },
        )
    }

    #[test]
    fn what_is_listed_and_what_other_controls_stand_on_is_looked_at_once() {
        let mut landscape = registered(Landscape::adopted(2));
        let all = [
            "enabled-services/Microsoft.Insights",
            "enabled-services/Microsoft.PolicyInsights",
            "enabled-services/Microsoft.Security",
        ];
        assert_eq!(landscape.addresses(&EnabledServices), all);
        assert_eq!(landscape.said(&EnabledServices), ["holds", "holds", "holds"]);
        let asked = &mut landscape.desired.asked;
        asked.retain(|asked| {
            let stands_on_one =
                [ControlKind::AuditLog, ControlKind::SecurityContacts, ControlKind::ServiceAlerts];
            !stands_on_one.contains(&asked.control)
        });
        for asked in asked {
            if asked.control == ControlKind::EnabledServices {
                asked.settings = Ok(json!({"aws": [], "azure": ["microsoft.security"], "gcp": []}));
            }
            if asked.control.place_on(Provider::Azure) == Place::Policy {
                asked.mode = Mode::Detect;
            }
        }
        assert_eq!(landscape.addresses(&EnabledServices), ["enabled-services/Microsoft.Security"]);
        landscape.desired.asked.retain(|asked| asked.control == ControlKind::EnabledServices);
        landscape.desired.asked[0].settings = Ok(json!({"aws": [], "azure": [], "gcp": []}));
        let nothing = ["not applicable: no resource provider is listed or needed"];
        assert_eq!(landscape.said(&EnabledServices), nothing);
    }

    #[test]
    fn what_defender_assesses_stands_on_it_as_well() {
        let namespaces = |mode: Mode| -> Vec<String> {
            let mut desired = Landscape::adopted(2).desired;
            let mut guests = desired.asked[0].clone();
            (guests.control, guests.mode) = (ControlKind::ExternalAccessAnalysis, mode);
            guests.settings = Ok(json!({"unused-access": false, "unused-days": 90}));
            desired.asked = vec![guests];
            let want = Settings { aws: Vec::new(), azure: Vec::new(), gcp: Vec::new() };
            namespaces(&want, &desired).into_values().collect()
        };
        assert_eq!(namespaces(Mode::Repair), ["Microsoft.PolicyInsights", "Microsoft.Security"]);
        assert!(namespaces(Mode::Detect).is_empty());
    }

    #[test]
    fn what_is_not_registered_is_before_the_settings_that_need_it() {
        let change = "~ foundation enabled-services/Microsoft.Security#register {\"registrationState\":\"Registered\"}";
        let table = [
            ("NotRegistered", "the subscription is not registered for `Microsoft.Security`"),
            ("Unregistered", "the subscription is not registered for `Microsoft.Security`"),
            ("Registering", "`Microsoft.Security` is still being registered"),
        ];
        for (state, why) in table {
            let landscape = registered(Landscape::new(2))
                .saw("enabled-services/Microsoft.Security", json!({"registrationState": state}));
            assert_eq!(landscape.said(&EnabledServices)[2], format!("fails: {why}\n{change}"));
        }
    }

    #[test]
    fn a_namespace_that_azure_does_not_know_is_reported() {
        let landscape = registered(Landscape::new(2)).saw_nothing("enabled-services/Microsoft.Security");
        let expected = "fails: Azure knows no resource provider `Microsoft.Security`";
        assert_eq!(landscape.said(&EnabledServices)[2], expected);
    }
}
