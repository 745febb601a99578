//! `access`: the teams that the manifest names can work in the tenant, with the rights of their role.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ControlKind, Effect, Entry, Place};
use crate::id::Name;
use crate::manifest::Role;

/// What the catalog says.
pub const ENTRY: Entry = Entry {
    kind: ControlKind::Access,
    title: "the project's teams have the access of their roles",
    manual: "\
What it asks: each team listed under the project's `access` holds its role in each of the project's tenants, through its
group in the identity provider. It follows from the manifest and is not listed under `controls`.

Why: access given to groups by one reviewed file can be read, explained and taken back. Access given by hand can't.

Grants are made to groups, never to people. They are made before the gate opens and are the last step before it. A grant
that Landfall made, by its ledger, is taken away when the manifest no longer asks for it. Grants that others made are never
taken away, and looked at only as far as is said below.

AWS: an IAM Identity Center permission set for each role, with its managed policies and session length, and an account
assignment for each group (sso-admin:CreatePermissionSet, CreateAccountAssignment). Both work asynchronously and are
looked at again. A set says in its description that Landfall made it, and is kept as the role asks: managed policies that
are missing are attached, others detached, and its session length set; an inline policy is reported and left to people. A
set of the role's name that is not Landfall's is never changed: it is assigned where it carries exactly what is asked, and
reported otherwise. A set with an inline policy, and one of others that carries something else, is assigned to nobody;
customer managed policies and permissions boundaries are not looked at.
Azure: a role assignment on the subscription for each Azure role and group, by the group's object id
(Microsoft.Authorization/roleAssignments), under a name that is derived, so that twice is once. The same assignment under
another name, made by somebody else, is as good and stays theirs; inherited ones don't count, and one with a condition is
reported. A role of the manifest that lists `actions` or `data-actions` becomes a custom role of the root management group,
`landfall <organization> <role>`, which is kept as the manifest says (Microsoft.Authorization/roleDefinitions); Azure lets
nobody delete it while it is assigned. There is no session length to set.
Who may hand out rights on the subscription, take away its policies or exempt it from them, by an assignment on it or on a
management group above it, could open the gate from inside: they are named by object id (names would take rights in
Microsoft Graph), and in a subscription that came after Landfall it is a deviation where the manifest does not name them
under `break-glass`, `identities.principals` or `access`. Nobody is taken out, and handover does not wait for it: who made a
subscription is its owner. Those who are only eligible (Privileged Identity Management) are not seen before they are active.
Google Cloud: the group becomes a member of a binding of each role in the project's IAM policy, which is read with its
conditions, changed in that one member and written with the etag that was read (cloudresourcemanager v3, setIamPolicy). The
same member that somebody else made is as good; what a group holds only under a condition, or further up, does not count, and
stays. A role of the manifest that lists `permissions` becomes a custom role of the organization,
landfall_<organization>_<role>, which is kept as the manifest says; one that was deleted within the week is taken back. One
that is no longer asked for is deleted, and bindings of it give nothing any more. There is no session length to set.
Who may hand out rights on the project, change its organization policies or its deny policies could open the gate: before
handover those are looked for on the project, on the folders above it and on the organization, afterwards on the project. In
a project that came after Landfall it is a deviation where the manifest does not name them under `break-glass`,
`identities` or `access`. Nobody is taken out, and handover does not wait for it. Members of groups are not looked up.

References: IAM Identity Center user guide, Managing AWS accounts with permission sets; Azure RBAC, Assign Azure roles;
IAM documentation, Manage access to projects, folders and organizations.",
    place: Place::Implied,
    effect: Effect::Repairs,
    parameters: &[],
};

/// What must hold, filled in from the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// Every grant, by role and then by team.
    pub grants: Vec<Grant>,
    /// In the organization's own target: the roles that have a definition of their own on its cloud.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub roles: BTreeMap<Name, Role>,
}

/// One team that holds one role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Grant {
    /// The role it holds.
    pub role: Name,
    /// The team that holds it.
    pub team: Name,
    /// The team's group for that role, as this cloud's identity provider names it.
    pub group: String,
    /// What the role may do.
    pub rights: Role,
}
