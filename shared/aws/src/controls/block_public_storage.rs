//! `block-public-storage` on AWS: the account's public access block of S3, row A7.
//!
//! It is one setting for the whole account, whichever region is asked.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Compare, Control, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::block_public_storage::Settings;
use landfall_model::desired::Desired;
use landfall_model::judgement::Verdict;
use landfall_model::observed::Address;
use landfall_model::plan::{Change, Deed};

use super::{Aws, absent, json, seen};
use crate::client::service::S3CONTROL;
use crate::error::CallError;
use crate::session::{Reader, Writer};

const PATH: &str = "/v20180820/configuration/publicAccessBlock";

pub(super) struct BlockPublicStorage;

/// The four switches, in AWS's own names. One that the answer leaves out is off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Block {
    #[serde(default)]
    block_public_acls: bool,
    #[serde(default)]
    ignore_public_acls: bool,
    #[serde(default)]
    block_public_policy: bool,
    #[serde(default)]
    restrict_public_buckets: bool,
}

/// Every switch on: there is nothing stronger.
const CLOSED: Block = Block {
    block_public_acls: true,
    ignore_public_acls: true,
    block_public_policy: true,
    restrict_public_buckets: true,
};

/// `CLOSED` as S3 reads it.
const CLOSE: &str = "<PublicAccessBlockConfiguration xmlns=\"http://awss3control.amazonaws.com/doc/2018-08-20/\">\
    <BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls>\
    <BlockPublicPolicy>true</BlockPublicPolicy><RestrictPublicBuckets>true</RestrictPublicBuckets>\
    </PublicAccessBlockConfiguration>";

#[async_trait]
impl Control for BlockPublicStorage {
    const KIND: ControlKind = ControlKind::BlockPublicStorage;
    const PERMISSIONS: Permissions =
        Permissions { read: &["s3:GetAccountPublicAccessBlock"], write: &["s3:PutAccountPublicAccessBlock"] };

    type On = Aws;
    type Want = Settings;

    fn addresses(&self, _: &Settings, _: &Desired) -> Vec<Address> {
        vec![Address::global(Self::KIND, "account")]
    }

    async fn look(&self, reader: &Reader, _: &Desired, _: &Address) -> Result<Sighting, CallError> {
        let session = &reader.0;
        let method = http::Method::GET;
        match session.tenant.rest(&S3CONTROL, session.home(), "GetPublicAccessBlock", method, PATH, "").await
        {
            Ok(reply) => Ok(seen(&reply, &reply.xml::<Block>()?)),
            Err(error) if error.code() == Some("NoSuchPublicAccessBlockConfiguration") => Ok(absent(&error)),
            Err(error) => Err(error),
        }
    }

    async fn write(&self, writer: &Writer, _: &Change, _: &Made) -> Result<Value, CallError> {
        let session = &writer.0;
        let method = http::Method::PUT;
        session.tenant.rest(&S3CONTROL, session.home(), "PutPublicAccessBlock", method, PATH, CLOSE).await?;
        Ok(Value::Null)
    }
}

impl Compare for BlockPublicStorage {
    type There = Block;

    fn compare(&self, _: &Settings, _: &Desired, address: &Address, there: Option<Block>) -> Verdict {
        let (deed, reason) = match there {
            Some(CLOSED) => return Verdict::Holds,
            Some(_) => (Deed::Update, "public access to storage is blocked in part only"),
            None => (Deed::Create, "public access to storage is not blocked"),
        };
        Verdict::fails(Change::new(address, "put", deed, reason).after(json(&CLOSED)))
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
    fn what_is_sent_reads_back_as_closed() {
        assert_eq!(quick_xml::de::from_str::<Block>(CLOSE).unwrap(), CLOSED);
        let none = quick_xml::de::from_str::<Block>("<PublicAccessBlockConfiguration/>").unwrap();
        assert!(!none.block_public_acls && !none.restrict_public_buckets);
    }

    #[test]
    fn all_four_switches_have_to_be_on() {
        let on = json!({
            "BlockPublicAcls": true, "IgnorePublicAcls": true, "BlockPublicPolicy": true,
            "RestrictPublicBuckets": true,
        });
        let write = "put {\"BlockPublicAcls\":true,\"BlockPublicPolicy\":true,\"IgnorePublicAcls\":true,\
                     \"RestrictPublicBuckets\":true}";
        let ask = |seen| {
            let saw = [("block-public-storage/account", seen)];
            said(&BlockPublicStorage, json!({"also-existing": false}), Standing::Adopted, &saw).remove(0)
        };
        assert_eq!(ask(Seen::Present(on.clone())), "holds");
        assert_eq!(ask(Seen::Absent), format!("fails: public access to storage is not blocked\n+ {write}"));
        for switch in ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"] {
            let mut there = on.clone();
            there[switch] = json!(false);
            let part = format!("fails: public access to storage is blocked in part only\n~ {write}");
            assert_eq!(ask(Seen::Present(there)), part, "{switch}");
        }
        assert_eq!(ask(Seen::Unreadable("denied".into())), "unknown: denied");
    }
}
