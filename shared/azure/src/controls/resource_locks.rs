//! `resource-locks` on Azure: a management lock on the subscription or on resource groups in it, row Z23.
//!
//! A lock of others that stops deletion as well will do, also one further up. None of theirs is ever changed or removed.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Compare, Control, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::resource_locks::Settings;
use landfall_model::desired::{Desired, Standing};
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::observed::{Address, Seen};
use landfall_model::plan::{Change, Deed, Stage};

use super::registration::part;
use super::{Azure, absent, json, quarantine_gate, reported, seen, unasked};
use crate::client::service::LOCKS;
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};

/// The lock that is ours.
const NAME: &str = "landfall";

const CAN_NOT_DELETE: &str = "CanNotDelete";

/// The setting of the subscription; those of resource groups have [`GROUP`] before their name.
const SUBSCRIPTION: &str = "subscription";
const GROUP: &str = "resourceGroups/";

pub(super) struct ResourceLocks;

/// The locks that hold for one scope: those on it, and on the subscription it is in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Locks {
    locks: Vec<Lock>,
}

/// A lock, in Azure's own names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Lock {
    #[serde(default, deserialize_with = "super::or_default")]
    id: String,
    #[serde(default, deserialize_with = "super::or_default")]
    level: String,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default, deserialize_with = "super::or_default")]
    id: String,
    #[serde(default, deserialize_with = "super::or_default")]
    properties: AnswerLock,
}

#[derive(Deserialize, Default)]
struct AnswerLock {
    #[serde(default, deserialize_with = "super::or_default")]
    level: String,
}

impl Lock {
    /// Whether it stops deletion: read-only does so too.
    fn stops_deletion(&self) -> bool {
        [CAN_NOT_DELETE, "ReadOnly"].iter().any(|level| self.level.eq_ignore_ascii_case(level))
    }

    /// Whether it holds for a scope: it is on the scope itself, or on one above.
    fn holds_for(&self, scope: &str) -> bool {
        let (id, scope) = (self.id.to_ascii_lowercase(), format!("{}/", scope.to_ascii_lowercase()));
        id.split_once("/providers/microsoft.authorization/locks/")
            .is_some_and(|(on, _)| scope.starts_with(&format!("{on}/")))
    }
}

/// No resource group's name ends in a dot, and one of dots would lead out of the subscription's resource groups.
fn is_a_name(group: &str) -> bool {
    !group.is_empty() && !group.ends_with('.')
}

/// What an address is about, as a scope.
fn scope(subscription: &str, address: &Address) -> String {
    match address.resource.strip_prefix(GROUP) {
        Some(group) => format!("{subscription}/resourceGroups/{}", part(group)),
        None => subscription.to_owned(),
    }
}

fn path(scope: &str, name: &str) -> String {
    format!("{scope}/providers/Microsoft.Authorization/locks/{name}")
}

/// The lock that is ours on a scope.
pub(super) fn own(scope: &str) -> String {
    path(scope, NAME)
}

/// What it is sent as.
pub(super) fn body() -> Value {
    json!({"properties": {
        "level": CAN_NOT_DELETE,
        "notes": "The organization's manifest asks for this lock; Landfall puts it back.",
    }})
}

fn lock(session: &Session, address: &Address) -> String {
    own(&scope(&session.scope(), address))
}

#[async_trait]
impl Control for ResourceLocks {
    const KIND: ControlKind = ControlKind::ResourceLocks;
    const PERMISSIONS: Permissions = Permissions {
        read: &["Microsoft.Authorization/locks/read"],
        write: &["Microsoft.Authorization/locks/write"],
    };

    type On = Azure;
    type Want = Settings;

    fn addresses(&self, want: &Settings, _: &Desired) -> Vec<Address> {
        let Settings { tenant, resource_groups } = want;
        let subscription = tenant.then(|| Address::global(Self::KIND, SUBSCRIPTION));
        let groups = resource_groups.iter().map(|name| Address::global(Self::KIND, format!("{GROUP}{name}")));
        subscription.into_iter().chain(groups).collect()
    }

