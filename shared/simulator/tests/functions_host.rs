//! The Functions host with a tiny handler: this test's own binary, started a second time.
//!
//! The handler does what it is told: a message or body such as `{"answer": {"status": 500}}` says how to answer; whoever says
//! nothing is answered with what the handler saw, as logs.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "test code")]

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use landfall_simulator::functions_host::{
    Asked, Completed, Delivery, Fate, Host, HostOptions, Invocation, Output, StartError,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// No test: the process that the others talk to.
#[tokio::test]
#[ignore = "the handler's process, started by the other tests"]
async fn handler() {
    let Ok(port) = std::env::var("FUNCTIONS_CUSTOMHANDLER_PORT") else { return };
    assert!(std::env::var("LANDFALL_DIES").is_err(), "told to die");
    let listener = TcpListener::bind(("127.0.0.1", port.parse().unwrap())).await.unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer));
        tokio::spawn(async move { drop(connection.await) });
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let seen: Value = serde_json::from_slice(&body).unwrap_or_default();
    let headers: BTreeMap<String, &str> =
        parts.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap())).collect();
    let told = |text: &str| serde_json::from_str::<Value>(text).ok().map(|told| told["answer"].clone());
    let message = seen["Data"]["message"].as_str().and_then(|text| serde_json::from_str::<String>(text).ok());
    let told = message
        .or_else(|| seen["Data"]["req"]["Body"].as_str().map(str::to_owned))
        .and_then(|text| told(&text))
        .filter(|told| !told.is_null());
    let told = told.unwrap_or_else(|| {
        json!({"body": {"Outputs": {}, "Logs": [parts.uri.path(), seen.to_string(), json!(headers).to_string()]}})
    });
    let body = match (&told["body"], told["body"].as_str()) {
        (Value::Null, _) => String::new(),
        (_, Some(text)) => text.to_owned(),
        (body, None) => body.to_string(),
    };
    let mut status = told["status"].as_u64().unwrap_or(200);
    // "fails until the second retry", as the host's own sample of a retry does.
    if told["until"]
        .as_u64()
        .is_some_and(|until| seen["Metadata"]["RetryContext"]["RetryCount"].as_u64() < Some(until))
    {
        status = 500;
    }
    let mut response = Response::builder().status(u16::try_from(status).unwrap());
    if told["type"] != "none" {
        response = response.header("content-type", told["type"].as_str().unwrap_or("application/json"));
    }
    Ok(response.body(Full::new(body.into())).unwrap())
}

struct App {
    folder: tempfile::TempDir,
}

impl App {
    /// An app with a function for each trigger.
    fn new(host: &Value) -> Self {
        let app = App { folder: tempfile::tempdir().unwrap() };
        let mut file = json!({
            "version": "2.0",
            "customHandler": {"description": {"defaultExecutablePath": "handler"}},
            "extensionBundle": {"id": "Microsoft.Azure.Functions.ExtensionBundle", "version": "[4.*, 5.0.0)"},
        });
        file.as_object_mut().unwrap().extend(host.as_object().unwrap().clone());
        std::fs::write(app.folder.path().join("host.json"), file.to_string()).unwrap();
        app.function(
            "timer",
            &json!([{"name": "timer", "type": "timerTrigger", "direction": "in", "schedule": "0 0 * * * *"}]),
        );
        app.function("queue", &json!([
            {"name": "message", "type": "queueTrigger", "direction": "in", "queueName": "%QUEUE%", "connection": "LANDFALL"},
            {"name": "next", "type": "queue", "direction": "out", "queueName": "next", "connection": "LANDFALL"},
        ]));
        app.function("hub", &json!([
            {"name": "events", "type": "eventHubTrigger", "direction": "in", "eventHubName": "activity", "cardinality": "many",
             "dataType": "string", "connection": "HUB"},
        ]));
        app.function("grid", &json!([{"name": "event", "type": "eventGridTrigger", "direction": "in"}]));
        app.function("console", &json!([
            {"name": "req", "type": "httpTrigger", "direction": "in", "authLevel": "function", "methods": ["post"]},
            {"name": "res", "type": "http", "direction": "out"},
        ]));
        app
    }

    fn function(&self, name: &str, bindings: &Value) {
        let folder = self.folder.path().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("function.json"), json!({"bindings": bindings}).to_string()).unwrap();
    }

    fn options(&self) -> HostOptions {
        HostOptions {
            handler: Some(std::env::current_exe().unwrap()),
            arguments: ["handler", "--exact", "--ignored", "--nocapture"].map(str::to_owned).to_vec(),
            environment: vec![("QUEUE".to_owned(), "landfall-work".to_owned())],
            timeout: Some(Duration::from_secs(20)),
            ..HostOptions::new(self.folder.path())
        }
    }

    async fn start(&self) -> Host {
        Host::start(self.options()).await.unwrap()
    }
}

fn completed(invocation: Invocation) -> Completed {
    match invocation {
        Invocation::Succeeded(completed) => completed,
        Invocation::Failed(why) => panic!("{why}"),
    }
}

