//! Cloud Tasks by its two ends: what is told to whoever leaves a task, and what comes to whoever does it.
#![expect(clippy::unwrap_used, reason = "test code")]

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use jiff::{Timestamp, ToSpan as _};
use landfall_simulator::Faults;
use landfall_simulator::cloud_tasks::{CloudTasks, CloudTasksOptions, Retry};
use landfall_simulator::tokens::TokenIssuer;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

const QUEUE: &str = "projects/acme-landfall/locations/europe-west1/queues/landfall-work";
const PATIENCE: Duration = Duration::from_secs(20);

/// A request as the handler saw it.
#[derive(Debug, Clone)]
struct Seen {
    method: String,
    path: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

/// A handler that answers these statuses, and the last of them from then on. `0` never answers.
#[derive(Debug, Clone)]
struct Handler {
    url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    /// How many are being answered, and the most that ever were.
    busy: Arc<Mutex<(usize, usize)>>,
}

impl Handler {
    async fn answering(statuses: &[u16], takes: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let handler = Self { url, seen: Arc::default(), busy: Arc::default() };
        let (served, statuses) = (handler.clone(), statuses.to_vec());
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (served, statuses) = (served.clone(), statuses.clone());
                let service = service_fn(move |request| {
                    let (served, statuses) = (served.clone(), statuses.clone());
                    async move { Ok::<_, Infallible>(served.answer(request, &statuses, takes).await) }
                });
                let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                tokio::spawn(async move { drop(connection.await) });
            }
        });
        handler
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
        statuses: &[u16],
        takes: Duration,
    ) -> Response<Full<Bytes>> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        let headers = parts.headers.iter();
        let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
        let seen = Seen {
            method: parts.method.to_string(),
            path: parts.uri.to_string(),
            headers: headers.collect(),
            body,
        };
        let n = {
            let mut all = self.seen.lock().unwrap();
            all.push(seen);
            all.len()
        };
        {
            let mut busy = self.busy.lock().unwrap();
            busy.0 += 1;
            busy.1 = busy.1.max(busy.0);
        }
        tokio::time::sleep(takes).await;
        self.busy.lock().unwrap().0 -= 1;
        let status = *statuses.get(n - 1).or(statuses.last()).unwrap();
        if status == 0 {
            std::future::pending::<()>().await;
        }
        Response::builder().status(status).body(Full::new(Bytes::from("answered"))).unwrap()
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

/// Status and body of a call with a token.
async fn call(tasks: &CloudTasks, method: &str, path: &str, token: &str, body: Value) -> (u16, Value) {
    let host = tasks.url().replace("http://", "");
    let stream = TcpStream::connect(&host).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(async move { drop(connection.await) });
    let path = format!("/cloudtasks.googleapis.com/v2/{path}");
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let request = Request::builder().method(method).uri(path).header("host", host);
    let request = request.header("authorization", format!("Bearer {token}"));
    let request = request.body(Full::new(Bytes::from(body))).unwrap();
    let response = sender.send_request(request).await.unwrap();
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap())
}

async fn leave(tasks: &CloudTasks, task: Value) -> (u16, Value) {
    call(tasks, "POST", &format!("{QUEUE}/tasks"), "landfall-own", json!({ "task": task })).await
}

fn to(handler: &Handler, body: &str) -> Value {
    json!({"httpRequest": {
        "url": format!("{}/tasks?from=queue", handler.url), "httpMethod": "POST",
        "headers": {"Content-Type": "application/json"}, "body": STANDARD.encode(body),
    }})
}

fn started(options: CloudTasksOptions) -> CloudTasks {
    let tasks = CloudTasks::start(options).unwrap();
    tasks.create(QUEUE);
    tasks
}

