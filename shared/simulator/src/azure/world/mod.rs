//! The state of the simulated directory: plain public fields, so that a test can break anything by hand.

mod builtin;
mod governance;
pub(crate) mod group;
mod policies;
pub(crate) mod resource;
mod roles;
mod sample;
pub(crate) mod subscription;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

pub use builtin::BuiltIn;
pub use governance::Governance;
pub use group::{Directory, HierarchySettings, ManagementGroup, Principal, SubscriptionPolicy};
pub use resource::{Resource, Resources};
pub use roles::{
    CONTRIBUTOR, OWNER, READER, SECURITY_READER, STORAGE_ACCOUNT_CONTRIBUTOR, USER_ACCESS_ADMINISTRATOR,
};
pub use subscription::{Deployed, Provider, ResourceGroup, Subscription};

use super::operation::Operation;
use super::scope::Scope;
use crate::permit::Taken;
use crate::world::uuid;

/// The directory's id, which is the tenant root group's too.
pub const DIRECTORY: &str = "8f0c1a52-0000-4000-8000-000000000001";
/// The group below the tenant root group in which the organization keeps its own.
pub const ROOT_GROUP: &str = "acme";
/// The subscription that the controller runs in: the sample's first.
pub const CONTROLLER_SUBSCRIPTION: &str = "3f2c0000-0000-4000-8000-000000000001";
/// A user who makes subscriptions, and owns them.
pub const CREATOR: &str = "c0de0000-0000-4000-8000-00000000aaaa";
/// The identity of whoever calls with a token that begins with `landfall-read`.
pub const READ_IDENTITY: &str = "1d000000-0000-4000-8000-00000000000a";
/// The identity of everybody else.
pub const WRITE_IDENTITY: &str = "1d000000-0000-4000-8000-00000000000b";

/// How this cloud behaves; a test may change any of it while the simulator runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AzureSettings {
    /// How many polls of a long-running operation still answer `Running`.
    pub operation_polls: u32,
    /// How many looks at a resource provider still answer `Registering`.
    pub register_polls: u32,
    /// How many looks at a remediation task still find it at work.
    pub remediation_polls: u32,
    /// Whether lists begin every second page with an empty one.
    pub empty_pages: bool,
    /// How many things a page holds where `$top` does not ask for fewer.
    pub page_size: usize,
    /// Whether a management group that does not exist is answered with 403, as to callers without rights above it.
    pub hide_unknown_groups: bool,
    /// Defender extensions, by name, that fail to be set up although their plan's PUT answers 200.
    pub failing_extensions: Vec<String>,
    /// The actions that callers are granted, by the beginning of their token: `landfall-read`. Anything else is denied to them; who has
    /// none here may do whatever they could without.
    pub grants: BTreeMap<String, BTreeSet<String>>,
    /// What the `x-ms-ratelimit-remaining-…` headers say: reads, writes, deletes.
    pub remaining: [u32; 3],
    /// Seconds that `Retry-After` asks to wait when calls are throttled.
    pub retry_after: u32,
    /// The region names in `x-ms-routing-request-id` and locations that exist.
    pub locations: Vec<String>,
}

impl Default for AzureSettings {
    fn default() -> Self {
        let locations =
            ["westeurope", "northeurope", "germanywestcentral", "swedencentral", "eastus", "westus2"];
        Self {
            operation_polls: 1,
            register_polls: 1,
            remediation_polls: 1,
            empty_pages: false,
            page_size: 200,
            hide_unknown_groups: false,
            failing_extensions: Vec::new(),
            grants: BTreeMap::new(),
            remaining: [249, 199, 199],
            retry_after: 1,
            locations: locations.map(str::to_owned).to_vec(),
        }
    }
}

/// Everything the simulator knows.
#[derive(Debug, Clone, Serialize)]
pub struct AzureWorld {
    pub settings: AzureSettings,
    pub directory: Directory,
    /// By id in lower case.
    pub subscriptions: BTreeMap<String, Subscription>,
    /// What Microsoft defines; the same everywhere.
    #[serde(skip)]
    pub built_in: BuiltIn,
    /// Long-running operations by the id of the group they are about.
    #[serde(skip)]
    pub(crate) operations: BTreeMap<String, Operation>,
    /// How many looks at a remediation task still find it at work.
    #[serde(skip)]
    pub(crate) at_work: BTreeMap<String, u32>,
    /// The actions that calls took, of callers that are granted some.
    #[serde(skip)]
    pub taken: Taken,
    #[serde(skip)]
    pub(crate) events: Vec<Value>,
    pub(crate) issued: u64,
    /// Where the simulator listens; links in answers begin with it.
    #[serde(skip)]
    pub(crate) endpoint: String,
}

