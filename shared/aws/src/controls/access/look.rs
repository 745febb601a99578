//! What Identity Center has: a role's permission set, and a group's assignment in the account.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use landfall_engine::cloud::Sighting;
use landfall_model::observed::Seen;

use super::{Assignment, PermissionSet};
use crate::client::service::SSO_ADMIN;
use crate::controls::{absent, seen};
use crate::error::CallError;
use crate::session::Session;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    permission_set: Set,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Set {
    /// Text. An emulator that was never told one answers with a number of seconds, so anything is read.
    #[serde(default)]
    session_duration: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Managed {
    #[serde(default)]
    attached_managed_policies: Vec<Policy>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Policy {
    #[serde(default)]
    arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Assignments {
    #[serde(default)]
    account_assignments: Vec<One>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct One {
    #[serde(default)]
    principal_type: String,
    #[serde(default)]
    principal_id: String,
}

fn unseen(session: &Session) -> Sighting {
    let why = format!("IAM Identity Center is not set up in `{}`", session.home());
    Sighting { seen: Seen::Unreadable(why), request: None }
}

fn is_gone(error: &CallError) -> bool {
    error.code() == Some("ResourceNotFoundException")
}

/// A role's permission set.
pub(super) async fn set(session: &Session, role: &str) -> Result<Sighting, CallError> {
    let Session { organization, directory, .. } = session;
    let home = session.home();
    let Some(instance) = directory.instance(home).await? else { return Ok(unseen(session)) };
    let sets = directory.permission_sets(home, &instance).await?;
    let Some(arn) = sets.get(role) else { return Ok(Sighting { seen: Seen::Absent, request: None }) };
    let body = json!({"InstanceArn": instance.arn, "PermissionSetArn": arn});
    let reply = match organization.json(&SSO_ADMIN, home, "DescribePermissionSet", body.clone()).await {
        Ok(reply) => reply,
        Err(error) if is_gone(&error) => {
            directory.forget_permission_sets().await;
            return Ok(absent(&error));
        }
        Err(error) => return Err(error),
    };
    let Described { permission_set: Set { session_duration } } = reply.json()?;
    let operation = "ListManagedPoliciesInPermissionSet";
    let mut policies = BTreeSet::new();
    for page in organization.json_pages(&SSO_ADMIN, home, operation, body).await? {
        let Managed { attached_managed_policies } = page.json()?;
        policies.extend(attached_managed_policies.into_iter().map(|policy| policy.arn));
    }
    let length = match session_duration {
        Value::String(text) => text,
        Value::Number(seconds) => format!("PT{seconds}S"),
        // What Identity Center takes where nobody says.
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => "PT1H".to_owned(),
    };
    Ok(seen(&reply, &PermissionSet { permission_set: arn.clone(), policies, session: length }))
}

/// Whether a group holds a role in the account.
pub(super) async fn grant(session: &Session, role: &str, group: &str) -> Result<Sighting, CallError> {
    let Session { organization, directory, account, .. } = session;
    let home = session.home();
    let Some(instance) = directory.instance(home).await? else { return Ok(unseen(session)) };
    let id = directory.group(home, &instance, group).await?;
    let sets = directory.permission_sets(home, &instance).await?;
    let mut assignment = Assignment { group: id, assigned: false };
    let (Some(arn), Some(id)) = (sets.get(role), &assignment.group) else {
        return Ok(Sighting { seen: Seen::present(&assignment), request: None });
    };
    let body = json!({"InstanceArn": instance.arn, "AccountId": account, "PermissionSetArn": arn});
    match organization.json_pages(&SSO_ADMIN, home, "ListAccountAssignments", body).await {
        Ok(pages) => {
            let mut request = None;
            for page in pages {
                let Assignments { account_assignments } = page.json()?;
                let holds = |one: &One| one.principal_type == "GROUP" && &one.principal_id == id;
                assignment.assigned |= account_assignments.iter().any(holds);
                request = page.request_id;
            }
            Ok(Sighting { seen: Seen::present(&assignment), request })
        }
        Err(error) if is_gone(&error) => {
            directory.forget_permission_sets().await;
            directory.forget_group(group).await;
            Ok(Sighting { seen: Seen::present(&assignment), request: error.request_id().map(str::to_owned) })
        }
        Err(error) => Err(error),
    }
}
