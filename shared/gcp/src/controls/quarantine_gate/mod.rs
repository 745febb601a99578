//! `quarantine-gate` on Google Cloud, row G10 and G7 on the project itself: an IAM deny policy, and a few organization policies.
//!
//! The deny policy judges who calls: everybody but Landfall, the bootstrap identities and break-glass. The organization policies judge
//! what is made, whoever makes it. Both are put on a new project before anything else, and taken away after everything else.
//!
//! Deny policies may be read five times a minute and written five times
//! (<https://cloud.google.com/iam/quotas>): they are looked at while the gate may have to be closed. A project that was handed over is
//! asked only as long as the ledger does not show that its gate was opened.

mod denied;
mod judge;
mod principals;
mod write;

pub(super) use judge::constrains;

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Control, Judge, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::quarantine_gate::Settings;
use landfall_model::desired::{Desired, Standing};
use landfall_model::judgement::Judgement;
use landfall_model::observed::{Address, Observed};
use landfall_model::plan::Change;
use landfall_model::target::Target;

use super::{Gcp, absent, seen};
use crate::client::service::{DENY, POLICY};
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};

const KIND: ControlKind = ControlKind::QuarantineGate;

/// The deny policy on the project.
const DENY_POLICY: &str = "deny-policy";
/// The policies on constraints, each below it.
const CONSTRAINTS: &str = "constraints";

/// The id of the deny policy.
const NAME: &str = "landfall-quarantine";

pub(super) struct QuarantineGate;

/// The project's deny policy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Gate {
    /// The project's number, by which Google's own accounts in it are named.
    number: String,
    /// The policy, where it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<Held>,
}

/// A deny policy as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Held {
    #[serde(skip_serializing_if = "String::is_empty")]
    etag: String,
    rules: Vec<Rule>,
}

/// Who may not do what, in Google's own names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Rule {
    denied_principals: BTreeSet<String>,
    exception_principals: BTreeSet<String>,
    denied_permissions: BTreeSet<String>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    exception_permissions: BTreeSet<String>,
    /// It denies only where a condition holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    denial_condition: Option<Value>,
}

/// As Google answers it.
#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    etag: String,
    #[serde(default)]
    rules: Vec<Ruled>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ruled {
    #[serde(default)]
    deny_rule: Rule,
}

impl From<Document> for Held {
    fn from(Document { etag, rules }: Document) -> Self {
        Held { etag, rules: rules.into_iter().map(|Ruled { deny_rule }| deny_rule).collect() }
    }
}

/// The policy on one constraint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Constrained {
    spec: Spec,
}

/// What it says, without what Google adds to it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    inherit_from_parent: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    reset: bool,
    rules: Vec<Value>,
}

fn address(resource: &str) -> Address {
    Address::global(KIND, resource)
}

fn of_constraint(constraint: &str) -> Address {
    address(&format!("{CONSTRAINTS}/{constraint}"))
}

/// The constraint of an address; nothing where it is the deny policy's.
fn constraint(at: &Address) -> Option<&str> {
    at.resource.strip_prefix(CONSTRAINTS).and_then(|rest| rest.strip_prefix('/'))
}

/// The collection of the project's deny policies. Its full resource name is one part of the path.
fn deny_policies(project: &str) -> String {
    format!("policies/cloudresourcemanager.googleapis.com%2Fprojects%2F{project}/denypolicies")
}

/// The project's deny policy of ours; nothing where there is none.
async fn look_deny_policy(session: &Session) -> Result<(Option<Held>, Option<String>), CallError> {
    let Session { client, project, .. } = session;
    match client.get(&DENY, &format!("{}/{NAME}", deny_policies(project))).await {
        Ok(reply) => Ok((Some(reply.json::<Document>()?.into()), reply.request_id)),
        Err(error) if error.is_not_found() => Ok((None, error.request_id().map(str::to_owned))),
        Err(error) => Err(error),
    }
}

#[async_trait]
impl Control for QuarantineGate {
    const KIND: ControlKind = KIND;
    const PERMISSIONS: Permissions = Permissions {
        read: &["iam.denypolicies.get", "orgpolicy.policy.get", "resourcemanager.projects.get"],
        write: &[
            "iam.denypolicies.create",
            "iam.denypolicies.delete",
            "iam.denypolicies.get",
            "iam.denypolicies.update",
            // IAM's operations have a permission of their own, which the roles for what they make do not hold:
            // <https://cloud.google.com/iam/docs/audit-logging>, `google.longrunning.Operations`.
            "iam.operations.get",
            "orgpolicy.policies.create",
            "orgpolicy.policies.delete",
            "orgpolicy.policy.get",
            "orgpolicy.policy.set",
        ],
    };

    type On = Gcp;
    type Want = Settings;

    fn addresses(&self, _: &Settings, desired: &Desired) -> Vec<Address> {
        match (&desired.target, &desired.standing) {
            (Target::Tenant(_), Standing::New | Standing::Waiting) => judge::closing(desired)
                .map(|(constraint, _)| of_constraint(constraint))
                .chain([address(DENY_POLICY)])
                .collect(),
            (Target::Tenant(_), Standing::HandedOver) => judge::left_closed(desired).cloned().collect(),
            (Target::Organization(_), _)
            | (Target::Tenant(_), Standing::Organization | Standing::Adopted | Standing::ReportOnly(_)) => {
                Vec::new()
            }
        }
    }

    async fn look(&self, reader: &Reader, _: &Desired, at: &Address) -> Result<Sighting, CallError> {
        let session = &reader.0;
        let Session { client, project, directory, .. } = session;
        match constraint(at) {
            Some(constraint) => {
                match client.get(&POLICY, &format!("projects/{project}/policies/{constraint}")).await {
                    Ok(reply) => Ok(seen(&reply, &reply.json::<Constrained>()?)),
                    Err(error) if error.is_not_found() => Ok(absent(&error)),
                    Err(error) => Err(error),
                }
            }
            None => {
                let number = directory.project(project).await?.number().to_owned();
                let (policy, request) = look_deny_policy(session).await?;
                Ok(Sighting {
                    seen: landfall_model::observed::Seen::present(&Gate { number, policy }),
                    request,
                })
            }
        }
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        write::write(&writer.0, change).await
    }
}

impl Judge for QuarantineGate {
    fn judge(&self, want: &Settings, desired: &Desired, observed: &Observed) -> Vec<Judgement> {
        judge::judge(want, desired, observed)
    }
}
