//! The queue's contract where the queue pushes: Cloud Tasks calls a worker, and what the contract asks for is what the worker is called
//! with and what it answers.
//!
//! Cloud Tasks is simulated: there is no other that runs here. Two things are not Cloud Tasks' own and stand in the harness: what was
//! called with waits until the contract asks for it, and the dead are those that the simulator saw given up, since Cloud Tasks keeps none.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test harness: a failure here is a failed test"
)]

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use landfall_engine::queue::contract::{self, Rules};
use landfall_engine::queue::{Outbox, Queue, QueueError, Received};
use landfall_gcp::{CloudTasks, Gcp, Local, Worker};
use landfall_simulator::cloud_tasks::{CloudTasks as Simulator, CloudTasksOptions, Retry};

const QUEUE: &str = "projects/acme-landfall/locations/europe-west1/queues/landfall-work";

/// Where nobody listens: what is only about the queue asks no API.
const NOBODY: &str = "http://127.0.0.1:9";

/// One call that is still to be answered.
#[derive(Debug)]
struct Call {
    body: String,
    attempts: u32,
    since: Instant,
    answer: mpsc::Sender<u16>,
}

#[derive(Debug, Default)]
struct Calls {
    waiting: VecDeque<Call>,
    in_flight: BTreeMap<String, Call>,
    received: u64,
}

/// The queue as the contract wants it: what is sent goes through Cloud Tasks, what is received are its calls.
#[derive(Debug)]
struct Pushed {
    outbox: CloudTasks,
    simulator: Simulator,
    calls: Arc<Mutex<Calls>>,
    visibility: Duration,
}

impl Pushed {
    fn start(rules: &Rules) -> Self {
        let calls = Arc::new(Mutex::new(Calls::default()));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/work", listener.local_addr().unwrap());
        let shared = Arc::clone(&calls);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let calls = Arc::clone(&shared);
                std::thread::spawn(move || answer(&stream, &calls));
            }
        });
        let retry = Retry {
            max_attempts: Some(rules.max_receives),
            // Cloud Tasks has one wait for whoever failed, so that is the delay of a retry.
            min_backoff: rules.delay,
            max_backoff: rules.delay,
            ..Retry::default()
        };
        let options = CloudTasksOptions {
            retry,
            dispatch_deadline: Some(rules.visibility),
            ..CloudTasksOptions::default()
        };
        let simulator = Simulator::start(options).unwrap();
        simulator.create(QUEUE);
        let tasks = simulator.url();
        let gcp = Gcp::local(&Local { apis: NOBODY, storage: None, tasks: Some(&tasks) }).unwrap();
        let worker = Worker { url, account: None, audience: None, deadline: Duration::from_secs(300) };
        let outbox = gcp.queue(QUEUE, worker).unwrap();
        Pushed { outbox, simulator, calls, visibility: rules.visibility }
    }

    fn say(&self, receipt: &str, status: u16) {
        if let Some(call) = self.calls.lock().unwrap().in_flight.remove(receipt) {
            // Who called may have gone meanwhile.
            call.answer.send(status).ok();
        }
    }
}

/// Notes a call, and answers it when somebody says what.
fn answer(stream: &TcpStream, calls: &Mutex<Calls>) {
    let mut reader = BufReader::new(stream);
    let mut headers = BTreeMap::new();
    let mut first = String::new();
    if reader.read_line(&mut first).unwrap_or(0) == 0 {
        return;
    }
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    assert!(first.starts_with("POST /work "), "{first}");
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(headers["x-cloudtasks-queuename"], "landfall-work");
    let mut body = vec![0; headers["content-length"].parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    let attempts = headers["x-cloudtasks-taskretrycount"].parse::<u32>().unwrap() + 1;
    let (tell, told) = mpsc::channel();
    let body = String::from_utf8(body).unwrap();
    calls.lock().unwrap().waiting.push_back(Call { body, attempts, since: Instant::now(), answer: tell });
    let Ok(status) = told.recv() else { return };
    let text = format!("HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    (&*stream).write_all(text.as_bytes()).ok();
}

#[async_trait]
impl Outbox for Pushed {
    async fn send(&self, body: &str, delay: Duration) -> Result<(), QueueError> {
        self.outbox.send(body, delay).await
    }
}

#[async_trait]
impl Queue for Pushed {
    async fn receive(&self, max: usize) -> Result<Vec<Received>, QueueError> {
        let Calls { waiting, in_flight, received } = &mut *self.calls.lock().unwrap();
        // Cloud Tasks has hung up on those, and calls again.
        waiting.retain(|call| call.since.elapsed() < self.visibility);
        let some = waiting.drain(..max.min(waiting.len()));
        Ok(some
            .map(|call| {
                *received += 1;
                let receipt = received.to_string();
                let delivery =
                    Received { body: call.body.clone(), receipt: receipt.clone(), attempts: call.attempts };
                in_flight.insert(receipt, call);
                delivery
            })
            .collect())
    }

    async fn done(&self, receipt: &str) -> Result<(), QueueError> {
        self.say(receipt, 204);
        Ok(())
    }

    async fn retry(&self, receipt: &str, _: Duration) -> Result<(), QueueError> {
        self.say(receipt, 503);
        Ok(())
    }

    async fn dead(&self) -> Result<Vec<String>, QueueError> {
        let dropped = self.simulator.dropped(QUEUE).into_iter();
        Ok(dropped.map(|dropped| String::from_utf8(dropped.body).unwrap()).collect())
    }

    async fn next_due(&self) -> Result<Option<Duration>, QueueError> {
        Ok((self.simulator.left(QUEUE) > 0).then_some(Duration::ZERO))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_left_with_cloud_tasks_keeps_the_contract() {
    let rules =
        Rules { visibility: Duration::from_secs(2), delay: Duration::from_millis(500), max_receives: 2 };
    let queue = Pushed::start(&rules);
    contract::run(&queue, &rules).await;
}