    async fn look(&self, reader: &Reader, _: &Desired, address: &Address) -> Result<Sighting, CallError> {
        let session = &reader.0;
        if !address.resource.strip_prefix(GROUP).is_none_or(is_a_name) {
            return Ok(Sighting { seen: Seen::Absent, request: None });
        }
        let scope = scope(&session.scope(), address);
        // Without the filter, those on resources in it come along.
        let list = format!("{scope}/providers/Microsoft.Authorization/locks?$filter=atScope()");
        let (reply, all) = match session.client.list(&LOCKS, &list).await {
            Ok(answer) => answer,
            Err(error) if error.code() == Some("ResourceGroupNotFound") => return Ok(absent(&error)),
            Err(error) => return Err(error),
        };
        let mut locks = Vec::new();
        for value in all {
            let Answer { id, properties: AnswerLock { level } } =
                serde_json::from_value(value).map_err(|error| reply.unreadable(error))?;
            locks.push(Lock { id, level });
        }
        locks.retain(|lock| lock.holds_for(&scope));
        locks.sort_unstable();
        Ok(seen(&reply, &Locks { locks }))
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        let session = &writer.0;
        session.client.put(&LOCKS, &lock(session, &change.address), &body()).await?;
        Ok(Value::Null)
    }
}

impl Compare for ResourceLocks {
    type There = Locks;

    fn compare(&self, _: &Settings, desired: &Desired, address: &Address, there: Option<Locks>) -> Verdict {
        let new = desired.standing.before_handover();
        let later = |why: &str| Verdict::Due { why: why.to_owned(), changes: Vec::new() };
        let group = address.resource.strip_prefix(GROUP);
        let (what, there) = match (group, there) {
            (None, there) => ("the subscription".to_owned(), there.unwrap_or_default()),
            (Some(name), Some(there)) => (format!("the resource group `{name}`"), there),
            // Nobody can have made one behind a closed gate.
            (Some(name), None) if new => return later(&format!("there is no resource group `{name}` yet")),
            (Some(name), None) => return reported(format!("there is no resource group `{name}` to lock")),
        };
        if there.locks.iter().any(Lock::stops_deletion) {
            return Verdict::Holds;
        }
        // The policy that closes the gate is one of the things that a lock keeps from being deleted.
        const AFTER: &str = "the subscription is locked when its gate is open: a lock would hold it closed";
        if group.is_none() && desired.standing == Standing::Waiting {
            return later(AFTER);
        }
        let subscription = desired.target.tenant().map(|id| format!("/subscriptions/{}", id.native()));
        let id = path(&scope(&subscription.unwrap_or_default(), address), NAME);
        let ours = Lock { id, level: CAN_NOT_DELETE.to_owned() };
        let mut locks = there.locks;
        let deed = match locks.iter_mut().find(|lock| lock.id.eq_ignore_ascii_case(&ours.id)) {
            Some(lock) => {
                *lock = ours;
                Deed::Update
            }
            None => {
                locks.push(ours);
                Deed::Create
            }
        };
        locks.sort_unstable();
        let reason = format!("nothing stops {what} from being deleted");
        let change = Change::new(address, "lock", deed, reason).after(json(&Locks { locks }));
        match (group, new) {
            (None, true) => {
                let change = change.at(Stage::Open).needs(&quarantine_gate::opening());
                Verdict::Due { why: AFTER.to_owned(), changes: vec![change] }
            }
            // A run that was cut may have left the gate closed: it opens before this.
            (None, false) => Verdict::fails(change.at(Stage::Open)),
            (Some(_), _) => Verdict::fails(change),
        }
    }

