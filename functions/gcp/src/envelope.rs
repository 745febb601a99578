//! How an event comes over HTTP, in the three forms that Google's functions-framework takes as well: a CloudEvent in binary mode (what
//! Eventarc sends), one in structured mode, and Pub/Sub's own push, which becomes the CloudEvent that the framework makes of it.
//!
//! <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md>,
//! <https://cloud.google.com/pubsub/docs/push#receive_push>.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use landfall_engine::tidy::tidy;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::trigger::Malformed;

/// A message was published: what a push of Pub/Sub becomes.
pub const PUBLISHED: &str = "google.cloud.pubsub.topic.v1.messagePublished";

/// The one version of CloudEvents that Google sends.
const VERSION: &str = "1.0";

/// An event, whichever way it came.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// One id for all deliveries of it.
    pub id: String,
    /// Where it happened.
    pub source: String,
    /// What kind of thing happened.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it happened to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What happened.
    pub data: Value,
}

/// What was posted to `/`.
#[derive(Debug, Clone, PartialEq)]
pub enum Posted {
    /// An event.
    Event(Event),
    /// What a person asks.
    Asked(Value),
}

/// Reads what was posted.
pub fn read(headers: &HeaderMap, body: &[u8]) -> Result<Posted, Malformed> {
    let media = media(headers)?;
    if headers.keys().any(|name| name.as_str().starts_with("ce-")) {
        return binary(headers, media.as_deref(), body).map(Posted::Event);
    }
    match media.as_deref() {
        Some("application/cloudevents+json") => structured(&object(body)?).map(Posted::Event),
        Some("application/json") | None => {
            let posted = object(body)?;
            if posted.contains_key("message") {
                pushed(&posted).map(Posted::Event)
            } else if posted.contains_key("action") {
                Ok(Posted::Asked(Value::Object(posted)))
            } else {
                Err(Malformed::new(format!("the body has no shape that is known here; {SHAPES}")))
            }
        }
        Some(other) => Err(foreign(other, "`application/json` or `application/cloudevents+json`")),
    }
}

const SHAPES: &str = "expected a CloudEvent (`ce-…` headers, or `application/cloudevents+json`), a push of Pub/Sub (`message`), or a \
                      request such as {\"action\": \"plan\", \"targets\": [\"gcp/acme-checkout-prod\"]}";

fn foreign(found: &str, expected: &str) -> Malformed {
    let why = format!("the content type `{}` is not taken here; expected {expected}", tidy(found));
    Malformed { status: StatusCode::UNSUPPORTED_MEDIA_TYPE, why }
}

/// The media type without its parameters.
fn media(headers: &HeaderMap) -> Result<Option<String>, Malformed> {
    let Some(value) = headers.get(CONTENT_TYPE) else { return Ok(None) };
    let text = value.to_str().map_err(|_| foreign("…", "text"))?;
    let (media, parameters) = text.split_once(';').unwrap_or((text, ""));
    let charset = parameters
        .split(';')
        .find_map(|one| one.trim().to_ascii_lowercase().strip_prefix("charset=").map(str::to_owned));
    if let Some(other) = charset.filter(|charset| !matches!(charset.trim_matches('"'), "utf-8" | "us-ascii"))
    {
        return Err(foreign(&other, "UTF-8"));
    }
    Ok(Some(media.trim().to_ascii_lowercase()))
}

fn object(body: &[u8]) -> Result<Map<String, Value>, Malformed> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
            Err(Malformed::new(format!("the body is no JSON object; {SHAPES}")))
        }
        Err(error) => Err(Malformed::new(format!("the body is no JSON: {error}; {SHAPES}"))),
    }
}

fn binary(headers: &HeaderMap, media: Option<&str>, body: &[u8]) -> Result<Event, Malformed> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let need = |name: &str| {
        text(name)
            .filter(|value| !value.is_empty())
            .map(str::to_owned)
            .ok_or_else(|| Malformed::new(format!("the CloudEvent has no header `{name}`")))
    };
    check_version(&need("ce-specversion")?)?;
    let (id, source, kind) = (need("ce-id")?, need("ce-source")?, need("ce-type")?);
    match media {
        Some("application/json") | None => {}
        Some(other) if other.ends_with("+json") && !other.starts_with("application/cloudevents") => {}
        Some(other) => return Err(foreign(other, "`application/json` with `ce-…` headers")),
    }
    let data = if body.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(body)
            .map_err(|error| Malformed::new(format!("the CloudEvent's data is no JSON: {error}")))?
    };
    Ok(Event { id, source, kind, subject: text("ce-subject").map(str::to_owned), data })
}

