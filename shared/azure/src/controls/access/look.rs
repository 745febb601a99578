//! What Azure has: who holds which role on the subscription, and the definitions of the manifest's own roles.

use serde::Deserialize;
use serde_json::Value;

use landfall_engine::cloud::Sighting;
use landfall_model::desired::Desired;

use super::{Definition, Held, Holder, Owners, own_id, own_name, root_scope};
use crate::client::Reply;
use crate::client::service::ROLES;
use crate::controls::{absent, nothing, seen};
use crate::error::CallError;
use crate::session::Session;

#[derive(Deserialize)]
struct Assignment {
    name: String,
    #[serde(default)]
    properties: Properties,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Properties {
    role_definition_id: String,
    principal_id: String,
    principal_type: String,
    scope: String,
    description: Option<String>,
    condition: Option<String>,
}

impl Properties {
    /// The definition's own name; Azure writes its id below one scope or another.
    fn role(&self) -> String {
        self.role_definition_id.rsplit('/').next().unwrap_or_default().to_ascii_lowercase()
    }

    fn has_condition(&self) -> bool {
        self.condition.as_ref().is_some_and(|condition| !condition.is_empty())
    }
}

/// Every assignment that counts on the subscription: its own, and those it inherits.
async fn assignments(session: &Session) -> Result<(Reply, Vec<Assignment>), CallError> {
    let path =
        format!("{}/providers/Microsoft.Authorization/roleAssignments?$filter=atScope()", session.scope());
    let (reply, values) = session.client.list(&ROLES, &path).await?;
    let all = values.into_iter().map(serde_json::from_value).collect::<Result<_, _>>();
    let all = all.map_err(|error| reply.unreadable(error))?;
    Ok((reply, all))
}

/// Whether a group holds a role on the subscription itself.
pub(super) async fn grant(
    session: &Session,
    desired: &Desired,
    group: &str,
    azure: &str,
) -> Result<Sighting, CallError> {
    let role = match own_id(desired, azure) {
        Some(own) => Some(own),
        None => session.directory.role(&session.scope(), azure).await?,
    };
    let (reply, all) = assignments(session).await?;
    let Some(role) = role else { return Ok(seen(&reply, &Held::default())) };
    let found = all.into_iter().find(|Assignment { name: _, properties }| {
        properties.scope.eq_ignore_ascii_case(&session.scope())
            && properties.principal_id.eq_ignore_ascii_case(group)
            && properties.role() == role
    });
    let held = match found {
        None => Held { role: Some(role), ..Held::default() },
        Some(Assignment { name, properties }) => Held {
            role: Some(role),
            assigned: true,
            name: Some(name.to_ascii_lowercase()),
            condition: properties.has_condition(),
            description: properties.description.filter(|text| !text.is_empty()),
        },
    };
    Ok(seen(&reply, &held))
}

/// Everybody whose role lets them hand out rights on the subscription, or take its policies away, and everybody whose role may.
pub(super) async fn owners(session: &Session) -> Result<Sighting, CallError> {
    let (reply, all) = assignments(session).await?;
    let mut owners = Owners::default();
    for Assignment { name: _, properties } in all {
        let (id, condition) = (properties.role(), properties.has_condition());
        let Properties { principal_id, principal_type, scope, .. } = properties;
        let holder = |role: String| Holder {
            principal: principal_id.to_ascii_lowercase(),
            kind: principal_type,
            role,
            scope,
            condition,
        };
        match session.directory.rights(&session.scope(), &id).await? {
            Some(rights) if rights.ways_out => owners.holders.insert(holder(rights.name)),
            Some(_) => false,
            // That a role can't be read says nothing about what it lets people do.
            None => owners.unread.insert(holder(id)),
        };
    }
    Ok(seen(&reply, &owners))
}

#[derive(Deserialize)]
struct Answer {
    properties: Definition,
}

/// The definition of a role of the manifest.
pub(super) async fn definition(
    session: &Session,
    desired: &Desired,
    role: &str,
) -> Result<Sighting, CallError> {
    let Some(id) = own_id(desired, &own_name(desired, role)) else {
        return Err(CallError::NothingToWrite(super::KIND));
    };
    let path =
        format!("{}/providers/Microsoft.Authorization/roleDefinitions/{id}", root_scope(&session.ground));
    match session.get(&ROLES, &path).await {
        Ok(reply) if reply.value()? == Value::Null => Ok(nothing(&reply)),
        Ok(reply) => {
            let Answer { properties } = reply.json()?;
            Ok(seen(&reply, &properties))
        }
        Err(error) if error.is_not_found() => Ok(absent(&error)),
        Err(error) => Err(error),
    }
}
