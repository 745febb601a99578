//! What the two identities have to be permitted in Azure, and the role definition that says so.
//!
//! Both are given on the directory's root management group, from which subscriptions inherit.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use landfall_engine::permissions::{Errand, Needed, Purpose};
use landfall_model::catalog::ControlKind;
use landfall_model::manifest::{AzureCloud, Mode};

use crate::directory::group_path;
use crate::{controls, directory, doctor};

/// What is done whatever the manifest asks.
pub const ERRANDS: [Errand; 2] = [directory::ERRAND, doctor::ERRAND];

/// What an identity needs for controls in their modes, beside the errands.
pub fn needed(purpose: Purpose, controls: &BTreeMap<ControlKind, Mode>) -> Needed {
    Needed::of_controls::<controls::Azure>(purpose, &ERRANDS, controls)
}

/// A custom role that allows what is needed and nothing else, in the form that `az role definition create` and `New-AzRoleDefinition`
/// read: <https://learn.microsoft.com/azure/role-based-access-control/custom-roles>. It can be given in the whole directory.
pub fn role(name: &str, description: &str, needed: &Needed, ground: &AzureCloud) -> Value {
    json!({
        "Name": name,
        "IsCustom": true,
        "Description": description,
        "Actions": needed.permissions().collect::<Vec<_>>(),
        "NotActions": [],
        "DataActions": [],
        "NotDataActions": [],
        "AssignableScopes": [group_path(&ground.directory)],
    })
}

#[cfg(test)]
mod tests {
    use landfall_engine::permissions::whole_catalog;

    use super::*;

    #[test]
    fn an_identity_to_look_with_can_only_look() {
        for permission in needed(Purpose::Plan, &whole_catalog()).permissions() {
            // Azure's compliance view is asked by a POST.
            let asked = permission == "Microsoft.PolicyInsights/policyStates/queryResults/action";
            assert!(permission.ends_with("/read") || asked, "{permission}");
        }
    }
}
