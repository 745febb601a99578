//! Everything on AWS: one program, because linking one for each file takes longer than running it.

mod conformance;
mod console;
mod crash;
mod environment;
mod events;
mod infra;
mod killed;
mod lost;
mod moto;
mod permissions;
mod properties;
mod scp;
mod sdk;
mod spine;
mod sweep;
