//! The process's way to Azure Resource Manager: calls through the pipeline of Azure's own SDK core.
//!
//! There is no official crate for the management plane, so paths and bodies are written by hand and sent through `azure_core`'s
//! pipeline, which authenticates them. What is tried again is in `patience.rs`. That goes for writes as well: every one of ours may be
//! sent twice, because names are derived and tags are merged.
//!
//! A call that goes on after its answer (201 or 202 with `Azure-AsyncOperation` or `Location`) is waited for: what counts is the
//! `status` that the poll tells, not the number it is answered with.

mod azure;
mod patience;
mod reply;
pub(crate) mod service;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use azure_core::error::ErrorKind;
use azure_core::http::headers::HeaderName;
use azure_core::http::{Context, Method, Pipeline, PipelineSendOptions, Request, Url};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

pub use self::azure::Azure;
use self::patience::{Patience, after};
pub(crate) use self::reply::Reply;
use self::reply::{header, remaining};
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
    const fn method(self) -> Method {
        match self {
            Verb::Get => Method::Get,
            Verb::Put => Method::Put,
            Verb::Patch => Method::Patch,
            Verb::Post => Method::Post,
            Verb::Delete => Method::Delete,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Verb::Get => "GET",
            Verb::Put => "PUT",
            Verb::Patch => "PATCH",
            Verb::Post => "POST",
            Verb::Delete => "DELETE",
        }
    }
}

/// What was asked of which resource, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    pub(crate) verb: Verb,
    pub(crate) path: String,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb.as_str(), crate::error::tidy(&self.path))
    }
}

/// Calls made as one identity.
#[derive(Clone, Debug)]
pub struct Client {
    azure: Azure,
    pipeline: Pipeline,
}

/// Below so many calls that Resource Manager says are left, each answer is held back for a while, the longer the fewer are left: the
/// rest is for the people who work there. At none left it is a second, in which ten come back.
const RESERVE: u32 = 20;
const SLOWER: Duration = Duration::from_millis(50);

/// What a page of a list holds.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(default)]
    value: Vec<Value>,
    #[serde(default)]
    next_link: Option<String>,
}

/// What the poll of an operation that goes on tells.
#[derive(Deserialize)]
struct Progress {
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    error: Option<Failure>,
}

#[derive(Deserialize, Default)]
struct Failure {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

impl Client {
    pub(super) const fn new(azure: Azure, pipeline: Pipeline) -> Self {
        Client { azure, pipeline }
    }

    /// Reads one resource.
    pub(crate) async fn get(&self, service: &Service, path: &str) -> Result<Reply, CallError> {
        self.call(service, Verb::Get, path, None).await
    }

    /// Makes a resource, or replaces it. Where there is nothing to say of it, the body is null and not sent.
    pub(crate) async fn put(&self, service: &Service, path: &str, body: &Value) -> Result<Reply, CallError> {
        self.call(service, Verb::Put, path, Some(body).filter(|body| !body.is_null())).await
    }

    /// Changes a part of a resource.
    pub(crate) async fn patch(
        &self,
        service: &Service,
        path: &str,
        body: &Value,
    ) -> Result<Reply, CallError> {
        self.call(service, Verb::Patch, path, Some(body)).await
    }

