//! `units` on Azure: the management groups, row Z1.
//!
//! A group's id is unique in the whole directory and never changes, so it is derived from the unit's path and says by itself where the
//! unit is; an adopted one is taken by the id that the manifest gives. The root group of the manifest is made as well where it is missing.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Control, Judge, Permissions, kept};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::units::{Settings, WantedUnit};
use landfall_model::desired::Desired;
use landfall_model::id::{Digest, UnitPath};
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::manifest::AzureCloud;
use landfall_model::observed::{Address, Observed, Seen};
use landfall_model::plan::{Change, ChangeId, Deed, Stage};

use super::{Azure, absent, ground, json, reported, seen};
use crate::client::service::GROUPS;
use crate::directory::group_path;
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};

/// The longest id of a management group: <https://learn.microsoft.com/rest/api/managementgroups/management-groups/create-or-update>.
const LONGEST: usize = 90;

pub(super) struct Units;

/// A management group as it was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Unit {
    pub(super) id: String,
    #[serde(default)]
    pub(super) display_name: String,
    /// The id of the group above it.
    #[serde(default)]
    pub(super) parent: String,
    /// Subscriptions in it and in everything below it.
    #[serde(default)]
    pub(super) subscriptions: u32,
}

#[derive(Deserialize)]
struct Answer {
    name: String,
    #[serde(default)]
    properties: Properties,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Properties {
    display_name: Option<String>,
    details: Details,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Details {
    parent: Option<Named>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Named {
    id: String,
}

/// The address of a unit; the root group's is `units//`.
pub(super) fn address(path: &UnitPath) -> Address {
    Address::global(Units::KIND, path.as_str())
}

/// The name of the change that makes a unit.
pub(super) fn creation(path: &UnitPath) -> ChangeId {
    ChangeId(format!("{}#create", address(path)))
}

/// The id of the management group that a unit stands for: the adopted one, or the one derived from its path. `.` parts the names,
/// which have none in them, so no two units share an id.
pub(super) fn group_id(ground: &AzureCloud, adopted: Option<&str>, path: &UnitPath) -> String {
    if let Some(adopted) = adopted {
        return adopted.to_owned();
    }
    let parts = path.line();
    let mut id = ground.root.clone();
    for part in &parts {
        id.push('.');
        id.push_str(part.leaf());
    }
    if id.len() <= LONGEST {
        return id;
    }
    let digest = Digest::of(id.as_bytes()).to_string();
    let tail: String = digest.chars().rev().take(12).collect();
    let head: String = id.chars().take(LONGEST - 13).collect();
    format!("{head}-{tail}")
}

/// The id of an existing group that a unit adopts.
pub(super) fn adopted<'a>(wanted: &'a [WantedUnit], path: &UnitPath) -> Option<&'a str> {
    wanted.iter().find(|unit| &unit.path == path).and_then(|unit| unit.adopt.as_deref())
}

#[async_trait]
impl Control for Units {
    const KIND: ControlKind = ControlKind::Units;
    const PERMISSIONS: Permissions = Permissions {
        read: &[
            "Microsoft.Management/managementGroups/read",
            "Microsoft.Management/managementGroups/descendants/read",
        ],
        write: &["Microsoft.Management/managementGroups/write"],
    };

    type On = Azure;
    type Want = Settings;

    fn addresses(&self, want: &Settings, _: &Desired) -> Vec<Address> {
        let root = UnitPath::root();
        std::iter::once(&root).chain(want.units.iter().map(|unit| &unit.path)).map(address).collect()
    }

