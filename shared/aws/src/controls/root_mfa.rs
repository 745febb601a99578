//! `root-mfa` on AWS: the root user's second factor, as the account summary tells, row A43.
//!
//! It judges what `no-root-keys` looks at: one call answers both.

use async_trait::async_trait;
use serde_json::Value;

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Compare, Control, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::root_mfa::Settings;
use landfall_model::desired::Desired;
use landfall_model::judgement::Verdict;
use landfall_model::observed::Address;
use landfall_model::plan::Change;

use super::no_root_keys::{self, NoRootKeys, Root};
use super::{Aws, reported};
use crate::error::CallError;
use crate::session::{Reader, Writer};

pub(super) struct RootMfa;

#[async_trait]
impl Control for RootMfa {
    const KIND: ControlKind = ControlKind::RootMfa;
    const PERMISSIONS: Permissions = NoRootKeys::PERMISSIONS;

    type On = Aws;
    type Want = Settings;

    fn addresses(&self, _: &Settings, _: &Desired) -> Vec<Address> {
        vec![no_root_keys::address()]
    }

    async fn look(
        &self,
        reader: &Reader,
        desired: &Desired,
        address: &Address,
    ) -> Result<Sighting, CallError> {
        NoRootKeys.look(reader, desired, address).await
    }

    async fn write(&self, _: &Writer, _: &Change, _: &Made) -> Result<Value, CallError> {
        Err(CallError::NothingToWrite(Self::KIND))
    }
}

impl Compare for RootMfa {
    type There = Root;

    fn compare(&self, _: &Settings, _: &Desired, _: &Address, there: Option<Root>) -> Verdict {
        match there {
            // Without a password nobody signs in. Where AWS does not say, there is one.
            Some(Root { mfa: Some(1..), .. } | Root { password: Some(0), .. }) => Verdict::Holds,
            Some(Root { mfa: Some(0), .. }) => reported(
                "the root user has no second factor: a person registers one, or the management account removes its \
                 password through central root access",
            ),
            Some(Root { mfa: None, .. }) | None => Verdict::Unknown {
                why: "the account summary does not say whether the root user has a second factor".to_owned(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use landfall_model::desired::Standing;
    use landfall_model::observed::Seen;
    use serde_json::json;

    use super::super::scenario::{addresses, said};
    use super::*;

    #[test]
    fn one_look_answers_both_controls() {
        assert_eq!(addresses(&RootMfa, json!({})), addresses(&NoRootKeys, json!({})));
    }

    #[test]
    fn a_root_user_that_can_sign_in_needs_a_second_factor() {
        let table = [
            (json!({"AccountMFAEnabled": 1, "AccountPasswordPresent": 1}), "holds"),
            (json!({"AccountMFAEnabled": 1}), "holds"),
            (json!({"AccountMFAEnabled": 0, "AccountPasswordPresent": 0}), "holds"),
            (json!({"AccountMFAEnabled": 0, "AccountPasswordPresent": 1}), "fails: "),
            (json!({"AccountMFAEnabled": 0}), "fails: "),
            (json!({"AccountAccessKeysPresent": 0}), "unknown: "),
        ];
        for (there, expected) in table {
            let saw = [("no-root-keys/root", Seen::Present(there.clone()))];
            let said = said(&RootMfa, json!({}), Standing::Adopted, &saw);
            assert!(said[0].starts_with(expected) && !said[0].contains('\n'), "{there}: {said:?}");
        }
    }
}
