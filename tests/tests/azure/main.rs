//! Everything on Azure: one program, because linking one for each file takes longer than running it.

mod azurite;
mod conformance;
mod console;
mod crash;
mod environment;
mod events;
mod infra;
mod killed;
mod permissions;
mod properties;
mod sdk;
mod spine;
mod storage_queue;
