//! `no-root-keys` on AWS: the root user's access keys, as the account summary counts them, row A43.
//!
//! The same answer says whether the root user has a second factor: `root-mfa` judges what is seen here.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Compare, Control, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::no_root_keys::Settings;
use landfall_model::desired::Desired;
use landfall_model::judgement::Verdict;
use landfall_model::observed::Address;
use landfall_model::plan::Change;

use super::{Aws, reported, seen};
use crate::client::service::IAM;
use crate::error::CallError;
use crate::session::{Reader, Writer};

pub(super) struct NoRootKeys;

/// What the account summary says of the root user, in AWS's own names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Root {
    #[serde(rename = "AccountMFAEnabled", default, skip_serializing_if = "Option::is_none")]
    pub(super) mfa: Option<u32>,
    #[serde(rename = "AccountAccessKeysPresent", default, skip_serializing_if = "Option::is_none")]
    pub(super) keys: Option<u32>,
    #[serde(rename = "AccountSigningCertificatesPresent", default, skip_serializing_if = "Option::is_none")]
    pub(super) certificates: Option<u32>,
    #[serde(rename = "AccountPasswordPresent", default, skip_serializing_if = "Option::is_none")]
    pub(super) password: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    get_account_summary_result: Body,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    summary_map: Summary,
}

#[derive(Deserialize)]
struct Summary {
    #[serde(default)]
    entry: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    key: String,
    value: u32,
}

impl From<Answer> for Root {
    fn from(answer: Answer) -> Self {
        let entries = answer.get_account_summary_result.summary_map.entry;
        let counts: BTreeMap<String, u32> =
            entries.into_iter().map(|Entry { key, value }| (key, value)).collect();
        let count = |name: &str| counts.get(name).copied();
        Root {
            mfa: count("AccountMFAEnabled"),
            keys: count("AccountAccessKeysPresent"),
            certificates: count("AccountSigningCertificatesPresent"),
            password: count("AccountPasswordPresent"),
        }
    }
}

/// Where the account summary is kept.
pub(super) fn address() -> Address {
    Address::global(NoRootKeys::KIND, "root")
}

#[async_trait]
impl Control for NoRootKeys {
    const KIND: ControlKind = ControlKind::NoRootKeys;
    const PERMISSIONS: Permissions = Permissions { read: &["iam:GetAccountSummary"], write: &[] };

    type On = Aws;
    type Want = Settings;

    fn addresses(&self, _: &Settings, _: &Desired) -> Vec<Address> {
        vec![address()]
    }

    async fn look(&self, reader: &Reader, _: &Desired, _: &Address) -> Result<Sighting, CallError> {
        let session = &reader.0;
        let reply = session.tenant.query(&IAM, session.home(), "GetAccountSummary", &[]).await?;
        Ok(seen(&reply, &Root::from(reply.xml::<Answer>()?)))
    }

    async fn write(&self, _: &Writer, _: &Change, _: &Made) -> Result<Value, CallError> {
        Err(CallError::NothingToWrite(Self::KIND))
    }
}

impl Compare for NoRootKeys {
    type There = Root;

    fn compare(&self, _: &Settings, _: &Desired, _: &Address, there: Option<Root>) -> Verdict {
        match there {
            Some(Root { keys: Some(0), .. }) => Verdict::Holds,
            Some(Root { keys: Some(_), .. }) => reported(
                "the root user has access keys: the root user itself deletes them, or the management account through \
                 central root access",
            ),
            Some(Root { keys: None, .. }) | None => Verdict::Unknown {
                why: "the account summary does not count the root user's access keys".to_owned(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use landfall_model::desired::Standing;
    use landfall_model::observed::Seen;
    use serde_json::json;

    use super::super::scenario::said;
    use super::*;

    #[test]
    fn the_answer_is_read() {
        let xml = "<GetAccountSummaryResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">\
            <GetAccountSummaryResult><SummaryMap>\
            <entry><key>Users</key><value>3</value></entry>\
            <entry><key>AccountAccessKeysPresent</key><value>0</value></entry>\
            <entry><key>AccountMFAEnabled</key><value>1</value></entry>\
            </SummaryMap></GetAccountSummaryResult></GetAccountSummaryResponse>";
        let root = Root::from(quick_xml::de::from_str::<Answer>(xml).unwrap());
        assert_eq!(super::super::json(&root), json!({"AccountAccessKeysPresent": 0, "AccountMFAEnabled": 1}));
    }

    #[test]
    fn a_key_fails_and_nothing_is_written() {
        let table = [
            (json!({"AccountAccessKeysPresent": 0}), "holds"),
            (json!({"AccountAccessKeysPresent": 1}), "fails: the root user has access keys: "),
            (json!({"AccountMFAEnabled": 1}), "unknown: "),
            (json!({"AccountAccessKeysPresent": "none"}), "unknown: "),
        ];
        for (there, expected) in table {
            let saw = [("no-root-keys/root", Seen::Present(there.clone()))];
            let said = said(&NoRootKeys, json!({}), Standing::Adopted, &saw);
            assert!(said[0].starts_with(expected) && !said[0].contains('\n'), "{there}: {said:?}");
        }
    }
}
