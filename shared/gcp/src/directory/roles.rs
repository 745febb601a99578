//! Which roles let people open a gate from inside.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use landfall_engine::remembered::NAMES;

use crate::client::Client;
use crate::client::service::IAM;
use crate::error::CallError;

/// Permissions by which somebody gets out of a project's gate: they take away its policies, or hand out the rights to.
const WAYS_OUT: [&str; 8] = [
    "iam.denypolicies.delete",
    "iam.denypolicies.update",
    "orgpolicy.policies.delete",
    "orgpolicy.policies.update",
    "orgpolicy.policy.set",
    "resourcemanager.folders.setIamPolicy",
    "resourcemanager.organizations.setIamPolicy",
    "resourcemanager.projects.setIamPolicy",
];

/// What is known of roles, by their names. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Roles(Arc<Mutex<BTreeMap<String, (Instant, bool)>>>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Role {
    #[serde(default)]
    included_permissions: Vec<String>,
    #[serde(default)]
    deleted: bool,
}

impl Roles {
    pub(super) async fn forget(&self) {
        self.0.lock().await.clear();
    }

    /// Whether a role (`roles/owner`, `organizations/1/roles/x`) lets its holders out; nothing where it may not be read or is not
    /// there, which is not kept.
    pub(super) async fn ways_out(&self, client: &Client, name: &str) -> Result<Option<bool>, CallError> {
        let known = self.0.lock().await.get(name).copied();
        if let Some((since, ways_out)) = known
            && since.elapsed() < NAMES
        {
            return Ok(Some(ways_out));
        }
        let Role { included_permissions, deleted } = match client.get(&IAM, name).await {
            Ok(reply) => reply.json()?,
            Err(error) if error.is_not_found() || error.is_denied() => return Ok(None),
            Err(error) => return Err(error),
        };
        let lets_out = |permission: &String| WAYS_OUT.contains(&permission.as_str());
        let ways_out = !deleted && included_permissions.iter().any(lets_out);
        self.0.lock().await.insert(name.to_owned(), (Instant::now(), ways_out));
        Ok(Some(ways_out))
    }
}
