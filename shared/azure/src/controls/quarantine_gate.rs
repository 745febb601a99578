//! `quarantine-gate` on Azure: the management group that new subscriptions are born in, and a policy that denies, row O14's sibling.
//!
//! The organization keeps the policy definition, the group, its assignment there, and the directory's setting that new subscriptions
//! are born in that group: so a subscription is behind a closed gate before anybody of ours comes by. A new one gets the same policy
//! assigned itself before anything else, so that the gate stays closed when it is placed in its unit, and this assignment is taken away
//! after everything else.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Control, Judge, Permissions, kept};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::quarantine_gate::Settings;
use landfall_model::desired::{Desired, Standing};
use landfall_model::id::{Digest, UnitPath};
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::manifest::AzureCloud;
use landfall_model::observed::{Address, Observed, Seen};
use landfall_model::plan::{Change, ChangeId, Deed, Stage};
use landfall_model::target::Target;

use super::placement::never_moved;
use super::policies::{
    Assignment, Definition, Held, Order, QUARANTINE, look_assignment, look_definition, quarantine,
    quarantined, write,
};
use super::units::{self, Unit};
use super::{Azure, absent, ground, json, reported, seen};
use crate::client::service::GROUPS;
use crate::directory::group_path;
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};

const KIND: ControlKind = ControlKind::QuarantineGate;

/// The policy definition at the root group.
const DEFINITION: &str = "definition";
/// The group that new subscriptions are born in.
const GROUP: &str = "group";
/// The definition's assignment on that group.
const ASSIGNMENT: &str = "assignment";
/// The directory's setting that new subscriptions are born in that group.
const BIRTHPLACE: &str = "birthplace";
/// A subscription's own assignment.
const SUBSCRIPTION: &str = "subscription";

pub(super) struct QuarantineGate;

/// The definition as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Says {
    digest: Digest,
}

/// The directory's settings, as far as they matter here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Hierarchy {
    /// The id of the group that new subscriptions are born in.
    #[serde(skip_serializing_if = "Option::is_none")]
    default_management_group: Option<String>,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    properties: Hierarchy,
}

/// A subscription's gate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Gate {
    /// The subscription's own assignment, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    assignment: Option<Held>,
    /// Where it stands.
    stands: Stands,
    /// The id of the group that it stands in.
    #[serde(skip_serializing_if = "String::is_empty")]
    parent: String,
}

/// Where a subscription stands, as far as its gate goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Stands {
    /// Below the root group, where the definition can be assigned.
    #[default]
    BelowRoot,
    /// In the directory's own root group, where Azure puts it by itself.
    AtTheTop,
    /// In a part of the tree that is somebody else's.
    Elsewhere,
}

fn address(resource: &str) -> Address {
    Address::global(KIND, resource)
}

/// The name of the change that opens a subscription's gate.
pub(super) fn opening() -> ChangeId {
    ChangeId(format!("{}#open", address(SUBSCRIPTION)))
}

fn hierarchy(ground: &AzureCloud) -> String {
    format!("{}/settings/default", group_path(&ground.directory))
}

/// What is looked at: of the organization everything that keeps the gate, of a subscription its own assignment, and the definition
/// as long as the gate may have to be closed.
fn resources(desired: &Desired) -> &'static [&'static str] {
    match (&desired.target, &desired.standing) {
        (Target::Organization(_), _) => &[DEFINITION, GROUP, ASSIGNMENT, BIRTHPLACE],
        (Target::Tenant(_), Standing::New | Standing::Waiting) => &[DEFINITION, SUBSCRIPTION],
        (
            Target::Tenant(_),
            Standing::Organization | Standing::HandedOver | Standing::Adopted | Standing::ReportOnly(_),
        ) => &[SUBSCRIPTION],
    }
}

