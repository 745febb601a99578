//! One call from end to end: understood, counted, perhaps made to fail, answered, logged.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::answer::{self, Answered, not_found, refusal};
use super::lag::AzureLag;
use super::request::{Caller, Request};
use super::route::{Kind, Routed, route};
use super::world::AzureWorld;
use super::{control, gate, policy, provider};
use crate::call::Call;
use crate::control::Told;
use crate::encode::Answer;
use crate::fault::Fate;
use crate::served::{Played, State};
use crate::server::Reply;
use crate::wire::Wire;

/// How this cloud is played.
#[derive(Debug)]
pub(crate) enum Azure {}

impl Played for Azure {
    type World = AzureWorld;
    type Lag = AzureLag;
    /// Nothing waits here: ARM is polled.
    type Waiting = Infallible;

    fn events(world: &mut AzureWorld) -> &mut Vec<Value> {
        &mut world.events
    }

    fn control(world: &mut AzureWorld, method: &str, path: &str, body: &Value) -> Option<Told> {
        control::answer(world, method, path, body)
    }

    fn look_again(_: &mut AzureWorld, waiting: &mut Infallible) -> Option<Answer> {
        match *waiting {}
    }

    fn answer(state: &mut State<Self>, wire: &Wire) -> Reply<Infallible> {
        let State { world, lag, journal } = state;
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
