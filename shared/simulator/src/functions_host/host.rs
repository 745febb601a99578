//! The host: an app that runs, and what becomes of each event.
//!
//! Follows `FunctionExecutorExtensions.cs` (attempts) and `QueueProcessor.cs` (a message's end) of the extensions' SDK, and
//! `EventGridExtensionConfigProvider.cs`, `FunctionInvocationMiddleware.cs` and `ExceptionMiddleware.cs` for what callers see.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;

use super::answer::{Completed, Read, read};
use super::app::{App, AppError, Function, MessageEncoding};
use super::http::{Asked, HttpAnswer, admitted, respond, routed};
use super::payload;
use super::process::Process;

/// What to run.
#[derive(Debug, Clone)]
pub struct HostOptions {
    /// The folder with `host.json` and the functions' folders.
    pub app: PathBuf,
    /// What to start where host.json's `defaultExecutablePath` would not lie in the folder: a binary as cargo built it.
    pub handler: Option<PathBuf>,
    /// Arguments before host.json's own.
    pub arguments: Vec<String>,
    /// The app's settings: the only environment that the process and `%NAME%` see.
    pub environment: Vec<(String, String)>,
    /// Instead of host.json's `functionTimeout`, so that tests need not wait for minutes.
    pub timeout: Option<Duration>,
    /// The key of every function.
    pub key: String,
}

impl HostOptions {
    /// An app as its files describe it.
    pub fn new(app: impl Into<PathBuf>) -> Self {
        HostOptions {
            app: app.into(),
            handler: None,
            arguments: Vec::new(),
            environment: Vec::new(),
            timeout: None,
            key: "landfall-key".to_owned(),
        }
    }
}

/// An app that did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its files are wrong.
    #[error("could not read the app")]
    App(#[from] AppError),
    /// Its process could not be made.
    #[error("could not start the handler's process")]
    Process(#[from] std::io::Error),
    /// The process ended, or never answered; what it said.
    #[error("the handler did not answer: {0}")]
    Silent(String),
}

/// What became of an event after the last attempt.
#[derive(Debug, Clone, PartialEq)]
pub enum Invocation {
    /// It succeeded.
    Succeeded(Completed),
    /// It failed, and why.
    Failed(String),
}

/// What became of a queue message.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// What the function did with it; nothing where the message never reached it.
    pub invocation: Option<Invocation>,
    /// Where the message is now.
    pub fate: Fate,
}

/// Where a queue message is after it was delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// Done and gone.
    Deleted,
    /// Back in the queue; its next delivery has this count.
    Again {
        /// How often it will have been taken.
        dequeue_count: u32,
    },
    /// Set aside.
    Poison {
        /// `<queue>-poison`.
        queue: String,
    },
}

/// An app that runs. Its process is killed when this is dropped.
#[derive(Debug)]
pub struct Host {
    app: App,
    process: Process,
    timeout: Option<Duration>,
    key: String,
    count: AtomicU64,
}

