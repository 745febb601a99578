//! Everything on Google Cloud: one program, because linking one for each file takes longer than running it.

mod cloud_tasks;
mod conflicts;
mod conformance;
mod console;
mod crash;
mod environment;
mod events;
mod gcs;
mod ground;
mod infra;
mod killed;
mod permissions;
mod properties;
mod sdk;
mod spine;
