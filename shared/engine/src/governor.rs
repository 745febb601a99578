//! Keeps calls within the share of an API's quota that Landfall may use, so that production never notices.
//!
//! Quotas belong to an account and to a family of operations, and whoever runs in the account draws on the same
//! ones. So each (account, family) has its own bucket: a call waits here, before it is sent, rather than being
//! throttled there together with everybody else's. One governor serves one cloud in one process; several
//! processes share by each being given a smaller [`Share`].

use governor::clock::{Clock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Buckets kept before full ones are dropped: a sweep of many tenants must not grow with their number.
const BUCKETS: usize = 1_024;

/// No published quota is slower, and longer times would overflow the arithmetic of the limiter.
const SLOWEST: Duration = Duration::from_secs(24 * 60 * 60);
/// No published quota lets more through at once; for the same reason.
const WIDEST: u32 = 10_000;

/// A quota as the clouds publish it: so many calls in such a time, and so many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// One more call may be sent each time this has passed.
    every: Duration,
    burst: NonZeroU32,
}

impl Rate {
    /// `calls` in each `period`, of which `burst` may come at once: 0.1 a second, 3 at once, is
    /// `Rate::new(1, Duration::from_secs(10), 3)`. Zeros are read as the least that still moves, and anything
    /// slower than one call a day as that.
    pub const fn new(calls: u32, period: Duration, burst: u32) -> Rate {
        let calls = if calls == 0 { 1 } else { calls };
        let every = match period.checked_div(calls) {
            Some(every) if !every.is_zero() => every,
            Some(_) | None => Duration::from_nanos(1),
        };
        let burst = match NonZeroU32::new(if burst < WIDEST { burst } else { WIDEST }) {
            Some(burst) => burst,
            None => NonZeroU32::MIN,
        };
        Rate { every, burst }
    }

    /// `calls` a second, of which `burst` may come at once.
    pub const fn per_second(calls: u32, burst: u32) -> Rate {
        Rate::new(calls, Duration::from_secs(1), burst)
    }

    /// `calls` a minute, of which `burst` may come at once.
    pub const fn per_minute(calls: u32, burst: u32) -> Rate {
        Rate::new(calls, Duration::from_secs(60), burst)
    }

    /// A part of this rate; never nothing.
    fn shared(self, Share(share): Share) -> Rate {
        // Cut off, never rounded up: the share is a promise to production. From 0 to the burst, so it fits.
        let burst = NonZeroU32::new((f64::from(self.burst.get()) * share) as u32).unwrap_or(NonZeroU32::MIN);
        Rate { every: self.every.min(SLOWEST).div_f64(share).min(SLOWEST), burst }
    }
}

/// The part of a quota that Landfall may use: above 0, at most 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Share(f64);

impl Share {
    pub const ALL: Share = Share(1.0);
    pub const HALF: Share = Share(0.5);

    /// `None` unless the number is from 0.001 to 1.
    pub fn new(share: f64) -> Option<Share> {
        (0.001..=1.0).contains(&share).then_some(Share(share))
    }
}

/// A bucket of calls, and the queue in front of it.
struct Bucket<C: Clock> {
    limiter: RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<C::Instant>>,
    burst: NonZeroU32,
    // Fair: who came first is sent first, and only one waits for the clock at a time.
    turn: tokio::sync::Mutex<()>,
}

type Families<C> = BTreeMap<Box<str>, Arc<Bucket<C>>>;

struct Buckets<C: Clock> {
    by_account: BTreeMap<Box<str>, Families<C>>,
    count: usize,
    tidy_at: usize,
}

/// Says when the next call may be sent.
pub struct Governor<C: Clock = MonotonicClock> {
    rates: Box<dyn Fn(&str) -> Rate + Send + Sync>,
    share: Share,
    clock: C,
    buckets: Mutex<Buckets<C>>,
}

impl Governor {
    /// `rates` gives the published quota of a family of operations.
    pub fn new(rates: impl Fn(&str) -> Rate + Send + Sync + 'static) -> Governor {
        Governor::with_clock(rates, MonotonicClock)
    }
}

impl<C: Clock + Clone> Governor<C> {
    /// A governor by another clock, for tests.
    fn with_clock(rates: impl Fn(&str) -> Rate + Send + Sync + 'static, clock: C) -> Governor<C> {
        let buckets = Buckets { by_account: BTreeMap::new(), count: 0, tidy_at: BUCKETS };
        Governor { rates: Box::new(rates), share: Share::ALL, clock, buckets: Mutex::new(buckets) }
    }

    /// Uses only a part of each quota.
    #[must_use]
    pub fn with_share(self, share: Share) -> Governor<C> {
        Governor { share, ..self }
    }