    fn unasked(&self, want: &Settings) -> Option<Judgement> {
        let Settings { tenant, resource_groups } = want;
        let nothing = !tenant && resource_groups.is_empty();
        nothing.then(|| unasked(Self::KIND, "control", "neither the tenant nor a resource group is listed"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::landscape::Landscape;

    const AT: &str = "resource-locks/resourceGroups/network";
    const SUBSCRIPTION: &str = "/subscriptions/3f2c0000-0000-4000-8000-000000000002";

    fn locks(all: &[(&str, &str)]) -> Value {
        let all = all.iter().map(|(on, level)| json!({"id": path(on, "theirs"), "level": level}));
        json!({"locks": all.collect::<Vec<_>>()})
    }

    #[test]
    fn each_resource_group_that_is_listed_is_looked_at() {
        assert_eq!(Landscape::adopted(2).addresses(&ResourceLocks), [AT]);
        let want = Settings { tenant: true, resource_groups: Vec::new() };
        let all = Control::addresses(&ResourceLocks, &want, &Landscape::adopted(2).desired);
        assert_eq!(all, ["resource-locks/subscription".parse().unwrap()]);
        assert!(!is_a_name("..") && is_a_name("network.west"));
    }

    #[test]
    fn any_lock_that_stops_deletion_will_do_and_those_of_others_stay() {
        let group = format!("{SUBSCRIPTION}/resourceGroups/network");
        let ours = format!(
            "{{\"id\":\"{group}/providers/Microsoft.Authorization/locks/landfall\",\"level\":\"CanNotDelete\"}}"
        );
        let locked = format!(
            "fails: nothing stops the resource group `network` from being deleted\n\
             + baseline resource-locks/resourceGroups/network#lock {{\"locks\":[{ours}]}}"
        );
        let odd = format!(
            "fails: nothing stops the resource group `network` from being deleted\n\
             + baseline resource-locks/resourceGroups/network#lock {{\"locks\":[{ours},{{\"id\":\"{group}\
             /providers/Microsoft.Authorization/locks/theirs\",\"level\":\"NotSpecified\"}}]}}"
        );
        let table = [
            (locks(&[(&group, "CanNotDelete")]), "holds".to_owned()),
            (locks(&[(&group, "readonly")]), "holds".to_owned()),
            (locks(&[(SUBSCRIPTION, "CanNotDelete")]), "holds".to_owned()),
            (locks(&[]), locked),
            (locks(&[(&group, "NotSpecified")]), odd),
        ];
        for (there, expected) in table {
            assert_eq!(Landscape::adopted(2).saw(AT, there).said(&ResourceLocks), [expected]);
        }
    }

    #[test]
    fn a_resource_group_that_is_not_there_is_reported_and_not_made() {
        let said = |landscape: Landscape| landscape.saw_nothing(AT).said(&ResourceLocks);
        assert_eq!(said(Landscape::adopted(2)), ["fails: there is no resource group `network` to lock"]);
        assert_eq!(said(Landscape::new(2)), ["due: there is no resource group `network` yet"]);
    }

    #[test]
    fn a_subscription_is_locked_once_nothing_of_ours_has_to_be_deleted_in_it() {
        let want = Settings { tenant: true, resource_groups: Vec::new() };
        let said = |landscape: Landscape| {
            let address = Address::global(ControlKind::ResourceLocks, super::SUBSCRIPTION);
            ResourceLocks.compare(&want, &landscape.desired, &address, Some(Locks::default()))
        };
        let waiting = said(Landscape::new(2).waiting());
        assert!(matches!(waiting, Verdict::Due { changes, .. } if changes.is_empty()));
        let Verdict::Due { changes, .. } = said(Landscape::new(2)) else { panic!() };
        assert_eq!(changes[0].stage, Stage::Open);
        assert_eq!(changes[0].needs, [quarantine_gate::opening()]);
        for landscape in [Landscape::adopted(2), Landscape::new(2).handed_over()] {
            let Verdict::Fails { why, changes } = said(landscape) else { panic!() };
            assert_eq!(why, "nothing stops the subscription from being deleted");
            let after = changes[0].after.as_ref().unwrap();
            assert_eq!(after["locks"][0]["id"], path(SUBSCRIPTION, NAME));
        }
    }

    #[test]
    fn a_lock_holds_for_what_is_below_it_only() {
        let lock = |on: &str| Lock { id: path(on, "x"), level: CAN_NOT_DELETE.to_owned() };
        let group = format!("{SUBSCRIPTION}/resourcegroups/network");
        assert!(lock(SUBSCRIPTION).holds_for(&group));
        assert!(lock(&format!("{SUBSCRIPTION}/resourceGroups/Network")).holds_for(&group));
        assert!(!lock(&format!("{SUBSCRIPTION}/resourceGroups/net")).holds_for(&group));
        assert!(!lock(&format!("{group}/providers/Microsoft.Network/virtualNetworks/a")).holds_for(&group));
        assert!(!lock(&group).holds_for(SUBSCRIPTION));
    }
}
