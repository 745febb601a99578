//! `placement` on AWS: the account stands in its unit, row O4.

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Control, Judge, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::placement::Settings;
use landfall_model::desired::{Desired, Standing};
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::observed::{Address, Observed, Seen};
use landfall_model::plan::{Change, Deed, Stage};

use super::{Aws, done, ground, reported, seen, units};
use crate::directory::organizations;
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};

/// Where the account stands. A sweep's list of accounts shows it too, in the same form.
const ACCOUNT: &str = "account";

/// Which unit it belongs in, by the organization's own id.
const UNIT: &str = "unit";

pub(super) struct Placement;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    parents: Vec<Parent>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parent {
    id: String,
}

#[async_trait]
impl Control for Placement {
    const KIND: ControlKind = ControlKind::Placement;
    const PERMISSIONS: Permissions = Permissions {
        read: &[
            "organizations:ListOrganizationalUnitsForParent",
            "organizations:ListParents",
            "organizations:ListRoots",
        ],
        write: &["organizations:MoveAccount"],
    };

    type On = Aws;
    type Want = Settings;

    fn addresses(&self, _: &Settings, _: &Desired) -> Vec<Address> {
        vec![Address::global(Self::KIND, ACCOUNT), Address::global(Self::KIND, UNIT)]
    }

