//! What the tests of the whole stand on: a stage with an organization, a store, a queue and an engine.

pub mod azure;
pub mod azurite;
pub mod conformance;
pub mod crash;
pub mod gcp;
pub mod gcs;
pub mod judges;
pub mod killed;
pub mod packages;
pub mod permissions;
pub mod properties;
pub mod real;
pub mod skipped;
pub mod spine;
pub mod stage;
