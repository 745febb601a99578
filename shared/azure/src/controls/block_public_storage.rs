//! `block-public-storage` on Azure: the built-in policy Storage account public access should be disallowed, row Z28; and where that is
//! asked, one that closes what is there already, row Z10.

use async_trait::async_trait;
use serde_json::Value;

use landfall_engine::carried::Carried;
use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Control, Judge, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::block_public_storage::Settings;
use landfall_model::desired::Desired;
use landfall_model::judgement::Judgement;
use landfall_model::observed::{Address, Observed};
use landfall_model::plan::Change;

use super::Azure;
use super::policies::{InPolicies, Remediation};
use crate::error::CallError;
use crate::session::{Reader, Writer};

const KIND: ControlKind = ControlKind::BlockPublicStorage;

/// The part that policies carry.
struct ByPolicy;

impl Carried for ByPolicy {
    const KIND: ControlKind = KIND;

    type Want = Settings;

    fn unasked(&self, _: &Settings) -> Option<&'static str> {
        None
    }
}

const CARRIED: InPolicies<ByPolicy> = InPolicies(ByPolicy);

/// What is there already.
const EXISTING: Remediation = Remediation(KIND);

pub(super) struct BlockPublicStorage;

#[async_trait]
impl Control for BlockPublicStorage {
    const KIND: ControlKind = KIND;
    /// Those of both parts.
    const PERMISSIONS: Permissions = Permissions {
        read: &[
            "Microsoft.Authorization/policyAssignments/read",
            "Microsoft.Authorization/policyDefinitions/read",
            "Microsoft.Authorization/policyExemptions/read",
            "Microsoft.Authorization/roleAssignments/read",
            "Microsoft.Management/managementGroups/descendants/read",
            "Microsoft.PolicyInsights/policyStates/queryResults/action",
            "Microsoft.PolicyInsights/policyStates/queryResults/read",
            "Microsoft.PolicyInsights/remediations/read",
        ],
        write: Remediation::PERMISSIONS.write,
    };

    type On = Azure;
    type Want = Settings;

    fn addresses(&self, want: &Settings, desired: &Desired) -> Vec<Address> {
        let mut addresses = Control::addresses(&CARRIED, want, desired);
        addresses.extend(EXISTING.addresses(desired));
        addresses
    }

    async fn look(&self, reader: &Reader, desired: &Desired, at: &Address) -> Result<Sighting, CallError> {
        match *at == EXISTING.address() {
            true => EXISTING.look(&reader.0, desired).await,
            false => CARRIED.look(reader, desired, at).await,
        }
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        EXISTING.write(&writer.0, change).await
    }
}

impl Judge for BlockPublicStorage {
    fn judge(&self, want: &Settings, desired: &Desired, observed: &Observed) -> Vec<Judgement> {
        let mut judgements = Judge::judge(&CARRIED, want, desired, observed);
        judgements.extend(EXISTING.judge(desired, observed));
        judgements
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn it_may_what_its_parts_may() {
        let parts = [InPolicies::<ByPolicy>::PERMISSIONS, Remediation::PERMISSIONS];
        let parts: BTreeSet<&str> = parts.iter().flat_map(|part| part.read).copied().collect();
        let whole: BTreeSet<&str> = BlockPublicStorage::PERMISSIONS.read.iter().copied().collect();
        assert_eq!(whole, parts);
    }
}
