//! From an HTTP request to what is asked of which queue.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Map, Value};

use super::queues::{Oidc, Refused, Target};
use crate::wire::Wire;

/// A question that a queue can answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) what: What,
    /// `projects/P/locations/L/queues/Q`.
    pub(super) queue: String,
    /// The last part of a task's name, where one is named.
    pub(super) task: String,
}

/// By the names of the discovery document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    GetQueue,
    PauseQueue,
    ResumeQueue,
    CreateTask,
    ListTasks,
    GetTask,
    DeleteTask,
}

impl What {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::GetQueue => "queues.get",
            Self::PauseQueue => "queues.pause",
            Self::ResumeQueue => "queues.resume",
            Self::CreateTask => "tasks.create",
            Self::ListTasks => "tasks.list",
            Self::GetTask => "tasks.get",
            Self::DeleteTask => "tasks.delete",
        }
    }

    pub(super) const fn writes(self) -> bool {
        match self {
            Self::GetQueue | Self::ListTasks | Self::GetTask => false,
            Self::PauseQueue | Self::ResumeQueue | Self::CreateTask | Self::DeleteTask => true,
        }
    }
}

/// A task that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct New {
    /// The last part of the name, where the caller gives one.
    pub(super) id: Option<String>,
    pub(super) scheduled: Option<Timestamp>,
    pub(super) deadline: Duration,
    pub(super) target: Target,
}

pub(super) fn read(wire: &Wire) -> Option<Asked> {
    let path = wire.uri.path();
    let path = path.strip_prefix("/cloudtasks.googleapis.com").unwrap_or(path).strip_prefix("/v2/")?;
    let (path, verb) = path.rsplit_once(':').unwrap_or((path, ""));
    let parts: Vec<&str> = path.split('/').collect();
    let (queue, rest) = parts.split_at_checked(6)?;
    let [projects, _, locations, _, queues, _] = queue else { return None };
    if [*projects, *locations, *queues] != ["projects", "locations", "queues"] {
        return None;
    }
    let (what, task) = match (wire.method.as_str(), rest, verb) {
        ("GET", [], "") => (What::GetQueue, ""),
        ("POST", [], "pause") => (What::PauseQueue, ""),
        ("POST", [], "resume") => (What::ResumeQueue, ""),
        ("POST", ["tasks"], "") => (What::CreateTask, ""),
        ("GET", ["tasks"], "") => (What::ListTasks, ""),
        ("GET", ["tasks", task], "") => (What::GetTask, *task),
        ("DELETE", ["tasks", task], "") => (What::DeleteTask, *task),
        _ => return None,
    };
    Some(Asked { what, queue: queue.join("/"), task: task.to_owned() })
}

/// The longest that a task may be held back.
const FURTHEST_DAYS: i64 = 30;
/// What a task with an HTTP target has unless it says otherwise, and the least and the most that it may say.
const DEADLINE: Duration = Duration::from_secs(600);
const DEADLINES: [Duration; 2] = [Duration::from_secs(15), Duration::from_secs(1800)];
/// <https://cloud.google.com/tasks/docs/quotas>: the most that a task with an HTTP target may take, in bytes.
const LARGEST: usize = 1_048_576;

/// The task in the body of `tasks.create`.
pub(super) fn new(wire: &Wire, asked: &Asked, now: Timestamp) -> Result<New, Refused> {
    if wire.body.len() > LARGEST {
        return Err(Refused::invalid("Task size too large"));
    }
    let body: Value = serde_json::from_slice(&wire.body)
        .map_err(|_| Refused::invalid("Invalid JSON payload received. Unexpected end of string."))?;
    let body = object(&body, "", &["task", "responseView"])?;
    let task = body.get("task").ok_or_else(|| Refused::invalid("Task is required."))?;
    let known = ["name", "httpRequest", "scheduleTime", "dispatchDeadline"];
    // What the cloud tells of a task may be sent back to it, and is not listened to.
    let told = ["createTime", "dispatchCount", "responseCount", "firstAttempt", "lastAttempt", "view"];
    let task = object(task, "task", &[known.as_slice(), told.as_slice()].concat())?;
    let id = text(task, "name").filter(|name| !name.is_empty()).map(|name| id(name, asked)).transpose()?;
    let scheduled = text(task, "scheduleTime").map(|text| {
        let at: Timestamp = text.parse().map_err(|_| {
            Refused::invalid(format!(
                "Invalid value at 'task.schedule_time' (type.googleapis.com/google.protobuf.Timestamp), \"{text}\""
            ))
        })?;
        let furthest = now.checked_add((FURTHEST_DAYS * 24).hours()).unwrap_or(Timestamp::MAX);
        if at > furthest {
            return Err(Refused::invalid("The scheduled time of the task is too far in the future."));
        }
        Ok(at)
    });
    let deadline = text(task, "dispatchDeadline").map_or(Ok(DEADLINE), |text| {
        let seconds: Option<f64> = text.strip_suffix('s').and_then(|number| number.parse().ok());
        let deadline = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let [least, most] = DEADLINES;
        deadline.filter(|deadline| (least..=most).contains(deadline)).ok_or_else(|| {
            Refused::invalid("Task.dispatch_deadline must be between [15s, 30m] for tasks with HTTP targets.")
        })
    })?;
    let request = task
        .get("httpRequest")
        .ok_or_else(|| Refused::invalid("Task must have an HTTP request or an App Engine HTTP request."))?;
    Ok(New { id, scheduled: scheduled.transpose()?, deadline, target: target(request)? })
}

