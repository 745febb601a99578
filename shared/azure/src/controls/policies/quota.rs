//! How much fits at one scope.
//!
//! Source: <https://learn.microsoft.com/azure/azure-resource-manager/management/azure-subscription-service-limits>, "Azure Policy
//! limits", read in November 2026. They are the same in all of Microsoft's clouds.

/// Policy assignments directly at one scope; what is inherited does not count.
pub(super) const ASSIGNMENTS: usize = 200;

/// Policy definitions at one scope; built-in ones do not count.
pub(super) const DEFINITIONS: usize = 500;

/// Exemptions directly at one scope.
pub(super) const EXEMPTIONS: usize = 1_000;
