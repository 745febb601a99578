//! What Identity Center has: a role's permission set, and a group's assignment in the account.

use serde::Deserialize;
use serde_json::{Value, json};

use landfall_engine::cloud::Sighting;
use landfall_model::observed::Seen;

use super::{Assignment, PermissionSet};
use crate::client::service::SSO_ADMIN;
use crate::controls::absent;
use crate::error::CallError;
use crate::session::Session;

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
    let Session { directory, ground, .. } = session;
    let home = session.home();
    let Some(instance) = directory.instance(home, &ground.management_account).await? else {
        return Ok(unseen(session));
    };
    let sets = directory.permission_sets(home, &instance).await?;
    let Some(arn) = sets.get(role) else { return Ok(Sighting { seen: Seen::Absent, request: None }) };
    let described = match directory.permission_set(home, &instance, arn).await {
        Ok(described) => described,
        Err(error) if is_gone(&error) => {
            directory.forget_permission_sets().await;
            return Ok(absent(&error));
        }
        Err(error) => return Err(error),
    };
    let length = match described.session_duration {
        Value::String(text) => text,
        Value::Number(seconds) => format!("PT{seconds}S"),
        // What Identity Center takes where nobody says.
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => "PT1H".to_owned(),
    };
    let said = |text: Option<String>| text.filter(|text| !text.is_empty());
    let set = PermissionSet {
        permission_set: arn.clone(),
        policies: directory.managed_policies(home, &instance, arn).await?,
        session: length,
        description: said(described.description),
        relay_state: said(described.relay_state),
        inline_policy: directory.has_inline_policy(home, &instance, arn).await?,
    };
    Ok(Sighting { seen: Seen::present(&set), request: described.request })
}

/// Whether a group holds a role in the account.
pub(super) async fn grant(session: &Session, role: &str, group: &str) -> Result<Sighting, CallError> {
    let Session { organization, directory, account, ground, .. } = session;
    let home = session.home();
    let Some(instance) = directory.instance(home, &ground.management_account).await? else {
        return Ok(unseen(session));
    };
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
