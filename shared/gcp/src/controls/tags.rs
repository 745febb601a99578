//! `tags` on Google Cloud: the labels of the project, row G5. The whole map is sent, so it is read first, and those of others stay.

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

use super::{Gcp, json, seen, unasked};
use crate::client::service::RESOURCES;
use crate::directory::Project;
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};

pub(super) struct Tags;

const RESOURCE: &str = "project";

/// The project's labels, as far as they are asked; those of others are not kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Labelled {
    /// Nothing where there are none.
    #[serde(default, deserialize_with = "super::or_default")]
    labels: BTreeMap<String, String>,
}

/// A text as a label may have it: lower case, digits, hyphens and underscores, at most 63 of them
/// (<https://cloud.google.com/resource-manager/docs/labels-overview>, "Requirements for labels"). What is not allowed becomes a hyphen.
fn label(text: &str) -> String {
    let letter = |letter: char| match letter {
        '-' | '_' => letter,
        letter if letter.is_ascii_alphanumeric() => letter.to_ascii_lowercase(),
        _ => '-',
    };
    text.chars().take(63).map(letter).collect()
}

/// The asked tags as labels.
fn wanted(want: &Settings) -> BTreeMap<String, String> {
    want.tags.iter().map(|(key, value)| (label(key), label(value))).collect()
}

#[async_trait]
impl Control for Tags {
    const KIND: ControlKind = ControlKind::Tags;
    const PERMISSIONS: Permissions = Permissions {
        read: &["resourcemanager.projects.get"],
        write: &["resourcemanager.projects.get", "resourcemanager.projects.update"],
    };

    type On = Gcp;
    type Want = Settings;

    fn addresses(&self, want: &Settings, _: &Desired) -> Vec<Address> {
        if want.tags.is_empty() { Vec::new() } else { vec![Address::global(Self::KIND, RESOURCE)] }
    }

    async fn look(&self, reader: &Reader, desired: &Desired, _: &Address) -> Result<Sighting, CallError> {
        let Session { client, project, .. } = &reader.0;
        let asked = desired.asked(Self::KIND).and_then(|asked| asked.want::<Settings>().ok());
        let asked = asked.map(|settings| wanted(&settings)).unwrap_or_default();
        let reply = client.get(&RESOURCES, &format!("projects/{project}")).await?;
        let Project { mut labels, .. } = reply.json()?;
        labels.retain(|key, _| asked.contains_key(key));
        Ok(seen(&reply, &Labelled { labels }))
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        let after = change.after.clone().unwrap_or_default();
        // INVARIANT: the changes are ours, and each says its labels.
        let Labelled { labels: ours } = serde_json::from_value(after).unwrap_or_default();
        let with_ours = |Project { mut labels, .. }: Project| {
            labels.extend(ours.clone());
            json!(labels)
        };
        writer.change_project("labels", with_ours).await?;
        Ok(Value::Null)
    }
}

impl Compare for Tags {
    type There = Labelled;

    fn compare(
        &self,
        want: &Settings,
        desired: &Desired,
        address: &Address,
        there: Option<Labelled>,
    ) -> Verdict {
        let labelled = there.unwrap_or_default();
        let mut wrong = BTreeMap::new();
        let mut why = Vec::new();
        for (key, value) in wanted(want) {
            match labelled.labels.get(&key) {
                Some(there) if *there == value => continue,
                Some(_) => why.push(format!("the label `{key}` is not `{value}`")),
                None => why.push(format!("the label `{key}` is missing")),
            }
            wrong.insert(key, value);
        }
        if wrong.is_empty() {
            return Verdict::Holds;
        }
        let replaces = wrong.keys().any(|key| labelled.labels.contains_key(key));
        let after = json(&Labelled { labels: wrong });
        let mut change = Change::new(address, "label", Deed::Update, why.join("; ")).after(after);
        // Invoices and dashboards of a project that was there before us may go by the value that is replaced.
        change.loses = replaces && desired.standing == Standing::Adopted;
        Verdict::fails(change)
    }

    fn unasked(&self, want: &Settings) -> Option<Judgement> {
        want.tags.is_empty().then(|| unasked(Self::KIND, RESOURCE, "no labels are asked"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::landscape::Landscape;

    /// The project as it is asked, but for what differs.
    fn labelled(differs: &[(&str, Option<&str>)]) -> Vec<String> {
        let mut labels = json!({
            "owner": "acme-inc-", "project": "checkout", "team": "payments", "cost-center": "4711",
            "environment": "production",
        });
        for (name, value) in differs {
            match value {
                Some(value) => labels[name] = json!(value),
                None => drop(labels.as_object_mut().unwrap().remove(*name)),
            }
        }
        Landscape::adopted("acme-checkout-prod").saw("tags/project", json!({"labels": labels})).said(&Tags)
    }

    #[test]
    fn a_project_with_its_labels_needs_nothing() {
        assert_eq!(labelled(&[]), ["holds"]);
    }

    #[test]
    fn a_label_that_is_missing_or_wrong_is_written_and_the_others_stay() {
        assert_eq!(
            labelled(&[("owner", Some("somebody"))]),
            ["fails: the label `owner` is not `acme-inc-`\n\
              ~ baseline tags/project#label {\"labels\":{\"owner\":\"acme-inc-\"}} loses"]
        );
        assert_eq!(
            labelled(&[("owner", None)]),
            ["fails: the label `owner` is missing\n\
              ~ baseline tags/project#label {\"labels\":{\"owner\":\"acme-inc-\"}}"]
        );
    }
}
