//! Whether subscriptions may leave the directory: a part of `protect-baseline` on Azure, row Z30.
//!
//! One policy for the whole directory, so it is the organization's own. Who is exempted from it, and whether subscriptions may come
//! in, stays as others chose it.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Compare, Control, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::protect_baseline::Settings;
use landfall_model::desired::Desired;
use landfall_model::judgement::Verdict;
use landfall_model::observed::Address;
use landfall_model::plan::{Change, Deed, Stage};

use super::{Azure, absent, json, seen};
use crate::client::service::SUBSCRIPTION;
use crate::error::CallError;
use crate::session::{Reader, Writer};

/// Which setting of the control this is.
pub(super) const RESOURCE: &str = "subscriptions-leaving";

const PATH: &str = "/providers/Microsoft.Subscription/policies/default";

pub(super) struct SubscriptionPolicy;

/// The policy, in Azure's own names, which the write takes as well.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Policy {
    #[serde(default, deserialize_with = "super::or_default")]
    block_subscriptions_leaving_tenant: bool,
    #[serde(default, deserialize_with = "super::or_default")]
    block_subscriptions_into_tenant: bool,
    #[serde(default, deserialize_with = "super::or_default")]
    exempted_principals: Vec<String>,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    properties: Option<Policy>,
}

#[async_trait]
impl Control for SubscriptionPolicy {
    const KIND: ControlKind = ControlKind::ProtectBaseline;
    /// On the directory itself, the scope `/`.
    const PERMISSIONS: Permissions = Permissions {
        read: &["Microsoft.Subscription/Policies/default/read"],
        write: &["Microsoft.Subscription/Policies/write"],
    };

    type On = Azure;
    type Want = Settings;

    fn addresses(&self, _: &Settings, _: &Desired) -> Vec<Address> {
        vec![Address::global(Self::KIND, RESOURCE)]
    }

    async fn look(&self, reader: &Reader, _: &Desired, _: &Address) -> Result<Sighting, CallError> {
        match reader.0.client.get(&SUBSCRIPTION, PATH).await {
            Ok(reply) => {
                let Answer { properties } = reply.json()?;
                Ok(seen(&reply, &properties.unwrap_or_default()))
            }
            Err(error) if error.is_not_found() => Ok(absent(&error)),
            Err(error) => Err(explained(error)),
        }
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        let policy = change.after.clone().unwrap_or_default();
        writer.0.client.put(&SUBSCRIPTION, PATH, &policy).await.map_err(explained)?;
        Ok(Value::Null)
    }
}

/// <https://learn.microsoft.com/azure/cost-management-billing/manage/manage-azure-subscription-policy>: who may see and change it.
fn explained(error: CallError) -> CallError {
    if !error.is_denied() {
        return error;
    }
    let why = "the directory's subscription policy is for principals with rights on the directory itself: \
               a global administrator with elevated access gives them";
    error.explained(why)
}

impl Compare for SubscriptionPolicy {
    type There = Policy;

    fn compare(&self, _: &Settings, _: &Desired, address: &Address, there: Option<Policy>) -> Verdict {
        let deed = if there.is_some() { Deed::Update } else { Deed::Create };
        let there = there.unwrap_or_default();
        if there.block_subscriptions_leaving_tenant {
            return Verdict::Holds;
        }
        let after = Policy { block_subscriptions_leaving_tenant: true, ..there };
        let reason = "whoever owns a subscription may take it out of the directory";
        let change = Change::new(address, "keep-subscriptions", deed, reason);
        Verdict::fails(change.after(json(&after)).at(Stage::Foundation))
    }
}

#[cfg(test)]
mod tests {
    use landfall_model::observed::Seen;
    use serde_json::json;

    use super::*;
    use crate::controls::landscape::Landscape;

    fn said(seen: Seen) -> String {
        let landscape = Landscape::organization().with("protect-baseline/subscriptions-leaving", seen);
        landscape.asks(ControlKind::ProtectBaseline, json!({})).said(&SubscriptionPolicy).remove(0)
    }

    #[test]
    fn subscriptions_stay_and_the_rest_of_the_policy_does_too() {
        let put = "protect-baseline/subscriptions-leaving#keep-subscriptions";
        let why = "fails: whoever owns a subscription may take it out of the directory";
        let table = [
            (
                Seen::Present(json!({
                    "blockSubscriptionsLeavingTenant": true, "blockSubscriptionsIntoTenant": false,
                    "exemptedPrincipals": ["5a0e0000-0000-4000-8000-0000000000bb"],
                })),
                "holds".to_owned(),
            ),
            (
                Seen::Present(json!({
                    "blockSubscriptionsIntoTenant": true, "exemptedPrincipals": ["5a0e"],
                })),
                format!(
                    "{why}\n~ foundation {put} {{\"blockSubscriptionsIntoTenant\":true,\
                     \"blockSubscriptionsLeavingTenant\":true,\"exemptedPrincipals\":[\"5a0e\"]}}"
                ),
            ),
            (
                Seen::Absent,
                format!(
                    "{why}\n+ foundation {put} {{\"blockSubscriptionsIntoTenant\":false,\
                     \"blockSubscriptionsLeavingTenant\":true,\"exemptedPrincipals\":[]}}"
                ),
            ),
            (Seen::Unreadable("denied".to_owned()), "unknown: denied".to_owned()),
        ];
        for (seen, expected) in table {
            assert_eq!(said(seen), expected);
        }
    }
}
