//! `service-alerts` on Google Cloud: whom to tell, and alerting policies on log entries of the project, row G18.
//!
//! Google gives ids to channels and policies, so ours are found by their labels, or by their display names where somebody took the
//! labels away. Others are neither used nor changed. All is one setting: two lists show it.
//!
//! Alerts are on the entries themselves, not on log-based metrics: a metric that was just made can't be alerted on for minutes.
//! <https://cloud.google.com/logging/docs/alerting/log-based-alerts>,
//! <https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.alertPolicies>

mod watches;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Compare, Control, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::service_alerts::Settings;
use landfall_model::desired::Desired;
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::observed::Address;
use landfall_model::plan::{Change, Deed};

use self::watches::{WATCHES, Watch};
use super::{Gcp, json, reported, seen};
use crate::client::service::MONITORING;
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};

const RESOURCE: &str = "project";

/// The label of what is ours, and its value; display names begin with the value.
const OWNER: &str = "owner";
const OURS: &str = "landfall";

/// The label that says which alert it is.
const ALERT: &str = "alert";

/// An alert that is made sends at most one mail in this time; people may choose another. Google takes no less than five minutes.
const PERIOD: &str = "300s";

/// The channel needs a word of the person whom it writes to.
const UNVERIFIED: &str = "UNVERIFIED";

pub(super) struct ServiceAlerts;

/// What is there of what is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct There {
    /// Our channels of the asked addresses, which are in lower case.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    recipients: BTreeMap<String, Channel>,
    /// Our alerts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    alerts: BTreeMap<String, Alert>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Channel {
    enabled: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unverified: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Alert {
    enabled: bool,
    /// Nothing where it watches something else than log entries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    filter: Option<String>,
    /// Those of the asked addresses whose channels it has.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    recipients: BTreeSet<String>,
    /// Google's word on why it can't work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    invalid: Option<String>,
}

/// A notification channel, in Google's own names.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ChannelAnswer {
    name: String,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    display_name: String,
    #[serde(default, deserialize_with = "super::or_default")]
    labels: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "super::or_default")]
    user_labels: BTreeMap<String, String>,
    #[serde(default)]
    enabled: Option<bool>,
    #[serde(default)]
    verification_status: Option<String>,
}

/// An alerting policy, in Google's own names.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PolicyAnswer {
    name: String,
    #[serde(default)]
    display_name: String,
    #[serde(default, deserialize_with = "super::or_default")]
    user_labels: BTreeMap<String, String>,
    #[serde(default)]
    enabled: Option<bool>,
    #[serde(default, deserialize_with = "super::or_default")]
    conditions: Vec<Value>,
    #[serde(default, deserialize_with = "super::or_default")]
    notification_channels: Vec<String>,
    #[serde(default, deserialize_with = "super::or_default")]
    alert_strategy: Map<String, Value>,
    #[serde(default, deserialize_with = "super::or_default")]
    validity: Validity,
}

/// `google.rpc.Status`; a code of zero is none.
#[derive(Default, Deserialize)]
struct Validity {
    #[serde(default)]
    code: i64,
    #[serde(default)]
    message: String,
}

fn is_ours(labels: &BTreeMap<String, String>) -> bool {
    labels.get(OWNER).is_some_and(|owner| owner == OURS)
}

fn display_name(of: &str) -> String {
    format!("{OURS} {of}")
}

/// A channel's own id: its project may be named by number or by id.
fn id(channel: &str) -> &str {
    channel.rsplit('/').next().unwrap_or_default()
}

/// Whether two filters are the same, however they are broken into lines.
fn same(one: &str, other: &str) -> bool {
    one.split_whitespace().eq(other.split_whitespace())
}

impl ChannelAnswer {
    /// The address that it writes to, if it is one of ours. The channels of `budget` are, too.
    fn address(&self) -> Option<String> {
        let email = self.labels.get("email_address").filter(|_| self.kind == "email")?;
        let named = self.display_name.eq_ignore_ascii_case(&display_name(email));
        (named || is_ours(&self.user_labels)).then(|| email.to_ascii_lowercase())
    }

    fn is_enabled(&self) -> bool {
        self.enabled != Some(false)
    }
}

impl PolicyAnswer {
    fn is(&self, alert: &str) -> bool {
        let labelled =
            is_ours(&self.user_labels) && self.user_labels.get(ALERT).is_some_and(|one| one == alert);
        labelled || self.display_name == display_name(alert)
    }

