//! A queue in this process: for the local worker, the demo and tests. What is in it is gone with the process;
//! the next sweep finds what was left undone.

use super::{DEAD_SHOWN, Outbox, Queue, QueueError, Received};
use async_trait::async_trait;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The longest delay, that of SQS, so that whoever relies on more learns it at the desk.
const MAX_DELAY: Duration = Duration::from_secs(15 * 60);
/// The longest visibility timeout, also that of SQS.
const MAX_VISIBILITY: Duration = Duration::from_secs(12 * 60 * 60);
/// How many dead messages are kept for looking at. More would only fill memory: they are all in the log.
const DEAD_KEPT: usize = 1_000;

/// Messages by tokio's clock.
#[derive(Debug)]
pub struct MemoryQueue {
    visibility: Duration,
    max_receives: u32,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    sent: u64,
    messages: BTreeMap<u64, Message>,
    dead: VecDeque<String>,
}

#[derive(Debug)]
struct Message {
    body: String,
    /// When it may be delivered: for the first time, or again if it is in flight.
    due: Instant,
    attempts: u32,
    /// Whether the latest delivery can still be done or retried.
    in_flight: bool,
}

impl MemoryQueue {
    /// Five minutes to handle a message, and five deliveries before it is dead.
    pub fn new() -> MemoryQueue {
        MemoryQueue::with_rules(Duration::from_secs(300), 5)
    }

    /// A queue whose messages come back after `visibility` and are dead after `max_receives` deliveries.
    pub fn with_rules(visibility: Duration, max_receives: u32) -> MemoryQueue {
        let visibility = visibility.min(MAX_VISIBILITY);
        MemoryQueue { visibility, max_receives: max_receives.max(1), state: Mutex::default() }
    }

    /// The state as of now: what has been delivered too often is dead.
    fn state(&self, now: Instant) -> MutexGuard<'_, State> {
        // Each change leaves the state whole, even if a panic came after it.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { messages, dead, sent: _ } = &mut *state;
        let buried = messages.extract_if(.., |_, m| m.due <= now && m.attempts >= self.max_receives);
        for (_, Message { body, attempts, .. }) in buried {
            tracing::warn!(attempts, "a message was given up");
            dead.push_back(body);
        }
        let surplus = dead.len().saturating_sub(DEAD_KEPT);
        dead.drain(..surplus);
        state
    }
}

impl Default for MemoryQueue {
    fn default() -> MemoryQueue {
        MemoryQueue::new()
    }
}

#[async_trait]
impl Outbox for MemoryQueue {
    async fn send(&self, body: &str, delay: Duration) -> Result<(), QueueError> {
        QueueError::check_size(body)?;
        let now = Instant::now();
        let due = now + delay.min(MAX_DELAY);
        let mut state = self.state(now);
        state.sent += 1;
        let number = state.sent;
        state.messages.insert(number, Message { body: body.to_owned(), due, attempts: 0, in_flight: false });
        Ok(())
    }
}

#[async_trait]
impl Queue for MemoryQueue {
    async fn receive(&self, max: usize) -> Result<Vec<Received>, QueueError> {
        let now = Instant::now();
        let mut state = self.state(now);
        let due = state.messages.iter_mut().filter(|(_, message)| message.due <= now).take(max);
        Ok(due
            .map(|(number, message)| {
                message.attempts += 1;
                message.in_flight = true;
                message.due = now + self.visibility;
                Received {
                    body: message.body.clone(),
                    receipt: receipt(*number, message),
                    attempts: message.attempts,
                }
            })
            .collect())
    }

    async fn done(&self, receipt: &str) -> Result<(), QueueError> {
        let mut state = self.state(Instant::now());
        if let Some(number) = state.holding(receipt) {
            state.messages.remove(&number);
        }
        Ok(())
    }

    async fn retry(&self, receipt: &str, delay: Duration) -> Result<(), QueueError> {
        let now = Instant::now();
        let mut state = self.state(now);
        if let Some(number) = state.holding(receipt)
            && let Some(message) = state.messages.get_mut(&number)
        {
            message.due = now + delay.min(MAX_DELAY);
            message.in_flight = false;
        }
        Ok(())
    }

