//! `resource-tags` on Google Cloud: keys and values of tags in the organization's own target, their bindings on each project, row G6.
//!
//! Keys and values have ids that Google gives; everything here goes by their short names, which can't be changed. A project has the
//! tags of what it is in as well, unless it has a value of its own: <https://cloud.google.com/resource-manager/docs/tags/tags-overview>.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Compare, Control, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::resource_tags::Settings;
use landfall_model::desired::{Desired, Standing};
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::observed::{Address, Seen};
use landfall_model::plan::{Change, Deed, Stage};
use landfall_model::target::Target;

use super::{Gcp, json, nothing, reported, seen, unasked};
use crate::client::Reply;
use crate::client::service::RESOURCES;
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};

/// The setting of a project; those of the organization are called after their keys.
const PROJECT: &str = "project";

pub(super) struct ResourceTags;

/// What a look kept: of the organization a key's values, of a project its tags; as far as they are asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tags {
    /// Short names of a key's values.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    values: BTreeSet<String>,
    /// The values of keys that hold for a project, its own and inherited ones.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    tags: BTreeMap<String, Bound>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Bound {
    value: String,
    /// From a folder or the organization.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    inherited: bool,
}

/// A key or a value.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    /// `tagKeys/281476018424673`.
    name: String,
    #[serde(default)]
    short_name: String,
}

/// A tag that holds for a resource.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Effective {
    /// `tagValues/281483307043046`.
    #[serde(default)]
    tag_value: String,
    /// `123456789012/environment/production`.
    #[serde(default)]
    namespaced_tag_value: String,
    #[serde(default)]
    inherited: bool,
}

/// One to 256 letters, digits, hyphens, underscores and dots; the first and the last are letters or digits (`TagKey.shortName`).
fn is_a_name(text: &str) -> bool {
    let plain = |b: &u8| b.is_ascii_alphanumeric();
    (1..=256).contains(&text.len())
        && text.bytes().all(|b| plain(&b) || b"-_.".contains(&b))
        && text.as_bytes().first().is_some_and(plain)
        && text.as_bytes().last().is_some_and(plain)
}

/// What is asked of the target: nothing where its settings can't be read.
fn asked(desired: &Desired) -> Settings {
    let asked = desired.asked(ControlKind::ResourceTags);
    asked.and_then(|asked| asked.want().ok()).unwrap_or_default()
}

/// Everything of one kind below its parent.
async fn all(session: &Session, path: &str, items: &str) -> Result<(Reply, Vec<Answer>), CallError> {
    let (reply, listed) = session.client.list(&RESOURCES, path, items).await?;
    let mut all = Vec::new();
    for value in listed {
        let answer: Answer = serde_json::from_value(value).map_err(|error| reply.unreadable(error))?;
        all.push(answer);
    }
    Ok((reply, all))
}

/// The organization's key of this short name.
async fn key(session: &Session, short: &str) -> Result<(Reply, Option<Answer>), CallError> {
    let path = format!("tagKeys?parent={}&pageSize=300", session.directory.root());
    let (reply, keys) = all(session, &path, "tagKeys").await?;
    Ok((reply, keys.into_iter().find(|key| key.short_name == short)))
}

async fn values(session: &Session, key: &str) -> Result<(Reply, Vec<Answer>), CallError> {
    all(session, &format!("tagValues?parent={key}&pageSize=300"), "tagValues").await
}

/// The project's full name, by which bindings go.
async fn full_name(session: &Session) -> Result<String, CallError> {
    Ok(format!("//cloudresourcemanager.googleapis.com/{}", session.numbered().await?))
}

