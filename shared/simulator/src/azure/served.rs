//! One call from end to end: understood, counted, perhaps made to fail, answered, logged.

use std::convert::Infallible;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::answer::{self, Answered, not_found, refusal};
use super::lag::AzureLag;
use super::options::AzureOptions;
use super::request::{Caller, Request};
use super::route::{Kind, Routed, route};
use super::world::AzureWorld;
use super::{control, gate, policy, provider};
use crate::call::Call;
use crate::control::Told;
use crate::encode::Answer;
use crate::fault::{Fate, Faults};
use crate::journal::Journal;
use crate::options::StartError;
use crate::server::{Cloud, Reply};
use crate::wire::Wire;

/// What the server and the handle share. One lock: calls are short, and their order is then the log's order.
#[derive(Debug)]
pub(crate) struct Served(Mutex<State>);

#[derive(Debug)]
struct State {
    world: AzureWorld,
    lag: AzureLag,
    journal: Journal,
}

impl Served {
    pub(crate) fn new(world: AzureWorld, options: &AzureOptions) -> Result<Self, StartError> {
        let journal = Journal::open(options.faults.clone(), options.keep_calls, options.log.as_deref())?;
        Ok(Self(Mutex::new(State { world, lag: AzureLag::default(), journal })))
    }

    /// A test that panicked inside `edit` must not take the other tests of the process with it.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn edit<A>(&self, change: impl FnOnce(&mut AzureWorld) -> A) -> A {
        change(&mut self.state().world)
    }
}

impl Cloud for Served {
    /// Nothing waits here: ARM is polled.
    type Waiting = Infallible;

    fn calls(&self) -> Vec<Call> {
        self.state().journal.calls().to_vec()
    }

    fn clear_calls(&self) {
        self.state().journal.clear_calls();
    }

    fn set_faults(&self, faults: Faults) {
        let mut state = self.state();
        state.journal.set_faults(faults);
        state.lag = AzureLag::default();
    }

    fn take_events(&self) -> Vec<Value> {
        std::mem::take(&mut self.state().world.events)
    }

    fn latency(&self) -> Duration {
        self.state().journal.faults.latency
    }

    fn control(&self, method: &str, path: &str, body: &Value) -> Option<Told> {
        self.edit(|world| control::answer(world, method, path, body))
    }

    fn look_again(&self, waiting: &mut Infallible) -> Option<Answer> {
        match *waiting {}
    }

    fn answer(&self, wire: &Wire) -> Reply<Infallible> {
        let mut state = self.state();
        let State { world, lag, journal } = &mut *state;
        let (n, fate) = journal.next();
        let now = Timestamp::now();
        let token = wire.header("authorization").and_then(|header| header.strip_prefix("Bearer "));
        let caller = Caller::of(token.unwrap_or_default().trim());
        let mut call = Call {
            time: now,
            n,
            service: "unknown".to_owned(),
            operation: format!("{} {}", wire.method, wire.uri.path()),
            account: world.directory.id.clone(),
            role: caller.role.clone(),
            region: String::new(),
            parameters: Value::Null,
            method: wire.method.to_string(),
            path: wire.uri.path().to_owned(),
            query: wire.uri.query().unwrap_or_default().to_owned(),
            status: None,
            error: None,
        };
        let request = route(wire.uri.path())
            .map(|routed: Routed| Request::new(wire, routed, caller, now, journal.faults.lag));
        if let Some(request) = &request {
            call.service.clone_from(&request.namespace);
            call.operation.clone_from(&request.operation);
            call.account = request.about(&world.directory.id);
            call.parameters = request.body.clone();
        }
        let answered = match (fate, &request) {
            (Fate::CutBefore, _) => Ok(answer::Good::no_content()),
            (Fate::ServerError, _) => {
                Err(refusal(503, "ServiceUnavailable", "The service is unavailable. Please try again."))
            }
            _ if token.is_none_or(|token| token.trim().is_empty()) => Err(gate::unauthenticated()),
            (_, None) => Err(nothing(wire)),
            (Fate::Throttled, Some(request)) => Err(gate::throttled(request)),
            (Fate::Normal | Fate::CutAfter, Some(request)) => {
                let faults = &journal.faults;
                gate::check(world, faults, request).and_then(|()| perform(world, lag, faults.lag, request))
            }
        };
        let answer = answer::encode(&answered, request.as_ref(), &world.settings, n);
        call.error = answered.err().map(|refusal| refusal.code);
        journal.close(call, fate, answer)
    }
}

fn perform(world: &mut AzureWorld, lag: &mut AzureLag, late: Duration, request: &Request) -> Answered {
    let modified = policy::modified(world, request);
    let request = modified.as_ref().unwrap_or(request);
    if !request.reads() {
        policy::check(world, request)?;
    }
    if late.is_zero() {
        return provider::answer(world, request);
    }
    if request.reads() {
        // Asking how a job is going is answered from that job, not from a replica.
        if request.kind == Kind::OperationResults {
            return provider::answer(world, request);
        }
        // A remediation task goes on while it is asked after, and changes what is there.
        if request.kind == Kind::Remediations {
            let before = AzureLag::before(world, request);
            let answered = provider::answer(world, request);
            if let Some(before) = before {
                lag.replaced(before, Instant::now());
            }
            return answered;
        }
        return lag.read(world, Instant::now(), late, |world| provider::answer(world, request));
    }
    let before = AzureLag::before(world, request);
    let answered = provider::answer(world, request);
    if let (Some(before), Ok(_)) = (before, &answered) {
        lag.replaced(before, Instant::now());
    }
    answered
}

/// ARM tells a path it has nothing at from a type it does not know.
fn nothing(wire: &Wire) -> crate::refusal::Refusal {
    let path = wire.uri.path();
    let kind = path.rsplit("/providers/").next().filter(|rest| *rest != path);
    let Some((namespace, kind)) = kind.and_then(|rest| rest.split_once('/')) else {
        let mut refused =
            not_found("InvalidRequestUri", format!("The requested path '{path}' is not known."));
        refused.members.insert("target".to_owned(), json!(path));
        return refused;
    };
    let kind = kind.split('/').step_by(2).collect::<Vec<_>>().join("/");
    let message = format!("The resource type '{kind}' could not be found in the namespace '{namespace}'.");
    not_found("InvalidResourceType", message)
}
