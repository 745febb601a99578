//! What an organization is and what must hold in it: pure types and decisions.
//!
//! ```text
//! event ─► Trigger ─► Target ─► Desired ─► Observed ─► Plan ─► Approved ─► Outcome ─► Finding ─► Report ─► Store
//!          parse      resolve   resolve    observe     plan    approve     apply      evaluate   report    record
//! ```
//!
//! Every noun of that line is a type here. Nothing in this crate waits, reads a clock, an environment, a file or a network, or
//! rolls dice: what a decision needs arrives as an argument.
//!
//! | room | modules |
//! |---|---|
//! | what people write | [`manifest`] [`exemption`] [`catalog`] [`diagnostic`] |
//! | why we woke, and for whom | [`trigger`] [`target`] [`id`] |
//! | what must hold, what was seen, what is said of it | [`desired`] [`facts`] [`observed`] [`judgement`] |
//! | what is done about it | [`plan`] [`approve`] [`outcome`] |
//! | what is told and kept | [`finding`] [`report`] [`record`] [`ledger`] [`answer`] |

pub mod answer;
pub mod approve;
pub mod catalog;
pub mod desired;
pub mod diagnostic;
pub mod exemption;
pub mod facts;
pub mod finding;
pub mod heartbeat;
pub mod id;
pub mod judgement;
pub mod ledger;
pub mod manifest;
pub mod observed;
pub mod outcome;
pub mod pause;
pub mod plan;
pub mod record;
pub mod report;
pub mod target;
pub mod trigger;
