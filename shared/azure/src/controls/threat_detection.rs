//! `threat-detection` on Azure: plans of Microsoft Defender for Cloud at their Standard tier, row Z15.
//!
//! Each plan is a setting of its own: it is looked at, judged, exempted and switched on by itself. Plans that are not asked are
//! neither looked at nor changed, and what others chose of an asked one (its sub-plan, its extensions, whether it may be overridden)
//! stays. A plan of which an extension failed is written again as it is, which is how Azure is told to try again.

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
    /// All of them where one failed, none otherwise: a plan is written with its extensions, or those that are left out are switched.
    #[serde(default, deserialize_with = "super::or_default", skip_serializing_if = "Vec::is_empty")]
    extensions: Vec<Extension>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Extension {
    #[serde(default, deserialize_with = "super::or_default")]
    name: String,
    /// Whether it is on: `True` or `False`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    is_enabled: Option<String>,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    additional_extension_properties: Value,
    /// Where it failed.
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
        if !self.extensions.iter().any(Extension::failed) {
            self.extensions.clear();
        }
        for extension in &mut self.extensions {
            let failed = extension.failed();
            let status = extension.operation_status.take().filter(|_| failed);
            extension.operation_status =
                status.map(|status| OperationStatus { message: tidy(&status.message), ..status });
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
        let extensions = change.with.as_ref().and_then(|with| with.get("extensions")).cloned();
        let mut properties = change.after.clone().unwrap_or_default();
        if let (Some(extensions), Some(properties)) = (extensions, properties.as_object_mut()) {
            properties.insert("extensions".to_owned(), extensions);
        }
        let body = json!({"properties": properties});
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
        let is_on = plan.is_on();
        let failed: Vec<String> = plan.extensions.iter().filter_map(told).collect();
        let Plan { sub_plan, enforce, extensions, .. } = plan;
        let after = Plan { pricing_tier: STANDARD.to_owned(), sub_plan, enforce, ..Plan::default() };
        let mut after = json(&after);
        if !is_on {
            let reason = format!("the plan `{name}` is not on");
            return Verdict::fails(Change::new(address, "switch-on", Deed::Update, reason).after(after));
        }
        if failed.is_empty() {
            return Verdict::Holds;
        }
        // They are no longer shown when none of them failed.
        if let Some(after) = after.as_object_mut() {
            after.insert("extensions".to_owned(), Value::Null);
        }
        let again: Vec<Extension> = extensions
            .into_iter()
            .map(|extension| Extension { operation_status: None, ..extension })
            .collect();
        let change = Change::new(address, "try-again", Deed::Update, failed.join("; ")).after(after);
        Verdict::fails(change.with(json!({"extensions": again})))
    }

    fn unasked(&self, want: &Settings) -> Option<Judgement> {
        want.azure.is_empty().then(|| unasked(Self::KIND, "control", "no plans are listed for Azure"))
    }
}

/// How an extension failed, for people; nothing where it did not.
fn told(extension: &Extension) -> Option<String> {
    let status = extension.operation_status.as_ref().filter(|_| extension.failed())?;
    Some(match status.message.is_empty() {
        false => format!("the plan's extension `{}` failed: {}", extension.name, status.message),
        true => format!("the plan's extension `{}` failed, and Azure does not say why", extension.name),
    })
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
    fn a_plan_whose_extension_failed_is_written_again_with_all_of_them() {
        let (on, off) =
            (json!({"name": "A", "isEnabled": "True"}), json!({"name": "B", "isEnabled": "False"}));
        let with = |extension: &Value, code: &str, message: &str| {
            let mut extension = extension.clone();
            extension["operationStatus"] = json!({"code": code, "message": message});
            extension
        };
        let tagged = json!({"name": "A", "isEnabled": "True", "additionalExtensionProperties": {"ExclusionTags": "[]"}});
        let table = [
            (json!([with(&on, "Failed", "no rights"), off]), "the plan's extension `A` failed: no rights"),
            (
                json!([with(&on, "Failed", ""), off]),
                "the plan's extension `A` failed, and Azure does not say why",
            ),
            (
                json!([with(&on, "Succeeded", "m"), with(&off, "Failed", "no")]),
                "the plan's extension `B` failed: no",
            ),
            (json!([with(&tagged, "Failed", "no"), off]), "the plan's extension `A` failed: no"),
        ];
        let address: Address = AT.parse().unwrap();
        for (extensions, expected) in table {
            let there = json!({"pricingTier": "Standard", "subPlan": "P2", "extensions": extensions});
            let plan = serde_json::from_value(kept(there)).unwrap();
            let desired = Landscape::adopted(2).desired;
            let want = Settings { aws: Vec::new(), azure: vec!["KeyVaults".to_owned()], gcp: Vec::new() };
            let verdict = ThreatDetection.compare(&want, &desired, &address, Some(plan));
            let Verdict::Fails { why, changes } = verdict else { panic!("{verdict:?}") };
            assert_eq!(why, expected);
            let after = json!({"pricingTier": "Standard", "subPlan": "P2", "extensions": null});
            assert_eq!(changes[0].after, Some(after));
            let first =
                if extensions[0].get("additionalExtensionProperties").is_some() { &tagged } else { &on };
            assert_eq!(changes[0].with, Some(json!({"extensions": [first, off]})));
        }
    }

    #[test]
    fn what_no_write_puts_right_is_reported() {
        let table = [
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
