//! S3 Control: the account-wide public access block.

use serde_json::{Map, Value, json};

use super::Answered;
use crate::ask::Ask;
use crate::gate;
use crate::refusal::Refusal;
use crate::world::{PublicAccessBlock, World};

pub(super) fn answer(world: &mut World, ask: &Ask) -> Answered {
    // The header names the account; only its own credentials may.
    if ask.text("AccountId") != Some(&ask.caller.account) {
        return Err(gate::denial(ask));
    }
    let Some(account) = world.accounts.get_mut(&ask.caller.account) else { return Err(gate::denial(ask)) };
    match ask.operation.as_str() {
        "GetPublicAccessBlock" => {
            let block = account.public_access_block.ok_or_else(|| {
                Refusal::new(
                    "NoSuchPublicAccessBlockConfiguration",
                    "The public access block configuration was not found",
                )
            })?;
            Ok(json!({"PublicAccessBlockConfiguration": {
                "BlockPublicAcls": block.block_public_acls,
                "IgnorePublicAcls": block.ignore_public_acls,
                "BlockPublicPolicy": block.block_public_policy,
                "RestrictPublicBuckets": block.restrict_public_buckets,
            }}))
        }
        "PutPublicAccessBlock" => {
            let sent = ask.object("PublicAccessBlockConfiguration");
            let sent = sent.ok_or_else(|| {
                Refusal::new("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
            })?;
            account.public_access_block = Some(block(sent));
            Ok(Value::Null)
        }
        "DeletePublicAccessBlock" => {
            account.public_access_block = None;
            Ok(Value::Null)
        }
        _ => Err(super::unknown(Some(ask.service), &ask.operation)),
    }
}

/// What is not sent is off: the call replaces the whole configuration.
fn block(sent: &Map<String, Value>) -> PublicAccessBlock {
    let flag = |name: &str| sent.get(name).and_then(Value::as_bool).unwrap_or(false);
    PublicAccessBlock {
        block_public_acls: flag("BlockPublicAcls"),
        ignore_public_acls: flag("IgnorePublicAcls"),
        block_public_policy: flag("BlockPublicPolicy"),
        restrict_public_buckets: flag("RestrictPublicBuckets"),
    }
}