impl AzureWorld {
    /// A directory with its two root groups and nothing else.
    #[must_use]
    pub fn new(root: &str) -> Self {
        let mut directory = Directory {
            id: DIRECTORY.to_owned(),
            root: root.to_owned(),
            management_groups: BTreeMap::new(),
            hierarchy_settings: None,
            subscription_policy: SubscriptionPolicy::default(),
            lockbox: false,
            principals: BTreeMap::new(),
            role_definitions: Resources::new(),
            governance: Governance::default(),
        };
        directory.add_group(DIRECTORY, "Tenant Root Group", None);
        directory.add_group(root, root, Some(DIRECTORY));
        let known = [
            (CREATOR, "User", "subscription creator"),
            (READ_IDENTITY, "ServicePrincipal", "landfall-read"),
            (WRITE_IDENTITY, "ServicePrincipal", "landfall-write"),
        ];
        for (id, kind, name) in known {
            let principal = Principal { kind: kind.to_owned(), name: name.to_owned(), known_from: None };
            directory.principals.insert(id.to_owned(), principal);
        }
        Self {
            settings: AzureSettings::default(),
            directory,
            subscriptions: BTreeMap::new(),
            built_in: BuiltIn::new(),
            operations: BTreeMap::new(),
            at_work: BTreeMap::new(),
            taken: Taken::default(),
            events: Vec::new(),
            issued: 0,
            endpoint: String::new(),
        }
    }

    /// `subscriptions` deterministic subscriptions below the tenant root group; see `world/sample.rs`.
    #[must_use]
    pub fn sample(subscriptions: usize) -> Self {
        sample::build(subscriptions)
    }

    /// Makes a subscription as its creator would: born where the hierarchy settings say, owned by a user, told by activity-log records.
    pub fn add_subscription(&mut self, name: &str) -> String {
        self.issued += 1;
        let id = uuid(&format!("subscription{}", self.issued));
        let parent = self.directory.birthplace();
        let now = Timestamp::now();
        self.enter(&id, name, &parent, now);
        super::event::subscription_made(self, &id, name, &parent, now);
        id
    }

    /// Puts a subscription in as if it had always been there; its creator owns it.
    pub(crate) fn enter(&mut self, id: &str, name: &str, parent: &str, at: Timestamp) {
        let mut subscription = Subscription::new(id, name, parent, at);
        let assignment = role_assignment(&subscription.arm_id(), OWNER, CREATOR, "User", at);
        subscription.governance.role_assignments.insert(assignment.name.clone(), assignment);
        self.subscriptions.insert(resource::key(id), subscription);
    }

    pub fn subscription(&self, id: &str) -> Option<&Subscription> {
        self.subscriptions.get(&resource::key(id))
    }

    pub fn subscription_mut(&mut self, id: &str) -> Option<&mut Subscription> {
        self.subscriptions.get_mut(&resource::key(id))
    }

    pub fn group(&self, id: &str) -> Option<&ManagementGroup> {
        self.directory.group(id)
    }

    pub fn group_mut(&mut self, id: &str) -> Option<&mut ManagementGroup> {
        self.directory.group_mut(id)
    }

    /// Makes a user, group or application that roles can be given to.
    pub fn add_principal(&mut self, id: &str, kind: &str, name: &str) {
        let principal = Principal { kind: kind.to_owned(), name: name.to_owned(), known_from: None };
        self.directory.principals.insert(resource::key(id), principal);
    }

    /// Gives somebody a role on a scope, an ARM id, as if it had always been so.
    pub fn give(&mut self, scope: &str, role: &str, principal: &str, kind: &str) -> Option<String> {
        let assignment = role_assignment(scope, role, principal, kind, Timestamp::UNIX_EPOCH);
        let name = assignment.name.clone();
        let governance = self.governance_mut(&Scope::of(scope)?)?;
        governance.role_assignments.insert(name.clone(), assignment);
        Some(name)
    }

