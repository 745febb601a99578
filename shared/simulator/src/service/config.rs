//! AWS Config: one region's recorder and delivery channel. There is no S3 here: any bucket is taken to exist and to let AWS Config
//! write, and nothing is recorded.

use serde_json::{Value, json};

use super::Answered;
use crate::ask::{Ask, member};
use crate::gate;
use crate::refusal::Refusal;
use crate::world::{Config, World};

const LINKED: &str = "aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig";

/// The strategies, and what each goes with.
const EVERYTHING: &str = "ALL_SUPPORTED_RESOURCE_TYPES";
const SOME: &str = "INCLUSION_BY_RESOURCE_TYPES";
const ALL_BUT: &str = "EXCLUSION_BY_RESOURCE_TYPES";

pub(super) fn answer(world: &mut World, ask: &Ask) -> Answered {
    match ask.operation.as_str() {
        "PutConfigurationRecorder" => put_recorder(world, ask),
        "DescribeConfigurationRecorders" => {
            let config = config(world, ask)?;
            named(config, ask)?;
            Ok(json!({"ConfigurationRecorders": config.recorder.iter().collect::<Vec<_>>()}))
        }
        "DescribeConfigurationRecorderStatus" => {
            let config = config(world, ask)?;
            named(config, ask)?;
            Ok(json!({"ConfigurationRecordersStatus": status(config)}))
        }
        "PutDeliveryChannel" => put_channel(world, ask),
        "DescribeDeliveryChannels" => {
            let config = config(world, ask)?;
            let wanted = ask.array("DeliveryChannelNames");
            let known = config.channel.as_ref().map(name);
            if let Some(other) = wanted.iter().filter_map(Value::as_str).find(|one| Some(*one) != known) {
                return Err(no_channel(other));
            }
            Ok(json!({"DeliveryChannels": config.channel.iter().collect::<Vec<_>>()}))
        }
        "StartConfigurationRecorder" => {
            let config = the_one(world, ask)?;
            if config.channel.is_none() {
                let message = "Delivery channel is not available to start configuration recorder.";
                return Err(Refusal::new("NoAvailableDeliveryChannelException", message));
            }
            config.recording = true;
            config.started_at = Some(ask.now);
            Ok(Value::Null)
        }
        "StopConfigurationRecorder" => {
            let config = the_one(world, ask)?;
            config.recording = false;
            config.stopped_at = Some(ask.now);
            Ok(Value::Null)
        }
        "DeleteConfigurationRecorder" => {
            let config = the_one(world, ask)?;
            *config = Config { channel: config.channel.take(), ..Config::default() };
            Ok(Value::Null)
        }
        "DeleteDeliveryChannel" => {
            let wanted = ask.need("DeliveryChannelName")?.to_owned();
            let config = config(world, ask)?;
            if config.channel.as_ref().map(name) != Some(wanted.as_str()) {
                return Err(no_channel(&wanted));
            }
            if config.recording {
                let message = format!(
                    "Failed to delete last specified delivery channel with name '{wanted}', because there, because there is a running configuration recorder."
                );
                return Err(Refusal::new("LastDeliveryChannelDeleteFailedException", message));
            }
            config.channel = None;
            Ok(Value::Null)
        }
        _ => Err(super::unknown(Some(ask.service), &ask.operation)),
    }
}

fn config<'a>(world: &'a mut World, ask: &Ask) -> Result<&'a mut Config, Refusal> {
    let account = world.accounts.get_mut(&ask.caller.account).ok_or_else(|| gate::denial(ask))?;
    Ok(&mut account.region(&ask.region).config)
}

fn name(of: &Value) -> &str {
    member(of, "name")
}

fn no_recorder(wanted: &str) -> Refusal {
    let message = format!("Cannot find configuration recorder with the specified name '{wanted}'.");
    Refusal::new("NoSuchConfigurationRecorderException", message)
}

fn no_channel(wanted: &str) -> Refusal {
    let message = format!("Cannot find delivery channel with specified name '{wanted}'.");
    Refusal::new("NoSuchDeliveryChannelException", message)
}

/// Refuses a request that names another recorder.
fn named(config: &Config, ask: &Ask) -> Result<(), Refusal> {
    let known = config.recorder.as_ref().map(name);
    let wanted = ask.array("ConfigurationRecorderNames");
    let other = wanted.iter().filter_map(Value::as_str).find(|one| Some(*one) != known);
    other.map_or(Ok(()), |other| Err(no_recorder(other)))
}

/// The region's recorder, if it has this name.
fn the_one<'a>(world: &'a mut World, ask: &Ask) -> Result<&'a mut Config, Refusal> {
    let wanted = ask.need("ConfigurationRecorderName")?;
    let config = config(world, ask)?;
    if config.recorder.as_ref().map(name) == Some(wanted) { Ok(config) } else { Err(no_recorder(wanted)) }
}