    /// Returns when a call of `family` may be sent to `account`, and counts it as sent. Those who wait are served
    /// in the order they came; who stops waiting takes nothing.
    pub async fn ready(&self, account: &str, family: &str) {
        let bucket = self.bucket(account, family);
        let _turn = bucket.turn.lock().await;
        while let Some(wait) = self.take(&bucket) {
            tracing::debug!(account, family, ?wait, "waiting for the quota");
            tokio::time::sleep(wait).await;
        }
    }

    /// Takes a call out of the bucket, or says how long it will be empty.
    fn take(&self, bucket: &Bucket<C>) -> Option<Duration> {
        bucket.limiter.check().err().map(|not_yet| not_yet.wait_time_from(self.clock.now()))
    }

    fn bucket(&self, account: &str, family: &str) -> Arc<Bucket<C>> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.by_account.get(account).and_then(|families| families.get(family)) {
            return Arc::clone(bucket);
        }
        if buckets.count >= buckets.tidy_at {
            buckets.tidy();
        }
        let Rate { every, burst } = (self.rates)(family).shared(self.share);
        // INVARIANT: `every` is never zero, the only thing that a period can do wrong.
        let quota =
            Quota::with_period(every).unwrap_or(Quota::per_second(NonZeroU32::MIN)).allow_burst(burst);
        let limiter = RateLimiter::direct_with_clock(quota, self.clock.clone());
        let bucket = Arc::new(Bucket { limiter, burst, turn: tokio::sync::Mutex::default() });
        buckets.by_account.entry(account.into()).or_default().insert(family.into(), Arc::clone(&bucket));
        buckets.count += 1;
        bucket
    }
}

impl<C: Clock> Buckets<C> {
    /// Drops the buckets that nobody holds and that are full again: a new one would be the same.
    fn tidy(&mut self) {
        self.by_account.retain(|_, families| {
            families.retain(|_, bucket| {
                // Taking all that a full bucket has is how to ask whether it is full; it is dropped then.
                Arc::strong_count(bucket) > 1 || !matches!(bucket.limiter.check_n(bucket.burst), Ok(Ok(())))
            });
            !families.is_empty()
        });
        self.count = self.by_account.values().map(BTreeMap::len).sum();
        // Where most are in use, looking again soon would only cost time.
        self.tidy_at = BUCKETS.max(self.count * 2);
    }
}

