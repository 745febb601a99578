//! Google Cloud on your desk: the management APIs that Landfall calls, over HTTP.
//!
//! ```text
//! HTTP request ─► Request ─► (faults, gate, lag) ─► service::answer(&mut GcpWorld, &Request) ─► Answered ─► HTTP
//!                 route      gate  access  lag      one file or folder an API                   answer
//! ```
//! [`GcpWorld`] is the state: an organization, its folders and its projects, as plain public fields that a test can break by hand.
//! [`GcpSimulator`] serves it on a loopback port. Every API stands below a folder with the name of its host,
//! `/cloudresourcemanager.googleapis.com/v3/…`; a `Host` header that names the API does as well.
//!
//! Bearer tokens are not checked but understood: `landfall-read…` may look, `landfall-write…` and `landfall-own…` may do everything that
//! no deny policy forbids, and [`GcpWorld::tokens`] says which principal any other stands for; what such a principal may do is said by
//! the IAM policies of the world.
//!
//! **A further API** is a file in `service/` with one function `answer(&mut GcpWorld, &Request) -> Answered`, and one line in
//! `service::SERVICES`. It matches on method, path and custom verb:
//!
//! ```text
//! match request.asked() {
//!     ("GET", ["projects", _, "contacts"], "") => page(world, request, "contacts", contacts, 100),
//!     ("POST", ["projects", _, "services"], "batchEnable") => Ok(operation::begin(world, request, "operations/acf.", …)),
//!     _ => Err(request.unknown()),
//! }
//! ```
//! Before it is called, the gate has seen that the project, folder or organization in the path exists and that the caller may do this.
//! It keeps what it has in [`Governance::things`] of its project, folder or organization, under a name such as `logging/sinks`, or in
//! fields of its own there. Whatever it keeps there lags, is seen in `/_landfall/world`, and goes with its project.
//!
//! Paths, methods and fields are those of Google's discovery documents of November 2026, which the tests check every request against.

mod access;
mod answer;
mod breakage;
mod condition;
mod constraint;
mod control;
pub mod event;
mod gate;
mod lag;
mod operation;
mod options;
mod page;
mod request;
mod rival;
mod route;
mod served;
mod service;
mod simulator;
mod world;

pub use breakage::{GcpBreakError, GcpBreakage};
pub use options::GcpOptions;
pub use simulator::GcpSimulator;
pub use world::{
    BILLING_ACCOUNT, Binding, CONTROLLER_PROJECT, CREATOR, CUSTOMER, Folder, GcpSettings, GcpWorld,
    Governance, IamPolicy, LEGACY_FOLDER, ORGANIZATION, Organization, Project, READ_IDENTITY, Things,
    WRITE_IDENTITY,
};
