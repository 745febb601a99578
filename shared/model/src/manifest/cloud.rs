//! The clouds of a manifest: which organization it is, what is governed there, and whom Landfall acts as.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::{Name, Provider, Region};

/// One cloud organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "provider", rename_all = "kebab-case")]
pub enum Cloud {
    /// An AWS organization.
    Aws(AwsCloud),
    /// An Azure directory.
    Azure(AzureCloud),
    /// A Google Cloud organization.
    Gcp(GcpCloud),
}

impl Cloud {
    /// Whose platform it is.
    pub const fn provider(&self) -> Provider {
        match self {
            Cloud::Aws(_) => Provider::Aws,
            Cloud::Azure(_) => Provider::Azure,
            Cloud::Gcp(_) => Provider::Gcp,
        }
    }

    /// Whether Landfall may write there.
    pub const fn manage(&self) -> Manage {
        match self {
            Cloud::Aws(AwsCloud { manage, .. })
            | Cloud::Azure(AzureCloud { manage, .. })
            | Cloud::Gcp(GcpCloud { manage, .. }) => *manage,
        }
    }
}

/// Whether Landfall may write in a cloud.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Manage {
    /// Gate, apply, repair.
    #[default]
    Full,
    /// Look and report only.
    Observe,
}

/// An AWS organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AwsCloud {
    /// `o-a1b2c3d4e5`.
    pub organization: String,
    /// The account that owns the organization.
    pub management_account: String,
    /// The account the function runs in; never gated. The management account unless said.
    pub controller_account: String,
    /// Where Landfall itself runs; also says which partition this is.
    pub home_region: Region,
    /// The regions that are governed: a regional setting is looked at and held in each of them.
    pub regions: Vec<Region>,
    /// How Landfall enters an account.
    pub roles: AwsRoles,
    /// Whether Landfall may write there.
    #[serde(default)]
    pub manage: Manage,
}

/// How Landfall enters an AWS account: two roles, one that can only read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AwsRoles {
    /// Name of the role that plans are made with.
    pub read: String,
    /// Name of the role that changes are made with.
    pub write: String,
    /// Name of the function's own role, without a path. No deny of ours stops it in the account the function runs in; a role of
    /// this name in any other account is nobody special.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controller: Option<String>,
    /// The external id that both roles ask for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Roles that set up accounts and that no deny of ours ever stops.
    #[serde(default)]
    pub bootstrap: Vec<String>,
}

/// An Azure directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AzureCloud {
    /// The directory's id, a UUID.
    pub directory: String,
    /// The management group that holds all others.
    pub root: String,
    /// The locations that are governed.
    pub locations: Vec<Region>,
    /// The subscription the function runs in; never gated and never moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controller_subscription: Option<String>,
    /// The management group that new subscriptions are born in; `<root>-quarantine` unless said.
    pub quarantine: String,
    /// Whom Landfall acts as.
    #[serde(default)]
    pub identities: AzureIdentities,
    /// Whether Landfall may write there.
    #[serde(default)]
    pub manage: Manage,
}

/// Whom Landfall acts as in an Azure directory: two managed identities, one that can only read. At a desk it acts as whoever signed in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AzureIdentities {
    /// Client id of the identity that plans are made with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read: Option<String>,
    /// Client id of the identity that changes are made with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write: Option<String>,
    /// Object ids of both: the gate lets roles be given to them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub principals: Vec<String>,
}

/// A Google Cloud organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct GcpCloud {
    /// The organization's number.
    pub organization: String,
    /// The locations that are governed.
    pub locations: Vec<Region>,
    /// The customer's id in Cloud Identity or Workspace (`C0abc12de`), by which whole directories are allowed or refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// Billing accounts under the organization's own names.
    #[serde(default)]
    pub billing_accounts: BTreeMap<Name, String>,
    /// The project the function runs in; never gated and never moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controller_project: Option<String>,
    /// Whom Landfall acts as.
    #[serde(default)]
    pub identities: GcpIdentities,
    /// Whether Landfall may write there.
    #[serde(default)]
    pub manage: Manage,
}

/// Whom Landfall acts as in a Google Cloud organization: two service accounts, one that can only read. Its own identity
/// impersonates them; at a desk it acts as whoever signed in, unless they are named.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct GcpIdentities {
    /// Mail address of the service account that plans are made with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read: Option<String>,
    /// Mail address of the service account that changes are made with. No deny of ours stops it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write: Option<String>,
    /// Who sets projects up, such as a project factory, as IAM names them: `serviceAccount:factory@acme.iam.gserviceaccount.com`. No deny
    /// of ours stops them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bootstrap: Vec<String>,
}
