//! The roles of a manifest: what their holders may do, as each cloud says it.

use serde::{Deserialize, Serialize};

use crate::id::Name;

/// What holders of a role may do, as each cloud says it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Role {
    /// The Identity Center permission set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws: Option<AwsRole>,
    /// Azure roles, and what a role of our own may do.
    #[serde(default)]
    pub azure: AzureRole,
    /// Google Cloud roles, and what a role of our own may do.
    #[serde(default)]
    pub gcp: GcpRole,
    /// Trainings a holder must have; judged once people are in the manifest.
    #[serde(default)]
    pub requires_training: Vec<Name>,
}

/// An Identity Center permission set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AwsRole {
    /// Names or ARNs of AWS managed policies.
    pub managed_policies: Vec<String>,
    /// How long a session lasts, in hours (1 to 12).
    pub session_hours: u32,
}

/// What a role may do on Azure. Names alone are written as a list, as they always were.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "WrittenAzureRole", into = "WrittenAzureRole")]
pub struct AzureRole {
    /// Names of Azure roles.
    pub roles: Vec<String>,
    /// What the role's own definition lets people do with resources: `Microsoft.Support/*`.
    pub actions: Vec<String>,
    /// What is taken out of `actions`.
    pub not_actions: Vec<String>,
    /// What it lets people do with the data in resources.
    pub data_actions: Vec<String>,
    /// What is taken out of `data_actions`.
    pub not_data_actions: Vec<String>,
}

impl AzureRole {
    /// Whether it asks for a role definition of its own.
    pub const fn is_custom(&self) -> bool {
        !self.actions.is_empty() || !self.data_actions.is_empty()
    }

    /// Whether it gives nothing.
    pub const fn is_empty(&self) -> bool {
        self.roles.is_empty() && !self.is_custom()
    }
}

/// The two forms in which a role on Azure is written.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum WrittenAzureRole {
    Names(Vec<String>),
    #[serde(rename_all = "kebab-case")]
    Whole {
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        roles: Vec<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        actions: Vec<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        not_actions: Vec<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        data_actions: Vec<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        not_data_actions: Vec<String>,
    },
}

impl From<WrittenAzureRole> for AzureRole {
    fn from(written: WrittenAzureRole) -> Self {
        match written {
            WrittenAzureRole::Names(roles) => AzureRole { roles, ..AzureRole::default() },
            WrittenAzureRole::Whole { roles, actions, not_actions, data_actions, not_data_actions } => {
                AzureRole { roles, actions, not_actions, data_actions, not_data_actions }
            }
        }
    }
}

impl From<AzureRole> for WrittenAzureRole {
    fn from(role: AzureRole) -> Self {
        let custom = role.is_custom();
        let AzureRole { roles, actions, not_actions, data_actions, not_data_actions } = role;
        if custom {
            WrittenAzureRole::Whole { roles, actions, not_actions, data_actions, not_data_actions }
        } else {
            WrittenAzureRole::Names(roles)
        }
    }
}

/// What a role may do on Google Cloud. Names alone are written as a list, as they always were.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "WrittenGcpRole", into = "WrittenGcpRole")]
pub struct GcpRole {
    /// Google Cloud's roles: `roles/viewer`.
    pub roles: Vec<String>,
    /// What the role's own definition lets people do: `compute.instances.reset`.
    pub permissions: Vec<String>,
}

impl GcpRole {
    /// Whether it asks for a role definition of its own.
    pub const fn is_custom(&self) -> bool {
        !self.permissions.is_empty()
    }

    /// Whether it gives nothing.
    pub const fn is_empty(&self) -> bool {
        self.roles.is_empty() && !self.is_custom()
    }
}

/// The two forms in which a role on Google Cloud is written.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum WrittenGcpRole {
    Names(Vec<String>),
    #[serde(rename_all = "kebab-case")]
    Whole {
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        roles: Vec<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        permissions: Vec<String>,
    },
}

impl From<WrittenGcpRole> for GcpRole {
    fn from(written: WrittenGcpRole) -> Self {
        match written {
            WrittenGcpRole::Names(roles) => GcpRole { roles, ..GcpRole::default() },
            WrittenGcpRole::Whole { roles, permissions } => GcpRole { roles, permissions },
        }
    }
}

impl From<GcpRole> for WrittenGcpRole {
    fn from(role: GcpRole) -> Self {
        let custom = role.is_custom();
        let GcpRole { roles, permissions } = role;
        if custom { WrittenGcpRole::Whole { roles, permissions } } else { WrittenGcpRole::Names(roles) }
    }
}
