//! The process's way to Google Cloud's management APIs: REST and JSON, with credentials of Google's own crate.
//!
//! Google's clients for Rust exist for some of the fifteen APIs that are called and weigh a third of a megabyte each; one thin client
//! serves all of them alike. What is tried again is in `patience.rs`.
//!
//! A call that goes on after its answer gives a long-running operation, which is followed to its end: `operation.rs`.

mod gcp;
mod operation;
mod patience;
mod reply;
pub(crate) mod service;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;

use google_cloud_auth::credentials::{CacheableResource, Credentials};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use serde_json::Value;

pub use self::gcp::{Gcp, Local};
pub(crate) use self::reply::Reply;
use self::service::Service;
use crate::error::CallError;
use crate::http::UNIVERSE;
use crate::rates::family;

/// What is done, by its HTTP method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    Put,
    Patch,
    Post,
    Delete,
}

impl Verb {
    const fn method(self) -> reqwest::Method {
        match self {
            Verb::Get => reqwest::Method::GET,
            Verb::Put => reqwest::Method::PUT,
            Verb::Patch => reqwest::Method::PATCH,
            Verb::Post => reqwest::Method::POST,
            Verb::Delete => reqwest::Method::DELETE,
        }
    }
}

/// What was asked of which resource, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    pub(crate) verb: Verb,
    pub(crate) service: Service,
    pub(crate) path: String,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Service { name, version } = self.service;
        write!(f, "{} {name}/{version}/{}", self.verb.method(), crate::error::tidy(&self.path))
    }
}

/// Calls made as one identity.
#[derive(Clone, Debug)]
pub struct Client {
    gcp: Gcp,
    /// Nobody asks who we are on this machine: then it is a word that says who calls.
    credentials: Result<Credentials, &'static str>,
}

impl Client {
    /// Reads one resource. `path` stands behind the version, without a slash: `projects/acme`. It may carry a query.
    pub(crate) async fn get(&self, service: &Service, path: &str) -> Result<Reply, CallError> {
        self.call(service, Verb::Get, path, None).await
    }

    /// Makes a resource, or does something with one.
    pub(crate) async fn post(&self, service: &Service, path: &str, body: &Value) -> Result<Reply, CallError> {
        self.call(service, Verb::Post, path, Some(body).filter(|body| !body.is_null())).await
    }

    /// Changes a part of a resource; what it is stands in the query's `updateMask`.
    pub(crate) async fn patch(
        &self,
        service: &Service,
        path: &str,
        body: &Value,
    ) -> Result<Reply, CallError> {
        self.call(service, Verb::Patch, path, Some(body)).await
    }

    /// Replaces a resource.
    pub(crate) async fn put(&self, service: &Service, path: &str, body: &Value) -> Result<Reply, CallError> {
        self.call(service, Verb::Put, path, Some(body)).await
    }

