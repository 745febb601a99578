//! `units` on Google Cloud: the folders, row G1.
//!
//! A folder's id is Google's to give, so a unit is found by its display name below its parent, an adopted one by its id alone. It is
//! looked at once for the whole organization, together with how many projects live in it: that is how far a policy on it reaches.
//! <https://cloud.google.com/resource-manager/reference/rest/v3/folders>

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Control, Judge, Permissions, kept};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::units::{Settings, WantedUnit};
use landfall_model::desired::Desired;
use landfall_model::id::UnitPath;
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::observed::{Address, Observed, Seen};
use landfall_model::plan::{Change, ChangeId, Deed, Stage};

use super::{Gcp, absent, reported, seen};
use crate::client::service::RESOURCES;
use crate::client::{Client, Reply};
use crate::directory::{Folder, Tree};
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};

/// How deep folders nest below the organization (folders.create: "must not cause the active folder hierarchy to exceed a height of 10").
const DEEPEST: usize = 10;

/// How many characters a folder's display name has (folders.patch: "between 3 and 30 characters").
const NAME: std::ops::RangeInclusive<usize> = 3..=30;

pub(super) struct Units;

/// A folder as it was seen; the organization, whose path is `/`, as well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Unit {
    /// `folders/345678901234`, or `organizations/123456789012`.
    pub(super) name: String,
    #[serde(default)]
    pub(super) display_name: String,
    /// Projects in it and in everything below it.
    #[serde(default)]
    pub(super) projects: u32,
}

/// The address of a unit; the organization's is `units//`.
pub(super) fn address(path: &UnitPath) -> Address {
    Address::global(Units::KIND, path.as_str())
}

/// The name of the change that makes a unit; it answers `{"name": "folders/…"}`.
pub(super) fn creation(path: &UnitPath) -> ChangeId {
    ChangeId(format!("{}#create", address(path)))
}

/// The folder, or the organization, that a unit of the manifest stands for, as far as the tree that was read knows it.
pub(super) fn find<'a>(tree: &'a Tree, wanted: &[WantedUnit], path: &UnitPath) -> Option<&'a str> {
    let mut at = Some(tree.root.as_str());
    for step in path.line() {
        let folder = match adopted(wanted, &step) {
            Some(name) => tree.folder(name),
            None => at.and_then(|above| tree.child(above, step.leaf())),
        };
        at = folder.map(|folder| folder.name.as_str());
    }
    at
}

/// The same, where the tree does not know it: `folders:search` shows what was just made some time later, `folders.list` at once.
pub(super) async fn locate(
    session: &Session,
    wanted: &[WantedUnit],
    path: &UnitPath,
) -> Result<Option<String>, CallError> {
    let Session { client, directory, .. } = session;
    let tree = directory.tree().await?;
    if let Some(name) = find(&tree, wanted, path) {
        return Ok(Some(name.to_owned()));
    }
    let mut at = Some(tree.root.clone());
    for step in path.line() {
        let known = match adopted(wanted, &step) {
            Some(name) => {
                at = tree.folder(name).map(|folder| folder.name.clone());
                continue;
            }
            None => at.as_ref().and_then(|above| tree.child(above, step.leaf())),
        };
        at = match (known, at) {
            (Some(folder), _) => Some(folder.name.clone()),
            (None, None) => None,
            (None, Some(above)) => {
                let (_, folder) = child(client, &above, step.leaf()).await?;
                if folder.is_some() {
                    directory.forget_tree().await;
                }
                folder.map(|folder| folder.name)
            }
        };
    }
    Ok(at)
}

/// The name of the existing folder that a unit of the manifest stands for, where it names one.
pub(super) fn adopted<'a>(wanted: &'a [WantedUnit], path: &UnitPath) -> Option<&'a str> {
    wanted.iter().find(|unit| &unit.path == path).and_then(|unit| unit.adopt.as_deref())
}

#[async_trait]
impl Control for Units {
    const KIND: ControlKind = ControlKind::Units;
    const PERMISSIONS: Permissions = Permissions {
        read: &[
            "resourcemanager.folders.get",
            "resourcemanager.folders.list",
            "resourcemanager.projects.get",
        ],
        // Listing too: who is told that the folder exists looks for it.
        write: &["resourcemanager.folders.create", "resourcemanager.folders.list"],
    };

