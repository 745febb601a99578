//! A region's account-wide settings: encryption, public sharing, instance metadata.

use serde_json::{Value, json};

use super::{Answered, done};
use crate::ask::Ask;
use crate::refusal::Refusal;
use crate::world::Region;

/// `None` for an operation that is not a setting.
pub(super) fn answer(region: &mut Region, ask: &Ask, account: &str) -> Option<Answered> {
    Some(match ask.operation.as_str() {
        "GetEbsEncryptionByDefault" => {
            let kind = if region.ebs_encryption { "sse-ebs" } else { "none" };
            Ok(json!({"ebsEncryptionByDefault": region.ebs_encryption, "sseType": kind}))
        }
        "EnableEbsEncryptionByDefault" => encrypt(region, true),
        "DisableEbsEncryptionByDefault" => encrypt(region, false),
        "GetEbsDefaultKmsKeyId" => Ok(json!({"kmsKeyId": region.ebs_key})),
        "ModifyEbsDefaultKmsKeyId" => modify_key(region, ask, account),
        "ResetEbsDefaultKmsKeyId" => {
            region.ebs_key = "alias/aws/ebs".to_owned();
            Ok(json!({"kmsKeyId": region.ebs_key}))
        }
        "GetSnapshotBlockPublicAccessState" => {
            Ok(json!({"state": region.snapshot_block, "managedBy": "account"}))
        }
        "EnableSnapshotBlockPublicAccess" => enable_snapshot_block(region, ask),
        "DisableSnapshotBlockPublicAccess" => {
            region.snapshot_block = "unblocked".to_owned();
            Ok(json!({"state": region.snapshot_block}))
        }
        "GetImageBlockPublicAccessState" => {
            Ok(json!({"imageBlockPublicAccessState": region.image_block, "managedBy": "account"}))
        }
        "EnableImageBlockPublicAccess" => enable_image_block(region, ask),
        "DisableImageBlockPublicAccess" => {
            region.image_block = "unblocked".to_owned();
            Ok(json!({"imageBlockPublicAccessState": region.image_block}))
        }
        "GetInstanceMetadataDefaults" => Ok(metadata(region)),
        "ModifyInstanceMetadataDefaults" => modify_metadata(region, ask),
        _ => return None,
    })
}

fn encrypt(region: &mut Region, on: bool) -> Answered {
    region.ebs_encryption = on;
    Ok(json!({"ebsEncryptionByDefault": on}))
}

/// Accepts a key id, an alias or an ARN, and from then on shows the ARN.
fn modify_key(region: &mut Region, ask: &Ask, account: &str) -> Answered {
    let key = ask.need("KmsKeyId")?;
    region.ebs_key = if key.starts_with("arn:") {
        key.to_owned()
    } else if key.starts_with("alias/") {
        format!("arn:aws:kms:{}:{account}:{key}", ask.region)
    } else {
        format!("arn:aws:kms:{}:{account}:key/{key}", ask.region)
    };
    Ok(json!({"kmsKeyId": region.ebs_key}))
}

fn wrong(ask: &Ask, name: &str, value: &str) -> Refusal {
    ask.invalid(format!("Invalid value '{value}' for {name}"))
}

fn enable_snapshot_block(region: &mut Region, ask: &Ask) -> Answered {
    let state = ask.need("State")?;
    if !matches!(state, "block-all-sharing" | "block-new-sharing") {
        return Err(wrong(ask, "State", state));
    }
    region.snapshot_block = state.to_owned();
    Ok(json!({"state": state}))
}

fn enable_image_block(region: &mut Region, ask: &Ask) -> Answered {
    let state = ask.need("ImageBlockPublicAccessState")?;
    if state != "block-new-sharing" {
        return Err(wrong(ask, "ImageBlockPublicAccessState", state));
    }
    region.image_block = state.to_owned();
    Ok(json!({"imageBlockPublicAccessState": state}))
}

/// Settings without a preference are left out, as AWS does.
fn metadata(region: &Region) -> Value {
    let defaults = &region.metadata_defaults;
    json!({"accountLevel": {
        "httpTokens": defaults.http_tokens,
        "httpPutResponseHopLimit": defaults.hop_limit,
        "httpEndpoint": defaults.http_endpoint,
        "instanceMetadataTags": defaults.instance_metadata_tags,
        "httpTokensEnforced": defaults.http_tokens_enforced,
        "managedBy": "account",
    }})
}

/// Unlike the password policy, what is not sent stays; `no-preference` (or a hop limit of -1) takes a setting back.
fn modify_metadata(region: &mut Region, ask: &Ask) -> Answered {
    let choice = |name: &str, allowed: [&str; 2]| match ask.text(name) {
        None => Ok(None),
        Some("no-preference") => Ok(Some(None)),
        Some(value) if allowed.contains(&value) => Ok(Some(Some(value.to_owned()))),
        Some(value) => Err(wrong(ask, name, value)),
    };
    let switch = ["enabled", "disabled"];
    let tokens = choice("HttpTokens", ["required", "optional"])?;
    let endpoint = choice("HttpEndpoint", switch)?;
    let tags = choice("InstanceMetadataTags", switch)?;
    let enforced = choice("HttpTokensEnforced", switch)?;
    let limit = match ask.number("HttpPutResponseHopLimit")? {
        None => None,
        Some(-1) => Some(None),
        Some(limit) if (1..=64).contains(&limit) => Some(Some(limit)),
        Some(limit) => return Err(wrong(ask, "HttpPutResponseHopLimit", &limit.to_string())),
    };
    let defaults = &mut region.metadata_defaults;
    if let Some(tokens) = tokens {
        defaults.http_tokens = tokens;
    }
    if let Some(endpoint) = endpoint {
        defaults.http_endpoint = endpoint;
    }
    if let Some(tags) = tags {
        defaults.instance_metadata_tags = tags;
    }
    if let Some(enforced) = enforced {
        defaults.http_tokens_enforced = enforced;
    }
    if let Some(limit) = limit {
        defaults.hop_limit = limit;
    }
    Ok(done())
}
