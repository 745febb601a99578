//! AWS accounts: client, identity, tenants and one file per control.

pub(crate) mod client;
pub(crate) mod endpoint;
pub(crate) mod error;
pub(crate) mod http;
pub(crate) mod identity;

pub use client::{Aws, Client};
pub use error::{CallError, ConfigError};
pub use identity::Access;
