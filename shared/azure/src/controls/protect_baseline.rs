//! `protect-baseline` on Azure: a policy of our own that denies deleting what the baseline rests on, row Z28; and in the organization's
//! own target, that no subscription leaves the directory, row Z30 (`subscription_policy.rs`).

use async_trait::async_trait;
use serde_json::Value;

use landfall_engine::carried::Carried;
use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Control, Judge, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::protect_baseline::Settings;
use landfall_model::desired::Desired;
use landfall_model::judgement::Judgement;
use landfall_model::observed::{Address, Observed};
use landfall_model::plan::Change;
use landfall_model::target::Target;

use super::Azure;
use super::policies::InPolicies;
use super::subscription_policy::{self, SubscriptionPolicy};
use crate::error::CallError;
use crate::session::{Reader, Writer};

/// The part that policies carry.
struct ByPolicy;

impl Carried for ByPolicy {
    const KIND: ControlKind = ControlKind::ProtectBaseline;

    type Want = Settings;

    fn unasked(&self, _: &Settings) -> Option<&'static str> {
        None
    }
}

const CARRIED: InPolicies<ByPolicy> = InPolicies(ByPolicy);

pub(super) struct ProtectBaseline;

#[async_trait]
impl Control for ProtectBaseline {
    const KIND: ControlKind = ControlKind::ProtectBaseline;
    /// Those of both parts.
    const PERMISSIONS: Permissions = Permissions {
        read: &[
            "Microsoft.Authorization/policyAssignments/read",
            "Microsoft.Authorization/policyDefinitions/read",
            "Microsoft.Authorization/policyExemptions/read",
            "Microsoft.Authorization/roleAssignments/read",
            "Microsoft.Management/managementGroups/descendants/read",
            "Microsoft.Subscription/Policies/default/read",
        ],
        write: SubscriptionPolicy::PERMISSIONS.write,
    };

    type On = Azure;
    type Want = Settings;

    fn addresses(&self, want: &Settings, desired: &Desired) -> Vec<Address> {
        match desired.target {
            Target::Organization(_) => SubscriptionPolicy.addresses(want, desired),
            Target::Tenant(_) => CARRIED.addresses(want, desired),
        }
    }

    async fn look(&self, reader: &Reader, desired: &Desired, at: &Address) -> Result<Sighting, CallError> {
        match at.resource == subscription_policy::RESOURCE {
            true => SubscriptionPolicy.look(reader, desired, at).await,
            false => CARRIED.look(reader, desired, at).await,
        }
    }

    async fn write(&self, writer: &Writer, change: &Change, made: &Made) -> Result<Value, CallError> {
        SubscriptionPolicy.write(writer, change, made).await
    }
}

impl Judge for ProtectBaseline {
    fn judge(&self, want: &Settings, desired: &Desired, observed: &Observed) -> Vec<Judgement> {
        match desired.target {
            Target::Organization(_) => SubscriptionPolicy.judge(want, desired, observed),
            Target::Tenant(_) => CARRIED.judge(want, desired, observed),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::controls::landscape::Landscape;

    #[test]
    fn it_may_what_its_parts_may() {
        let Permissions { read, write } = InPolicies::<ByPolicy>::PERMISSIONS;
        assert!(write.is_empty());
        let parts: BTreeSet<&str> =
            read.iter().chain(SubscriptionPolicy::PERMISSIONS.read).copied().collect();
        let whole: BTreeSet<&str> = ProtectBaseline::PERMISSIONS.read.iter().copied().collect();
        assert_eq!(whole, parts);
    }

    #[test]
    fn the_directorys_part_is_the_organizations_and_the_policies_are_looked_at_for_each_tenant() {
        let on =
            |landscape: Landscape| Control::addresses(&ProtectBaseline, &Settings {}, &landscape.desired);
        let organization = on(Landscape::organization());
        assert_eq!(organization, ["protect-baseline/subscriptions-leaving".parse().unwrap()]);
        let tenant = on(Landscape::adopted(2));
        assert!(!tenant.is_empty() && !tenant.contains(&organization[0]), "{tenant:?}");
    }
}
