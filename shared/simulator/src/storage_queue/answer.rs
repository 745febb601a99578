//! Answers and refusals as Storage writes them.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::ask::Refused;
use super::messages::Message;
use crate::encode::Answer;
use crate::xml;

/// The version of the service that answers.
const VERSION: &str = "2021-12-02";

pub(super) fn bare(status: u16, call: u64) -> Answer {
    build(status, call, String::new())
}

/// How many messages there are, those in flight and those held back among them.
pub(super) fn properties(count: usize, call: u64) -> Answer {
    let mut answer = bare(200, call);
    header(&mut answer, "x-ms-approximate-messages-count", &count.to_string());
    answer
}

pub(super) fn updated(message: &Message, call: u64) -> Answer {
    let mut answer = bare(204, call);
    header(&mut answer, "x-ms-popreceipt", &message.receipt);
    header(&mut answer, "x-ms-time-next-visible", &time(message.visible));
    answer
}

/// What an answer tells of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tells {
    /// That it is there now.
    Sent,
    /// All of it.
    Taken,
    /// All but what would let it be deleted.
    Peeked,
}

pub(super) fn messages(status: u16, messages: &[Message], tells: Tells, call: u64) -> Answer {
    let message = |message: &Message| {
        let mut shown = json!({
            "MessageId": message.id,
            "InsertionTime": time(message.inserted),
            "ExpirationTime": time(message.expires),
        });
        let more = match tells {
            Tells::Sent => json!({"PopReceipt": message.receipt, "TimeNextVisible": time(message.visible)}),
            Tells::Taken => json!({
                "PopReceipt": message.receipt, "TimeNextVisible": time(message.visible),
                "DequeueCount": message.taken, "MessageText": message.text,
            }),
            Tells::Peeked => json!({"DequeueCount": message.taken, "MessageText": message.text}),
        };
        if let (Value::Object(shown), Value::Object(more)) = (&mut shown, more) {
            shown.extend(more);
        }
        shown
    };
    let messages: Vec<Value> = messages.iter().map(message).collect();
    let mut body = "<?xml version=\"1.0\" encoding=\"utf-8\"?>".to_owned();
    xml::write(&mut body, "QueueMessagesList", &json!({"*QueueMessage": messages}), "");
    let mut answer = build(status, call, body);
    header(&mut answer, "content-type", "application/xml");
    answer
}

pub(super) fn refused(refused: &Refused, call: u64) -> Answer {
    let Refused { status, code, why } = refused;
    let mut body = "<?xml version=\"1.0\" encoding=\"utf-8\"?>".to_owned();
    xml::write(&mut body, "Error", &json!({"Code": code, "Message": why}), "");
    let mut answer = build(*status, call, body);
    header(&mut answer, "content-type", "application/xml");
    header(&mut answer, "x-ms-error-code", code);
    answer
}

fn build(status: u16, call: u64, body: String) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    header(&mut answer, "x-ms-request-id", &format!("00000000-0000-4000-a000-{call:012}"));
    header(&mut answer, "x-ms-version", VERSION);
    header(&mut answer, "server", "Windows-Azure-Queue/1.0 Microsoft-HTTPAPI/2.0");
    answer
}

fn header(answer: &mut Answer, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
}

fn time(time: Timestamp) -> String {
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
