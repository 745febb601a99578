//! SQS as the queue of a sweep.

use std::time::Duration;

use async_trait::async_trait;
use landfall_engine::here::is_this_machine;
use landfall_engine::queue::{DEAD_SHOWN, Outbox, Queue, QueueError, Received};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use crate::client::protocol::Reply;
use crate::client::service::SQS;
use crate::client::{Aws, Client};
use crate::error::{CallError, tidy};

/// The longest that SQS holds a message back.
const LONGEST_DELAY: Duration = Duration::from_secs(15 * 60);

/// As many as SQS gives in one call.
const BATCH: usize = 10;

/// One second of waiting makes SQS ask all its servers. Without it an answer is a sample, and may be empty when the queue is not.
const WAIT_SECONDS: u32 = 1;

/// A queue by its URL.
#[derive(Debug)]
pub struct SqsQueue {
    client: Client,
    url: String,
    region: String,
}

#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` is not the URL of a queue like `https://sqs.eu-central-1.amazonaws.com/111111111111/landfall-work`"
)]
pub struct NotAQueue(String);

impl Aws {
    /// The queue at a URL, with the process's own identity. A URL on this machine, or anywhere but at SQS, is only good
    /// where the environment sets SQS's endpoint, which is then where the calls go.
    pub fn queue(&self, url: &str) -> Result<SqsQueue, NotAQueue> {
        let region = self.region_of(url).ok_or_else(|| NotAQueue(tidy(url)))?;
        Ok(SqsQueue { client: self.own(), url: url.to_owned(), region })
    }