#[async_trait]
impl Control for QuarantineGate {
    const KIND: ControlKind = KIND;
    const PERMISSIONS: Permissions = Permissions {
        read: &[
            "Microsoft.Authorization/policyAssignments/read",
            "Microsoft.Authorization/policyDefinitions/read",
            "Microsoft.Management/managementGroups/descendants/read",
            "Microsoft.Management/managementGroups/read",
            "Microsoft.Management/managementGroups/settings/read",
        ],
        write: &[
            // A lock of ours is lifted for a deletion.
            "Microsoft.Authorization/locks/delete",
            "Microsoft.Authorization/locks/read",
            "Microsoft.Authorization/locks/write",
            "Microsoft.Authorization/policyAssignments/delete",
            "Microsoft.Authorization/policyAssignments/write",
            "Microsoft.Authorization/policyDefinitions/write",
            "Microsoft.Authorization/roleAssignments/delete",
            "Microsoft.Authorization/roleAssignments/write",
            "Microsoft.Management/register/action",
            "Microsoft.Management/managementGroups/settings/write",
            "Microsoft.Management/managementGroups/subscriptions/write",
            "Microsoft.Management/managementGroups/write",
        ],
    };

    type On = Azure;
    type Want = Settings;

    fn addresses(&self, _: &Settings, desired: &Desired) -> Vec<Address> {
        resources(desired).iter().map(|resource| address(resource)).collect()
    }

    async fn look(&self, reader: &Reader, _: &Desired, at: &Address) -> Result<Sighting, CallError> {
        let session = &reader.0;
        let ground = &session.ground;
        let (value, request) = match at.resource.as_str() {
            DEFINITION => {
                let (digest, request) = look_definition(session, QUARANTINE).await?;
                (digest.map(|digest| json(&Says { digest })), request)
            }
            GROUP => return units::look(session, &ground.quarantine).await,
            ASSIGNMENT => {
                let scope = group_path(&ground.quarantine);
                let (held, request) = look_assignment(session, &scope, QUARANTINE).await?;
                (held.map(|held| json(&held)), request)
            }
            BIRTHPLACE => {
                return match session.client.get(&GROUPS, &hierarchy(ground)).await {
                    Ok(reply) => {
                        let Answer { properties } = reply.json()?;
                        Ok(seen(&reply, &properties))
                    }
                    Err(error) if error.is_not_found() => Ok(absent(&error)),
                    Err(error) => Err(error),
                };
            }
            _ => {
                let (assignment, request) = look_assignment(session, &session.scope(), QUARANTINE).await?;
                // Where it stands matters only to who has to close its gate; placing it must not look as if somebody had touched the gate.
                if assignment.is_some() {
                    let gate = Gate { assignment, ..Gate::default() };
                    return Ok(Sighting { seen: Seen::present(&gate), request });
                }
                let tree = session.directory.tree().await?;
                let Some(parent) = tree.subscriptions.get(&session.subscription).cloned() else {
                    let why = "the directory's list does not show yet where the subscription stands";
                    return Ok(Sighting { seen: Seen::Unreadable(why.to_owned()), request });
                };
                let stands = match tree.is_at_or_below(&parent, &ground.root) {
                    true => Stands::BelowRoot,
                    false if parent.eq_ignore_ascii_case(&ground.directory) => Stands::AtTheTop,
                    false => Stands::Elsewhere,
                };
                (Some(json(&Gate { assignment, stands, parent })), request)
            }
        };
        Ok(Sighting { seen: value.map_or(Seen::Absent, Seen::Present), request })
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        let session = &writer.0;
        let Session { client, directory, ground, subscription, .. } = session;
        let answer = match change.verb.as_str() {
            "found" => units::create(session, &ground.quarantine, NAME, &ground.root).await.map(drop),
            "bear" => {
                let body = json!({"properties": {"defaultManagementGroup": group_path(&ground.quarantine)}});
                let service = &GROUPS;
                match change.deed {
                    Deed::Create => client.put(service, &hierarchy(ground), &body).await.map(drop),
                    // What else the directory says of its groups stays.
                    Deed::Update | Deed::Delete => {
                        client.patch(service, &hierarchy(ground), &body).await.map(drop)
                    }
                }
            }
            "fetch" => {
                let path = format!("{}/subscriptions/{subscription}", group_path(&ground.quarantine));
                client.put(&GROUPS, &path, &Value::Null).await.map(drop)
            }
            _ => return write(session, change).await,
        };
        directory.forget_tree().await;
        answer?;
        Ok(Value::Null)
    }
}

