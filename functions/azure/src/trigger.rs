//! From what the Functions host posts to triggers: a timer, queue messages, the activity log, Event Grid, and what people type.
//!
//! The host encodes by one rule: an object stays an object, everything else is JSON a second time, inside a string. So a queue
//! message is a string in a string, and an Event Hub batch a list of strings in a string, each of them JSON of its own. What comes
//! encoded once too often or too seldom is read all the same.
//!
//! An event only wakes: it says whom to look at. No event of Azure announces a subscription's birth reliably; the timer's sweep is
//! what finds everybody, and whatever comes here only makes it faster.

use landfall_engine::work;
use landfall_model::trigger::{Action, Contents, Parcel, Request, Trigger};
use serde_json::Value;

use crate::record;

/// Something that is no trigger, and why, for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub String);

/// The functions of the app, named as their folders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Function {
    /// A schedule.
    Timer,
    /// The work queue.
    Queue,
    /// The management group's activity log, from an Event Hub.
    Activity,
    /// Event Grid: by its own trigger, or as a webhook.
    Grid,
    /// What a person asks, over HTTP with the function's key.
    Console,
}

impl Function {
    /// Every function of the app.
    pub const ALL: [Function; 5] =
        [Function::Timer, Function::Queue, Function::Activity, Function::Grid, Function::Console];

    /// Its folder, which is the path that the host posts to.
    pub const fn as_str(self) -> &'static str {
        match self {
            Function::Timer => "timer",
            Function::Queue => "queue",
            Function::Activity => "activity",
            Function::Grid => "grid",
            Function::Console => "console",
        }
    }

    /// The name of its trigger in `function.json`, under which `Data` holds the event.
    pub const fn binding(self) -> &'static str {
        match self {
            Function::Timer => "timer",
            Function::Queue => "message",
            Function::Activity => "events",
            Function::Grid => "event",
            Function::Console => "req",
        }
    }

    /// The function of this folder.
    pub fn of(name: &str) -> Option<Self> {
        Function::ALL.into_iter().find(|function| function.as_str() == name)
    }
}

/// A question whether this endpoint is meant, which Event Grid asks a webhook once. Its own trigger never shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handshake {
    /// Event Grid's schema: answered with this code. The address that comes with it is never called.
    Code(String),
    /// CloudEvents' schema, `OPTIONS`: answered with the origin that may send.
    Origin(String),
}

/// The only origin that may send to a webhook.
const EVENT_GRID: &str = "eventgrid.azure.net";

/// Strings in strings are opened this often; the host makes two of them, exporters have been seen to make a third.
const DEEPEST: usize = 4;

/// Reads what the host posts to a function.
pub fn parse(function: Function, body: &Value) -> Result<Vec<Trigger>, Malformed> {
    let data = body.get("Data").and_then(Value::as_object).ok_or_else(|| {
        Malformed(
            "the body has no `Data`; expected what the Functions host posts: {\"Data\": {…}}".to_owned(),
        )
    })?;
    let event = data.get(function.binding());
    let need = || event.ok_or_else(|| Malformed(format!("the body has no `Data.{}`", function.binding())));
    match function {
        Function::Timer if need()?.is_object() => Ok(vec![Trigger::Scheduled]),
        Function::Timer => Err(Malformed("`Data.timer` is no object".to_owned())),
        Function::Queue => Ok(vec![message(need()?, body)?]),
        Function::Activity => gather(events(need()?)?.iter().map(record::read)),
        Function::Grid => match data.get("req") {
            Some(request) => webhook(request),
            None => gather(list(need()?, "`Data.event`")?.iter().map(grid)),
        },
        Function::Console => asked(need()?).map(|request| vec![Trigger::Asked(request)]),
    }
}

/// Event Grid's question to a webhook, where the body is one.
pub fn handshake(body: &Value) -> Option<Handshake> {
    let request = body.pointer("/Data/req")?;
    if text(request, "Method").eq_ignore_ascii_case("OPTIONS") {
        let origin = header(request, "WebHook-Request-Origin")?;
        return (origin == EVENT_GRID).then(|| Handshake::Origin(origin.to_owned()));
    }
    let events = list(request.get("Body")?, "the request's body").ok()?;
    let event = events.iter().find(|event| is_validation(event))?;
    let code = event.pointer("/data/validationCode").and_then(Value::as_str)?;
    Some(Handshake::Code(code.to_owned()))
}

