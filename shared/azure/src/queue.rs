//! Storage Queue as the queue of a sweep, by Microsoft's own client for it.
//!
//! Bodies are base64, which is what the Functions host's trigger decodes unless its `host.json` says otherwise
//! (`extensions.queues.messageEncoding`), and lets every character pass through XML.
//!
//! Storage Queue knows neither a longest time in flight of its own nor dead letters: whoever receives says the one and sees to the
//! other. Both are done here as the Functions host does them, so that it makes no difference who receives: a message that was
//! delivered too often goes to the queue `<name>-poison`, which is made when it is first needed.
//! <https://learn.microsoft.com/azure/azure-functions/functions-bindings-storage-queue-trigger>, "Poison messages".

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use azure_core::credentials::TokenCredential;
use azure_core::error::ErrorKind;
use azure_core::http::Url;
use azure_core::http::headers::HeaderName;
use azure_storage_queue::models::{
    PeekedMessage, QueueClientGetPropertiesResultHeaders as _, QueueClientPeekMessagesOptions,
    QueueClientReceiveMessagesOptions, QueueClientSendMessageOptions, QueueMessage, ReceivedMessage,
};
use azure_storage_queue::{QueueClient, QueueClientOptions};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use landfall_engine::here::is_this_machine;
use landfall_engine::queue::{DEAD_SHOWN, Outbox, Queue, QueueError, Received};

use crate::azurite;
use crate::client::Azure;
use crate::error::{ConfigError, tidy};
use crate::identity::Who;
use crate::store::{is_account, is_name};

/// The longest that Storage Queue holds a message back.
const LONGEST_DELAY: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// As many as Storage Queue gives in one call.
const BATCH: usize = 32;

/// As long as a run at a desk may take. The Functions host keeps its own time.
const VISIBILITY: Duration = Duration::from_secs(15 * 60);

/// As many as the Functions host makes unless told otherwise (`maxDequeueCount`).
const MAX_RECEIVES: u32 = 5;

/// A message waits for whoever comes, however long; the default would drop it after a week.
const NEVER_EXPIRES: i32 = -1;

/// What the Functions host appends to a queue's name for its dead.
const POISON: &str = "-poison";

/// The longest name, so that there is room for that of its dead.
const LONGEST_NAME: usize = 63 - POISON.len();

/// A queue by its URL.
pub struct StorageQueue {
    queue: QueueClient,
    dead: QueueClient,
    /// For people; it holds no right.
    url: String,
    visibility: Duration,
    max_receives: u32,
}

#[derive(Debug, thiserror::Error)]
pub enum NotAQueue {
    #[error(
        "`{0}` is not the URL of a queue like `https://acmelandfall.queue.core.windows.net/landfall-work`"
    )]
    Address(String),
    #[error("could not use the credentials")]
    Config(#[from] ConfigError),
    #[error("could not set up access to `{url}`")]
    Setup {
        url: String,
        #[source]
        source: azure_core::Error,
    },
}

impl Azure {
    /// The queue at a URL, with the process's own identity. A URL on this machine is an Azurite's, and only good where the process
    /// has an Azurite for its storage, as one at a real account is only good where it has none.
    pub fn queue(&self, url: &str) -> Result<StorageQueue, NotAQueue> {
        let wrong = || NotAQueue::Address(tidy(url));
        let address = Url::parse(url).map_err(|_| wrong())?;
        let plain = address.query().is_none()
            && address.fragment().is_none()
            && address.username().is_empty()
            && address.password().is_none();
        let path: Vec<&str> = address.path_segments().ok_or_else(wrong)?.collect();
        let here = match path.as_slice() {
            [name] if plain && is_name(name, LONGEST_NAME) && self.is_account_host(&address) => false,
            [account, name]
                if plain
                    && is_name(name, LONGEST_NAME)
                    && *account == azurite::ACCOUNT
                    && address.scheme() == "http"
                    && is_this_machine(&address) =>
            {
                true
            }
            _ => return Err(wrong()),
        };
        if here != (self.storage_here().is_some()) || (self.is_loopback() && !here) {
            return Err(wrong());
        }
        let mut dead = address.clone();
        dead.set_path(&format!("{}{POISON}", address.path()));
        let credential = if here { None } else { Some(self.credential(&Who::Own)?) };
        let client = |url: Url| self.queue_client(url, credential.clone());
        let failed = |source| NotAQueue::Setup { url: url.to_owned(), source };
        Ok(StorageQueue {
            queue: client(address).map_err(failed)?,
            dead: client(dead).map_err(failed)?,
            url: url.to_owned(),
            visibility: VISIBILITY,
            max_receives: MAX_RECEIVES,
        })
    }

