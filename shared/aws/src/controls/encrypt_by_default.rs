//! `encrypt-by-default` on AWS: EBS encryption by default in each governed region, and its key where one is asked, row A8.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Compare, Control, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::encrypt_by_default::Settings;
use landfall_model::desired::{Asked, Desired};
use landfall_model::judgement::Verdict;
use landfall_model::observed::Address;
use landfall_model::plan::{Change, Deed};

use super::{Aws, each_region, ec2, kept, reported, seen};
use crate::client::service::{EC2, KMS};
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};

/// The two settings of a region.
const SWITCH: &str = "ebs";
const KEY: &str = "key";

pub(super) struct EncryptByDefault;

/// The switch, in AWS's own name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Switch {
    #[serde(alias = "ebsEncryptionByDefault")]
    ebs_encryption_by_default: bool,
}

/// The default key, in AWS's own names, beside the key that the asked alias stands for in the region: AWS shows the key's ARN where
/// an alias was set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Key {
    #[serde(alias = "kmsKeyId")]
    kms_key_id: String,
    /// The alias that was looked up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alias: Option<String>,
    /// Its key; absent where the region has no such alias.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key_metadata: Option<Metadata>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata {
    arn: String,
    key_state: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    key_metadata: Metadata,
}

#[async_trait]
impl Control for EncryptByDefault {
    const KIND: ControlKind = ControlKind::EncryptByDefault;
    const PERMISSIONS: Permissions = Permissions {
        read: &["ec2:GetEbsDefaultKmsKeyId", "ec2:GetEbsEncryptionByDefault", "kms:DescribeKey"],
        write: &["ec2:EnableEbsEncryptionByDefault", "ec2:ModifyEbsDefaultKmsKeyId"],
    };

    type On = Aws;
    type Want = Settings;

    fn addresses(&self, want: &Settings, desired: &Desired) -> Vec<Address> {
        let keys = want.key.iter().flat_map(|_| each_region(Self::KIND, desired, KEY));
        each_region(Self::KIND, desired, SWITCH).into_iter().chain(keys).collect()
    }

    async fn look(
        &self,
        reader: &Reader,
        desired: &Desired,
        address: &Address,
    ) -> Result<Sighting, CallError> {
        let session = &reader.0;
        if address.resource == SWITCH {
            return ec2::setting::<Switch>(session, address, "GetEbsEncryptionByDefault").await;
        }
        let region = session.region(address.region.as_ref());
        let reply = session.tenant.query(&EC2, region, "GetEbsDefaultKmsKeyId", &[]).await?;
        let mut key: Key = reply.xml()?;
        let asked = desired.asked(Self::KIND).map(Asked::want::<Settings>).and_then(Result::ok);
        if let Some(asked) = asked.and_then(|want| want.key) {
            key.key_metadata = describe(session, region, &asked).await?;
            key.alias = Some(asked).filter(|key| is_alias(key));
        }
        Ok(seen(&reply, &key))
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        let session = &writer.0;
        if change.address.resource == KEY {
            return ec2::put(session, change, "ModifyEbsDefaultKmsKeyId").await;
        }
        let region = session.region(change.address.region.as_ref());
        session.tenant.query(&EC2, region, "EnableEbsEncryptionByDefault", &[]).await?;
        Ok(Value::Null)
    }
}

impl Compare for EncryptByDefault {
    type There = Value;

    fn compare(&self, want: &Settings, _: &Desired, address: &Address, there: Option<Value>) -> Verdict {
        match &want.key {
            Some(key) if address.resource == KEY => compare_key(key, address, there.as_ref()),
            Some(_) | None => compare_switch(address, there.as_ref()),
        }
    }
}

/// `alias/disks`, or its ARN.
fn is_alias(key: &str) -> bool {
    key.starts_with("alias/") || key.contains(":alias/")
}

/// The key that is asked, or the one behind its alias; nothing where the region has none. EC2 takes any text for a key, says yes, and
/// instances don't start.
async fn describe(session: &Session, region: &str, asked: &str) -> Result<Option<Metadata>, CallError> {
    match session.tenant.json(&KMS, region, "DescribeKey", json!({"KeyId": asked})).await {
        Ok(reply) => Ok(Some(reply.json::<Described>()?.key_metadata)),
        // The second is what an ARN of another region gets.
        Err(error) if matches!(error.code(), Some("NotFoundException" | "InvalidArnException")) => Ok(None),
        Err(error) => Err(error),
    }
}

fn compare_switch(address: &Address, there: Option<&Value>) -> Verdict {
    match kept::<Switch>(there) {
        Err(unknown) => unknown,
        Ok(Some(Switch { ebs_encryption_by_default: true })) => Verdict::Holds,
        Ok(Some(Switch { ebs_encryption_by_default: false }) | None) => Verdict::fails(
            Change::new(address, "enable", Deed::Update, "new disks are not encrypted by default")
                .after(json!({"EbsEncryptionByDefault": true})),
        ),
    }
}

