//! `policies` on AWS: service control policies on units and accounts, rows O5 and A35.
//!
//! ```text
//! what a place asks ─► statements ─► documents ─► compared with what is attached ─► changes
//!                      compile       pack         judge
//! ```
//!
//! Ours are the policies whose names begin with `landfall-`; those of others are counted, because slots are few, and never touched.

mod carried;
mod compile;
mod judge;
mod look;
mod pack;
mod quota;

pub(super) use carried::InPolicies;
pub(super) use look::{attached, describe};
pub use pack::Document;

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Control, Judge, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::policies::{At, Point, Settings};
use landfall_model::desired::Desired;
use landfall_model::judgement::Judgement;
use landfall_model::observed::{Address, Observed};
use landfall_model::plan::{Change, ChangeId};

use super::{Aws, done, ground};
use crate::client::protocol::Reply;
use crate::directory::organizations;
use crate::endpoint::Partition;
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};
use quota::Quota;

const KIND: ControlKind = ControlKind::Policies;

/// How the names of our policies begin.
const OURS: &str = "landfall-";

/// The policy that closes a new account; `quarantine-gate` looks after it.
pub(super) const QUARANTINE: &str = "landfall-quarantine";

/// What people who find one of our policies read.
const DESCRIPTION: &str =
    "Made by Landfall from the organization's manifest. A change made by hand is put back.";

pub(super) struct Policies;

/// The documents of every place that carries policies, and the one that closes a new account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Compiled {
    /// By the unit's path or the account's id: the documents in order, or what is wrong.
    pub places: BTreeMap<String, Result<Vec<Document>, String>>,
    /// The policy that closes a new account.
    pub quarantine: Result<Document, String>,
}

/// What is desired of a target, as service control policies. The judges of our tests evaluate these.
pub fn compiled(desired: &Desired) -> Compiled {
    let places = points(desired);
    Compiled {
        places: places.iter().map(|point| (resource(&point.at), documents(point, desired))).collect(),
        quarantine: quarantine(desired),
    }
}

/// The policy that denies everything to everybody who is not spared.
pub(super) fn quarantine(desired: &Desired) -> Result<Document, String> {
    let statements = vec![compile::everything()];
    let packed = pack::pack(QUARANTINE, statements, &compile::spared_by(desired), quota(desired));
    let documents = packed.map_err(|error| error.to_string())?;
    let document = documents.into_iter().next().ok_or("there is nothing to deny")?;
    Ok(Document { name: QUARANTINE.to_owned(), ..document })
}

/// The documents of one place.
fn documents(point: &Point, desired: &Desired) -> Result<Vec<Document>, String> {
    let home = compile::Home::of(ground(desired).ok_or("the target is not on AWS")?);
    let spared = compile::spared_by(desired);
    let statements = compile::statements(point, &home, &spared)?;
    pack::pack(&pack::base(&resource(&point.at)), statements, &spared, quota(desired))
        .map_err(|error| error.to_string())
}

fn quota(desired: &Desired) -> Quota {
    let region = ground(desired).map_or("", |ground| ground.home_region.as_str());
    Quota::of(Partition::of_region(region))
}

/// The places that the target's own asking names.
fn points(desired: &Desired) -> Vec<Point> {
    let settings = desired.asked(KIND).and_then(|asked| asked.want::<Settings>().ok());
    settings.map(|settings| settings.points).unwrap_or_default()
}

/// What a place is called in addresses and names.
fn resource(at: &At) -> String {
    match at {
        At::Unit(path) => path.as_str().to_owned(),
        At::Tenant(tenant) => tenant.native().to_owned(),
    }
}

fn address(at: &At) -> Address {
    Address::global(KIND, resource(at))
}

/// Why a place needs no look: no call is made for an account that asks for nothing and never carried anything of ours.
fn idle(point: &Point, desired: &Desired) -> Option<&'static str> {
    let At::Tenant(tenant) = &point.at else { return None };
    if ground(desired).is_some_and(|ground| ground.management_account == tenant.native()) {
        return Some(UNBOUND);
    }
    (point.asks.is_empty() && !desired.record.made.contains(&address(&point.at))).then_some(NOTHING)
}

/// Why an account that asks for nothing itself carries nothing.
const NOTHING: &str = "nothing is asked of it beyond what its units ask";

/// Why no policy is looked for where the target is the management account.
const UNBOUND: &str = "service control policies do not bind the management account";

#[async_trait]
impl Control for Policies {
    const KIND: ControlKind = KIND;
    const PERMISSIONS: Permissions = Permissions {
        read: &[
            "organizations:DescribePolicy",
            "organizations:ListOrganizationalUnitsForParent",
            "organizations:ListPolicies",
            "organizations:ListPoliciesForTarget",
            "organizations:ListRoots",
        ],
        write: &[
            "organizations:AttachPolicy",
            "organizations:CreatePolicy",
            "organizations:DeletePolicy",
            "organizations:DetachPolicy",
            "organizations:UpdatePolicy",
        ],
    };

