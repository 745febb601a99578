//! Role definitions: their ids by name, and which of them let people open a gate from inside.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use landfall_engine::remembered::NAMES;

use crate::client::Client;
use crate::client::service::ROLES;
use crate::error::CallError;

/// Operations by which somebody inside a subscription gets out of a policy that is on it: they hand out rights, or change, remove or
/// exempt from policies.
const WAYS_OUT: [&str; 4] = [
    "Microsoft.Authorization/roleAssignments/write",
    "Microsoft.Authorization/policyAssignments/write",
    "Microsoft.Authorization/policyAssignments/delete",
    "Microsoft.Authorization/policyExemptions/write",
];

/// What is known of the directory's roles. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Roles {
    ids: Kept<String>,
    rights: Kept<Rights>,
}

type Kept<T> = Arc<Mutex<BTreeMap<String, (Instant, T)>>>;

/// What a role lets its holders do, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rights {
    /// Its name.
    pub(crate) name: String,
    /// Whether its holders can get out of the policies of the place where they hold it.
    pub(crate) ways_out: bool,
}

#[derive(Deserialize)]
struct Definition {
    name: String,
    #[serde(default)]
    properties: Properties,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Properties {
    role_name: String,
    permissions: Vec<Permission>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Permission {
    actions: Vec<String>,
    not_actions: Vec<String>,
}

impl Permission {
    fn allows(&self, operation: &str) -> bool {
        let any = |patterns: &[String]| patterns.iter().any(|pattern| matches(pattern, operation));
        any(&self.actions) && !any(&self.not_actions)
    }
}

impl Roles {
    pub(super) async fn forget(&self) {
        self.ids.lock().await.clear();
        self.rights.lock().await.clear();
    }

    /// The id of a role by its name. That there is none is not kept: somebody may be about to make it.
    pub(super) async fn id(
        &self,
        client: &Client,
        scope: &str,
        name: &str,
    ) -> Result<Option<String>, CallError> {
        if let Some(known) = known(&self.ids, name).await {
            return Ok(Some(known));
        }
        // OData doubles a quote within quotes.
        let filter: String = url::form_urlencoded::byte_serialize(
            format!("roleName eq '{}'", name.replace('\'', "''")).as_bytes(),
        )
        .collect();
        let path = format!("{scope}/providers/Microsoft.Authorization/roleDefinitions?$filter={filter}");
        let (reply, found) = client.list(&ROLES, &path).await?;
        let mut id = None;
        for value in found {
            let Definition { name: guid, properties } =
                serde_json::from_value(value).map_err(|error| reply.unreadable(error))?;
            // Whatever the filter means by equal, another role is not the one that was asked for.
            if properties.role_name.eq_ignore_ascii_case(name) {
                id = Some(guid.to_ascii_lowercase());
            }
        }
        if let Some(id) = &id {
            keep(&self.ids, name, id.clone()).await;
        }
        Ok(id)
    }

    /// What a role may do; nothing where Azure does not show the role, which is not kept: one that was made a moment ago shows later.
    pub(super) async fn rights(
        &self,
        client: &Client,
        scope: &str,
        id: &str,
    ) -> Result<Option<Rights>, CallError> {
        if let Some(known) = known(&self.rights, id).await {
            return Ok(Some(known));
        }
        let path = format!("{scope}/providers/Microsoft.Authorization/roleDefinitions/{id}");
        let rights = match client.get(&ROLES, &path).await {
            Ok(reply) => {
                let Definition { name: _, properties } = reply.json()?;
                let Properties { role_name: name, permissions } = properties;
                let ways_out =
                    WAYS_OUT.iter().any(|way| permissions.iter().any(|permission| permission.allows(way)));
                Rights { name, ways_out }
            }
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error),
        };
        keep(&self.rights, id, rights.clone()).await;
        Ok(Some(rights))
    }
}

async fn known<T: Clone>(kept: &Kept<T>, key: &str) -> Option<T> {
    let kept = kept.lock().await;
    kept.get(key).filter(|(since, _)| since.elapsed() < NAMES).map(|(_, value)| value.clone())
}

async fn keep<T>(kept: &Kept<T>, key: &str, value: T) {
    kept.lock().await.insert(key.to_owned(), (Instant::now(), value));
}

/// Whether an operation is among those that a pattern names, in which `*` stands for any text. Azure compares without case.
fn matches(pattern: &str, operation: &str) -> bool {
    let (pattern, operation) = (pattern.to_ascii_lowercase(), operation.to_ascii_lowercase());
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == operation };
    let Some(mut left) = operation.strip_prefix(head) else { return false };
    let (middle, tail) = rest.rsplit_once('*').unwrap_or(("", rest));
    // The earliest place of each part leaves the most for those after it.
    for part in middle.split('*') {
        let Some((_, after)) = left.split_once(part) else { return false };
        left = after;
    }
    left.ends_with(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, expected) in [
            ("a/b/c", true),
            ("A/B/C", true),
            ("*", true),
            ("a/*", true),
            ("*/c", true),
            ("a/*/c", true),
            ("*b*", true),
            ("**", true),
            ("a*b*c", true),
            ("a/b/c*", true),
            ("a/b", false),
            ("b/*", false),
            ("*/b", false),
            ("*c*b*", false),
            ("a/b/c*c", false),
        ] {
            assert_eq!(matches(pattern, "a/b/c"), expected, "{pattern}");
        }
    }

    #[test]
    fn a_role_lets_people_out_where_a_pattern_names_the_way_and_none_takes_it_out() {
        let lets_out = |actions: &[&str], not_actions: &[&str]| {
            let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
            let permission = Permission { actions: texts(actions), not_actions: texts(not_actions) };
            WAYS_OUT.iter().any(|way| permission.allows(way))
        };
        let contributor = [
            "Microsoft.Authorization/*/Delete",
            "Microsoft.Authorization/*/Write",
            "Microsoft.Authorization/elevateAccess/Action",
        ];
        for (name, actions, not_actions, expected) in [
            ("Owner", &["*"][..], &[][..], true),
            ("Contributor", &["*"], &contributor, false),
            ("Reader", &["*/read"], &[], false),
            ("User Access Administrator", &["*/read", "Microsoft.Authorization/*"], &[], true),
            (
                "Resource Policy Contributor",
                &["*/read", "Microsoft.Authorization/policyassignments/*"],
                &[],
                true,
            ),
            ("delegated", &["Microsoft.Authorization/roleAssignments/write"], &[], true),
            ("read only", &["Microsoft.Authorization/*/read"], &[], false),
            ("all writes", &["*/write"], &[], true),
        ] {
            assert_eq!(lets_out(actions, not_actions), expected, "{name}");
        }
    }
}
