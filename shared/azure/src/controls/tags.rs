//! `tags` on Azure: the tags of the subscription, row Z5. They are merged, so that those of others stay.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Compare, Control, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::tags::Settings;
use landfall_model::desired::{Desired, Standing};
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::observed::Address;
use landfall_model::plan::{Change, Deed};

use super::{Azure, json, seen, unasked};
use crate::client::service::RESOURCES;
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};

pub(super) struct Tags;

const RESOURCE: &str = "subscription";

/// The subscription's tags, as far as they are asked; those of others are not kept. Azure compares names without case, and keeps the
/// case they were first written in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tagged {
    /// Nothing where there are none.
    #[serde(default, deserialize_with = "super::or_default")]
    tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default, deserialize_with = "super::or_default")]
    properties: Tagged,
}

fn path(session: &Session) -> String {
    format!("{}/providers/Microsoft.Resources/tags/default", session.scope())
}

#[async_trait]
impl Control for Tags {
    const KIND: ControlKind = ControlKind::Tags;
    const PERMISSIONS: Permissions =
        Permissions { read: &["Microsoft.Resources/tags/read"], write: &["Microsoft.Resources/tags/write"] };

    type On = Azure;
    type Want = Settings;

    fn addresses(&self, want: &Settings, _: &Desired) -> Vec<Address> {
        if want.tags.is_empty() { Vec::new() } else { vec![Address::global(Self::KIND, RESOURCE)] }
    }

    async fn look(&self, reader: &Reader, desired: &Desired, _: &Address) -> Result<Sighting, CallError> {
        let session = &reader.0;
        let asked = desired.asked(Self::KIND).and_then(|asked| asked.want::<Settings>().ok());
        let asked = asked.map(|settings| settings.tags).unwrap_or_default();
        let reply = session.client.get(&RESOURCES, &path(session)).await?;
        let Answer { properties: Tagged { tags } } = reply.json()?;
        let mut kept = Tagged::default();
        for (name, value) in tags {
            if let Some(asked) = asked.keys().find(|asked| asked.eq_ignore_ascii_case(&name)) {
                kept.tags.insert(asked.clone(), value);
            }
        }
        Ok(seen(&reply, &kept))
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        let session = &writer.0;
        let body = json!({"operation": "Merge", "properties": change.after});
        session.client.patch(&RESOURCES, &path(session), &body).await?;
        Ok(Value::Null)
    }
}

impl Compare for Tags {
    type There = Tagged;

    fn compare(
        &self,
        want: &Settings,
        desired: &Desired,
        address: &Address,
        there: Option<Tagged>,
    ) -> Verdict {
        let tagged = there.unwrap_or_default();
        let mut wrong = BTreeMap::new();
        let mut why = Vec::new();
        for (key, value) in &want.tags {
            match tagged.tags.get(key) {
                Some(there) if there == value => continue,
                Some(_) => why.push(format!("the tag `{key}` is not `{value}`")),
                None => why.push(format!("the tag `{key}` is missing")),
            }
            wrong.insert(key.clone(), value.clone());
        }
        if wrong.is_empty() {
            return Verdict::Holds;
        }
        let replaces = wrong.keys().any(|key| tagged.tags.contains_key(key));
        let after = json(&Tagged { tags: wrong });
        let mut change = Change::new(address, "tag", Deed::Update, why.join("; ")).after(after);
        // Policies and invoices of a subscription that was there before us may go by the value that is replaced.
        change.loses = replaces && desired.standing == Standing::Adopted;
        Verdict::fails(change)
    }

    fn unasked(&self, want: &Settings) -> Option<Judgement> {
        want.tags.is_empty().then(|| unasked(Self::KIND, RESOURCE, "no tags are asked"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::landscape::Landscape;

    /// The subscription as it is asked, but for what differs.
    fn tagged(differs: &[(&str, Option<&str>)]) -> Vec<String> {
        let mut tags = json!({
            "owner": "acme", "project": "checkout", "team": "payments", "cost-center": "4711",
            "environment": "production",
        });
        for (name, value) in differs {
            match value {
                Some(value) => tags[name] = json!(value),
                None => drop(tags.as_object_mut().unwrap().remove(*name)),
            }
        }
        Landscape::adopted(2).saw("tags/subscription", json!({"tags": tags})).said(&Tags)
    }

    #[test]
    fn a_subscription_with_its_tags_needs_nothing() {
        assert_eq!(tagged(&[]), ["holds"]);
    }

    #[test]
    fn a_tag_that_is_missing_or_wrong_is_written_and_the_others_stay() {
        assert_eq!(
            tagged(&[("owner", Some("somebody"))]),
            ["fails: the tag `owner` is not `acme`\n\
              ~ baseline tags/subscription#tag {\"tags\":{\"owner\":\"acme\"}} loses"]
        );
        assert_eq!(
            tagged(&[("owner", None)]),
            ["fails: the tag `owner` is missing\n\
              ~ baseline tags/subscription#tag {\"tags\":{\"owner\":\"acme\"}}"]
        );
    }
}