/// One message. What it says is read from its text, never from the metadata that the host makes of it.
fn message(event: &Value, body: &Value) -> Result<Trigger, Malformed> {
    let text = match event {
        // The host's second encoding; a text that is none is the message itself.
        Value::String(text) => serde_json::from_str::<String>(text).unwrap_or_else(|_| text.clone()),
        Value::Object(_) => event.to_string(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            return Err(Malformed("`Data.message` is no text".to_owned()));
        }
    };
    let id = body.pointer("/Metadata/Id").and_then(Value::as_str).unwrap_or_default();
    let id = serde_json::from_str::<String>(id).unwrap_or_else(|_| id.to_owned());
    let work = match work::read(&text) {
        Ok(work) => Contents::Work(work),
        Err(why) => Contents::Unreadable(why),
    };
    Ok(Trigger::Work { messages: vec![Parcel { id, work }] })
}

/// The records of an Event Hub batch: each event is `{"records": […]}`, a list of records, or one.
fn events(batch: &Value) -> Result<Vec<Value>, Malformed> {
    let mut records = Vec::new();
    for event in list(batch, "`Data.events`")? {
        match event.get("records") {
            Some(inside) => records.extend(list(inside, "`records`")?),
            None => records.push(event),
        }
    }
    Ok(records)
}

/// One event of Event Grid, in its own schema or that of CloudEvents.
fn grid(event: &Value) -> Result<Trigger, Malformed> {
    let kind = [text(event, "eventType"), text(event, "type")].into_iter().find(|kind| !kind.is_empty());
    let kind = kind.ok_or_else(|| {
        Malformed("the event has no `eventType` (Event Grid) and no `type` (CloudEvents)".to_owned())
    })?;
    if is_validation(event) {
        return Ok(Trigger::Ignored { why: "Event Grid asks whether this endpoint is meant".to_owned() });
    }
    // `Microsoft.Resources.Resource{Write,Delete,Action}{Success,Failure,Cancel}`.
    if !kind.to_ascii_lowercase().starts_with("microsoft.resources.resource") {
        return Ok(Trigger::Ignored { why: format!("nothing here listens to `{kind}`") });
    }
    let data = event.get("data").filter(|data| data.is_object());
    let data = data.ok_or_else(|| Malformed(format!("the event `{kind}` has no `data`")))?;
    record::resource_event(kind, data, text(event, "subject"))
}

fn is_validation(event: &Value) -> bool {
    text(event, "eventType").eq_ignore_ascii_case("Microsoft.EventGrid.SubscriptionValidationEvent")
}

fn webhook(request: &Value) -> Result<Vec<Trigger>, Malformed> {
    if text(request, "Method").eq_ignore_ascii_case("OPTIONS") {
        return match header(request, "WebHook-Request-Origin") {
            Some(EVENT_GRID) => Ok(vec![Trigger::Ignored {
                why: "Event Grid asks whether this endpoint is meant".to_owned(),
            }]),
            Some(other) => Err(Malformed(format!("`{other}` may not send events here"))),
            None => Err(Malformed("the request has no `WebHook-Request-Origin`".to_owned())),
        };
    }
    let body = request.get("Body").ok_or_else(|| Malformed("the request has no body".to_owned()))?;
    gather(list(body, "the request's body")?.iter().map(grid))
}

/// What a person asks, in the same words as in the Lambda console. A key is easily passed on, so whoever has it only gets to see.
fn asked(request: &Value) -> Result<Request, Malformed> {
    const EXAMPLE: &str =
        "expected a request such as {\"action\": \"plan\", \"targets\": [\"azure/<subscription>\"]}";
    let body = request.get("Body").ok_or_else(|| Malformed(format!("the request has no body; {EXAMPLE}")))?;
    let body =
        open(body).map_err(|error| Malformed(format!("the request is no JSON ({error}); {EXAMPLE}")))?;
    let request: Request = serde_json::from_value(body)
        .map_err(|error| Malformed(format!("the request can't be read: {error}")))?;
    let instead = match request.action {
        Action::Plan | Action::Status | Action::Explain => return Ok(request),
        Action::Apply => "`landfall apply` does it at a desk",
        Action::Sweep if request.unit.is_some() => {
            "leave the message {\"work\": \"sweep\", \"unit\": \"…\"} on the work queue, or run `landfall sweep --unit` at a desk"
        }
        Action::Sweep => "run the function `timer`, or `landfall sweep` at a desk",
    };
    Err(Malformed(format!(
        "only `plan`, `status` and `explain` are answered here, which change nothing; {instead}"
    )))
}

