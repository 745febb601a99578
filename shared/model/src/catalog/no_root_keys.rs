//! `no-root-keys`: a tenant's root user has no access keys.

use serde::{Deserialize, Serialize};

use super::{ControlKind, Effect, Entry, Place};

/// What the catalog says.
pub const ENTRY: Entry = Entry {
    kind: ControlKind::NoRootKeys,
    title: "no access keys for the root user",
    manual: "\
What it asks: the root user of the tenant has no access keys.

Why: a root key can do everything in its account, has no second factor, never expires and can't be limited by any policy
inside the account. There is no task that needs one.

Nothing can be written from the account's own roles: this control can fail, never be remediated. A root key is deleted by
the root user, or by the organization's management account through central root access.

AWS: iam:GetAccountSummary, which counts the root user's access keys (AccountAccessKeysPresent).
Azure: a subscription has no root user. What comes nearest belongs to the directory: its Global Administrators can make
themselves administrators of every subscription.
Google Cloud: a project has no root user. What comes nearest belongs to the organization: the super administrators of its
Cloud Identity or Workspace account.

References: IAM API reference, GetAccountSummary; IAM user guide, Root user best practices, Centrally manage root access
for member accounts.",
    place: Place::Tenant,
    effect: Effect::Detects,
    parameters: &[],
};

/// What must hold: there is nothing to choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {}
