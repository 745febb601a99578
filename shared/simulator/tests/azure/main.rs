//! The simulator of Azure Resource Manager over its real socket: what Microsoft's own clients would see.

mod client;
mod control;
mod faults;
mod gate;
mod groups;
mod identities;
mod policies;
mod remediation;
mod requests;
mod roles;
mod security;
mod settings;