    /// A condition on log entries is the only one of its policy.
    fn filter(&self) -> Option<&str> {
        match self.conditions.as_slice() {
            [one] => one.pointer("/conditionMatchedLog/filter").and_then(Value::as_str),
            _ => None,
        }
    }

    fn tells(&self, channel: &ChannelAnswer) -> bool {
        self.notification_channels.iter().any(|name| id(name) == id(&channel.name))
    }
}

impl Watch {
    fn conditions(&self) -> Value {
        let mut matched = Map::from_iter([("filter".to_owned(), json!(self.filter))]);
        if !self.shows.is_empty() {
            let shows: BTreeMap<&str, &str> = self.shows.iter().copied().collect();
            matched.insert("labelExtractors".to_owned(), json!(shows));
        }
        json!([{"displayName": self.name, "conditionMatchedLog": matched}])
    }

    fn policy(&self, channels: &[String]) -> Value {
        json!({
            "displayName": display_name(self.name),
            "userLabels": {OWNER: OURS, ALERT: self.name},
            "documentation": {"content": self.says, "mimeType": "text/markdown"},
            "combiner": "OR",
            "conditions": self.conditions(),
            "alertStrategy": {"notificationRateLimit": {"period": PERIOD}},
            "notificationChannels": channels,
            "enabled": true,
        })
    }

    /// What of a policy of ours is not as it is asked, and how it is sent: what others put there besides stays.
    fn repairs(&self, there: &PolicyAnswer, channels: &[String]) -> Map<String, Value> {
        let mut repairs = Map::new();
        if there.enabled == Some(false) {
            repairs.insert("enabled".to_owned(), Value::Bool(true));
        }
        if !there.filter().is_some_and(|filter| same(filter, self.filter)) {
            repairs.insert("conditions".to_owned(), self.conditions());
            repairs.insert("combiner".to_owned(), json!("OR"));
            if !there.alert_strategy.contains_key("notificationRateLimit") {
                let mut strategy = there.alert_strategy.clone();
                strategy.insert("notificationRateLimit".to_owned(), json!({"period": PERIOD}));
                repairs.insert("alertStrategy".to_owned(), Value::Object(strategy));
            }
        }
        let mut all = there.notification_channels.clone();
        for channel in channels {
            if !all.iter().any(|one| id(one) == id(channel)) {
                all.push(channel.clone());
            }
        }
        if all.len() > there.notification_channels.len() {
            repairs.insert("notificationChannels".to_owned(), json!(all));
        }
        repairs
    }
}

/// Our channels, by the address that they write to; of several one that is enabled.
async fn channels(session: &Session) -> Result<BTreeMap<String, ChannelAnswer>, CallError> {
    let path = format!("projects/{}/notificationChannels?pageSize=500", session.project);
    let (reply, all) = session.client.list(&MONITORING, &path, "notificationChannels").await?;
    let mut ours = Vec::new();
    for value in all {
        let channel: ChannelAnswer =
            serde_json::from_value(value).map_err(|error| reply.unreadable(error))?;
        ours.extend(channel.address().map(|address| (address, channel)));
    }
    // The last of an address is kept.
    ours.sort_by(|(_, one), (_, other)| {
        (one.is_enabled(), &other.name).cmp(&(other.is_enabled(), &one.name))
    });
    Ok(ours.into_iter().collect())
}

/// Our policies, by their alerts; of several the one that sorts first.
async fn policies(
    session: &Session,
) -> Result<(crate::client::Reply, BTreeMap<&'static str, PolicyAnswer>), CallError> {
    let path = format!("projects/{}/alertPolicies?pageSize=500", session.project);
    let (reply, all) = session.client.list(&MONITORING, &path, "alertPolicies").await?;
    let mut ours: BTreeMap<&'static str, PolicyAnswer> = BTreeMap::new();
    for value in all {
        let policy: PolicyAnswer = serde_json::from_value(value).map_err(|error| reply.unreadable(error))?;
        let Some(watch) = WATCHES.iter().find(|watch| policy.is(watch.name)) else { continue };
        if ours.get(watch.name).is_none_or(|known| policy.name < known.name) {
            ours.insert(watch.name, policy);
        }
    }
    Ok((reply, ours))
}