impl Host {
    /// Reads the app, starts its handler, and waits until it answers.
    pub async fn start(options: HostOptions) -> Result<Self, StartError> {
        let HostOptions { app, handler, arguments, environment, timeout, key } = options;
        let setting = |wanted: &str| {
            environment.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone())
        };
        let app = App::read(&app, setting)?;
        let folder = match &app.handler.working_directory {
            Some(folder) => app.folder.join(folder),
            None => app.folder.clone(),
        };
        let program = handler.unwrap_or_else(|| {
            let path = app.folder.join(&app.handler.default_executable_path);
            // What is no file there is looked for on the path.
            if path.is_file() { path } else { PathBuf::from(&app.handler.default_executable_path) }
        });
        let arguments: Vec<String> = arguments.into_iter().chain(app.handler.arguments.clone()).collect();
        let process = Process::start(&program, &arguments, &folder, &app.folder, &environment).await?;
        if !process.ready().await {
            return Err(StartError::Silent(process.end().await.join("\n")));
        }
        let timeout = timeout.or(app.timeout);
        Ok(Host { app, process, timeout, key, count: AtomicU64::new(0) })
    }

    /// The functions' names.
    pub fn functions(&self) -> impl Iterator<Item = &str> {
        self.app.functions.keys().map(String::as_str)
    }

    /// The process's id.
    pub fn pid(&self) -> Option<u32> {
        self.process.pid()
    }

    /// What the process has written so far, to both of its streams.
    pub fn said(&self) -> Vec<String> {
        self.process.said()
    }

    /// Kills the process, and answers everything that it wrote.
    pub async fn end(self) -> Vec<String> {
        self.process.end().await
    }

    /// Lets a timer fire. `status` says whether the timer has a monitor, and with it a last and a next time.
    pub async fn invoke_timer(&self, function: &str, status: bool) -> Invocation {
        match self.function(function, "timerTrigger") {
            Ok(function) => {
                self.run(function, payload::timer(function, Timestamp::now(), status, false)).await
            }
            Err(why) => Invocation::Failed(why),
        }
    }

    /// Delivers a queue message as it lies in the queue: with `messageEncoding` base64, which host.json has unless it says
    /// otherwise, that is base64.
    pub async fn invoke_queue(&self, function: &str, message: &str, dequeue_count: u32) -> Delivery {
        let function = match self.function(function, "queueTrigger") {
            Ok(function) => function,
            Err(why) => {
                let invocation = Some(Invocation::Failed(why));
                return Delivery { invocation, fate: Fate::Again { dequeue_count: dequeue_count + 1 } };
            }
        };
        let poison = || Fate::Poison {
            queue: format!("{}-poison", function.trigger.queue_name.as_deref().unwrap_or_default()),
        };
        let text = match self.app.encoding {
            MessageEncoding::None => Some(message.to_owned()),
            MessageEncoding::Base64 => {
                STANDARD.decode(message).ok().and_then(|bytes| String::from_utf8(bytes).ok())
            }
        };
        // `BeginProcessingMessageAsync`; and what can't be decoded never reaches a function.
        let Some(text) = text.filter(|_| dequeue_count <= self.app.max_dequeue_count) else {
            return Delivery { invocation: None, fate: poison() };
        };
        let id = format!("00000000-0000-4000-9000-{:012}", self.next());
        let payload = payload::queue(function, &id, &text, dequeue_count, Timestamp::now());
        let invocation = self.run(function, payload).await;
        // `CompleteProcessingMessageAsync`.
        let fate = match invocation {
            Invocation::Succeeded(_) => Fate::Deleted,
            Invocation::Failed(_) if dequeue_count >= self.app.max_dequeue_count => poison(),
            Invocation::Failed(_) => Fate::Again { dequeue_count: dequeue_count + 1 },
        };
        Delivery { invocation: Some(invocation), fate }
    }

    /// Delivers a queue message until it is done or set aside; every delivery in its order.
    pub async fn deliver(&self, function: &str, message: &str) -> Vec<Delivery> {
        let mut deliveries = Vec::new();
        let mut count = 1;
        loop {
            let delivery = self.invoke_queue(function, message, count).await;
            let fate = delivery.fate.clone();
            deliveries.push(delivery);
            match fate {
                Fate::Again { dequeue_count } if self.app.functions.contains_key(function) => {
                    count = dequeue_count
                }
                Fate::Again { .. } | Fate::Deleted | Fate::Poison { .. } => return deliveries,
            }
        }
    }

    /// Hands over a batch of events. Whatever becomes of it, the host goes on behind it.
    pub async fn invoke_event_hub(&self, function: &str, events: &[String]) -> Invocation {
        let payload = self.function(function, "eventHubTrigger").and_then(|function| {
            payload::event_hub(function, events, Timestamp::now()).map(|payload| (function, payload))
        });
        match payload {
            Ok((function, payload)) => self.run(function, payload).await,
            Err(why) => Invocation::Failed(why),
        }
    }

    /// Hands over one event. The handshakes with Event Grid never reach a function: the extension answers them itself.
    pub async fn invoke_event_grid(&self, function: &str, event: &Value) -> Invocation {
        match self.function(function, "eventGridTrigger") {
            Ok(function) => self.run(function, payload::event_grid(function, event, Timestamp::now())).await,
            Err(why) => Invocation::Failed(why),
        }
    }

    /// Asks an HTTP function, and answers what its client would see.
    pub async fn invoke_http(&self, function: &str, asked: &Asked) -> HttpAnswer {
        let Ok(function) = self.function(function, "httpTrigger") else { return HttpAnswer::bare(404) };
        if !routed(&function.trigger, asked) {
            return HttpAnswer::bare(404);
        }
        if !admitted(&function.trigger, asked, &self.key) {
            return HttpAnswer::bare(401);
        }
        let route = function.trigger.route.as_deref().unwrap_or(&function.name);
        let prefix = &self.app.route_prefix;
        let slash = if prefix.is_empty() { "" } else { "/" };
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&asked.query).finish();
        let mark = if query.is_empty() { "" } else { "?" };
        let url = format!("https://landfall.azurewebsites.net/{prefix}{slash}{route}{mark}{query}");
        let payload = payload::http(function, &url, asked, Timestamp::now());
        match self.run(function, payload).await {
            Invocation::Succeeded(completed) => {
                respond(&function.outputs, &completed).unwrap_or_else(|_| HttpAnswer::bare(500))
            }
            Invocation::Failed(_) => HttpAnswer::bare(500),
        }
    }

    /// Posts this body instead of one of the host's own making, and goes on as the host does: a recorded one, or a broken one.
    pub async fn invoke_raw(&self, function: &str, body: &Value) -> Invocation {
        match self.app.functions.get(function) {
            Some(function) => self.run(function, body.clone()).await,
            None => Invocation::Failed(format!("there is no function `{function}`")),
        }
    }

    /// Posts whatever one likes wherever one likes, and answers status, content type and body as the handler gave them.
    pub async fn post_raw(&self, path: &str, body: Bytes) -> Result<(u16, Option<String>, Bytes), String> {
        let invocation = self.invocation();
        let answered = self.process.post(path, &invocation, body).await?;
        Ok((answered.status.as_u16(), answered.content_type, answered.body))
    }

    fn function(&self, name: &str, kind: &str) -> Result<&Function, String> {
        let function =
            self.app.functions.get(name).ok_or_else(|| format!("there is no function `{name}`"))?;
        let found = &function.trigger.kind;
        if found.eq_ignore_ascii_case(kind) {
            Ok(function)
        } else {
            Err(format!("the function `{name}` has the trigger `{found}`, not `{kind}`"))
        }
    }

    fn next(&self) -> u64 {
        self.count.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn invocation(&self) -> String {
        format!("00000000-0000-4000-8000-{:012}", self.next())
    }

    /// Runs a function, and again as long as its retry policy says so.
    async fn run(&self, function: &Function, mut payload: Value) -> Invocation {
        let mut attempt: u32 = 0;
        let mut failed: Option<String> = None;
        loop {
            if let Some(policy) = &function.retry {
                payload::retry(&mut payload, policy, attempt, failed.as_deref());
            }
            let why = match self.once(function, &payload).await {
                Ok(completed) => return Invocation::Succeeded(completed),
                Err(why) => why,
            };
            match &function.retry {
                Some(policy)
                    if policy.max_retry_count == -1 || i64::from(attempt) < policy.max_retry_count =>
                {
                    attempt += 1;
                    tokio::time::sleep(policy.delay(attempt)).await;
                    failed = Some(why);
                }
                Some(_) | None => return Invocation::Failed(why),
            }
        }
    }

    async fn once(&self, function: &Function, payload: &Value) -> Result<Completed, String> {
        let invocation = self.invocation();
        let body = Bytes::from(payload.to_string());
        let attempt = async {
            let answered = self.process.post(&function.name, &invocation, body).await?;
            match read(function, &answered) {
                Read::Completed(completed) => Ok(completed),
                Read::Failed(why) => Err(why),
                // Nobody completes the invocation any more.
                Read::Never => std::future::pending().await,
            }
        };
        match self.timeout {
            None => attempt.await,
            Some(timeout) => tokio::time::timeout(timeout, attempt).await.unwrap_or_else(|_| {
                Err(format!(
                    "timeout value of {} s exceeded by function `{}`",
                    timeout.as_secs(),
                    function.name
                ))
            }),
        }
    }
}