    /// Removes a resource. One that is not there is gone.
    pub(crate) async fn delete(&self, service: &Service, path: &str) -> Result<Option<Reply>, CallError> {
        match self.call(service, Verb::Delete, path, None).await {
            Ok(reply) => Ok(Some(reply)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Everything on all pages of a list, and the last page's answer; `items` is the field that holds them. A page may be empty and
    /// still have a next one.
    pub(crate) async fn list(
        &self,
        service: &Service,
        path: &str,
        items: &str,
    ) -> Result<(Reply, Vec<Value>), CallError> {
        let mut all = Vec::new();
        let mut read: BTreeSet<String> = BTreeSet::new();
        let mut at = path.to_owned();
        loop {
            let reply = self.get(service, &at).await?;
            let mut page = reply.value()?;
            match page.get_mut(items).map(Value::take) {
                Some(Value::Array(values)) => all.extend(values),
                None | Some(Value::Null) => {}
                Some(_) => return Err(reply.unreadable("it holds no list")),
            }
            match page.get("nextPageToken").and_then(Value::as_str).filter(|token| !token.is_empty()) {
                None => return Ok((reply, all)),
                Some(token) if !read.insert(token.to_owned()) => {
                    return Err(reply.unreadable("it names a page again that was read already"));
                }
                Some(token) => {
                    let token = escape(token);
                    let and = if path.contains('?') { '&' } else { '?' };
                    at = format!("{path}{and}pageToken={token}");
                }
            }
        }
    }

    /// The token alone, for those who send requests of their own, and the universe it is of.
    pub(crate) async fn token(&self) -> Result<(String, String), CallError> {
        let (headers, universe) = self.proof().await?;
        let bearer = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = bearer.and_then(|text| text.strip_prefix("Bearer ")).ok_or(CallError::NoToken)?;
        Ok((token.to_owned(), universe))
    }

    /// What shows who calls, and the universe that who calls is of: Google's public cloud, or one that is apart from it.
    async fn proof(&self) -> Result<(HeaderMap, String), CallError> {
        let credentials = match &self.credentials {
            Err(word) => {
                let bearer = HeaderValue::from_str(&format!("Bearer {word}")).map_err(no_credentials)?;
                return Ok((HeaderMap::from_iter([(AUTHORIZATION, bearer)]), UNIVERSE.to_owned()));
            }
            Ok(credentials) => credentials,
        };
        let headers = credentials.headers(http::Extensions::new());
        let headers = match tokio::time::timeout(crate::http::ANSWER, headers).await {
            Ok(Ok(CacheableResource::New { data, .. })) => data,
            Ok(Ok(CacheableResource::NotModified)) => return Err(CallError::NoToken),
            Ok(Err(error)) => return Err(no_credentials(error)),
            Err(late) => return Err(no_credentials(late)),
        };
        // The credentials keep what they were told of it.
        let universe = credentials.universe_domain().await;
        Ok((headers, universe.unwrap_or_else(|| UNIVERSE.to_owned())))
    }

    async fn call(
        &self,
        service: &Service,
        verb: Verb,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Reply, CallError> {
        let operation = Operation { verb, service: *service, path: path.to_owned() };
        let patience = self.gcp.patience();
        patience.again(&operation, || self.once(&operation, body)).await
    }

    /// One request. Each one is counted, also one that is sent again.
    async fn once(&self, operation: &Operation, body: Option<&Value>) -> Result<Reply, CallError> {
        let Operation { verb, service, path } = operation;
        self.gcp.governor().ready(CALLER, family(service, *verb, path)).await;
        let (headers, universe) = self.proof().await?;
        let url = self.gcp.url(operation, &universe)?;
        let mut request = self.gcp.connections().request(verb.method(), url).headers(headers);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        } else if matches!(verb, Verb::Post | Verb::Put | Verb::Patch) {
            // Google's front end refuses one that says no length (411).
            request = request.header("content-length", "0");
        }
        let answer = request.send().await.map_err(|error| failed(operation, error))?;
        let status = answer.status().as_u16();
        let text =
            |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let request_id = text("x-goog-request-id").or_else(|| text("x-guploader-uploadid"));
        let after = text("retry-after");
        let body = answer.bytes().await.map_err(|error| failed(operation, error))?;
        tracing::debug!(%operation, status, "answered");
        Reply { operation: operation.clone(), status, request_id, after, body }.judge()
    }
}

/// Whose quota all calls draw on: Google counts them for the project that our accounts are in, whomever they are about.
const CALLER: &str = "caller";

/// Text as one part of a path, or as a value in a query: everything but letters, digits and `-._*` as its bytes in hexadecimal.
pub(crate) fn escape(text: &str) -> String {
    let form: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    // A form says `+` for a blank, a path does not.
    form.replace('+', "%20")
}

fn no_credentials(source: impl std::error::Error + Send + Sync + 'static) -> CallError {
    CallError::NoCredentials { source: Box::new(source) }
}

fn failed(operation: &Operation, error: reqwest::Error) -> CallError {
    let operation = operation.clone();
    if error.is_timeout() {
        CallError::Timeout { operation, source: error.without_url().into() }
    } else {
        CallError::Unreachable { operation, source: error.without_url().into() }
    }
}
