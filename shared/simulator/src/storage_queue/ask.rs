//! From an HTTP request to one of the operations.
//!
//! <https://learn.microsoft.com/rest/api/storageservices/operations-on-messages>

use std::collections::BTreeMap;
use std::time::Duration;

use http::Method;
use quick_xml::de::from_reader;
use serde::Deserialize;

use super::ACCOUNT;
use crate::wire::Wire;

/// The longest text, as it is sent.
const LONGEST: usize = 64 * 1024;
/// The longest that a message is held back or hidden.
const WEEK: u64 = 7 * 24 * 60 * 60;
/// The most messages of one call.
const MOST: u64 = 32;
/// As long as messages are hidden unless somebody says otherwise.
const HIDDEN: u64 = 30;

/// What somebody asks of a queue.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) queue: String,
    pub(super) what: What,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum What {
    Create,
    Properties,
    Remove,
    Put { text: String, delay: Duration, lives: Option<Duration> },
    Get { most: usize, hidden: Duration },
    Peek { most: usize },
    Clear,
    Update { id: String, receipt: String, delay: Duration, text: Option<String> },
    Delete { id: String, receipt: String },
}

/// Why it is none, with the number and code that Storage answers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) why: String,
}

impl Refused {
    pub(super) fn new(status: u16, code: &'static str, why: impl Into<String>) -> Self {
        Refused { status, code, why: why.into() }
    }
}

#[derive(Deserialize)]
#[serde(rename = "QueueMessage", rename_all = "PascalCase")]
struct QueueMessage {
    #[serde(default)]
    message_text: String,
}

pub(super) fn read(wire: &Wire) -> Result<Asked, Refused> {
    let query: BTreeMap<String, String> =
        form_urlencoded::parse(wire.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    if wire.header("authorization").is_none() && !query.contains_key("sig") {
        let why = "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.";
        return Err(Refused::new(401, "NoAuthenticationInformation", why));
    }
    let unknown = || Refused::new(404, "ResourceNotFound", "The specified resource does not exist.");
    let mut parts = wire.uri.path().trim_start_matches('/').split('/');
    if parts.next() != Some(ACCOUNT) {
        return Err(unknown());
    }
    let queue = parts.next().unwrap_or_default().to_owned();
    if !is_name(&queue) {
        let why = "The specified resource name contains invalid characters.";
        return Err(Refused::new(400, "InvalidResourceName", why));
    }
    // An emulator that lets it pass hides a client that the real service refuses.
    let sized = wire.headers.contains_key("content-length") || wire.headers.contains_key("transfer-encoding");
    if wire.method == Method::PUT && !sized {
        let why = "Content-Length HTTP header is missing.";
        return Err(Refused::new(411, "MissingContentLengthHeader", why));
    }
    let rest: Vec<&str> = parts.collect();
    let properties = query.get("comp").map(String::as_str) == Some("metadata");
    let peeks = query.get("peekonly").map(String::as_str) == Some("true");
    let most = || number(&query, "numofmessages", 1, MOST, 1).map(|most| usize::try_from(most).unwrap_or(1));
    let receipt = || {
        let missing = || Refused::new(400, "MissingRequiredQueryParameter", "`popreceipt` is missing.");
        query.get("popreceipt").cloned().ok_or_else(missing)
    };
    let seconds = |least, otherwise| {
        number(&query, "visibilitytimeout", least, WEEK, otherwise).map(Duration::from_secs)
    };
    let what = match (&wire.method, rest.as_slice()) {
        (&Method::PUT, []) => What::Create,
        (&Method::GET | &Method::HEAD, []) if properties => What::Properties,
        (&Method::DELETE, []) => What::Remove,
        (&Method::POST, ["messages"]) => {
            let text =
                text(wire)?.ok_or_else(|| Refused::new(400, "InvalidXmlDocument", "There is no body."))?;
            What::Put { text, delay: seconds(0, 0)?, lives: lives(&query)? }
        }
        (&Method::GET, ["messages"]) if peeks => What::Peek { most: most()? },
        (&Method::GET, ["messages"]) => What::Get { most: most()?, hidden: seconds(1, HIDDEN)? },
        (&Method::DELETE, ["messages"]) => What::Clear,
        (&Method::DELETE, ["messages", id]) => What::Delete { id: (*id).to_owned(), receipt: receipt()? },
        (&Method::PUT, ["messages", id]) => {
            if !query.contains_key("visibilitytimeout") {
                let why = "`visibilitytimeout` is missing.";
                return Err(Refused::new(400, "MissingRequiredQueryParameter", why));
            }
            What::Update {
                id: (*id).to_owned(),
                receipt: receipt()?,
                delay: seconds(0, 0)?,
                text: text(wire)?,
            }
        }
        (_, [] | ["messages"] | ["messages", _]) => {
            let why = "The resource doesn't support specified Http Verb.";
            return Err(Refused::new(405, "UnsupportedHttpVerb", why));
        }
        _ => return Err(unknown()),
    };
    Ok(Asked { queue, what })
}

/// The message's text, where there is a body.
fn text(wire: &Wire) -> Result<Option<String>, Refused> {
    if wire.body.is_empty() {
        return Ok(None);
    }
    let QueueMessage { message_text: text } = from_reader(wire.body.as_ref())
        .map_err(|_| Refused::new(400, "InvalidXmlDocument", "XML specified is not syntactically valid."))?;
    if text.len() > LONGEST {
        let why = "The request body is too large and exceeds the maximum permissible limit.";
        return Err(Refused::new(413, "RequestBodyTooLarge", why));
    }
    Ok(Some(text))
}

/// How long a message lives: a week unless it is said, and without end where that is -1.
fn lives(query: &BTreeMap<String, String>) -> Result<Option<Duration>, Refused> {
    if query.get("messagettl").map(String::as_str) == Some("-1") {
        return Ok(None);
    }
    number(query, "messagettl", 1, u64::from(u32::MAX), WEEK).map(Duration::from_secs).map(Some)
}

fn number(
    query: &BTreeMap<String, String>,
    name: &str,
    least: u64,
    most: u64,
    otherwise: u64,
) -> Result<u64, Refused> {
    let Some(said) = query.get(name) else { return Ok(otherwise) };
    let refused = |code| {
        let why = format!("`{said}` is not between {least} and {most}, as `{name}` has to be.");
        Refused::new(400, code, why)
    };
    let number: u64 = said.parse().map_err(|_| refused("InvalidQueryParameterValue"))?;
    if (least..=most).contains(&number) { Ok(number) } else { Err(refused("OutOfRangeQueryParameterValue")) }
}

/// <https://learn.microsoft.com/rest/api/storageservices/naming-queues-and-metadata>.
fn is_name(name: &str) -> bool {
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (3..=63).contains(&name.len())
        && name.chars().all(letters)
        && !name.starts_with('-')
        && !name.ends_with('-')
        && !name.contains("--")
}
