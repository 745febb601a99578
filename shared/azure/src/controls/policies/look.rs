//! What is assigned at a place, and which definitions of ours there are.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use landfall_engine::cloud::Sighting;
use landfall_model::id::Digest;
use landfall_model::observed::Seen;

use super::assignment::{self, Assignment, Held, Identity};
use super::definition;
use super::grant::GIVEN;
use super::{OURS, QUARANTINE};
use crate::client::service::{POLICY, ROLES, Service};
use crate::directory::group_path;
use crate::error::CallError;
use crate::session::Session;

/// What is assigned directly at a place. The same before a group exists as just after.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Seated {
    /// Ours, by name.
    pub(super) assigned: BTreeMap<String, Held>,
    /// How many others there are.
    pub(super) others: usize,
    /// The roles by which assignments act, by the names of the role assignments. Looked at only where any acts.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) roles: BTreeMap<String, Given>,
}

/// A role that the identity of an assignment holds at the place itself, or that was given to one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Given {
    /// The last part of the role's id.
    pub(super) role: String,
    /// The object id of who holds it.
    pub(super) principal: String,
    /// Landfall gave it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) ours: bool,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) since: Option<Timestamp>,
}

impl Seated {
    /// The role by which an assignment of ours acts, where its identity holds it.
    pub(super) fn acting(&self, one: &Assignment) -> Option<(&Identity, &Given)> {
        let acts = one.acts.as_ref()?;
        let identity = self.assigned.get(&*one.name)?.identity.as_ref()?;
        let held = |given: &&Given| {
            given.principal.eq_ignore_ascii_case(&identity.principal)
                && given.role.eq_ignore_ascii_case(acts.role)
        };
        self.roles.values().find(held).map(|given| (identity, given))
    }
}

/// A role assignment as Azure answers it.
#[derive(Deserialize)]
struct RoleAnswer {
    name: String,
    #[serde(default)]
    properties: RoleProperties,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct RoleProperties {
    role_definition_id: String,
    principal_id: String,
    scope: String,
    description: Option<String>,
    condition: Option<String>,
    created_on: Option<Timestamp>,
}

/// The definitions at the root group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Kept {
    /// Ours, by name: the digest of what each says.
    pub(super) definitions: BTreeMap<String, Digest>,
    /// How many others there are.
    pub(super) others: usize,
}

/// Looks at what is assigned directly at a scope; what is inherited is looked at where it is.
pub(super) async fn place(
    session: &Session,
    scope: &str,
    group: Option<&str>,
    acting: bool,
) -> Result<Sighting, CallError> {
    let path = format!("{scope}/providers/Microsoft.Authorization/policyAssignments?$filter=atExactScope()");
    let mut seated = Seated::default();
    let mut request = each(session, &POLICY, &path, group, |answer: assignment::Answer| {
        // The gate's own is looked after by `quarantine-gate`.
        if answer.name.starts_with(OURS) {
            seated.assigned.insert(answer.name.clone(), answer.into());
        } else if answer.name != QUARANTINE {
            seated.others += 1;
        }
    })
    .await?;
    if acting || seated.assigned.values().any(|held| held.identity.is_some()) {
        request = roles(session, scope, group, &mut seated).await?.or(request);
    }
    Ok(Sighting { seen: Seen::present(&seated), request })
}

/// Looks at the roles by which assignments act, those that were given to an identity that is gone included.
async fn roles(
    session: &Session,
    scope: &str,
    group: Option<&str>,
    seated: &mut Seated,
) -> Result<Option<String>, CallError> {
    let path = format!("{scope}/providers/Microsoft.Authorization/roleAssignments?$filter=atScope()");
    let identities = seated.assigned.values().filter_map(|held| held.identity.as_ref());
    let identities: BTreeSet<String> = identities.map(|one| one.principal.to_ascii_lowercase()).collect();
    let given = &mut seated.roles;
    each(session, &ROLES, &path, group, |RoleAnswer { name, properties }| {
        let RoleProperties {
            role_definition_id,
            principal_id,
            scope: at,
            description,
            condition,
            created_on,
        } = properties;
        let ours = description.is_some_and(|text| text.starts_with(GIVEN));
        // One under a condition may not let it act.
        let whole = condition.is_none_or(|condition| condition.is_empty());
        let acts = whole && identities.contains(&principal_id.to_ascii_lowercase());
        if at.eq_ignore_ascii_case(scope) && (ours || acts) {
            let role = role_definition_id.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
            given.insert(name, Given { role, principal: principal_id, ours, since: created_on });
        }
    })
    .await
}

/// Looks at the definitions at the root group.
pub(super) async fn definitions(session: &Session) -> Result<Sighting, CallError> {
    let root = &session.ground.root;
    let path = format!(
        "{}/providers/Microsoft.Authorization/policyDefinitions?$filter=atExactScope()",
        group_path(root)
    );
    let mut kept = Kept::default();
    let request = each(session, &POLICY, &path, Some(root), |definition::Answer { name, properties }| {
        if super::ours::ours().iter().any(|ours| ours.name == name) {
            kept.definitions.insert(name, properties.digest());
        } else if name != QUARANTINE {
            kept.others += 1;
        }
    })
    .await?;
    Ok(Sighting { seen: Seen::present(&kept), request })
}

/// Takes each entry of a list, and answers the number of its last page. Where the scope is not there, nothing is; a management group
/// that does not exist is answered like one that may not be seen.
pub(super) async fn each<T: DeserializeOwned>(
    session: &Session,
    service: &Service,
    path: &str,
    group: Option<&str>,
    mut take: impl FnMut(T),
) -> Result<Option<String>, CallError> {
    match session.client.list(service, path).await {
        Ok((reply, values)) => {
            for value in values {
                take(serde_json::from_value(value).map_err(|error| reply.unreadable(error))?);
            }
            Ok(reply.request_id)
        }
        Err(error) if error.is_not_found() => Ok(error.request_id().map(str::to_owned)),
        Err(error) if error.is_denied() && group.is_some() => {
            let tree = session.directory.tree().await?;
            let unknown = group.is_some_and(|group| tree.group(group).is_none());
            if unknown { Ok(error.request_id().map(str::to_owned)) } else { Err(error) }
        }
        Err(error) => Err(error),
    }
}
