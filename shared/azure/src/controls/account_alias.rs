//! `account-alias` on Azure: the subscription's display name, row Z4. There is no alias for signing in; the name is what people see
//! and choose by.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Compare, Control, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::account_alias::Settings;
use landfall_model::desired::{Desired, Standing};
use landfall_model::judgement::Verdict;
use landfall_model::observed::Address;
use landfall_model::plan::{Change, Deed};

use super::{Azure, json, reported, seen};
use crate::client::service::{SUBSCRIPTION, SUBSCRIPTIONS};
use crate::error::CallError;
use crate::session::{Reader, Writer};

/// <https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules>, Microsoft.Subscription.
const LONGEST: usize = 64;

pub(super) struct AccountAlias;

/// The name, as Azure shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Named {
    #[serde(default, deserialize_with = "super::or_default")]
    display_name: String,
}

#[async_trait]
impl Control for AccountAlias {
    const KIND: ControlKind = ControlKind::AccountAlias;
    const PERMISSIONS: Permissions = Permissions {
        read: &["Microsoft.Resources/subscriptions/read"],
        write: &["Microsoft.Subscription/rename/action"],
    };

    type On = Azure;
    type Want = Settings;

    fn addresses(&self, _: &Settings, _: &Desired) -> Vec<Address> {
        vec![Address::global(Self::KIND, "subscription")]
    }

    async fn look(&self, reader: &Reader, _: &Desired, _: &Address) -> Result<Sighting, CallError> {
        let session = &reader.0;
        let reply = session.client.get(&SUBSCRIPTIONS, &session.scope()).await?;
        let named: Named = reply.json()?;
        Ok(seen(&reply, &named))
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        let session = &writer.0;
        let name = change.after.as_ref().and_then(|after| after.get("displayName"));
        let path = format!("{}/providers/Microsoft.Subscription/rename", session.scope());
        session.client.post(&SUBSCRIPTION, &path, Some(&json!({"subscriptionName": name}))).await?;
        Ok(Value::Null)
    }
}

impl Compare for AccountAlias {
    type There = Named;

    fn compare(
        &self,
        want: &Settings,
        desired: &Desired,
        address: &Address,
        there: Option<Named>,
    ) -> Verdict {
        let Settings { alias } = want;
        let Named { display_name } = there.unwrap_or_default();
        if display_name == *alias {
            return Verdict::Holds;
        }
        let reason = format!("the subscription's name is `{display_name}`");
        if alias.chars().count() > LONGEST {
            return reported(format!(
                "{reason}; `{alias}` is longer than the {LONGEST} characters that Azure takes"
            ));
        }
        let after = Named { display_name: alias.clone() };
        let mut change = Change::new(address, "rename", Deed::Update, reason).after(json(&after));
        // People and their scripts choose a subscription by its name.
        change.loses = desired.standing == Standing::Adopted;
        Verdict::fails(change)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::landscape::Landscape;

    fn named(landscape: Landscape, name: &str) -> Vec<String> {
        landscape.saw("account-alias/subscription", json!({"displayName": name})).said(&AccountAlias)
    }

    #[test]
    fn a_subscription_gets_the_name_that_the_rule_makes() {
        assert_eq!(named(Landscape::adopted(2), "acme-checkout-production"), ["holds"]);
        let renamed = "fails: the subscription's name is `Azure subscription 1`\n\
                       ~ baseline account-alias/subscription#rename {\"displayName\":\"acme-checkout-production\"}";
        assert_eq!(named(Landscape::new(2), "Azure subscription 1"), [renamed]);
        assert_eq!(named(Landscape::adopted(2), "Azure subscription 1"), [format!("{renamed} loses")]);
    }

    #[test]
    fn a_name_that_azure_would_not_take_is_not_sent() {
        let desired = Landscape::adopted(2).desired;
        let want = Settings { alias: "x".repeat(65) };
        let address = Address::global(ControlKind::AccountAlias, "subscription");
        let verdict = AccountAlias.compare(&want, &desired, &address, None);
        assert!(matches!(verdict, Verdict::Fails { changes, .. } if changes.is_empty()));
    }
}
