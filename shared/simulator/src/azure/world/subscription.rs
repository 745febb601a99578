//! One subscription: what its own APIs show.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::governance::Governance;
use super::resource::{Resource, Resources, key};

/// Defender for Cloud's plans, as `pricings` lists them.
///
/// <https://learn.microsoft.com/rest/api/defenderforcloud/pricings/list>
pub(crate) const PLANS: [&str; 16] = [
    "VirtualMachines",
    "SqlServers",
    "AppServices",
    "StorageAccounts",
    "SqlServerVirtualMachines",
    "KubernetesService",
    "ContainerRegistry",
    "KeyVaults",
    "Dns",
    "Arm",
    "OpenSourceRelationalDatabases",
    "CosmosDbs",
    "Containers",
    "CloudPosture",
    "Api",
    "AI",
];

/// The namespaces that are registered in every subscription and can't be unregistered.
///
/// <https://learn.microsoft.com/azure/azure-resource-manager/management/azure-services-resource-providers>
pub(crate) const ALWAYS_REGISTERED: [&str; 13] = [
    "Microsoft.ADHybridHealthService",
    "Microsoft.Authorization",
    "Microsoft.Billing",
    "Microsoft.ClassicSubscription",
    "Microsoft.Commerce",
    "Microsoft.Consumption",
    "Microsoft.CostManagement",
    "Microsoft.Features",
    "Microsoft.Management",
    "Microsoft.MarketplaceOrdering",
    "Microsoft.ResourceGraph",
    "Microsoft.Resources",
    "Microsoft.Subscription",
];

/// Those that have to be registered first; further ones may be added to a subscription's `providers`.
pub(crate) const PROVIDERS: [&str; 18] = [
    "Microsoft.AlertsManagement",
    "Microsoft.Automation",
    "Microsoft.Compute",
    "Microsoft.ContainerRegistry",
    "Microsoft.ContainerService",
    "Microsoft.DBforPostgreSQL",
    "Microsoft.EventGrid",
    "Microsoft.EventHub",
    "Microsoft.GuestConfiguration",
    "Microsoft.Insights",
    "Microsoft.KeyVault",
    "Microsoft.ManagedIdentity",
    "Microsoft.Network",
    "Microsoft.OperationalInsights",
    "Microsoft.PolicyInsights",
    "Microsoft.Security",
    "Microsoft.Storage",
    "Microsoft.Web",
];

/// One subscription.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Subscription {
    pub id: String,
    pub name: String,
    /// `Enabled`, `Warned`, `PastDue`, `Disabled` or `Deleted`.
    ///
    /// <https://learn.microsoft.com/azure/cost-management-billing/manage/subscription-states>
    pub state: String,
    /// The id of the management group it is in.
    pub parent: String,
    pub created_at: Timestamp,
    #[serde(flatten)]
    pub governance: Governance,
    /// Resource providers by namespace in lower case.
    pub providers: BTreeMap<String, Provider>,
    /// Defender plans by name in lower case.
    pub pricings: Resources,
    pub security_contacts: Resources,
    /// By name in lower case.
    pub resource_groups: BTreeMap<String, ResourceGroup>,
    /// The currency that it is billed in.
    pub currency: String,
}

/// Whether a subscription may use a resource provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Provider {
    pub namespace: String,
    /// `NotRegistered`, `Registering`, `Registered` or `Unregistering`.
    pub state: String,
    /// How many looks still find it `Registering`.
    pub looks: u32,
}

/// A resource group and what is in it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ResourceGroup {
    pub name: String,
    pub location: String,
    #[serde(flatten)]
    pub governance: Governance,
    /// By `namespace/type/name` in lower case.
    pub resources: BTreeMap<String, Deployed>,
}

/// A resource in a group.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Deployed {
    /// With its namespace: `Microsoft.Storage/storageAccounts`.
    pub kind: String,
    pub resource: Resource,
    pub governance: Governance,
}