fn compare_key(asked: &str, address: &Address, there: Option<&Value>) -> Verdict {
    let key: Key = match kept(there) {
        Ok(Some(key)) => key,
        Ok(None) => return Verdict::Unknown { why: "the region shows no default key".to_owned() },
        Err(unknown) => return unknown,
    };
    let Key { kms_key_id, alias: _, key_metadata } = key;
    let arn = match &key_metadata {
        None => return reported(format!("the region has no key `{asked}`")),
        // Instances would not start with it.
        Some(Metadata { key_state, .. }) if key_state != "Enabled" => {
            return reported(format!("the key `{asked}` can't be used: it is in the state `{key_state}`"));
        }
        Some(Metadata { arn, .. }) => arn.as_str(),
    };
    // AWS shows an ARN, whatever was set: the key's, or the alias's own.
    let same = kms_key_id == arn
        || kms_key_id == asked
        || kms_key_id.ends_with(&format!(":key/{asked}"))
        || kms_key_id.ends_with(&format!(":{asked}"));
    if same {
        return Verdict::Holds;
    }
    let reason = format!("new disks are encrypted with another key than `{asked}`");
    Verdict::fails(Change::new(address, "set-key", Deed::Update, reason).after(json!({"KmsKeyId": arn})))
}

#[cfg(test)]
mod tests {
    use landfall_model::desired::Standing;
    use landfall_model::observed::Seen;

    use super::super::scenario::{addresses, said};
    use super::*;

    const ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

    fn arn(id: &str) -> String {
        format!("arn:aws:kms:eu-west-1:222222222222:key/{id}")
    }

    #[test]
    fn the_key_is_only_looked_at_where_one_is_asked() {
        let switches = ["encrypt-by-default@eu-central-1/ebs", "encrypt-by-default@eu-west-1/ebs"];
        assert_eq!(addresses(&EncryptByDefault, json!({})), switches);
        assert_eq!(addresses(&EncryptByDefault, json!({"key": "alias/disks"})).len(), 4);
    }

    #[test]
    fn the_answers_are_read() {
        let xml = "<R><requestId>r</requestId><ebsEncryptionByDefault>true</ebsEncryptionByDefault><sseType>sse-ebs</sseType></R>";
        assert!(quick_xml::de::from_str::<Switch>(xml).unwrap().ebs_encryption_by_default);
        let key: Key = quick_xml::de::from_str("<R><kmsKeyId>alias/aws/ebs</kmsKeyId></R>").unwrap();
        assert_eq!(super::super::json(&key), json!({"KmsKeyId": "alias/aws/ebs"}));
    }

    #[test]
    fn encryption_is_switched_on() {
        let table = [
            (true, "holds"),
            (
                false,
                "fails: new disks are not encrypted by default\n~ enable {\"EbsEncryptionByDefault\":true}",
            ),
        ];
        for (on, expected) in table {
            let there = Seen::Present(json!({"EbsEncryptionByDefault": on}));
            let saw = [("encrypt-by-default@eu-west-1/ebs", there)];
            assert_eq!(said(&EncryptByDefault, json!({}), Standing::New, &saw), [expected]);
        }
    }

    #[test]
    fn a_key_is_recognized_by_id_alias_and_arn() {
        let shows =
            |id: &str| json!({"KmsKeyId": id, "KeyMetadata": {"Arn": arn(ID), "KeyState": "Enabled"}});
        let behind = |id: &str, state: &str| {
            json!({
                "KmsKeyId": arn(id), "Alias": "alias/disks",
                "KeyMetadata": {"Arn": arn(ID), "KeyState": state},
            })
        };
        let set = |asked: &str, to: &str| {
            format!(
                "fails: new disks are encrypted with another key than `{asked}`\n~ set-key {{\"KmsKeyId\":\"{to}\"}}"
            )
        };
        let table = [
            (arn(ID), shows(&arn(ID)), "holds".to_owned()),
            (ID.to_owned(), shows(&arn(ID)), "holds".to_owned()),
            ("alias/disks".to_owned(), behind(ID, "Enabled"), "holds".to_owned()),
            (arn(ID), shows("alias/aws/ebs"), set(&arn(ID), &arn(ID))),
            (ID.to_owned(), shows(&arn("other")), set(ID, &arn(ID))),
            ("alias/disks".to_owned(), behind("other", "Enabled"), set("alias/disks", &arn(ID))),
            (
                "alias/disks".to_owned(),
                behind("other", "PendingDeletion"),
                "fails: the key `alias/disks` can't be used: it is in the state `PendingDeletion`".to_owned(),
            ),
            (
                "alias/disks".to_owned(),
                json!({"KmsKeyId": "alias/aws/ebs", "Alias": "alias/disks"}),
                "fails: the region has no key `alias/disks`".to_owned(),
            ),
            // A key of another region.
            (
                arn("elsewhere"),
                json!({"KmsKeyId": "alias/aws/ebs"}),
                format!("fails: the region has no key `{}`", arn("elsewhere")),
            ),
        ];
        for (asked, there, expected) in table {
            let saw = [("encrypt-by-default@eu-west-1/key", Seen::Present(there.clone()))];
            let want = json!({"key": asked});
            assert_eq!(said(&EncryptByDefault, want, Standing::Adopted, &saw), [expected], "{there}");
        }
    }
}
