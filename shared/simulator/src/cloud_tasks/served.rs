//! One call from end to end: understood, perhaps made to fail, answered.

use std::convert::Infallible;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::CloudTasksOptions;
use super::ask::{self, Asked, What, read};
use super::queues::{Queues, Refused, Task};
use super::show::{self, View};
use crate::call::Call;
use crate::encode::Answer;
use crate::fault::Fate;
use crate::journal::Journal;
use crate::options::StartError;
use crate::server::{Cloud, Reply};
use crate::wire::Wire;

/// What the server, the dispatcher and the handle share.
#[derive(Debug)]
pub(crate) struct Served {
    state: Mutex<State>,
    /// Wakes the dispatcher.
    changed: Notify,
}

#[derive(Debug)]
struct State {
    queues: Queues,
    journal: Journal,
}

impl Served {
    pub(super) fn new(options: &CloudTasksOptions) -> Result<Self, StartError> {
        let CloudTasksOptions { retry, max_concurrent_dispatches, dispatch_deadline, faults, .. } = options;
        let journal = Journal::open(faults.clone(), true, None)?;
        let queues = Queues::new(*retry, *max_concurrent_dispatches, *dispatch_deadline);
        Ok(Self { state: Mutex::new(State { queues, journal }), changed: Notify::new() })
    }

    /// A test that panicked inside `edit` must not take the other tests of the process with it.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn edit<A>(&self, act: impl FnOnce(&mut Queues) -> A) -> A {
        act(&mut self.state().queues)
    }

    pub(super) fn changed(&self) {
        self.changed.notify_one();
    }

    pub(super) async fn change(&self) {
        self.changed.notified().await;
    }
}

impl Cloud for Served {
    /// Nothing waits here: tasks are pushed.
    type Waiting = Infallible;

    fn answer(&self, wire: &Wire) -> Reply<Infallible> {
        let mut state = self.state();
        let State { queues, journal } = &mut *state;
        let (n, fate) = journal.next();
        let token = wire.header("authorization").and_then(|header| header.strip_prefix("Bearer "));
        let token = token.unwrap_or_default().trim();
        let asked = read(wire);
        let call = Call {
            time: Timestamp::now(),
            n,
            service: "cloudtasks".to_owned(),
            operation: asked.as_ref().map_or("unknown", |asked| asked.what.name()).to_owned(),
            account: asked.as_ref().map_or("", |asked| project(&asked.queue)).to_owned(),
            // Whose token it is, never the token.
            role: token.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').take(32).collect(),
            region: String::new(),
            parameters: serde_json::from_slice(&wire.body).unwrap_or_default(),
            method: wire.method.to_string(),
            path: wire.uri.path().to_owned(),
            query: wire.uri.query().unwrap_or_default().to_owned(),
            status: None,
            error: None,
        };
        let answered = match (fate, &asked) {
            (Fate::CutBefore, _) => Ok(json!({})),
            (Fate::ServerError, _) => {
                Err(Refused::new(503, "UNAVAILABLE", "The service is currently unavailable."))
            }
            (Fate::Throttled, _) => Err(Refused::new(
                429,
                "RESOURCE_EXHAUSTED",
                "Resource has been exhausted (e.g. check quota).",
            )),
            _ if token.is_empty() => Err(Refused::new(
                401,
                "UNAUTHENTICATED",
                "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or other valid authentication credential.",
            )),
            (_, None) => Err(Refused::new(
                404,
                "NOT_FOUND",
                format!("The requested URL {} was not found on this server.", call.path),
            )),
            (_, Some(asked)) => {
                let denied = journal.faults.denies("cloudtasks", asked.what.name(), &call.account);
                if denied || (asked.what.writes() && token.starts_with("landfall-read")) {
                    Err(lacks(asked))
                } else {
                    perform(queues, asked, wire, call.time)
                }
            }
        };
        let error = answered.as_ref().err().map(|refused| refused.status.to_owned());
        let answer = show::answer(&answered);
        self.changed();
        journal.close(Call { error, ..call }, fate, answer)
    }

    fn look_again(&self, waiting: &mut Infallible) -> Option<Answer> {
        match *waiting {}
    }

    fn journal<A>(&self, look: impl FnOnce(&mut Journal) -> A) -> A {
        look(&mut self.state().journal)
    }
}

fn perform(queues: &mut Queues, asked: &Asked, wire: &Wire, now: Timestamp) -> Result<Value, Refused> {
    let query = wire.uri.query().unwrap_or_default();
    let full = form_urlencoded::parse(query.as_bytes())
        .any(|(name, value)| name == "responseView" && value == "FULL");
    let view = if full { View::Full } else { View::Basic };
    let (retry, concurrent) = (queues.retry, queues.concurrent);
    match asked.what {
        What::GetQueue | What::PauseQueue | What::ResumeQueue => {
            let queue = queues.queue(&asked.queue)?;
            if asked.what != What::GetQueue {
                queue.paused = asked.what == What::PauseQueue;
            }
            Ok(show::queue(&asked.queue, queue.paused, &retry, concurrent))
        }
        What::CreateTask => {
            queues.queue(&asked.queue)?;
            let new = ask::new(wire, asked, now)?;
            let body: Value = serde_json::from_slice(&wire.body).unwrap_or_default();
            let view =
                if body.get("responseView") == Some(&json!("FULL")) { View::Full } else { View::Basic };
            queues.add(asked, new, now).map(|task| show::task(&task, view))
        }
        What::ListTasks => {
            let tasks = queues.list(asked)?;
            let tasks: Vec<Value> = tasks.iter().map(|task: &Task| show::task(task, view)).collect();
            Ok(if tasks.is_empty() { json!({}) } else { json!({ "tasks": tasks }) })
        }
        What::GetTask => queues.get(asked).map(|task| show::task(&task, view)),
        What::DeleteTask => queues.delete(asked).map(|()| json!({})),
    }
}

fn lacks(asked: &Asked) -> Refused {
    Refused::new(
        403,
        "PERMISSION_DENIED",
        format!(
            "The principal (user or service account) lacks IAM permission \"cloudtasks.{}\" for the resource \"{}\" (or the resource may not exist).",
            asked.what.name(),
            asked.queue
        ),
    )
}

/// `P` of `projects/P/…`.
fn project(queue: &str) -> &str {
    queue.split('/').nth(1).unwrap_or_default()
}
