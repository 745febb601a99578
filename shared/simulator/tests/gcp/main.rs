//! The simulator of Google Cloud over its real socket: what Google's own clients would see.

mod apis;
mod billing;
mod client;
mod compute;
mod contacts;
mod control;
mod events;
mod faults;
mod gate;
mod grants;
mod iam;
mod logging;
mod monitoring;
mod org_policies;
mod resources;
mod watch;
