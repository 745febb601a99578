//! The store on another cloud, reached by federated identity: a token of the cloud that a function runs on, made for one audience, is
//! exchanged for a short right to the store's bucket. No secret is kept anywhere.
//!
//! ```text
//! own cloud's token (issuer, subject, audience) ─► the other cloud's token service ─► a right for an hour ─► its store
//! ```
//!
//! | store | token service | what it is told by [`Settings`] |
//! |---|---|---|
//! | `s3://` | STS, AssumeRoleWithWebIdentity: one unsigned call | the role |
//! | `gs://` | Google's Security Token Service, token exchange (RFC 8693) | the workload identity provider |
//! | `az://` | Microsoft Entra, a client assertion (RFC 7523) | the directory and the application or managed identity |
//!
//! Whom the other cloud lets in is its own say, by issuer, subject and audience: the few lines that it needs are in
//! `infra/federation.md`.

mod exchange;
mod right;
mod settings;
mod store;

pub use landfall_engine::warm::Identity;
pub use settings::{Settings, Wrong};
pub use store::{Federation, reach};
