//! AWS accounts: client, identity, tenants and one file per control.

pub(crate) mod client;
pub(crate) mod endpoint;
pub(crate) mod error;
pub(crate) mod http;
pub(crate) mod identity;
pub(crate) mod queue;
pub(crate) mod rates;
pub(crate) mod store;

pub use client::{Aws, Client};
pub use error::{CallError, ConfigError};
pub use identity::Access;
pub use queue::{NotAQueue, SqsQueue};
pub use rates::rate;
pub use store::S3Error;
