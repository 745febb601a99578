//! The role by which an assignment acts, given to its identity: <https://learn.microsoft.com/azure/governance/policy/how-to/remediate-resources>,
//! "Grant permissions to the managed identity". Only the portal does that by itself.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use landfall_engine::cloud::Made;
use landfall_model::plan::ChangeId;

use super::{KIND, PAUSE, TRIES};
use crate::client::service::ROLES;
use crate::controls::access::derived;
use crate::error::CallError;
use crate::session::Session;

/// How the descriptions of these role assignments begin. What is described otherwise is not ours.
pub(super) const GIVEN: &str = "Made by Landfall for the policy assignment ";

/// What the write is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Grant {
    /// Where the policy is assigned.
    pub(super) scope: String,
    /// The last part of the role's id.
    pub(super) role: String,
    /// The assignment's name.
    pub(super) assignment: String,
    /// The identity's object id, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) principal: Option<String>,
    /// The change that makes it, where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) made_by: Option<ChangeId>,
}

/// The path of a role assignment.
pub(super) fn path(scope: &str, name: &str) -> String {
    format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{name}")
}

/// Gives the role. The name is derived, so that a second write is the same; another identity is another name, because Azure lets nobody
/// change whom an assignment is about.
pub(super) async fn give(session: &Session, grant: &Grant, made: &Made) -> Result<Value, CallError> {
    let Grant { scope, role, assignment, principal, made_by } = grant;
    let new = made_by.as_ref().and_then(|change| made.get(change)?.get("principal")?.as_str());
    let Some(principal) = new.or(principal.as_deref()) else { return Err(CallError::NothingToWrite(KIND)) };
    // The principal's type is always said: without it an identity that was made a moment ago is not found.
    let body = json!({"properties": {
        "roleDefinitionId": format!("/providers/Microsoft.Authorization/roleDefinitions/{role}"),
        "principalId": principal,
        "principalType": "ServicePrincipal",
        "description": format!("{GIVEN}{assignment}, which acts by it."),
    }});
    let path = path(scope, &derived(&[scope, principal, role]));
    let mut tries = 0;
    loop {
        match session.client.put(&ROLES, &path, &body).await {
            Ok(_) => return Ok(Value::Null),
            Err(error) => match error.code() {
                // Somebody gave it under another name meanwhile: the identity holds the role.
                Some("RoleAssignmentExists") => return Ok(Value::Null),
                Some("PrincipalNotFound") if tries < TRIES => tries += 1,
                Some("PrincipalNotFound") => {
                    return Err(error.explained(format!(
                        "the directory does not show the identity of `{assignment}` yet; the next run goes on"
                    )));
                }
                Some("RequestDisallowedByPolicy") => {
                    return Err(error.explained(
                        "a policy keeps roles from being given here; Landfall's own gate does until the subscription is handed over",
                    ));
                }
                _ => return Err(error),
            },
        }
        session.client.rest(PAUSE).await;
    }
}

#[cfg(test)]
mod tests;
