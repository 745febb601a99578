//! AWS accounts: client, identity, tenants and one file per control.

pub(crate) mod client;
pub mod controls;
pub(crate) mod directory;
pub mod doctor;
pub(crate) mod endpoint;
pub(crate) mod error;
pub(crate) mod http;
pub(crate) mod identity;
pub mod permissions;
pub(crate) mod provider;
pub(crate) mod queue;
pub(crate) mod rates;
pub(crate) mod session;
pub(crate) mod store;

pub use client::{Aws, Client};
pub use error::{CallError, ConfigError};
pub use identity::Access;
pub use provider::AwsOrganization;
pub use queue::{NotAQueue, SqsQueue};
pub use rates::rate;
pub use store::S3Error;
