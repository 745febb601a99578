//! The Runtime API of one execution environment.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, Notify, mpsc, oneshot};

/// What a function did with an event.
#[derive(Debug, Clone, PartialEq)]
pub enum Invocation {
    /// It answered.
    Answer(Value),
    /// It said that it failed: Lambda's error object.
    Failed(Value),
    /// Its process ended, or it did not answer in time.
    Died,
}

struct Event {
    body: Bytes,
    deadline: u128,
    done: oneshot::Sender<Invocation>,
}

#[derive(Default)]
struct Under {
    current: Option<(String, oneshot::Sender<Invocation>)>,
    count: u64,
    init_error: Option<Value>,
}

struct Api {
    events: Mutex<mpsc::UnboundedReceiver<Event>>,
    under: Mutex<Under>,
    /// Rung at every `next`: the process is ready, or has ended an invocation.
    ready: Notify,
    readies: std::sync::atomic::AtomicU64,
}

/// The Runtime API of one execution environment, on a free loopback port.
#[derive(Debug)]
pub struct RuntimeApi {
    address: SocketAddr,
    events: mpsc::UnboundedSender<Event>,
    api: Arc<Api>,
    server: tokio::task::JoinHandle<()>,
}

impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Event").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").finish_non_exhaustive()
    }
}

impl RuntimeApi {
    /// Starts it.
    pub async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (events, receiver) = mpsc::unbounded_channel();
        let api = Arc::new(Api {
            events: Mutex::new(receiver),
            under: Mutex::new(Under::default()),
            ready: Notify::new(),
            readies: std::sync::atomic::AtomicU64::new(0),
        });
        let server = tokio::spawn(serve(listener, Arc::clone(&api)));
        Ok(RuntimeApi { address, events, api, server })
    }

    /// What `AWS_LAMBDA_RUNTIME_API` has to say.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Hands over an event and waits for what the function does with it. The function is told a deadline of `within`; an answer
    /// later than that counts as none.
    pub async fn invoke(&self, event: &Value, within: Duration) -> Invocation {
        self.invoke_raw(Bytes::from(event.to_string()), within).await
    }

    /// Like [`RuntimeApi::invoke`], with bytes that need not be JSON.
    pub async fn invoke_raw(&self, body: Bytes, within: Duration) -> Invocation {
        let (done, answer) = oneshot::channel();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let deadline = (now + within).as_millis();
        if self.events.send(Event { body, deadline, done }).is_err() {
            return Invocation::Died;
        }
        match tokio::time::timeout(within, answer).await {
            Ok(Ok(invocation)) => invocation,
            Ok(Err(_)) | Err(_) => Invocation::Died,
        }
    }

    /// Waits until the process asks for its first event; says whether it did in time.
    pub async fn ready(&self, within: Duration) -> bool {
        let wait = async {
            loop {
                let rung = self.api.ready.notified();
                if self.api.readies.load(std::sync::atomic::Ordering::SeqCst) > 0 {
                    return;
                }
                rung.await;
            }
        };
        tokio::time::timeout(within, wait).await.is_ok()
    }

    /// What the process said went wrong at its start.
    pub async fn init_error(&self) -> Option<Value> {
        self.api.under.lock().await.init_error.clone()
    }

    /// The process is gone: who waits for its answer is told.
    pub async fn abandon(&self) {
        self.api.under.lock().await.current = None;
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, api: Arc<Api>) {
    while let Ok((stream, _)) = listener.accept().await {
        drop(stream.set_nodelay(true));
        let api = Arc::clone(&api);
        let connection = http1::Builder::new().serve_connection(
            TokioIo::new(stream),
            service_fn(move |request| {
                let api = Arc::clone(&api);
                async move { Ok::<_, std::convert::Infallible>(answer(&api, request).await) }
            }),
        );
        tokio::spawn(async move { drop(connection.await) });
    }
}

async fn answer(api: &Api, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let path = parts.uri.path().strip_prefix("/2018-06-01/runtime/").unwrap_or_default();
    match (parts.method, path.split('/').collect::<Vec<_>>().as_slice()) {
        (Method::GET, ["invocation", "next"]) => next(api).await,
        (Method::POST, ["invocation", id, "response"]) => end(api, id, Invocation::Answer(json(&body))).await,
        (Method::POST, ["invocation", id, "error"]) => end(api, id, Invocation::Failed(json(&body))).await,
        (Method::POST, ["init", "error"]) => {
            api.under.lock().await.init_error = Some(json(&body));
            status(StatusCode::ACCEPTED)
        }
        _ => status(StatusCode::NOT_FOUND),
    }
}

fn json(body: &Bytes) -> Value {
    serde_json::from_slice(body).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(body).into_owned()))
}

async fn next(api: &Api) -> Response<Full<Bytes>> {
    api.readies.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    api.ready.notify_waiters();
    let event = api.events.lock().await.recv().await;
    let Some(Event { body, deadline, done }) = event else { return status(StatusCode::GONE) };
    let mut under = api.under.lock().await;
    under.count += 1;
    let id = format!("00000000-0000-4000-8000-{:012}", under.count);
    under.current = Some((id.clone(), done));
    let response = Response::builder()
        .header("lambda-runtime-aws-request-id", &id)
        .header("lambda-runtime-deadline-ms", deadline.to_string())
        .header(
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:eu-central-1:111111111111:function:landfall",
        )
        .header("lambda-runtime-trace-id", "Root=1-00000000-000000000000000000000000;Sampled=0")
        .header("content-type", "application/json")
        .body(Full::new(body));
    response.unwrap_or_else(|_| status(StatusCode::INTERNAL_SERVER_ERROR))
}

async fn end(api: &Api, id: &str, invocation: Invocation) -> Response<Full<Bytes>> {
    let mut under = api.under.lock().await;
    match under.current.take() {
        Some((current, done)) if current == id => {
            // Nobody waits any more where the answer came too late.
            drop(done.send(invocation));
            status(StatusCode::ACCEPTED)
        }
        other => {
            under.current = other;
            status(StatusCode::BAD_REQUEST)
        }
    }
}

fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}
