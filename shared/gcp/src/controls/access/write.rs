//! Members of bindings and definitions of roles, made and taken away. A second write is the same as the first.

use serde::Deserialize;
use serde_json::{Value, json};

use landfall_model::plan::Change;

use super::{KIND, member};
use crate::client::service::{IAM, RESOURCES};
use crate::controls::iam_policy::{self, Part};
use crate::error::CallError;
use crate::session::Session;

/// How often a definition is read again because somebody else wrote meanwhile.
const TURNS: usize = 5;

pub(super) async fn write(session: &Session, change: &Change) -> Result<Value, CallError> {
    let named = |name: &str| change.with.as_ref().and_then(|with| with.get(name)).and_then(Value::as_str);
    // INVARIANT: the changes are ours, and each says what it writes.
    match (change.verb.as_str(), named("group"), named("role"), &change.after) {
        ("grant", Some(group), Some(role), _) => {
            let member = member(group);
            bind(session, |policy| policy.give(role, &member)).await.map_err(|error| match error.number() {
                Some(400) => error.explained(
                    "the group or the role is not there, or the role can't be given on a project: the manifest's own roles are made in the organization's run",
                ),
                _ => error,
            })?;
        }
        ("revoke", Some(group), Some(role), _) => {
            let member = member(group);
            bind(session, |policy| policy.take(role, &member)).await?;
        }
        ("define", _, Some(role), Some(after)) => define(session, role, named("description"), after).await?,
        ("drop", _, Some(role), _) => drop_role(session, role).await?,
        _ => return Err(CallError::NothingToWrite(KIND)),
    }
    Ok(Value::Null)
}

async fn bind(session: &Session, edit: impl Fn(&mut iam_policy::Policy) -> bool) -> Result<(), CallError> {
    iam_policy::change(&session.client, &RESOURCES, &session.scope(), Part::Bindings, edit).await
}

/// A role as it is, as far as a write needs it.
#[derive(Deserialize)]
struct Kept {
    #[serde(default)]
    etag: String,
    #[serde(default)]
    deleted: bool,
}

async fn kept(session: &Session, name: &str) -> Result<Option<Kept>, CallError> {
    match session.client.get(&IAM, name).await {
        Ok(reply) => reply.json().map(Some),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Makes a definition, or puts it right; one that was deleted a few days ago is taken back under its name.
async fn define(
    session: &Session,
    name: &str,
    description: Option<&str>,
    after: &Value,
) -> Result<(), CallError> {
    let Some((parent, id)) = name.rsplit_once('/') else { return Err(CallError::NothingToWrite(KIND)) };
    let Some(said) = after.as_object() else { return Err(CallError::NothingToWrite(KIND)) };
    let client = &session.client;
    let mut turn = 0;
    loop {
        let mut role = said.clone();
        role.insert("description".to_owned(), json!(description));
        let answer = match kept(session, name).await? {
            None => client.post(&IAM, parent, &json!({"roleId": id, "role": role})).await,
            Some(Kept { etag, deleted: true }) => {
                let undeleted = client.post(&IAM, &format!("{name}:undelete"), &json!({"etag": etag})).await;
                match undeleted {
                    // What it says is put right next.
                    Ok(_) => continue,
                    refused => refused,
                }
            }
            Some(Kept { etag, deleted: false }) => {
                role.insert("etag".to_owned(), json!(etag));
                let mask = "title,description,includedPermissions,stage";
                client.patch(&IAM, &format!("{name}?updateMask={mask}"), &Value::Object(role)).await
            }
        };
        match answer {
            Ok(_) => return Ok(()),
            Err(error) if (error.is_conflict() || error.is_there_already()) && turn < TURNS => turn += 1,
            Err(error) => return Err(error),
        }
    }
}

async fn drop_role(session: &Session, name: &str) -> Result<(), CallError> {
    match kept(session, name).await? {
        None | Some(Kept { deleted: true, .. }) => Ok(()),
        Some(Kept { deleted: false, .. }) => session.client.delete(&IAM, name).await.map(drop),
    }
}
