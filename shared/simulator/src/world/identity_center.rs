//! IAM Identity Center: one instance, its permission sets, groups and who has what where.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

/// The organization's instance.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IdentityCenter {
    /// Whether there is an instance at all.
    pub enabled: bool,
    /// The region it lives in; `None` answers in every region.
    pub region: Option<String>,
    pub instance_arn: String,
    pub identity_store_id: String,
    /// By ARN.
    pub permission_sets: BTreeMap<String, PermissionSet>,
    pub assignments: BTreeSet<Assignment>,
    /// By id.
    pub groups: BTreeMap<String, Group>,
    pub(crate) works: BTreeMap<String, Work>,
}

impl IdentityCenter {
    pub(crate) fn new() -> Self {
        Self {
            enabled: true,
            region: None,
            instance_arn: "arn:aws:sso:::instance/ssoins-1234567890abcdef".to_owned(),
            identity_store_id: "d-1234567890".to_owned(),
            permission_sets: BTreeMap::new(),
            assignments: BTreeSet::new(),
            groups: BTreeMap::new(),
            works: BTreeMap::new(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PermissionSet {
    pub arn: String,
    pub name: String,
    pub description: Option<String>,
    pub session_duration: String,
    pub relay_state: Option<String>,
    pub created_at: Timestamp,
    /// ARN to name.
    pub managed_policies: BTreeMap<String, String>,
    pub inline_policy: String,
    pub tags: BTreeMap<String, String>,
    /// Accounts that still have an older version of it.
    pub outdated_in: BTreeSet<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Assignment {
    pub account: String,
    pub permission_set: String,
    /// GROUP or USER.
    pub principal_type: String,
    pub principal: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    pub id: String,
    pub name: String,
    pub description: Option<String>,
}

/// Something Identity Center does in the background.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Work {
    pub(crate) id: String,
    pub(crate) kind: Kind,
    /// Status calls that still answer IN_PROGRESS.
    pub(crate) polls_left: u32,
    pub(crate) done: bool,
    pub(crate) created_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) enum Kind {
    Assign(Assignment),
    Unassign(Assignment),
    Provision { permission_set: String, account: Option<String> },
}
