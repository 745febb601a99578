//! `root-mfa` on AWS: the root user's second factor, as the account summary tells, row A43.
//!
//! It judges what `no-root-keys` looks at: one call answers both.

use async_trait::async_trait;
use serde_json::Value;

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Control, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::root_mfa::Settings;
use landfall_model::desired::Desired;
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::observed::{Address, Observed};
use landfall_model::plan::Change;

use super::kept;
use super::no_root_keys::{self, NoRootKeys, Root};
use crate::error::CallError;
use crate::session::{Reader, Writer};

const KIND: ControlKind = ControlKind::RootMfa;

pub(super) struct RootMfa;

#[async_trait]
impl Control for RootMfa {
    type Want = Settings;
    type Reader = Reader;
    type Writer = Writer;
    type Error = CallError;

    fn kind(&self) -> ControlKind {
        KIND
    }

    fn permissions(&self) -> Permissions {
        Control::permissions(&NoRootKeys)
    }

    fn addresses(&self, _: &Settings, _: &Desired) -> Vec<Address> {
        vec![no_root_keys::address()]
    }

    async fn look(
        &self,
        reader: &Reader,
        desired: &Desired,
        address: &Address,
    ) -> Result<Sighting, CallError> {
        Control::look(&NoRootKeys, reader, desired, address).await
    }

    fn judge(&self, _: &Settings, _: &Desired, observed: &Observed) -> Vec<Judgement> {
        vec![Judgement::of(KIND, &no_root_keys::address(), observed, compare)]
    }

    async fn write(&self, _: &Writer, _: &Desired, _: &Change, _: &Made) -> Result<Value, CallError> {
        Err(CallError::NothingToWrite(KIND))
    }
}

fn compare(there: Option<&Value>) -> Verdict {
    match kept::<Root>(there) {
        Err(unknown) => unknown,
        // Without a password nobody signs in. Where AWS does not say, there is one.
        Ok(Some(Root { mfa: Some(1..), .. } | Root { password: Some(0), .. })) => Verdict::Holds,
        Ok(Some(Root { mfa: Some(0), .. })) => {
            let why = "the root user has no second factor: a person registers one, or the management account removes \
                       its password through central root access";
            Verdict::Fails { why: why.to_owned(), changes: Vec::new() }
        }
        Ok(Some(Root { mfa: None, .. }) | None) => Verdict::Unknown {
            why: "the account summary does not say whether the root user has a second factor".to_owned(),
        },
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
