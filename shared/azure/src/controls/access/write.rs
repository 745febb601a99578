//! Role assignments and definitions, made and taken away. Every name is derived, so that a repeat is the same.

use serde_json::{Value, json};

use landfall_model::plan::Change;

use super::{KIND, root_scope};
use crate::client::service::ROLES;
use crate::controls::lifted;
use crate::error::CallError;
use crate::session::Session;

pub(super) async fn write(session: &Session, change: &Change) -> Result<Value, CallError> {
    let named = |name: &str| change.with.as_ref().and_then(|with| with.get(name)).and_then(Value::as_str);
    // INVARIANT: the changes are ours, and each says what it writes.
    match (change.verb.as_str(), named("name"), named("role"), named("group"), named("description")) {
        ("assign", Some(name), Some(role), Some(group), Some(description)) => {
            assign(session, name, role, group, description).await
        }
        ("remove", Some(name), ..) => {
            let path =
                format!("{}/providers/Microsoft.Authorization/roleAssignments/{name}", session.scope());
            lifted::delete(session, &ROLES, &path).await.map(|()| Value::Null)
        }
        ("define", Some(id), _, _, Some(description)) => define(session, id, description, change).await,
        ("drop", Some(id), ..) => {
            let refused = |error: CallError| {
                match error.code() {
                Some("RoleDefinitionHasAssignments") => error.explained(
                    "somebody still holds it, and Azure deletes no role that is assigned: take the assignments away first",
                ),
                _ => error,
            }
            };
            session
                .client
                .delete(&ROLES, &definition(session, id))
                .await
                .map(|()| Value::Null)
                .map_err(refused)
        }
        _ => Err(CallError::NothingToWrite(KIND)),
    }
}

fn definition(session: &Session, id: &str) -> String {
    format!("{}/providers/Microsoft.Authorization/roleDefinitions/{id}", root_scope(&session.ground))
}

/// Gives a group a role. The principal's type is always said: without it a group that was made a moment ago is not found.
async fn assign(
    session: &Session,
    name: &str,
    role: &str,
    group: &str,
    description: &str,
) -> Result<Value, CallError> {
    let scope = session.scope();
    let body = json!({"properties": {
        "roleDefinitionId": format!("{scope}/providers/Microsoft.Authorization/roleDefinitions/{role}"),
        "principalId": group,
        "principalType": "Group",
        "description": description,
    }});
    let path = format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{name}");
    match session.client.put(&ROLES, &path, &body).await {
        Ok(_) => Ok(Value::Null),
        Err(error) => match error.code() {
            // Somebody made the same one under another name meanwhile: the group holds the role.
            Some("RoleAssignmentExists") => Ok(Value::Null),
            Some("PrincipalNotFound") => {
                Err(error.explained(format!("the directory has no group `{group}`, or does not show it yet")))
            }
            Some("UnmatchedPrincipalType") => Err(error.explained(format!("`{group}` is no group"))),
            Some("RoleDefinitionDoesNotExist") => Err(error.explained(
                "the role is not there, or not to be seen here yet: the manifest's own are made in the organization's run",
            )),
            _ => Err(error),
        },
    }
}

/// Makes a definition, or puts it right: what is written is the whole of it.
async fn define(session: &Session, id: &str, description: &str, change: &Change) -> Result<Value, CallError> {
    let Some(Value::Object(mut properties)) = change.after.clone() else {
        return Err(CallError::NothingToWrite(KIND));
    };
    properties.insert("description".to_owned(), json!(description));
    properties.insert("type".to_owned(), json!("CustomRole"));
    let body = json!({"name": id, "properties": properties});
    match session.client.put(&ROLES, &definition(session, id), &body).await {
        Ok(_) => Ok(Value::Null),
        Err(error) if error.code() == Some("RoleDefinitionWithSameNameExists") => {
            Err(error
                .explained("somebody else's role has the name already, and names are unique in a directory"))
        }
        Err(error) => Err(error),
    }
}