fn structured(event: &Map<String, Value>) -> Result<Event, Malformed> {
    let need = |name: &str| {
        event
            .get(name)
            .and_then(Value::as_str)
            .filter(|value| !value.is_empty())
            .map(str::to_owned)
            .ok_or_else(|| Malformed::new(format!("the CloudEvent has no `{name}`")))
    };
    check_version(&need("specversion")?)?;
    let (id, source, kind) = (need("id")?, need("source")?, need("type")?);
    let subject = event.get("subject").and_then(Value::as_str).map(str::to_owned);
    let data = match (event.get("data"), event.get("data_base64").and_then(Value::as_str)) {
        (Some(_), Some(_)) => {
            return Err(Malformed::new("the CloudEvent has `data` and `data_base64`".to_owned()));
        }
        (Some(data), None) => data.clone(),
        (None, None) => Value::Null,
        (None, Some(text)) => {
            let bytes = STANDARD.decode(text).map_err(|error| {
                Malformed::new(format!("the CloudEvent's `data_base64` is none: {error}"))
            })?;
            serde_json::from_slice(&bytes)
                .map_err(|error| Malformed::new(format!("the CloudEvent's data is no JSON: {error}")))?
        }
    };
    Ok(Event { id, source, kind, subject, data })
}

fn check_version(version: &str) -> Result<(), Malformed> {
    if version == VERSION {
        return Ok(());
    }
    Err(Malformed::new(format!(
        "version `{}` of CloudEvents is not known here; expected `{VERSION}`",
        tidy(version)
    )))
}

/// What Pub/Sub posts. The topic stands nowhere in it, only the subscription.
fn pushed(posted: &Map<String, Value>) -> Result<Event, Malformed> {
    let message = posted.get("message").and_then(Value::as_object);
    let message = message.ok_or_else(|| Malformed::new("`message` is no object".to_owned()))?;
    if !posted.get("subscription").is_some_and(Value::is_string) {
        return Err(Malformed::new("the push has no `subscription`".to_owned()));
    }
    // Both spellings are sent, for older readers.
    let either = |new: &str, old: &str| {
        [new, old]
            .into_iter()
            .find_map(|name| message.get(name))
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    let id = either("messageId", "message_id")
        .ok_or_else(|| Malformed::new("the message has no `messageId`".to_owned()))?;
    let data = message.get("data").ok_or_else(|| Malformed::new("the message has no `data`".to_owned()))?;
    let mut normal = json!({
        "@type": "type.googleapis.com/google.pubsub.v1.PubsubMessage",
        "data": data,
        "attributes": message.get("attributes").cloned().unwrap_or_else(|| json!({})),
        "messageId": id,
    });
    if let (Some(time), Some(fields)) = (either("publishTime", "publish_time"), normal.as_object_mut()) {
        fields.insert("publishTime".to_owned(), time.into());
    }
    Ok(Event {
        id: id.to_owned(),
        source: "//pubsub.googleapis.com/".to_owned(),
        kind: PUBLISHED.to_owned(),
        subject: None,
        data: json!({"message": normal}),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(list: &[(&'static str, &'static str)]) -> HeaderMap {
        list.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn the_charset_is_utf_8_or_is_refused() {
        let with = |media| read(&headers(&[("content-type", media)]), b"{\"action\": \"status\"}");
        assert!(with("application/json; charset=UTF-8").is_ok());
        assert!(with("Application/JSON").is_ok());
        assert_eq!(with("application/json; charset=utf-16").unwrap_err().status, 415);
        assert_eq!(with("application/x-www-form-urlencoded").unwrap_err().status, 415);
        assert_eq!(with("application/cloudevents-batch+json").unwrap_err().status, 415);
    }

    #[test]
    fn one_header_of_a_cloud_event_makes_it_one() {
        let half = headers(&[("ce-id", "1"), ("content-type", "application/json")]);
        assert!(read(&half, b"{\"action\": \"status\"}").unwrap_err().why.contains("`ce-specversion`"));
    }

    #[test]
    fn data_comes_in_base64_as_well() {
        let body = br#"{"specversion": "1.0", "id": "1", "source": "//x", "type": "t", "data_base64": "eyJhIjoxfQ=="}"#;
        let read = read(&headers(&[("content-type", "application/cloudevents+json")]), body).unwrap();
        assert!(matches!(read, Posted::Event(Event { data, .. }) if data == json!({"a": 1})));
    }
}
