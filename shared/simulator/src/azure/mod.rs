//! Azure on your desk: the calls of Azure Resource Manager (ARM) that Landfall makes, over HTTP.
//!
//! ```text
//! HTTP request ─► Routed ─► Request ─► (faults, gate, policy, lag) ─► provider::answer(&mut AzureWorld, &Request) ─► Answered ─► HTTP
//!                 route     request     gate  policy  lag             one file per kind of thing                     answer
//! ```
//! [`AzureWorld`] is the state: a directory with its management groups, and the subscriptions below them, as plain public fields that a
//! test can break by hand. [`AzureSimulator`] serves it on a loopback port. Deny policies are really evaluated, so that a test can
//! prove that the gate closes and what it spares.
//!
//! It never checks tokens, only that there is one: `landfall-read…` may look, every other may do everything.
//!
//! Paths, statuses and bodies are those of Microsoft's `azure-mgmt-*` packages of November 2026; error codes are those of the pages
//! that the files name.

mod answer;
mod breakage;
mod control;
mod event;
mod gate;
mod lag;
mod operation;
mod options;
mod page;
mod permit;
mod policy;
mod provider;
mod request;
mod route;
mod scope;
mod served;
mod simulator;
mod world;

pub use breakage::{AzureBreakError, AzureBreakage};
pub use options::AzureOptions;
pub use simulator::AzureSimulator;
pub use world::{
    AzureSettings, AzureWorld, BuiltIn, CONTRIBUTOR, CONTROLLER_SUBSCRIPTION, CREATOR, DIRECTORY, Deployed,
    Directory, Governance, HierarchySettings, ManagementGroup, OWNER, Principal, Provider, READ_IDENTITY,
    READER, ROOT_GROUP, Resource, ResourceGroup, Resources, SECURITY_READER, STORAGE_ACCOUNT_CONTRIBUTOR,
    Subscription, SubscriptionPolicy, USER_ACCESS_ADMINISTRATOR, WRITE_IDENTITY,
};
