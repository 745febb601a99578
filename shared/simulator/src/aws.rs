//! One call from end to end: understood, counted, perhaps made to fail, answered, logged.

use std::time::Instant;

use jiff::Timestamp;
use serde_json::Value;

use crate::ask::{Ask, Service};
use crate::call::Call;
use crate::control::{self, Told};
use crate::encode::{self, Answer};
use crate::fault::Fate;
use crate::gate;
use crate::lag::Lag;
use crate::permit;
use crate::refusal::Refusal;
use crate::served::{Played, State};
use crate::server::Reply;
use crate::service;
use crate::wire::{Understood, Wire};
use crate::world::{World, request_id};

/// How AWS is played.
#[derive(Debug)]
pub(crate) enum Aws {}

/// A long poll.
#[derive(Debug)]
pub(crate) struct Waiting {
    ask: Ask,
    until: Instant,
    n: u64,
}

impl Played for Aws {
    type World = World;
    type Lag = Lag;
    type Waiting = Waiting;

    fn events(world: &mut World) -> &mut Vec<Value> {
        &mut world.events
    }

    fn control(world: &mut World, method: &str, path: &str, body: &Value) -> Option<Told> {
        control::aws(world, method, path, body)
    }

    fn answer(state: &mut State<Self>, wire: &Wire) -> Reply<Waiting> {
        let understood = wire.understand();
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
    fn look_again(world: &mut World, waiting: &mut Waiting) -> Option<Answer> {
        let Waiting { ask, until, n } = waiting;
        ask.now = Timestamp::now();
        let answered = service::answer(world, ask);
        let done =
            Instant::now() >= *until || answered.as_ref().map_or(true, |value| !service::is_empty(value));
        done.then(|| match &answered {
            Ok(value) => encode::success(ask.service, &ask.operation, value, &request_id(*n)),
            Err(refusal) => encode::failure(Some(ask.service), refusal, &request_id(*n)),
        })
    }
}

impl State<Aws> {
    fn perform(&mut self, ask: &Ask) -> Result<Value, Refusal> {
        let answered = self.answered(ask);
        if answered.is_ok() {
            permit::accepted(&mut self.world, ask);
        }
        answered
    }

    fn answered(&mut self, ask: &Ask) -> Result<Value, Refusal> {
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