    async fn dead(&self) -> Result<Vec<String>, QueueError> {
        Ok(self.state(Instant::now()).dead.iter().take(DEAD_SHOWN).cloned().collect())
    }

    async fn next_due(&self) -> Result<Option<Duration>, QueueError> {
        let now = Instant::now();
        let next = self.state(now).messages.values().map(|message| message.due).min();
        Ok(next.map(|due| due.saturating_duration_since(now)))
    }
}

impl State {
    /// The message whose latest delivery has this receipt.
    fn holding(&self, text: &str) -> Option<u64> {
        let number = text.split_once('.')?.0.parse().ok()?;
        let message = self.messages.get(&number)?;
        (message.in_flight && receipt(number, message) == text).then_some(number)
    }
}

fn receipt(number: u64, message: &Message) -> String {
    format!("{number}.{}", message.attempts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::{MAX_BODY, contract};

    #[tokio::test]
    async fn keeps_the_contract() {
        let visibility = Duration::from_millis(40);
        let queue = MemoryQueue::with_rules(visibility, 3);
        contract::run(&queue, &contract::Rules { visibility, delay: visibility, max_receives: 3 }).await;
    }

    #[tokio::test]
    async fn a_receipt_of_an_earlier_delivery_is_over() {
        let queue = MemoryQueue::with_rules(Duration::ZERO, 9);
        queue.send("a", Duration::ZERO).await.unwrap();
        let first = queue.receive(1).await.unwrap().remove(0);
        let second = queue.receive(1).await.unwrap().remove(0);

        queue.done(&first.receipt).await.unwrap();
        queue.retry(&first.receipt, MAX_DELAY).await.unwrap();
        assert_eq!(
            queue.next_due().await.unwrap(),
            Some(Duration::ZERO),
            "the second delivery is still in flight"
        );
        queue.done(&second.receipt).await.unwrap();
        assert_eq!(queue.next_due().await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_retried_message_is_no_longer_held() {
        let queue = MemoryQueue::new();
        queue.send("a", Duration::ZERO).await.unwrap();
        let held = queue.receive(1).await.unwrap().remove(0);
        queue.retry(&held.receipt, Duration::from_secs(60)).await.unwrap();
        queue.done(&held.receipt).await.unwrap();
        assert!(queue.next_due().await.unwrap().is_some_and(|due| due > Duration::from_secs(50)));
    }

    #[tokio::test]
    async fn words_that_are_no_receipts_change_nothing() {
        let queue = MemoryQueue::new();
        queue.send("a", Duration::ZERO).await.unwrap();
        queue.receive(1).await.unwrap();
        for receipt in ["", "1", "1.", ".1", "1.0", "1.2", "01.1", "2.1", "x.y", "1.1.1"] {
            queue.done(receipt).await.unwrap();
            assert!(queue.next_due().await.unwrap().is_some(), "`{receipt}`");
        }
    }

    #[tokio::test]
    async fn a_longer_delay_than_the_clouds_can_do_is_cut() {
        let queue = MemoryQueue::new();
        queue.send("a", Duration::MAX).await.unwrap();
        assert!(queue.next_due().await.unwrap().is_some_and(|due| due <= MAX_DELAY));
    }

    #[tokio::test]
    async fn a_body_that_some_queue_would_refuse_is_refused() {
        let queue = MemoryQueue::new();
        queue.send(&"x".repeat(MAX_BODY), Duration::ZERO).await.unwrap();
        let error = queue.send(&"x".repeat(MAX_BODY + 1), Duration::ZERO).await.unwrap_err();
        assert_eq!(error.to_string(), "a message of `49153` bytes is longer than `49152`");
    }

    #[tokio::test]
    async fn the_dead_are_shown_ten_at_a_time_and_kept_within_bounds() {
        let queue = MemoryQueue::with_rules(Duration::ZERO, 1);
        for number in 0..DEAD_KEPT + 5 {
            queue.send(&number.to_string(), Duration::ZERO).await.unwrap();
        }
        assert_eq!(queue.receive(usize::MAX).await.unwrap().len(), DEAD_KEPT + 5);
        let dead = queue.dead().await.unwrap();
        assert_eq!(dead, (5..15).map(|n| n.to_string()).collect::<Vec<_>>(), "the oldest were let go");
        assert_eq!(queue.next_due().await.unwrap(), None);
    }
}
