//! Ways to break a project by name, so that another process or a demonstration can cause drift.

use std::str::FromStr;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::constraint::{self, Kind};
use super::service::compute;
use super::world::{GcpWorld, Governance, Project};

/// One way to break a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GcpBreakage {
    /// Deletes the labels.
    Labels,
    /// Changes the value of every label.
    Label,
    /// Deletes the essential contacts.
    Contacts,
    /// Deletes the organization policies on the project itself.
    OrgPolicies,
    /// Leaves the organization policies on the project itself, but lets them allow everything.
    OrgPolicy,
    /// Makes somebody from outside an owner.
    Owner,
    /// Takes every binding away but the owners'.
    Bindings,
    /// Switches the audit logs of data access off.
    AuditConfigs,
    /// Moves the project right below the organization.
    Placement,
    /// Renames the project.
    Name,
    /// Deletes the liens.
    Lien,
    /// Makes the default network again where it is gone.
    DefaultNetwork,
    /// Forgets the metadata of all instances.
    Metadata,
    /// Disables the APIs of logging, monitoring and essential contacts.
    Services,
    /// Unlinks the billing account.
    Billing,
    /// Deletes the budgets of the project.
    Budget,
    /// Deletes the log sinks.
    Sink,
    /// Deletes the alerts, and who hears of them.
    Alerts,
    /// Lets Google's people in without asking.
    AccessApproval,
    /// Deletes the deny policies on the project itself.
    DenyPolicy,
    /// Unbinds the tags.
    Tags,
    /// Makes a service account with a key.
    ServiceAccountKey,
    /// Asks for the project's deletion.
    Deleted,
}

const NAMES: [(&str, GcpBreakage); 23] = [
    ("labels", GcpBreakage::Labels),
    ("label", GcpBreakage::Label),
    ("contacts", GcpBreakage::Contacts),
    ("org-policies", GcpBreakage::OrgPolicies),
    ("org-policy", GcpBreakage::OrgPolicy),
    ("owner", GcpBreakage::Owner),
    ("bindings", GcpBreakage::Bindings),
    ("audit-configs", GcpBreakage::AuditConfigs),
    ("placement", GcpBreakage::Placement),
    ("name", GcpBreakage::Name),
    ("lien", GcpBreakage::Lien),
    ("default-network", GcpBreakage::DefaultNetwork),
    ("metadata", GcpBreakage::Metadata),
    ("services", GcpBreakage::Services),
    ("billing", GcpBreakage::Billing),
    ("budget", GcpBreakage::Budget),
    ("sink", GcpBreakage::Sink),
    ("alerts", GcpBreakage::Alerts),
    ("access-approval", GcpBreakage::AccessApproval),
    ("deny-policy", GcpBreakage::DenyPolicy),
    ("tags", GcpBreakage::Tags),
    ("service-account-key", GcpBreakage::ServiceAccountKey),
    ("deleted", GcpBreakage::Deleted),
];

/// Why nothing was broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GcpBreakError {
    #[error("`{0}` can't be broken, expected one of {names}", names = NAMES.map(|(name, _)| name).join(", "))]
    Unknown(String),
    #[error("there is no project `{0}`")]
    NoProject(String),
}

impl FromStr for GcpBreakage {
    type Err = GcpBreakError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = NAMES.iter().find(|(name, _)| *name == text);
        found.map(|(_, breakage)| *breakage).ok_or_else(|| GcpBreakError::Unknown(text.to_owned()))
    }
}

impl GcpBreakage {
    /// Every way, with its name.
    pub fn all() -> impl Iterator<Item = (&'static str, Self)> {
        NAMES.into_iter()
    }
}

impl GcpWorld {
    /// Breaks one project.
    ///
    /// # Errors
    /// When there is no such project.
    pub fn damage(&mut self, project: &str, what: GcpBreakage) -> Result<(), GcpBreakError> {
        perform(self, project, what)
    }
}

