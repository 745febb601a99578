//! `placement` on Azure: the subscription stands in its unit's management group, row Z3.

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

use super::{Azure, ground, json, reported, seen, units};
use crate::client::service::GROUPS;
use crate::directory::group_path;
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};

/// Where the subscription stands. A sweep's list of subscriptions shows it too, in the same form.
const SUBSCRIPTION: &str = "subscription";

/// Whether the group it belongs in is there.
const UNIT: &str = "unit";

pub(super) struct Placement;

/// Where a subscription stands, by the id of its management group; nothing where the directory's list has not got it yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Stands {
    parent: Option<String>,
}

/// The id of the group that the subscription belongs in.
fn wanted(want: &Settings, desired: &Desired) -> Option<String> {
    let ground = ground(desired)?;
    Some(units::group_id(ground, units::adopted(&want.line, &want.unit), &want.unit))
}

fn membership(group: &str, subscription: &str) -> String {
    format!("{}/subscriptions/{subscription}", group_path(group))
}

#[async_trait]
impl Control for Placement {
    const KIND: ControlKind = ControlKind::Placement;
    const PERMISSIONS: Permissions = Permissions {
        read: &[
            "Microsoft.Management/managementGroups/descendants/read",
            "Microsoft.Management/managementGroups/subscriptions/read",
        ],
        // A subscription is moved by whoever may write both groups, and give roles in the subscription:
        // https://learn.microsoft.com/azure/governance/management-groups/manage, "Move management groups and subscriptions".
        write: &[
            "Microsoft.Management/managementGroups/write",
            "Microsoft.Management/managementGroups/subscriptions/write",
            "Microsoft.Management/register/action",
            "Microsoft.Authorization/roleAssignments/delete",
            "Microsoft.Authorization/roleAssignments/write",
        ],
    };

    type On = Azure;
    type Want = Settings;

    fn addresses(&self, _: &Settings, _: &Desired) -> Vec<Address> {
        vec![Address::global(Self::KIND, SUBSCRIPTION), Address::global(Self::KIND, UNIT)]
    }

    async fn look(&self, reader: &Reader, desired: &Desired, at: &Address) -> Result<Sighting, CallError> {
        let session = &reader.0;
        let Session { directory, subscription, .. } = session;
        let want = match desired.asked(Self::KIND).map(|asked| asked.want::<Settings>()) {
            Some(Ok(want)) => want,
            Some(Err(why)) => return Ok(Sighting { seen: Seen::Unreadable(why), request: None }),
            None => return Ok(Sighting { seen: Seen::Absent, request: None }),
        };
        let Some(group) = wanted(&want, desired) else {
            return Ok(Sighting { seen: Seen::Absent, request: None });
        };
        if at.resource == UNIT {
            let seen = match directory.tree().await?.group(&group) {
                Some(group) => Seen::Present(json!({"id": group.id})),
                None => {
                    // Somebody else's process may have made it since the tree was read.
                    directory.forget_tree().await;
                    Seen::Absent
                }
            };
            return Ok(Sighting { seen, request: None });
        }
        // Whether it is where it belongs is asked anew; the tree only says where else it may be.
        match session.get(&GROUPS, &membership(&group, subscription)).await {
            Ok(reply) => Ok(seen(&reply, &Stands { parent: Some(group) })),
            Err(error) if error.is_not_found() => {
                let parent = directory.tree().await?.subscriptions.get(subscription).cloned();
                // The tree may be older than this answer, which counts.
                let parent = parent.filter(|parent| !parent.eq_ignore_ascii_case(&group));
                let request = error.request_id().map(str::to_owned);
                Ok(Sighting { seen: Seen::present(&Stands { parent }), request })
            }
            Err(error) => Err(error),
        }
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        let Session { client, directory, subscription, .. } = &writer.0;
        let group = change.after.as_ref().and_then(|after| after.get("parent")).and_then(Value::as_str);
        // INVARIANT: the changes are ours, and each says where the subscription goes.
        let Some(group) = group else { return Err(CallError::NothingToWrite(Self::KIND)) };
        let answer = client.put(&GROUPS, &membership(group, subscription), &Value::Null).await;
        directory.forget_tree().await;
        answer?;
        Ok(Value::Null)
    }
}

impl Judge for Placement {
    fn judge(&self, want: &Settings, desired: &Desired, observed: &Observed) -> Vec<Judgement> {
        let address = Address::global(Self::KIND, SUBSCRIPTION);
        let unit = observed.seen(&Address::global(Self::KIND, UNIT));
        vec![Judgement::of(Self::KIND, &address, observed, |there| match kept::<Stands>(there) {
            Ok(there) => compare(want, desired, &address, there.and_then(|there| there.parent), &unit),
            Err(unknown) => unknown,
        })]
    }
}