fn id(name: &str, asked: &Asked) -> Result<String, Refused> {
    let id = name.strip_prefix(&format!("{}/tasks/", asked.queue)).ok_or_else(|| {
        Refused::invalid(format!(
            "The queue name from request (\"{}\") must be the same as the queue name in the named task (\"{name}\").",
            asked.queue
        ))
    })?;
    let right = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if id.is_empty() || id.len() > 500 || !id.chars().all(right) {
        return Err(Refused::invalid(format!(
            "Task name \"{name}\" must be formatted: \"projects/<PROJECT_ID>/locations/<LOCATION_ID>/queues/<QUEUE_ID>/tasks/<TASK_ID>\""
        )));
    }
    Ok(id.to_owned())
}

fn target(request: &Value) -> Result<Target, Refused> {
    let at = "task.http_request";
    let request = object(request, at, &["url", "httpMethod", "headers", "body", "oidcToken"])?;
    let url = text(request, "url").unwrap_or_default();
    if !(url.starts_with("http://") || url.starts_with("https://")) || url.len() > 2083 {
        return Err(Refused::invalid("HttpRequest.url must start with 'http://' or 'https://'."));
    }
    let method = text(request, "httpMethod").unwrap_or("POST");
    if !["POST", "GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"].contains(&method) {
        return Err(Refused::invalid(format!(
            "Invalid value at '{at}.http_method' (type.googleapis.com/google.cloud.tasks.v2.HttpMethod), \"{method}\""
        )));
    }
    let body = text(request, "body").unwrap_or_default();
    // Google's JSON takes both alphabets.
    let body = STANDARD.decode(body).or_else(|_| URL_SAFE.decode(body)).map_err(|_| {
        Refused::invalid(format!(
            "Invalid value at '{at}.body' (TYPE_BYTES), Base64 decoding failed for \"{body}\""
        ))
    })?;
    if !body.is_empty() && !["POST", "PUT", "PATCH"].contains(&method) {
        return Err(Refused::invalid("HTTP request body is allowed only for POST, PUT, and PATCH."));
    }
    let oidc = request.get("oidcToken").map(|token| {
        let token = object(token, &format!("{at}.oidc_token"), &["serviceAccountEmail", "audience"])?;
        let email = text(token, "serviceAccountEmail").filter(|email| !email.is_empty());
        let email = email.ok_or_else(|| Refused::invalid("OidcToken.service_account_email is required."))?;
        Ok(Oidc { email: email.to_owned(), audience: text(token, "audience").map(str::to_owned) })
    });
    let oidc = oidc.transpose()?;
    let mut headers = headers(request);
    if oidc.is_some() {
        // The token takes its place.
        headers.remove("authorization");
    }
    Ok(Target { url: url.to_owned(), method: method.to_owned(), headers, body, oidc })
}

/// Those that a task may set: the rest is Google's, or made of the request.
fn headers(request: &Map<String, Value>) -> BTreeMap<String, String> {
    let given = request.get("headers").and_then(Value::as_object).into_iter().flatten();
    let given =
        given.filter_map(|(name, value)| Some((name.to_ascii_lowercase(), value.as_str()?.to_owned())));
    let replaced = |name: &str| {
        ["host", "content-length", "user-agent"].contains(&name)
            || ["x-google-", "x-appengine-", "x-cloudtasks-"].iter().any(|ours| name.starts_with(ours))
    };
    given.filter(|(name, _)| !replaced(name)).collect()
}

/// An object without other members than these, in Google's words.
fn object<'a>(value: &'a Value, at: &str, known: &[&str]) -> Result<&'a Map<String, Value>, Refused> {
    let place = if at.is_empty() { String::new() } else { format!(" at '{at}'") };
    let object = value
        .as_object()
        .ok_or_else(|| Refused::invalid(format!("Invalid value{place}: an object is expected.")))?;
    match object.keys().find(|name| !known.contains(&name.as_str())) {
        None => Ok(object),
        Some(name) => Err(Refused::invalid(format!(
            "Invalid JSON payload received. Unknown name \"{name}\"{place}: Cannot find field."
        ))),
    }
}

fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str)
}
