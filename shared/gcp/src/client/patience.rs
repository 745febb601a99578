//! What is tried again, and how long is waited: the one policy of all calls.
//!
//! Tried again are connections that fail or break, the statuses 408, 429, 500, 502, 503 and 504, and a 403 that means too many calls
//! (Compute says so: <https://cloud.google.com/compute/api-quota>), after what `Retry-After` says. Who would have to wait longer than
//! a run can is told at once, and comes again with the next message.
//!
//! What makes something whose name Google gives (a budget, a lien, an alerting policy) would make two of them if it were sent twice. It
//! is only tried again where nothing can have happened: nobody was reached, there were too many calls, or the API said `UNAVAILABLE`,
//! which by <https://google.aip.dev/194> is safe. The rest is left to the next run's look.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable as _};
use tokio::time::Instant;

use super::service::{POLICY, TASKS};
use super::{Operation, Reply, Verb};
use crate::error::CallError;

/// How long everything may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// How often one request is sent again at most.
    retries: usize,
    /// How long is waited before it is sent again, the first time; twice as long each time after that.
    backoff: Duration,
    /// How long is waited at most before one attempt.
    longest: Duration,
    /// How long all attempts may take together. A function has few minutes.
    all: Duration,
    /// How long is waited between the first two polls of an operation that goes on; a half longer each time after that.
    pub(super) poll: Duration,
    /// How long is waited between two polls at most.
    pub(super) longest_poll: Duration,
    /// How long an operation that goes on after its answer is waited for.
    pub(super) work: Duration,
}

impl Patience {
    pub(super) const REAL: Patience = Patience {
        retries: 5,
        backoff: Duration::from_millis(400),
        longest: Duration::from_secs(20),
        all: Duration::from_secs(60),
        poll: Duration::from_secs(1),
        longest_poll: Duration::from_secs(5),
        work: Duration::from_secs(120),
    };

    /// For what listens on this machine: nobody is spared there.
    pub(super) const HERE: Patience = Patience {
        backoff: Duration::from_millis(5),
        poll: Duration::from_millis(20),
        longest_poll: Duration::from_millis(50),
        ..Patience::REAL
    };

    #[cfg(test)]
    pub(super) const SHORT: Patience =
        Patience { all: Duration::from_secs(5), work: Duration::from_millis(200), ..Patience::HERE };

    /// Calls, and calls again where the same may be answered otherwise in a moment.
    pub(super) async fn again<F>(
        self,
        operation: &Operation,
        call: impl FnMut() -> F,
    ) -> Result<Reply, CallError>
    where
        F: Future<Output = Result<Reply, CallError>>,
    {
        let twice = Twice::of(operation);
        let until = Instant::now() + self.all;
        let waits = ExponentialBuilder::default()
            .with_jitter()
            .with_min_delay(self.backoff)
            .with_max_delay(self.longest)
            .with_max_times(self.retries);
        call.retry(waits)
            .when(|error| match twice {
                Twice::IsOnce => error.is_passing(),
                Twice::IsTwo => error.is_passing() && error.is_without_effect(),
            })
            .adjust(|error, wait| {
                // Nothing is left of the attempts where there is no wait.
                let wait = wait?.max(error.after().unwrap_or_default());
                (wait <= self.longest && Instant::now() + wait <= until).then_some(wait)
            })
            .await
    }
}

/// What comes of a request that is sent twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Twice {
    /// The same as of one: reads, replacements, removals, and methods such as `:setIamPolicy`, which an etag guards.
    IsOnce,
    /// Two of what it makes.
    IsTwo,
}

impl Twice {
    fn of(operation: &Operation) -> Self {
        let path = operation.path.split('?').next().unwrap_or_default();
        let method = path.rsplit('/').next().is_some_and(|last| last.contains(':'));
        // Compute's methods are folders of their own: `projects/acme/setCommonInstanceMetadata`.
        let method = method || path.rsplit('/').next().is_some_and(|last| last.starts_with("set"));
        // Whose name the caller gives can't be made twice; that of a task, and of an organization policy, stands in its body.
        let named = operation.path.contains("Id=") || [TASKS, POLICY].contains(&operation.service);
        match operation.verb {
            Verb::Post if !method && !named => Twice::IsTwo,
            Verb::Get | Verb::Put | Verb::Patch | Verb::Delete | Verb::Post => Twice::IsOnce,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::service::RESOURCES;

    #[test]
    fn what_would_be_made_twice_is_known() {
        let of = |verb, path: &str| Twice::of(&Operation { verb, service: RESOURCES, path: path.to_owned() });
        for (verb, path, expected) in [
            (Verb::Post, "liens", Twice::IsTwo),
            (Verb::Post, "billingAccounts/1/budgets", Twice::IsTwo),
            (Verb::Post, "policies/a%2Fb/denypolicies?policyId=landfall-gate", Twice::IsOnce),
            (Verb::Post, "projects/acme:setIamPolicy", Twice::IsOnce),
            (Verb::Post, "projects/acme/services:batchEnable", Twice::IsOnce),
            (Verb::Post, "projects/acme/setCommonInstanceMetadata", Twice::IsOnce),
            (Verb::Put, "projects/acme/billingInfo", Twice::IsOnce),
        ] {
            assert_eq!(of(verb, path), expected, "{path}");
        }
        let policy =
            Operation { verb: Verb::Post, service: POLICY, path: "projects/acme/policies".to_owned() };
        assert_eq!(Twice::of(&policy), Twice::IsOnce);
    }
}
