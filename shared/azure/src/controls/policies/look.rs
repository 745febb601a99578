//! What is assigned at a place, and which definitions of ours there are.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use landfall_engine::cloud::Sighting;
use landfall_model::id::Digest;
use landfall_model::observed::Seen;

use super::assignment::{self, Held};
use super::definition;
use super::{OURS, QUARANTINE};
use crate::client::service::{POLICY, Service};
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
) -> Result<Sighting, CallError> {
    let path = format!("{scope}/providers/Microsoft.Authorization/policyAssignments?$filter=atExactScope()");
    let mut seated = Seated::default();
    let request = each(session, &POLICY, &path, group, |assignment::Answer { name, properties }| {
        // The gate's own is looked after by `quarantine-gate`.
        if name.starts_with(OURS) {
            seated.assigned.insert(name, properties.into());
        } else if name != QUARANTINE {
            seated.others += 1;
        }
    })
    .await?;
    Ok(Sighting { seen: Seen::present(&seated), request })
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