    async fn look(&self, reader: &Reader, desired: &Desired, at: &Address) -> Result<Sighting, CallError> {
        let Session { organization, directory, account, .. } = &reader.0;
        if at.resource == ACCOUNT {
            let reply = organizations(organization, "ListParents", json!({"ChildId": account})).await?;
            let Answer { parents } = reply.json()?;
            return Ok(match parents.into_iter().next() {
                Some(Parent { id }) => seen(&reply, &json!({"parent": id})),
                None => super::nothing(&reply),
            });
        }
        let seen = match desired.asked(Self::KIND).map(|asked| asked.want::<Settings>()) {
            Some(Ok(Settings { unit, line, owner: _ })) => {
                match units::find(&directory.tree().await?, &line, &unit) {
                    Some(node) => Seen::Present(json!({"Id": node.id})),
                    None => {
                        // Somebody else's process may have made it since the tree was read.
                        directory.forget().await;
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
        let Session { organization, account, .. } = &writer.0;
        let body = json!({
            "AccountId": account,
            "SourceParentId": parent(change.before.as_ref()),
            "DestinationParentId": parent(change.after.as_ref()),
        });
        let answer = organizations(organization, "MoveAccount", body).await;
        // It is there already.
        done(answer, &["DuplicateAccountException"])?;
        Ok(Value::Null)
    }
}

impl Judge for Placement {
    fn judge(&self, want: &Settings, desired: &Desired, observed: &Observed) -> Vec<Judgement> {
        let address = Address::global(Self::KIND, ACCOUNT);
        let unit = observed.seen(&Address::global(Self::KIND, UNIT));
        vec![Judgement::of(Self::KIND, &address, observed, |there| {
            compare(want, desired, &address, there, &unit)
        })]
    }
}

fn parent(value: Option<&Value>) -> Option<&str> {
    value?.get("parent")?.as_str()
}

fn compare(
    want: &Settings,
    desired: &Desired,
    address: &Address,
    there: Option<&Value>,
    unit: &Seen,
) -> Verdict {
    let Settings { unit: path, line, owner } = want;
    let unit = match unit {
        Seen::Present(unit) => unit.get("Id").and_then(Value::as_str).unwrap_or_default(),
        Seen::Absent => {
            return reported(match units::adopted(line, path) {
                Some(id) => format!("the unit `{path}` adopts `{id}`, which the organization does not have"),
                None => format!("the unit `{path}` does not exist yet; a sweep makes it"),
            });
        }
        Seen::Unreadable(why) => return Verdict::Unknown { why: why.clone() },
        Seen::NotOffered(why) => return Verdict::NotApplicable { why: why.clone() },
    };
    let Some(stands) = parent(there) else {
        return Verdict::Unknown { why: "the organization does not say where the account stands".to_owned() };
    };
    if stands == unit {
        return Verdict::Holds;
    }
    let why = format!("the account stands in `{stands}`, not in `{path}` (`{unit}`)");
    if let Some(owner) = owner {
        return reported(format!("{why}; placement is owned by {owner}: reported, not moved"));
    }
    if never_moved(desired) {
        return reported(format!("{why}; the accounts of the organization and of Landfall are never moved"));
    }
    let mut change = Change::new(address, "move", Deed::Update, why)
        .before(there.cloned())
        .after(json!({"parent": unit}))
        .at(Stage::Place);
    // Leaving a unit takes its policies away, and StackSets with automatic deployment delete their stacks in the account. An
    // account that was there before us may live from them; at the root there is nothing of the kind.
    change.loses = desired.standing == Standing::Adopted && !stands.starts_with("r-");
    Verdict::fails(change)
}

/// The account that owns the organization, and the one Landfall lives in.
pub(super) fn never_moved(desired: &Desired) -> bool {
    let Some(tenant) = desired.target.tenant() else { return true };
    ground(desired).is_none_or(|ground| {
        [&ground.management_account, &ground.controller_account].iter().any(|id| *id == tenant.native())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::landscape::Landscape;

    fn in_its_unit(account: &str) -> Landscape {
        Landscape::adopted(account)
            .saw("placement/account", json!({"parent": "ou-ab12-producti"}))
            .saw("placement/unit", json!({"Id": "ou-ab12-producti"}))
    }

    #[test]
    fn an_account_in_its_unit_needs_nothing() {
        assert_eq!(in_its_unit("222222222222").said(&Placement), ["holds"]);
        assert_eq!(
            Landscape::adopted("222222222222").addresses(&Placement),
            ["placement/account", "placement/unit"]
        );
    }

    #[test]
    fn an_account_found_elsewhere_is_moved_back() {
        let elsewhere = in_its_unit("222222222222").saw("placement/account", json!({"parent": "r-ab12"}));
        assert_eq!(
            elsewhere.said(&Placement),
            ["fails: the account stands in `r-ab12`, not in `workloads/production` (`ou-ab12-producti`)\n\
              ~ place placement/account#move {\"parent\":\"ou-ab12-producti\"}"]
        );
        let judgements = elsewhere.judged(&Placement);
        let Verdict::Fails { changes, .. } = &judgements[0].verdict else { panic!("it fails") };
        assert_eq!(changes[0].before, Some(json!({"parent": "r-ab12"})));
    }

    #[test]
    fn nobody_is_moved_where_another_tool_owns_placement() {
        let elsewhere = in_its_unit("444444444444").saw("placement/account", json!({"parent": "r-ab12"}));
        assert_eq!(
            elsewhere.said(&Placement),
            ["fails: the account stands in `r-ab12`, not in `legacy` (`ou-ab12-producti`); \
              placement is owned by control-tower: reported, not moved"]
        );
    }

    #[test]
    fn the_organization_s_own_account_is_never_moved() {
        let elsewhere = in_its_unit("111111111111").saw("placement/account", json!({"parent": "r-ab12"}));
        assert_eq!(
            elsewhere.said(&Placement),
            ["fails: the account stands in `r-ab12`, not in `workloads` (`ou-ab12-producti`); \
              the accounts of the organization and of Landfall are never moved"]
        );
    }

    #[test]
    fn a_unit_that_does_not_exist_takes_nobody() {
        assert_eq!(
            in_its_unit("222222222222").saw_nothing("placement/unit").said(&Placement),
            ["fails: the unit `workloads/production` does not exist yet; a sweep makes it"]
        );
        assert_eq!(
            in_its_unit("444444444444").saw_nothing("placement/unit").said(&Placement),
            ["fails: the unit `legacy` adopts `ou-ab12-99999999`, which the organization does not have"]
        );
        let denied = Seen::Unreadable("denied".into());
        assert_eq!(
            in_its_unit("222222222222").with("placement/unit", denied).said(&Placement),
            ["unknown: denied"]
        );
    }
}