impl Subscription {
    /// As one comes out of the factory: nothing but what Azure puts in.
    pub(crate) fn new(id: &str, name: &str, parent: &str, at: Timestamp) -> Self {
        let provider = |namespace: &str, state: &str| {
            let provider = Provider { namespace: namespace.to_owned(), state: state.to_owned(), looks: 0 };
            (key(namespace), provider)
        };
        let always = ALWAYS_REGISTERED.iter().map(|namespace| provider(namespace, "Registered"));
        let others = PROVIDERS.iter().map(|namespace| provider(namespace, "NotRegistered"));
        let plan = |name: &&str| {
            let plan = Resource::made(name, free_plan(name), at);
            (key(name), plan)
        };
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            state: "Enabled".to_owned(),
            parent: parent.to_owned(),
            created_at: at,
            governance: Governance::default(),
            providers: always.chain(others).collect(),
            pricings: PLANS.iter().map(plan).collect(),
            security_contacts: Resources::new(),
            resource_groups: BTreeMap::new(),
            currency: "EUR".to_owned(),
        }
    }

    /// Registers a resource provider at once.
    pub fn register(&mut self, namespace: &str) {
        let entry = self.providers.entry(key(namespace)).or_insert_with(|| Provider {
            namespace: namespace.to_owned(),
            state: String::new(),
            looks: 0,
        });
        "Registered".clone_into(&mut entry.state);
    }

    pub(crate) fn registered(&self, namespace: &str) -> bool {
        self.providers.get(&key(namespace)).is_some_and(|provider| provider.state == "Registered")
    }

    /// Puts a resource group in.
    pub fn add_resource_group(&mut self, name: &str, location: &str) -> &mut ResourceGroup {
        let group = ResourceGroup {
            name: name.to_owned(),
            location: location.to_owned(),
            governance: Governance::default(),
            resources: BTreeMap::new(),
        };
        self.resource_groups.entry(key(name)).or_insert(group)
    }

    pub(crate) fn arm_id(&self) -> String {
        format!("/subscriptions/{}", self.id)
    }

    /// As `GET subscriptions/{id}` answers. ARM says nothing of when it was created.
    pub(crate) fn show(&self, directory: &str) -> Value {
        let mut shown = json!({
            "id": self.arm_id(),
            "authorizationSource": "RoleBased",
            "managedByTenants": [],
            "subscriptionId": self.id,
            "tenantId": directory,
            "displayName": self.name,
            "state": self.state,
            "subscriptionPolicies": {"locationPlacementId": "Public_2014-09-01", "quotaId": "PayAsYouGo_2014-09-01", "spendingLimit": "Off"},
        });
        if let (false, Some(members)) = (self.governance.tags.is_empty(), shown.as_object_mut()) {
            members.insert("tags".to_owned(), json!(self.governance.tags));
        }
        shown
    }
}

/// A plan that nobody bought.
pub(crate) fn free_plan(name: &str) -> serde_json::Map<String, Value> {
    let mut plan = json!({"pricingTier": "Free", "freeTrialRemainingTime": "P30D"});
    if let (true, Some(members)) =
        (matches!(name, "KubernetesService" | "ContainerRegistry"), plan.as_object_mut())
    {
        members.insert("deprecated".to_owned(), json!(true));
        members.insert("replacedBy".to_owned(), json!(["Containers"]));
    }
    plan.as_object().cloned().unwrap_or_default()
}

impl ResourceGroup {
    /// Puts a resource in, such as a `Microsoft.Storage/storageAccounts`.
    pub fn add_resource(
        &mut self,
        kind: &str,
        name: &str,
        location: &str,
        properties: &Value,
    ) -> &mut Deployed {
        let mut resource = Resource::new(name, properties);
        resource.location = Some(location.to_owned());
        let deployed = Deployed { kind: kind.to_owned(), resource, governance: Governance::default() };
        self.resources.entry(super::deployed_key(kind, name)).or_insert(deployed)
    }
}
