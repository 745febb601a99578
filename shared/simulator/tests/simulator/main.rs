//! The simulator over its real socket: what the clouds' official clients would see, without needing one.

mod client;
mod control;
mod events;
mod faults;
mod isolation;
mod organizations;
mod queues;
mod roles;
mod services;
