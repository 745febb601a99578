//! `access` on Azure: role assignments on the subscription, rows Z11 and Z12.
//!
//! Each group that is granted an Azure role is one setting, `access/<group>/<Azure role>`: one role assignment, whose name is derived
//! from scope, group and role, so that a second write is the same. Whoever could open a gate from inside is another, `access/owners`.
//! A role of the manifest that says what it may do has a definition of its own, `access/roles/<role>`: one for the whole directory,
//! and made in the organization's own target.

mod judge;
mod look;
#[cfg(test)]
mod wire;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Control, Judge, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::access::Settings;
use landfall_model::desired::Desired;
use landfall_model::judgement::Judgement;
use landfall_model::manifest::AzureCloud;
use landfall_model::observed::{Address, Observed};
use landfall_model::plan::Change;
use landfall_model::target::Target;

use super::{Azure, ground};
use crate::error::CallError;
use crate::session::{Reader, Writer};

const KIND: ControlKind = ControlKind::Access;

pub(super) struct Access;

/// Names of role assignments and ids of role definitions are derived in this namespace.
const NAMESPACE: Uuid = Uuid::from_u128(0x6c61_6e64_6661_4c6c_8a7a_757a_7572_6501);

/// How the descriptions of what Landfall makes begin.
const MARK: &str = "Made by Landfall";

const OWNERS: &str = "owners";
const ROLES: &str = "roles";

/// Whether a group holds a role by an assignment on the subscription itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Held {
    /// The id of the role's definition; nothing where there is no such role.
    role: Option<String>,
    assigned: bool,
    /// The assignment's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// It holds only where a condition does.
    condition: bool,
}

/// Everybody who could open a gate from inside.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Owners {
    holders: BTreeSet<Holder>,
    /// Those who hold a role that could not be read, with its id.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    unread: BTreeSet<Holder>,
}

/// Somebody who holds a role that lets them out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Holder {
    /// The object id.
    principal: String,
    /// `User`, `Group` or `ServicePrincipal`.
    kind: String,
    /// The role's name; its id where it could not be read.
    role: String,
    /// Where they hold it: the subscription, a management group above it, or `/`.
    scope: String,
    /// They hold it only where a condition does.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    condition: bool,
}

/// A role definition, as far as the manifest says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Definition {
    role_name: String,
    assignable_scopes: BTreeSet<String>,
    permissions: Vec<Permission>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Permission {
    actions: BTreeSet<String>,
    not_actions: BTreeSet<String>,
    data_actions: BTreeSet<String>,
    not_data_actions: BTreeSet<String>,
}

/// A group that is asked to hold an Azure role, whichever roles of the manifest give it.
#[derive(Debug)]
struct Grant<'a> {
    group: &'a str,
    /// The Azure role's name.
    azure: String,
    /// The manifest's roles.
    roles: BTreeSet<&'a str>,
}

impl Grant<'_> {
    fn address(&self) -> Address {
        of_grant(self.group, &self.azure)
    }

    /// Old bundles may name a group otherwise.
    fn is_by_id(&self) -> bool {
        Uuid::try_parse(self.group).is_ok()
    }
}

fn of_grant(group: &str, azure: &str) -> Address {
    Address::global(KIND, format!("{group}/{azure}"))
}

fn of_role(role: &str) -> Address {
    Address::global(KIND, format!("{ROLES}/{role}"))
}

fn of_owners() -> Address {
    Address::global(KIND, OWNERS)
}

/// One assignment, however the manifest writes it: Azure compares ids and names of roles without case.
fn key(group: &str, azure: &str) -> (String, String) {
    (group.to_ascii_lowercase(), azure.to_ascii_lowercase())
}

/// The Azure roles that groups are asked to hold, each once.
fn grants<'a>(want: &'a Settings, desired: &Desired) -> BTreeMap<(String, String), Grant<'a>> {
    let mut grants: BTreeMap<(String, String), Grant<'a>> = BTreeMap::new();
    for grant in &want.grants {
        let rights = &grant.rights.azure;
        let own = rights.is_custom().then(|| own_name(desired, grant.role.as_str()));
        for azure in rights.roles.iter().cloned().chain(own) {
            let one = grants.entry(key(&grant.group, &azure)).or_insert_with(|| Grant {
                group: &grant.group,
                azure,
                roles: BTreeSet::new(),
            });
            one.roles.insert(grant.role.as_str());
        }
    }
    grants
}

