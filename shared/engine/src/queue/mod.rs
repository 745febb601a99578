//! What is still to be done: short messages, delivered at least once.
//!
//! A sweep sends one message per target; a worker receives it, reconciles the target and says `done`. What isn't
//! done in time comes back by itself, and what came back too often ends among the dead, where people look at
//! it. In a cloud the queue's own trigger calls the function with the body; receiving is for the local worker
//! and for tests. That is why there are two traits: [`Outbox`] is all that a run needs, and all that a queue
//! can be which pushes its messages (Cloud Tasks); [`Queue`] is one that can be asked for them as well.
//!
//! `contract` is what every queue must do; a new one is finished when it passes.

#[cfg(any(test, feature = "contract"))]
pub mod contract;
pub mod memory;

use async_trait::async_trait;
use std::time::Duration;
use thiserror::Error;

/// The longest body in bytes: Storage Queue's 64 KiB after base64. Messages carry ids, never what to believe.
pub const MAX_BODY: usize = 48 * 1024;
/// How many of the dead are shown: as many as SQS gives in one call.
pub const DEAD_SHOWN: usize = 10;

/// One delivery of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    pub body: String,
    /// Names this delivery, not the message: the next delivery has another.
    pub receipt: String,
    /// Which delivery this is, from 1. Approximate on remote queues, so it is for people and logs.
    pub attempts: u32,
}

/// Where messages are left, each to be delivered at least once, in no promised order.
#[async_trait]
pub trait Outbox: std::fmt::Debug + Send + Sync {
    /// Sends a message that is delivered after `delay` at the earliest.
    ///
    /// A delay above what the queue can do (SQS: 15 minutes) is cut to that, so a message may arrive before its
    /// time: whoever receives it looks whether there is something to do yet.
    async fn send(&self, body: &str, delay: Duration) -> Result<(), QueueError>;
}

/// A queue that gives its messages to whoever asks.
///
/// A message is in flight from its delivery until it is done, retried, or its visibility timeout ends; then it
/// is delivered again. After the queue's number of deliveries it is dead instead.
#[async_trait]
pub trait Queue: Outbox {
    /// At most `max` messages that are due, now in flight. Empty when there is none, even if some are delayed.
    async fn receive(&self, max: usize) -> Result<Vec<Received>, QueueError>;

    /// The message needn't come again. A receipt that is over changes nothing and is no error: twice is normal.
    async fn done(&self, receipt: &str) -> Result<(), QueueError>;

    /// The message comes again after `delay`, cut like that of [`Outbox::send`]. A receipt that is over changes
    /// nothing.
    async fn retry(&self, receipt: &str, delay: Duration) -> Result<(), QueueError>;

    /// Bodies of dead messages, at most [`DEAD_SHOWN`], left where they are.
    async fn dead(&self) -> Result<Vec<String>, QueueError>;

    /// How long until something may be received, with messages in flight counted as if they came back: `None`
    /// when nothing is left. A remote queue answers zero or `None` from its approximate counts.
    async fn next_due(&self) -> Result<Option<Duration>, QueueError>;
}

/// What can go wrong with a queue, by what the caller may do about it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum QueueError {
    /// Try again later. The message may or may not have been sent: sending again is right, since it may come twice.
    #[error("could not {doing}")]
    Unavailable { doing: String, source: Box<dyn std::error::Error + Send + Sync> },

    /// Trying again won't help before somebody grants the right.
    #[error("not allowed to {doing}")]
    Denied { doing: String, source: Box<dyn std::error::Error + Send + Sync> },

    /// Somebody has to make the queue or correct its address.
    #[error("there is no queue at `{queue}`")]
    NoSuchQueue { queue: String, source: Box<dyn std::error::Error + Send + Sync> },

    /// The body can't be sent, now or later.
    #[error("a message of `{size}` bytes is longer than `{MAX_BODY}`")]
    TooLarge { size: usize },
}

impl QueueError {
    /// Refuses a body that not every queue takes; each queue calls this first in `send`.
    pub fn check_size(body: &str) -> Result<(), QueueError> {
        match body.len() {
            size if size > MAX_BODY => Err(QueueError::TooLarge { size }),
            _ => Ok(()),
        }
    }
}
