//! Cloud Tasks as the way to leave work for later.
//!
//! Cloud Tasks pushes: it calls the worker's address, one message a request, again and again until a 2xx answers it. So this is an
//! [`Outbox`] and no queue that could be asked; what comes in is the function's to handle. How often and how soon it calls again, how
//! many at a time and when it gives up is the queue's own setting. What it gives up is gone: it keeps no dead. A sweep tells such a
//! target as unknown when it closes, and the next one looks again.
//! <https://cloud.google.com/tasks/docs/creating-http-target-tasks>.
//!
//! Every task has a name of our own, so that one whose answer was lost can be sent again and is not there twice. Names are random:
//! those in a row would slow the queue down, <https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues.tasks/create>.

use std::fmt::Write as _;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use landfall_engine::here::is_this_machine;
use landfall_engine::queue::{Outbox, QueueError};
use ring::rand::{SecureRandom as _, SystemRandom};
use serde_json::{Value, json};
use url::Url;

use crate::client::service::TASKS;
use crate::client::{Client, Gcp};
use crate::error::{CallError, ConfigError, tidy};
use crate::identity::Who;

/// The longest that Cloud Tasks holds a task back, less a little for clocks that differ.
const LONGEST_DELAY: Duration = Duration::from_secs(30 * 24 * 60 * 60 - 60 * 60);

/// How long Cloud Tasks may be told to wait for an answer: `dispatchDeadline` of
/// <https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues.tasks>.
const DEADLINES: [Duration; 2] = [Duration::from_secs(15), Duration::from_secs(30 * 60)];

/// Who works the messages off, and how Cloud Tasks proves to it that it comes from us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worker {
    /// Where a message is posted to.
    pub url: String,
    /// The service account whose token goes along. On this machine there may be none.
    pub account: Option<String>,
    /// What the token is made for; the URL where nothing is said.
    pub audience: Option<String>,
    /// How long an answer is waited for: as long as the worker may run.
    pub deadline: Duration,
}

/// A queue by its name, `projects/acme-landfall/locations/europe-west1/queues/landfall-work`.
#[derive(Debug, Clone)]
pub struct CloudTasks {
    client: Client,
    queue: String,
    worker: Worker,
    random: SystemRandom,
}

#[derive(Debug, thiserror::Error)]
pub enum NotAQueue {
    #[error(
        "`{0}` is not the name of a queue like `projects/acme-landfall/locations/europe-west1/queues/landfall-work`"
    )]
    Name(String),
    #[error("`{0}` is not a worker's address like `https://landfall-abcdefghij-ew.a.run.app/work`")]
    Worker(String),
    #[error("there is no service account whose token a worker that is not on this machine could be shown")]
    NoAccount,
    #[error("could not use the credentials")]
    Config(#[from] ConfigError),
}

impl Gcp {
    /// The queue of this name, with the process's own identity. A process that works on this machine sends work to this machine only.
    pub fn queue(&self, name: &str, worker: Worker) -> Result<CloudTasks, NotAQueue> {
        if !is_queue(name) {
            return Err(NotAQueue::Name(tidy(name)));
        }
        let wrong = || NotAQueue::Worker(tidy(&worker.url));
        let url = Url::parse(&worker.url).map_err(|_| wrong())?;
        let here = url.scheme() == "http" && is_this_machine(&url);
        let real = url.scheme() == "https" && url.host().is_some() && !is_this_machine(&url);
        let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        if !plain || !(if self.is_loopback() { here } else { real }) {
            return Err(wrong());
        }
        if real && worker.account.is_none() {
            return Err(NotAQueue::NoAccount);
        }
        let client = self.client(&Who::Own)?;
        Ok(CloudTasks { client, queue: name.to_owned(), worker, random: SystemRandom::new() })
    }
}

impl CloudTasks {
    fn task(&self, id: &str, body: &str, delay: Duration, now: Timestamp) -> Value {
        let Worker { url, account, audience, deadline } = &self.worker;
        let [least, most] = DEADLINES;
        let mut request = json!({
            "url": url,
            "httpMethod": "POST",
            "headers": {"Content-Type": "application/json"},
            "body": STANDARD.encode(body),
        });
        if let Some(account) = account {
            let audience = audience.as_deref().unwrap_or(url);
            put(&mut request, "oidcToken", json!({"serviceAccountEmail": account, "audience": audience}));
        }
        let mut task = json!({
            "name": format!("{}/tasks/{id}", self.queue),
            "httpRequest": request,
            "dispatchDeadline": format!("{}s", (*deadline).clamp(least, most).as_secs()),
        });
        if !delay.is_zero() {
            let delay = SignedDuration::try_from(delay.min(LONGEST_DELAY)).unwrap_or_default();
            put(&mut task, "scheduleTime", json!(now.saturating_add(delay).unwrap_or(now)));
        }
        json!({"task": task})
    }

