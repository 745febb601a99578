//! `access` on Google Cloud: bindings in the project's IAM policy, rows G9 and G12.
//!
//! Each group that is granted a role is one setting, `access/<group>/<role>`: one member of one binding. Whoever could open a gate from
//! inside is another, `access/owners`. A role of the manifest that lists permissions has a definition of its own, `access/roles/<role>`:
//! one for the whole organization, and made in the organization's own target.

mod judge;
mod look;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Control, Judge, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::access::Settings;
use landfall_model::desired::Desired;
use landfall_model::judgement::Judgement;
use landfall_model::observed::{Address, Observed};
use landfall_model::plan::Change;
use landfall_model::target::Target;

use super::{Gcp, ground};
use crate::error::CallError;
use crate::session::{Reader, Writer};

const KIND: ControlKind = ControlKind::Access;

pub(super) struct Access;

const OWNERS: &str = "owners";
const ROLES: &str = "roles";

/// How the descriptions of what Landfall makes begin.
const MARK: &str = "Made by Landfall";

/// Ids of custom roles have at most so many letters: <https://cloud.google.com/iam/docs/creating-custom-roles>.
const LONGEST_ID: usize = 64;

/// How a group holds a role in the project's own policy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Held {
    /// Always.
    held: bool,
    /// Only where a condition holds.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    under_condition: bool,
}

/// Everybody who could open a gate from inside.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Owners {
    holders: BTreeSet<Holder>,
    /// Those who hold a role that could not be read.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    unread: BTreeSet<Holder>,
}

/// Somebody who holds a role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Holder {
    /// As IAM writes it: `user:ada@acme.example`.
    member: String,
    role: String,
    /// Where they hold it: `projects/acme`, `folders/345678901234`, `organizations/123456789012`.
    place: String,
    /// They hold it only where a condition does.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    condition: bool,
}

/// A role definition, as far as the manifest says it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Definition {
    title: String,
    included_permissions: BTreeSet<String>,
    stage: String,
    /// Google keeps a deleted one for a while, under its name.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    deleted: bool,
}

/// A group that is asked to hold a role of Google Cloud, whichever roles of the manifest give it.
#[derive(Debug)]
struct Grant<'a> {
    group: &'a str,
    /// The role's name: `roles/viewer`.
    role: String,
    /// The manifest's roles.
    roles: BTreeSet<&'a str>,
}

impl Grant<'_> {
    fn address(&self) -> Address {
        of_grant(self.group, &self.role)
    }

    /// A group is named by its mail address.
    fn is_by_mail(&self) -> bool {
        self.group.contains('@') && !self.group.contains(['/', ':'])
    }
}

fn of_grant(group: &str, role: &str) -> Address {
    Address::global(KIND, format!("{group}/{role}"))
}

fn of_role(role: &str) -> Address {
    Address::global(KIND, format!("{ROLES}/{role}"))
}

fn of_owners() -> Address {
    Address::global(KIND, OWNERS)
}

/// A group as IAM writes it.
fn member(group: &str) -> String {
    format!("group:{group}")
}

/// One grant, however the manifest writes it: Google compares mail addresses without case.
fn key(group: &str, role: &str) -> (String, String) {
    (group.to_ascii_lowercase(), role.to_owned())
}

/// The roles that groups are asked to hold, each once.
fn grants<'a>(want: &'a Settings, desired: &Desired) -> BTreeMap<(String, String), Grant<'a>> {
    let mut grants: BTreeMap<(String, String), Grant<'a>> = BTreeMap::new();
    for grant in &want.grants {
        let rights = &grant.rights.gcp;
        let own = rights.is_custom().then(|| own_name(desired, grant.role.as_str()));
        for role in rights.roles.iter().cloned().chain(own) {
            // Manifests may write a group as IAM does.
            let group = grant.group.strip_prefix("group:").unwrap_or(&grant.group);
            let one = grants.entry(key(group, &role)).or_insert_with(|| Grant {
                group,
                role,
                roles: BTreeSet::new(),
            });
            one.roles.insert(grant.role.as_str());
        }
    }
    grants
}

/// Grants that Landfall made and that nobody asks for any more: only these may be taken away.
fn withdrawn<'a>(want: &Settings, desired: &'a Desired) -> Vec<(&'a str, &'a str)> {
    let grants = grants(want, desired);
    made(desired).filter(|(group, role)| *group != ROLES && !grants.contains_key(&key(group, role))).collect()
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

/// The id of the definition of a role of the manifest. Ids have no hyphens, and the manifest's names no underscores.
fn own_id(desired: &Desired, role: &str) -> String {
    format!("landfall_{}_{role}", desired.organization).replace('-', "_")
}

/// Its name, by which it is granted.
fn own_name(desired: &Desired, role: &str) -> String {
    let organization = ground(desired).map_or("", |ground| ground.organization.as_str());
    format!("organizations/{organization}/roles/{}", own_id(desired, role))
}

fn is_organization(desired: &Desired) -> bool {
    matches!(desired.target, Target::Organization(_))
}

#[async_trait]
impl Control for Access {
    const KIND: ControlKind = KIND;
    const PERMISSIONS: Permissions = Permissions {
        read: &[
            "iam.roles.get",
            "resourcemanager.folders.getIamPolicy",
            "resourcemanager.organizations.getIamPolicy",
            "resourcemanager.projects.get",
            "resourcemanager.projects.getIamPolicy",
        ],
        write: &[
            "iam.roles.create",
            "iam.roles.delete",
            "iam.roles.get",
            "iam.roles.undelete",
            "iam.roles.update",
            "resourcemanager.projects.getIamPolicy",
            "resourcemanager.projects.setIamPolicy",
        ],
    };

    type On = Gcp;
    type Want = Settings;

    fn addresses(&self, want: &Settings, desired: &Desired) -> Vec<Address> {
        if is_organization(desired) {
            let asked = want.roles.keys().map(|role| role.as_str());
            return asked.chain(dropped(want, desired)).map(of_role).collect();
        }
        let grants = grants(want, desired);
        let asked = grants.values().filter(|grant| grant.is_by_mail()).map(Grant::address);
        let withdrawn = withdrawn(want, desired);
        let withdrawn = withdrawn.iter().map(|(group, role)| of_grant(group, role));
        asked.chain(withdrawn).chain([of_owners()]).collect()
    }

    async fn look(&self, reader: &Reader, desired: &Desired, at: &Address) -> Result<Sighting, CallError> {
        match at.resource.split_once('/') {
            None => look::owners(&reader.0, desired).await,
            Some((ROLES, role)) => look::definition(&reader.0, &own_name(desired, role)).await,
            Some((group, role)) => look::grant(&reader.0, group, role).await,
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
