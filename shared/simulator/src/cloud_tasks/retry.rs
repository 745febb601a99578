//! How often a task is tried again, and when: `RetryConfig` of the discovery document.

use std::time::Duration;

use serde_json::{Value, json};

/// How tasks that failed are tried again; [`Default`] is what Cloud Tasks gives a queue that says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// The first among them; `None` is without end.
    pub max_attempts: Option<u32>,
    pub min_backoff: Duration,
    pub max_backoff: Duration,
    /// How often the wait doubles before it only grows by the same step.
    pub max_doublings: u32,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            max_attempts: Some(100),
            min_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(3600),
            max_doublings: 16,
        }
    }
}

impl Retry {
    /// The wait after so many attempts; `None` when it was the last.
    ///
    /// The document's example: from 10 s, at most 300 s, doubled three times, makes 10, 20, 40, 80, 160, 240, 300, 300, … s.
    pub(super) fn after(&self, attempts: u32) -> Option<Duration> {
        if self.max_attempts.is_some_and(|most| attempts >= most) {
            return None;
        }
        let retries = attempts.saturating_sub(1);
        let doubled = retries.min(self.max_doublings);
        let step = self.min_backoff.saturating_mul(1_u32.checked_shl(doubled).unwrap_or(u32::MAX));
        let wait = step.saturating_mul(1 + (retries - doubled));
        Some(wait.min(self.max_backoff))
    }

    pub(super) fn shown(&self) -> Value {
        json!({
            "maxAttempts": self.max_attempts.map_or(-1, i64::from),
            "minBackoff": duration(self.min_backoff),
            "maxBackoff": duration(self.max_backoff),
            "maxDoublings": self.max_doublings,
        })
    }
}

/// `3.500s`: as many digits behind the point as it takes, in threes.
pub(super) fn duration(time: Duration) -> String {
    let (seconds, nanoseconds) = (time.as_secs(), time.subsec_nanos());
    match nanoseconds {
        0 => format!("{seconds}s"),
        n if n.is_multiple_of(1_000_000) => format!("{seconds}.{:03}s", n / 1_000_000),
        n if n.is_multiple_of(1_000) => format!("{seconds}.{:06}s", n / 1_000),
        n => format!("{seconds}.{n:09}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_as_the_documents_example() {
        let retry = Retry {
            max_attempts: None,
            min_backoff: Duration::from_secs(10),
            max_backoff: Duration::from_secs(300),
            max_doublings: 3,
        };
        let waits: Vec<u64> = (1..=9).map(|n| retry.after(n).unwrap().as_secs()).collect();
        assert_eq!(waits, [10, 20, 40, 80, 160, 240, 300, 300, 300]);
        assert_eq!(retry.after(100_000).unwrap().as_secs(), 300);
    }

    #[test]
    fn the_last_attempt_is_the_last() {
        let retry = Retry { max_attempts: Some(2), ..Retry::default() };
        assert_eq!(retry.after(1), Some(Duration::from_millis(100)));
        assert_eq!(retry.after(2), None);
    }

    #[test]
    fn durations_are_written_as_google_writes_them() {
        assert_eq!(duration(Duration::from_secs(600)), "600s");
        assert_eq!(duration(Duration::from_millis(100)), "0.100s");
    }
}
