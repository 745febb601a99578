//! Storage Queue on your desk: as much of Azure Storage's queues as `azure_storage_queue`, Microsoft's client, asks for.
//!
//! ```text
//! HTTP request ─► Asked ─► Queues (put, get, peek, update, delete) ─► XML ─► HTTP answer
//!                 ask      messages                                   answer
//! ```
//! For the demo, and for tests that start no Node.js. It knows one account, [`ACCOUNT`], and checks no signature, only that there is one.
//! Azurite, which Microsoft publishes, stays the judge of the client's side: see `tests/tests/azure/azurite.rs`.
//!
//! [`StorageQueues`] is the handle. It also takes messages as the Functions host's trigger does, which has its own way to a queue.

mod answer;
mod ask;
mod messages;
mod served;

use std::net::SocketAddr;
use std::time::Duration;

use crate::call::Call;
use crate::fault::Faults;
use crate::options::StartError;
use crate::running::Running;
use crate::server::Cloud as _;
use messages::Queues;
pub use messages::Taken;
use served::Served;

/// The one account, as every Azurite has it.
pub const ACCOUNT: &str = "devstoreaccount1";

/// Queues that are being served. The thread and runtime are their own, so that it works the same from blocking and async code.
#[derive(Debug)]
pub struct StorageQueues {
    running: Running<Served>,
}

impl StorageQueues {
    /// Starts serving an account without queues; when this returns, connections are accepted.
    ///
    /// # Errors
    /// When the address is taken or no thread can be started.
    pub fn start(listen: SocketAddr) -> Result<Self, StartError> {
        let running = Running::start(listen, |_| Served::new())?;
        Ok(Self { running })
    }

    /// Where it listens, as `http://127.0.0.1:PORT`: also good for `LANDFALL_AZURE_STORAGE` where only queues are used.
    #[must_use]
    pub fn url(&self) -> String {
        self.running.url()
    }

    /// Makes a queue, and answers its URL as `LANDFALL_QUEUE` takes it.
    pub fn create(&self, queue: &str) -> String {
        self.queues(|queues| queues.create(queue));
        format!("{}/{ACCOUNT}/{queue}", self.url())
    }

    /// How many messages can be taken now.
    #[must_use]
    pub fn due(&self, queue: &str) -> usize {
        self.queues(|queues| queues.due(queue))
    }

    /// How many are held back, or were taken and may come again.
    #[must_use]
    pub fn later(&self, queue: &str) -> usize {
        self.queues(|queues| queues.len(queue) - queues.due(queue))
    }

    /// Lets the time pass for which messages are held back. Those that were taken come again as well.
    pub fn hurry(&self, queue: &str) {
        self.queues(|queues| queues.hurry(queue));
    }

    /// Takes at most so many messages, for as long as the trigger may have them.
    #[must_use]
    pub fn take(&self, queue: &str, most: usize, hidden: Duration) -> Vec<Taken> {
        self.queues(|queues| queues.take(queue, most, hidden).unwrap_or_default())
    }

    /// A message is done.
    pub fn done(&self, queue: &str, taken: &Taken) {
        // Done twice, or taken by somebody else meanwhile: then it is not ours to delete.
        self.queues(|queues| queues.delete(queue, &taken.id, &taken.receipt)).ok();
    }

    /// A message comes again.
    pub fn again(&self, queue: &str, taken: &Taken, delay: Duration) {
        self.queues(|queues| queues.update(queue, &taken.id, &taken.receipt, delay, None)).ok();
    }

    /// Every call received so far, in order. What the handle does is none.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.running.cloud.calls()
    }

    /// Replaces the faults; their count of calls begins again.
    pub fn set_faults(&self, faults: Faults) {
        self.running.cloud.set_faults(faults);
    }

    fn queues<A>(&self, act: impl FnOnce(&mut Queues) -> A) -> A {
        self.running.cloud.edit(act)
    }
}
