//! `access` on AWS: permission sets of IAM Identity Center and who has them in the account, row O18.
//!
//! A role's permission set is one setting, `access/<role>`; each group that holds the role is another, `access/<role>/<group>`. The
//! set is one for the whole organization and made where the first tenant needs it: the grants of other groups in the same run
//! wait for it, and none of them looks different before and after. A set that Landfall did not make is never changed, and a group is
//! only given a set that carries what is asked and no more.

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
use landfall_model::catalog::access::{Grant, Settings};
use landfall_model::desired::Desired;
use landfall_model::judgement::Judgement;
use landfall_model::observed::{Address, Observed};
use landfall_model::plan::Change;

use crate::controls::Aws;
use crate::error::CallError;
use crate::session::{Reader, Writer};

const KIND: ControlKind = ControlKind::Access;

pub(super) struct Access;

/// A permission set as it is. Absent where there is none of the role's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PermissionSet {
    /// Its ARN.
    permission_set: String,
    /// The ARNs of the managed policies in it, those of others as well.
    policies: BTreeSet<String>,
    /// How long a session lasts, as ISO 8601 says it: `PT8H`.
    session: String,
    /// What is written on it: [`MARK`] on those that Landfall made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// Where people are sent after they have signed in. Not ours, and lost by an update that does not say it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    relay_state: Option<String>,
    /// Whether it has an inline policy, which no role asks for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    inline_policy: bool,
}

/// What is written on the permission sets that Landfall makes. A name is no proof: anybody may have made a set called `developer`.
const MARK: &str = "Made by Landfall.";

fn is_marked(description: Option<&str>) -> bool {
    description.is_some_and(|text| text.contains(MARK))
}

/// What a group has in the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Assignment {
    /// The group's id in the identity store; nothing where there is no such group.
    group: Option<String>,
    assigned: bool,
}

/// The address of a role's permission set. Names of roles have no `/`, so the two kinds are told apart.
fn of_role(role: &str) -> Address {
    Address::global(KIND, role)
}

fn of_grant(role: &str, group: &str) -> Address {
    Address::global(KIND, format!("{role}/{group}"))
}

/// The grants, each group of a role once, whichever teams it is the group of.
fn grants(want: &Settings) -> BTreeMap<(&str, &str), &Grant> {
    want.grants.iter().map(|grant| ((grant.role.as_str(), grant.group.as_str()), grant)).collect()
}

/// Assignments that Landfall made and that nobody grants any more: only these may be taken away.
fn withdrawn<'a>(want: &Settings, desired: &'a Desired) -> Vec<(&'a str, &'a str)> {
    let grants = grants(want);
    let made = desired.record.made.iter().filter(|address| address.control == KIND);
    made.filter_map(|address| address.resource.split_once('/'))
        .filter(|made| !grants.contains_key(made))
        .collect()
}

#[async_trait]
impl Control for Access {
    const KIND: ControlKind = KIND;
    const PERMISSIONS: Permissions = Permissions {
        read: &[
            "identitystore:GetGroupId",
            "sso:DescribePermissionSet",
            "sso:GetInlinePolicyForPermissionSet",
            "sso:ListAccountAssignments",
            "sso:ListInstances",
            "sso:ListManagedPoliciesInPermissionSet",
            "sso:ListPermissionSets",
        ],
        write: &[
            "sso:AttachManagedPolicyToPermissionSet",
            "sso:CreateAccountAssignment",
            "sso:CreatePermissionSet",
            "sso:DeleteAccountAssignment",
            "sso:DescribeAccountAssignmentCreationStatus",
            "sso:DescribeAccountAssignmentDeletionStatus",
            "sso:DescribePermissionSetProvisioningStatus",
            "sso:DetachManagedPolicyFromPermissionSet",
            "sso:ProvisionPermissionSet",
            "sso:UpdatePermissionSet",
        ],
    };

    type On = Aws;
    type Want = Settings;

    fn addresses(&self, want: &Settings, desired: &Desired) -> Vec<Address> {
        let granted = grants(want).into_iter().filter(|(_, grant)| grant.rights.aws.is_some());
        let pairs: Vec<(&str, &str)> =
            granted.map(|(pair, _)| pair).chain(withdrawn(want, desired)).collect();
        let roles: BTreeSet<&str> = pairs.iter().map(|(role, _)| *role).collect();
        let sets = roles.into_iter().map(of_role);
        sets.chain(pairs.iter().map(|(role, group)| of_grant(role, group))).collect()
    }

    async fn look(&self, reader: &Reader, _: &Desired, at: &Address) -> Result<Sighting, CallError> {
        match at.resource.split_once('/') {
            Some((role, group)) => look::grant(&reader.0, role, group).await,
            None => look::set(&reader.0, &at.resource).await,
        }
    }

    async fn write(&self, writer: &Writer, change: &Change, made: &Made) -> Result<Value, CallError> {
        write::write(&writer.0, change, made).await
    }
}

impl Judge for Access {
    fn judge(&self, want: &Settings, desired: &Desired, observed: &Observed) -> Vec<Judgement> {
        judge::judge(want, desired, observed)
    }
}
