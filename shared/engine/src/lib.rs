//! Reconcile one target, sweep all: provider-free, with store, ledger, queue and governor.

pub mod governor;
pub mod queue;
pub mod store;