fn compare(
    want: &Settings,
    desired: &Desired,
    address: &Address,
    stands: Option<String>,
    unit: &Seen,
) -> Verdict {
    let Settings { unit: path, line, owner } = want;
    let Some(group) = wanted(want, desired) else { return reported("the target is not on Azure") };
    if stands.as_ref().is_some_and(|stands| stands.eq_ignore_ascii_case(&group)) {
        return Verdict::Holds;
    }
    match unit {
        Seen::Present(_) => {}
        Seen::Absent => {
            return reported(match units::adopted(line, path) {
                Some(id) => format!("the unit `{path}` adopts `{id}`, which the directory does not have"),
                None => format!("the unit `{path}` does not exist yet; a sweep makes it"),
            });
        }
        Seen::Unreadable(why) => return Verdict::Unknown { why: why.clone() },
        Seen::NotOffered(why) => return Verdict::NotApplicable { why: why.clone() },
    }
    let place = stands.as_deref().unwrap_or("another group");
    let why = format!("the subscription stands in `{place}`, not in `{path}` (`{group}`)");
    if let Some(owner) = owner {
        return reported(format!("{why}; placement is owned by {owner}: reported, not moved"));
    }
    if never_moved(desired) {
        return reported(format!("{why}; the subscription of Landfall is never moved"));
    }
    let before = json(&Stands { parent: stands.clone() });
    let mut change = Change::new(address, "move", Deed::Update, why)
        .before(Some(before))
        .after(json!({"parent": group}))
        .at(Stage::Place);
    // Leaving a group takes its policies and the roles given there away. A subscription that was there before us may live from them;
    // at the directory's root, or where new ones are born, there is nothing of the kind.
    let empty_handed = ground(desired).is_some_and(|ground| {
        [&ground.directory, &ground.quarantine].iter().any(|id| id.eq_ignore_ascii_case(place))
    });
    change.loses = desired.standing == Standing::Adopted && !empty_handed;
    Verdict::fails(change)
}

/// The subscription that Landfall lives in.
pub(super) fn never_moved(desired: &Desired) -> bool {
    let Some(tenant) = desired.target.tenant() else { return true };
    ground(desired).is_none_or(|ground| ground.controller_subscription.as_deref() == Some(tenant.native()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::landscape::Landscape;

    fn stands(number: u32, parent: &str) -> Landscape {
        Landscape::adopted(number)
            .saw("placement/subscription", json!({"parent": parent}))
            .saw("placement/unit", json!({"id": "there"}))
    }

    #[test]
    fn a_subscription_in_its_unit_needs_nothing() {
        assert_eq!(stands(2, "acme.workloads.production").said(&Placement), ["holds"]);
        assert_eq!(stands(2, "ACME.Workloads.Production").said(&Placement), ["holds"]);
        assert_eq!(Landscape::adopted(2).addresses(&Placement), ["placement/subscription", "placement/unit"]);
    }

    #[test]
    fn a_subscription_found_elsewhere_is_moved_back() {
        let why = "the subscription stands in `acme-quarantine`, not in `workloads/production` \
                   (`acme.workloads.production`)";
        let moved = "~ place placement/subscription#move {\"parent\":\"acme.workloads.production\"}";
        assert_eq!(stands(2, "acme-quarantine").said(&Placement), [format!("fails: {why}\n{moved}")]);
        assert!(
            stands(2, "mg-other").said(&Placement)[0].ends_with(" loses"),
            "it may live from its old place"
        );
    }

    #[test]
    fn nobody_is_moved_where_another_tool_owns_placement_nor_is_landfall_itself() {
        assert!(
            stands(3, "mg-other").said(&Placement)[0].ends_with("owned by terraform: reported, not moved")
        );
        assert!(
            stands(1, "mg-other").said(&Placement)[0]
                .ends_with("the subscription of Landfall is never moved")
        );
    }

    #[test]
    fn a_unit_that_does_not_exist_takes_nobody() {
        assert_eq!(
            stands(2, "acme-quarantine").saw_nothing("placement/unit").said(&Placement),
            ["fails: the unit `workloads/production` does not exist yet; a sweep makes it"]
        );
        let denied = Seen::Unreadable("denied".into());
        assert_eq!(
            stands(2, "acme-quarantine").with("placement/unit", denied).said(&Placement),
            ["unknown: denied"]
        );
    }
}
