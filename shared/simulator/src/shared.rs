//! One call from end to end: understood, counted, perhaps made to fail, answered, logged.

use std::fs::File;
use std::io::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value;

use crate::ask::{Ask, Service};
use crate::call::Call;
use crate::encode::{self, Answer};
use crate::fault::{Fate, Faults};
use crate::gate;
use crate::lag::Lag;
use crate::options::{Options, StartError};
use crate::refusal::Refusal;
use crate::service;
use crate::wire::{Understood, Wire};
use crate::world::{World, request_id};

/// What the server and the handle share. One lock: calls are short, and their order is then the log's order.
#[derive(Debug)]
pub(crate) struct Shared(Mutex<State>);

#[derive(Debug)]
struct State {
    world: World,
    faults: Faults,
    lag: Lag,
    /// Calls since the start, and since the faults were set.
    received: u64,
    since_faults: u64,
    calls: Vec<Call>,
    keep_calls: bool,
    log: Option<File>,
}

/// What becomes of a request.
#[derive(Debug)]
pub(crate) enum Reply {
    Answer(Answer),
    /// Drop the connection.
    Cut,
    /// Nothing to tell yet: look again.
    Wait(Waiting),
}

/// A long poll.
#[derive(Debug)]
pub(crate) struct Waiting {
    ask: Ask,
    until: Instant,
    n: u64,
}

impl Shared {
    pub(crate) fn new(world: World, options: &Options) -> Result<Self, StartError> {
        let log = match &options.log {
            None => None,
            Some(path) => {
                let opened = File::options().create(true).append(true).open(path);
                Some(opened.map_err(|cause| StartError::Log { path: path.clone(), cause })?)
            }
        };
        Ok(Self(Mutex::new(State {
            world,
            faults: options.faults.clone(),
            lag: Lag::default(),
            received: 0,
            since_faults: 0,
            calls: Vec::new(),
            keep_calls: options.keep_calls,
            log,
        })))
    }

    /// A test that panicked inside `edit` must not take the other tests of the process with it.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn edit<A>(&self, change: impl FnOnce(&mut World) -> A) -> A {
        change(&mut self.state().world)
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    pub(crate) fn clear_calls(&self) {
        self.state().calls.clear();
    }

    pub(crate) fn set_faults(&self, faults: Faults) {
        let mut state = self.state();
        state.faults = faults;
        state.since_faults = 0;
        state.lag = Lag::default();
    }

    pub(crate) fn take_events(&self) -> Vec<Value> {
        std::mem::take(&mut self.state().world.events)
    }

    pub(crate) fn latency(&self) -> Duration {
        self.state().faults.latency
    }

    pub(crate) fn answer(&self, wire: &Wire) -> Reply {
        let understood = wire.understand();
        let mut state = self.state();
        let state = &mut *state;
        state.received += 1;
        state.since_faults += 1;
        let n = state.received;
        let Understood { service, operation, region, access_key, params } = understood;
        let caller = gate::caller(&state.world, access_key.as_deref());
        let mut call = Call {
            time: Timestamp::now(),
            n,
            service: service.map_or("unknown", Service::name).to_owned(),
            operation: operation.clone().unwrap_or_else(|| format!("{} {}", wire.method, wire.uri.path())),
            account: caller.account.clone(),
            role: caller.role.clone(),
            region: region.clone(),
            parameters: Value::Object(params.clone()),
            method: wire.method.to_string(),
            path: wire.uri.path().to_owned(),
            status: None,
            error: None,
        };
        let fate = state.faults.fate(state.since_faults);
        let (Some(service), Some(operation)) = (service, operation) else {
            let answer =
                encode::failure(service, &service::unknown(service, &call.operation), &request_id(n));
            call.error = Some("UnknownOperationException".to_owned());
            return state.close(call, fate, answer);
        };
        let ask = Ask { service, operation, region, caller, params, now: call.time };
        let answered = match fate {
            Fate::CutBefore => Ok(Value::Null),
            Fate::Throttled => Err(gate::throttled(service)),
            Fate::ServerError => {
                Err(Refusal::new("ServiceUnavailable", "Service is unable to handle request.").status(503))
            }
            Fate::Normal | Fate::CutAfter => {
                gate::check(&state.world, &state.faults, &ask).and_then(|()| state.perform(&ask))
            }
        };
        if let (Ok(value), Fate::Normal, Some(wait)) = (&answered, fate, service::waits(&ask))
            && service::is_empty(value)
        {
            call.status = Some(200);
            state.write(call);
            return Reply::Wait(Waiting { ask, until: Instant::now() + wait, n });
        }
        let answer = match &answered {
            Ok(value) => encode::success(service, &ask.operation, value, &request_id(n)),
            Err(refusal) => encode::failure(Some(service), refusal, &request_id(n)),
        };
        call.error = answered.err().map(|refusal| refusal.code);
        state.close(call, fate, answer)
    }

    /// A long poll's next look; an answer when there is something, or when its time is up.
    pub(crate) fn look_again(&self, waiting: &mut Waiting) -> Option<Answer> {
        let Waiting { ask, until, n } = waiting;
        ask.now = Timestamp::now();
        let answered = service::answer(&mut self.state().world, ask);
        let done =
            Instant::now() >= *until || answered.as_ref().map_or(true, |value| !service::is_empty(value));
        done.then(|| match &answered {
            Ok(value) => encode::success(ask.service, &ask.operation, value, &request_id(*n)),
            Err(refusal) => encode::failure(Some(ask.service), refusal, &request_id(*n)),
        })
    }
}

impl State {
    fn perform(&mut self, ask: &Ask) -> Result<Value, Refusal> {
        let lag = self.faults.lag;
        if lag.is_zero() {
            return service::answer(&mut self.world, ask);
        }
        if ask.reads() {
            return self
                .lag
                .read(&mut self.world, ask, Instant::now(), lag, |world| service::answer(world, ask));
        }
        let before = Lag::before(&self.world, ask);
        let answered = service::answer(&mut self.world, ask);
        if let (Some(before), Ok(_)) = (before, &answered) {
            self.lag.replaced(before, Instant::now());
        }
        answered
    }

    fn close(&mut self, mut call: Call, fate: Fate, answer: Answer) -> Reply {
        if matches!(fate, Fate::CutAfter | Fate::CutBefore) {
            self.write(call);
            return Reply::Cut;
        }
        call.status = Some(answer.status().as_u16());
        self.write(call);
        Reply::Answer(answer)
    }

    fn write(&mut self, call: Call) {
        if let Some(log) = &mut self.log
            && let Ok(mut line) = serde_json::to_vec(&call)
        {
            line.push(b'\n');
            // One write per line, so that whoever tails the file never sees half of one. A full disk costs the
            // log, not the call.
            drop(log.write_all(&line));
        }
        if self.keep_calls {
            self.calls.push(call);
        }
    }
}