    type On = Gcp;
    type Want = Settings;

    /// The organization comes with them: topmost units are made below it.
    fn addresses(&self, want: &Settings, _: &Desired) -> Vec<Address> {
        let root = UnitPath::root();
        std::iter::once(&root).chain(want.units.iter().map(|unit| &unit.path)).map(address).collect()
    }

    async fn look(&self, reader: &Reader, desired: &Desired, at: &Address) -> Result<Sighting, CallError> {
        let unknown = |why: String| Sighting { seen: Seen::Unreadable(why), request: None };
        let wanted = match desired.asked(Self::KIND).map(|asked| asked.want::<Settings>()) {
            Some(Ok(Settings { units })) => units,
            Some(Err(why)) => return Ok(unknown(why)),
            None => Vec::new(),
        };
        match at.resource.parse() {
            Ok(path) => look(&reader.0, &wanted, &path).await,
            Err(error) => Ok(unknown(error.to_string())),
        }
    }

    async fn write(&self, writer: &Writer, change: &Change, made: &Made) -> Result<Value, CallError> {
        let Session { client, directory, .. } = &writer.0;
        let text = |value: Option<&Value>, name: &str| {
            value.and_then(|value| value.get(name)).and_then(Value::as_str).map(str::to_owned)
        };
        let leaf = text(change.after.as_ref(), "displayName").unwrap_or_default();
        let parent = text(change.with.as_ref(), "parent")
            .or_else(|| change.needs.iter().find_map(|need| text(made.get(need), "name")))
            .unwrap_or_default();
        let answer = create(client, &parent, &leaf).await;
        directory.forget_tree().await;
        let name = match answer {
            Ok(Folder { name, .. }) => name,
            // Made meanwhile, or by a call whose answer was lost.
            Err(error) => match child(client, &parent, &leaf).await {
                Ok((_, Some(folder))) => folder.name,
                Ok((_, None)) | Err(_) => return Err(error),
            },
        };
        Ok(json!({"name": name}))
    }
}

async fn create(client: &Client, parent: &str, name: &str) -> Result<Folder, CallError> {
    let reply = client.post(&RESOURCES, "folders", &json!({"parent": parent, "displayName": name})).await?;
    let folder = client.finish(reply.clone()).await?;
    serde_json::from_value(folder).map_err(|error| reply.unreadable(error))
}

impl Judge for Units {
    fn judge(&self, want: &Settings, _: &Desired, observed: &Observed) -> Vec<Judgement> {
        let judge = |unit: &WantedUnit| {
            let address = address(&unit.path);
            Judgement::of(Self::KIND, &address, observed, |there| match there {
                Some(_) => Verdict::Holds,
                None => missing(&want.units, unit, &address, observed),
            })
        };
        want.units.iter().map(judge).collect()
    }
}

/// The tree says where to look; whether the folder is there is asked anew.
async fn look(session: &Session, wanted: &[WantedUnit], path: &UnitPath) -> Result<Sighting, CallError> {
    let Session { client, directory, .. } = session;
    let Some(above) = path.parent() else {
        let tree = directory.tree().await?;
        let projects = tree.projects_below(&tree.root);
        let unit = Unit { name: tree.root.clone(), display_name: String::new(), projects };
        return Ok(Sighting { seen: Seen::present(&unit), request: None });
    };
    if let Some(name) = adopted(wanted, path) {
        return match client.get(&RESOURCES, name).await {
            Ok(reply) => {
                let folder: Folder = reply.json()?;
                if folder.state == "DELETE_REQUESTED" {
                    return Ok(super::nothing(&reply));
                }
                present(session, &reply, folder).await
            }
            // Google does not tell one that is not there from one that may not be seen; the tree says which it is.
            Err(error) if error.is_not_found() || error.is_denied() => {
                match directory.tree().await?.folder(name) {
                    Some(_) => Err(error),
                    None => Ok(absent(&error)),
                }
            }
            Err(error) => Err(error),
        };
    }
    let Some(parent) = locate(session, wanted, &above).await? else {
        return Ok(Sighting { seen: Seen::Absent, request: None });
    };
    match child(client, &parent, path.leaf()).await {
        Ok((reply, Some(folder))) => present(session, &reply, folder).await,
        Ok((reply, None)) => {
            if directory.tree().await?.child(&parent, path.leaf()).is_some() {
                // Deleted or renamed since the tree was read.
                directory.forget_tree().await;
            }
            Ok(super::nothing(&reply))
        }
        Err(error) => {
            // The parent may be gone since the tree was read.
            directory.forget_tree().await;
            Err(error)
        }
    }
}