/// A text as one part of a path or of a query.
fn part(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// The tags that hold for the project, by key, of those that the organization has.
async fn effective(session: &Session) -> Result<(Reply, BTreeMap<String, (Effective, String)>), CallError> {
    let full = full_name(session).await?;
    let path = format!("effectiveTags?parent={}&pageSize=300", part(&full));
    let (reply, tags) = session.client.list(&RESOURCES, &path, "effectiveTags").await?;
    let mut by_key = BTreeMap::new();
    for tag in tags {
        let tag: Effective = serde_json::from_value(tag).map_err(|error| reply.unreadable(error))?;
        let names: Vec<&str> = tag.namespaced_tag_value.split('/').collect();
        // Those of a project's own keys begin with its id.
        if let [organization, key, value] = names.as_slice()
            && *organization == session.ground.organization
        {
            let (key, value) = ((*key).to_owned(), (*value).to_owned());
            by_key.insert(key, (tag, value));
        }
    }
    Ok((reply, by_key))
}

/// Makes what is missing of a key and its values.
async fn make(session: &Session, short: &str, wanted: &BTreeSet<String>) -> Result<(), CallError> {
    let client = &session.client;
    let root = session.directory.root();
    let name = match key(session, short).await? {
        (_, Some(key)) => key.name,
        (_, None) => {
            let body = json!({"parent": root, "shortName": short, "description": DESCRIPTION});
            let made = client.post(&RESOURCES, "tagKeys", &body).await;
            settle(session, made).await?;
            // By its short name again: who made it meanwhile gave it an id as well.
            let (reply, key) = key(session, short).await?;
            key.ok_or_else(|| reply.unreadable("it does not show the key that was just made"))?.name
        }
    };
    let (_, there) = values(session, &name).await?;
    for value in wanted.iter().filter(|value| !there.iter().any(|there| &there.short_name == *value)) {
        let body = json!({"parent": name, "shortName": value, "description": DESCRIPTION});
        let made = client.post(&RESOURCES, "tagValues", &body).await;
        settle(session, made).await?;
    }
    Ok(())
}

const DESCRIPTION: &str = "The organization's manifest asks for it; Landfall made it.";

/// Waits until it is made; what somebody else made meanwhile is there.
async fn settle(session: &Session, made: Result<Reply, CallError>) -> Result<(), CallError> {
    match made {
        Ok(reply) => session.client.finish(reply).await.map(|_| ()),
        Err(error) if error.is_there_already() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Binds a value to the project; another value of the same key that is bound to it goes first, for it has one of each at most.
async fn bind(session: &Session, key: &str, value: &str) -> Result<(), CallError> {
    let client = &session.client;
    let full = full_name(session).await?;
    let (_, there) = effective(session).await?;
    match there.get(key) {
        Some((_, there)) if there == value => return Ok(()),
        Some((Effective { tag_value, inherited: false, .. }, _)) => {
            let gone = client.delete(&RESOURCES, &format!("tagBindings/{}/{tag_value}", part(&full))).await?;
            if let Some(reply) = gone {
                client.finish(reply).await?;
            }
        }
        Some((Effective { inherited: true, .. }, _)) | None => {}
    }
    let namespaced = format!("{}/{key}/{value}", session.ground.organization);
    let body = json!({"parent": full, "tagValueNamespacedName": namespaced});
    let made = client.post(&RESOURCES, "tagBindings", &body).await;
    settle(session, made).await.map_err(|error| match error.is_denied() || error.is_not_found() {
        true => error.explained(format!(
            "the tag value `{namespaced}` does not exist yet, and a sweep makes it; or it may not be bound"
        )),
        false => error,
    })
}

#[async_trait]
impl Control for ResourceTags {
    const KIND: ControlKind = ControlKind::ResourceTags;
    const PERMISSIONS: Permissions = Permissions {
        read: &[
            "resourcemanager.hierarchyNodes.listEffectiveTags",
            "resourcemanager.projects.get",
            "resourcemanager.tagKeys.list",
            "resourcemanager.tagValues.list",
        ],
        write: &[
            "resourcemanager.hierarchyNodes.createTagBinding",
            "resourcemanager.hierarchyNodes.deleteTagBinding",
            "resourcemanager.hierarchyNodes.listEffectiveTags",
            "resourcemanager.tagKeys.create",
            "resourcemanager.tagKeys.list",
            "resourcemanager.tagValueBindings.create",
            "resourcemanager.tagValueBindings.delete",
            "resourcemanager.tagValues.create",
            "resourcemanager.tagValues.list",
        ],
    };

    type On = Gcp;
    type Want = Settings;

    fn addresses(&self, want: &Settings, desired: &Desired) -> Vec<Address> {
        match desired.target {
            Target::Organization(_) => {
                want.values.keys().map(|key| Address::global(Self::KIND, key.as_str())).collect()
            }
            Target::Tenant(_) if want.set.is_empty() => Vec::new(),
            Target::Tenant(_) => vec![Address::global(Self::KIND, PROJECT)],
        }
    }

    async fn look(&self, reader: &Reader, desired: &Desired, at: &Address) -> Result<Sighting, CallError> {
        let session = &reader.0;
        let Settings { set, values: wanted } = asked(desired);
        if let Target::Tenant(_) = desired.target {
            let (reply, there) = effective(session).await?;
            let tags = there.into_iter().filter(|(key, _)| set.contains_key(key));
            let bound = |(key, (Effective { inherited, .. }, value))| (key, Bound { value, inherited });
            return Ok(seen(&reply, &Tags { tags: tags.map(bound).collect(), ..Tags::default() }));
        }
        let Some(wanted) = wanted.get(&at.resource) else {
            return Ok(Sighting { seen: Seen::Absent, request: None });
        };
        match key(session, &at.resource).await? {
            (reply, None) => Ok(nothing(&reply)),
            (_, Some(key)) => {
                let (reply, all) = values(session, &key.name).await?;
                let values = all.into_iter().map(|value| value.short_name);
                let values = values.filter(|value| wanted.contains(value)).collect();
                Ok(seen(&reply, &Tags { values, ..Tags::default() }))
            }
        }
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        let session = &writer.0;
        // INVARIANT: the changes are ours, and each says what it leaves behind.
        let after = change.after.clone().unwrap_or_default();
        let Tags { values, tags } = serde_json::from_value(after).unwrap_or_default();
        if !values.is_empty() {
            make(session, &change.address.resource, &values).await?;
        }
        for (key, Bound { value, .. }) in &tags {
            bind(session, key, value).await?;
        }
        Ok(Value::Null)
    }
}

impl Compare for ResourceTags {
    type There = Tags;

    fn compare(&self, want: &Settings, desired: &Desired, address: &Address, there: Option<Tags>) -> Verdict {
        match desired.target {
            Target::Organization(_) => of_key(want, address, there),
            Target::Tenant(_) => of_project(want, desired, address, &there.unwrap_or_default()),
        }
    }

    fn unasked(&self, want: &Settings) -> Option<Judgement> {
        let nothing = want.set.is_empty() && want.values.is_empty();
        nothing.then(|| unasked(Self::KIND, PROJECT, "no tags are asked"))
    }
}

fn of_key(want: &Settings, address: &Address, there: Option<Tags>) -> Verdict {
    let key = &address.resource;
    let Some(wanted) = want.values.get(key) else { return Verdict::Holds };
    if let Some(odd) = std::iter::once(key).chain(wanted).find(|name| !is_a_name(name)) {
        return reported(format!("Google Cloud takes no tag key or value `{odd}`"));
    }
    let (deed, reason, after) = match there {
        None => (Deed::Create, format!("there is no tag key `{key}`"), wanted.clone()),
        Some(Tags { values, .. }) => {
            let missing: Vec<&str> = wanted.difference(&values).map(String::as_str).collect();
            if missing.is_empty() {
                return Verdict::Holds;
            }
            let reason = format!("the tag key `{key}` has no value {}", missing.join(", "));
            (Deed::Update, reason, wanted.clone())
        }
    };
    let after = Tags { values: after, ..Tags::default() };
    Verdict::fails(Change::new(address, "make", deed, reason).after(json(&after)).at(Stage::Foundation))
}

fn of_project(want: &Settings, desired: &Desired, address: &Address, there: &Tags) -> Verdict {
    let mut why = Vec::new();
    let mut tags = BTreeMap::new();
    let mut replaces = false;
    for (key, value) in &want.set {
        if let Some(odd) = [key, value].into_iter().find(|name| !is_a_name(name)) {
            why.push(format!("Google Cloud takes no tag key or value `{odd}`"));
            continue;
        }
        match there.tags.get(key) {
            Some(bound) if bound.value == *value => continue,
            Some(bound) => {
                why.push(format!("the tag `{key}` is `{}`, not `{value}`", bound.value));
                replaces = true;
            }
            None => why.push(format!("the tag `{key}` is missing")),
        }
        tags.insert(key.clone(), Bound { value: value.clone(), inherited: false });
    }
    if why.is_empty() {
        return Verdict::Holds;
    }
    let why = why.join("; ");
    if tags.is_empty() {
        return reported(why);
    }
    let after = Tags { tags, ..Tags::default() };
    let mut change = Change::new(address, "bind", Deed::Update, &why).after(json(&after));
    // Roles and policies of a project that was there before us may hold by the value that is replaced.
    change.loses = replaces && desired.standing == Standing::Adopted;
    Verdict::Fails { why, changes: vec![change] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::landscape::Landscape;

    const AT: &str = "resource-tags/project";

    fn tagged(landscape: Landscape, tags: Value) -> Vec<String> {
        landscape.saw(AT, json!({"tags": tags})).said(&ResourceTags)
    }

    fn adopted() -> Landscape {
        Landscape::adopted("acme-checkout-prod")
    }

    #[test]
    fn a_project_with_its_tags_needs_nothing_wherever_it_has_them_from() {
        assert_eq!(adopted().addresses(&ResourceTags), [AT]);
        assert_eq!(tagged(adopted(), json!({"exposure": {"value": "internal"}})), ["holds"]);
        let inherited = json!({"exposure": {"value": "internal", "inherited": true}});
        assert_eq!(tagged(adopted(), inherited), ["holds"]);
    }

    #[test]
    fn a_tag_that_is_missing_or_another_one_is_bound() {
        let change =
            "~ baseline resource-tags/project#bind {\"tags\":{\"exposure\":{\"value\":\"internal\"}}}";
        let missing = format!("fails: the tag `exposure` is missing\n{change}");
        assert_eq!(tagged(adopted(), json!({})), [missing]);
        let other = json!({"exposure": {"value": "public"}});
        let wrong = format!("fails: the tag `exposure` is `public`, not `internal`\n{change}");
        assert_eq!(
            tagged(Landscape::new("acme-checkout-prod"), other.clone()),
            std::slice::from_ref(&wrong),
            "nobody lives from it yet"
        );
        assert_eq!(tagged(adopted(), other), [format!("{wrong} loses")]);
    }

    #[test]
    fn keys_and_values_are_made_once_for_all_who_ask() {
        let at = "resource-tags/exposure";
        let organization = Landscape::organization;
        assert_eq!(organization().addresses(&ResourceTags), [at]);
        let there = organization().saw(at, json!({"values": ["internal"]}));
        assert_eq!(there.said(&ResourceTags), ["holds"]);
        let change = "foundation resource-tags/exposure#make {\"values\":[\"internal\"]}";
        assert_eq!(
            organization().saw_nothing(at).said(&ResourceTags),
            [format!("fails: there is no tag key `exposure`\n+ {change}")]
        );
        assert_eq!(
            organization().saw(at, json!({})).said(&ResourceTags),
            [format!("fails: the tag key `exposure` has no value internal\n~ {change}")]
        );
    }

    #[test]
    fn what_google_would_not_take_is_reported() {
        for odd in ["", "-a", "a.", "a b", "a/b", "ä"] {
            assert!(!is_a_name(odd), "{odd}");
        }
        assert!(is_a_name("a") && is_a_name("eu-west.1_x"));
        let want = Settings { set: BTreeMap::from([("a b".into(), "x".into())]), ..Settings::default() };
        let address = Address::global(ControlKind::ResourceTags, PROJECT);
        let verdict = of_project(&want, &adopted().desired, &address, &Tags::default());
        assert!(matches!(verdict, Verdict::Fails { changes, .. } if changes.is_empty()));
    }
}
