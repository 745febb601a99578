//! The real function's process, killed in the middle of a baseline, and woken several times at once: what follows ends the baseline, once.
//! What is asked of each cloud is written here once.
//!
//! `crash.rs` cuts calls inside the test's own process; here a process is really killed, at every call that writes and at some that only
//! look, with the lease of the dead run still standing when the event comes again.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "test harness: a failure here is a failed test"
)]

use std::time::Duration;

use futures_util::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use landfall_engine::store::{Store as _, StoreExt as _};
use landfall_engine::{history, keys};
use landfall_model::record::{Life, Record};
use landfall_simulator::Faults;

use crate::real::{Real, Site};
use crate::stage::tenant;

/// Of the calls that only look, each so many is where a process is killed.
const EVERY: u64 = 15;

/// Kills at once.
const AT_ONCE: usize = 12;

/// Everything as it is when a new tenant has just been made.
struct Beginning<S: Real> {
    site: Site<S>,
    id: String,
    event: S::Event,
}

impl<S: Real> Beginning<S> {
    async fn new() -> Self {
        let site = Site::<S>::new(1);
        let process = site.start(&S::binary()).await;
        S::tell(&process, &S::schedule()).await.unwrap();
        site.settle(&[&process]).await.unwrap();
        drop(S::end(process).await);
        let (id, event) = site.simulator.made("new-shop");
        Beginning { site, id, event }
    }

    /// A copy of it all to break.
    fn copy(&self) -> Site<S> {
        let site = self.site.copy();
        site.simulator.forget();
        site
    }

    /// A copy on which the event was followed by nothing but what it leads to.
    async fn undisturbed(&self) -> Site<S> {
        let site = self.copy();
        let process = site.start(&S::binary()).await;
        S::tell(&process, &self.event).await.unwrap();
        site.settle(&[&process]).await.unwrap();
        drop(S::end(process).await);
        self.is_over(&site, "undisturbed").await;
        site
    }

    /// It was brought to its baseline and handed over, once, and the history tells all of it.
    async fn is_over(&self, site: &Site<S>, at: &str) {
        let record = site.record(&self.id).await.unwrap();
        assert_eq!((record.life, record.lease), (Life::HandedOver, None), "{at}");
        let store = site.store().await;
        let verified = history::verify(&store, &tenant(&self.id)).await.unwrap();
        assert_eq!((verified.broken, verified.open), (None, 0), "{at}");
        assert_eq!(store.list("deliveries", None, 10).await.unwrap().len(), 1, "{at}");
        assert!(!site.simulator.is_gated(&self.id), "{at}: handed over behind a closed gate");
    }
}

/// Time passes, as far as a dead run's lease is concerned: it has ended.
async fn end_lease<S: Real>(site: &Site<S>, id: &str) {
    let (store, key) = (site.store().await, keys::record(&tenant(id)).unwrap());
    let Some((mut record, seen)) = store.read::<Record>(&key).await.unwrap() else { return };
    let Some(lease) = &mut record.lease else { return };
    lease.until = Timestamp::now() - SignedDuration::from_mins(1);
    store.update_json(&key, &record, &seen).await.unwrap();
}

/// Whether the call was made, and so the process killed.
async fn killed_at<S: Real>(beginning: &Beginning<S>, undisturbed: &Site<S>, k: u64) -> bool {
    let at = format!("killed at call {k}");
    let (site, id) = (beginning.copy(), beginning.id.as_str());
    site.simulator.set(Faults { cut_at: Some(k), ..Faults::default() });
    let process = site.start(&S::binary()).await;
    let made = {
        let run = async {
            drop(S::tell(&process, &beginning.event).await);
            drop(site.settle(&[&process]).await);
        };
        let reached = async {
            while (site.simulator.received().len() as u64) < k {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::select! {
            () = run => false,
            () = reached => true,
        }
    };
    drop(S::end(process).await);
    site.simulator.set(Faults::default());

    // The event comes again at once, while the dead run's lease stands; what that leaves in the queue comes after the lease's end.
    let process = site.start(&S::binary()).await;
    let again = S::tell(&process, &beginning.event).await;
    assert!(again.is_ok(), "{at}: {again:?}");
    end_lease(&site, id).await;
    let done = site.settle(&[&process]).await;
    assert!(done.is_ok(), "{at}: {done:?} {:#?}", S::end(process).await);
    beginning.is_over(&site, &at).await;
    assert_eq!(site.amounts(id), undisturbed.amounts(id), "{at}");

    // Everything agrees: who comes late finds nothing to do.
    site.simulator.forget();
    S::tell(&process, &beginning.event).await.unwrap();
    site.settle(&[&process]).await.unwrap();
    assert!(site.writes(id).is_empty(), "{at}: {:?}", site.writes(id));
    drop(S::end(process).await);
    made
}

pub async fn a_process_killed_in_the_middle_of_a_baseline_is_followed_by_one_that_ends_it<S: Real>() {
    let beginning = Beginning::<S>::new().await;
    // One undisturbed run tells which calls there are, and what there is in the end.
    let undisturbed = beginning.undisturbed().await;
    let calls: Vec<bool> = undisturbed.simulator.received().iter().map(S::changes_something).collect();
    let kills: Vec<u64> =
        (1..).zip(&calls).filter(|(k, writes)| **writes || *k % EVERY == 0).map(|(k, _)| k).collect();
    println!("{} kills in a baseline of {} calls", kills.len(), calls.len());
    assert!(kills.len() > 20, "only {} kills in {} calls", kills.len(), calls.len());
    let kill = |k: u64| killed_at(&beginning, &undisturbed, k);
    let kills = kills.into_iter().map(kill);
    let made: Vec<bool> = futures_util::stream::iter(kills).buffer_unordered(AT_ONCE).collect().await;
    // How often it is asked whether something is ready differs, so that a run may be over before the last calls of another.
    let missed = made.iter().filter(|made| !**made).count();
    assert!(missed * 10 <= made.len(), "{missed} of {} calls were never made", made.len());
}

pub async fn three_deliveries_at_once_to_two_processes_are_one_baseline<S: Real>() {
    let beginning = Beginning::<S>::new().await;
    let alone = beginning.undisturbed().await;
    let site = beginning.copy();
    let one = site.start(&S::binary()).await;
    let two = site.start(&S::binary()).await;
    let event = &beginning.event;
    let told = tokio::join!(S::tell(&one, event), S::tell(&two, event), S::tell(&one, event));
    assert_eq!(told, (Ok(()), Ok(()), Ok(())));
    site.settle(&[&one, &two]).await.unwrap();
    drop((S::end(one).await, S::end(two).await));
    beginning.is_over(&site, "three deliveries at once").await;
    assert_eq!(site.writes(&beginning.id), alone.writes(&beginning.id));
    assert_eq!(site.amounts(&beginning.id), alone.amounts(&beginning.id));
}
