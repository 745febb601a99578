//! A small Cloud Run: the function's own process with the environment that Cloud Run gives it, and requests to it.
//!
//! Follows the container contract, <https://cloud.google.com/run/docs/container-contract>: `PORT` and the `K_` variables, requests as soon
//! as it listens there. Who may call is said by whoever calls: nothing here checks tokens or makes them.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request};
use http_body_util::Full;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::listener::{Listener, unused_port};

/// How long a container may take until it listens: the default startup probe,
/// <https://cloud.google.com/run/docs/configuring/healthchecks>.
const READY: Duration = Duration::from_secs(240);
const POLL: Duration = Duration::from_millis(5);

/// How long a container is left to end by itself once it was asked to:
/// <https://cloud.google.com/run/docs/container-contract#instance-shutdown>.
const GRACE: Duration = Duration::from_secs(10);

/// A service with one instance that runs.
#[derive(Debug)]
pub struct CloudRun(Listener);

/// A service that did not start.
#[derive(Debug, thiserror::Error)]
pub enum CloudRunError {
    /// Its process could not be made.
    #[error("could not start the function's process")]
    Start(#[from] std::io::Error),
    /// It ended before it listened; what it said.
    #[error("the function ended before it listened: {0}")]
    Ended(String),
}

/// What a request was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The status code.
    pub status: u16,
    /// By their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Bytes,
}

impl Answered {
    /// Whether whoever called takes it for done.
    pub fn acknowledges(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body as JSON; null where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

impl CloudRun {
    /// The port that [`CloudRun::start`] can be given: whoever has to know the service's address before it starts asks for it first.
    ///
    /// # Errors
    /// When no port is free.
    pub fn port() -> std::io::Result<u16> {
        unused_port()
    }

    /// Starts `program` on a port and waits until it listens there. It sees the given environment, what Cloud Run adds to it, and
    /// nothing else.
    ///
    /// # Errors
    /// When it can't be started, or ends before it listens.
    pub async fn start(
        program: impl AsRef<OsStr>,
        arguments: &[&str],
        port: u16,
        environment: &BTreeMap<String, String>,
    ) -> Result<Self, CloudRunError> {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .envs(environment)
            .env("PORT", port.to_string())
            .env("K_SERVICE", "landfall")
            .env("K_REVISION", "landfall-00001-abc")
            .env("K_CONFIGURATION", "landfall");
        let service = CloudRun(Listener::start(&mut command, port)?);
        let listens = async {
            while TcpStream::connect(service.0.address).await.is_err() {
                tokio::time::sleep(POLL).await;
            }
        };
        let ready = tokio::select! {
            listens = tokio::time::timeout(READY, listens) => listens.is_ok(),
            () = service.0.ended() => false,
        };
        if ready { Ok(service) } else { Err(CloudRunError::Ended(service.0.end().await.join("\n"))) }
    }

    /// Where it listens, as `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.0.address)
    }

    /// One request with a body, and its answer.
    ///
    /// # Errors
    /// When the process does not answer, or ends meanwhile; why, for people.
    pub async fn post(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: impl AsRef<[u8]> + Send,
    ) -> Result<Answered, String> {
        self.ask("POST", path, headers, body).await
    }

    /// One request and its answer, on a connection of its own.
    ///
    /// # Errors
    /// When the process does not answer, or ends meanwhile; why, for people.
    pub async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl AsRef<[u8]> + Send,
    ) -> Result<Answered, String> {
        let mut request =
            Request::builder().method(method).uri(path).header("host", self.0.address.to_string());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = Full::new(Bytes::copy_from_slice(body.as_ref()));
        let request = request.body(body).map_err(|error| error.to_string())?;
        tokio::select! {
            answered = self.0.send(request) => {
                let (parts, body) = answered.map_err(|error| error.to_string())?.into_parts();
                let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
                let headers = parts.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
                Ok(Answered { status: parts.status.as_u16(), headers, body })
            }
            () = self.0.ended() => Err("the function's process ended".to_owned()),
        }
    }

    /// The function's process.
    #[must_use]
    pub const fn pid(&self) -> Option<u32> {
        self.0.pid()
    }

    /// What it has written so far.
    #[must_use]
    pub fn said(&self) -> Vec<String> {
        self.0.said()
    }

    /// Asks it to end, as Cloud Run does with an instance that it needs no more: SIGTERM, and ten seconds. Answers the number that it
    /// ended with, nothing where it had to be killed, and everything it wrote.
    pub async fn stop(self) -> (Option<i32>, Vec<String>) {
        self.0.stop(GRACE).await
    }

    /// Kills it, as a crash would, and answers everything it wrote.
    pub async fn end(self) -> Vec<String> {
        self.0.end().await
    }
}