#[tokio::test]
async fn a_task_comes_with_its_body_and_the_queues_headers() {
    let handler = Handler::answering(&[200], Duration::ZERO).await;
    let tasks = started(CloudTasksOptions::quick());
    let (status, told) = leave(&tasks, to(&handler, r#"{"target":"gcp/team-0001"}"#)).await;
    assert_eq!(status, 200, "{told}");
    let name = told["name"].as_str().unwrap();
    assert!(name.starts_with(&format!("{QUEUE}/tasks/")), "{name}");
    assert_eq!(told["view"], "BASIC");
    assert!(told["httpRequest"].get("body").is_none(), "the basic view tells no bodies");
    assert!(tasks.emptied(QUEUE, PATIENCE).await);
    let seen = handler.seen().remove(0);
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("POST", "/tasks?from=queue"));
    assert_eq!(seen.body, br#"{"target":"gcp/team-0001"}"#);
    let header = |name: &str| seen.headers.get(name).map(String::as_str);
    assert_eq!(header("content-type"), Some("application/json"));
    assert_eq!(header("user-agent"), Some("Google-Cloud-Tasks"));
    assert_eq!(header("x-cloudtasks-queuename"), Some("landfall-work"));
    assert_eq!(header("x-cloudtasks-taskname"), name.rsplit('/').next());
    assert_eq!(header("x-cloudtasks-taskretrycount"), Some("0"));
    assert_eq!(header("x-cloudtasks-taskexecutioncount"), Some("0"));
    assert!(header("x-cloudtasks-tasketa").unwrap().contains('.'));
    assert_eq!(header("x-cloudtasks-taskpreviousresponse"), None);
    assert_eq!(header("authorization"), None, "nobody asked for a token");
    assert_eq!(tasks.dispatches(QUEUE).len(), 1);
    let (status, _) = call(&tasks, "GET", name, "landfall-own", Value::Null).await;
    assert_eq!(status, 404, "a task that is done is gone");
}

#[tokio::test]
async fn what_fails_comes_again_and_says_how_often() {
    let handler = Handler::answering(&[503, 404, 204], Duration::ZERO).await;
    let tasks = started(CloudTasksOptions::quick());
    leave(&tasks, to(&handler, "x")).await;
    assert!(tasks.emptied(QUEUE, PATIENCE).await);
    let counts: Vec<[Option<String>; 3]> = handler
        .seen()
        .iter()
        .map(|seen| {
            ["retrycount", "executioncount", "previousresponse"]
                .map(|name| seen.headers.get(&format!("x-cloudtasks-task{name}")).cloned())
        })
        .collect();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(counts[0], [text("0"), text("0"), None]);
    // A 5xx is no execution.
    assert_eq!(counts[1], [text("1"), text("0"), text("503")]);
    assert_eq!(counts[2], [text("2"), text("1"), text("404")]);
    assert_eq!(counts.len(), 3);
    assert!(tasks.dropped(QUEUE).is_empty());
}

#[tokio::test]
async fn after_the_last_attempt_a_task_is_dropped() {
    let handler = Handler::answering(&[500], Duration::ZERO).await;
    let retry = Retry { max_attempts: Some(3), ..CloudTasksOptions::quick().retry };
    let tasks = started(CloudTasksOptions { retry, ..CloudTasksOptions::quick() });
    leave(&tasks, to(&handler, "poison")).await;
    assert!(tasks.emptied(QUEUE, PATIENCE).await);
    let dropped = tasks.dropped(QUEUE).remove(0);
    assert_eq!((dropped.attempts, dropped.status), (3, Some(500)));
    assert_eq!(dropped.body, b"poison");
    assert_eq!(handler.seen().len(), 3);
}

#[tokio::test]
async fn a_handler_that_does_not_answer_is_given_up() {
    let handler = Handler::answering(&[0, 200], Duration::ZERO).await;
    let deadline = Some(Duration::from_millis(50));
    let tasks = started(CloudTasksOptions { dispatch_deadline: deadline, ..CloudTasksOptions::quick() });
    leave(&tasks, to(&handler, "x")).await;
    assert!(tasks.emptied(QUEUE, PATIENCE).await);
    let dispatches = tasks.dispatches(QUEUE);
    assert_eq!(dispatches[0].error.as_deref(), Some("DEADLINE_EXCEEDED"));
    assert_eq!((dispatches[1].attempt, dispatches[1].status), (2, Some(200)));
}

#[tokio::test]
async fn a_task_waits_for_its_time_and_a_paused_queue_for_its_end() {
    let handler = Handler::answering(&[200], Duration::ZERO).await;
    let tasks = started(CloudTasksOptions::quick());
    let mut later = to(&handler, "later");
    later["scheduleTime"] = json!(Timestamp::now().checked_add(1.hours()).unwrap().to_string());
    leave(&tasks, later.clone()).await;
    leave(&tasks, to(&handler, "now")).await;
    assert!(!tasks.emptied(QUEUE, Duration::from_millis(200)).await);
    assert_eq!(handler.seen().len(), 1);
    tasks.pause(QUEUE);
    tasks.hurry(QUEUE);
    assert!(!tasks.emptied(QUEUE, Duration::from_millis(100)).await);
    let (_, queue) = call(&tasks, "GET", QUEUE, "landfall-read", Value::Null).await;
    assert_eq!(queue["state"], "PAUSED");
    assert_eq!(queue["retryConfig"]["minBackoff"], "0.010s");
    tasks.resume(QUEUE);
    assert!(tasks.emptied(QUEUE, PATIENCE).await);
    assert_eq!(handler.seen()[1].body, b"later");
    later["scheduleTime"] = json!(Timestamp::now().checked_add(800.hours()).unwrap().to_string());
    let (status, told) = leave(&tasks, later).await;
    assert_eq!((status, &told["error"]["status"]), (400, &json!("INVALID_ARGUMENT")));
}

#[tokio::test]
async fn a_name_is_given_once() {
    let handler = Handler::answering(&[200], Duration::ZERO).await;
    let tasks = started(CloudTasksOptions::quick());
    let mut named = to(&handler, "x");
    named["name"] = json!(format!("{QUEUE}/tasks/team-0001_7"));
    assert_eq!(leave(&tasks, named.clone()).await.0, 200);
    let (status, told) = leave(&tasks, named.clone()).await;
    assert_eq!((status, &told["error"]["status"]), (409, &json!("ALREADY_EXISTS")));
    assert!(tasks.emptied(QUEUE, PATIENCE).await);
    assert_eq!(leave(&tasks, named.clone()).await.0, 409, "not even when the first is done");
    for wrong in ["projects/other/locations/l/queues/q/tasks/x", &format!("{QUEUE}/tasks/a.b")] {
        named["name"] = json!(wrong);
        assert_eq!(leave(&tasks, named.clone()).await.0, 400, "{wrong}");
    }
}

#[tokio::test]
async fn the_token_is_the_issuers() {
    let handler = Handler::answering(&[200], Duration::ZERO).await;
    let issuer = Arc::new(TokenIssuer::start().unwrap());
    let tasks = started(CloudTasksOptions { issuer: Some(issuer), ..CloudTasksOptions::quick() });
    let mut task = to(&handler, "x");
    task["httpRequest"]["headers"]["Authorization"] = json!("Bearer mine");
    task["httpRequest"]["oidcToken"] = json!({
        "serviceAccountEmail": "tasks@acme.iam.gserviceaccount.com", "audience": "https://function.example",
    });
    leave(&tasks, task.clone()).await;
    task["httpRequest"]["oidcToken"].as_object_mut().unwrap().remove("audience");
    leave(&tasks, task).await;
    assert!(tasks.emptied(QUEUE, PATIENCE).await);
    let audiences: Vec<Value> = handler
        .seen()
        .iter()
        .map(|seen| {
            let token = seen.headers["authorization"].strip_prefix("Bearer ").unwrap();
            let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
            let claims: Value = serde_json::from_slice(&claims).unwrap();
            assert_eq!(claims["email"], "tasks@acme.iam.gserviceaccount.com");
            claims["aud"].clone()
        })
        .collect();
    assert!(audiences.contains(&json!("https://function.example")), "{audiences:?}");
    let url = json!(format!("{}/tasks?from=queue", handler.url));
    assert!(audiences.contains(&url), "without an audience it is the URL: {audiences:?}");
}

#[tokio::test]
async fn no_more_are_dispatched_at_a_time_than_the_queue_allows() {
    let handler = Handler::answering(&[200], Duration::from_millis(20)).await;
    let tasks = started(CloudTasksOptions { max_concurrent_dispatches: 2, ..CloudTasksOptions::quick() });
    for n in 0..8 {
        leave(&tasks, to(&handler, &n.to_string())).await;
    }
    assert!(tasks.emptied(QUEUE, PATIENCE).await);
    assert_eq!(handler.seen().len(), 8);
    assert_eq!(handler.busy.lock().unwrap().1, 2);
}

#[tokio::test]
async fn stopping_waits_for_what_is_under_way() {
    let handler = Handler::answering(&[200], Duration::from_millis(100)).await;
    let tasks = started(CloudTasksOptions::quick());
    leave(&tasks, to(&handler, "x")).await;
    while handler.seen().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(handler.busy.lock().unwrap().0, 1);
    tasks.stop().await;
    assert_eq!(handler.busy.lock().unwrap().0, 0);
}

#[tokio::test]
async fn nobody_is_called_who_is_not_on_this_machine() {
    let retry = Retry { max_attempts: Some(1), ..Retry::default() };
    let tasks = started(CloudTasksOptions { retry, ..CloudTasksOptions::quick() });
    for url in ["https://function.example/tasks", "http://192.0.2.1/tasks"] {
        assert_eq!(leave(&tasks, json!({"httpRequest": {"url": url}})).await.0, 200);
    }
    assert!(tasks.emptied(QUEUE, PATIENCE).await);
    for dispatch in tasks.dispatches(QUEUE) {
        assert!(dispatch.error.unwrap().ends_with("is not on this machine, so nobody was called"));
    }
}

#[tokio::test]
async fn what_a_task_may_not_be() {
    let tasks = started(CloudTasksOptions::quick());
    let refused = [
        (json!({}), "HTTP request"),
        (json!({"httpRequest": {"url": "ftp://x"}}), "must start with"),
        (
            json!({"httpRequest": {"url": "http://x", "httpMethod": "GET", "body": "eA=="}}),
            "allowed only for",
        ),
        (json!({"httpRequest": {"url": "http://x", "body": "?"}}), "Base64"),
        (json!({"httpRequest": {"url": "http://x", "verb": "POST"}}), "Unknown name \"verb\""),
        (json!({"httpRequest": {"url": "http://x", "oidcToken": {}}}), "service_account_email"),
        (json!({"httpRequest": {"url": "http://x"}, "dispatchDeadline": "5s"}), "dispatch_deadline"),
        (json!({"httpRequest": {"url": "http://x"}, "scheduleTime": "tomorrow"}), "schedule_time"),
        (json!({"httprequest": {}}), "Unknown name \"httprequest\""),
    ];
    for (task, why) in refused {
        let (status, told) = leave(&tasks, task.clone()).await;
        assert_eq!(status, 400, "{task}");
        assert!(told["error"]["message"].as_str().unwrap().contains(why), "{task}: {told}");
    }
    assert_eq!(tasks.left(QUEUE), 0);
}

#[tokio::test]
async fn who_may_not_is_told_so() {
    let tasks = started(CloudTasksOptions::quick());
    let create = format!("{QUEUE}/tasks");
    let task = json!({"task": {"httpRequest": {"url": "http://x"}}});
    let (status, told) = call(&tasks, "POST", &create, "", task.clone()).await;
    assert_eq!((status, &told["error"]["status"]), (401, &json!("UNAUTHENTICATED")));
    let (status, told) = call(&tasks, "POST", &create, "landfall-read", task.clone()).await;
    assert_eq!((status, &told["error"]["status"]), (403, &json!("PERMISSION_DENIED")));
    let elsewhere = "projects/p/locations/l/queues/q/tasks";
    let (status, told) = call(&tasks, "POST", elsewhere, "landfall-own", task.clone()).await;
    assert_eq!((status, &told["error"]["status"]), (404, &json!("NOT_FOUND")));
    tasks.set_faults(Faults { throttle: 1.0, ..Faults::default() });
    let (status, told) = call(&tasks, "POST", &create, "landfall-own", task).await;
    assert_eq!((status, &told["error"]["status"]), (429, &json!("RESOURCE_EXHAUSTED")));
    let statuses: Vec<Option<u16>> = tasks.calls().iter().map(|call| call.status).collect();
    assert_eq!(statuses, [Some(401), Some(403), Some(404), Some(429)]);
}
