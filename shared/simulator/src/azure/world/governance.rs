//! What can be put on any scope, from the tenant root group down to one resource.

use std::collections::BTreeMap;

use serde::Serialize;

use super::resource::Resources;

/// The settings of one scope that ARM calls extension resources.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Governance {
    pub tags: BTreeMap<String, String>,
    pub policy_definitions: Resources,
    pub policy_set_definitions: Resources,
    pub policy_assignments: Resources,
    pub policy_exemptions: Resources,
    pub remediations: Resources,
    pub role_assignments: Resources,
    pub locks: Resources,
    pub diagnostic_settings: Resources,
    pub budgets: Resources,
}
