//! `threat-detection` on Azure: plans of Microsoft Defender for Cloud at their Standard tier, row Z15.
//!
//! Each plan is a setting of its own: it is looked at, judged, exempted and switched on by itself. Plans that are not asked are
//! neither looked at nor changed, and what others chose of an asked one (its sub-plan, whether it may be overridden) stays.

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

use super::registration::{self, part};
use super::{Azure, absent, json, reported, seen, unasked};
use crate::client::service::PRICINGS;
use crate::error::{CallError, tidy};
use crate::session::{Reader, Session, Writer};

const STANDARD: &str = "Standard";

pub(super) struct ThreatDetection;

/// A plan, in Azure's own names, without what changes by itself. The write takes the first three.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Plan {
    #[serde(default, deserialize_with = "super::or_default")]
    pricing_tier: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sub_plan: Option<String>,
    /// Whether a resource may go without it: `True` or `False`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    enforce: Option<String>,
    #[serde(default, deserialize_with = "super::or_default", skip_serializing_if = "std::ops::Not::not")]
    deprecated: bool,
    #[serde(default, deserialize_with = "super::or_default", skip_serializing_if = "Vec::is_empty")]
    replaced_by: Vec<String>,
    /// Those that failed.
    #[serde(default, deserialize_with = "super::or_default", skip_serializing_if = "Vec::is_empty")]
    extensions: Vec<Extension>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Extension {
    #[serde(default, deserialize_with = "super::or_default")]
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    operation_status: Option<OperationStatus>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct OperationStatus {
    #[serde(default, deserialize_with = "super::or_default")]
    code: String,
    #[serde(default, deserialize_with = "super::or_default")]
    message: String,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default, deserialize_with = "super::or_default")]
    properties: Plan,
}

impl Plan {
    /// What Azure says, as far as it is kept.
    fn tidy(mut self) -> Self {
        // Not enforced is what every plan is that nobody enforced.
        self.enforce = self.enforce.filter(|enforce| !enforce.eq_ignore_ascii_case("False"));
        self.extensions.retain(Extension::failed);
        for status in self.extensions.iter_mut().filter_map(|extension| extension.operation_status.as_mut()) {
            status.message = tidy(&status.message);
        }
        self
    }

    fn is_on(&self) -> bool {
        self.pricing_tier.eq_ignore_ascii_case(STANDARD)
    }
}

impl Extension {
    /// Azure takes a plan and may still fail to switch one of its extensions.
    fn failed(&self) -> bool {
        self.operation_status.as_ref().is_some_and(|status| status.code.eq_ignore_ascii_case("Failed"))
    }
}

fn path(session: &Session, address: &Address) -> String {
    format!("{}/providers/Microsoft.Security/pricings/{}", session.scope(), part(&address.resource))
}

#[async_trait]
impl Control for ThreatDetection {
    const KIND: ControlKind = ControlKind::ThreatDetection;
    /// The first setting of Defender for Cloud in a subscription registers its resource provider there.
    const PERMISSIONS: Permissions = Permissions {
        read: &["Microsoft.Security/pricings/read"],
        write: &[
            "Microsoft.Resources/subscriptions/providers/read",
            "Microsoft.Security/pricings/write",
            "Microsoft.Security/register/action",
        ],
    };

    type On = Azure;
    type Want = Settings;

    fn addresses(&self, want: &Settings, _: &Desired) -> Vec<Address> {
        want.azure.iter().map(|plan| Address::global(Self::KIND, plan)).collect()
    }

    async fn look(&self, reader: &Reader, _: &Desired, address: &Address) -> Result<Sighting, CallError> {
        let session = &reader.0;
        match session.client.get(&PRICINGS, &path(session, address)).await {
            Ok(reply) => {
                let Answer { properties } = reply.json()?;
                Ok(seen(&reply, &properties.tidy()))
            }
            Err(error) if registration::is_missing(&error) => {
                // Nothing of Defender can be on. It reads as it will once the subscription is registered, so that a change planned
                // now may still be made then.
                let plan = Plan { pricing_tier: "Free".to_owned(), ..Plan::default() };
                Ok(Sighting { seen: Seen::present(&plan), request: error.request_id().map(str::to_owned) })
            }
            Err(error) if error.is_not_found() => Ok(absent(&error)),
            // Some APIs of Azure call a name that they don't know a bad request.
            Err(error) if error.status() == Some(400) && names_no_plan(&error) => Ok(absent(&error)),
            Err(error) => Err(error),
        }
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        let session = &writer.0;
        let body = json!({"properties": change.after});
        registration::put(session, &PRICINGS, &path(session, &change.address), &body).await?;
        Ok(Value::Null)
    }
}

/// Seen in Azure Government: <https://github.com/Azure/missionlz/issues/1035>.
fn names_no_plan(error: &CallError) -> bool {
    matches!(error, CallError::Api { message, .. } if message.contains("is not a valid name"))
}

impl Compare for ThreatDetection {
    type There = Plan;

