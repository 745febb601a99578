//! A small Lambda: the Runtime API that a function's process asks for events, and the process itself.
//!
//! It speaks the four paths of the published Runtime API (next, response, error, init error), one invocation at a time, as Lambda
//! does for one execution environment. It does not freeze, time out or bill; whoever invokes decides how long to wait.

mod process;
mod runtime_api;

pub use process::{Function, FunctionError};
pub use runtime_api::{Invocation, RuntimeApi};

use serde_json::{Value, json};

/// A batch as an SQS event source mapping hands it over: message id and body.
pub fn sqs_event<'a>(messages: impl IntoIterator<Item = (&'a str, &'a str)>) -> Value {
    let records: Vec<Value> = messages
        .into_iter()
        .map(|(id, body)| {
            json!({
                "messageId": id,
                "receiptHandle": format!("receipt-{id}"),
                "body": body,
                "attributes": {
                    "ApproximateReceiveCount": "1",
                    "SentTimestamp": "1700000000000",
                    "SenderId": "AROAEXAMPLE:landfall",
                    "ApproximateFirstReceiveTimestamp": "1700000000001",
                },
                "messageAttributes": {},
                "md5OfBody": "",
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-central-1:111111111111:landfall-work",
                "awsRegion": "eu-central-1",
            })
        })
        .collect();
    json!({"Records": records})
}

/// The messages of a batch that the function says have failed: those come again, the others are done.
pub fn failed_of(answer: &Value) -> Vec<String> {
    answer
        .get("batchItemFailures")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|failure| failure.get("itemIdentifier").and_then(Value::as_str))
        .map(str::to_owned)
        .collect()
}