    fn region_of(&self, text: &str) -> Option<String> {
        let url = Url::parse(text).ok()?;
        let path: Vec<&str> = url.path_segments()?.collect();
        let named = matches!(path.as_slice(), [account, name] if !account.is_empty() && !name.is_empty());
        if !named || url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
            return None;
        }
        let host = url.host_str()?;
        let region = host.split('.').nth(1).unwrap_or_default();
        if url.scheme() == "https" && SQS.about.host.address(region).is_ok_and(|address| address.host == host)
        {
            return Some(region.to_owned());
        }
        let elsewhere = self.is_overridden(&SQS.about) && (url.scheme() == "https" || is_this_machine(&url));
        elsewhere.then(|| self.region().to_owned())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Delivered {
    #[serde(default)]
    messages: Vec<Message>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Message {
    body: String,
    receipt_handle: String,
    #[serde(default)]
    attributes: Delivery,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
struct Delivery {
    approximate_receive_count: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    #[serde(default)]
    attributes: Attributes,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
struct Attributes {
    redrive_policy: Option<String>,
    approximate_number_of_messages: Option<String>,
    approximate_number_of_messages_not_visible: Option<String>,
    approximate_number_of_messages_delayed: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RedrivePolicy {
    dead_letter_target_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Found {
    queue_url: String,
}

impl SqsQueue {
    async fn call(&self, operation: &'static str, body: Value) -> Result<Reply, CallError> {
        self.client.json(&SQS, &self.region, operation, body).await
    }

    async fn take(&self, url: &str, most: usize, more: Value) -> Result<Vec<Message>, CallError> {
        let mut body = json!({
            "QueueUrl": url,
            "MaxNumberOfMessages": most.clamp(1, BATCH),
            "MessageSystemAttributeNames": ["ApproximateReceiveCount"],
        });
        if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
            body.extend(more);
        }
        let Delivered { messages } = self.call("ReceiveMessage", body).await?.json()?;
        Ok(messages)
    }

    async fn attributes(&self, names: &[&str]) -> Result<Attributes, CallError> {
        let body = json!({ "QueueUrl": self.url, "AttributeNames": names });
        let Described { attributes } = self.call("GetQueueAttributes", body).await?.json()?;
        Ok(attributes)
    }

    /// Where the dead go, by the queue's own redrive policy.
    async fn dead_letters(&self) -> Result<Option<String>, CallError> {
        let Some(policy) = self.attributes(&["RedrivePolicy"]).await?.redrive_policy else { return Ok(None) };
        let Ok(RedrivePolicy { dead_letter_target_arn: arn }) = serde_json::from_str(&policy) else {
            return Ok(None);
        };
        let mut parts = arn.rsplit(':');
        let (Some(name), Some(account)) = (parts.next(), parts.next()) else { return Ok(None) };
        let body = json!({ "QueueName": name, "QueueOwnerAWSAccountId": account });
        let Found { queue_url } = self.call("GetQueueUrl", body).await?.json()?;
        Ok(Some(queue_url))
    }

    fn failed(&self, doing: &str, error: CallError) -> QueueError {
        let doing = format!("{doing} `{}`", self.url);
        let missing = ["QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"];
        if error.code().is_some_and(|code| missing.contains(&code)) {
            QueueError::NoSuchQueue { queue: self.url.clone(), source: error.into() }
        } else if error.is_denied() {
            QueueError::Denied { doing, source: error.into() }
        } else {
            QueueError::Unavailable { doing, source: error.into() }
        }
    }
}

/// The delivery is no longer ours to answer: it was done, or its time ran out and another one was made. Everything else that we
/// send with a receipt is within SQS's bounds, so an invalid value can only be the receipt.
fn is_over(error: &CallError) -> bool {
    matches!(
        error.code(),
        Some(
            "ReceiptHandleIsInvalid"
                | "MessageNotInflight"
                | "InvalidParameterValue"
                | "InvalidParameterValueException"
        )
    )
}

/// Whole seconds, rounded up so that nothing comes early.
fn seconds(delay: Duration) -> u64 {
    let delay = delay.min(LONGEST_DELAY);
    delay.as_secs() + u64::from(delay.subsec_nanos() > 0)
}

#[async_trait]
impl Outbox for SqsQueue {
    async fn send(&self, body: &str, delay: Duration) -> Result<(), QueueError> {
        QueueError::check_size(body)?;
        let message = json!({ "QueueUrl": self.url, "MessageBody": body, "DelaySeconds": seconds(delay) });
        self.call("SendMessage", message).await.map_err(|error| self.failed("send to", error))?;
        Ok(())
    }
}

#[async_trait]
impl Queue for SqsQueue {
    async fn receive(&self, max: usize) -> Result<Vec<Received>, QueueError> {
        let mut received = Vec::new();
        while received.len() < max {
            let wait = if received.is_empty() { WAIT_SECONDS } else { 0 };
            let more = json!({ "WaitTimeSeconds": wait });
            match self.take(&self.url, max - received.len(), more).await {
                Ok(messages) if messages.is_empty() => break,
                Ok(messages) => received.extend(messages.into_iter().map(Received::from)),
                Err(error) if received.is_empty() => return Err(self.failed("receive from", error)),
                // What is already in flight must reach the caller.
                Err(error) => {
                    tracing::warn!(error = %error, "a batch of messages could not be completed");
                    break;
                }
            }
        }
        Ok(received)
    }

    async fn done(&self, receipt: &str) -> Result<(), QueueError> {
        let body = json!({ "QueueUrl": self.url, "ReceiptHandle": receipt });
        match self.call("DeleteMessage", body).await {
            Ok(_) => Ok(()),
            Err(error) if is_over(&error) => Ok(()),
            Err(error) => Err(self.failed("delete from", error)),
        }
    }

    async fn retry(&self, receipt: &str, delay: Duration) -> Result<(), QueueError> {
        let body =
            json!({ "QueueUrl": self.url, "ReceiptHandle": receipt, "VisibilityTimeout": seconds(delay) });
        match self.call("ChangeMessageVisibility", body).await {
            Ok(_) => Ok(()),
            Err(error) if is_over(&error) => Ok(()),
            Err(error) => Err(self.failed("give back to", error)),
        }
    }

    async fn dead(&self) -> Result<Vec<String>, QueueError> {
        let failed = |error| self.failed("read the dead of", error);
        let Some(url) = self.dead_letters().await.map_err(failed)? else { return Ok(Vec::new()) };
        // Visible again at once: looking takes nothing away.
        let more = json!({ "WaitTimeSeconds": WAIT_SECONDS, "VisibilityTimeout": 0 });
        let messages = self.take(&url, DEAD_SHOWN, more).await.map_err(failed)?;
        Ok(messages.into_iter().map(|message| message.body).collect())
    }

    async fn next_due(&self) -> Result<Option<Duration>, QueueError> {
        let names = [
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ];
        let counts = self.attributes(&names).await.map_err(|error| self.failed("count", error))?;
        let Attributes {
            redrive_policy: _,
            approximate_number_of_messages: waiting,
            approximate_number_of_messages_not_visible: in_flight,
            approximate_number_of_messages_delayed: delayed,
        } = counts;
        // A count that can't be read is not zero: somebody looks once more for nothing.
        let left = [waiting, in_flight, delayed].iter().flatten().any(|count| count != "0");
        Ok(left.then_some(Duration::ZERO))
    }
}

impl From<Message> for Received {
    fn from(message: Message) -> Self {
        let Message { body, receipt_handle, attributes: Delivery { approximate_receive_count } } = message;
        let attempts = approximate_receive_count.and_then(|count| count.parse().ok()).unwrap_or(1);
        Received { body, receipt: receipt_handle, attempts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_never_ends_early_and_never_exceeds_what_sqs_takes() {
        for (delay, expected) in
            [(0, 0), (1, 1), (999, 1), (1000, 1), (1001, 2), (899_001, 900), (86_400_000, 900)]
        {
            assert_eq!(seconds(Duration::from_millis(delay)), expected, "{delay} ms");
        }
    }
}
