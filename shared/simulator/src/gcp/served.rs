//! One call from end to end: understood, counted, perhaps made to fail, answered, logged.

use std::convert::Infallible;
use std::time::Instant;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::answer::{self, Answered, because, not_found, unauthenticated, unavailable};
use super::lag::GcpLag;
use super::request::{Caller, Request};
use super::rival::Rival;
use super::route::route;
use super::world::GcpWorld;
use super::{control, gate, operation, service};
use crate::call::Call;
use crate::control::Told;
use crate::encode::Answer;
use crate::fault::{Fate, Faults};
use crate::refusal::Refusal;
use crate::served::{Played, State};
use crate::server::Reply;
use crate::wire::Wire;

/// What stands between a call and the world as it is.
#[derive(Debug, Default)]
pub(crate) struct Between {
    lag: GcpLag,
    /// Those who are faster than a caller.
    rivals: Vec<Rival>,
}

impl Between {
    pub(crate) fn outrun(&mut self, rival: Rival) {
        self.rivals.push(rival);
    }
}

/// How this cloud is played.
#[derive(Debug)]
pub(crate) enum Gcp {}

impl Played for Gcp {
    type World = GcpWorld;
    type Lag = Between;
    /// Nothing waits here: operations are polled.
    type Waiting = Infallible;

    fn events(world: &mut GcpWorld) -> &mut Vec<Value> {
        &mut world.events
    }

    fn control(world: &mut GcpWorld, method: &str, path: &str, body: &Value) -> Option<Told> {
        control::answer(world, method, path, body)
    }

    fn look_again(_: &mut GcpWorld, waiting: &mut Infallible) -> Option<Answer> {
        match *waiting {}
    }

    fn answer(state: &mut State<Self>, wire: &Wire) -> Reply<Infallible> {
        let State { world, lag: Between { lag, rivals }, journal } = state;
        let (n, fate) = journal.next();
        let now = Timestamp::now();
        operation::pass(world, now);
        let token = wire.header("authorization").and_then(|header| header.strip_prefix("Bearer "));
        let caller = token.and_then(|token| Caller::of(world, token.trim()));
        let mut call = Call {
            time: now,
            n,
            service: "unknown".to_owned(),
            operation: format!("{} {}", wire.method, wire.uri.path()),
            account: String::new(),
            role: caller.as_ref().map(|caller| caller.role.clone()).unwrap_or_default(),
            region: String::new(),
            parameters: Value::Null,
            method: wire.method.to_string(),
            path: wire.uri.path().to_owned(),
            query: wire.uri.query().unwrap_or_default().to_owned(),
            status: None,
            error: None,
        };
        let routed = route(wire);
        let request =
            caller.clone().zip(routed).map(|(caller, routed)| Request::new(wire, routed, caller, now));
        if let Some(request) = &request {
            request.service.name.clone_into(&mut call.service);
            call.operation = request.operation();
            call.account = request.about().as_deref().map_or("organization", gate::named).to_owned();
            call.parameters = request.body.clone();
        }
        let answered = match (fate, &request) {
            (Fate::CutBefore, _) => Ok(Value::Null),
            (Fate::ServerError, _) => Err(unavailable()),
            _ if caller.is_none() => Err(nobody(token)),
            (_, None) => Err(nothing(wire)),
            (Fate::Throttled, Some(request)) => Err(gate::throttled(request)),
            (Fate::Normal | Fate::CutAfter, Some(request)) => {
                rivals.iter_mut().for_each(|rival| rival.meet(world, request));
                perform(world, lag, &journal.faults, request)
            }
        };
        let answer = answer::encode(&answered, &call.service, &world.settings, n);
        call.error = answered.err().map(|refusal| refusal.code);
        journal.close(call, fate, answer)
    }
}

fn perform(world: &mut GcpWorld, lag: &mut GcpLag, faults: &Faults, request: &Request) -> Answered {
    let late = faults.lag;
    gate::exists(world, request)?;
    if late.is_zero() {
        gate::check(world, faults, request)?;
        return service::answer(world, request);
    }
    let now = Instant::now();
    // What is there is known at once; who may do what is not.
    lag.read(world, now, late, |world| gate::check(world, faults, request))?;
    // Asking how an operation is going is answered from that operation, which may end with the look.
    let ends = operation::is_one(world, request);
    if request.reads() && !ends {
        return if request.lags() {
            lag.read(world, now, late, |world| service::answer(world, request))
        } else {
            service::answer(world, request)
        };
    }
    let before = world.estate();
    let answered = service::answer(world, request);
    if answered.is_ok() {
        lag.replaced(before, now);
    }
    answered
}

/// No token, or one that nobody knows.
///
/// <https://cloud.google.com/docs/authentication/troubleshoot-adc>
fn nobody(token: Option<&str>) -> Refusal {
    let (message, reason) = match token {
        None | Some("") => (
            "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
            "CREDENTIALS_MISSING",
        ),
        Some(_) => (
            "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
            "ACCESS_TOKEN_TYPE_UNSUPPORTED",
        ),
    };
    because(unauthenticated(message), reason, "googleapis.com", &[])
}

/// A host, a version or a path that nothing is at.
fn nothing(wire: &Wire) -> Refusal {
    let mut refused = not_found("Requested entity was not found.");
    let what = json!({"@type": "type.googleapis.com/google.rpc.DebugInfo", "detail": format!("there is no API at `{}`", wire.uri.path())});
    answer::detail(&mut refused, what);
    refused
}
