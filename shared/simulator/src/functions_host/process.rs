//! The handler's process, and one request to it.
//!
//! Follows `HttpWorkerProcess.cs`, `DefaultWorkerProcessFactory.cs` and `DefaultHttpWorkerService.cs` of the host.

use std::ffi::OsStr;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::path::Path;
use std::pin::Pin;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::Mutex;

use super::answer::Answered;

/// `HttpWorkerOptions.cs`: how long a handler may take until it answers for the first time.
const READY: Duration = Duration::from_secs(30);
/// `WorkerConstants.cs`: how often the host asks.
const POLL: Duration = Duration::from_millis(25);
/// Where handlers listen. Linux lets the kernel choose from 32768, others from 49152.
const PORTS: Range<u16> = 20_000..32_000;
/// What the host says it is.
const VERSION: &str = "4.1036.2.2";

/// The handler's process.
#[derive(Debug)]
pub(super) struct Process {
    address: SocketAddr,
    child: Mutex<Child>,
    pid: Option<u32>,
    said: Arc<std::sync::Mutex<Vec<String>>>,
    readers: Vec<tokio::task::JoinHandle<()>>,
}

impl Process {
    /// Starts the handler. It sees the given environment, what the host adds to it, and nothing else.
    pub(super) async fn start(
        program: &Path,
        arguments: &[impl AsRef<OsStr>],
        folder: &Path,
        root: &Path,
        environment: &[(String, String)],
    ) -> std::io::Result<Self> {
        let port = unused_port()?;
        let worker = "00000000-0000-4000-8000-0000000000aa";
        let mut child = Command::new(program)
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
            .env("FUNCTIONS_APP_ROOT_PATH", root)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let said = Arc::new(std::sync::Mutex::new(Vec::new()));
        let mut readers = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            readers.push(tokio::spawn(listen(stdout, Arc::clone(&said))));
        }
        if let Some(stderr) = child.stderr.take() {
            readers.push(tokio::spawn(listen(stderr, Arc::clone(&said))));
        }
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Ok(Process { address, pid: child.id(), child: Mutex::new(child), said, readers })
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
            () = self.ended() => false,
        }
    }

    async fn ask(&self) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let request = Request::get("/").header("host", self.address.to_string()).body(Chunked(None))?;
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
            .header("host", self.address.to_string())
            .header("content-type", "application/json; charset=utf-8")
            .header("x-azure-functions-hostversion", VERSION)
            .header("x-azure-functions-invocationid", invocation)
            .header("user-agent", format!("Azure-Functions-Host/{VERSION}"))
            .body(Chunked(Some(body)))
            .map_err(|error| error.to_string())?;
        tokio::select! {
            answered = self.send(request) => answered.map_err(|error| error.to_string()),
            () = self.ended() => Err("language worker process exited".to_owned()),
        }
    }

    async fn send(
        &self,
        request: Request<Chunked>,
    ) -> Result<Answered, Box<dyn std::error::Error + Send + Sync>> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(async move { drop(connection.await) });
        let response = sender.send_request(request).await?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        connection.abort();
        let content_type = parts.headers.get("content-type").and_then(|value| value.to_str().ok());
        Ok(Answered { status: parts.status, content_type: content_type.map(str::to_owned), body })
    }

    /// Waits for the process's end.
    async fn ended(&self) {
        // A process that can't be waited for has ended.
        drop(self.child.lock().await.wait().await);
    }

    pub(super) const fn pid(&self) -> Option<u32> {
        self.pid
    }

    /// What it has written so far.
    pub(super) fn said(&self) -> Vec<String> {
        self.said.lock().map(|said| said.clone()).unwrap_or_default()
    }

    /// Kills it, and answers everything it wrote.
    pub(super) async fn end(self) -> Vec<String> {
        // It may have ended by itself.
        drop(self.child.lock().await.kill().await);
        for reader in self.readers {
            drop(reader.await);
        }
        self.said.lock().map(|said| said.clone()).unwrap_or_default()
    }
}

/// A port that nobody listens on. `GetUnusedTcpPort` too opens a listener and closes it again, but takes a port that the kernel
/// chose: where many processes start and call at once, the kernel gives it to the next before the handler listens. So it is one below
/// those that kernels choose from, and no two handlers of this process are given the same.
fn unused_port() -> std::io::Result<u16> {
    static TRIED: AtomicU32 = AtomicU32::new(0);
    let mut refused = std::io::Error::from(std::io::ErrorKind::AddrInUse);
    for _ in 0..PORTS.len() {
        // Processes with neighbouring ids begin far from each other.
        let place = std::process::id().wrapping_mul(7919).wrapping_add(TRIED.fetch_add(1, Ordering::Relaxed));
        let port =
            PORTS.start + u16::try_from(place % u32::from(PORTS.end - PORTS.start)).unwrap_or_default();
        match std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(_) => return Ok(port),
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

async fn listen(stream: impl AsyncRead + Unpin, said: Arc<std::sync::Mutex<Vec<String>>>) {
    let mut lines = BufReader::new(stream).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if let Ok(mut said) = said.lock() {
            said.push(line);
        }
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
