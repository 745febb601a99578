//! `placement` on Google Cloud: the project stands in its unit's folder, row G3.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Control, Judge, Permissions, kept};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::placement::Settings;
use landfall_model::desired::{Desired, Standing};
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::observed::{Address, Observed, Seen};
use landfall_model::plan::{Change, Deed, Stage};

use super::{Gcp, ground, json, reported, seen, units};
use crate::client::service::RESOURCES;
use crate::directory::Project;
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};

/// Where the project stands. A sweep's list of projects shows it too, in the same form.
const PROJECT: &str = "project";

/// Which folder it belongs in, by Google's own name.
const UNIT: &str = "unit";

pub(super) struct Placement;

/// Where a project stands: `folders/345678901234`, or `organizations/123456789012`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Stands {
    parent: String,
}

#[async_trait]
impl Control for Placement {
    const KIND: ControlKind = ControlKind::Placement;
    const PERMISSIONS: Permissions = Permissions {
        read: &[
            "resourcemanager.folders.get",
            "resourcemanager.folders.list",
            "resourcemanager.projects.get",
        ],
        // On the project, and on both its parents:
        // https://cloud.google.com/resource-manager/reference/rest/v3/projects/move
        write: &["resourcemanager.projects.move"],
    };

    type On = Gcp;
    type Want = Settings;

    fn addresses(&self, _: &Settings, _: &Desired) -> Vec<Address> {
        vec![Address::global(Self::KIND, PROJECT), Address::global(Self::KIND, UNIT)]
    }

    async fn look(&self, reader: &Reader, desired: &Desired, at: &Address) -> Result<Sighting, CallError> {
        let session = &reader.0;
        if at.resource == PROJECT {
            let reply = session.client.get(&RESOURCES, &format!("projects/{}", session.project)).await?;
            let Project { parent, .. } = reply.json()?;
            return Ok(seen(&reply, &Stands { parent }));
        }
        let seen = match desired.asked(Self::KIND).map(|asked| asked.want::<Settings>()) {
            Some(Ok(Settings { unit, line, owner: _ })) => {
                match units::locate(session, &line, &unit).await? {
                    Some(name) => Seen::Present(json!({"name": name})),
                    None => {
                        // Somebody else's process may have made it since the tree was read.
                        session.directory.forget_tree().await;
                        Seen::Absent
                    }
                }
            }
            Some(Err(why)) => Seen::Unreadable(why),
            None => Seen::Absent,
        };
        Ok(Sighting { seen, request: None })
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        let Session { client, directory, project, .. } = &writer.0;
        let parent = change.after.as_ref().and_then(|after| after.get("parent")).and_then(Value::as_str);
        // INVARIANT: the changes are ours, and each says where the project goes.
        let Some(parent) = parent else { return Err(CallError::NothingToWrite(Self::KIND)) };
        let path = format!("projects/{project}");
        // Google does not say what it answers when the project is there already, as when an answer was lost.
        let Project { parent: there, .. } = client.get(&RESOURCES, &path).await?.json()?;
        if there != parent {
            let body = json!({"destinationParent": parent});
            let moved = client.post(&RESOURCES, &format!("{path}:move"), &body).await;
            directory.forget_tree().await;
            client.finish(moved?).await?;
        }
        Ok(Value::Null)
    }
}

impl Judge for Placement {
    fn judge(&self, want: &Settings, desired: &Desired, observed: &Observed) -> Vec<Judgement> {
        let address = Address::global(Self::KIND, PROJECT);
        let unit = observed.seen(&Address::global(Self::KIND, UNIT));
        vec![Judgement::of(Self::KIND, &address, observed, |there| match kept::<Stands>(there) {
            Ok(Some(Stands { parent })) => compare(want, desired, &address, &parent, &unit),
            // A project without a parent belongs to no organization.
            Ok(None) => reported("the project stands in no organization"),
            Err(unknown) => unknown,
        })]
    }
}

