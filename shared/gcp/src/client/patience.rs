//! What is tried again, and how long is waited: the one policy of all calls.
//!
//! Tried again are connections that fail or break, and the statuses 408, 429, 500, 502, 503 and 504, after what `Retry-After` says. Who
//! would have to wait longer than a run can is told at once, and comes again with the next message.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable as _};

use super::Reply;
use crate::error::CallError;

/// How long everything may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// How often one request is sent again at most.
    retries: usize,
    /// How long is waited before it is sent again, the first time; twice as long each time after that.
    backoff: Duration,
    /// How long is waited at most before one attempt. A function has few minutes.
    longest: Duration,
    /// How long is waited between two polls of an operation that goes on.
    pub(super) poll: Duration,
    /// How long an operation that goes on after its answer is waited for.
    pub(super) work: Duration,
}

impl Patience {
    pub(super) const REAL: Patience = Patience {
        retries: 5,
        backoff: Duration::from_millis(400),
        longest: Duration::from_secs(20),
        poll: Duration::from_secs(1),
        work: Duration::from_secs(120),
    };

    /// For what listens on this machine: nobody is spared there.
    pub(super) const HERE: Patience =
        Patience { backoff: Duration::from_millis(5), poll: Duration::from_millis(20), ..Patience::REAL };

    /// Calls, and calls again where the same may be answered otherwise in a moment.
    pub(super) async fn again<F>(self, call: impl FnMut() -> F) -> Result<Reply, CallError>
    where
        F: Future<Output = Result<Reply, CallError>>,
    {
        let waits = ExponentialBuilder::default()
            .with_jitter()
            .with_min_delay(self.backoff)
            .with_max_delay(self.longest)
            .with_max_times(self.retries);
        call.retry(waits)
            .when(CallError::is_passing)
            .adjust(|error, wait| {
                let asked = error.after();
                // Nothing ends the attempts: who is asked to wait longer than a run can comes again with the next message.
                if asked.is_some_and(|asked| asked > self.longest) { None } else { wait.max(wait.and(asked)) }
            })
            .await
    }
}