    async fn look(&self, reader: &Reader, desired: &Desired, at: &Address) -> Result<Sighting, CallError> {
        let unknown = |why: String| Ok(Sighting { seen: Seen::Unreadable(why), request: None });
        let session = &reader.0;
        let wanted = match desired.asked(Self::KIND).map(|asked| asked.want::<Settings>()) {
            Some(Ok(Settings { units })) => units,
            Some(Err(why)) => return unknown(why),
            None => Vec::new(),
        };
        match at.resource.parse() {
            Ok(path) => look(session, &group_id(&session.ground, adopted(&wanted, &path), &path)).await,
            Err(error) => unknown(error.to_string()),
        }
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        let Session { client, directory, .. } = &writer.0;
        let after: Option<Unit> =
            change.after.as_ref().and_then(|after| serde_json::from_value(after.clone()).ok());
        // INVARIANT: the changes are ours, and each says what it leaves behind.
        let Some(Unit { id, display_name, parent, subscriptions: _ }) = after else {
            return Err(CallError::NothingToWrite(Self::KIND));
        };
        let answer = if change.verb == "move" {
            let body = json!({"parentGroupId": group_path(&parent)});
            client.patch(&GROUPS, &group_path(&id), &body).await
        } else {
            create(&writer.0, &id, &display_name, &parent).await
        };
        directory.forget_tree().await;
        answer?;
        Ok(json!({"id": id}))
    }
}

/// Makes a management group below another. One that is there is written as it should be.
pub(super) async fn create(
    session: &Session,
    id: &str,
    name: &str,
    parent: &str,
) -> Result<crate::client::Reply, CallError> {
    let body = json!({
        "name": id,
        "properties": {"displayName": name, "details": {"parent": {"id": group_path(parent)}}},
    });
    session.client.put(&GROUPS, &group_path(id), &body).await
}

/// Looks at one management group.
pub(super) async fn look(session: &Session, id: &str) -> Result<Sighting, CallError> {
    let directory = &session.directory;
    match session.get(&GROUPS, &group_path(id)).await {
        Ok(reply) => {
            let Answer { name, properties } = reply.json()?;
            let Properties { display_name, details } = properties;
            let parent = details.parent.unwrap_or_default().id;
            let parent = parent.rsplit('/').next().unwrap_or_default().to_owned();
            let subscriptions = directory.tree().await?.below(&name);
            let display_name = display_name.unwrap_or_default();
            Ok(seen(&reply, &Unit { id: name, display_name, parent, subscriptions }))
        }
        Err(error) if error.is_not_found() => Ok(absent(&error)),
        Err(error) => Err(error),
    }
}

impl Judge for Units {
    fn judge(&self, want: &Settings, desired: &Desired, observed: &Observed) -> Vec<Judgement> {
        let Some(ground) = ground(desired) else { return Vec::new() };
        let root = WantedUnit {
            path: UnitPath::root(),
            // Where the root group is the directory's own it is always there, and whose it is is not ours to say.
            adopt: (ground.root == ground.directory).then(|| ground.root.clone()),
            policies_owner: None,
            placement_owner: None,
        };
        let judge = |unit: &WantedUnit| {
            let address = address(&unit.path);
            Judgement::of(Self::KIND, &address, observed, |there| match kept::<Unit>(there) {
                Ok(Some(there)) => compare(ground, want, unit, &address, &there),
                Ok(None) => missing(ground, want, unit, &address, observed),
                Err(unknown) => unknown,
            })
        };
        std::iter::once(&root).chain(&want.units).map(judge).collect()
    }
}

/// The id of the group that should be above a unit.
fn above(ground: &AzureCloud, want: &Settings, unit: &WantedUnit) -> String {
    match unit.path.parent() {
        Some(path) if path != unit.path => group_id(ground, adopted(&want.units, &path), &path),
        Some(_) | None => ground.directory.clone(),
    }
}

fn compare(
    ground: &AzureCloud,
    want: &Settings,
    unit: &WantedUnit,
    address: &Address,
    there: &Unit,
) -> Verdict {
    let parent = above(ground, want, unit);
    // An adopted group is taken where it is; so is the root group, which may stand anywhere in the directory.
    if unit.adopt.is_some() || unit.path == UnitPath::root() || there.parent.eq_ignore_ascii_case(&parent) {
        return Verdict::Holds;
    }
    let why = format!("the group `{}` stands below `{}`, not below `{parent}`", there.id, there.parent);
    let after = json(&json!({"id": there.id, "parent": parent}));
    let mut change = Change::new(address, "move", Deed::Update, why)
        .before(Some(json(there)))
        .after(after)
        .at(Stage::Foundation);
    // Moving a group takes the policies of its old place away from all who live in it.
    change.reaches = Some(there.subscriptions);
    change.loses = true;
    Verdict::fails(change)
}

/// A unit that does not exist is made, when it is ours to make and its parent can be had.
fn missing(
    ground: &AzureCloud,
    want: &Settings,
    unit: &WantedUnit,
    address: &Address,
    observed: &Observed,
) -> Verdict {
    if let Some(id) = &unit.adopt {
        return reported(format!("the unit adopts `{id}`, which the directory does not have"));
    }
    let id = group_id(ground, None, &unit.path);
    let name = if unit.path == UnitPath::root() { ground.root.as_str() } else { unit.path.leaf() };
    let after = json!({"id": id, "displayName": name, "parent": above(ground, want, unit)});
    let change = Change::new(address, "create", Deed::Create, "the management group does not exist")
        .after(after)
        .at(Stage::Foundation);
    let Some(parent) = unit.path.parent().filter(|path| path != &unit.path) else {
        return Verdict::fails(change);
    };
    match observed.seen(&self::address(&parent)) {
        Seen::Present(_) => Verdict::fails(change),
        Seen::Absent if adopted(&want.units, &parent).is_some() => reported(format!(
            "the unit above it, `{parent}`, adopts a group that the directory does not have"
        )),
        Seen::Absent => Verdict::fails(change.needs(&creation(&parent))),
        Seen::Unreadable(why) | Seen::NotOffered(why) => {
            Verdict::Unknown { why: format!("the unit above it could not be looked at: {why}") }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::landscape::Landscape;

    fn group(id: &str, parent: &str) -> Value {
        json!({"id": id, "displayName": "x", "parent": parent, "subscriptions": 3})
    }

    fn all_there() -> Landscape {
        Landscape::organization()
            .saw("units//", group("acme", "8f0c1a52-0000-4000-8000-000000000001"))
            .saw("units/legacy", group("mg-legacy", "elsewhere"))
            .saw("units/sandbox", group("acme.sandbox", "acme"))
            .saw("units/workloads", group("acme.workloads", "acme"))
            .saw("units/workloads/production", group("acme.workloads.production", "ACME.workloads"))
    }

    #[test]
    fn groups_that_are_there_need_nothing_and_an_adopted_one_stays_where_it_is() {
        assert_eq!(all_there().said(&Units), ["holds"; 5]);
    }

    #[test]
    fn a_missing_group_is_made_below_its_parent() {
        let said =
            all_there().saw_nothing("units/workloads").saw_nothing("units/workloads/production").said(&Units);
        assert_eq!(
            said[3],
            "fails: the management group does not exist\n+ foundation units/workloads#create \
             {\"displayName\":\"workloads\",\"id\":\"acme.workloads\",\"parent\":\"acme\"}"
        );
        assert!(
            said[4].ends_with("\"parent\":\"acme.workloads\"} needs units/workloads#create"),
            "{}",
            said[4]
        );
        let said = all_there().saw_nothing("units//").said(&Units);
        assert!(said[0].contains("\"parent\":\"8f0c1a52-0000-4000-8000-000000000001\""), "{}", said[0]);
    }

    #[test]
    fn a_group_that_was_moved_is_moved_back_within_the_limits() {
        let said = all_there().saw("units/sandbox", group("acme.sandbox", "other")).said(&Units);
        assert_eq!(
            said[2],
            "fails: the group `acme.sandbox` stands below `other`, not below `acme`\n\
             ~ foundation units/sandbox#move {\"id\":\"acme.sandbox\",\"parent\":\"acme\"} loses reaches 3"
        );
    }

    #[test]
    fn what_is_adopted_and_not_there_is_reported() {
        assert_eq!(
            all_there().saw_nothing("units/legacy").said(&Units)[1],
            "fails: the unit adopts `mg-legacy`, which the directory does not have"
        );
    }

    #[test]
    fn ids_of_deep_units_stay_within_what_azure_takes_and_apart() {
        let landscape = Landscape::organization();
        let ground = ground(&landscape.desired).unwrap();
        let long = |last: &str| format!("{}/{}/{last}", "a".repeat(60), "b".repeat(60)).parse().unwrap();
        let (one, other) = (group_id(ground, None, &long("c")), group_id(ground, None, &long("d")));
        assert_eq!(one.len(), LONGEST);
        assert_ne!(one, other);
    }
}
