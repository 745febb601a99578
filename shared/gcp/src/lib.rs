//! Google Cloud projects: client, identity, tenants and one file per control.

pub(crate) mod client;
pub mod controls;
pub(crate) mod directory;
pub mod doctor;
pub(crate) mod error;
pub(crate) mod http;
pub(crate) mod identity;
pub mod permissions;
pub(crate) mod provider;
pub(crate) mod queue;
pub(crate) mod rates;
pub(crate) mod session;
pub(crate) mod store;

pub use client::{Client, Gcp, Local};
pub use error::{CallError, ConfigError};
pub use provider::GcpOrganization;
pub use queue::{CloudTasks, NotAQueue, Worker};
pub use rates::rate;
pub use store::BucketError;
