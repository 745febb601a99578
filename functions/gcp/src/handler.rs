//! The HTTP server: who is let in, what is read, and who waits for what.
//!
//! A run goes on when whoever asked for it hangs up: it holds a lease, and half of it done is worse than all of it. When Cloud Run ends
//! the process, what is under way has ten seconds: <https://cloud.google.com/run/docs/container-contract#instance-shutdown>.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::header::CONTENT_LENGTH;
use http::request::Parts;
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use jiff::{SignedDuration, Timestamp};
use landfall_model::answer::Answer;
use landfall_model::trigger::Trigger;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};

use crate::answer::{self, Reply};
use crate::caller::Guard;
use crate::config;
use crate::trigger::{Malformed, Route, parse};

/// Pub/Sub's largest message.
pub const LARGEST: usize = 10 * 1024 * 1024;

/// What is read and thrown away of a body that is too large, so that its sender hears why: Cloud Run passes on no more.
const PATIENT: usize = 32 * 1024 * 1024;

/// A body that is not there by then does not come any more.
const BODY: Duration = Duration::from_secs(30);

/// What Cloud Run leaves a process to end in, less a breath.
const GRACE: Duration = Duration::from_millis(9_500);

/// Rests the accept loop when the process is out of file descriptors.
const REST: Duration = Duration::from_millis(50);

/// Who answers what was posted: the [`Shell`](crate::shell::Shell), or a test's stand-in.
#[async_trait]
pub trait Desk: Send + Sync + 'static {
    /// Does what a trigger asks.
    async fn answer(&self, trigger: Trigger, deadline: Timestamp) -> anyhow::Result<Answer>;

    /// Writes down that something was refused, without it itself; says where.
    async fn refuse(&self, body: &[u8], why: &str) -> anyhow::Result<Option<String>>;
}

/// Everything that a request needs.
#[derive(Debug)]
pub struct Front<D> {
    /// Who is let in.
    pub guard: Guard,
    /// Who answers.
    pub desk: D,
    /// After how long Cloud Run ends a request.
    pub timeout: SignedDuration,
}

/// Answers until `stop`, then ends what is under way.
pub async fn serve<D: Desk>(listener: TcpListener, front: Arc<Front<D>>, stop: impl Future<Output = ()>) {
    let (close, closing) = watch::channel(());
    let (busy, mut idle) = mpsc::channel::<Infallible>(1);
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((stream, _)) => {
                tokio::spawn(connection(stream, Arc::clone(&front), closing.clone(), busy.clone()));
            }
            Err(error) => {
                tracing::warn!("could not accept a connection: {error}");
                tokio::time::sleep(REST).await;
            }
        }
    }
    drop((listener, busy, close));
    tracing::info!("asked to end; what is under way is finished");
    if tokio::time::timeout(GRACE, idle.recv()).await.is_err() {
        tracing::warn!("something was still under way; it comes again");
    }
}

async fn connection<D: Desk>(
    stream: TcpStream,
    front: Arc<Front<D>>,
    mut closing: watch::Receiver<()>,
    busy: mpsc::Sender<Infallible>,
) {
    // Small answers to small questions; waiting to fill packets would cost 40 ms each. Failing is harmless.
    drop(stream.set_nodelay(true));
    let service = service_fn(move |request| {
        let (front, busy) = (Arc::clone(&front), busy.clone());
        async move { Ok::<_, Infallible>(answer(front, request, busy).await) }
    });
    let mut connection = pin!(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        // An error here is a client that went away.
        ended = connection.as_mut() => return drop(ended),
        _ = closing.changed() => {}
    }
    connection.as_mut().graceful_shutdown();
    drop(connection.await);
}

async fn answer<D: Desk>(
    front: Arc<Front<D>>,
    request: Request<Incoming>,
    busy: mpsc::Sender<Infallible>,
) -> Reply {
    let (Parts { method, uri, headers, .. }, body) = request.into_parts();
    let route = match Route::of(&method, uri.path()) {
        Ok(Route::Ready) => return answer::ready(),
        Ok(route) => route,
        Err(status) => {
            drain(body).await;
            let why = format!(
                "nobody here takes `{method}` at this path; `POST` to `/`, `/sweep` or `/work` is taken"
            );
            return answer::refused(status, &why, None);
        }
    };
    let caller = match front.guard.check(&headers).await {
        Ok(caller) => caller,
        Err(stopped) => {
            tracing::warn!(path = uri.path(), "turned away: {stopped}");
            drain(body).await;
            return answer::stopped(&stopped);
        }
    };
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    let body = match receive(body, length).await {
        Ok(body) => body,
        Err(Malformed { status, why }) => return answer::refused(status, &why, None),
    };
    let (duty, read) = parse(route, &headers, &body);
    if !caller.may(duty) {
        let why =
            format!("`{}` may not have this done: it is not named in `{}`", caller.name, duty.callers());
        tracing::warn!(duty = duty.as_str(), "turned away: {why}");
        return answer::refused(StatusCode::FORBIDDEN, &why, None);
    }
    let deadline = config::deadline(duty, front.timeout, Timestamp::now());
    // A task of its own: whoever asked may hang up, and the run goes on.
    let run = tokio::spawn(async move {
        let _busy = busy;
        match read {
            Ok(trigger) => match front.desk.answer(trigger, deadline).await {
                Ok(answer) => answer::done(duty, &answer),
                Err(error) => {
                    tracing::error!(duty = duty.as_str(), "{error:#}");
                    answer::failed(&format!("{error:#}"))
                }
            },
            Err(Malformed { status, why }) => {
                let recorded = front.desk.refuse(&body, &why).await.unwrap_or_else(|error| {
                    tracing::error!("what was refused could not be written down: {error:#}");
                    None
                });
                answer::refused(status, &why, recorded.as_deref())
            }
        }
    });
    run.await.unwrap_or_else(|error| {
        tracing::error!("a run ended in the middle: {error}");
        answer::failed("the run ended in the middle; it comes again")
    })
}

