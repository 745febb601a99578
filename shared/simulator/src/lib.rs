//! AWS, Azure and Google Cloud on your desk: the management APIs Landfall calls, over HTTP, with their wire formats, limits and faults.
//!
//! This page is AWS; [`azure`] is Azure Resource Manager and [`gcp`] Google Cloud, with the same faults, calls and door for other
//! processes.
//!
//! ```text
//! HTTP request ─► Wire ─► Ask ─► (faults, permission, lag) ─► service::answer(&mut World, &Ask) ─► encode ─► HTTP answer
//!                 wire    ask     gate                          one folder or file a service        encode
//! ```
//! [`World`] is the state: an organization and its accounts, as plain public fields that a test can break by hand.
//! [`Simulator`] serves it on a loopback port. Nothing here decides what is *right*; it only behaves like the cloud,
//! including its unpleasant sides: throttling, read-after-write lag, empty pages, slow creations, cut connections.
//!
//! It never checks signatures. The credential scope says which service and region is meant, the access key id who calls.

mod ask;
mod aws;
pub mod azure;
mod breakage;
mod call;
pub mod cloud_run;
pub mod cloud_tasks;
mod control;
mod cursor;
mod encode;
mod event;
mod fault;
pub mod functions_host;
mod gate;
pub mod gcp;
mod journal;
mod lag;
pub mod lambda;
mod listener;
mod md5;
mod options;
mod page;
mod permit;
mod refusal;
mod running;
mod served;
mod server;
mod service;
mod simulator;
pub mod storage_queue;
pub mod tokens;
mod wire;
mod world;
mod xml;

pub use breakage::{BreakError, Breakage};
pub use call::Call;
pub use fault::{Denied, FaultError, Faults};
pub use options::{Options, StartError};
pub use permit::{Grants, Taken};
pub use simulator::Simulator;
pub use world::{
    Account, AlternateContact, Analyzer, Assignment, Attachment, Budget, CONTROLLER_ROLE, Config,
    CreateRequest, Detector, Group, Hub, IdentityCenter, InternetGateway, Joined, MANAGEMENT_ACCOUNT, Member,
    Message, MetadataDefaults, NetworkAcl, NetworkInterface, Notification, ORGANIZATION, OidcProvider,
    Organization, PasswordPolicy, PermissionSet, Policy, PublicAccessBlock, Queue, ROOT, Region, Role, Root,
    RouteTable, Rule, SamlProvider, SecurityGroup, Settings, Subnet, Trail, Unit, Vpc, World,
};