    /// Does something with a resource.
    pub(crate) async fn post(
        &self,
        service: &Service,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Reply, CallError> {
        self.call(service, Verb::Post, path, body).await
    }

    /// Removes a resource. One that is not there is gone.
    pub(crate) async fn delete(&self, service: &Service, path: &str) -> Result<(), CallError> {
        match self.call(service, Verb::Delete, path, None).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_not_found() => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Waits until something may have changed at Azure's end. On this machine nothing takes so long.
    pub(crate) async fn rest(&self, time: Duration) {
        let time = if self.azure.is_loopback() { time.min(self.azure.patience().poll) } else { time };
        tokio::time::sleep(time).await;
    }

    /// One page of a list, and where the next one is. A page may be empty and still have a next one.
    pub(crate) async fn page(
        &self,
        service: &Service,
        path: &str,
        next: Option<&str>,
    ) -> Result<(Reply, Vec<Value>, Option<String>), CallError> {
        let reply = match next {
            None => self.get(service, path).await?,
            Some(link) => {
                let url = self.follow(Verb::Get, path, link)?;
                self.send(Operation { verb: Verb::Get, path: path.to_owned() }, url, None).await?.0
            }
        };
        let Page { value, next_link } = reply.json()?;
        let next_link = next_link.filter(|link| !link.is_empty());
        Ok((reply, value, next_link))
    }

    /// Everything on all pages of a list, and the last page's answer.
    pub(crate) async fn list(&self, service: &Service, path: &str) -> Result<(Reply, Vec<Value>), CallError> {
        let mut all = Vec::new();
        let mut read: BTreeSet<String> = BTreeSet::new();
        let mut next: Option<String> = None;
        loop {
            let (reply, values, link) = self.page(service, path, next.as_deref()).await?;
            all.extend(values);
            match link {
                Some(link) if !read.insert(link.clone()) => {
                    return Err(reply.unreadable("it names a page again that was read already"));
                }
                Some(link) => next = Some(link),
                None => return Ok((reply, all)),
            }
        }
    }

    async fn call(
        &self,
        service: &Service,
        verb: Verb,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Reply, CallError> {
        let operation = Operation { verb, path: path.to_owned() };
        let mut url = self.azure.base().clone();
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        url.set_path(path);
        url.query_pairs_mut().append_pair("api-version", service.version);
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            url.query_pairs_mut().append_pair(&name, &value);
        }
        let (reply, goes_on) = self.send(operation, url, body).await?;
        match goes_on {
            Some(poll) if verb != Verb::Get => self.wait(reply, poll).await,
            Some(_) | None => Ok(reply),
        }
    }

    /// One request and its answer. The second part says where an operation that goes on is asked after.
    async fn send(
        &self,
        operation: Operation,
        url: Url,
        body: Option<&Value>,
    ) -> Result<(Reply, Option<Poll>), CallError> {
        let scope = scope(&operation.path);
        self.azure.governor().ready(scope, family(operation.verb)).await;
        let mut request = Request::new(url, operation.verb.method());
        request.insert_header(HeaderName::from_static("accept"), "application/json");
        if operation.path.contains("/managementGroups/") && operation.verb == Verb::Get {
            // Management groups are answered from caches of minutes unless one asks not to be:
            // https://learn.microsoft.com/rest/api/managementgroups/management-groups/get, "Cache-Control".
            request.insert_header(HeaderName::from_static("cache-control"), "no-cache");
        }
        if let Some(body) = body {
            request.insert_header(HeaderName::from_static("content-type"), "application/json");
            request.set_body(body.to_string());
        } else if matches!(operation.verb, Verb::Post | Verb::Put) {
            request.insert_header(HeaderName::from_static("content-length"), "0");
        }
        let context = Context::new();
        let options = PipelineSendOptions { skip_checks: true, ..PipelineSendOptions::default() };
        let sent = self.pipeline.send(&context, &mut request, Some(options)).await;
        let (status, headers, body) = match sent {
            Ok(response) => response.deconstruct(),
            Err(error) => return Err(failed(operation, error)),
        };
        if let Some(left) = remaining(&headers, operation.verb).filter(|left| *left < RESERVE) {
            tracing::info!(scope, left, "few calls are left here: slowing down");
            tokio::time::sleep(SLOWER * (RESERVE - left)).await;
        }
        let poll = Poll::of(u16::from(status), &headers);
        let request_id = header(&headers, "x-ms-request-id");
        let reply = Reply { operation, status: u16::from(status), request_id, body: body.into() };
        tracing::debug!(operation = %reply.operation, status = reply.status, "answered");
        Ok((reply.judge()?, poll))
    }

    /// Asks after an operation until it is over. One that can't be asked after any more is told as a failure; the next look shows
    /// what came of it.
    async fn wait(&self, first: Reply, mut poll: Poll) -> Result<Reply, CallError> {
        let Patience { poll: usual, longest_poll, work, .. } = self.azure.patience();
        let until = Instant::now() + work;
        let operation = first.operation.clone();
        loop {
            let rest = poll.after.unwrap_or(usual).min(longest_poll);
            if Instant::now() + rest > until {
                return Err(CallError::GoesOn { operation, limit: work });
            }
            tokio::time::sleep(rest).await;
            let url = self.follow(operation.verb, &operation.path, &poll.link)?;
            let asked = Operation { verb: Verb::Get, path: operation.path.clone() };
            let (reply, next) = self.send(asked, url, None).await?;
            let Progress { status, error } = match reply.body.is_empty() {
                true => Progress { status: None, error: None },
                false => reply.json()?,
            };
            let is = |word: &str| status.as_ref().is_some_and(|status| status.eq_ignore_ascii_case(word));
            if is("Failed") || is("Canceled") {
                let Failure { code, message } = error.unwrap_or_default();
                let code = if code.is_empty() { status.unwrap_or_default() } else { code };
                return Err(CallError::api(operation, reply.status, &code, &message, reply.request_id));
            }
            let over = match (poll.tells, &status) {
                (Tells::Status, Some(_)) => is("Succeeded"),
                // One that says nothing of itself counts by its number: by the first, some services answer with the resource.
                (Tells::Status, None) => reply.status != 202,
                // By the second, management groups say how it goes, and say 200 to that as well: `AzureAsyncOperationResults`.
                (Tells::Number, _) => reply.status != 202 && !GOES_ON.iter().any(|word| is(word)),
            };
            if over {
                return Ok(first);
            }
            if let Some(next) = next {
                poll = Poll { link: next.link, tells: poll.tells, after: next.after };
            }
        }
    }

    /// A link that an answer gave: only to the host that gave it, so that our token goes nowhere else.
    fn follow(&self, verb: Verb, path: &str, link: &str) -> Result<Url, CallError> {
        let foreign = || CallError::ForeignLink {
            operation: Operation { verb, path: path.to_owned() },
            host: crate::error::tidy(link),
        };
        let mut url = Url::parse(link).map_err(|_| foreign())?;
        if self.azure.is_loopback() && url.scheme() == "http" {
            // What listens on this machine knows nothing of TLS; the request itself never has another form than the real one.
            url.set_scheme("https").map_err(|()| foreign())?;
        }
        let base = self.azure.base();
        let same = url.scheme() == base.scheme()
            && url.host_str() == base.host_str()
            && url.port_or_known_default() == base.port_or_known_default()
            && url.username().is_empty()
            && url.password().is_none();
        if same { Ok(url) } else { Err(foreign()) }
    }
}

/// What an operation that goes on says of itself.
const GOES_ON: [&str; 3] = ["NotStarted", "Running", "InProgress"];

/// Where an operation that goes on is asked after.
#[derive(Debug)]
struct Poll {
    link: String,
    tells: Tells,
    after: Option<Duration>,
}

/// What a poll's answer means by.
#[derive(Debug, Clone, Copy)]
enum Tells {
    /// By the `status` in it (`Azure-AsyncOperation`); where it has none, by its number.
    Status,
    /// By its number (`Location`), unless it says that it goes on.
    Number,
}

impl Poll {
    /// <https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations>: the first header counts before the
    /// second.
    fn of(status: u16, headers: &azure_core::http::headers::Headers) -> Option<Self> {
        let after = header(headers, "retry-after").and_then(|text| after(&text));
        if let Some(link) = header(headers, "azure-asyncoperation") {
            return Some(Poll { link, tells: Tells::Status, after });
        }
        let link = header(headers, "location").filter(|_| status == 202)?;
        Some(Poll { link, tells: Tells::Number, after })
    }
}

/// Whose quota a call draws on: the subscription's, or the directory's.
fn scope(path: &str) -> &str {
    let mut parts = path.trim_start_matches('/').split(['/', '?']);
    match (parts.next(), parts.next()) {
        (Some("subscriptions"), Some(id)) if !id.is_empty() => id,
        _ => "directory",
    }
}

fn failed(operation: Operation, error: azure_core::Error) -> CallError {
    if matches!(error.kind(), ErrorKind::Credential) {
        CallError::NoCredentials { source: error.into() }
    } else if !matches!(error.kind(), ErrorKind::Connection) && timed_out(&error) {
        CallError::Timeout { operation, source: error.into() }
    } else {
        CallError::Unreachable { operation, source: error.into() }
    }
}

fn timed_out(error: &azure_core::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(one) = cause {
        if one.downcast_ref::<reqwest::Error>().is_some_and(reqwest::Error::is_timeout) {
            return true;
        }
        cause = one.source();
    }
    false
}
