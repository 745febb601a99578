//! The keys over HTTP.

use std::convert::Infallible;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::claims::{Claims, Forgery, GOOGLE};
use super::keys::Keys;
use super::mint;
use crate::call::Call;
use crate::encode::Answer;
use crate::fault::{Fate, Faults};
use crate::journal::Journal;
use crate::options::StartError;
use crate::server::{Cloud, Reply};
use crate::wire::Wire;

/// What the server and the handle share.
#[derive(Debug)]
pub(crate) struct Served {
    url: String,
    keys: Keys,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The generation of the key in force, and the oldest that is still served.
    current: u64,
    oldest: u64,
    journal: Journal,
}

impl Served {
    pub(super) fn new(url: &str) -> Result<Self, StartError> {
        let journal = Journal::open(Faults::default(), true, None)?;
        let keys = Keys::read().map_err(StartError::Key)?;
        Ok(Self { url: url.to_owned(), keys, state: Mutex::new(State { current: 0, oldest: 0, journal }) })
    }

    /// A test that panicked inside must not take the other tests of the process with it.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn token(&self, claims: &Claims) -> String {
        mint::token(&self.keys, self.state().current, claims)
    }

    pub(super) fn forged(&self, claims: &Claims, forgery: Forgery) -> String {
        mint::forged(&self.keys, self.state().current, claims, forgery)
    }

    /// There are two keys: the one before the last is dropped, because it signs again, under a new name.
    pub(super) fn rotate(&self) {
        let mut state = self.state();
        state.oldest = state.current;
        state.current += 1;
    }

    pub(super) fn retire(&self) {
        let mut state = self.state();
        state.oldest = state.current;
    }

    fn set(&self, state: &State) -> Value {
        let keys = (state.oldest..=state.current).map(|n| self.keys.of(n).jwk(n));
        json!({ "keys": keys.collect::<Vec<_>>() })
    }
}

impl Cloud for Served {
    /// Nothing waits here.
    type Waiting = Infallible;

    fn answer(&self, wire: &Wire) -> Reply<Infallible> {
        let mut state = self.state();
        let (n, fate) = state.journal.next();
        let path = wire.uri.path().to_owned();
        let (operation, status, body) = match (fate, wire.method.as_str(), path.as_str()) {
            (Fate::ServerError, ..) => ("unknown", 503, json!({"error": "unavailable"})),
            (Fate::Throttled, ..) => ("unknown", 429, json!({"error": "too many requests"})),
            (_, "GET", "/certs") => ("Certs", 200, self.set(&state)),
            (_, "GET", "/.well-known/openid-configuration") => {
                ("Configuration", 200, json!({"issuer": GOOGLE, "jwks_uri": format!("{}/certs", self.url)}))
            }
            _ => ("unknown", 404, json!({"error": "not found"})),
        };
        let call = Call {
            time: Timestamp::now(),
            n,
            service: "tokens".to_owned(),
            operation: operation.to_owned(),
            account: String::new(),
            role: String::new(),
            region: String::new(),
            parameters: Value::Null,
            method: wire.method.to_string(),
            path,
            query: String::new(),
            status: None,
            error: None,
        };
        let mut answer = Response::new(Full::new(Bytes::from(body.to_string())));
        *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = answer.headers_mut();
        headers.insert("content-type", HeaderValue::from_static("application/json; charset=UTF-8"));
        headers.insert("cache-control", HeaderValue::from_static("public, max-age=22331, must-revalidate"));
        state.journal.close(call, fate, answer)
    }

    fn look_again(&self, waiting: &mut Infallible) -> Option<Answer> {
        match *waiting {}
    }

    fn journal<A>(&self, look: impl FnOnce(&mut Journal) -> A) -> A {
        look(&mut self.state().journal)
    }
}
