//! The handler's process, and one request to it.
//!
//! Follows `HttpWorkerProcess.cs`, `DefaultWorkerProcessFactory.cs` and `DefaultHttpWorkerService.cs` of the host.

use std::ffi::OsStr;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use hyper::body::{Body, Frame};
use tokio::process::Command;

use super::answer::Answered;
use crate::listener::{Failed, Listener, unused_port};

/// `HttpWorkerOptions.cs`: how long a handler may take until it answers for the first time.
const READY: Duration = Duration::from_secs(30);
/// `WorkerConstants.cs`: how often the host asks.
const POLL: Duration = Duration::from_millis(25);
/// What the host says it is.
const VERSION: &str = "4.1036.2.2";

/// The handler's process.
#[derive(Debug)]
pub(super) struct Process(Listener);

impl Process {
    /// Starts the handler. It sees the given environment, what the host adds to it, and nothing else.
    pub(super) async fn start(
        program: &Path,
        arguments: &[impl AsRef<OsStr>],
        folder: &Path,
        root: &Path,
        environment: &[(String, String)],
    ) -> std::io::Result<Self> {
        // `GetUnusedTcpPort`.
        let port = unused_port()?;
        let worker = "00000000-0000-4000-8000-0000000000aa";
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .env("FUNCTIONS_WORKER_RUNTIME", "custom")
            .env("FUNCTIONS_EXTENSION_VERSION", "~4")
            .env("WEBSITE_SITE_NAME", "landfall")
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .env("FUNCTIONS_HTTPWORKER_PORT", port.to_string())
            .env("FUNCTIONS_HTTPWORKER_ID", worker)
            .env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string())
            .env("FUNCTIONS_CUSTOMHANDLER_WORKER_ID", worker)
            .env("FUNCTIONS_APP_ROOT_PATH", root);
        Listener::start(&mut command, port).map(Process)
    }

    /// Waits until `GET /` answers, whatever it answers; says whether it did before the process ended or the time was over.
    pub(super) async fn ready(&self) -> bool {
        let asked = async {
            while self.ask().await.is_err() {
                tokio::time::sleep(POLL).await;
            }
        };
        tokio::select! {
            ready = tokio::time::timeout(READY, asked) => ready.is_ok(),
            () = self.0.ended() => false,
        }
    }

    async fn ask(&self) -> Result<(), Failed> {
        let request = Request::get("/").header("host", self.0.address.to_string()).body(Chunked(None))?;
        self.send(request).await.map(drop)
    }

    /// Posts an invocation. The body's length is not said beforehand, so it comes in chunks.
    pub(super) async fn post(
        &self,
        function: &str,
        invocation: &str,
        body: Bytes,
    ) -> Result<Answered, String> {
        let request = Request::post(format!("/{function}"))
            .header("host", self.0.address.to_string())
            .header("content-type", "application/json; charset=utf-8")
            .header("x-azure-functions-hostversion", VERSION)
            .header("x-azure-functions-invocationid", invocation)
            .header("user-agent", format!("Azure-Functions-Host/{VERSION}"))
            .body(Chunked(Some(body)))
            .map_err(|error| error.to_string())?;
        tokio::select! {
            answered = self.send(request) => answered.map_err(|error| error.to_string()),
            () = self.0.ended() => Err("language worker process exited".to_owned()),
        }
    }

    async fn send(&self, request: Request<Chunked>) -> Result<Answered, Failed> {
        let (parts, body) = self.0.send(request).await?.into_parts();
        let content_type = parts.headers.get("content-type").and_then(|value| value.to_str().ok());
        Ok(Answered { status: parts.status, content_type: content_type.map(str::to_owned), body })
    }

    pub(super) const fn pid(&self) -> Option<u32> {
        self.0.pid()
    }

    /// What it has written so far.
    pub(super) fn said(&self) -> Vec<String> {
        self.0.said()
    }

    /// Kills it, and answers everything it wrote.
    pub(super) async fn end(self) -> Vec<String> {
        self.0.end().await
    }
}

/// A body that does not say its length: `ObjectContent` does not know it either.
#[derive(Debug)]
struct Chunked(Option<Bytes>);

impl Body for Chunked {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }
}