    fn compare(&self, _: &Settings, _: &Desired, address: &Address, there: Option<Plan>) -> Verdict {
        let name = &address.resource;
        let Some(plan) = there else {
            return reported(format!("Defender for Cloud has no plan `{name}` here"));
        };
        if plan.deprecated {
            let instead: Vec<String> = plan.replaced_by.iter().map(|plan| format!("`{plan}`")).collect();
            let instead = match instead.as_slice() {
                [] => "nothing takes its place".to_owned(),
                plans => format!("{} takes its place", plans.join(", ")),
            };
            return reported(format!("the plan `{name}` is deprecated: {instead}"));
        }
        if !plan.is_on() {
            let Plan { sub_plan, enforce, .. } = plan;
            let after = Plan { pricing_tier: STANDARD.to_owned(), sub_plan, enforce, ..Plan::default() };
            let reason = format!("the plan `{name}` is not on");
            return Verdict::fails(
                Change::new(address, "switch-on", Deed::Update, reason).after(json(&after)),
            );
        }
        let failed: Vec<String> = plan.extensions.iter().map(told).collect();
        match failed.is_empty() {
            true => Verdict::Holds,
            false => reported(failed.join("; ")),
        }
    }

    fn unasked(&self, want: &Settings) -> Option<Judgement> {
        want.azure.is_empty().then(|| unasked(Self::KIND, "control", "no plans are listed for Azure"))
    }
}

fn told(extension: &Extension) -> String {
    let message = extension.operation_status.as_ref().map(|status| status.message.as_str());
    match message.filter(|message| !message.is_empty()) {
        Some(message) => format!("the plan's extension `{}` failed: {message}", extension.name),
        None => format!("the plan's extension `{}` failed, and Azure does not say why", extension.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::landscape::Landscape;

    const AT: &str = "threat-detection/KeyVaults";

    /// The plan as Azure answers it, as far as it is kept.
    fn kept(properties: Value) -> Value {
        let answer: Answer = serde_json::from_value(json!({"properties": properties})).unwrap();
        json(&answer.properties.tidy())
    }

    fn said(properties: Value) -> String {
        let landscape = Landscape::adopted(2).saw("threat-detection/Arm", json!({"pricingTier": "Standard"}));
        landscape.saw(AT, kept(properties)).said(&ThreatDetection).remove(1)
    }

    #[test]
    fn each_plan_that_is_asked_is_looked_at() {
        let addresses = Landscape::adopted(2).addresses(&ThreatDetection);
        assert_eq!(addresses, ["threat-detection/Arm", AT]);
    }

    #[test]
    fn a_plan_that_is_on_needs_nothing() {
        let extension = |code: &str| json!({"name": "X", "isEnabled": "True", "operationStatus": {"code": code, "message": "m"}});
        let table = [
            json!({"pricingTier": "Standard", "freeTrialRemainingTime": "PT0S"}),
            json!({"pricingTier": "standard", "subPlan": "PerTransaction"}),
            json!({"pricingTier": "Standard", "extensions": [{"name": "X", "isEnabled": "False"}]}),
            json!({"pricingTier": "Standard", "extensions": [extension("Succeeded")]}),
        ];
        for properties in table {
            assert_eq!(said(properties), "holds");
        }
    }

    #[test]
    fn a_plan_is_switched_on_as_others_chose_it() {
        let table = [
            (json!({"pricingTier": "Free"}), json!({"pricingTier": "Standard"})),
            (
                json!({"pricingTier": "Free", "enforce": "False", "extensions": null, "replacedBy": null}),
                json!({"pricingTier": "Standard"}),
            ),
            (
                json!({"pricingTier": "Free", "subPlan": "PerKeyVault", "enforce": "True"}),
                json!({"enforce": "True", "pricingTier": "Standard", "subPlan": "PerKeyVault"}),
            ),
        ];
        for (there, after) in table {
            let expected = format!(
                "fails: the plan `KeyVaults` is not on\n~ baseline threat-detection/KeyVaults#switch-on {after}"
            );
            assert_eq!(said(there), expected);
        }
    }

    #[test]
    fn what_no_write_puts_right_is_reported() {
        let failed = |message: &str| {
            let status = json!({"code": "Failed", "message": message});
            json!({"pricingTier": "Standard", "extensions": [
                {"name": "AgentlessVmScanning", "isEnabled": "True", "operationStatus": status},
            ]})
        };
        let table = [
            (failed("no rights"), "fails: the plan's extension `AgentlessVmScanning` failed: no rights"),
            (
                failed(""),
                "fails: the plan's extension `AgentlessVmScanning` failed, and Azure does not say why",
            ),
            (
                json!({"pricingTier": "Free", "deprecated": true, "replacedBy": ["Containers"]}),
                "fails: the plan `KeyVaults` is deprecated: `Containers` takes its place",
            ),
            (
                json!({"pricingTier": "Standard", "deprecated": true}),
                "fails: the plan `KeyVaults` is deprecated: nothing takes its place",
            ),
        ];
        for (properties, expected) in table {
            assert_eq!(said(properties), expected);
        }
    }

    #[test]
    fn a_plan_that_defender_does_not_know_is_reported() {
        let said = Landscape::adopted(2).saw_nothing(AT).said(&ThreatDetection).remove(1);
        assert_eq!(said, "fails: Defender for Cloud has no plan `KeyVaults` here");
    }
}
