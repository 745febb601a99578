//! Reconcile one target, sweep all: provider-free, with store, ledger, queue and governor.
//!
//! Start reading at [`reconcile`]: one target's whole way on one page. [`sweep`] does it for everybody. Around them:
//!
//! | room | modules |
//! |---|---|
//! | what a cloud has to offer, and has to permit | [`cloud`] [`control`] [`carried`] [`strangers`] [`offer`] [`permissions`] |
//! | one run | [`engine`] [`lease`] [`observe`] [`apply`] [`history`] |
//! | many runs | [`sweep`] [`work`] [`inventory`] [`queue`] [`governor`] |
//! | what is kept | [`store`] [`keys`] |
//! | what may be believed, and what can be asked | [`trust`] [`config`] [`ask`] [`answer`] |
//! | what every cloud needs | [`warm`] [`remembered`] [`here`] [`tidy`] |

pub mod answer;
pub mod apply;
pub mod ask;
pub mod carried;
pub mod cloud;
pub mod config;
pub mod control;
pub mod engine;
pub mod governor;
pub mod heartbeat;
pub mod here;
pub mod history;
pub mod inventory;
pub mod keys;
#[cfg(feature = "contract")]
pub mod landscape;
pub mod lease;
pub mod observe;
pub mod offer;
pub mod pause;
pub mod permissions;
pub mod queue;
pub mod reconcile;
pub mod remembered;
#[cfg(feature = "contract")]
pub mod scripted;
pub mod store;
pub mod strangers;
pub mod sweep;
pub mod tidy;
pub mod trust;
pub mod warm;
pub mod work;
