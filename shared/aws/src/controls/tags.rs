//! `tags` on AWS: the tags of the account, row A1.

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
use landfall_model::observed::{Address, Seen};
use landfall_model::plan::{Change, Deed};

use super::{Aws, json, unasked};
use crate::client::service::ORGANIZATIONS;
use crate::directory::{REGION, organizations};
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};

pub(super) struct Tags;

/// The account's tags, as far as they are asked; those of others are not kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tagged {
    tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    value: String,
}

#[async_trait]
impl Control for Tags {
    const KIND: ControlKind = ControlKind::Tags;
    const PERMISSIONS: Permissions =
        Permissions { read: &["organizations:ListTagsForResource"], write: &["organizations:TagResource"] };

    type On = Aws;
    type Want = Settings;

    fn addresses(&self, want: &Settings, _: &Desired) -> Vec<Address> {
        if want.tags.is_empty() { Vec::new() } else { vec![Address::global(Self::KIND, "account")] }
    }

    async fn look(&self, reader: &Reader, desired: &Desired, _: &Address) -> Result<Sighting, CallError> {
        let Session { organization, account, .. } = &reader.0;
        let asked = desired.asked(Self::KIND).and_then(|asked| asked.want::<Settings>().ok());
        let asked = asked.map(|settings| settings.tags).unwrap_or_default();
        let body = json!({"ResourceId": account});
        let pages = organization.json_pages(&ORGANIZATIONS, REGION, "ListTagsForResource", body).await?;
        let mut tagged = Tagged::default();
        for page in &pages {
            let Answer { tags } = page.json()?;
            let asked = tags.into_iter().filter(|tag| asked.contains_key(&tag.key));
            tagged.tags.extend(asked.map(|tag| (tag.key, tag.value)));
        }
        let request = pages.into_iter().next_back().and_then(|page| page.request_id);
        Ok(Sighting { seen: Seen::present(&tagged), request })
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        let Session { organization, account, .. } = &writer.0;
        let wanted = change.after.as_ref().and_then(|after| after.get("Tags")).and_then(Value::as_object);
        let tags: Vec<Value> =
            wanted.into_iter().flatten().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
        organizations(organization, "TagResource", json!({"ResourceId": account, "Tags": tags})).await?;
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
        // Access rules and invoices of an account that was there before us may go by the value that is replaced.
        change.loses = replaces && desired.standing == Standing::Adopted;
        Verdict::fails(change)
    }

    fn unasked(&self, want: &Settings) -> Option<Judgement> {
        want.tags.is_empty().then(|| unasked(Self::KIND, "account", "no tags are asked"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::scenario::{addresses, said};
    use landfall_model::desired::Standing;

    fn asked() -> Value {
        json!({"tags": {"owner": "acme", "team": "payments"}})
    }

    fn told(tags: Value) -> Vec<String> {
        let saw = [("tags/account", Seen::Present(json!({"Tags": tags})))];
        said(&Tags, asked(), Standing::Adopted, &saw)
    }

    #[test]
    fn an_account_with_its_tags_needs_nothing() {
        assert_eq!(told(json!({"owner": "acme", "team": "payments"})), ["holds"]);
        assert_eq!(addresses(&Tags, asked()), ["tags/account"]);
    }

    #[test]
    fn only_what_is_missing_or_wrong_is_written() {
        assert_eq!(
            told(json!({"owner": "acme", "team": "checkout"})),
            ["fails: the tag `team` is not `payments`\n~ tag {\"Tags\":{\"team\":\"payments\"}} (loses)"]
        );
        assert_eq!(
            told(json!({})),
            ["fails: the tag `owner` is missing; the tag `team` is missing\n\
              ~ tag {\"Tags\":{\"owner\":\"acme\",\"team\":\"payments\"}}"]
        );
    }

    #[test]
    fn where_no_tags_are_asked_nobody_looks() {
        let none = json!({"tags": {}});
        assert_eq!(said(&Tags, none.clone(), Standing::Adopted, &[]), ["not applicable: no tags are asked"]);
        assert!(addresses(&Tags, none).is_empty());
    }
}