    type On = Aws;
    type Want = Settings;

    fn addresses(&self, want: &Settings, desired: &Desired) -> Vec<Address> {
        let looked_at = want.points.iter().filter(|point| idle(point, desired).is_none());
        looked_at.map(|point| address(&point.at)).collect()
    }

    async fn look(&self, reader: &Reader, desired: &Desired, at: &Address) -> Result<Sighting, CallError> {
        look::look(&reader.0, desired, &at.resource).await
    }

    async fn write(&self, writer: &Writer, change: &Change, made: &Made) -> Result<Value, CallError> {
        write(&writer.0, change, made).await
    }
}

impl Judge for Policies {
    fn judge(&self, want: &Settings, desired: &Desired, observed: &Observed) -> Vec<Judgement> {
        let quiet = |point: &&Point| idle(point, desired) == Some(NOTHING);
        let (quiet, told): (Vec<&Point>, Vec<&Point>) = want.points.iter().partition(quiet);
        // That a tenant asks for nothing itself is worth a line only where there is no other.
        let told = if told.is_empty() { quiet } else { told };
        told.into_iter().map(|point| judge::point(point, desired, observed)).collect()
    }
}

/// What a write is told beside what it leaves behind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Order {
    /// The policy's name.
    pub(super) name: String,
    /// Its id; one that is made by a change before comes from there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
    /// The change that makes it, where it does not exist yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) made_by: Option<ChangeId>,
    /// Where it is attached or detached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) target_id: Option<String>,
    /// The change that makes that unit, where it does not exist yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) target_made_by: Option<ChangeId>,
    /// Its document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content: Option<String>,
}

/// One write of a service control policy; `quarantine-gate` writes its own in the same way.
pub(super) async fn write(session: &Session, change: &Change, made: &Made) -> Result<Value, CallError> {
    let Session { organization, directory, .. } = session;
    // INVARIANT: the orders are ours. One that can't be read asks for nothing that AWS would do.
    let order: Order =
        change.with.clone().and_then(|with| serde_json::from_value(with).ok()).unwrap_or_default();
    let new = |by: &Option<ChangeId>| -> Option<String> {
        made.get(by.as_ref()?)?.get("Id")?.as_str().map(str::to_owned)
    };
    let id = order.id.clone().or_else(|| new(&order.made_by));
    let target = order.target_id.clone().or_else(|| new(&order.target_made_by));
    let verb = change.verb.split('-').next().unwrap_or_default();
    match verb {
        "create" => return create(session, &order).await,
        "update" => {
            update(session, id.as_deref(), &order).await?;
        }
        "attach" => {
            let body = json!({"PolicyId": id, "TargetId": target});
            let answer = organizations(organization, "AttachPolicy", body).await;
            done(answer, &["DuplicatePolicyAttachmentException"])?;
        }
        "detach" => {
            let body = json!({"PolicyId": id, "TargetId": target});
            let answer = organizations(organization, "DetachPolicy", body).await;
            done(
                answer,
                &["PolicyNotAttachedException", "PolicyNotFoundException", "TargetNotFoundException"],
            )?;
        }
        "delete" => {
            let answer = organizations(organization, "DeletePolicy", json!({"PolicyId": id})).await;
            directory.forget_policies().await;
            done(answer, &["PolicyNotFoundException"])?;
        }
        _ => return Err(CallError::NothingToWrite(change.address.control)),
    }
    Ok(json!({"Id": id}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Created {
    policy: CreatedPolicy,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreatedPolicy {
    policy_summary: CreatedSummary,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreatedSummary {
    id: String,
}

async fn create(session: &Session, order: &Order) -> Result<Value, CallError> {
    let Session { organization, directory, .. } = session;
    let body = json!({
        "Name": order.name,
        "Description": DESCRIPTION,
        "Content": order.content,
        "Type": "SERVICE_CONTROL_POLICY",
    });
    let answer = organizations(organization, "CreatePolicy", body).await;
    directory.forget_policies().await;
    let id = match answer {
        Ok(reply) => reply.json::<Created>()?.policy.policy_summary.id,
        // Made meanwhile, perhaps from another manifest: it gets our document all the same.
        Err(error) if error.code() == Some("DuplicatePolicyException") => {
            let Some(id) = directory.policy_named(&order.name).await? else { return Err(error) };
            update(session, Some(&id), order).await?;
            id
        }
        Err(error) => return Err(error),
    };
    Ok(json!({"Id": id}))
}

async fn update(session: &Session, id: Option<&str>, order: &Order) -> Result<Reply, CallError> {
    let body = json!({"PolicyId": id, "Content": order.content});
    organizations(&session.organization, "UpdatePolicy", body).await
}