    /// Whether it is `https://<account>.queue.<storage of this cloud>`.
    fn is_account_host(&self, url: &Url) -> bool {
        let account = url
            .host_str()
            .and_then(|host| host.strip_suffix(self.cloud().storage()))
            .and_then(|host| host.strip_suffix(".queue."));
        url.scheme() == "https" && url.port().is_none() && account.is_some_and(is_account)
    }

    fn queue_client(
        &self,
        mut url: Url,
        credential: Option<Arc<dyn TokenCredential>>,
    ) -> azure_core::Result<QueueClient> {
        if credential.is_none() {
            url.query_pairs_mut().extend_pairs(azurite::right());
        }
        let options = QueueClientOptions { client_options: self.options(), ..QueueClientOptions::default() };
        QueueClient::new(url, credential, Some(options))
    }
}

impl StorageQueue {
    /// With another time in flight than fifteen minutes and another number of deliveries than five, for those who receive here. It is
    /// the Functions host's own settings that count where it receives.
    #[must_use]
    pub fn with_rules(mut self, visibility: Duration, max_receives: u32) -> Self {
        self.visibility = visibility;
        self.max_receives = max_receives.max(1);
        self
    }

    async fn take(&self, most: usize) -> azure_core::Result<Vec<ReceivedMessage>> {
        let options = QueueClientReceiveMessagesOptions {
            number_of_messages: Some(number(most.clamp(1, BATCH))),
            // Nothing is ever in flight for no time.
            visibility_timeout: Some(seconds(self.visibility).max(1)),
            ..QueueClientReceiveMessagesOptions::default()
        };
        Ok(self.queue.receive_messages(Some(options)).await?.into_model()?.items.unwrap_or_default())
    }

