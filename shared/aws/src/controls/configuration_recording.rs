//! `configuration-recording` on AWS: AWS Config's recorder and delivery channel in each governed region, row A18.
//!
//! A region has one recorder of the customer's and one channel, and neither can be renamed. Those called `landfall` are ours and put
//! right; others, such as Control Tower's, are only looked at. A recorder without a channel can't be started, and a channel can't be
//! made before the recorder, so the three calls are one setting.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Compare, Control, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::configuration_recording::Settings;
use landfall_model::desired::Desired;
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::observed::Address;
use landfall_model::plan::{Change, Deed};

use super::{Aws, done, each_region, ground, json, nothing, reported, seen, unasked};
use crate::client::protocol::Reply;
use crate::client::service::{CONFIG, IAM};
use crate::endpoint::Partition;
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};

/// The recorder and the channel that are ours.
const NAME: &str = "landfall";

/// The only strategy that takes up types of resources that AWS adds later, without leaving any out.
const EVERYTHING: &str = "ALL_SUPPORTED_RESOURCE_TYPES";

pub(super) struct ConfigurationRecording;

/// What a region has of AWS Config.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Config {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    recorder: Option<Recorder>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    channel: Option<Channel>,
    #[serde(default)]
    recording: bool,
    /// The code of what keeps it from delivering.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
}