/// Makes sure that there is a channel for each address, and that it is enabled; answers their names.
async fn channels_for(session: &Session, recipients: &[String]) -> Result<Vec<String>, CallError> {
    let client = &session.client;
    let there = channels(session).await?;
    let mut all = Vec::new();
    // One after the other, as the API's reference asks.
    for recipient in recipients {
        all.push(match there.get(&recipient.to_ascii_lowercase()) {
            Some(channel) => {
                if !channel.is_enabled() {
                    let path = format!("{}?updateMask=enabled", channel.name);
                    client.patch(&MONITORING, &path, &json!({"enabled": true})).await?;
                }
                channel.name.clone()
            }
            None => {
                let body = json!({
                    "type": "email", "displayName": display_name(recipient),
                    "labels": {"email_address": recipient}, "userLabels": {OWNER: OURS}, "enabled": true,
                });
                let path = format!("projects/{}/notificationChannels", session.project);
                let made: ChannelAnswer = client.post(&MONITORING, &path, &body).await?.json()?;
                made.name
            }
        });
    }
    Ok(all)
}

/// Makes an alert, or puts right what is not as it is asked.
async fn put(session: &Session, watch: &Watch, recipients: &[String]) -> Result<(), CallError> {
    let client = &session.client;
    let channels = channels_for(session, recipients).await?;
    let (_, mut there) = policies(session).await?;
    let Some(there) = there.remove(watch.name) else {
        let path = format!("projects/{}/alertPolicies", session.project);
        client.post(&MONITORING, &path, &watch.policy(&channels)).await?;
        return Ok(());
    };
    let repairs = watch.repairs(&there, &channels);
    if !repairs.is_empty() {
        let mask: Vec<&str> = repairs.keys().map(String::as_str).collect();
        let path = format!("{}?updateMask={}", there.name, mask.join(","));
        client.patch(&MONITORING, &path, &Value::Object(repairs)).await?;
    }
    Ok(())
}

#[async_trait]
impl Control for ServiceAlerts {
    const KIND: ControlKind = ControlKind::ServiceAlerts;
    /// A policy on log entries is a notification rule of Cloud Logging as well.
    const PERMISSIONS: Permissions = Permissions {
        read: &["monitoring.alertPolicies.list", "monitoring.notificationChannels.list"],
        write: &[
            "logging.notificationRules.create",
            "logging.notificationRules.update",
            "monitoring.alertPolicies.create",
            "monitoring.alertPolicies.list",
            "monitoring.alertPolicies.update",
            "monitoring.notificationChannels.create",
            "monitoring.notificationChannels.get",
            "monitoring.notificationChannels.list",
            "monitoring.notificationChannels.update",
        ],
    };

    type On = Gcp;
    type Want = Settings;

    fn addresses(&self, want: &Settings, _: &Desired) -> Vec<Address> {
        let asked = !want.recipients.is_empty();
        asked.then(|| Address::global(Self::KIND, RESOURCE)).into_iter().collect()
    }

    async fn look(&self, reader: &Reader, desired: &Desired, _: &Address) -> Result<Sighting, CallError> {
        let session = &reader.0;
        let asked = desired.asked(Self::KIND).and_then(|asked| asked.want::<Settings>().ok());
        let asked: BTreeSet<String> = asked
            .map(|want| want.recipients.iter().map(|email| email.to_ascii_lowercase()).collect())
            .unwrap_or_default();
        let mut channels = channels(session).await?;
        channels.retain(|address, _| asked.contains(address));
        let (reply, policies) = policies(session).await?;
        let alert = |policy: PolicyAnswer| Alert {
            enabled: policy.enabled != Some(false),
            filter: policy.filter().map(str::to_owned),
            recipients: channels
                .iter()
                .filter(|(_, channel)| policy.tells(channel))
                .map(|(address, _)| address.clone())
                .collect(),
            invalid: Some(policy.validity).filter(|status| status.code != 0).map(|status| status.message),
        };
        let alerts = policies.into_iter().map(|(name, policy)| (name.to_owned(), alert(policy))).collect();
        let channel = |channel: &ChannelAnswer| Channel {
            enabled: channel.is_enabled(),
            unverified: channel.verification_status.as_deref() == Some(UNVERIFIED),
        };
        let recipients = channels.iter().map(|(address, one)| (address.clone(), channel(one))).collect();
        Ok(seen(&reply, &There { recipients, alerts }))
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        // INVARIANT: the changes are ours, and each says who is to be told, and of what.
        let with = |name: &str| change.with.as_ref().and_then(|with| with.get(name));
        let recipients: Vec<String> =
            serde_json::from_value(with("recipients").cloned().unwrap_or_default()).unwrap_or_default();
        if recipients.is_empty() {
            return Err(CallError::NothingToWrite(Self::KIND));
        }
        match with("alert").and_then(Value::as_str) {
            None => drop(channels_for(&writer.0, &recipients).await?),
            Some(name) => match WATCHES.iter().find(|watch| watch.name == name) {
                Some(watch) => put(&writer.0, watch, &recipients).await?,
                None => return Err(CallError::NothingToWrite(Self::KIND)),
            },
        }
        Ok(Value::Null)
    }
}

