//! Who calls. Only a token says so: a header alone (`X-CloudTasks-QueueName`, `ce-source`, `X-Goog-Authenticated-User-Email`) is what
//! anybody can write.
//!
//! Google's services bring an OpenID Connect token made for this function's URL:
//! <https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions>, <https://cloud.google.com/tasks/docs/creating-http-target-tasks#token>,
//! <https://cloud.google.com/scheduler/docs/http-target-auth>. Google's own crate reads and verifies it; what its claims mean here, and which
//! of them have to be there at all, is decided below.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use google_cloud_auth::credentials::idtoken::verifier::{Builder, Verifier};
use google_cloud_auth::errors::CredentialsError;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use jiff::Timestamp;
use serde_json::{Map, Value};
use tokio::sync::Mutex;

use crate::config::{Auth, Oidc};
use crate::trigger::Duty;

/// Google's names for itself: <https://developers.google.com/identity/openid-connect/openid-connect#validatinganidtoken>.
const ISSUERS: [&str; 2] = ["https://accounts.google.com", "accounts.google.com"];

/// Keys are there in a second, or whoever calls has to come again.
const FETCH: Duration = Duration::from_secs(10);

/// Google's crate keeps a key for an hour.
const KEPT: Duration = Duration::from_mins(55);

/// Seconds by which Google's clock and ours may differ, as Google's crate has it for a token's end.
const SKEW: i64 = 10;

/// After keys were asked for in vain, tokens of unknown keys wait this long: nobody can have them fetched at will.
const REST: Duration = Duration::from_secs(5);

/// Who calls, as far as it was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// For the log.
    pub name: String,
    /// `None` where the platform checked, and everything is allowed.
    duties: Option<Vec<Duty>>,
}

impl Caller {
    /// Whether this caller may have it done.
    pub fn may(&self, duty: Duty) -> bool {
        self.duties.as_ref().is_none_or(|duties| duties.contains(&duty))
    }
}

/// Why somebody is not let in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stopped {
    /// There is no token that proves who it is: 401.
    #[error("{0}")]
    Unknown(String),
    /// It is somebody who has no business here: 403.
    #[error("{0}")]
    Forbidden(String),
    /// It can't be known now: 503.
    #[error("{0}")]
    Later(String),
}

/// The door.
#[derive(Debug)]
pub struct Guard(Option<Box<Desk>>);

#[derive(Debug)]
struct Desk {
    oidc: Oidc,
    /// One at a time: Google's crate refuses a second look at its keys while it fetches them.
    keys: Mutex<Keys>,
}

#[derive(Debug)]
struct Keys {
    verifier: Verifier,
    /// Keys that signed something good, and when they were fetched.
    known: BTreeMap<String, Instant>,
    in_vain: Option<Instant>,
}

impl Guard {
    /// A door as the deployment says. Nothing is fetched before somebody knocks.
    pub fn new(auth: Auth) -> Self {
        match auth {
            Auth::Platform => Guard(None),
            Auth::Oidc(oidc) => {
                let builder = Builder::new(oidc.audiences.clone());
                let builder = match &oidc.keys {
                    Some(url) => builder.with_jwks_url(url),
                    None => builder,
                };
                let keys = Keys { verifier: builder.build(), known: BTreeMap::new(), in_vain: None };
                Guard(Some(Box::new(Desk { oidc, keys: Mutex::new(keys) })))
            }
        }
    }

    /// Who it is.
    pub async fn check(&self, headers: &HeaderMap) -> Result<Caller, Stopped> {
        match &self.0 {
            None => Ok(Caller { name: "whom Cloud Run lets in".to_owned(), duties: None }),
            Some(desk) => desk.check(headers).await,
        }
    }
}

impl Desk {
    async fn check(&self, headers: &HeaderMap) -> Result<Caller, Stopped> {
        let token = bearer(headers)?;
        // What nobody signed decides nothing, but it saves asking for keys for what would be refused anyhow.
        let (key, claims) = unverified(token).ok_or_else(|| unknown("the token can't be read"))?;
        self.mail(&claims)?;
        let claims = self.keys.lock().await.verify(token, &key).await?;
        has_begun(&claims)?;
        let mail = self.mail(&claims)?;
        let may = |who: &[String]| who.iter().any(|one| one.eq_ignore_ascii_case(mail));
        let duties: Vec<Duty> =
            self.oidc.callers.iter().filter(|(_, who)| may(who)).map(|(duty, _)| *duty).collect();
        if duties.is_empty() {
            return Err(Stopped::Forbidden(format!("`{mail}` is on no list of callers")));
        }
        Ok(Caller { name: mail.to_owned(), duties: Some(duties) })
    }

