//! `units` on AWS: the organizational units, row O1.
//!
//! A unit is found by its name below its parent, an adopted one by its id alone. It is looked at once for the whole organization,
//! together with how many accounts live in it: that is how far a policy on it reaches.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Control, Judge, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::units::{Settings, WantedUnit};
use landfall_model::desired::Desired;
use landfall_model::id::UnitPath;
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::observed::{Address, Observed, Seen};
use landfall_model::plan::{Change, ChangeId, Deed, Stage};

use super::{Aws, absent, kept, reported, seen};
use crate::client::protocol::Reply;
use crate::directory::{Node, PAGE, Tree, organizations};
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};

/// How deep units nest below the root (AWS Organizations user guide, Quotas).
const DEEPEST: usize = 5;

pub(super) struct Units;

/// A unit as it was seen; the root, whose path is `/`, as well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Unit {
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
    /// Accounts in it and in everything below it.
    #[serde(default)]
    pub(super) accounts: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    organizational_unit: Found,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    #[serde(default)]
    organizational_units: Vec<Found>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Found {
    id: String,
    #[serde(default)]
    name: String,
}

/// The address of a unit.
pub(super) fn address(path: &UnitPath) -> Address {
    Address::global(Units::KIND, path.as_str())
}

/// The name of the change that makes a unit; it answers `{"Id": …}`.
pub(super) fn creation(path: &UnitPath) -> ChangeId {
    ChangeId(format!("{}#create", address(path)))
}

/// The node that a unit of the manifest stands for.
pub(super) fn find<'a>(tree: &'a Tree, wanted: &[WantedUnit], path: &UnitPath) -> Option<&'a Node> {
    path.line().iter().fold(tree.root(), |above, step| match adopted(wanted, step) {
        Some(id) => tree.node(id),
        None => above.and_then(|above| tree.child(&above.id, step.leaf())),
    })
}

/// The id of the existing unit that a unit of the manifest stands for, where it names one.
pub(super) fn adopted<'a>(wanted: &'a [WantedUnit], path: &UnitPath) -> Option<&'a str> {
    wanted.iter().find(|unit| &unit.path == path).and_then(|unit| unit.adopt.as_deref())
}

#[async_trait]
impl Control for Units {
    const KIND: ControlKind = ControlKind::Units;
    const PERMISSIONS: Permissions = Permissions {
        read: &[
            "organizations:DescribeOrganizationalUnit",
            "organizations:ListAccountsForParent",
            "organizations:ListOrganizationalUnitsForParent",
            "organizations:ListRoots",
        ],
        // Listing too: who is told that the unit exists looks for it.
        write: &["organizations:CreateOrganizationalUnit", "organizations:ListOrganizationalUnitsForParent"],
    };

    type On = Aws;
    type Want = Settings;

    /// The root comes with them: topmost units are made below it.
    fn addresses(&self, want: &Settings, _: &Desired) -> Vec<Address> {
        let root = UnitPath::root();
        std::iter::once(&root).chain(want.units.iter().map(|unit| &unit.path)).map(address).collect()
    }

    async fn look(&self, reader: &Reader, desired: &Desired, at: &Address) -> Result<Sighting, CallError> {
        let unknown = |why: String| Ok(Sighting { seen: Seen::Unreadable(why), request: None });
        let wanted = match desired.asked(Self::KIND).map(|asked| asked.want::<Settings>()) {
            Some(Ok(Settings { units })) => units,
            Some(Err(why)) => return unknown(why),
            None => Vec::new(),
        };
        match at.resource.parse() {
            Ok(path) => look(&reader.0, &wanted, &path).await,
            Err(error) => unknown(error.to_string()),
        }
    }