async fn present(session: &Session, reply: &Reply, folder: Folder) -> Result<Sighting, CallError> {
    let directory = &session.directory;
    let tree = directory.tree().await?;
    if tree.folder(&folder.name).is_none() {
        directory.forget_tree().await;
    }
    let Folder { name, display_name, .. } = folder;
    let projects = tree.projects_below(&name);
    Ok(seen(reply, &Unit { name, display_name, projects }))
}

/// The folder of this display name directly below another, or below the organization; a list of them shows what is there now.
async fn child(client: &Client, parent: &str, name: &str) -> Result<(Reply, Option<Folder>), CallError> {
    let path = format!("folders?parent={parent}&pageSize=300");
    let (reply, folders) = client.list(&RESOURCES, &path, "folders").await?;
    for folder in folders {
        let folder: Folder = serde_json::from_value(folder).map_err(|error| reply.unreadable(error))?;
        if folder.display_name == name && folder.state != "DELETE_REQUESTED" {
            return Ok((reply, Some(folder)));
        }
    }
    Ok((reply, None))
}

/// A unit that does not exist is made, when it is ours to make and its parent can be had.
fn missing(wanted: &[WantedUnit], unit: &WantedUnit, address: &Address, observed: &Observed) -> Verdict {
    let WantedUnit { path, adopt, .. } = unit;
    if let Some(name) = adopt {
        return reported(format!("`{path}` adopts `{name}`, which the organization does not have"));
    }
    let deep = path.line().len();
    if deep > DEEPEST {
        return reported(format!("`{path}` is {deep} deep; Google Cloud nests folders {DEEPEST} deep"));
    }
    if !NAME.contains(&path.leaf().len()) {
        let (least, most) = (NAME.start(), NAME.end());
        return reported(format!(
            "a folder's name has {least} to {most} characters; `{}` has not",
            path.leaf()
        ));
    }
    let Some(above) = path.parent() else { return Verdict::Holds };
    let create = Change::new(address, "create", Deed::Create, format!("the unit `{path}` does not exist"))
        .after(json!({"displayName": path.leaf()}))
        .at(Stage::Foundation);
    match observed.seen(&self::address(&above)) {
        Seen::Present(parent) => match kept::<Unit>(Some(&parent)) {
            Ok(parent) => Verdict::fails(create.with(json!({"parent": parent.map(|parent| parent.name)}))),
            Err(unknown) => unknown,
        },
        Seen::Absent if adopted(wanted, &above).is_some() => reported(format!(
            "the unit `{path}` does not exist, nor does the one that its parent `{above}` adopts"
        )),
        Seen::Absent => Verdict::fails(create.needs(&creation(&above))),
        Seen::Unreadable(why) => Verdict::Unknown { why },
        Seen::NotOffered(why) => Verdict::NotApplicable { why },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::landscape::Landscape;

    fn all() -> Landscape {
        Landscape::organization()
            .saw("units//", json!({"name": "organizations/123456789012", "projects": 9}))
            .saw("units/legacy", json!({"name": "folders/300000000001", "displayName": "Old", "projects": 1}))
            .saw("units/sandbox", json!({"name": "folders/21", "displayName": "sandbox"}))
            .saw("units/workloads", json!({"name": "folders/22", "displayName": "workloads", "projects": 5}))
            .saw("units/workloads/production", json!({"name": "folders/23", "displayName": "production"}))
    }

    #[test]
    fn a_tree_that_is_there_needs_nothing() {
        assert_eq!(all().said(&Units), ["holds"; 4]);
        assert_eq!(all().addresses(&Units).len(), 5);
    }

    #[test]
    fn a_missing_folder_is_made_below_its_parent() {
        assert_eq!(
            all().saw_nothing("units/sandbox").said(&Units)[1],
            "fails: the unit `sandbox` does not exist\n+ foundation units/sandbox#create \
             {\"displayName\":\"sandbox\"} with {\"parent\":\"organizations/123456789012\"}"
        );
    }

    #[test]
    fn a_folder_below_a_missing_one_waits_for_it() {
        let said = all().saw_nothing("units/workloads").saw_nothing("units/workloads/production");
        assert_eq!(
            said.said(&Units)[3],
            "fails: the unit `workloads/production` does not exist\n+ foundation \
             units/workloads/production#create {\"displayName\":\"production\"} needs units/workloads#create"
        );
    }

    #[test]
    fn an_adopted_folder_is_never_made() {
        assert_eq!(
            all().saw_nothing("units/legacy").said(&Units)[0],
            "fails: `legacy` adopts `folders/300000000001`, which the organization does not have"
        );
    }

    #[test]
    fn who_could_not_look_at_the_parent_makes_nothing() {
        let said = all().with("units//", Seen::Unreadable("denied".into())).saw_nothing("units/sandbox");
        assert_eq!(said.said(&Units)[1], "unknown: denied");
    }

    fn wanted(path: &str, adopt: Option<&str>) -> WantedUnit {
        WantedUnit {
            path: path.parse().unwrap(),
            adopt: adopt.map(str::to_owned),
            policies_owner: None,
            placement_owner: None,
        }
    }

    #[test]
    fn what_google_would_refuse_is_reported_and_not_tried() {
        let why = |path: &str| {
            let unit = wanted(path, None);
            let verdict = missing(&[], &unit, &address(&unit.path), &Observed::default());
            let Verdict::Fails { why, changes } = verdict else { panic!("{verdict:?}") };
            assert!(changes.is_empty());
            why
        };
        assert_eq!(why("ab"), "a folder's name has 3 to 30 characters; `ab` has not");
        assert!(why(&"x".repeat(31)).ends_with("has not"));
        assert!(why(&["abc"; 11].join("/")).ends_with("is 11 deep; Google Cloud nests folders 10 deep"));
    }

    #[test]
    fn folders_are_found_by_name_below_their_parent_or_by_id_wherever_they_are() {
        let folder = |name: &str, display_name: &str, parent: &str, state: &str| Folder {
            name: format!("folders/{name}"),
            parent: parent.to_owned(),
            display_name: display_name.to_owned(),
            state: state.to_owned(),
        };
        let folders = [
            folder("1", "a", "organizations/9", "ACTIVE"),
            folder("2", "x", "organizations/9", "ACTIVE"),
            folder("3", "b", "folders/1", "ACTIVE"),
            folder("4", "b", "folders/2", "ACTIVE"),
            folder("5", "gone", "organizations/9", "DELETE_REQUESTED"),
        ];
        let folders = folders.into_iter().map(|folder| (folder.name.clone(), folder)).collect();
        let tree = Tree { root: "organizations/9".to_owned(), folders, ..Tree::default() };
        let name = |wanted: &[WantedUnit], path: &str| {
            find(&tree, wanted, &path.parse().unwrap()).map(str::to_owned)
        };
        assert_eq!(name(&[], "a/b").as_deref(), Some("folders/3"));
        assert_eq!(name(&[], "/").as_deref(), Some("organizations/9"));
        assert_eq!(name(&[], "a/z"), None);
        assert_eq!(name(&[], "gone"), None);
        assert_eq!(name(&[wanted("a", Some("folders/2"))], "a/b").as_deref(), Some("folders/4"));
        assert_eq!(name(&[wanted("a", Some("folders/7"))], "a/b"), None);
        let below = [wanted("z", None), wanted("z/b", Some("folders/3"))];
        assert_eq!(name(&below, "z/b").as_deref(), Some("folders/3"), "its parent is not there yet");
    }
}
