//! The pushing: what is due goes to its URL, and what came of it goes back into the queue.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::queues::Task;
use super::served::Served;
use crate::tokens::{Claims, TokenIssuer};

/// Whether the dispatcher is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    No,
    /// When what is under way has ended.
    Finish,
    Now,
}

/// Nothing is ever later than this: a look costs little, and a clock may be set.
const LOOK: Duration = Duration::from_secs(1);

type Problem = Box<dyn std::error::Error + Send + Sync>;

pub(super) async fn run(
    served: Arc<Served>,
    issuer: Option<Arc<TokenIssuer>>,
    mut stop: watch::Receiver<Stop>,
) {
    let mut under_way = JoinSet::new();
    while *stop.borrow_and_update() == Stop::No {
        let (due, next) = served.edit(|queues| (queues.due(Timestamp::now()), queues.next()));
        for (queue, task) in due {
            let (served, issuer) = (Arc::clone(&served), issuer.clone());
            under_way.spawn(async move {
                let answered = attempt(&queue, &task, issuer.as_deref()).await;
                served.edit(|queues| queues.ended(&queue, &task, answered, Timestamp::now()));
            });
        }
        let wait = next.map_or(LOOK, |next| {
            let until = Duration::try_from(next.duration_since(Timestamp::now())).unwrap_or_default();
            // What is due already waits for its turn, which an end gives it.
            if until.is_zero() { LOOK } else { until.min(LOOK) }
        });
        tokio::select! {
            changed = stop.changed() => if changed.is_err() { return },
            () = served.change() => {}
            Some(_) = under_way.join_next() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
    // Dropping the set breaks off what is left in it.
    let finish = async { while under_way.join_next().await.is_some() {} };
    tokio::select! {
        () = finish => {}
        _ = stop.wait_for(|stop| *stop == Stop::Now) => {}
    }
}

/// The handler's status, or why there is none.
async fn attempt(queue: &str, task: &Task, issuer: Option<&TokenIssuer>) -> Result<u16, String> {
    match tokio::time::timeout(task.deadline, send(queue, task, issuer)).await {
        Ok(answered) => answered.map_err(|problem| problem.to_string()),
        Err(_) => Err("DEADLINE_EXCEEDED".to_owned()),
    }
}

async fn send(queue: &str, task: &Task, issuer: Option<&TokenIssuer>) -> Result<u16, Problem> {
    let uri: Uri = task.target.url.parse()?;
    let host = uri.host().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let here = address == "localhost" || address.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
    if !here || uri.scheme_str() != Some("http") {
        return Err(format!("`{}` is not on this machine, so nobody was called", task.target.url).into());
    }
    let request = request(queue, task, issuer, &uri)?;
    let stream = TcpStream::connect((address, uri.port_u16().unwrap_or(80))).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(async move { drop(connection.await) });
    let response = sender.send_request(request).await?;
    let status = response.status().as_u16();
    // The answer counts when all of it has come; what it says is of no interest.
    response.into_body().collect().await?;
    connection.abort();
    Ok(status)
}

fn request(
    queue: &str,
    task: &Task,
    issuer: Option<&TokenIssuer>,
    uri: &Uri,
) -> Result<Request<Full<Bytes>>, Problem> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let due = task.scheduled.as_microsecond();
    let mut request = Request::builder().method(task.target.method.as_str()).uri(path);
    for (name, value) in &task.target.headers {
        request = request.header(name, value);
    }
    request = request
        .header("host", uri.authority().map_or("", |authority| authority.as_str()))
        .header("user-agent", "Google-Cloud-Tasks")
        .header("x-cloudtasks-queuename", queue.rsplit('/').next().unwrap_or_default())
        .header("x-cloudtasks-taskname", task.id())
        .header("x-cloudtasks-taskretrycount", task.dispatches.saturating_sub(1))
        .header("x-cloudtasks-taskexecutioncount", task.executions)
        .header("x-cloudtasks-tasketa", format!("{}.{:06}", due / 1_000_000, due % 1_000_000));
    if let Some(previous) = task.previous {
        request = request.header("x-cloudtasks-taskpreviousresponse", previous);
    }
    if let (Some(oidc), Some(issuer)) = (&task.target.oidc, issuer) {
        let audience = oidc.audience.clone().unwrap_or_else(|| task.target.url.clone());
        let token = issuer.token(&Claims::google(audience, oidc.email.clone()));
        request = request.header("authorization", format!("Bearer {token}"));
    }
    Ok(request.body(Full::new(Bytes::from(task.target.body.clone())))?)
}
