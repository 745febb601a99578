//! `root-mfa`: a tenant's root user can't sign in with a password alone.

use serde::{Deserialize, Serialize};

use super::{ControlKind, Effect, Entry, Place};

/// What the catalog says.
pub const ENTRY: Entry = Entry {
    kind: ControlKind::RootMfa,
    title: "a second factor for the root user",
    manual: "\
What it asks: the tenant's root user signs in with a second factor, or can't sign in at all because it has no password.

Why: whoever reads the mail of the root user's address can reset its password. Without a second factor, that is the whole
account.

Nothing can be written: a device is registered by a person who holds it. This control can fail, never be remediated.
Removing the root users' credentials through central root access is the better answer for member accounts.

AWS: iam:GetAccountSummary says whether the root user has a second factor (AccountMFAEnabled) and whether it has a
password (AccountPasswordPresent).
Azure: a subscription has no root user; second factors are asked for by the directory's conditional access.
Google Cloud: a project has no root user; second factors are asked for by the organization's Cloud Identity or Workspace
account.

References: IAM API reference, GetAccountSummary; IAM user guide, Multi-factor authentication for the root user, Centrally
manage root access for member accounts.",
    place: Place::Tenant,
    effect: Effect::Detects,
    parameters: &[],
};

/// What must hold: there is nothing to choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {}