fn failed(invocation: Invocation) -> String {
    match invocation {
        Invocation::Succeeded(completed) => panic!("{completed:?}"),
        Invocation::Failed(why) => why,
    }
}

/// What the handler saw: path, body, headers.
fn seen(invocation: Invocation) -> (String, Value, Value) {
    let logs = completed(invocation).logs;
    (logs[0].clone(), serde_json::from_str(&logs[1]).unwrap(), serde_json::from_str(&logs[2]).unwrap())
}

fn wire(message: &str) -> String {
    STANDARD.encode(message)
}

async fn told(host: &Host, answer: Value) -> Delivery {
    host.invoke_queue("queue", &wire(&json!({"answer": answer}).to_string()), 1).await
}

async fn asked(host: &Host, answer: Value) -> landfall_simulator::functions_host::HttpAnswer {
    let asked = Asked {
        method: "POST".to_owned(),
        query: BTreeMap::from([("code".to_owned(), "landfall-key".to_owned())]),
        body: json!({"answer": answer}).to_string().into_bytes(),
        ..Asked::default()
    };
    host.invoke_http("console", &asked).await
}

#[tokio::test]
async fn every_trigger_arrives_in_its_own_encoding() {
    let app = App::new(&json!({}));
    let host = app.start().await;
    assert_eq!(host.functions().collect::<Vec<_>>(), ["console", "grid", "hub", "queue", "timer"]);

    let (path, body, headers) = seen(host.invoke_timer("timer", false).await);
    assert_eq!(path, "/timer");
    assert_eq!(body["Data"]["timer"]["ScheduleStatus"], Value::Null);
    assert_eq!(body["Metadata"]["sys"]["MethodName"], "timer");
    assert_eq!(headers["transfer-encoding"], "chunked");
    assert!(headers["x-azure-functions-invocationid"].is_string() && headers["content-length"].is_null());
    let (_, body, _) = seen(host.invoke_timer("timer", true).await);
    assert!(body["Data"]["timer"]["ScheduleStatus"]["Next"].is_string(), "an object stays one: {body}");

    let Delivery { invocation, fate } =
        host.invoke_queue("queue", &wire(r#"{"work": "close", "Id": 7}"#), 3).await;
    let (_, body, _) = seen(invocation.unwrap());
    assert_eq!(fate, Fate::Deleted);
    assert_eq!(
        body["Data"]["message"], r#""{\"work\": \"close\", \"Id\": 7}""#,
        "text, encoded a second time"
    );
    assert_eq!(body["Metadata"]["DequeueCount"], "3", "a number becomes text");
    assert_eq!(body["Metadata"]["work"], "\"close\"", "the message's own fields are metadata");
    assert_eq!(body["Metadata"]["Id"], "\"7\"", "and win over the queue's");

    let events = ["{\"records\":[]}".to_owned(), "no JSON".to_owned()];
    let (_, body, _) = seen(host.invoke_event_hub("hub", &events).await);
    assert_eq!(body["Data"]["events"], json!(r#"["{\"records\":[]}","no JSON"]"#));
    assert_eq!(body["Metadata"]["PartitionKeyArray"], "[null,null]");

    let event = json!({"id": "1", "eventType": "x", "data": {"operationName": "y"}});
    let (_, body, _) = seen(host.invoke_event_grid("grid", &event).await);
    assert_eq!(body["Data"]["event"], event);
    assert_eq!(body["Metadata"]["data"], event["data"]);
    drop(host.end().await);
}

#[tokio::test]
async fn answers_are_read_as_the_host_reads_them() {
    let app = App::new(&json!({}));
    let mut options = app.options();
    options.timeout = Some(Duration::from_millis(700));
    let host = Host::start(options).await.unwrap();
    for never in [json!({"status": 200}), json!({"body": "null"}), json!({"status": 204})] {
        let why = failed(told(&host, never).await.invocation.unwrap());
        assert!(why.contains("timeout"), "{why}");
    }
    let table = [
        (json!({"type": "text/plain", "body": "ok"}), "no reader for the media type `text/plain`"),
        (json!({"type": "none", "body": "{}"}), "no reader for the media type ``"),
        (json!({"status": 500, "body": {"Outputs": {}}}), "does not indicate success: 500"),
        (json!({"body": "[]"}), "the answer is no object"),
        (json!({"body": "{"}), "invalid HttpResponseMessage"),
        (json!({"body": {"Logs": "line"}}), "`Logs` is no list"),
    ];
    for (answer, expected) in table {
        let delivery = told(&host, answer.clone()).await;
        assert_eq!(delivery.fate, Fate::Again { dequeue_count: 2 });
        let why = failed(delivery.invocation.unwrap());
        assert!(why.contains(expected), "{answer}: {why}");
    }
    let outputs = async |outputs: Value| {
        let delivery = told(&host, json!({"body": {"outputs": outputs}})).await;
        completed(delivery.invocation.unwrap()).outputs.remove("next")
    };
    assert_eq!(outputs(json!({"next": "aGVsbG8="})).await, Some(Output::Bytes(b"hello".to_vec())));
    assert_eq!(outputs(json!({"next": "work"})).await, Some(Output::Bytes(STANDARD.decode("work").unwrap())));
    assert_eq!(outputs(json!({"next": "work!"})).await, Some(Output::Json(json!("work!"))));
    assert_eq!(outputs(json!({"other": "x"})).await, None);
    let delivery = told(&host, json!({"body": {"ReturnValue": {"next": {"a": 1}}}})).await;
    let completed = completed(delivery.invocation.unwrap());
    assert_eq!(
        completed.outputs["next"],
        Output::Json(json!({"a": 1})),
        "an object that is returned is outputs"
    );
}

#[tokio::test]
async fn a_message_that_fails_is_set_aside_in_the_end() {
    let app = App::new(&json!({"extensions": {"queues": {"maxDequeueCount": 3}}}));
    let host = app.start().await;
    let message = wire(&json!({"answer": {"status": 503}}).to_string());
    let deliveries = host.deliver("queue", &message).await;
    let fates: Vec<Fate> = deliveries.into_iter().map(|delivery| delivery.fate).collect();
    let poison = Fate::Poison { queue: "landfall-work-poison".to_owned() };
    assert_eq!(fates, [Fate::Again { dequeue_count: 2 }, Fate::Again { dequeue_count: 3 }, poison.clone()]);
    let plain = host.invoke_queue("queue", "{\"work\":", 1).await;
    assert_eq!(plain, Delivery { invocation: None, fate: poison }, "what is no base64 never arrives");
}

#[tokio::test]
async fn a_retry_policy_tries_again_before_the_queue_does() {
    let retry = json!({"strategy": "fixedDelay", "maxRetryCount": 2, "delayInterval": "00:00:00"});
    let app = App::new(&json!({"retry": retry, "extensions": {"queues": {"messageEncoding": "none"}}}));
    let host = app.start().await;
    let message = |until: u64| json!({"answer": {"until": until, "body": {"Logs": []}}}).to_string();
    assert_eq!(host.invoke_queue("queue", &message(2), 1).await.fate, Fate::Deleted);
    assert_eq!(host.invoke_queue("queue", &message(3), 1).await.fate, Fate::Again { dequeue_count: 2 });
}

#[tokio::test]
async fn an_http_client_needs_the_key_and_sees_what_the_output_says() {
    let app = App::new(&json!({}));
    let host = app.start().await;
    let mut bare = Asked { method: "POST".to_owned(), ..Asked::default() };
    assert_eq!(host.invoke_http("console", &bare).await.status, 401);
    bare.headers.insert("X-Functions-Key".to_owned(), "wrong".to_owned());
    bare.query.insert("code".to_owned(), "landfall-key".to_owned());
    assert_eq!(host.invoke_http("console", &bare).await.status, 401, "the header counts before the query");
    bare.headers.insert("X-Functions-Key".to_owned(), "landfall-key".to_owned());
    assert_eq!(host.invoke_http("console", &bare).await.status, 200);
    bare.method = "GET".to_owned();
    assert_eq!(host.invoke_http("console", &bare).await.status, 404, "a method that is not routed");

    let res = |res: Value| json!({"body": {"Outputs": {"res": res}}});
    let answer = asked(
        &host,
        res(json!({
            "statusCode": 202, "headers": {"Content-Type": "application/json"}, "body": "{\"a\":1}"
        })),
    )
    .await;
    assert_eq!((answer.status, answer.json()), (202, json!({"a": 1})));
    assert_eq!(answer.headers["content-type"], "application/json; charset=utf-8");
    let answer = asked(&host, res(json!({"body": {"a": 1}, "status": 404}))).await;
    assert_eq!(answer.status, 200, "`status` is not looked at beside `statusCode`");
    assert_eq!(answer.headers["content-type"], "text/plain; charset=utf-8");
    assert_eq!(asked(&host, res(json!("no object"))).await.status, 500);
    assert_eq!(asked(&host, json!({"status": 500})).await.status, 500);
    let nothing = asked(&host, json!({"body": {"Outputs": {}}})).await;
    assert_eq!((nothing.status, nothing.body.as_slice()), (200, b"{}".as_slice()));
}

#[tokio::test]
async fn an_app_that_is_wrong_does_not_start() {
    let app = App::new(&json!({"extensionBundle": null}));
    let error = Host::start(app.options()).await.unwrap_err();
    let StartError::App(cause) = &error else { panic!("{error}") };
    assert!(cause.to_string().contains("is not registered"), "{cause}");

    let app = App::new(&json!({}));
    let mut options = app.options();
    options.environment.push(("LANDFALL_DIES".to_owned(), "1".to_owned()));
    let error = Host::start(options).await.unwrap_err();
    assert!(matches!(&error, StartError::Silent(said) if said.contains("told to die")), "{error}");

    let mut options = app.options();
    options.environment.clear();
    let StartError::App(cause) = Host::start(options).await.unwrap_err() else { panic!("started") };
    assert!(cause.to_string().contains("`%QUEUE%` does not resolve to a value"), "{cause}");
}