impl Compare for ServiceAlerts {
    type There = There;

    fn compare(&self, want: &Settings, _: &Desired, address: &Address, there: Option<There>) -> Verdict {
        let there = there.unwrap_or_default();
        let (mut why, mut changes) = (Vec::new(), Vec::new());
        let tell = tell(want, address, &there, &mut why);
        let first = tell.as_ref().map(|change| change.id.clone());
        changes.extend(tell);
        for watch in &WATCHES {
            if let Some(change) = compare_alert(want, address, watch, there.alerts.get(watch.name), &mut why)
            {
                changes.push(first.iter().fold(change, Change::needs));
            }
        }
        match (why.is_empty(), changes.is_empty()) {
            (true, _) => Verdict::Holds,
            (false, true) => reported(why.join("; ")),
            (false, false) => Verdict::Fails { why: why.join("; "), changes },
        }
    }

    fn unasked(&self, want: &Settings) -> Option<Judgement> {
        let why = "the manifest names nobody who could be told: no contact for operations or security";
        let address = Address::global(Self::KIND, RESOURCE);
        let nobody = Judgement { control: Self::KIND, address, verdict: reported(why) };
        want.recipients.is_empty().then_some(nobody)
    }
}

/// The channels that lack.
fn tell(want: &Settings, address: &Address, there: &There, why: &mut Vec<String>) -> Option<Change> {
    let (mut reasons, mut after, mut deed) = (Vec::new(), BTreeMap::new(), Deed::Create);
    for recipient in &want.recipients {
        let key = recipient.to_ascii_lowercase();
        let channel = there.recipients.get(&key);
        match channel {
            None => reasons.push(format!("there is no channel to {recipient}")),
            Some(Channel { enabled: false, .. }) => {
                reasons.push(format!("the channel to {recipient} is switched off"));
                deed = Deed::Update;
            }
            Some(Channel { unverified, .. }) => {
                if *unverified {
                    why.push(format!("{recipient} has not confirmed the channel, and only they can"));
                }
                continue;
            }
        }
        after.insert(key, Channel { enabled: true, ..channel.cloned().unwrap_or_default() });
    }
    let reason = reasons.join("; ");
    why.extend(reasons);
    let after = There { recipients: after, ..There::default() };
    let with = json!({"recipients": want.recipients});
    let lacks = !after.recipients.is_empty();
    lacks.then(|| Change::new(address, "tell", deed, reason).after(json(&after)).with(with))
}

fn compare_alert(
    want: &Settings,
    address: &Address,
    watch: &Watch,
    there: Option<&Alert>,
    why: &mut Vec<String>,
) -> Option<Change> {
    let name = watch.name;
    let mut reasons = Vec::new();
    let mut after = there.cloned().unwrap_or_default();
    let asked = want.recipients.iter().map(|recipient| (recipient.to_ascii_lowercase(), recipient));
    let untold: Vec<&str> = asked
        .filter(|(key, _)| after.recipients.insert(key.clone()))
        .map(|(_, email)| email.as_str())
        .collect();
    if let Some(there) = there {
        if !there.enabled {
            reasons.push(format!("the alert `{name}` is switched off"));
        }
        if !there.filter.as_deref().is_some_and(|filter| same(filter, watch.filter)) {
            reasons.push(format!("the alert `{name}` watches something else"));
            after.filter = Some(watch.filter.to_owned());
        } else if let Some(invalid) = &there.invalid {
            why.push(format!("Google Cloud says that the alert `{name}` is invalid: {invalid}"));
        }
        if !untold.is_empty() {
            reasons.push(format!("the alert `{name}` does not tell {}", untold.join(", ")));
        }
    } else {
        reasons.push(format!("there is no alert `{name}`"));
        after.filter = Some(watch.filter.to_owned());
    }
    if reasons.is_empty() {
        return None;
    }
    after.enabled = true;
    after.invalid = None;
    let (verb, deed) = if there.is_some() { ("update", Deed::Update) } else { ("create", Deed::Create) };
    let reason = reasons.join("; ");
    why.extend(reasons);
    let after = There { alerts: BTreeMap::from([(name.to_owned(), after)]), ..There::default() };
    let change = Change::new(address, &format!("{verb}-{name}"), deed, reason)
        .after(json(&after))
        .with(json!({"alert": name, "recipients": want.recipients}));
    Some(change)
}

#[cfg(test)]
mod tests;