/// A recorder, in AWS's own names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Recorder {
    name: String,
    #[serde(rename = "roleARN")]
    role_arn: String,
    recording_group: Group,
    /// How often, by type: people's choice.
    #[serde(skip_serializing_if = "Option::is_none")]
    recording_mode: Option<Value>,
    /// Another service of AWS's that the recorder belongs to.
    #[serde(skip_serializing)]
    service_principal: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Group {
    all_supported: bool,
    include_global_resource_types: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    recording_strategy: Option<Strategy>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Strategy {
    use_only: String,
}

/// A channel, in AWS's own names: what is not named here is sent back as it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Channel {
    name: String,
    s3_bucket_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    s3_key_prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    s3_kms_key_arn: Option<String>,
    #[serde(rename = "snsTopicARN", skip_serializing_if = "Option::is_none")]
    sns_topic_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    config_snapshot_delivery_properties: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Recorders {
    #[serde(default)]
    configuration_recorders: Vec<Recorder>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Statuses {
    #[serde(default)]
    configuration_recorders_status: Vec<Status>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    name: String,
    recording: bool,
    last_status: Option<String>,
    last_error_code: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Channels {
    #[serde(default)]
    delivery_channels: Vec<Channel>,
}

impl Group {
    fn is_everything(&self) -> bool {
        self.all_supported
            && self.recording_strategy.as_ref().is_none_or(|strategy| strategy.use_only == EVERYTHING)
    }

    fn of_everything(with_global: bool) -> Self {
        let recording_strategy = Some(Strategy { use_only: EVERYTHING.to_owned() });
        Group { all_supported: true, include_global_resource_types: with_global, recording_strategy }
    }
}

/// What is asked of one region.
struct Wanted<'a> {
    bucket: &'a str,
    /// Whether what is the same in every region is recorded here.
    with_global: bool,
    role: String,
}

impl Config {
    /// What it does not do, for people.
    fn lacks(&self, wanted: &Wanted<'_>) -> Vec<String> {
        let mut wrong = Vec::new();
        match &self.recorder {
            None => wrong.push("nothing records how resources are set up".to_owned()),
            Some(Recorder { name, recording_group, .. }) => {
                if !recording_group.is_everything() {
                    wrong.push(format!("the recorder `{name}` leaves types of resources out"));
                } else if wanted.with_global && !recording_group.include_global_resource_types {
                    wrong.push(format!(
                        "the recorder `{name}` leaves out IAM's resources, which no other region records"
                    ));
                }
                if !self.recording {
                    wrong.push(format!("the recorder `{name}` stands still"));
                }
            }
        }
        match &self.channel {
            None if self.recorder.is_some() => wrong.push("nothing is delivered".to_owned()),
            Some(Channel { s3_bucket_name, .. }) if s3_bucket_name != wanted.bucket => {
                wrong.push(format!("AWS Config delivers to `{s3_bucket_name}`"));
            }
            None | Some(_) => {}
        }
        wrong
    }

    /// What ours does more than it is asked, or as somebody else.
    fn differs(&self, wanted: &Wanted<'_>) -> Vec<String> {
        let Some(recorder) = self.recorder.as_ref().filter(|recorder| recorder.name == NAME) else {
            return Vec::new();
        };
        let mut wrong = Vec::new();
        if !wanted.with_global && recorder.recording_group.include_global_resource_types {
            wrong.push(format!("the recorder `{NAME}` records IAM's resources, which the home region does"));
        }
        if recorder.role_arn != wanted.role {
            wrong.push(format!("the recorder `{NAME}` records as `{}`", recorder.role_arn));
        }
        wrong
    }

    /// Of what it has, those of others that would have to change.
    fn of_others(&self, wanted: &Wanted<'_>) -> bool {
        let recorder = self.recorder.as_ref().filter(|recorder| recorder.name != NAME);
        let channel = self.channel.as_ref().filter(|channel| channel.name != NAME);
        // A recorder of others that is as it is asked, and only stands still or lacks a channel, is theirs to start.
        recorder.is_some() || channel.is_some_and(|channel| channel.s3_bucket_name != wanted.bucket)
    }

    /// As it has to be.
    fn asked(&self, wanted: &Wanted<'_>) -> Config {
        let recorder = Recorder {
            name: NAME.to_owned(),
            role_arn: wanted.role.clone(),
            recording_group: Group::of_everything(wanted.with_global),
            recording_mode: self.recorder.as_ref().and_then(|recorder| recorder.recording_mode.clone()),
            service_principal: None,
        };
        let channel = match &self.channel {
            Some(channel) => Channel { s3_bucket_name: wanted.bucket.to_owned(), ..channel.clone() },
            None => Channel {
                name: NAME.to_owned(),
                s3_bucket_name: wanted.bucket.to_owned(),
                ..Channel::default()
            },
        };
        Config { recorder: Some(recorder), channel: Some(channel), recording: true, failure: None }
    }
}

/// What is the same in every region is recorded in the home region.
fn is_home(desired: &Desired, address: &Address) -> bool {
    ground(desired).is_some_and(|aws| address.region.as_ref() == Some(&aws.home_region))
}

fn role_arn(region: &str, account: &str) -> String {
    let partition = Partition::of_region(region).id;
    format!(
        "arn:{partition}:iam::{account}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
    )
}

#[async_trait]
impl Control for ConfigurationRecording {
    const KIND: ControlKind = ControlKind::ConfigurationRecording;
    const PERMISSIONS: Permissions = Permissions {
        read: &[
            "config:DescribeConfigurationRecorderStatus",
            "config:DescribeConfigurationRecorders",
            "config:DescribeDeliveryChannels",
        ],
        write: &[
            "config:PutConfigurationRecorder",
            "config:PutDeliveryChannel",
            "config:StartConfigurationRecorder",
            "iam:CreateServiceLinkedRole",
            "iam:PassRole",
        ],
    };

    type On = Aws;
    type Want = Settings;

    fn addresses(&self, want: &Settings, desired: &Desired) -> Vec<Address> {
        if want.aws.is_none() { Vec::new() } else { each_region(Self::KIND, desired, "recorder") }
    }

    async fn look(&self, reader: &Reader, _: &Desired, address: &Address) -> Result<Sighting, CallError> {
        let session = &reader.0;
        let region = session.region(address.region.as_ref());
        let reply = ask(session, region, "DescribeConfigurationRecorders", json!({})).await?;
        let Recorders { configuration_recorders } = reply.json()?;
        let recorder =
            configuration_recorders.into_iter().find(|recorder| recorder.service_principal.is_none());
        let channels = ask(session, region, "DescribeDeliveryChannels", json!({})).await?;
        let Channels { delivery_channels } = channels.json()?;
        let mut config =
            Config { recorder, channel: delivery_channels.into_iter().next(), ..Config::default() };
        let Some(Recorder { name, .. }) = &config.recorder else {
            return Ok(if config.channel.is_none() { nothing(&reply) } else { seen(&reply, &config) });
        };
        let body = json!({"ConfigurationRecorderNames": [name]});
        let status = ask(session, region, "DescribeConfigurationRecorderStatus", body).await?;
        let Statuses { configuration_recorders_status } = status.json()?;
        let status = configuration_recorders_status.into_iter().find(|status| &status.name == name);
        if let Some(Status { recording, last_status, last_error_code, .. }) = status {
            config.recording = recording;
            let failed = last_status.is_some_and(|status| status.eq_ignore_ascii_case("failure"));
            config.failure = failed.then(|| last_error_code.unwrap_or_else(|| "no code".to_owned()));
        }
        Ok(seen(&reply, &config))
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        let session = &writer.0;
        let region = session.region(change.address.region.as_ref());
        let after = change.after.clone().and_then(|after| serde_json::from_value(after).ok());
        let Some(Config { recorder: Some(recorder), channel: Some(channel), .. }) = after else {
            return Err(CallError::NothingToWrite(Self::KIND));
        };
        let parameters = [("AWSServiceName", "config.amazonaws.com".to_owned())];
        let made = session.tenant.query(&IAM, session.home(), "CreateServiceLinkedRole", &parameters).await;
        // IAM API reference, CreateServiceLinkedRole: one that is there is invalid input, in whose words its name "has been taken".
        done(made, &["InvalidInput", "EntityAlreadyExists"])?;
        // Putting twice what is there is no error, and neither is starting what runs.
        let name = recorder.name.clone();
        ask(session, region, "PutConfigurationRecorder", json!({"ConfigurationRecorder": recorder}))
            .await
            .map_err(explained)?;
        ask(session, region, "PutDeliveryChannel", json!({"DeliveryChannel": channel}))
            .await
            .map_err(explained)?;
        let body = json!({"ConfigurationRecorderName": name});
        ask(session, region, "StartConfigurationRecorder", body).await.map_err(explained)?;
        Ok(Value::Null)
    }
}

async fn ask(
    session: &Session,
    region: &str,
    operation: &'static str,
    body: Value,
) -> Result<Reply, CallError> {
    session.tenant.json(&CONFIG, region, operation, body).await
}

/// What a refusal asks for, where it is others' business.
fn explained(error: CallError) -> CallError {
    let why = match error.code() {
        Some("NoSuchBucketException") => {
            "the named bucket does not exist; the platform team makes it, in an account that tenants can't enter"
        }
        Some("InsufficientDeliveryPolicyException") => {
            "the bucket's policy does not let AWS Config write what this account records"
        }
        Some("InvalidRoleException") => {
            "AWS Config does not know its service-linked role yet, which was made a moment ago or is missing"
        }
        Some("MaxNumberOfConfigurationRecordersExceededException") => {
            "somebody else made a recorder meanwhile, and AWS allows one in a region"
        }
        _ => return error,
    };
    CallError::Explained { why: why.to_owned(), source: Box::new(error) }
}

impl Compare for ConfigurationRecording {
    type There = Config;

    fn compare(
        &self,
        want: &Settings,
        desired: &Desired,
        address: &Address,
        there: Option<Config>,
    ) -> Verdict {
        let there = there.unwrap_or_default();
        let (Some(bucket), Some(tenant)) = (&want.aws, desired.target.tenant()) else {
            return Verdict::Unknown { why: "nobody says where AWS Config delivers to".to_owned() };
        };
        let region = address.region.as_ref().map_or("", |region| region.as_str());
        let wanted = Wanted {
            bucket,
            with_global: is_home(desired, address),
            role: role_arn(region, tenant.native()),
        };
        let lacks = there.lacks(&wanted);
        if there.of_others(&wanted) && !lacks.is_empty() {
            return reported(format!(
                "{}: others set AWS Config up here, and AWS allows one recorder and one channel in a region",
                lacks.join(", ")
            ));
        }
        let wrong = [lacks, there.differs(&wanted)].concat();
        if wrong.is_empty() {
            return match &there.failure {
                // The bucket's policy, most of the time, or its key's.
                Some(code) => reported(format!("AWS Config records and can't deliver: `{code}`")),
                None => Verdict::Holds,
            };
        }
        let (verb, deed) = match there.recorder {
            None => ("create", Deed::Create),
            Some(_) => ("update", Deed::Update),
        };
        let change = Change::new(address, verb, deed, wrong.join(", "));
        Verdict::fails(change.after(json(&there.asked(&wanted))))
    }

    fn unasked(&self, want: &Settings) -> Option<Judgement> {
        let nowhere = "no bucket is named for what AWS Config records";
        want.aws.is_none().then(|| unasked(Self::KIND, "recorder", nowhere))
    }
}

#[cfg(test)]
mod tests;
