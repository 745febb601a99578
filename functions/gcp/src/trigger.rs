//! From what is posted to a trigger: Cloud Scheduler to `/sweep`, Cloud Tasks to `/work`, events and what people ask to `/`.
//!
//! An event only wakes: it says whom to look at. Whoever posts was let in before, by his token; who may have what done is a
//! [`Duty`] of its own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, Method, StatusCode};
use jiff::SignedDuration;
use landfall_engine::tidy::tidy;
use landfall_engine::work;
use landfall_model::id::UnitPath;
use landfall_model::trigger::{Action, Contents, Parcel, Request, Trigger};
use serde::Deserialize;
use serde_json::Value;

use crate::envelope::{Event, PUBLISHED, Posted, read};
use crate::{asset, record};

/// The service account whose token Cloud Tasks brings: whom the queue is told to call as, and who may hand out work.
pub(crate) const ACCOUNT: &str = "LANDFALL_WORKER_ACCOUNT";

/// An entry was written into an audit log: <https://cloud.google.com/eventarc/docs/reference/supported-events>.
const WRITTEN: &str = "google.cloud.audit.log.v1.written";

/// How an asset feed greets its topic: the beginning of the one message that is no asset.
/// <https://cloud.google.com/asset-inventory/docs/monitor-asset-changes>.
const WELCOME: &str = "You have successfully configured real time feed";

/// Something that is no trigger: what is answered, and why, for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Malformed {
    /// 400 unless something else says more.
    pub status: StatusCode,
    /// What is wrong with it.
    pub why: String,
}

impl Malformed {
    pub(crate) fn new(why: String) -> Self {
        Malformed { status: StatusCode::BAD_REQUEST, why }
    }
}

/// What can be had done here. Each is somebody else's: whoever may post events may not hand out work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Duty {
    /// Events: Eventarc, and Pub/Sub.
    Events,
    /// Looking at everything: Cloud Scheduler.
    Sweep,
    /// The work queue: Cloud Tasks.
    Work,
    /// A person's questions.
    Console,
}

impl Duty {
    /// All of them.
    pub const ALL: [Duty; 4] = [Duty::Events, Duty::Sweep, Duty::Work, Duty::Console];

    /// For logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Duty::Events => "events",
            Duty::Sweep => "sweep",
            Duty::Work => "work",
            Duty::Console => "console",
        }
    }

    /// The variable that says who may.
    pub const fn callers(self) -> &'static str {
        match self {
            Duty::Events => "LANDFALL_EVENTS_CALLERS",
            Duty::Sweep => "LANDFALL_SWEEP_CALLERS",
            Duty::Work => ACCOUNT,
            Duty::Console => "LANDFALL_CONSOLE_CALLERS",
        }
    }

    /// Whether a function is none without it: sweeps find everybody without events, and nobody has to ask.
    pub const fn is_needed(self) -> bool {
        matches!(self, Duty::Sweep | Duty::Work)
    }

    /// How long whoever posts can be made to wait at most: Pub/Sub's longest acknowledgement deadline, the longest deadlines of
    /// Cloud Scheduler's attempts and of Cloud Tasks' dispatches, and Cloud Run's own.
    pub const fn patience(self) -> SignedDuration {
        match self {
            Duty::Events => SignedDuration::from_secs(600),
            Duty::Sweep | Duty::Work => SignedDuration::from_secs(1800),
            Duty::Console => SignedDuration::from_secs(3600),
        }
    }
}

/// Where something is posted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// The question whether the function is there, which is answered to everybody.
    Ready,
    /// `/`
    Front,
    /// `/sweep`
    Sweep,
    /// `/work`
    Work,
}

impl Route {
    /// The place of a method and a path. The other way, what is answered instead.
    pub fn of(method: &Method, path: &str) -> Result<Self, StatusCode> {
        let asks = *method == Method::GET || *method == Method::HEAD;
        let posts = *method == Method::POST;
        match path {
            "/" if posts => Ok(Route::Front),
            "/sweep" if posts => Ok(Route::Sweep),
            "/work" if posts => Ok(Route::Work),
            "/" | "/healthz" if asks => Ok(Route::Ready),
            "/" | "/healthz" | "/sweep" | "/work" => Err(StatusCode::METHOD_NOT_ALLOWED),
            _ => Err(StatusCode::NOT_FOUND),
        }
    }
}

/// Reads what was posted; also says whose duty it is, as far as that can be seen.
pub fn parse(route: Route, headers: &HeaderMap, body: &[u8]) -> (Duty, Result<Trigger, Malformed>) {
    match route {
        Route::Ready => (Duty::Console, Ok(Trigger::Ignored { why: "nobody asked for anything".to_owned() })),
        Route::Sweep => (Duty::Sweep, scheduled(body)),
        Route::Work => (Duty::Work, task(headers, body)),
        Route::Front => match read(headers, body) {
            Ok(Posted::Asked(request)) => (Duty::Console, asked(request)),
            Ok(Posted::Event(event)) => (Duty::Events, told(&event)),
            Err(malformed) => (Duty::Events, Err(malformed)),
        },
    }
}

/// Which part of the organization a sweep is for, where it is not for all of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    #[serde(default)]
    unit: Option<UnitPath>,
}

