//! `configuration-recording` on Google Cloud: a feed of Cloud Asset Inventory for the whole organization, row G27.
//!
//! It is the organization's, and reaches every project below it.
//! <https://cloud.google.com/asset-inventory/docs/monitoring-asset-changes>

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Compare, Control, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::configuration_recording::Settings;
use landfall_model::desired::Desired;
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::observed::{Address, Seen, shows};
use landfall_model::plan::{Change, Deed};

use super::{Gcp, json, nothing, reported, seen, unasked};
use crate::client::service::ASSETS;
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};

/// The feed that is ours.
const NAME: &str = "landfall-configuration";

/// The whole configuration of a resource, and not its name alone.
const CONTENT: &str = "RESOURCE";

const RESOURCE: &str = "feed";

pub(super) struct ConfigurationRecording;

/// The organization's feeds, by their ids.
type Feeds = BTreeMap<String, Feed>;

/// A feed, in Google's own names, which the write takes as well.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Feed {
    #[serde(deserialize_with = "super::or_default")]
    asset_types: BTreeSet<String>,
    #[serde(deserialize_with = "super::or_default")]
    content_type: String,
    #[serde(deserialize_with = "super::or_default")]
    feed_output_config: Output,
    /// What is told at all.
    condition: Option<Value>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Output {
    #[serde(deserialize_with = "super::or_default")]
    pubsub_destination: Destination,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Destination {
    #[serde(deserialize_with = "super::or_default")]
    topic: String,
}

#[derive(Deserialize)]
struct Named {
    /// `organizations/123456789012/feeds/landfall-configuration`.
    name: String,
    #[serde(flatten)]
    feed: Feed,
}

impl Feed {
    fn asked(topic: &str, asset_types: BTreeSet<String>) -> Self {
        Feed {
            asset_types,
            content_type: CONTENT.to_owned(),
            feed_output_config: Output { pubsub_destination: Destination { topic: topic.to_owned() } },
            condition: None,
        }
    }

    fn topic(&self) -> &str {
        &self.feed_output_config.pubsub_destination.topic
    }

    /// What it does not do of what is asked, for people.
    fn lacks(&self, asked: &Feed) -> Vec<String> {
        let Feed { asset_types, content_type, feed_output_config: _, condition } = self;
        let mut how = Vec::new();
        let missing: Vec<&str> = asked.asset_types.difference(asset_types).map(String::as_str).collect();
        if !missing.is_empty() {
            how.push(format!("does not tell of {}", missing.join(", ")));
        }
        if *content_type != asked.content_type {
            how.push("does not say how resources are set up".to_owned());
        }
        if condition.is_some() {
            how.push("tells only what fits a condition".to_owned());
        }
        if self.topic() != asked.topic() {
            how.push(format!("tells `{}`", self.topic()));
        }
        how
    }
}

/// Whether it is named as Pub/Sub does.
fn is_topic(text: &str) -> bool {
    matches!(text.split('/').collect::<Vec<_>>().as_slice(),
        ["projects", project, "topics", topic] if !project.is_empty() && !topic.is_empty())
}

fn organization(session: &Session) -> String {
    format!("organizations/{}", session.ground.organization)
}

fn explained(error: CallError, topic: &str) -> CallError {
    let refused = error.is_denied() || error.status() == Some("INVALID_ARGUMENT");
    if !refused || error.is_service_disabled() {
        return error;
    }
    error.explained(format!(
        "Google would not tell `{topic}`: it does not exist, the service agent of Cloud Asset Inventory in Landfall's own project may not \
         publish there, a type of asset has no such name, or Landfall's account lacks its permission"
    ))
}

#[async_trait]
impl Control for ConfigurationRecording {
    const KIND: ControlKind = ControlKind::ConfigurationRecording;
    /// A feed shows what its maker may export.
    const PERMISSIONS: Permissions = Permissions {
        read: &["cloudasset.feeds.list"],
        write: &[
            "cloudasset.assets.exportResource",
            "cloudasset.feeds.create",
            "cloudasset.feeds.get",
            "cloudasset.feeds.update",
        ],
    };

    type On = Gcp;
    type Want = Settings;

    fn addresses(&self, want: &Settings, _: &Desired) -> Vec<Address> {
        let asked = want.gcp.as_deref().is_some_and(is_topic) && !want.asset_types.is_empty();
        asked.then(|| Address::global(Self::KIND, RESOURCE)).into_iter().collect()
    }

    async fn look(&self, reader: &Reader, _: &Desired, _: &Address) -> Result<Sighting, CallError> {
        let session = &reader.0;
        let path = format!("{}/feeds", organization(session));
        let (reply, all) = session.client.list(&ASSETS, &path, "feeds").await?;
        let mut feeds = Feeds::new();
        for value in all {
            let Named { name, feed } =
                serde_json::from_value(value).map_err(|error| reply.unreadable(error))?;
            feeds.insert(name.rsplit('/').next().unwrap_or_default().to_owned(), feed);
        }
        Ok(if feeds.is_empty() { nothing(&reply) } else { seen(&reply, &feeds) })
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        let session = &writer.0;
        let feed = change.after.as_ref().and_then(|after| after.get(NAME)).cloned();
        let feed: Option<Feed> = feed.and_then(|feed| serde_json::from_value(feed).ok());
        // INVARIANT: the changes are ours, and each says the feed.
        let Some(feed) = feed else { return Err(CallError::NothingToWrite(Self::KIND)) };
        let topic = feed.topic().to_owned();
        let feeds = format!("{}/feeds", organization(session));
        let one = format!("{feeds}/{NAME}");
        let mut body = json(&feed);
        if let Some(members) = body.as_object_mut() {
            // What is in the mask and not in the body is taken away.
            members.retain(|_, value| !value.is_null());
        }
        if change.deed == Deed::Create {
            let body = json!({"feedId": NAME, "feed": body});
            match session.client.post(&ASSETS, &feeds, &body).await {
                // A lost answer leaves our own feed behind; another one of the name is put right by the next run.
                Err(error) if error.is_there_already() => {
                    let there: Feed = session.client.get(&ASSETS, &one).await?.json()?;
                    let there = Seen::present(&Feeds::from([(NAME.to_owned(), there)]));
                    return if shows(&there, change.after.as_ref()) { Ok(Value::Null) } else { Err(error) };
                }
                made => made.map_err(|error| explained(error, &topic))?,
            };
            return Ok(Value::Null);
        }
        if let Some(members) = body.as_object_mut() {
            members.insert("name".to_owned(), json!(one));
        }
        let body = json!({"feed": body, "updateMask": "assetTypes,contentType,feedOutputConfig,condition"});
        session.client.patch(&ASSETS, &one, &body).await.map_err(|error| explained(error, &topic))?;
        Ok(Value::Null)
    }
}

impl Compare for ConfigurationRecording {
    type There = Feeds;

    fn compare(&self, want: &Settings, _: &Desired, address: &Address, there: Option<Feeds>) -> Verdict {
        let feeds = there.unwrap_or_default();
        let Some(topic) = &want.gcp else {
            return Verdict::Unknown { why: "nobody says which topic is told".to_owned() };
        };
        let asked = Feed::asked(topic, want.asset_types.iter().cloned().collect());
        if feeds.values().any(|feed| feed.lacks(&asked).is_empty()) {
            return Verdict::Holds;
        }
        let (deed, why, after) = match feeds.get(NAME) {
            None => (
                Deed::Create,
                "no feed of the organization tells the named topic how resources are set up".to_owned(),
                asked,
            ),
            Some(ours) => {
                let why = format!("the feed `{NAME}` {}", ours.lacks(&asked).join(", "));
                let asset_types = asked.asset_types.union(&ours.asset_types).cloned().collect();
                (Deed::Update, why, Feed { asset_types, ..asked })
            }
        };
        Verdict::fails(Change::new(address, "tell", deed, why).after(json!({NAME: after})))
    }

    fn unasked(&self, want: &Settings) -> Option<Judgement> {
        let control = Self::KIND;
        match &want.gcp {
            None => {
                Some(unasked(control, "control", "no topic is named for what Cloud Asset Inventory tells"))
            }
            Some(topic) if !is_topic(topic) => {
                let why =
                    format!("`{topic}` is no topic: name it as Pub/Sub does, projects/PROJECT/topics/TOPIC");
                Some(Judgement {
                    control,
                    address: Address::global(control, RESOURCE),
                    verdict: reported(why),
                })
            }
            Some(_) if want.asset_types.is_empty() => {
                Some(unasked(control, "control", "no types of assets are listed"))
            }
            Some(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::landscape::Landscape;

    const AT: &str = "configuration-recording/feed";
    const TOPIC: &str = "projects/acme-logs/topics/assets";
    const BUCKET: &str = "storage.googleapis.com/Bucket";
    const DISK: &str = "compute.googleapis.com/Disk";

    fn asking(settings: Value) -> Landscape {
        Landscape::organization().asks(ControlKind::ConfigurationRecording, settings)
    }

    fn asked() -> Landscape {
        asking(json!({"gcp": TOPIC, "asset-types": [DISK, BUCKET]}))
    }

    /// As Google answers it, with one field changed.
    fn feed(field: &str, value: Value) -> Value {
        let mut answer = json!({
            "name": "organizations/123456789012/feeds/x", "assetTypes": [BUCKET, DISK], "contentType": "RESOURCE",
            "feedOutputConfig": {"pubsubDestination": {"topic": TOPIC}},
        });
        answer[field] = value;
        let Named { feed, .. } = serde_json::from_value(answer).unwrap();
        json(&feed)
    }

    fn said(feeds: Value) -> String {
        asked().saw(AT, feeds).said(&ConfigurationRecording).remove(0)
    }

    /// What does less than is asked, and how.
    fn wrong() -> [(&'static str, Value, &'static str); 5] {
        [
            ("assetTypes", json!([DISK]), "does not tell of storage.googleapis.com/Bucket"),
            ("contentType", Value::Null, "does not say how resources are set up"),
            ("contentType", json!("IAM_POLICY"), "does not say how resources are set up"),
            (
                "condition",
                json!({"expression": "temporal_asset.deleted"}),
                "tells only what fits a condition",
            ),
            (
                "feedOutputConfig",
                json!({"pubsubDestination": {"topic": "projects/x/topics/y"}}),
                "tells `projects/x/topics/y`",
            ),
        ]
    }

    #[test]
    fn a_feed_that_tells_everything_is_enough_whoever_made_it() {
        for name in [NAME, "theirs"] {
            assert_eq!(said(json!({name: feed("assetNames", json!([]))})), "holds", "{name}");
        }
        assert_eq!(said(json!({NAME: feed("assetTypes", json!([BUCKET, DISK, "x/Y"]))})), "holds");
        assert_eq!(asked().addresses(&ConfigurationRecording), [AT]);
    }

    #[test]
    fn a_feed_is_made_beside_those_of_others() {
        let made = format!(
            "fails: no feed of the organization tells the named topic how resources are set up\n\
             + baseline configuration-recording/feed#tell {}",
            json!({NAME: feed("assetNames", json!([]))})
        );
        assert_eq!(asked().saw_nothing(AT).said(&ConfigurationRecording), [made.as_str()]);
        for (field, value, _) in wrong() {
            assert_eq!(said(json!({"theirs": feed(field, value)})), made, "{field}");
        }
    }

    #[test]
    fn our_feed_is_put_right_and_keeps_what_others_added() {
        let after = json!({NAME: feed("assetNames", json!([]))});
        for (field, value, how) in wrong() {
            let expected = format!(
                "fails: the feed `landfall-configuration` {how}\n~ baseline configuration-recording/feed#tell {after}"
            );
            assert_eq!(said(json!({NAME: feed(field, value)})), expected);
        }
        let more = said(json!({NAME: feed("assetTypes", json!([DISK, "x/Y"]))}));
        assert!(
            more.contains(
                r#""assetTypes":["compute.googleapis.com/Disk","storage.googleapis.com/Bucket","x/Y"]"#
            ),
            "{more}"
        );
    }

    #[test]
    fn where_nothing_is_named_nothing_is_asked() {
        let table = [
            (
                json!({"asset-types": [DISK]}),
                "not applicable: no topic is named for what Cloud Asset Inventory tells",
            ),
            (json!({"gcp": TOPIC, "asset-types": []}), "not applicable: no types of assets are listed"),
            (
                json!({"gcp": "assets", "asset-types": [DISK]}),
                "fails: `assets` is no topic: name it as Pub/Sub does, projects/PROJECT/topics/TOPIC",
            ),
        ];
        for (settings, expected) in table {
            let landscape = asking(settings);
            assert_eq!(landscape.said(&ConfigurationRecording), [expected]);
            assert_eq!(landscape.addresses(&ConfigurationRecording), [""; 0]);
        }
    }
}
