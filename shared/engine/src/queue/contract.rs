//! What every queue must do, as named situations that a queue's tests run.
//!
//! [`run`] plays all of them, one after the other, on a queue that nobody else uses; each situation is public
//! and leaves nothing behind but the dead. A broken promise panics with the situation in the backtrace. Nothing
//! here relies on order, and waiting is always for a condition with a deadline.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a contract suite is a test; it lives here so that other crates can run it"
)]

use super::{Queue, Received};
use std::time::Duration;
use tokio::time::Instant;

/// How the queue under test was set up.
#[derive(Debug, Clone)]
pub struct Rules {
    /// How long a delivery is in flight. Short, because the suite waits for its end; long enough for a few calls.
    pub visibility: Duration,
    /// The shortest delay that the queue can tell from none.
    pub delay: Duration,
    /// Deliveries before a message is dead.
    pub max_receives: u32,
}

impl Rules {
    /// Twenty times what should be enough: a slow machine is no broken promise.
    fn patience(&self) -> Duration {
        (self.visibility + self.delay) * 20 + Duration::from_secs(5)
    }
}

/// Plays every situation.
pub async fn run(queue: &dyn Queue, rules: &Rules) {
    an_empty_queue_answers_at_once(queue, rules).await;
    what_was_sent_is_received_unchanged(queue, rules).await;
    a_done_message_is_gone(queue, rules).await;
    done_twice_is_no_error(queue, rules).await;
    no_more_are_received_than_asked_for(queue, rules).await;
    every_message_of_many_arrives(queue, rules).await;
    a_message_in_flight_is_invisible(queue, rules).await;
    a_message_that_is_not_done_comes_again(queue, rules).await;
    a_retried_message_comes_again_at_once(queue, rules).await;
    a_delayed_message_does_not_come_early(queue, rules).await;
    a_delayed_retry_does_not_come_early(queue, rules).await;
    a_message_that_keeps_failing_is_dead(queue, rules).await;
    a_message_that_keeps_crashing_its_worker_is_dead(queue, rules).await;
}

pub async fn an_empty_queue_answers_at_once(queue: &dyn Queue, rules: &Rules) {
    assert_eq!(queue.receive(10).await.expect("receive"), []);
    drained(queue, rules).await;
}

pub async fn what_was_sent_is_received_unchanged(queue: &dyn Queue, rules: &Rules) {
    for body in ["x", "{\"target\":\"aws/222222222222\"}", "<&>\"'é\u{1f600}\n\ttext", &"long ".repeat(9_000)]
    {
        send(queue, body).await;
        let received = receive(queue, rules).await;
        assert_eq!(received.body, body);
        assert_eq!(received.attempts, 1, "the first delivery is number one");
        done(queue, &received).await;
    }
    drained(queue, rules).await;
}

pub async fn a_done_message_is_gone(queue: &dyn Queue, rules: &Rules) {
    send(queue, "done").await;
    let received = receive(queue, rules).await;
    done(queue, &received).await;
    let end = Instant::now() + rules.visibility * 2;
    while Instant::now() < end {
        assert_eq!(queue.receive(1).await.expect("receive"), [], "a done message came again");
        pause(rules).await;
    }
    drained(queue, rules).await;
}

pub async fn done_twice_is_no_error(queue: &dyn Queue, rules: &Rules) {
    send(queue, "twice").await;
    let received = receive(queue, rules).await;
    done(queue, &received).await;
    done(queue, &received).await;
    queue.retry(&received.receipt, Duration::ZERO).await.expect("a retry of what is done changes nothing");
    drained(queue, rules).await;
}

pub async fn no_more_are_received_than_asked_for(queue: &dyn Queue, rules: &Rules) {
    for body in ["a", "b", "c"] {
        send(queue, body).await;
    }
    assert_eq!(queue.receive(0).await.expect("receive"), []);
    let mut bodies = Vec::new();
    let deadline = Instant::now() + rules.patience();
    while bodies.len() < 3 {
        let some = queue.receive(2).await.expect("receive");
        assert!(some.len() <= 2, "{} messages where two were asked for", some.len());
        for received in some {
            done(queue, &received).await;
            bodies.push(received.body);
        }
        wait(rules, deadline, "all three messages").await;
    }
    bodies.sort();
    assert_eq!(bodies, ["a", "b", "c"]);
    drained(queue, rules).await;
}

pub async fn every_message_of_many_arrives(queue: &dyn Queue, rules: &Rules) {
    let mut sent: Vec<String> = (0..25).map(|number| format!("many {number:02}")).collect();
    for body in &sent {
        send(queue, body).await;
    }
    let deadline = Instant::now() + rules.patience();
    while !sent.is_empty() {
        // At least once: a second delivery is allowed, a message that was never sent isn't.
        for received in queue.receive(10).await.expect("receive") {
            assert!(received.body.starts_with("many "), "{received:?}");
            done(queue, &received).await;
            sent.retain(|body| *body != received.body);
        }
        wait(rules, deadline, "all messages").await;
    }
    drained(queue, rules).await;
}