    /// What a received message becomes: a delivery, or nothing, since it is dead.
    async fn deliver(&self, message: ReceivedMessage) -> azure_core::Result<Option<Received>> {
        let missing = |what| {
            azure_core::Error::with_message(ErrorKind::DataConversion, format!("a message has no {what}"))
        };
        let ReceivedMessage { message_id, pop_receipt, message_text, dequeue_count, .. } = message;
        let id = message_id.ok_or_else(|| missing("id"))?;
        let pop = pop_receipt.ok_or_else(|| missing("receipt"))?;
        let text = message_text.unwrap_or_default();
        let attempts = dequeue_count.and_then(|count| count.try_into().ok()).unwrap_or(1);
        if attempts <= self.max_receives {
            let receipt = format!("{id} {pop}");
            return Ok(Some(Received { body: body(text), receipt, attempts }));
        }
        tracing::warn!(attempts, "a message was given up");
        // First there, then not here: it may be there twice, and is never lost.
        match send(&self.dead, text.clone(), Duration::ZERO).await {
            Err(error) if code(&error) == Some(NO_QUEUE) => {
                self.dead.create(None).await?;
                send(&self.dead, text, Duration::ZERO).await?;
            }
            sent => sent?,
        }
        match self.queue.delete_message(&id, &pop, None).await {
            Ok(_) => Ok(None),
            Err(error) if is_over(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn failed(&self, doing: &str, error: azure_core::Error) -> QueueError {
        let doing = format!("{doing} `{}`", self.url);
        let status = error.http_status().map(u16::from);
        let missing = code(&error) == Some(NO_QUEUE);
        let source = refusal(error);
        if missing {
            QueueError::NoSuchQueue { queue: self.url.clone(), source }
        } else if matches!(status, Some(401 | 403)) {
            QueueError::Denied { doing, source }
        } else {
            QueueError::Unavailable { doing, source }
        }
    }
}

async fn send(queue: &QueueClient, text: String, delay: Duration) -> azure_core::Result<()> {
    let options = QueueClientSendMessageOptions {
        message_time_to_live: Some(NEVER_EXPIRES),
        visibility_timeout: Some(seconds(delay)),
        ..QueueClientSendMessageOptions::default()
    };
    let message = QueueMessage { message_text: Some(text) };
    queue.send_message(message.try_into()?, Some(options)).await?;
    Ok(())
}

/// What was sent, of a message's text. Somebody else's that is no base64 is taken as it is: none of ours reads like one that is.
fn body(text: String) -> String {
    let decoded = STANDARD.decode(&text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    decoded.unwrap_or(text)
}

/// <https://learn.microsoft.com/rest/api/storageservices/queue-service-error-codes>.
const NO_QUEUE: &str = "QueueNotFound";

/// The delivery is no longer ours to answer: it was done, or its time ran out and another one was made.
fn is_over(error: &azure_core::Error) -> bool {
    matches!(code(error), Some("MessageNotFound" | "PopReceiptMismatch"))
}

/// Storage Queue's own name for what was wrong.
fn code(error: &azure_core::Error) -> Option<&str> {
    if let ErrorKind::HttpResponse { error_code, .. } = error.kind() { error_code.as_deref() } else { None }
}

/// What Storage Queue answered, in one line: the client's own words are the whole answer in XML.
#[derive(Debug, thiserror::Error)]
#[error("Storage Queue answered `{code}` ({status}, request `{request}`)")]
struct Refusal {
    code: String,
    status: u16,
    /// What Azure's support asks for.
    request: String,
}

fn refusal(error: azure_core::Error) -> Box<dyn Error + Send + Sync> {
    let ErrorKind::HttpResponse { status, error_code, raw_response } = error.kind() else {
        return Box::new(error);
    };
    let request = raw_response
        .as_ref()
        .and_then(|raw| raw.headers().get_optional_str(&HeaderName::from_static("x-ms-request-id")));
    Box::new(Refusal {
        code: tidy(error_code.as_deref().unwrap_or("nothing")),
        status: u16::from(*status),
        request: tidy(request.unwrap_or("unknown")),
    })
}

/// Whole seconds, rounded up so that nothing comes early.
fn seconds(delay: Duration) -> i32 {
    let delay = delay.min(LONGEST_DELAY);
    let seconds = delay.as_secs() + u64::from(delay.subsec_nanos() > 0);
    i32::try_from(seconds).unwrap_or(i32::MAX)
}

fn number(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

#[async_trait]
impl Outbox for StorageQueue {
    async fn send(&self, body: &str, delay: Duration) -> Result<(), QueueError> {
        QueueError::check_size(body)?;
        send(&self.queue, STANDARD.encode(body), delay).await.map_err(|error| self.failed("send to", error))
    }
}

#[async_trait]
impl Queue for StorageQueue {
    async fn receive(&self, max: usize) -> Result<Vec<Received>, QueueError> {
        let mut received = Vec::new();
        while received.len() < max {
            let messages = match self.take(max - received.len()).await {
                Ok(messages) if messages.is_empty() => break,
                Ok(messages) => messages,
                Err(error) if received.is_empty() => return Err(self.failed("receive from", error)),
                // What is already in flight must reach the caller.
                Err(error) => {
                    tracing::warn!(error = %refusal(error), "a batch of messages could not be completed");
                    break;
                }
            };
            for message in messages {
                match self.deliver(message).await {
                    Ok(delivered) => received.extend(delivered),
                    // It comes again, and is tried again.
                    Err(error) => {
                        tracing::warn!(error = %refusal(error), "a message could not be put among the dead");
                    }
                }
            }
        }
        Ok(received)
    }

    async fn done(&self, receipt: &str) -> Result<(), QueueError> {
        let Some((id, pop)) = receipt.split_once(' ') else { return Ok(()) };
        match self.queue.delete_message(id, pop, None).await {
            Ok(_) => Ok(()),
            Err(error) if is_over(&error) => Ok(()),
            Err(error) => Err(self.failed("delete from", error)),
        }
    }

    async fn retry(&self, receipt: &str, delay: Duration) -> Result<(), QueueError> {
        let Some((id, pop)) = receipt.split_once(' ') else { return Ok(()) };
        // Without a body its text stays what it was.
        match self.queue.update_message(id, pop, seconds(delay), None).await {
            Ok(_) => Ok(()),
            Err(error) if is_over(&error) => Ok(()),
            Err(error) => Err(self.failed("give back to", error)),
        }
    }

    async fn dead(&self) -> Result<Vec<String>, QueueError> {
        let options = QueueClientPeekMessagesOptions {
            number_of_messages: Some(number(DEAD_SHOWN)),
            ..QueueClientPeekMessagesOptions::default()
        };
        let peeked = match self.dead.peek_messages(Some(options)).await.and_then(|found| found.into_model()) {
            Ok(peeked) => peeked.items.unwrap_or_default(),
            // It is made with the first of them.
            Err(error) if code(&error) == Some(NO_QUEUE) => return Ok(Vec::new()),
            Err(error) => return Err(self.failed("read the dead of", error)),
        };
        Ok(peeked
            .into_iter()
            .map(|PeekedMessage { message_text, .. }| body(message_text.unwrap_or_default()))
            .collect())
    }

    async fn next_due(&self) -> Result<Option<Duration>, QueueError> {
        let failed = |error| self.failed("count", error);
        let properties = self.queue.get_properties(None).await.map_err(failed)?;
        // Those in flight and those held back are counted as well. A count that can't be read is not zero: somebody looks once more
        // for nothing.
        let count = properties.approximate_messages_count().map_err(failed)?;
        Ok((count != Some(0)).then_some(Duration::ZERO))
    }
}

impl fmt::Debug for StorageQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StorageQueue").field(&self.url).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_never_ends_early_and_never_exceeds_what_storage_queue_takes() {
        for (delay, expected) in
            [(0, 0), (1, 1), (999, 1), (1000, 1), (1001, 2), (604_799_001, 604_800), (900_000_000, 604_800)]
        {
            assert_eq!(seconds(Duration::from_millis(delay)), expected, "{delay} ms");
        }
    }

    #[test]
    fn a_text_is_what_was_sent_or_as_somebody_else_wrote_it() {
        assert_eq!(body(STANDARD.encode("{\"target\":\"é\"}")), "{\"target\":\"é\"}");
        assert_eq!(body("{\"target\":1}".to_owned()), "{\"target\":1}");
        // Bytes that are no text stay as they came.
        assert_eq!(body("//79".to_owned()), "//79");
    }

    #[test]
    fn a_queue_is_at_a_storage_account_or_where_this_machine_keeps_one() {
        let real = "https://acmelandfall.queue.core.windows.net/landfall-work";
        let local = "http://127.0.0.1:10001/devstoreaccount1/landfall-work";
        let neither = Azure::loopback("http://127.0.0.1:1").unwrap();
        assert!(neither.queue(real).is_err() && neither.queue(local).is_err());
        let azure = Azure::loopback_with_storage("http://127.0.0.1:1", "http://127.0.0.1:2").unwrap();
        let queue = azure.queue(local).unwrap();
        assert_eq!(format!("{queue:?}"), format!("StorageQueue({local:?})"));
        let long = format!("http://127.0.0.1:10001/devstoreaccount1/{}", "x".repeat(57));
        for wrong in [
            real,
            &long,
            "",
            "landfall-work",
            "http://127.0.0.1:10001/landfall-work",
            "http://127.0.0.1:10001/acmelandfall/landfall-work",
            "http://127.0.0.1:10001/devstoreaccount1/Work",
            "http://127.0.0.1:10001/devstoreaccount1/work?sig=1",
            "http://devstoreaccount1.example/devstoreaccount1/landfall-work",
        ] {
            assert!(azure.queue(wrong).is_err(), "{wrong}");
        }
    }

    /// Without a length the real service refuses a `PUT` that has no body (411), and an emulator doesn't.
    #[tokio::test]
    async fn a_retry_has_no_body_and_says_so() {
        use std::io::{Read as _, Write as _};
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let here = format!("http://{}", listener.local_addr().unwrap());
        let heard = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut heard = Vec::new();
            while !heard.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                heard.extend(byte);
            }
            stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").unwrap();
            String::from_utf8(heard).unwrap().to_ascii_lowercase()
        });
        let azure = Azure::loopback_with_storage("http://127.0.0.1:1", &here).unwrap();
        let queue = azure.queue(&format!("{here}/devstoreaccount1/landfall-work")).unwrap();
        queue.retry("id a+b/c=", Duration::from_millis(1500)).await.unwrap();
        let heard = heard.join().unwrap();
        assert!(heard.starts_with("put /devstoreaccount1/landfall-work/messages/id?"), "{heard}");
        assert!(
            heard.contains("?popreceipt=a%2bb%2fc%3d&") && heard.contains("&visibilitytimeout=2 "),
            "{heard}"
        );
        assert!(heard.contains("\r\ncontent-length: 0\r\n"), "{heard}");
    }

    #[test]
    fn hosts_are_those_of_the_cloud() {
        let azure = Azure::loopback("http://127.0.0.1:1").unwrap();
        let is = |url: &str| azure.is_account_host(&Url::parse(url).unwrap());
        assert!(is("https://acmelandfall.queue.core.windows.net/work"));
        for wrong in [
            "http://acmelandfall.queue.core.windows.net/work",
            "https://acmelandfall.blob.core.windows.net/work",
            "https://acmelandfall.queue.core.usgovcloudapi.net/work",
            "https://acmelandfall.queue.core.windows.net:444/work",
            "https://acme.landfall.queue.core.windows.net/work",
            "https://queue.core.windows.net/work",
            "https://acmelandfall.queue.core.windows.net.evil.example/work",
        ] {
            assert!(!is(wrong), "{wrong}");
        }
    }
}