    /// The mail address that a token speaks for. The verifier passes a token without issuer or audience, so both are asked for here.
    fn mail<'a>(&self, claims: &'a Map<String, Value>) -> Result<&'a str, Stopped> {
        let text = |name| claims.get(name).and_then(Value::as_str);
        if !text("iss").is_some_and(|issuer| ISSUERS.contains(&issuer)) {
            return Err(unknown("the token is not from Google"));
        }
        if !text("aud").is_some_and(|audience| self.oidc.audiences.iter().any(|ours| ours == audience)) {
            return Err(unknown("the token is made for somebody else"));
        }
        if claims.get("email_verified") != Some(&Value::Bool(true)) {
            return Err(unknown("the token has no mail address that was verified"));
        }
        text("email").ok_or_else(|| unknown("the token has no mail address"))
    }
}

impl Keys {
    async fn verify(&mut self, token: &str, key: &str) -> Result<Map<String, Value>, Stopped> {
        let is_known = self.known.get(key).is_some_and(|fetched| fetched.elapsed() < KEPT);
        if !is_known && self.in_vain.is_some_and(|at| at.elapsed() < REST) {
            return Err(Stopped::Later(
                "the token's key is not known; ask again in a few seconds".to_owned(),
            ));
        }
        let Ok(verified) = tokio::time::timeout(FETCH, self.verifier.verify(token)).await else {
            self.in_vain = Some(Instant::now());
            return Err(Stopped::Later("the keys of tokens could not be had in time".to_owned()));
        };
        match verified {
            Ok(claims) => {
                if !is_known {
                    self.known.retain(|_, fetched| fetched.elapsed() < KEPT);
                    self.known.insert(key.to_owned(), Instant::now());
                }
                Ok(claims)
            }
            Err(error) if error.is_load_cert() => {
                self.in_vain = Some(Instant::now());
                tracing::warn!("the keys of tokens: {}", landfall_engine::control::chain(&error));
                let passing = error.source().and_then(|source| source.downcast_ref::<CredentialsError>());
                if passing.is_some_and(CredentialsError::is_transient) {
                    Err(Stopped::Later("the keys of tokens can't be had now".to_owned()))
                } else {
                    Err(unknown("the token is signed with a key that Google does not have"))
                }
            }
            // The words of the verifier may hold what the token says, and whoever calls is nobody yet.
            Err(error) => {
                tracing::warn!("a token was refused: {}", landfall_engine::control::chain(&error));
                Err(unknown("the token is not good, or not any more"))
            }
        }
    }
}

/// The verifier looks at a token's end and not at its beginning.
fn has_begun(claims: &Map<String, Value>) -> Result<(), Stopped> {
    let Some(begins) = claims.get("nbf") else { return Ok(()) };
    match begins.as_i64() {
        Some(begins) if begins <= Timestamp::now().as_second().saturating_add(SKEW) => Ok(()),
        Some(_) | None => Err(unknown("the token is not good yet")),
    }
}

fn unknown(why: &str) -> Stopped {
    Stopped::Unknown(why.to_owned())
}

fn bearer(headers: &HeaderMap) -> Result<&str, Stopped> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let (Some(only), None) = (all.next(), all.next()) else {
        return Err(unknown("expected one header `Authorization: Bearer <token>`"));
    };
    let (scheme, token) = only
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .ok_or_else(|| unknown("the `Authorization` header is no bearer token"))?;
    if scheme.eq_ignore_ascii_case("bearer") {
        Ok(token.trim())
    } else {
        Err(unknown("the `Authorization` header is no bearer token"))
    }
}

/// What a token says, believed by nobody: the key's id, and the claims.
fn unverified(token: &str) -> Option<(String, Map<String, Value>)> {
    let mut parts = token.split('.');
    let mut part = || -> Option<Map<String, Value>> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts.next()?).ok()?).ok()
    };
    let header = part()?;
    let claims = part()?;
    Some((header.get("kid")?.as_str()?.to_owned(), claims))
}