/// What people read of the quarantine group.
const NAME: &str = "Quarantine (Landfall)";

impl Judge for QuarantineGate {
    fn judge(&self, want: &Settings, desired: &Desired, observed: &Observed) -> Vec<Judgement> {
        let Some(ground) = ground(desired) else { return Vec::new() };
        let (definition, assignment) = match (quarantine(desired), quarantined(desired)) {
            (Ok(definition), Ok(assignment)) => (definition, assignment),
            (Err(why), _) | (_, Err(why)) => {
                let verdict = reported(format!("the gate's policy can't be made: {why}"));
                return vec![Judgement { control: KIND, address: address(DEFINITION), verdict }];
            }
        };
        if desired.target.tenant().is_some() && never_moved(desired) {
            let why = "the subscription of Landfall is never gated".to_owned();
            let verdict = Verdict::NotApplicable { why };
            return vec![Judgement { control: KIND, address: address(SUBSCRIPTION), verdict }];
        }
        let drafts = Drafts { ground, definition: &definition, assignment: &assignment, desired, observed };
        resources(desired).iter().map(|resource| drafts.judge(want, resource)).collect()
    }
}

struct Drafts<'a> {
    ground: &'a AzureCloud,
    definition: &'a Definition,
    assignment: &'a Assignment,
    desired: &'a Desired,
    observed: &'a Observed,
}