fn status(config: &Config) -> Vec<Value> {
    let Some(recorder) = &config.recorder else { return Vec::new() };
    let mut status = json!({"name": name(recorder), "recording": config.recording});
    let Some(members) = status.as_object_mut() else { return Vec::new() };
    for (member, at) in [("lastStartTime", config.started_at), ("lastStopTime", config.stopped_at)] {
        if let Some(at) = at {
            members.insert(member.to_owned(), json!(at.as_second()));
        }
    }
    if config.started_at.is_some() {
        let last = if config.failure.is_some() { "Failure" } else { "Success" };
        members.insert("lastStatus".to_owned(), json!(last));
    }
    if let Some(code) = &config.failure {
        members.insert("lastErrorCode".to_owned(), json!(code));
    }
    vec![status]
}

/// What is recorded, as AWS shows it.
fn group(sent: Option<&Value>) -> Result<Value, Refusal> {
    let nothing = json!({"allSupported": true});
    let sent = sent.filter(|sent| !sent.is_null()).unwrap_or(&nothing);
    let flag = |name: &str| sent.get(name).and_then(Value::as_bool).unwrap_or_default();
    let list = |at: &str| sent.pointer(at).and_then(Value::as_array).cloned().unwrap_or_default();
    let strategy = sent.pointer("/recordingStrategy/useOnly").and_then(Value::as_str);
    let (included, excluded) = (list("/resourceTypes"), list("/exclusionByResourceTypes/resourceTypes"));
    let is = |only: &str| strategy.is_none_or(|strategy| strategy == only);
    let global = flag("includeGlobalResourceTypes");
    let (used, fits) = match (flag("allSupported"), included.is_empty(), excluded.is_empty()) {
        (true, true, true) => (EVERYTHING, is(EVERYTHING)),
        (false, false, true) => (SOME, is(SOME) && !global),
        (false, true, false) => (ALL_BUT, strategy == Some(ALL_BUT) && !global),
        _ => (EVERYTHING, false),
    };
    if !fits {
        return Err(Refusal::new(
            "InvalidRecordingGroupException",
            "The recording group provided is not valid",
        ));
    }
    Ok(json!({
        "allSupported": used == EVERYTHING, "includeGlobalResourceTypes": global, "resourceTypes": included,
        "exclusionByResourceTypes": {"resourceTypes": excluded}, "recordingStrategy": {"useOnly": used},
    }))
}

fn put_recorder(world: &mut World, ask: &Ask) -> Answered {
    let sent = ask.params.get("ConfigurationRecorder").cloned().unwrap_or_default();
    let wanted = Some(name(&sent)).filter(|name| !name.is_empty()).unwrap_or("default").to_owned();
    let account = ask.caller.account.clone();
    let known = |role: &str| format!("arn:aws:iam::{account}:role/{role}");
    let role = member(&sent, "roleARN").to_owned();
    let linked = world
        .accounts
        .get(&account)
        .is_some_and(|account| account.service_linked_roles.contains("AWSServiceRoleForConfig"));
    // Whether a role of the customer's exists is taken on trust.
    if !role.starts_with(&known("")) || role == known(LINKED) && !linked {
        return Err(Refusal::new("InvalidRoleException", "The role ARN provided is not valid."));
    }
    let group = group(sent.get("recordingGroup"))?;
    let region = ask.region.clone();
    let config = config(world, ask)?;
    if config.recorder.as_ref().is_some_and(|there| name(there) != wanted) {
        let message = format!(
            "Failed to put configuration recorder '{wanted}' because the maximum number of configuration recorders: 1 is reached."
        );
        return Err(Refusal::new("MaxNumberOfConfigurationRecordersExceededException", message));
    }
    let mode = sent.get("recordingMode").cloned();
    let mode =
        mode.unwrap_or_else(|| json!({"recordingFrequency": "CONTINUOUS", "recordingModeOverrides": []}));
    config.recorder = Some(json!({
        "arn": format!("arn:aws:config:{region}:{account}:configuration-recorder/{wanted}/1"),
        "name": wanted, "roleARN": role, "recordingGroup": group, "recordingMode": mode, "recordingScope": "PAID",
    }));
    Ok(Value::Null)
}

fn put_channel(world: &mut World, ask: &Ask) -> Answered {
    let mut sent = ask.params.get("DeliveryChannel").cloned().unwrap_or_default();
    let wanted = Some(name(&sent)).filter(|name| !name.is_empty()).unwrap_or("default").to_owned();
    let config = config(world, ask)?;
    if config.recorder.is_none() {
        let message = "Configuration recorder is not available to put delivery channel.";
        return Err(Refusal::new("NoAvailableConfigurationRecorderException", message));
    }
    if member(&sent, "s3BucketName").is_empty() {
        return Err(Refusal::new(
            "NoSuchBucketException",
            "Cannot find a S3 bucket with an empty bucket name.",
        ));
    }
    if config.channel.as_ref().is_some_and(|there| name(there) != wanted) {
        let message = format!(
            "Failed to put delivery channel '{wanted}' because the maximum number of delivery channels: 1 is reached."
        );
        return Err(Refusal::new("MaxNumberOfDeliveryChannelsExceededException", message));
    }
    if let Some(members) = sent.as_object_mut() {
        members.insert("name".to_owned(), json!(wanted));
    }
    config.channel = Some(sent);
    Ok(Value::Null)
}