pub async fn a_message_in_flight_is_invisible(queue: &dyn Queue, rules: &Rules) {
    send(queue, "in flight").await;
    let before = Instant::now();
    let received = receive(queue, rules).await;
    let again = queue.receive(10).await.expect("receive");
    // On a machine that slept in between, the timeout has honestly ended.
    assert!(
        again.is_empty() || before.elapsed() >= rules.visibility,
        "in flight, and received again: {again:?}"
    );
    assert!(
        queue.next_due().await.expect("next due").is_some(),
        "a message in flight is still to be waited for"
    );
    for delivery in again.iter().chain([&received]) {
        done(queue, delivery).await;
    }
    drained(queue, rules).await;
}

pub async fn a_message_that_is_not_done_comes_again(queue: &dyn Queue, rules: &Rules) {
    send(queue, "crash").await;
    let first = receive(queue, rules).await;
    let second = receive(queue, rules).await;
    assert_eq!((second.body.as_str(), second.attempts), ("crash", 2));
    assert_ne!(first.receipt, second.receipt, "each delivery has its own receipt");
    done(queue, &second).await;
    drained(queue, rules).await;
}

pub async fn a_retried_message_comes_again_at_once(queue: &dyn Queue, rules: &Rules) {
    send(queue, "retry").await;
    let first = receive(queue, rules).await;
    queue.retry(&first.receipt, Duration::ZERO).await.expect("retry");
    let second = receive(queue, rules).await;
    assert_eq!((second.body.as_str(), second.attempts), ("retry", 2));
    done(queue, &second).await;
    drained(queue, rules).await;
}

pub async fn a_delayed_message_does_not_come_early(queue: &dyn Queue, rules: &Rules) {
    let sent = Instant::now();
    queue.send("later", rules.delay).await.expect("send");
    assert!(
        queue.next_due().await.expect("next due").is_some(),
        "a delayed message is still to be waited for"
    );
    let received = receive(queue, rules).await;
    assert_eq!((received.body.as_str(), received.attempts), ("later", 1));
    not_early(rules, sent);
    done(queue, &received).await;
    drained(queue, rules).await;
}

pub async fn a_delayed_retry_does_not_come_early(queue: &dyn Queue, rules: &Rules) {
    send(queue, "retry later").await;
    let first = receive(queue, rules).await;
    let retried = Instant::now();
    queue.retry(&first.receipt, rules.delay).await.expect("retry");
    let second = receive(queue, rules).await;
    not_early(rules, retried);
    done(queue, &second).await;
    drained(queue, rules).await;
}

pub async fn a_message_that_keeps_failing_is_dead(queue: &dyn Queue, rules: &Rules) {
    dies(queue, rules, "keeps failing", Worker::Retries).await;
}

pub async fn a_message_that_keeps_crashing_its_worker_is_dead(queue: &dyn Queue, rules: &Rules) {
    dies(queue, rules, "keeps crashing", Worker::Crashes).await;
}

#[derive(Debug, Clone, Copy)]
enum Worker {
    Retries,
    Crashes,
}

async fn dies(queue: &dyn Queue, rules: &Rules, body: &str, worker: Worker) {
    send(queue, body).await;
    let deadline = Instant::now() + rules.patience();
    let mut deliveries = 0;
    while !queue.dead().await.expect("dead").iter().any(|dead| dead == body) {
        // Some queues bury a message only when somebody would have received it once more.
        for received in queue.receive(10).await.expect("receive") {
            deliveries += 1;
            match worker {
                Worker::Retries => queue.retry(&received.receipt, Duration::ZERO).await.expect("retry"),
                Worker::Crashes => {}
            }
        }
        wait(rules, deadline, "a message to be dead").await;
    }
    assert_eq!(deliveries, rules.max_receives, "dead after that many deliveries");
    assert_eq!(queue.receive(10).await.expect("receive"), [], "the dead aren't received");
    assert!(queue.dead().await.expect("dead").iter().any(|dead| dead == body), "looking removes nothing");
    drained(queue, rules).await;
}

async fn send(queue: &dyn Queue, body: &str) {
    queue.send(body, Duration::ZERO).await.expect("send");
}

async fn done(queue: &dyn Queue, received: &Received) {
    queue.done(&received.receipt).await.expect("done");
}

/// The next message, as soon as there is one.
async fn receive(queue: &dyn Queue, rules: &Rules) -> Received {
    let deadline = Instant::now() + rules.patience();
    loop {
        if let Some(received) = queue.receive(1).await.expect("receive").pop() {
            return received;
        }
        wait(rules, deadline, "a message").await;
    }
}

/// Waits until the queue says that nothing is left; counts of remote queues lag behind.
async fn drained(queue: &dyn Queue, rules: &Rules) {
    let deadline = Instant::now() + rules.patience();
    while queue.next_due().await.expect("next due").is_some() {
        wait(rules, deadline, "the queue to be empty").await;
    }
}

fn not_early(rules: &Rules, since: Instant) {
    // Remote clocks count in whole seconds of their own: a tenth is theirs.
    let passed = since.elapsed();
    assert!(passed >= rules.delay.mul_f64(0.9), "came after {passed:?}, delayed by {:?}", rules.delay);
}

async fn wait(rules: &Rules, deadline: Instant, what: &str) {
    if Instant::now() > deadline {
        panic!("waited in vain for {what}");
    }
    pause(rules).await;
}

async fn pause(rules: &Rules) {
    tokio::time::sleep(rules.visibility.min(rules.delay) / 20).await;
}
