//! What the cloud itself says of a tenant, beside its settings.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::TenantId;

/// What the organization's directory says of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Facts {
    /// Its name; people's text, hostile.
    pub name: String,
    /// Whether it works.
    pub state: State,
    /// How it came.
    pub origin: Origin,
    /// When it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined: Option<Timestamp>,
}

/// Whether a tenant works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It does.
    Active,
    /// The cloud suspended it.
    Suspended,
    /// It is being closed, or closed.
    Closing,
    /// The cloud names it and does not say.
    Unclear,
}

/// How a tenant came into the organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// Made inside the organization.
    Created,
    /// It existed before, and joined.
    Joined,
}

/// The tenants that were there when Landfall first looked: written once. They are adopted, never gated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Inventory {
    /// When it was written.
    pub at: Timestamp,
    /// Who was there.
    pub tenants: BTreeSet<TenantId>,
}