fn compare(want: &Settings, desired: &Desired, address: &Address, stands: &str, unit: &Seen) -> Verdict {
    let Settings { unit: path, line, owner } = want;
    let unit = match unit {
        Seen::Present(unit) => unit.get("name").and_then(Value::as_str).unwrap_or_default(),
        Seen::Absent => {
            return reported(match units::adopted(line, path) {
                Some(name) => {
                    format!("the unit `{path}` adopts `{name}`, which the organization does not have")
                }
                None => format!("the unit `{path}` does not exist yet; a sweep makes it"),
            });
        }
        Seen::Unreadable(why) => return Verdict::Unknown { why: why.clone() },
        Seen::NotOffered(why) => return Verdict::NotApplicable { why: why.clone() },
    };
    if stands == unit {
        return Verdict::Holds;
    }
    let why = format!("the project stands in `{stands}`, not in `{path}` (`{unit}`)");
    if let Some(owner) = owner {
        return reported(format!("{why}; placement is owned by {owner}: reported, not moved"));
    }
    if never_moved(desired) {
        return reported(format!("{why}; the project of Landfall is never moved"));
    }
    let stands = Stands { parent: stands.to_owned() };
    let mut change = Change::new(address, "move", Deed::Update, why)
        .before(Some(json(&stands)))
        .after(json(&Stands { parent: unit.to_owned() }))
        .at(Stage::Place);
    // Leaving a folder takes its policies and the roles granted there away. A project that was there before us may live from them;
    // what the organization itself carries holds everywhere in it.
    let empty_handed = ground(desired)
        .is_some_and(|ground| stands.parent == format!("organizations/{}", ground.organization));
    change.loses = desired.standing == Standing::Adopted && !empty_handed;
    Verdict::fails(change)
}

/// The project that Landfall lives in.
fn never_moved(desired: &Desired) -> bool {
    let Some(tenant) = desired.target.tenant() else { return true };
    ground(desired).is_none_or(|ground| ground.controller_project.as_deref() == Some(tenant.native()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::landscape::Landscape;

    fn stands(landscape: Landscape, parent: &str) -> Landscape {
        landscape
            .saw("placement/project", json!({"parent": parent}))
            .saw("placement/unit", json!({"name": "folders/23"}))
    }

    fn checkout() -> Landscape {
        Landscape::adopted("acme-checkout-prod")
    }

    #[test]
    fn a_project_in_its_unit_needs_nothing() {
        assert_eq!(stands(checkout(), "folders/23").said(&Placement), ["holds"]);
        assert_eq!(checkout().addresses(&Placement), ["placement/project", "placement/unit"]);
    }

    #[test]
    fn a_project_found_elsewhere_is_moved_back() {
        let moved = |from: &str| {
            format!(
                "fails: the project stands in `{from}`, not in `workloads/production` (`folders/23`)\n\
                 ~ place placement/project#move {{\"parent\":\"folders/23\"}}"
            )
        };
        let root = "organizations/123456789012";
        assert_eq!(stands(checkout(), root).said(&Placement), [moved(root)]);
        let elsewhere = stands(Landscape::new("acme-checkout-prod"), "folders/9").said(&Placement);
        assert_eq!(elsewhere, [moved("folders/9")]);
        let lives_there = stands(checkout(), "folders/9").said(&Placement);
        assert_eq!(lives_there, [format!("{} loses", moved("folders/9"))], "it may live from its old place");
    }

    #[test]
    fn nobody_is_moved_where_another_tool_owns_placement_nor_is_landfall_itself() {
        let legacy = stands(Landscape::adopted("acme-legacy"), "folders/9").said(&Placement);
        assert!(legacy[0].ends_with("owned by terraform: reported, not moved"), "{legacy:?}");
        let own = stands(Landscape::adopted("acme-landfall"), "folders/9").said(&Placement);
        assert!(own[0].ends_with("the project of Landfall is never moved"), "{own:?}");
    }

    #[test]
    fn a_unit_that_does_not_exist_takes_nobody() {
        assert_eq!(
            stands(checkout(), "folders/9").saw_nothing("placement/unit").said(&Placement),
            ["fails: the unit `workloads/production` does not exist yet; a sweep makes it"]
        );
        let denied = Seen::Unreadable("denied".into());
        let said = stands(checkout(), "folders/9").with("placement/unit", denied).said(&Placement);
        assert_eq!(said, ["unknown: denied"]);
    }
}