    fn failed(&self, doing: &str, error: CallError) -> QueueError {
        let doing = format!("{doing} `{}`", self.queue);
        if error.is_not_found() {
            QueueError::NoSuchQueue { queue: self.queue.clone(), source: error.into() }
        } else if error.is_denied() {
            QueueError::Denied { doing, source: error.into() }
        } else {
            QueueError::Unavailable { doing, source: error.into() }
        }
    }
}

fn put(object: &mut Value, name: &str, value: Value) {
    if let Some(members) = object.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}

#[async_trait]
impl Outbox for CloudTasks {
    async fn send(&self, body: &str, delay: Duration) -> Result<(), QueueError> {
        QueueError::check_size(body)?;
        let mut bytes = [0; 16];
        self.random.fill(&mut bytes).map_err(|source| QueueError::Unavailable {
            doing: "draw a random name for a task".to_owned(),
            source: source.into(),
        })?;
        let id = bytes.iter().fold(String::new(), |mut id, byte| {
            // Writing to a string never fails.
            write!(id, "{byte:02x}").ok();
            id
        });
        let task = self.task(&id, body, delay, Timestamp::now());
        match self.client.post(&TASKS, &format!("{}/tasks", self.queue), &task).await {
            Ok(_) => Ok(()),
            // An earlier try arrived, and only its answer was lost.
            Err(error) if error.is_there_already() => Ok(()),
            Err(error) => Err(self.failed("send to", error)),
        }
    }
}