impl Drafts<'_> {
    fn judge(&self, want: &Settings, resource: &str) -> Judgement {
        let address = address(resource);
        Judgement::of(KIND, &address, self.observed, |there| match resource {
            DEFINITION => self.definition(&address, there),
            GROUP => self.group(&address, there),
            ASSIGNMENT => self.assigned(&address, there),
            BIRTHPLACE => self.birthplace(&address, there),
            _ => self.subscription(want, &address, there),
        })
    }

    /// Before a tenant's gate, or with the organization's foundation.
    fn stage(&self) -> Stage {
        if self.desired.target.tenant().is_some() { Stage::Gate } else { Stage::Foundation }
    }

    fn definition(&self, address: &Address, there: Option<&Value>) -> Verdict {
        let says = match kept::<Says>(there) {
            Ok(says) => says,
            Err(unknown) => return unknown,
        };
        let digest = self.definition.digest();
        let (verb, deed, why) = match says {
            Some(says) if says.digest == digest => return Verdict::Holds,
            Some(_) => ("update", Deed::Update, "the gate's policy does not say what it should"),
            None => ("create", Deed::Create, "the gate's policy does not exist"),
        };
        let order = Order { id: self.definition.id(self.ground), body: Some(self.definition.body()) };
        let mut change = Change::new(address, verb, deed, why)
            .before(there.cloned())
            .after(json(&Says { digest }))
            .with(json(&order))
            .at(self.stage());
        if self.desired.target.tenant().is_none() {
            change.needs.extend(self.root());
        }
        Verdict::fails(change)
    }

    /// The change that makes the root group, where it does not exist yet.
    fn root(&self) -> Option<ChangeId> {
        let root = UnitPath::root();
        matches!(self.observed.seen(&units::address(&root)), Seen::Absent).then(|| units::creation(&root))
    }

    fn group(&self, address: &Address, there: Option<&Value>) -> Verdict {
        match kept::<Unit>(there) {
            Ok(None) => {}
            Ok(Some(unit)) if unit.parent.eq_ignore_ascii_case(&self.ground.root) => return Verdict::Holds,
            Ok(Some(unit)) => {
                return reported(format!(
                    "the group `{}` stands below `{}`, not below the root group `{}`: it is not moved, and can't close the gate there",
                    unit.id, unit.parent, self.ground.root
                ));
            }
            Err(unknown) => return unknown,
        }
        let after = json!({"id": self.ground.quarantine});
        let mut change = Change::new(address, "found", Deed::Create, "the quarantine group does not exist")
            .after(after)
            .at(Stage::Foundation);
        change.needs.extend(self.root());
        Verdict::fails(change)
    }

    /// The change of a setting that another one stands on, where there is one to make.
    fn pending(&self, resource: &str, verbs: &[&str]) -> Option<ChangeId> {
        let judgement = match resource {
            DEFINITION => self.definition(&address(DEFINITION), self.seen(DEFINITION).value()),
            _ => self.group(&address(GROUP), self.seen(GROUP).value()),
        };
        let Verdict::Fails { changes, .. } = judgement else { return None };
        // What could not be looked at may well be there.
        let absent = !matches!(self.seen(resource), Seen::Unreadable(_) | Seen::NotOffered(_));
        changes
            .into_iter()
            .find(|change| absent && verbs.contains(&change.verb.as_str()))
            .map(|change| change.id)
    }

    fn seen(&self, resource: &str) -> Seen {
        self.observed.seen(&address(resource))
    }

    /// The assignment on the group that new subscriptions are born in.
    fn assigned(&self, address: &Address, there: Option<&Value>) -> Verdict {
        let held = match kept::<Held>(there) {
            Ok(held) => held,
            Err(unknown) => return unknown,
        };
        let Some((verb, deed, why)) = self.differs(held.as_ref(), "the quarantine group's assignment") else {
            return Verdict::Holds;
        };
        let mut change = self.assign(address, verb, deed, &why, &group_path(&self.ground.quarantine));
        change = change.before(there.cloned()).after(json(&self.assignment.held())).at(Stage::Foundation);
        // A group that was there before may have people's subscriptions in it, who would be closed in with the new ones.
        if let Ok(Some(group)) = kept::<Unit>(self.seen(GROUP).value()) {
            change.reaches = Some(group.subscriptions);
            change.loses = group.subscriptions > 0 && held.is_none();
        }
        change.needs.extend(self.pending(DEFINITION, &["create"]));
        change.needs.extend(self.pending(GROUP, &["found"]));
        Verdict::fails(change)
    }

    fn differs(&self, held: Option<&Held>, what: &str) -> Option<(&'static str, Deed, String)> {
        match held {
            None => Some(("assign", Deed::Create, format!("{what} is missing"))),
            Some(held) => {
                self.assignment.differs(held).map(|how| ("restore", Deed::Update, format!("{what} {how}")))
            }
        }
    }

    fn assign(&self, address: &Address, verb: &str, deed: Deed, why: &str, scope: &str) -> Change {
        let order = Order { id: self.assignment.id(scope), body: Some(self.assignment.body()) };
        Change::new(address, verb, deed, why).with(json(&order))
    }

    /// New subscriptions are born in the quarantine group.
    fn birthplace(&self, address: &Address, there: Option<&Value>) -> Verdict {
        let wanted = group_path(&self.ground.quarantine);
        let hierarchy = match kept::<Hierarchy>(there) {
            Ok(hierarchy) => hierarchy,
            Err(unknown) => return unknown,
        };
        let exists = hierarchy.is_some();
        let born = hierarchy.and_then(|hierarchy| hierarchy.default_management_group);
        let is = |other: &str| born.as_ref().is_some_and(|id| id.eq_ignore_ascii_case(other));
        if is(&wanted) || is(&self.ground.quarantine) {
            return Verdict::Holds;
        }
        let elsewhere = born.filter(|id| {
            // The directory's root group is what Azure does by itself.
            !id.rsplit('/').next().unwrap_or_default().eq_ignore_ascii_case(&self.ground.directory)
        });
        let why = match &elsewhere {
            Some(id) => format!("new subscriptions are born in `{id}`, not in quarantine"),
            None => "new subscriptions are born at the directory's root, not in quarantine".to_owned(),
        };
        let deed = if exists { Deed::Update } else { Deed::Create };
        let mut change = Change::new(address, "bear", deed, why)
            .before(there.cloned())
            .after(json!({"defaultManagementGroup": wanted}))
            .at(Stage::Foundation);
        // Somebody chose that other group, and what is born tomorrow may live from its policies and roles.
        change.loses = elsewhere.is_some();
        change.needs.extend(self.pending(GROUP, &["found"]));
        Verdict::fails(change)
    }

    fn subscription(&self, want: &Settings, address: &Address, there: Option<&Value>) -> Verdict {
        let gate = match kept::<Gate>(there) {
            Ok(gate) => gate.unwrap_or_default(),
            Err(unknown) => return unknown,
        };
        match &self.desired.standing {
            Standing::New | Standing::Waiting => self.closed(want, address, &gate),
            Standing::HandedOver if gate.assignment.is_some() => Verdict::Fails {
                why: "handed over, but its gate is still closed".to_owned(),
                changes: vec![self.open(address, &gate)],
            },
            Standing::HandedOver => Verdict::Holds,
            Standing::Organization | Standing::Adopted | Standing::ReportOnly(_) => {
                Verdict::NotApplicable { why: "only new subscriptions are gated".to_owned() }
            }
        }
    }

    /// Before handover the gate is closed by an assignment that says what it should; it opens last, or not before it is named.
    fn closed(&self, want: &Settings, address: &Address, gate: &Gate) -> Verdict {
        let mut changes = Vec::new();
        if let Some((verb, deed, why)) = self.differs(gate.assignment.as_ref(), "its gate's assignment") {
            if gate.stands == Stands::Elsewhere {
                return reported(format!(
                    "it is new and stands in `{}`, outside the root group: it is not taken out of there; move it below the root, or let \
                     another Landfall look after that part",
                    gate.parent
                ));
            }
            if gate.stands == Stands::AtTheTop {
                let why = "it was not born below the root group, where its gate can be closed";
                let fetch = Change::new(address, "fetch", Deed::Update, why)
                    .before(Some(json(gate)))
                    .after(json!({"stands": Stands::BelowRoot}))
                    .at(Stage::Gate);
                changes.push(fetch);
            }
            let scope = format!("/subscriptions/{}", self.native());
            let mut assign = self.assign(address, verb, deed, &why, &scope).at(Stage::Gate);
            assign = assign.before(Some(json(gate))).after(json!({"assignment": self.assignment.held()}));
            assign.needs.extend(self.pending(DEFINITION, &["create"]));
            assign.needs.extend(changes.iter().map(|change| change.id.clone()));
            changes.push(assign);
        }
        let open = want.opens.then(|| {
            let mut open = self.open(address, gate);
            open.needs.extend(changes.last().map(|last| last.id.clone()));
            open
        });
        if changes.is_empty() {
            let why = match want.opens {
                true => "closed until its baseline holds",
                false => "stays closed until somebody names it",
            };
            return Verdict::Due { why: why.to_owned(), changes: open.into_iter().collect() };
        }
        let why = changes.iter().map(|change| change.reason.as_str()).collect::<Vec<_>>().join("; ");
        changes.extend(open);
        Verdict::Fails { why, changes }
    }

    fn open(&self, address: &Address, gate: &Gate) -> Change {
        let order =
            Order { id: self.assignment.id(&format!("/subscriptions/{}", self.native())), body: None };
        Change::new(address, "open", Deed::Delete, "its baseline holds")
            .before(Some(json(gate)))
            .after(json!({"assignment": null}))
            .with(json(&order))
            .at(Stage::Open)
    }

    fn native(&self) -> &str {
        self.desired.target.tenant().map_or("", |tenant| tenant.native())
    }
}

#[cfg(test)]
mod tests;
