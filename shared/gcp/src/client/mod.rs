//! The process's way to Google Cloud's management APIs: REST and JSON, with credentials of Google's own crate.
//!
//! Google's clients for Rust exist for some of the fifteen APIs that are called and weigh a third of a megabyte each; one thin client
//! serves all of them alike. What is tried again is in `patience.rs`.
//!
//! A call that goes on after its answer gives a long-running operation, which is followed to its end.

mod gcp;
mod patience;
mod reply;
pub(crate) mod service;

use std::collections::BTreeSet;
use std::fmt;

use google_cloud_auth::credentials::{CacheableResource, Credentials};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

pub use self::gcp::Gcp;
use self::patience::Patience;
pub(crate) use self::reply::Reply;
use self::service::Service;
use crate::error::CallError;
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

/// How an operation that goes on answers: `google.longrunning.Operation`, and Compute's own.
#[derive(Deserialize)]
struct Progress {
    #[serde(default)]
    name: String,
    #[serde(default)]
    done: bool,
    #[serde(default)]
    error: Option<Failure>,
    #[serde(default)]
    response: Option<Value>,
}

#[derive(Deserialize)]
struct Failure {
    #[serde(default)]
    code: i32,
    #[serde(default)]
    message: String,
}

impl Client {
    /// Reads one resource. `path` stands behind the version, without a slash: `projects/acme`. It may carry a query.
    pub(crate) async fn get(&self, service: &Service, path: &str) -> Result<Reply, CallError> {
        self.call(service, Verb::Get, path, None).await
    }

    /// Makes a resource, or does something with one.
    pub(crate) async fn post(&self, service: &Service, path: &str, body: &Value) -> Result<Reply, CallError> {
        self.call(service, Verb::Post, path, Some(body)).await
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
                    let token: String = url::form_urlencoded::byte_serialize(token.as_bytes()).collect();
                    let and = if path.contains('?') { '&' } else { '?' };
                    at = format!("{path}{and}pageToken={token}");
                }
            }
        }
    }

    /// Waits until an operation is over; answers what came of it.
    pub(crate) async fn finish(&self, reply: Reply) -> Result<Value, CallError> {
        let Patience { poll, work, .. } = self.gcp.patience();
        let until = Instant::now() + work;
        let first = reply.operation.clone();
        let mut progress: Progress = reply.json()?;
        loop {
            if let Some(Failure { code, message }) = progress.error {
                return Err(CallError::operation(first, code, &message, reply.request_id));
            }
            if progress.done {
                return Ok(progress.response.unwrap_or_default());
            }
            if Instant::now() + poll > until {
                return Err(CallError::GoesOn { operation: first, limit: work });
            }
            tokio::time::sleep(poll).await;
            progress = self.get(&first.service, &progress.name).await?.json()?;
        }
    }

    async fn call(
        &self,
        service: &Service,
        verb: Verb,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Reply, CallError> {
        let operation = Operation { verb, service: *service, path: path.to_owned() };
        self.gcp.governor().ready(scope(path), family(service, verb)).await;
        self.gcp.patience().again(|| self.once(&operation, body)).await
    }

    async fn once(&self, operation: &Operation, body: Option<&Value>) -> Result<Reply, CallError> {
        let url = self.gcp.url(operation)?;
        let mut request = self.gcp.connections().request(operation.verb.method(), url);
        request = match &self.credentials {
            Err(word) => request.bearer_auth(word),
            Ok(credentials) => match credentials.headers(http::Extensions::new()).await {
                Ok(CacheableResource::New { data, .. }) => request.headers(data),
                Ok(CacheableResource::NotModified) => return Err(CallError::NoToken),
                Err(error) => return Err(CallError::NoCredentials { source: Box::new(error) }),
            },
        };
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
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

/// Whose quota a call draws on: the project's, or the organization's.
fn scope(path: &str) -> &str {
    let mut parts = path.split(['/', '?', ':']);
    match (parts.next(), parts.next()) {
        (Some("projects"), Some(id)) if !id.is_empty() => id,
        _ => "organization",
    }
}

fn failed(operation: &Operation, error: reqwest::Error) -> CallError {
    let operation = operation.clone();
    if error.is_timeout() {
        CallError::Timeout { operation, source: error.without_url().into() }
    } else {
        CallError::Unreachable { operation, source: error.without_url().into() }
    }
}