/// `projects/P/locations/L/queues/Q`, by the rules of names that the reference gives.
fn is_queue(name: &str) -> bool {
    let parts: Vec<&str> = name.split('/').collect();
    let plain = |part: &str, others: &[u8]| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || others.contains(&b))
    };
    match parts.as_slice() {
        ["projects", project, "locations", location, "queues", queue] => {
            // Old projects belong to a domain, `example.com:acme`.
            let domain = !project.starts_with('.') && !project.contains("..");
            plain(project, b"-.:")
                && domain
                && plain(location, b"-")
                && plain(queue, b"-")
                && queue.len() <= 100
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use landfall_simulator::Faults;
    use landfall_simulator::cloud_tasks::{CloudTasks as Tasks, CloudTasksOptions};

    use super::*;
    use crate::client::Local;
    use landfall_engine::scripted::{Answer, Server, say};

    const QUEUE: &str = "projects/acme-landfall/locations/europe-west1/queues/landfall-work";

    fn worker(url: &str) -> Worker {
        Worker { url: url.to_owned(), account: None, audience: None, deadline: Duration::from_secs(300) }
    }

    fn tasks(url: &str) -> CloudTasks {
        Gcp::loopback(url).unwrap().queue(QUEUE, worker("http://127.0.0.1:9/work")).unwrap()
    }

    #[test]
    fn a_task_says_whom_to_call_with_what_when_and_as_whom() {
        let account = "landfall-tasks@acme-landfall.iam.gserviceaccount.com";
        let worker = Worker {
            account: Some(account.to_owned()),
            deadline: Duration::from_secs(3600),
            ..worker("http://127.0.0.1:9/work")
        };
        let gcp = Gcp::loopback("http://127.0.0.1:1").unwrap();
        let queue = gcp.queue(QUEUE, worker).unwrap();
        let now: Timestamp = "2026-11-21T08:00:00Z".parse().unwrap();
        assert_eq!(
            queue.task("0a1b", "{\"target\":\"é\"}", Duration::from_millis(1500), now),
            json!({"task": {
                "name": format!("{QUEUE}/tasks/0a1b"),
                "httpRequest": {
                    "url": "http://127.0.0.1:9/work",
                    "httpMethod": "POST",
                    "headers": {"Content-Type": "application/json"},
                    "body": STANDARD.encode("{\"target\":\"é\"}"),
                    "oidcToken": {"serviceAccountEmail": account, "audience": "http://127.0.0.1:9/work"},
                },
                "scheduleTime": "2026-11-21T08:00:01.5Z",
                // No longer than Cloud Tasks waits for anybody.
                "dispatchDeadline": "1800s",
            }})
        );
        let longest = queue.task("0a1b", "x", Duration::from_secs(90 * 24 * 3600), now);
        assert_eq!(longest["task"]["scheduleTime"], "2026-12-21T07:00:00Z");
        assert_eq!(queue.task("0a1b", "x", Duration::ZERO, now)["task"].get("scheduleTime"), None);
    }

    #[test]
    fn a_queue_has_a_name_and_its_worker_is_where_we_work() {
        let gcp = Gcp::loopback("http://127.0.0.1:1").unwrap();
        for wrong in [
            "",
            "landfall-work",
            "projects/p/locations/l/queues/",
            "projects/../locations/l/queues/q",
            "projects/p/locations/l/queues/q/tasks",
            "projects/p/locations/l/queues/q?x=y",
            "https://cloudtasks.googleapis.com/v2/projects/p/locations/l/queues/q",
        ] {
            let refused = gcp.queue(wrong, worker("http://127.0.0.1:9/work"));
            assert!(matches!(refused, Err(NotAQueue::Name(_))), "{wrong}");
        }
        for wrong in [
            "",
            "127.0.0.1:9",
            "https://landfall.run.app/work",
            "http://landfall.run.app/work",
            "http://a:b@127.0.0.1:9/work",
            "https://127.0.0.1:9/work",
        ] {
            assert!(matches!(gcp.queue(QUEUE, worker(wrong)), Err(NotAQueue::Worker(_))), "{wrong}");
        }
        assert!(is_queue("projects/example.com:acme/locations/europe-west1/queues/work"));
    }

    #[tokio::test]
    async fn a_task_whose_answer_was_lost_is_sent_again_by_the_same_name() {
        let server = Server::start(|_, _, before| match before {
            0 => Answer::Cut,
            1 => say(500, "<html>"),
            _ => say(409, r#"{"error":{"code":409,"status":"ALREADY_EXISTS","message":"there is one"}}"#),
        });
        tasks(&server.url).send("{}", Duration::ZERO).await.unwrap();
        let sent = server.requests();
        assert_eq!(sent.len(), 3);
        assert!(sent.iter().all(|seen| seen.body == sent[0].body), "{sent:?}");
        assert_eq!(sent[0].path, format!("/cloudtasks.googleapis.com/v2/{QUEUE}/tasks"));
        assert_eq!(sent[0].header("authorization"), "Bearer landfall-own");
        // The next one has another.
        tasks(&server.url).send("{}", Duration::ZERO).await.unwrap();
        assert_ne!(server.requests()[3].body, sent[0].body);
    }

    #[tokio::test]
    async fn cloud_tasks_may_have_an_address_of_its_own() {
        let simulator = Tasks::start(CloudTasksOptions::quick()).unwrap();
        simulator.create(QUEUE);
        simulator.pause(QUEUE);
        let url = simulator.url();
        let local = Local { apis: "http://127.0.0.1:9", tasks: Some(&url), storage: None };
        let queue = Gcp::local(&local).unwrap().queue(QUEUE, worker("http://127.0.0.1:9/work")).unwrap();
        simulator.set_faults(Faults { throttle: 0.3, server_error: 0.2, seed: 7, ..Faults::default() });
        for body in ["a", "b", "c"] {
            queue.send(body, Duration::from_secs(60)).await.unwrap();
        }
        assert_eq!(simulator.left(QUEUE), 3);
    }

    #[tokio::test]
    async fn what_stands_in_the_way_is_told_by_what_can_be_done_about_it() {
        let simulator = Tasks::start(CloudTasksOptions::quick()).unwrap();
        let queue = tasks(&simulator.url());
        let missing = queue.send("x", Duration::ZERO).await;
        assert!(
            matches!(&missing, Err(QueueError::NoSuchQueue { queue, .. }) if queue == QUEUE),
            "{missing:?}"
        );
        let large = queue.send(&"x".repeat(landfall_engine::queue::MAX_BODY + 1), Duration::ZERO).await;
        assert!(matches!(large, Err(QueueError::TooLarge { .. })));
        let nobody = tasks("http://127.0.0.1:9").send("x", Duration::ZERO).await;
        assert!(matches!(nobody, Err(QueueError::Unavailable { .. })), "{nobody:?}");
    }
}