/// Assignments that Landfall made and that nobody grants any more: only these may be taken away.
fn withdrawn<'a>(want: &Settings, desired: &'a Desired) -> Vec<(&'a str, &'a str)> {
    let grants = grants(want, desired);
    made(desired)
        .filter(|(group, azure)| *group != ROLES && !grants.contains_key(&key(group, azure)))
        .collect()
}

/// Roles whose definitions Landfall made and that the manifest no longer has.
fn dropped<'a>(want: &Settings, desired: &'a Desired) -> Vec<&'a str> {
    made(desired)
        .filter(|(kind, role)| *kind == ROLES && !want.roles.keys().any(|asked| asked.as_str() == *role))
        .map(|(_, role)| role)
        .collect()
}

fn made(desired: &Desired) -> impl Iterator<Item = (&str, &str)> {
    let made = desired.record.made.iter().filter(|address| address.control == KIND);
    made.filter_map(|address| address.resource.split_once('/'))
}

/// The name of the definition of a role of the manifest. Names of custom roles are unique in a directory.
fn own_name(desired: &Desired, role: &str) -> String {
    format!("landfall {} {role}", desired.organization)
}

/// The id of the definition of a role of the manifest, by its name; nothing where the name is of somebody else's role.
fn own_id(desired: &Desired, azure: &str) -> Option<String> {
    let ground = ground(desired)?;
    let prefix = own_name(desired, "");
    let own = azure.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(&prefix));
    own.then(|| derived(&[&ground.directory, azure]))
}

/// The name of the assignment of a role to a group on a subscription.
fn assignment_name(subscription: &str, group: &str, role: &str) -> String {
    derived(&[&format!("/subscriptions/{subscription}"), group, role])
}

/// The same id for the same parts, however they are written.
pub(super) fn derived(parts: &[&str]) -> String {
    Uuid::new_v5(&NAMESPACE, parts.join("\n").to_ascii_lowercase().as_bytes()).to_string()
}

/// Where the roles of the manifest may be assigned: everywhere below its root group.
fn root_scope(ground: &AzureCloud) -> String {
    crate::directory::group_path(&ground.root)
}

fn is_organization(desired: &Desired) -> bool {
    matches!(desired.target, Target::Organization(_))
}

#[async_trait]
impl Control for Access {
    const KIND: ControlKind = KIND;
    const PERMISSIONS: Permissions = Permissions {
        read: &[
            "Microsoft.Authorization/roleAssignments/read",
            "Microsoft.Authorization/roleDefinitions/read",
        ],
        write: &[
            // A lock of ours is lifted for a deletion.
            "Microsoft.Authorization/locks/delete",
            "Microsoft.Authorization/locks/read",
            "Microsoft.Authorization/locks/write",
            "Microsoft.Authorization/roleAssignments/delete",
            "Microsoft.Authorization/roleAssignments/write",
            "Microsoft.Authorization/roleDefinitions/delete",
            "Microsoft.Authorization/roleDefinitions/write",
        ],
    };

    type On = Azure;
    type Want = Settings;

    fn addresses(&self, want: &Settings, desired: &Desired) -> Vec<Address> {
        if is_organization(desired) {
            let asked = want.roles.keys().map(|role| role.as_str());
            return asked.chain(dropped(want, desired)).map(of_role).collect();
        }
        let grants = grants(want, desired);
        let asked = grants.values().filter(|grant| grant.is_by_id()).map(Grant::address);
        let withdrawn = withdrawn(want, desired);
        let withdrawn = withdrawn.iter().map(|(group, azure)| of_grant(group, azure));
        asked.chain(withdrawn).chain([of_owners()]).collect()
    }

    async fn look(&self, reader: &Reader, desired: &Desired, at: &Address) -> Result<Sighting, CallError> {
        match at.resource.split_once('/') {
            None => look::owners(&reader.0).await,
            Some((ROLES, role)) => look::definition(&reader.0, desired, role).await,
            Some((group, azure)) => look::grant(&reader.0, desired, group, azure).await,
        }
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        write::write(&writer.0, change).await
    }
}

impl Judge for Access {
    fn judge(&self, want: &Settings, desired: &Desired, observed: &Observed) -> Vec<Judgement> {
        if is_organization(desired) {
            judge::definitions(want, desired, observed)
        } else {
            judge::judge(want, desired, observed)
        }
    }
}
