//! One call from end to end: understood, perhaps made to fail, answered.

use std::convert::Infallible;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::Value;

use super::ACCOUNT;
use super::answer::{self, Tells};
use super::ask::{Asked, Refused, What, read};
use super::messages::{Queues, Wrong};
use crate::call::Call;
use crate::encode::Answer;
use crate::fault::{Fate, Faults};
use crate::journal::Journal;
use crate::options::StartError;
use crate::server::{Cloud, Reply};
use crate::wire::Wire;

/// What the server and the handle share.
#[derive(Debug)]
pub(crate) struct Served(Mutex<State>);

#[derive(Debug)]
struct State {
    queues: Queues,
    journal: Journal,
}

impl Served {
    pub(super) fn new() -> Result<Self, StartError> {
        let journal = Journal::open(Faults::default(), true, None)?;
        Ok(Self(Mutex::new(State { queues: Queues::default(), journal })))
    }

    /// A test that panicked inside `edit` must not take the other tests of the process with it.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn edit<A>(&self, act: impl FnOnce(&mut Queues) -> A) -> A {
        act(&mut self.state().queues)
    }
}

impl Cloud for Served {
    /// Nothing waits here: queues are polled.
    type Waiting = Infallible;

    fn answer(&self, wire: &Wire) -> Reply<Infallible> {
        let mut state = self.state();
        let State { queues, journal } = &mut *state;
        let (n, fate) = journal.next();
        let asked = read(wire);
        let call = Call {
            time: Timestamp::now(),
            n,
            service: "storage-queue".to_owned(),
            operation: asked.as_ref().map_or("unknown", |asked| asked.what.name()).to_owned(),
            account: ACCOUNT.to_owned(),
            role: String::new(),
            region: String::new(),
            parameters: Value::Null,
            method: wire.method.to_string(),
            path: wire.uri.path().to_owned(),
            // It holds a signature.
            query: String::new(),
            status: None,
            error: None,
        };
        let answered = match fate {
            Fate::CutBefore => Ok(answer::bare(204, n)),
            Fate::ServerError => {
                Err(Refused::new(500, "InternalError", "The server encountered an internal error."))
            }
            Fate::Throttled => Err(Refused::new(503, "ServerBusy", "The server is busy.")),
            Fate::Normal | Fate::CutAfter => asked.and_then(|asked| perform(queues, asked, n)),
        };
        let error = answered.as_ref().err().map(|refused| refused.code.to_owned());
        let answer = answered.unwrap_or_else(|refused| answer::refused(&refused, n));
        journal.close(Call { error, ..call }, fate, answer)
    }

    fn look_again(&self, waiting: &mut Infallible) -> Option<Answer> {
        match *waiting {}
    }

    fn journal<A>(&self, look: impl FnOnce(&mut Journal) -> A) -> A {
        look(&mut self.state().journal)
    }
}

impl What {
    const fn name(&self) -> &'static str {
        match self {
            What::Create => "CreateQueue",
            What::Properties => "GetQueueProperties",
            What::Remove => "DeleteQueue",
            What::Put { .. } => "PutMessage",
            What::Get { .. } => "GetMessages",
            What::Peek { .. } => "PeekMessages",
            What::Clear => "ClearMessages",
            What::Update { .. } => "UpdateMessage",
            What::Delete { .. } => "DeleteMessage",
        }
    }
}

fn perform(queues: &mut Queues, asked: Asked, call: u64) -> Result<Answer, Refused> {
    let Asked { queue, what } = asked;
    match what {
        What::Create => Ok(answer::bare(if queues.create(&queue) { 201 } else { 204 }, call)),
        What::Remove if queues.remove(&queue) => Ok(answer::bare(204, call)),
        What::Remove => Err(wrong(Wrong::NoQueue)),
        What::Properties => {
            // Peeking at nobody says whether it is there.
            queues.peek(&queue, 0).map_err(wrong)?;
            Ok(answer::properties(queues.len(&queue), call))
        }
        What::Put { text, delay, lives } => {
            let message = queues.put(&queue, text, delay, lives).map_err(wrong)?;
            Ok(answer::messages(201, &[message], Tells::Sent, call))
        }
        What::Get { most, hidden } => {
            let taken = queues.get(&queue, most, hidden).map_err(wrong)?;
            Ok(answer::messages(200, &taken, Tells::Taken, call))
        }
        What::Peek { most } => {
            let seen = queues.peek(&queue, most).map_err(wrong)?;
            Ok(answer::messages(200, &seen, Tells::Peeked, call))
        }
        What::Clear => queues.clear(&queue).map(|()| answer::bare(204, call)).map_err(wrong),
        What::Update { id, receipt, delay, text } => {
            let message = queues.update(&queue, &id, &receipt, delay, text).map_err(wrong)?;
            Ok(answer::updated(&message, call))
        }
        What::Delete { id, receipt } => {
            queues.delete(&queue, &id, &receipt).map(|()| answer::bare(204, call)).map_err(wrong)
        }
    }
}

fn wrong(wrong: Wrong) -> Refused {
    match wrong {
        Wrong::NoQueue => Refused::new(404, "QueueNotFound", "The specified queue does not exist."),
        Wrong::NoMessage => Refused::new(404, "MessageNotFound", "The specified message does not exist."),
        Wrong::Receipt => Refused::new(
            400,
            "PopReceiptMismatch",
            "The specified pop receipt did not match the pop receipt for a dequeued message.",
        ),
    }
}