pub(crate) fn perform(world: &mut GcpWorld, named: &str, what: GcpBreakage) -> Result<(), GcpBreakError> {
    let root = world.organization.name();
    let Some(Project { id, number, .. }) = world.project(named) else {
        return Err(GcpBreakError::NoProject(named.to_owned()));
    };
    let (id, number) = (id.clone(), number.clone());
    match what {
        // The first are more than fields of the project.
        GcpBreakage::DefaultNetwork => compute::restore_default_network(world, &id),
        GcpBreakage::Budget => {
            let ours = format!("projects/{number}");
            for account in world.billing_accounts.values_mut() {
                let about = |budget: &Value| {
                    let projects = budget.pointer("/budgetFilter/projects").and_then(Value::as_array);
                    projects.is_some_and(|all| all.iter().any(|one| one == &json!(ours)))
                };
                account.things_mut("billingbudgets/budgets").retain(|_, budget| !about(budget));
            }
        }
        GcpBreakage::ServiceAccountKey => {
            let email = world.add_service_account(&id, "leaky-robot");
            let key = crate::world::hex(&email, 40);
            let name = format!("projects/{id}/serviceAccounts/{email}/keys/{key}");
            if let Some(found) = world.at(&format!("projects/{id}")) {
                let shown = json!({
                    "name": name, "keyType": "USER_MANAGED", "keyOrigin": "GOOGLE_PROVIDED", "keyAlgorithm": "KEY_ALG_RSA_2048",
                    "validAfterTime": "2026-01-01T00:00:00Z", "validBeforeTime": "9999-12-31T23:59:59Z",
                });
                found.things_mut("iam/serviceAccountKeys").insert(key, shown);
            }
        }
        GcpBreakage::OrgPolicy => {
            let kinds: Vec<(String, Option<Kind>)> = world
                .governance(&format!("projects/{id}"))
                .map(|found| {
                    found.org_policies.keys().map(|name| (name.clone(), constraint::kind(world, name)))
                })
                .map(Iterator::collect)
                .unwrap_or_default();
            if let Some(found) = world.at(&format!("projects/{id}")) {
                for (name, kind) in kinds {
                    let rule = match kind {
                        Some(Kind::List) => json!({"allowAll": true}),
                        Some(Kind::Boolean) | None => json!({"enforce": false}),
                    };
                    found.org_policies.insert(name, json!({"spec": {"rules": [rule]}}));
                }
            }
        }
        GcpBreakage::Labels
        | GcpBreakage::Label
        | GcpBreakage::Contacts
        | GcpBreakage::OrgPolicies
        | GcpBreakage::Owner
        | GcpBreakage::Bindings
        | GcpBreakage::AuditConfigs
        | GcpBreakage::Placement
        | GcpBreakage::Name
        | GcpBreakage::Lien
        | GcpBreakage::Metadata
        | GcpBreakage::Services
        | GcpBreakage::Billing
        | GcpBreakage::Sink
        | GcpBreakage::Alerts
        | GcpBreakage::AccessApproval
        | GcpBreakage::DenyPolicy
        | GcpBreakage::Tags
        | GcpBreakage::Deleted => {
            if let Some(project) = world.project_mut(&id) {
                break_project(project, what, &root);
            }
        }
    }
    Ok(())
}

fn break_project(project: &mut Project, what: GcpBreakage, root: &str) {
    let held: &mut Governance = &mut project.governance;
    let mut clear = |kinds: &[&str]| {
        for kind in kinds {
            held.things_mut(kind).clear();
        }
    };
    match what {
        GcpBreakage::Labels => project.labels.clear(),
        GcpBreakage::Label => project.labels.values_mut().for_each(|value| "changed".clone_into(value)),
        GcpBreakage::Contacts => clear(&["essentialcontacts/contacts"]),
        GcpBreakage::Lien => clear(&["cloudresourcemanager/liens"]),
        GcpBreakage::Sink => clear(&["logging/sinks"]),
        GcpBreakage::Alerts => {
            clear(&["monitoring/alertPolicies", "monitoring/notificationChannels", "logging/metrics"])
        }
        GcpBreakage::AccessApproval => clear(&["accessapproval/settings"]),
        GcpBreakage::Metadata => {
            for one in held.things_mut("compute/project").values_mut().filter_map(Value::as_object_mut) {
                one.remove("items");
            }
        }
        GcpBreakage::OrgPolicies => held.org_policies.clear(),
        GcpBreakage::Owner => held.iam.give("roles/owner", "user:somebody@elsewhere.example"),
        GcpBreakage::Bindings => held.iam.bindings.retain(|binding| binding.role == "roles/owner"),
        GcpBreakage::AuditConfigs => held.iam.audit_configs.clear(),
        GcpBreakage::DenyPolicy => held.deny_policies.clear(),
        GcpBreakage::Tags => held.tags.clear(),
        GcpBreakage::Placement => root.clone_into(&mut project.parent),
        GcpBreakage::Name => project.display_name = "renamed by hand".to_owned(),
        GcpBreakage::Services => {
            for api in ["logging", "monitoring", "essentialcontacts"] {
                project.services.remove(&format!("{api}.googleapis.com"));
            }
        }
        GcpBreakage::Billing => project.billing_account = None,
        GcpBreakage::Deleted => project.deleted_at = Some(Timestamp::now()),
        // INVARIANT: these are more than fields of the project, and done above.
        GcpBreakage::Budget
        | GcpBreakage::DefaultNetwork
        | GcpBreakage::ServiceAccountKey
        | GcpBreakage::OrgPolicy => {}
    }
}