    async fn write(&self, writer: &Writer, change: &Change, made: &Made) -> Result<Value, CallError> {
        let Session { organization, directory, .. } = &writer.0;
        let text = |value: Option<&Value>, name: &str| {
            value.and_then(|value| value.get(name)).and_then(Value::as_str).map(str::to_owned)
        };
        let name = text(change.after.as_ref(), "Name").unwrap_or_default();
        let parent = text(change.with.as_ref(), "ParentId")
            .or_else(|| change.needs.iter().find_map(|need| text(made.get(need), "Id")));
        let body = json!({"ParentId": parent, "Name": name});
        let answer = organizations(organization, "CreateOrganizationalUnit", body).await;
        directory.forget().await;
        let id = match answer {
            Ok(reply) => reply.json::<Described>()?.organizational_unit.id,
            // Made meanwhile, or by a call whose answer was lost.
            Err(error) if error.code() == Some("DuplicateOrganizationalUnitException") => {
                let parent = parent.unwrap_or_default();
                match child(&writer.0, &parent, &name).await? {
                    Some((_, unit)) => unit.id,
                    None => return Err(error),
                }
            }
            Err(error) => return Err(error),
        };
        Ok(json!({"Id": id}))
    }
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

/// The tree says where to look; whether the unit is there is asked anew.
async fn look(session: &Session, wanted: &[WantedUnit], path: &UnitPath) -> Result<Sighting, CallError> {
    let Session { organization, directory, .. } = session;
    let tree = directory.tree().await?;
    if path == &UnitPath::root() {
        let Some(root) = tree.root() else { return Ok(Sighting { seen: Seen::Absent, request: None }) };
        let accounts = directory.accounts_below(&root.id).await?;
        let unit = Unit { id: root.id.clone(), name: String::new(), accounts };
        return Ok(Sighting { seen: Seen::present(&unit), request: None });
    }
    let adopted = adopted(wanted, path);
    let mut gone = None;
    if let Some(id) = adopted.or_else(|| find(&tree, wanted, path).map(|node| node.id.as_str())) {
        let body = json!({"OrganizationalUnitId": id});
        match organizations(organization, "DescribeOrganizationalUnit", body).await {
            Ok(reply) => {
                let Described { organizational_unit: unit } = reply.json()?;
                if adopted.is_some() || unit.name == path.leaf() {
                    return present(session, &tree, &reply, unit).await;
                }
            }
            Err(error) if error.code() == Some("OrganizationalUnitNotFoundException") => gone = Some(error),
            Err(error) => return Err(error),
        }
        // Deleted or renamed since the tree was read.
        directory.forget().await;
    }
    let parent = path.parent().and_then(|above| find(&tree, wanted, &above));
    if let (None, Some(parent)) = (adopted, parent)
        && let Some((reply, unit)) = child(session, &parent.id, path.leaf()).await?
    {
        return present(session, &tree, &reply, unit).await;
    }
    Ok(gone.as_ref().map_or(Sighting { seen: Seen::Absent, request: None }, absent))
}

async fn present(session: &Session, tree: &Tree, reply: &Reply, unit: Found) -> Result<Sighting, CallError> {
    let directory = &session.directory;
    if tree.node(&unit.id).is_none() {
        directory.forget().await;
    }
    let accounts = directory.accounts_below(&unit.id).await?;
    Ok(seen(reply, &Unit { id: unit.id, name: unit.name, accounts }))
}

/// The unit of this name directly below another.
async fn child(session: &Session, parent: &str, name: &str) -> Result<Option<(Reply, Found)>, CallError> {
    let body = json!({"ParentId": parent, "MaxResults": PAGE});
    let pages = session
        .organization
        .json_pages(
            &crate::client::service::ORGANIZATIONS,
            crate::directory::REGION,
            "ListOrganizationalUnitsForParent",
            body,
        )
        .await;
    let pages = match pages {
        Ok(pages) => pages,
        Err(error) if error.code() == Some("ParentNotFoundException") => return Ok(None),
        Err(error) => return Err(error),
    };
    for page in pages {
        let Listed { organizational_units } = page.json()?;
        if let Some(unit) = organizational_units.into_iter().find(|unit| unit.name == name) {
            return Ok(Some((page, unit)));
        }
    }
    Ok(None)
}

/// A unit that does not exist is made, when it is ours to make and its parent can be had.
fn missing(wanted: &[WantedUnit], unit: &WantedUnit, address: &Address, observed: &Observed) -> Verdict {
    let WantedUnit { path, adopt, .. } = unit;
    if let Some(id) = adopt {
        return reported(format!("`{path}` adopts `{id}`, which the organization does not have"));
    }
    if path.line().len() > DEEPEST {
        return reported(format!("`{path}` is {} deep; AWS nests units {DEEPEST} deep", path.line().len()));
    }
    let Some(above) = path.parent() else { return Verdict::Holds };
    let create = Change::new(address, "create", Deed::Create, format!("the unit `{path}` does not exist"))
        .after(json!({"Name": path.leaf()}))
        .at(Stage::Foundation);
    match observed.seen(&self::address(&above)) {
        Seen::Present(parent) => match kept::<Unit>(Some(&parent)) {
            Ok(parent) => Verdict::fails(create.with(json!({"ParentId": parent.map(|parent| parent.id)}))),
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
            .saw("units//", json!({"Id": "r-ab12", "Accounts": 9}))
            .saw("units/legacy", json!({"Id": "ou-ab12-99999999", "Name": "Old", "Accounts": 1}))
            .saw("units/sandbox", json!({"Id": "ou-ab12-sandbox0", "Name": "sandbox"}))
            .saw("units/workloads", json!({"Id": "ou-ab12-workload", "Name": "workloads", "Accounts": 5}))
            .saw("units/workloads/production", json!({"Id": "ou-ab12-producti", "Name": "production"}))
    }

    #[test]
    fn a_tree_that_is_there_needs_nothing() {
        assert_eq!(all().said(&Units), ["holds"; 4]);
        assert_eq!(all().addresses(&Units).len(), 5);
    }

    #[test]
    fn a_missing_unit_is_made_below_its_parent() {
        assert_eq!(
            all().saw_nothing("units/sandbox").said(&Units)[1],
            "fails: the unit `sandbox` does not exist\n\
             + foundation units/sandbox#create {\"Name\":\"sandbox\"} with {\"ParentId\":\"r-ab12\"}"
        );
    }

    #[test]
    fn a_unit_below_a_missing_one_waits_for_it() {
        let said =
            all().saw_nothing("units/workloads").saw_nothing("units/workloads/production").said(&Units);
        assert_eq!(
            said[3],
            "fails: the unit `workloads/production` does not exist\n\
             + foundation units/workloads/production#create {\"Name\":\"production\"} needs units/workloads#create"
        );
    }

    #[test]
    fn an_adopted_unit_is_never_made() {
        assert_eq!(
            all().saw_nothing("units/legacy").said(&Units)[0],
            "fails: `legacy` adopts `ou-ab12-99999999`, which the organization does not have"
        );
    }

    #[test]
    fn who_could_not_look_at_the_parent_makes_nothing() {
        let said = all().with("units//", Seen::Unreadable("denied".into())).saw_nothing("units/sandbox");
        assert_eq!(said.said(&Units)[1], "unknown: denied");
    }

    #[test]
    fn units_are_found_by_name_below_their_parent_or_by_id_wherever_they_are() {
        let node = |id: &str, name: &str, parent: &str| Node {
            id: id.to_owned(),
            name: name.to_owned(),
            parent: parent.to_owned(),
        };
        let tree = Tree {
            nodes: vec![
                node("r-1", "", ""),
                node("ou-1-a", "a", "r-1"),
                node("ou-1-x", "x", "r-1"),
                node("ou-1-b", "b", "ou-1-a"),
                node("ou-1-c", "b", "ou-1-x"),
            ],
        };
        let wanted = |path: &str, adopt: Option<&str>| WantedUnit {
            path: path.parse().unwrap(),
            adopt: adopt.map(str::to_owned),
            policies_owner: None,
            placement_owner: None,
        };
        let id = |wanted: &[WantedUnit], path: &str| {
            find(&tree, wanted, &path.parse().unwrap()).map(|node| node.id.clone())
        };
        assert_eq!(id(&[], "a/b").as_deref(), Some("ou-1-b"));
        assert_eq!(id(&[], "/").as_deref(), Some("r-1"));
        assert_eq!(id(&[], "a/z"), None);
        assert_eq!(id(&[wanted("a", Some("ou-1-x"))], "a/b").as_deref(), Some("ou-1-c"));
        assert_eq!(id(&[wanted("a", Some("ou-1-gone"))], "a/b"), None);
        assert_eq!(id(&[wanted("z", None), wanted("z/b", Some("ou-1-b"))], "z/b").as_deref(), Some("ou-1-b"));
    }
}
