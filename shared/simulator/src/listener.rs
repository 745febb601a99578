//! A function's own process, which listens on a port of this machine: started, asked, ended.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::Body;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::Mutex;

/// Where processes listen. Linux lets the kernel choose from 32768, others from 49152.
const PORTS: Range<u16> = 20_000..32_000;

pub(crate) type Failed = Box<dyn std::error::Error + Send + Sync>;

/// A process that listens, or will.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) address: SocketAddr,
    child: Mutex<Child>,
    pid: Option<u32>,
    said: Arc<std::sync::Mutex<Vec<String>>>,
    readers: Vec<tokio::task::JoinHandle<()>>,
}

impl Listener {
    /// Starts a process that will listen on this port. It ends with its handle.
    pub(crate) fn start(command: &mut Command, port: u16) -> std::io::Result<Self> {
        let mut child = command
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
        Ok(Listener { address, pid: child.id(), child: Mutex::new(child), said, readers })
    }

    /// One request on a connection of its own, and its whole answer.
    pub(crate) async fn send<B>(&self, request: Request<B>) -> Result<Response<Bytes>, Failed>
    where
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Failed>,
    {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(async move { drop(connection.await) });
        let (parts, body) = sender.send_request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        connection.abort();
        Ok(Response::from_parts(parts, body))
    }

    /// Waits for the process's end.
    pub(crate) async fn ended(&self) {
        // A process that can't be waited for has ended.
        drop(self.child.lock().await.wait().await);
    }

    pub(crate) const fn pid(&self) -> Option<u32> {
        self.pid
    }

    /// What it has written so far.
    pub(crate) fn said(&self) -> Vec<String> {
        self.said.lock().map(|said| said.clone()).unwrap_or_default()
    }

    /// Asks it to end by SIGTERM, and kills it where it has not ended in time. Answers the number it ended with by itself, and everything
    /// it wrote.
    pub(crate) async fn stop(self, within: Duration) -> (Option<i32>, Vec<String>) {
        if let Some(pid) = self.pid {
            // One that is gone already needs no asking. The program spares this crate a call that Rust takes for unsafe.
            drop(Command::new("kill").args(["-TERM", &pid.to_string()]).status().await);
        }
        let ended = tokio::time::timeout(within, async { self.child.lock().await.wait().await }).await;
        let code = ended.ok().and_then(Result::ok).and_then(|status| status.code());
        (code, self.end().await)
    }

    /// Kills it, and answers everything it wrote.
    pub(crate) async fn end(self) -> Vec<String> {
        // It may have ended by itself.
        drop(self.child.lock().await.kill().await);
        for reader in self.readers {
            drop(reader.await);
        }
        self.said.lock().map(|said| said.clone()).unwrap_or_default()
    }
}

/// A port that nobody listens on. One that the kernel chooses won't do: where many processes start and call at once, it gives it to the
/// next before the process listens. So it is one below those that kernels choose from, and no two of this process are given the same.
pub(crate) fn unused_port() -> std::io::Result<u16> {
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
