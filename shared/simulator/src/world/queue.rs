//! One SQS queue.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Queue {
    pub name: String,
    pub arn: String,
    /// As CreateQueue got them: VisibilityTimeout, DelaySeconds, RedrivePolicy, …
    pub attributes: BTreeMap<String, String>,
    pub created_at: Timestamp,
    /// In the order they were sent.
    pub messages: Vec<Message>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Message {
    pub id: String,
    pub body: String,
    /// The API's `MessageAttributes`.
    pub attributes: Value,
    pub sent_at: Timestamp,
    pub first_received_at: Option<Timestamp>,
    pub receive_count: u32,
    /// Not shown before this moment: delayed, or in someone's hands.
    pub visible_at: Timestamp,
    /// The handle of the latest receive; older ones no longer count.
    pub receipt: Option<String>,
}