/// A schedule's body may be anything, and most are empty. What begins as an object says which unit; one that says something else or can't be
/// read is refused, so that a slip of the pen does not sweep everybody.
fn scheduled(body: &[u8]) -> Result<Trigger, Malformed> {
    if !body.trim_ascii_start().starts_with(b"{") {
        return Ok(Trigger::Scheduled);
    }
    let Part { unit } = serde_json::from_slice(body).map_err(|error| {
        Malformed::new(format!(
            "the body can't be read ({error}); expected nothing, or {{\"unit\": \"workloads/production\"}}"
        ))
    })?;
    Ok(match unit {
        None => Trigger::Scheduled,
        Some(unit) => Trigger::Asked(Request {
            action: Action::Sweep,
            targets: Vec::new(),
            unit: Some(unit),
            setting: None,
            limits: None,
        }),
    })
}

/// A task's body is the message itself. Its headers are for the log alone.
fn task(headers: &HeaderMap, body: &[u8]) -> Result<Trigger, Malformed> {
    let text = std::str::from_utf8(body)
        .map_err(|_| Malformed::new("the message can't be read: it is no UTF-8".to_owned()))?;
    let work = work::read(text).map_err(Malformed::new)?;
    let id = headers.get("x-cloudtasks-taskname").and_then(|name| name.to_str().ok()).unwrap_or("task");
    Ok(Trigger::Work { messages: vec![Parcel { id: id.to_owned(), work: Contents::Work(work) }] })
}

fn told(event: &Event) -> Result<Trigger, Malformed> {
    match event.kind.as_str() {
        WRITTEN => record::read(&event.data),
        PUBLISHED => message(&event.data),
        other => Ok(Trigger::Ignored { why: format!("nothing here listens to `{}`", tidy(other)) }),
    }
}

/// What a message of Pub/Sub holds: an entry that a log sink exports, or an asset that a feed tells of.
fn message(data: &Value) -> Result<Trigger, Malformed> {
    let text = data.pointer("/message/data").and_then(Value::as_str).filter(|text| !text.is_empty());
    let text = text.ok_or_else(|| Malformed::new("the message has no `data`".to_owned()))?;
    let bytes = STANDARD
        .decode(text)
        .map_err(|error| Malformed::new(format!("the message's `data` is no base64: {error}")))?;
    if bytes.starts_with(WELCOME.as_bytes()) {
        return Ok(Trigger::Ignored { why: "an asset feed says that it was made".to_owned() });
    }
    let inside: Value = serde_json::from_slice(&bytes)
        .map_err(|error| Malformed::new(format!("the message's `data` is no JSON: {error}")))?;
    if inside.get("logName").is_some() || inside.get("protoPayload").is_some() {
        record::read(&inside)
    } else if inside.get("asset").is_some() || inside.get("priorAsset").is_some() {
        asset::read(&inside)
    } else {
        Err(Malformed::new("the message is neither an entry of a log nor an asset of a feed".to_owned()))
    }
}

/// What a person asks, in the same words as in the Lambda console. Nobody changes anything from here: whoever may ask the function
/// is not thereby whoever may change the organization.
fn asked(request: Value) -> Result<Trigger, Malformed> {
    let request: Request = serde_json::from_value(request)
        .map_err(|error| Malformed::new(format!("the request can't be read: {error}")))?;
    let instead = match request.action {
        Action::Plan | Action::Status | Action::Explain => return Ok(Trigger::Asked(request)),
        Action::Apply => "`landfall apply` does it at a desk",
        Action::Sweep => {
            "post to `/sweep` as whoever may start sweeps, run the schedule's job, or `landfall sweep` at a desk"
        }
    };
    Err(Malformed {
        status: StatusCode::FORBIDDEN,
        why: format!(
            "only `plan`, `status` and `explain` are answered here, which change nothing; {instead}"
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_takes_what_it_is_for() {
        for (method, path, expected) in [
            (Method::GET, "/", Ok(Route::Ready)),
            (Method::HEAD, "/", Ok(Route::Ready)),
            (Method::GET, "/healthz", Ok(Route::Ready)),
            (Method::POST, "/", Ok(Route::Front)),
            (Method::POST, "/sweep", Ok(Route::Sweep)),
            (Method::POST, "/work", Ok(Route::Work)),
            (Method::GET, "/sweep", Err(StatusCode::METHOD_NOT_ALLOWED)),
            (Method::PUT, "/", Err(StatusCode::METHOD_NOT_ALLOWED)),
            (Method::POST, "/sweep/", Err(StatusCode::NOT_FOUND)),
            (Method::GET, "/console", Err(StatusCode::NOT_FOUND)),
        ] {
            assert_eq!(Route::of(&method, path), expected, "{method} {path}");
        }
    }

    #[test]
    fn nobody_changes_anything_from_the_console() {
        for action in ["apply", "sweep"] {
            let body = format!("{{\"action\": \"{action}\", \"targets\": [\"gcp/acme-checkout-prod\"]}}");
            let (duty, refused) = parse(Route::Front, &HeaderMap::new(), body.as_bytes());
            assert_eq!(
                (duty, refused.unwrap_err().status),
                (Duty::Console, StatusCode::FORBIDDEN),
                "{action}"
            );
        }
    }
}
