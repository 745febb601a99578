//! The HTTP side: connections, bodies, waiting; everything else is decided by the [`Cloud`] that is served.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::call::Call;
use crate::control::{self, Told};
use crate::encode::Answer;
use crate::fault::Faults;
use crate::journal::Journal;
use crate::wire::Wire;

/// A simulated cloud, as far as its server and its handle care.
pub(crate) trait Cloud: Send + Sync + 'static {
    /// A question that waits for something to tell.
    type Waiting: Send;

    fn answer(&self, wire: &Wire) -> Reply<Self::Waiting>;
    /// A waiting question's next look; an answer when there is something, or when its time is up.
    fn look_again(&self, waiting: &mut Self::Waiting) -> Option<Answer>;
    /// What is kept of its calls.
    fn journal<A>(&self, look: impl FnOnce(&mut Journal) -> A) -> A;

    /// What is at `/_landfall/` for this cloud alone; `None` where nothing is.
    fn control(&self, _method: &str, _path: &str, _body: &Value) -> Option<Told> {
        None
    }

    fn set_faults(&self, faults: Faults) {
        self.journal(|journal| journal.set_faults(faults));
    }

    fn take_events(&self) -> Vec<Value> {
        Vec::new()
    }

    /// How long every answer takes at least.
    fn latency(&self) -> Duration {
        self.journal(|journal| journal.faults.latency)
    }

    fn calls(&self) -> Vec<Call> {
        self.journal(|journal| journal.calls().to_vec())
    }

    fn clear_calls(&self) {
        self.journal(Journal::clear_calls);
    }
}

/// What becomes of a request.
#[derive(Debug)]
pub(crate) enum Reply<W> {
    Answer(Answer),
    /// Drop the connection.
    Cut,
    /// Nothing to tell yet: look again.
    Wait(W),
}

/// More than any of the calls needs; the largest is a batch of ten SQS messages.
const LARGEST_BODY: usize = 4 << 20;
/// How often a long poll looks again. Short against a human, long against the 20 µs that a look costs.
const LOOK_AGAIN: Duration = Duration::from_millis(10);
/// Rests the accept loop when the process is out of file descriptors.
const REST: Duration = Duration::from_millis(50);

/// Tells hyper to drop the connection without a word.
#[derive(Debug, thiserror::Error)]
#[error("the connection is cut on purpose")]
struct Cut;

pub(crate) async fn serve<C: Cloud>(
    listener: TcpListener,
    cloud: Arc<C>,
    mut stopped: oneshot::Receiver<()>,
) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = &mut stopped => return,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(REST).await;
            continue;
        };
        // Small answers to small questions: waiting to fill packets would cost 40 ms each. Failing is harmless.
        drop(stream.set_nodelay(true));
        let cloud = Arc::clone(&cloud);
        let connection = http1::Builder::new().timer(TokioTimer::new()).serve_connection(
            TokioIo::new(stream),
            service_fn(move |request| answer(Arc::clone(&cloud), request)),
        );
        // An error here is a client that went away or a connection cut on purpose.
        tokio::spawn(async move { drop(connection.await) });
    }
}

async fn answer<C: Cloud>(cloud: Arc<C>, request: Request<Incoming>) -> Result<Answer, Cut> {
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, LARGEST_BODY).collect().await else {
        let mut refused = Response::new(Full::default());
        *refused.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
        return Ok(refused);
    };
    let wire = Wire { method: parts.method, uri: parts.uri, headers: parts.headers, body: body.to_bytes() };
    if let Some(path) = wire.uri.path().strip_prefix("/_landfall/") {
        return Ok(control::answer(&*cloud, &wire, path));
    }
    let latency = cloud.latency();
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    match cloud.answer(&wire) {
        Reply::Answer(answer) => Ok(answer),
        Reply::Cut => Err(Cut),
        Reply::Wait(mut waiting) => loop {
            tokio::time::sleep(LOOK_AGAIN).await;
            if let Some(answer) = cloud.look_again(&mut waiting) {
                return Ok(answer);
            }
        },
    }
}