    /// What is put on the scope that an ARM id names: a management group, a subscription, a resource group or a resource.
    pub fn at(&mut self, scope: &str) -> Option<&mut Governance> {
        let scope = Scope::of(scope)?;
        self.governance_mut(&scope)
    }

    pub(crate) fn governance(&self, scope: &Scope) -> Option<&Governance> {
        match scope {
            Scope::Tenant => Some(&self.directory.governance),
            Scope::Group(id) => self.group(id).map(|group| &group.governance),
            Scope::Subscription(id) => self.subscription(id).map(|subscription| &subscription.governance),
            Scope::ResourceGroup(id, name) => self
                .subscription(id)?
                .resource_groups
                .get(&resource::key(name))
                .map(|group| &group.governance),
            Scope::Resource(id, group, kind, name) => {
                let group = self.subscription(id)?.resource_groups.get(&resource::key(group))?;
                group.resources.get(&deployed_key(kind, name)).map(|deployed| &deployed.governance)
            }
        }
    }

    pub(crate) fn governance_mut(&mut self, scope: &Scope) -> Option<&mut Governance> {
        match scope {
            Scope::Tenant => Some(&mut self.directory.governance),
            Scope::Group(id) => self.group_mut(id).map(|group| &mut group.governance),
            Scope::Subscription(id) => {
                self.subscription_mut(id).map(|subscription| &mut subscription.governance)
            }
            Scope::ResourceGroup(id, name) => {
                let groups = &mut self.subscription_mut(id)?.resource_groups;
                groups.get_mut(&resource::key(name)).map(|group| &mut group.governance)
            }
            Scope::Resource(id, group, kind, name) => {
                let group = self.subscription_mut(id)?.resource_groups.get_mut(&resource::key(group))?;
                group.resources.get_mut(&deployed_key(kind, name)).map(|deployed| &mut deployed.governance)
            }
        }
    }

    /// The scope and all above it, nearest first, by their canonical ids; the tenant is last.
    pub(crate) fn way_up(&self, scope: &Scope) -> Vec<Scope> {
        let mut way = Vec::new();
        if let Scope::Resource(id, group, _, _) = scope {
            way.extend([scope.clone(), Scope::ResourceGroup(id.clone(), group.clone())]);
        }
        if let Scope::ResourceGroup(..) = scope {
            way.push(scope.clone());
        }
        let mut group = match scope {
            Scope::Group(id) => Some(id.as_str()),
            Scope::Tenant => None,
            Scope::Subscription(id) | Scope::ResourceGroup(id, _) | Scope::Resource(id, ..) => {
                way.push(Scope::Subscription(id.clone()));
                self.subscription(id).map(|subscription| subscription.parent.as_str())
            }
        };
        let groups = group.take().map(|id| self.directory.way_up(id)).unwrap_or_default();
        way.extend(groups.iter().map(|group| Scope::Group(group.id.clone())));
        way.push(Scope::Tenant);
        way
    }

    /// Finishes every long-running operation, for tests that do not poll.
    pub fn finish_operations(&mut self) {
        super::operation::finish_all(self);
    }
}

/// The key of a resource in its group.
pub(crate) fn deployed_key(kind: &str, name: &str) -> String {
    resource::key(&format!("{kind}/{name}"))
}

/// An assignment whose name is derived from what it says.
pub(crate) fn role_assignment(
    scope: &str,
    role: &str,
    principal: &str,
    kind: &str,
    at: Timestamp,
) -> Resource {
    let name = uuid(&format!("role assignment {scope} {role} {principal}"));
    let role = format!("/providers/Microsoft.Authorization/roleDefinitions/{role}");
    let properties = json!({
        "roleDefinitionId": role, "principalId": principal, "principalType": kind, "scope": scope,
        "condition": null, "conditionVersion": null, "description": null, "delegatedManagedIdentityResourceId": null,
        "createdOn": at.to_string(), "updatedOn": at.to_string(), "createdBy": CREATOR, "updatedBy": CREATOR,
    });
    Resource::made(&name, properties.as_object().cloned().unwrap_or_default(), at)
}