impl<C: Clock> fmt::Debug for Governor<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.buckets.lock().unwrap_or_else(PoisonError::into_inner).count;
        f.debug_struct("Governor")
            .field("share", &self.share)
            .field("buckets", &count)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use governor::clock::FakeRelativeClock;
    use std::collections::VecDeque;

    fn governed(rate: Rate, share: Share) -> (Governor<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        (Governor::with_clock(move |_| rate, clock.clone()).with_share(share), clock)
    }

    /// When each of `calls` is sent, in milliseconds, by one who sends as soon as he may.
    fn sent_at(rate: Rate, share: Share, calls: usize) -> Vec<u128> {
        let (governor, clock) = governed(rate, share);
        let bucket = governor.bucket("111111111111", "ec2");
        let mut now = Duration::ZERO;
        let mut sent = Vec::new();
        while sent.len() < calls {
            match governor.take(&bucket) {
                None => sent.push(now.as_millis()),
                Some(wait) => {
                    assert!(!wait.is_zero(), "a wait of nothing would spin");
                    clock.advance(wait);
                    now += wait;
                }
            }
        }
        sent
    }

    #[test]
    fn calls_are_sent_at_the_published_rate() {
        let half = Share::HALF;
        let tenth = Share::new(0.1).unwrap();
        let table: [(&str, Rate, Share, &[u128]); 9] = [
            ("two a second, one at once", Rate::per_second(2, 1), Share::ALL, &[0, 500, 1000, 1500]),
            ("two a second, three at once", Rate::per_second(2, 3), Share::ALL, &[0, 0, 0, 500, 1000]),
            ("half of that", Rate::per_second(2, 3), half, &[0, 1000, 2000]),
            ("half of a burst of four", Rate::per_second(4, 4), half, &[0, 0, 500, 1000]),
            ("a tenth still moves", Rate::per_second(2, 3), tenth, &[0, 5000, 10_000]),
            ("five a minute", Rate::per_minute(5, 1), Share::ALL, &[0, 12_000, 24_000]),
            (
                "0.1 a second, three at once",
                Rate::new(1, Duration::from_secs(10), 3),
                Share::ALL,
                &[0, 0, 0, 10_000],
            ),
            ("no calls is read as one", Rate::per_second(0, 0), Share::ALL, &[0, 1000]),
            ("a thousand a second", Rate::per_second(1000, 1), Share::ALL, &[0, 1, 2, 3]),
        ];
        for (situation, rate, share, expected) in table {
            assert_eq!(sent_at(rate, share, expected.len()), expected, "{situation}");
        }
    }

    #[test]
    fn accounts_and_families_do_not_wait_for_each_other() {
        let (governor, _) = governed(Rate::per_second(1, 1), Share::ALL);
        let mut taken = Vec::new();
        for (account, family) in
            [("1", "ec2"), ("1", "iam"), ("2", "ec2"), ("1", "ec2"), ("2", "ec2"), ("1", "iam")]
        {
            taken.push(governor.take(&governor.bucket(account, family)).is_none());
        }
        assert_eq!(taken, [true, true, true, false, false, false]);
    }

    #[test]
    fn each_family_has_its_own_rate() {
        let clock = FakeRelativeClock::default();
        let rates = |family: &str| match family {
            "ec2" => Rate::per_second(1, 3),
            _ => Rate::per_second(1, 1),
        };
        let governor = Governor::with_clock(rates, clock);
        let at_once = |family| {
            let bucket = governor.bucket("1", family);
            std::iter::from_fn(|| governor.take(&bucket).is_none().then_some(())).count()
        };
        assert_eq!([at_once("ec2"), at_once("iam")], [3, 1]);
    }

    #[test]
    fn rest_fills_the_bucket_no_further_than_its_burst() {
        let (governor, clock) = governed(Rate::per_second(1, 2), Share::ALL);
        let bucket = governor.bucket("1", "ec2");
        clock.advance(Duration::from_secs(3600));
        let at_once: VecDeque<bool> = (0..4).map(|_| governor.take(&bucket).is_none()).collect();
        assert_eq!(at_once, [true, true, false, false]);
    }

    #[test]
    fn full_buckets_are_dropped_and_used_ones_are_not() {
        let (governor, clock) = governed(Rate::per_second(1, 1), Share::ALL);
        let held = governor.bucket("held", "ec2");
        for account in 1..BUCKETS {
            assert_eq!(governor.take(&governor.bucket(&account.to_string(), "ec2")), None);
        }
        let count = || governor.buckets.lock().unwrap().count;
        assert_eq!(count(), BUCKETS);

        clock.advance(Duration::from_secs(1));
        let busy = governor.bucket("1", "ec2");
        assert_eq!(governor.take(&busy), None);
        drop(busy);
        governor.bucket("new", "ec2");
        assert_eq!(count(), 3, "the held, the busy and the new one");
        assert!(Arc::ptr_eq(&held, &governor.bucket("held", "ec2")));
        assert!(governor.take(&governor.bucket("1", "ec2")).is_some(), "what was used is still counted");
    }

    #[test]
    fn a_share_is_a_part() {
        for (number, taken) in [
            (1.0, true),
            (0.5, true),
            (0.001, true),
            (0.0, false),
            (-0.5, false),
            (1.1, false),
            (f64::NAN, false),
            (f64::INFINITY, false),
            (f64::MIN_POSITIVE, false),
        ] {
            assert_eq!(Share::new(number).is_some(), taken, "{number}");
        }
    }

    #[test]
    fn no_rate_is_too_odd() {
        for rate in [
            Rate::new(0, Duration::ZERO, 0),
            Rate::new(u32::MAX, Duration::from_nanos(1), u32::MAX),
            Rate::new(1, Duration::MAX, u32::MAX),
        ] {
            let (governor, _) = governed(rate, Share::new(0.001).unwrap());
            assert_eq!(governor.take(&governor.bucket("1", "ec2")), None, "{rate:?}");
        }
    }

    #[tokio::test]
    async fn waiting_is_by_the_clock_and_in_order() {
        let governor = Governor::new(|_| Rate::per_second(500, 1));
        let begin = std::time::Instant::now();
        let order = Mutex::new(Vec::new());
        let (governor, order) = (&governor, &order);
        futures_util::future::join_all((0..6).map(|caller| async move {
            governor.ready("1", "ec2").await;
            order.lock().unwrap().push(caller);
        }))
        .await;
        assert_eq!(*order.lock().unwrap(), [0, 1, 2, 3, 4, 5]);
        assert!(
            begin.elapsed() >= Duration::from_millis(10),
            "five waits of 2 ms took {:?}",
            begin.elapsed()
        );
    }

    #[tokio::test]
    async fn who_stops_waiting_takes_nothing() {
        let governor = Governor::new(|_| Rate::new(1, Duration::from_secs(3600), 1));
        governor.ready("1", "ec2").await;
        for _ in 0..3 {
            let gone = tokio::time::timeout(Duration::from_millis(1), governor.ready("1", "ec2")).await;
            assert!(gone.is_err());
        }
        let wait = governor.take(&governor.bucket("1", "ec2"));
        assert!(wait.is_some_and(|wait| wait <= Duration::from_secs(3600)), "{wait:?}");
    }
}
