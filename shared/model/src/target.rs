//! Whom a run looks at: one tenant, or the organization above them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::id::{IdError, Name, TenantId};

/// What one run reconciles.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// A cloud's organization: its units, its policies, what is enabled once for all. Written `organization/aws`.
    Organization(Name),
    /// One tenant. Written `aws/222222222222`.
    Tenant(TenantId),
}

impl Target {
    /// The tenant, where the target is one.
    pub const fn tenant(&self) -> Option<&TenantId> {
        match self {
            Target::Organization(_) => None,
            Target::Tenant(tenant) => Some(tenant),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Organization(cloud) => write!(f, "organization/{cloud}"),
            Target::Tenant(tenant) => tenant.fmt(f),
        }
    }
}

impl FromStr for Target {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        match text.strip_prefix("organization/") {
            Some(cloud) => cloud.parse().map(Target::Organization),
            None => text.parse().map(Target::Tenant),
        }
    }
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
