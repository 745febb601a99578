//! One call from end to end: understood, counted, perhaps made to fail, answered, logged.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value;

use crate::ask::{Ask, Service};
use crate::call::Call;
use crate::control::{self, Told};
use crate::encode::{self, Answer};
use crate::fault::{Fate, Faults};
use crate::gate;
use crate::journal::Journal;
use crate::lag::Lag;
use crate::options::{Options, StartError};
use crate::refusal::Refusal;
use crate::server::{Cloud, Reply};
use crate::service;
use crate::wire::{Understood, Wire};
use crate::world::{World, request_id};

/// What the server and the handle share. One lock: calls are short, and their order is then the log's order.
#[derive(Debug)]
pub(crate) struct Shared(Mutex<State>);

#[derive(Debug)]
struct State {
    world: World,
    lag: Lag,
    journal: Journal,
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
        let journal = Journal::open(options.faults.clone(), options.keep_calls, options.log.as_deref())?;
        Ok(Self(Mutex::new(State { world, lag: Lag::default(), journal })))
    }

    /// A test that panicked inside `edit` must not take the other tests of the process with it.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn edit<A>(&self, change: impl FnOnce(&mut World) -> A) -> A {
        change(&mut self.state().world)
    }
}

impl Cloud for Shared {
    type Waiting = Waiting;

    fn calls(&self) -> Vec<Call> {
        self.state().journal.calls().to_vec()
    }

    fn clear_calls(&self) {
        self.state().journal.clear_calls();
    }

    fn set_faults(&self, faults: Faults) {
        let mut state = self.state();
        state.journal.set_faults(faults);
        state.lag = Lag::default();
    }

    fn take_events(&self) -> Vec<Value> {
        std::mem::take(&mut self.state().world.events)
    }

    fn latency(&self) -> Duration {
        self.state().journal.faults.latency
    }

    fn control(&self, method: &str, path: &str, body: &Value) -> Option<Told> {
        self.edit(|world| control::aws(world, method, path, body))
    }

    fn answer(&self, wire: &Wire) -> Reply<Waiting> {
        let understood = wire.understand();
        let mut state = self.state();
        let state = &mut *state;
        let (n, fate) = state.journal.next();
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
            query: String::new(),
            status: None,
            error: None,
        };
        let (Some(service), Some(operation)) = (service, operation) else {
            let answer =
                encode::failure(service, &service::unknown(service, &call.operation), &request_id(n));
            call.error = Some("UnknownOperationException".to_owned());
            return state.journal.close(call, fate, answer);
        };
        let ask = Ask { service, operation, region, caller, params, now: call.time };
        let answered = match fate {
            Fate::CutBefore => Ok(Value::Null),
            Fate::Throttled => Err(gate::throttled(service)),
            Fate::ServerError => {
                Err(Refusal::new("ServiceUnavailable", "Service is unable to handle request.").status(503))
            }
            Fate::Normal | Fate::CutAfter => {
                gate::check(&state.world, &state.journal.faults, &ask).and_then(|()| state.perform(&ask))
            }
        };
        if let (Ok(value), Fate::Normal, Some(wait)) = (&answered, fate, service::waits(&ask))
            && service::is_empty(value)
        {
            call.status = Some(200);
            state.journal.write(call);
            return Reply::Wait(Waiting { ask, until: Instant::now() + wait, n });
        }
        let answer = match &answered {
            Ok(value) => encode::success(service, &ask.operation, value, &request_id(n)),
            Err(refusal) => encode::failure(Some(service), refusal, &request_id(n)),
        };
        call.error = answered.err().map(|refusal| refusal.code);
        state.journal.close(call, fate, answer)
    }

    /// A long poll's next look; an answer when there is something, or when its time is up.
    fn look_again(&self, waiting: &mut Waiting) -> Option<Answer> {
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
        let lag = self.journal.faults.lag;
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
}
