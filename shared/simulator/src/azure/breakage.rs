//! Ways to break a subscription by name, so that another process or a demonstration can cause drift.

use std::str::FromStr;

use serde_json::json;

use super::world::resource::key;
use super::world::subscription::free_plan;
use super::world::{AzureWorld, OWNER, Resource};

/// One way to break a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AzureBreakage {
    /// Deletes the tags.
    Tags,
    /// Deletes the security contact.
    Contacts,
    /// Deletes the budgets.
    Budget,
    /// Turns every Defender plan off.
    DefenderPlan,
    /// Deletes the diagnostic settings.
    DiagnosticSetting,
    /// Deletes the locks.
    Lock,
    /// Deletes the policy assignments on the subscription itself.
    PolicyAssignment,
    /// Deletes the policy exemptions on the subscription itself.
    PolicyExemption,
    /// Moves the subscription below the tenant root group.
    Placement,
    /// Deletes the role assignments on the subscription itself.
    RoleAssignments,
    /// Makes somebody nobody knows an owner.
    Owner,
    /// Renames the subscription.
    Name,
    /// Disables the subscription.
    Disabled,
    /// Makes the subscription warned, as when it is not paid.
    Warned,
    /// Unregisters the resource providers for security and monitoring.
    Provider,
    /// Deletes the alerts on the activity log, and who hears of them.
    Alerts,
    /// Puts a storage account in that anybody may read.
    PublicStorage,
}

const NAMES: [(&str, AzureBreakage); 17] = [
    ("tags", AzureBreakage::Tags),
    ("contacts", AzureBreakage::Contacts),
    ("budget", AzureBreakage::Budget),
    ("defender-plan", AzureBreakage::DefenderPlan),
    ("diagnostic-setting", AzureBreakage::DiagnosticSetting),
    ("lock", AzureBreakage::Lock),
    ("policy-assignment", AzureBreakage::PolicyAssignment),
    ("policy-exemption", AzureBreakage::PolicyExemption),
    ("placement", AzureBreakage::Placement),
    ("role-assignments", AzureBreakage::RoleAssignments),
    ("owner", AzureBreakage::Owner),
    ("name", AzureBreakage::Name),
    ("disabled", AzureBreakage::Disabled),
    ("warned", AzureBreakage::Warned),
    ("provider", AzureBreakage::Provider),
    ("alerts", AzureBreakage::Alerts),
    ("public-storage", AzureBreakage::PublicStorage),
];

/// Why nothing was broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AzureBreakError {
    #[error("`{0}` can't be broken, expected one of {names}", names = NAMES.map(|(name, _)| name).join(", "))]
    Unknown(String),
    #[error("there is no subscription `{0}`")]
    NoSubscription(String),
}

impl FromStr for AzureBreakage {
    type Err = AzureBreakError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = NAMES.iter().find(|(name, _)| *name == text);
        found.map(|(_, breakage)| *breakage).ok_or_else(|| AzureBreakError::Unknown(text.to_owned()))
    }
}

impl AzureBreakage {
    /// Every way, with its name.
    pub fn all() -> impl Iterator<Item = (&'static str, Self)> {
        NAMES.into_iter()
    }
}

impl AzureWorld {
    /// Breaks one subscription.
    ///
    /// # Errors
    /// When there is no such subscription.
    pub fn damage(&mut self, subscription: &str, what: AzureBreakage) -> Result<(), AzureBreakError> {
        perform(self, subscription, what)
    }
}

pub(crate) fn perform(world: &mut AzureWorld, id: &str, what: AzureBreakage) -> Result<(), AzureBreakError> {
    let root = world.directory.id.clone();
    let intruder = "bad00000-0000-4000-8000-00000000000f";
    if what == AzureBreakage::Owner {
        world.add_principal(intruder, "User", "somebody");
        world.give(&format!("/subscriptions/{id}"), OWNER, intruder, "User");
    }
    let Some(found) = world.subscription_mut(id) else {
        return Err(AzureBreakError::NoSubscription(id.to_owned()));
    };
    match what {
        AzureBreakage::Tags => found.governance.tags.clear(),
        AzureBreakage::Contacts => found.security_contacts.clear(),
        AzureBreakage::Budget => found.governance.budgets.clear(),
        AzureBreakage::DefenderPlan => {
            for plan in found.pricings.values_mut() {
                plan.properties = free_plan(&plan.name);
            }
        }
        AzureBreakage::DiagnosticSetting => found.governance.diagnostic_settings.clear(),
        AzureBreakage::Lock => {
            found.governance.locks.clear();
            found.resource_groups.values_mut().for_each(|group| group.governance.locks.clear());
        }
        AzureBreakage::PolicyAssignment => found.governance.policy_assignments.clear(),
        AzureBreakage::PolicyExemption => found.governance.policy_exemptions.clear(),
        AzureBreakage::Placement => found.parent = root,
        AzureBreakage::RoleAssignments => found.governance.role_assignments.clear(),
        // Done above, because the directory knows who it is.
        AzureBreakage::Owner => {}
        AzureBreakage::Name => found.name = format!("{} (renamed)", found.name),
        AzureBreakage::Disabled => "Disabled".clone_into(&mut found.state),
        AzureBreakage::Warned => "Warned".clone_into(&mut found.state),
        AzureBreakage::Provider => {
            for namespace in ["Microsoft.Security", "Microsoft.Insights", "Microsoft.PolicyInsights"] {
                if let Some(provider) = found.providers.get_mut(&key(namespace)) {
                    "NotRegistered".clone_into(&mut provider.state);
                }
            }
        }
        AzureBreakage::Alerts => {
            for group in found.resource_groups.values_mut() {
                group.resources.retain(|_, one| {
                    !one.kind.eq_ignore_ascii_case("Microsoft.Insights/activityLogAlerts")
                        && !one.kind.eq_ignore_ascii_case("Microsoft.Insights/actionGroups")
                });
            }
        }
        AzureBreakage::PublicStorage => {
            let group = found.add_resource_group("leaky", "westeurope");
            let open = Resource::new("", &json!({"allowBlobPublicAccess": true}));
            let properties = serde_json::Value::Object(open.properties);
            group.add_resource("Microsoft.Storage/storageAccounts", "leaky", "westeurope", &properties);
        }
    }
    Ok(())
}
