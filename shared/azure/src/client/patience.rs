//! What is tried again, and how long is waited: the one policy of all calls.
//!
//! Tried again are connections that fail or break, and the statuses 408, 429, 500, 502, 503 and 504, after what `Retry-After` says.
//! Azure asks those who are throttled to wait for seconds, and sometimes for many minutes: who would have to wait longer than a run
//! can is told at once, and comes again with the next message.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use azure_core::error::ErrorKind;
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{AsyncRawResponse, Context, Request};
use azure_core::time::OffsetDateTime;
use tokio::time::Instant;

use super::reply::header;

/// How long everything may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// How often one request is sent at most.
    attempts: u32,
    /// How long is waited before it is sent again, the first time; twice as long each time after that.
    backoff: Duration,
    /// How long all attempts may take together. A function has few minutes.
    all: Duration,
    /// How long is waited between two polls of an operation that goes on, where the answer does not say.
    pub(super) poll: Duration,
    /// How long is waited between two polls at most.
    pub(super) longest_poll: Duration,
    /// How long an operation that goes on after its answer is waited for.
    pub(super) work: Duration,
}

impl Patience {
    pub(super) const REAL: Patience = Patience {
        attempts: 6,
        backoff: Duration::from_millis(400),
        all: Duration::from_secs(60),
        poll: Duration::from_secs(2),
        longest_poll: Duration::from_secs(15),
        work: Duration::from_secs(120),
    };

    /// For what listens on this machine: nobody is spared there.
    pub(super) const HERE: Patience =
        Patience { backoff: Duration::from_millis(5), poll: Duration::from_millis(20), ..Patience::REAL };

    #[cfg(test)]
    pub(super) const SHORT: Patience = Patience {
        all: Duration::from_secs(5),
        longest_poll: Duration::from_millis(50),
        work: Duration::from_millis(200),
        ..Patience::HERE
    };

    pub(super) fn policy(self) -> Arc<dyn Policy> {
        Arc::new(Again(self))
    }

    /// A little more than the backoff, so that those who were refused together don't come back together.
    fn backoff(&self, attempt: u32) -> Duration {
        let least = self.backoff * 2u32.saturating_pow(attempt.min(8));
        least + least.mul_f64(f64::from(OffsetDateTime::now_utc().microsecond() % 1_000) / 4_000.0)
    }
}

/// Sends a request again.
#[derive(Debug)]
struct Again(Patience);

#[async_trait]
impl Policy for Again {
    async fn send(&self, context: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        let Again(patience) = self;
        let until = Instant::now() + patience.all;
        let mut attempt = 0;
        loop {
            let answer = once(context, request, next).await;
            let asked = match &answer {
                Ok(response) if is_passing(u16::from(response.status())) => {
                    header(response.headers(), "retry-after").and_then(|text| after(&text))
                }
                Err(error) if matches!(error.kind(), ErrorKind::Connection | ErrorKind::Io) => None,
                Ok(_) | Err(_) => return answer,
            };
            let rest = asked.unwrap_or_default().max(patience.backoff(attempt));
            attempt += 1;
            if attempt >= patience.attempts || Instant::now() + rest > until {
                return answer;
            }
            tokio::time::sleep(rest).await;
            request.body_mut().reset().await?;
        }
    }
}

/// One attempt, with its whole answer: one that breaks off in the middle is no answer.
async fn once(context: &Context<'_>, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
    let Some((first, rest)) = next.split_first() else {
        return Err(azure_core::Error::with_message(ErrorKind::Other, "there is nothing to send with"));
    };
    let (status, headers, body) = first.send(context, request, rest).await?.deconstruct();
    let body = body.collect().await?;
    Ok(AsyncRawResponse::from_bytes(status, headers, body))
}

/// Whether the same may be answered otherwise in a moment.
fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
}

/// `Retry-After`: seconds, or a moment.
pub(super) fn after(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let moment = azure_core::time::parse_rfc7231(text).ok()?;
    Some((moment - OffsetDateTime::now_utc()).try_into().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_seconds_or_a_moment() {
        assert_eq!(after("17"), Some(Duration::from_secs(17)));
        assert_eq!(after("Fri, 01 Jan 2021 00:00:10 GMT"), Some(Duration::ZERO));
        assert!(after("Fri, 01 Jan 2125 00:00:10 GMT").unwrap() > Duration::from_secs(3600));
        assert_eq!(after("soon"), None);
        assert_eq!(after("-1"), None);
    }

    #[test]
    fn waits_grow() {
        let waits: Vec<Duration> = (0..5).map(|attempt| Patience::REAL.backoff(attempt)).collect();
        assert!(waits.is_sorted(), "{waits:?}");
        assert!(waits[0] >= Duration::from_millis(400) && waits[4] <= Duration::from_secs(8), "{waits:?}");
    }
}