async fn receive(mut body: Incoming, length: Option<usize>) -> Result<Bytes, Malformed> {
    let refused = |status, why: String| Malformed { status, why };
    let large =
        || refused(StatusCode::PAYLOAD_TOO_LARGE, format!("the body has more than {} MiB", LARGEST >> 20));
    if length.is_some_and(|length| length > LARGEST) {
        drain(body).await;
        return Err(large());
    }
    let read = async {
        let mut whole = BytesMut::new();
        while let Some(frame) = body.frame().await {
            if let Ok(data) = frame?.into_data() {
                if whole.len() + data.len() > LARGEST {
                    return Ok(None);
                }
                whole.extend_from_slice(&data);
            }
        }
        Ok::<_, hyper::Error>(Some(whole.freeze()))
    };
    match tokio::time::timeout(BODY, read).await {
        Ok(Ok(Some(whole))) => Ok(whole),
        Ok(Ok(None)) => {
            drain(body).await;
            Err(large())
        }
        Ok(Err(error)) => Err(refused(StatusCode::BAD_REQUEST, format!("the body broke off: {error}"))),
        Err(_) => Err(refused(StatusCode::REQUEST_TIMEOUT, "the body did not come".to_owned())),
    }
}

/// Reads what nobody wants, keeping none of it: a sender that is cut off while it writes never reads the answer.
async fn drain(mut body: Incoming) {
    let read = async {
        let mut read = 0;
        while let Some(Ok(frame)) = body.frame().await {
            read += frame.data_ref().map_or(0, Bytes::len);
            if read > PATIENT {
                return;
            }
        }
    };
    // Whether it came to its end does not matter to anybody.
    drop(tokio::time::timeout(BODY, read).await);
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::sync::oneshot;

    use super::*;
    use crate::config::Auth;

    /// Takes its time, and counts what it ended.
    #[derive(Default)]
    struct Slow(Arc<AtomicUsize>);

    #[async_trait]
    impl Desk for Slow {
        async fn answer(&self, _: Trigger, _: Timestamp) -> anyhow::Result<Answer> {
            tokio::time::sleep(Duration::from_millis(300)).await;
            self.0.fetch_add(1, Ordering::SeqCst);
            Ok(Answer::Ignored { why: "it was slow".to_owned() })
        }

        async fn refuse(&self, _: &[u8], _: &str) -> anyhow::Result<Option<String>> {
            anyhow::bail!("the store is away")
        }
    }

    struct Running {
        address: std::net::SocketAddr,
        stop: oneshot::Sender<()>,
        ended: Arc<AtomicUsize>,
        server: tokio::task::JoinHandle<()>,
    }

    async fn running() -> Running {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let desk = Slow::default();
        let ended = Arc::clone(&desk.0);
        let timeout = SignedDuration::from_secs(300);
        let front = Arc::new(Front { guard: Guard::new(Auth::Platform), desk, timeout });
        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn(serve(listener, front, async move { drop(stopped.await) }));
        Running { address, stop, ended, server }
    }

    async fn write(running: &Running, text: &str) -> TcpStream {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        stream
    }

    async fn heard(mut stream: TcpStream) -> String {
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        text
    }

    const SWEEP: &str = "POST /sweep HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n";

    #[tokio::test]
    async fn who_is_asked_to_end_ends_what_is_under_way_first() {
        let running = running().await;
        let idle = TcpStream::connect(running.address).await.unwrap();
        let stream = write(&running, SWEEP).await;
        running.stop.send(()).unwrap();
        assert!(heard(stream).await.contains("it was slow"));
        tokio::time::timeout(Duration::from_secs(5), running.server).await.unwrap().unwrap();
        drop(idle);
    }

    #[tokio::test]
    async fn a_run_goes_on_when_whoever_asked_hangs_up() {
        let running = running().await;
        drop(write(&running, SWEEP).await);
        running.stop.send(()).unwrap();
        tokio::time::timeout(Duration::from_secs(5), running.server).await.unwrap().unwrap();
        assert_eq!(running.ended.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn what_nobody_can_read_is_refused_even_where_it_can_t_be_written_down() {
        let running = running().await;
        let text = "POST /work HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello";
        let said = heard(write(&running, text).await).await;
        assert!(said.starts_with("HTTP/1.1 400 ") && said.contains("\"refused\""), "{said}");
    }

    #[tokio::test]
    async fn a_body_without_end_is_cut_off_at_the_same_length() {
        let running = running().await;
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        let head = "POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        let chunk = [b"100000\r\n".as_slice(), &vec![b' '; 1 << 20], b"\r\n"].concat();
        for _ in 0..11 {
            stream.write_all(&chunk).await.unwrap();
        }
        stream.write_all(b"0\r\n\r\n").await.unwrap();
        let said = heard(stream).await;
        assert!(said.starts_with("HTTP/1.1 413 "), "{said}");
    }
}