/// The triggers of several events. One that can't be read does not take the others with it, and is not passed over in silence.
fn gather(
    events: impl ExactSizeIterator<Item = Result<Trigger, Malformed>>,
) -> Result<Vec<Trigger>, Malformed> {
    let count = events.len();
    let mut triggers: Vec<Trigger> = Vec::new();
    let mut others = Vec::new();
    let mut unreadable = Vec::new();
    for (place, event) in (1..).zip(events) {
        match event {
            Ok(Trigger::Ignored { why }) => others.push(why),
            // The same news twice is once: an operation may be told of by several records.
            Ok(trigger) if triggers.contains(&trigger) => {}
            Ok(trigger) => triggers.push(trigger),
            Err(Malformed(why)) if count == 1 => return Err(Malformed(why)),
            Err(Malformed(why)) => unreadable.push(format!("event {place} of {count} can't be read: {why}")),
        }
    }
    if triggers.is_empty() && others.is_empty() {
        return match unreadable.into_iter().next() {
            Some(why) => Err(Malformed(why)),
            None => Ok(vec![Trigger::Ignored { why: "the batch is empty".to_owned() }]),
        };
    }
    if triggers.is_empty() {
        let more = others.len() - 1;
        triggers.extend(others.into_iter().next().map(|why| match more {
            0 => Trigger::Ignored { why },
            more => Trigger::Ignored { why: format!("{why}; and {more} more that are not for us") },
        }));
    }
    triggers.extend(unreadable.into_iter().map(|why| Trigger::Ignored { why }));
    Ok(triggers)
}

/// What a value holds, be it a list, one thing, or either of them as text; each thing opened too.
fn list(value: &Value, name: &str) -> Result<Vec<Value>, Malformed> {
    let opened =
        |value: &Value| open(value).map_err(|error| Malformed(format!("{name} is no JSON: {error}")));
    match opened(value)? {
        Value::Array(items) => {
            let mut all = Vec::new();
            for item in items {
                // A list in a list: an exporter's batch inside the host's.
                match opened(&item)? {
                    Value::Array(inner) => all.extend(inner),
                    one @ (Value::Null
                    | Value::Bool(_)
                    | Value::Number(_)
                    | Value::String(_)
                    | Value::Object(_)) => all.push(one),
                }
            }
            Ok(all)
        }
        object @ Value::Object(_) => Ok(vec![object]),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            Err(Malformed(format!("{name} is no object and no list")))
        }
    }
}

/// A value that may be JSON inside a string, inside a string.
fn open(value: &Value) -> Result<Value, serde_json::Error> {
    let mut value = value.clone();
    for _ in 0..DEEPEST {
        let Some(text) = value.as_str() else { break };
        value = serde_json::from_str(text)?;
    }
    Ok(value)
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn header<'a>(request: &'a Value, wanted: &str) -> Option<&'a str> {
    let headers = request.get("Headers")?.as_object()?;
    let (_, value) = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted))?;
    // The host writes every header as a list.
    value.as_array().and_then(|values| values.first()).unwrap_or(value).as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_app_has_a_folder_for_each_function_and_names_its_trigger_as_it_is_read_here() {
        let app = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("app");
        let mut folders: Vec<String> = std::fs::read_dir(&app)
            .unwrap()
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.path().is_dir())
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect();
        folders.sort();
        let mut names = Function::ALL.map(Function::as_str);
        names.sort_unstable();
        assert_eq!(folders, names);
        for function in Function::ALL {
            let file = std::fs::read(app.join(function.as_str()).join("function.json")).unwrap();
            let file: Value = serde_json::from_slice(&file).unwrap();
            assert_eq!(file["bindings"][0]["name"], function.binding());
        }
    }

    #[test]
    fn who_asks_over_http_needs_the_key() {
        let file: Value = serde_json::from_str(include_str!("../app/console/function.json")).unwrap();
        assert_eq!(file["bindings"][0]["authLevel"], "function");
    }

    #[test]
    fn only_event_grid_may_ask_whether_it_may_send() {
        let asked = |origin: &str| serde_json::json!({"Data": {"req": {"Method": "OPTIONS", "Headers": {"webhook-request-origin": [origin]}}}});
        assert_eq!(handshake(&asked(EVENT_GRID)), Some(Handshake::Origin(EVENT_GRID.to_owned())));
        assert_eq!(handshake(&asked("example.com")), None);
        assert!(parse(Function::Grid, &asked("example.com")).is_err());
    }
}
