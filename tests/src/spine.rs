//! The whole way of a tenant, on a cloud where an event or a sweep finds it: discovered, gated, brought to its baseline, handed over,
//! broken, repaired; and what may come in its way. What is asked of each cloud is written here once.

#![expect(clippy::panic, clippy::unwrap_used, reason = "test harness: a failure here is a failed test")]

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::SignedDuration;
use landfall_engine::engine::{Clock as _, Deadline, Engine, SystemClock};
use landfall_engine::reconcile::{Order, Reconciled, reconcile};
use landfall_engine::store::{Key, Store, StoreError, Stored, Version};
use landfall_engine::{ask, history, lease, pause};
use landfall_model::catalog::ControlKind;
use landfall_model::desired::Standing;
use landfall_model::finding::Status;
use landfall_model::ledger::Event;
use landfall_model::outcome::Done;
use landfall_model::record::Life;
use landfall_model::report::{Next, Report};
use landfall_model::target::Target;
use landfall_model::trigger::Cause;
use landfall_reports::text;

use crate::properties::Ground;
use crate::stage::{Stage, tenant};

/// A cloud whose tenants go the whole way.
pub trait Way: Ground {
    /// The calls that close the gate, as the stage's own list of writes names them.
    const CLOSES: &'static [&'static str];
    /// Faults that deny writing security contacts, reading them in a tenant, and each way in which the gate can't be closed or seen
    /// there; `{id}` stands for the tenant.
    const NO_CONTACTS: &'static str;
    const NO_LOOK_AT_CONTACTS: &'static str;
    const NO_GATE: &'static [&'static str];
    /// What the refusals say.
    const DENIED: &'static str;
    /// How many sweeps it takes until everything holds: what one makes possible may be there for the next only.
    const SWEEPS: usize;
    /// A target of another cloud.
    const FOREIGN: &'static str;

    /// A stage with the shared manifest and a few sample tenants, on which nobody has looked yet.
    fn stage() -> impl Future<Output = Stage<Self>> + Send;
    /// Makes a tenant of this name; its id.
    fn make(&self, name: &str) -> String;
    /// Calls that were accepted and that changed something about a tenant, in order.
    fn writes(stage: &Stage<Self>, id: &str) -> Vec<String>;
    /// All calls that were accepted and changed something.
    fn all_writes(&self) -> Vec<String>;
    /// Forgets the calls so far.
    fn clear(&self);
    /// Replaces the faults.
    fn fail(&self, faults: &str);
}

/// A stage after its first sweep, and a new tenant in it.
pub async fn with_a_new_tenant<S: Way>(name: &str) -> (Stage<S>, String) {
    let stage = S::stage().await;
    stage.sweep().await;
    let id = stage.simulator.make(name);
    stage.simulator.clear();
    (stage, id)
}

/// Brings a tenant on its way as far as it goes: what the cloud takes time for is looked at again.
pub async fn bring<S: Way>(stage: &Stage<S>, id: &str) -> Life {
    stage.run(id, Cause::Created).await;
    for _ in 0..6 {
        if stage.record(id).await.unwrap().life == Life::HandedOver {
            break;
        }
        stage.clock.pass(SignedDuration::from_secs(11));
        stage.run(id, Cause::Asked).await;
    }
    stage.record(id).await.unwrap().life
}

/// The last report on a tenant, for people.
pub async fn told<S>(stage: &Stage<S>, id: &str) -> String {
    let report = landfall_engine::ask::last_report(&*stage.engine.store, &tenant(id)).await.unwrap();
    report.map(|report| text::report(&report)).unwrap_or_default()
}

pub async fn the_first_sweeps_make_the_organization_ready_and_another_finds_nothing_to_do<S: Way>() {
    let stage = S::stage().await;
    for _ in 0..S::SWEEPS {
        let closed = stage.sweep().await;
        assert!(closed.unknown.is_empty() && closed.complete, "{closed:?}");
    }
    let organization = Target::Organization(S::PROVIDER.as_str().parse().unwrap());
    let Reconciled::Done(report) = stage.order(organization, Cause::Asked).await else { panic!("not done") };
    assert_eq!((report.counts.fail, report.counts.unknown), (0, 0), "{}", text::report(&report));
    stage.simulator.clear();
    let closed = stage.sweep().await;
    let writes = stage.simulator.all_writes();
    assert_eq!(closed.changes, 0, "{closed:?}\n{writes:#?}");
    assert!(writes.is_empty(), "{writes:?}");
}

/// Answers the calls that changed something, from the first to the last.
pub async fn a_new_tenant_is_gated_brought_to_its_baseline_verified_and_handed_over<S: Way>() -> Vec<String> {
    let (stage, id) = with_a_new_tenant::<S>("new-shop").await;
    let life = bring(&stage, &id).await;
    assert_eq!(life, Life::HandedOver, "{}", told(&stage, &id).await);
    assert!(stage.history_is_whole(&id).await);
    let left = stage.preview(&id).await;
    assert!(left.plan.changes.is_empty(), "{}", text::plan(&left.plan, None));
    let writes = S::writes(&stage, &id);
    let first = writes.first().unwrap().as_str();
    assert!(S::CLOSES.contains(&first), "the gate closes before anything else: {writes:?}");
    let deliveries = stage.engine.store.list("deliveries", None, 10).await.unwrap();
    assert_eq!(deliveries.len(), 1);
    writes
}

pub async fn a_sweep_alone_finds_a_new_tenant_and_brings_it_the_same_way<S: Way>() {
    let (stage, id) = with_a_new_tenant::<S>("new-shop").await;
    stage.sweep().await;
    for _ in 0..3 {
        stage.clock.pass(SignedDuration::from_secs(11));
        stage.sweep().await;
    }
    assert_eq!(stage.record(&id).await.unwrap().life, Life::HandedOver, "{}", told(&stage, &id).await);
    // The event that comes late finds nothing to do.
    stage.simulator.clear();
    stage.run(&id, Cause::Joined).await;
    assert!(S::writes(&stage, &id).is_empty());
}

pub async fn a_sweep_of_one_unit_brings_who_belongs_there_and_leaves_the_others_alone<S: Way>() {
    let (stage, id) = with_a_new_tenant::<S>("new-shop").await;
    let store = &*stage.engine.store;
    let organization = Target::Organization(S::PROVIDER.as_str().parse().unwrap());
    let before = (ask::status(store).await.unwrap().swept, lease::peek(store, &organization).await.unwrap());
    // It belongs to another unit, so nobody looks at it.
    let closed = stage.sweep_of(Some("sandbox")).await;
    assert!(closed.complete && closed.unknown.is_empty(), "{closed:?}");
    assert!(stage.record(&id).await.is_none() && S::writes(&stage, &id).is_empty());
    for _ in 0..4 {
        let closed = stage.sweep_of(Some("workloads/production")).await;
        assert!(closed.complete && closed.unknown.is_empty(), "{closed:?}");
        stage.clock.pass(SignedDuration::from_secs(11));
    }
    assert_eq!(stage.record(&id).await.unwrap().life, Life::HandedOver, "{}", told(&stage, &id).await);
    // The organization was not looked at again, and nobody takes this for a whole sweep.
    let status = ask::status(store).await.unwrap();
    let partly: Vec<&str> = status.partly.iter().map(|one| one.unit.as_str()).collect();
    assert_eq!(partly, ["sandbox", "workloads/production"]);
    let shown = text::status(&status);
    assert!(shown.contains("only the unit `workloads/production` was swept at"), "{shown}");
    assert_eq!((status.swept, lease::peek(store, &organization).await.unwrap()), before);
}

/// Breaks things by hand in a tenant that was handed over.
pub async fn what_is_broken_by_hand_is_found_and_repaired_by_the_next_sweep<S: Way>(
    how: fn(&mut S::World, &str),
) {
    let (stage, id) = with_a_new_tenant::<S>("new-shop").await;
    assert_eq!(bring(&stage, &id).await, Life::HandedOver);
    stage.simulator.disturb(how, &id);
    stage.simulator.clear();
    stage.sweep().await;
    assert!(!S::writes(&stage, &id).is_empty());
    stage.simulator.clear();
    stage.sweep().await;
    let writes = S::writes(&stage, &id);
    assert!(writes.is_empty(), "{writes:?}");
    assert!(stage.preview(&id).await.plan.changes.is_empty());
    assert!(stage.history_is_whole(&id).await);
}

pub async fn nothing_is_gated_before_the_first_inventory<S: Way>() {
    let stage = S::stage().await;
    let id = stage.simulator.make("new-shop");
    let report = stage.reconcile(&id, Cause::Created).await;
    assert_eq!(
        report.standing,
        Standing::ReportOnly("there is no first inventory yet: the next sweep writes it".into())
    );
    assert!(S::writes(&stage, &id).is_empty());
}

pub async fn a_new_tenant_that_nobody_lets_in_stays_behind_its_gate<S: Way>() {
    let (stage, id) = with_a_new_tenant::<S>("mystery").await;
    let report = stage.reconcile(&id, Cause::Created).await;
    assert_eq!((report.life, &report.standing), (Life::Gated, &Standing::Waiting));
    let writes = S::writes(&stage, &id);
    assert!(!writes.is_empty());
    assert!(writes.iter().all(|write| S::CLOSES.contains(&write.as_str())), "{writes:?}");
    // A sweep later it is still there, and nothing more was written.
    stage.sweep().await;
    assert_eq!(stage.record(&id).await.unwrap().life, Life::Gated);
    assert_eq!(S::writes(&stage, &id), writes);
}

pub async fn a_tenant_that_can_t_be_verified_stays_gated_and_the_report_says_why<S: Way>() {
    let (stage, id) = with_a_new_tenant::<S>("new-shop").await;
    stage.simulator.fail(S::NO_CONTACTS);
    let report = stage.reconcile(&id, Cause::Created).await;
    assert_eq!(report.life, Life::Placed, "{}", text::report(&report));
    let withheld = withheld(&report);
    assert!(withheld.iter().any(|why| why.contains("security-contacts")), "{withheld:?}");
    let failed = |one: &&landfall_model::outcome::Outcome| matches!(one.result, Done::Failed { .. });
    let failed: Vec<_> = report.outcomes.iter().filter(failed).map(|one| &one.change).collect();
    assert!(
        failed.iter().all(|change| change.to_string().starts_with("security-contacts/")),
        "one broken setting costs that setting: {failed:?}"
    );
    // The right is granted, and the next look hands it over.
    stage.simulator.fail("");
    stage.clock.pass(SignedDuration::from_mins(20));
    assert_eq!(bring(&stage, &id).await, Life::HandedOver);
    assert!(stage.history_is_whole(&id).await);
}

fn withheld(report: &Report) -> Vec<&str> {
    report
        .outcomes
        .iter()
        .filter_map(|one| match &one.result {
            Done::Withheld { why } => Some(why.as_str()),
            Done::Written { .. } | Done::Failed { .. } | Done::Moved { .. } => None,
        })
        .collect()
}

pub async fn could_not_look_is_unknown_and_never_a_pass<S: Way>() {
    let (stage, id) = with_a_new_tenant::<S>("new-shop").await;
    assert_eq!(bring(&stage, &id).await, Life::HandedOver);
    stage.simulator.fail(&S::NO_LOOK_AT_CONTACTS.replace("{id}", &id));
    let report = stage.reconcile(&id, Cause::Asked).await;
    let control = ControlKind::SecurityContacts;
    let finding = report.findings.iter().find(|finding| finding.control == control).unwrap();
    assert_eq!(finding.status, Status::Unknown);
    assert!(finding.why.contains(S::DENIED), "{}", finding.why);
    assert!(report.changes.is_empty(), "what can't be seen is not written");
}

pub async fn a_gate_that_can_t_be_closed_or_seen_stops_everything_behind_it<S: Way>() {
    for fault in S::NO_GATE {
        let (stage, id) = with_a_new_tenant::<S>("new-shop").await;
        stage.simulator.fail(&fault.replace("{id}", &id));
        let report = stage.reconcile(&id, Cause::Created).await;
        assert_eq!(report.life, Life::Discovered, "{fault}: {}", text::report(&report));
        let writes = S::writes(&stage, &id);
        // A gate of several parts may be half closed.
        assert!(writes.iter().all(|write| S::CLOSES.contains(&write.as_str())), "{fault}: {writes:?}");
    }
}

pub async fn throttling_of_a_fifth_and_slow_effects_only_cost_time<S: Way>() {
    for faults in ["throttle=0.2,seed=7", "5xx=0.1,seed=3", "throttle=0.2,lag=300ms,seed=11"] {
        let (stage, id) = with_a_new_tenant::<S>("new-shop").await;
        stage.simulator.fail(faults);
        drop(stage.order(tenant(&id), Cause::Created).await);
        for _ in 0..8 {
            if stage.record(&id).await.unwrap().life == Life::HandedOver {
                break;
            }
            tokio::time::sleep(Duration::from_millis(400)).await;
            stage.clock.pass(SignedDuration::from_mins(11));
            drop(stage.order(tenant(&id), Cause::Asked).await);
        }
        let life = stage.record(&id).await.unwrap().life;
        assert_eq!(life, Life::HandedOver, "{faults}: {}", told(&stage, &id).await);
        tokio::time::sleep(Duration::from_millis(400)).await;
        let left = stage.preview(&id).await;
        assert!(left.plan.changes.is_empty(), "{faults}: {}", text::plan(&left.plan, None));
        assert!(stage.history_is_whole(&id).await, "{faults}");
    }
}

pub async fn three_deliveries_at_once_come_to_one_baseline<S: Way>() {
    let (stage, id) = with_a_new_tenant::<S>("new-shop").await;
    let engines = [S::another(&stage).await, S::another(&stage).await, S::another(&stage).await];
    let order = Order::new(tenant(&id), Cause::Created, stage.deadline());
    let [one, two, three] = &engines;
    let (one, two, three) =
        tokio::join!(reconcile(one, &order), reconcile(two, &order), reconcile(three, &order));
    for done in [one, two, three] {
        drop(done.unwrap());
    }
    for _ in 0..3 {
        stage.clock.pass(SignedDuration::from_mins(6));
        stage.run(&id, Cause::Asked).await;
    }
    let life = stage.record(&id).await.unwrap().life;
    assert_eq!(life, Life::HandedOver, "{}", told(&stage, &id).await);
    assert!(stage.preview(&id).await.plan.changes.is_empty());
    let deliveries = stage.engine.store.list("deliveries", None, 10).await.unwrap();
    assert_eq!(deliveries.len(), 1);
    assert!(stage.history_is_whole(&id).await);
}

pub async fn a_run_without_time_says_so_and_the_next_one_goes_on<S: Way>() {
    let (stage, id) = with_a_new_tenant::<S>("new-shop").await;
    let soon = Deadline(stage.engine.clock.now() + SignedDuration::from_secs(2));
    let order = Order::new(tenant(&id), Cause::Created, soon);
    let Reconciled::Done(report) = reconcile(&stage.engine, &order).await.unwrap() else {
        panic!("not done")
    };
    assert_eq!(report.next, Next::Resume);
    assert!(S::writes(&stage, &id).is_empty());
    stage.drain().await;
    assert_eq!(bring(&stage, &id).await, Life::HandedOver);
}

/// The stop switch: nothing is written from there on, not even the gate; everybody is told; and what was left goes on afterwards.
pub async fn while_somebody_has_paused_nothing_is_written_and_everybody_is_told<S: Way>() {
    let (stage, id) = with_a_new_tenant::<S>("new-shop").await;
    let store = &*stage.engine.store;
    let now = stage.engine.clock.now();
    pause::throw(store, true, now, "ops@acme.example", "an incident").await.unwrap();
    for _ in 0..2 {
        let report = stage.reconcile(&id, Cause::Created).await;
        assert_eq!(report.paused.as_ref().map(|turn| turn.why.as_str()), Some("an incident"));
        assert!(!report.changes.is_empty() && report.written() == 0 && report.needs_attention());
        assert_eq!(report.next, Next::Sweep);
        let told = text::report(&report);
        assert!(told.contains("PAUSED") && told.contains("ops@acme.example"), "{told}");
    }
    let closed = stage.sweep().await;
    assert_eq!(closed.paused.map(|turn| turn.by), Some("ops@acme.example".to_owned()));
    assert!(stage.simulator.all_writes().is_empty(), "{:?}", stage.simulator.all_writes());

    pause::throw(store, false, now, "ops@acme.example", "it is over").await.unwrap();
    assert_eq!(bring(&stage, &id).await, Life::HandedOver);
    assert!(stage.history_is_whole(&id).await);
    // Each turn once, however often somebody looked.
    let expected = [(true, "an incident".to_owned()), (false, "it is over".to_owned())];
    assert_eq!(turns(store, &id).await, expected);
}

/// What a tenant's ledger tells of the stop switch: whether it stopped, and why.
pub async fn turns(store: &dyn Store, id: &str) -> Vec<(bool, String)> {
    let entries = history::entries(store, &tenant(id), 0, 1000).await.unwrap();
    let turns = entries.into_iter().filter_map(|entry| match entry.event {
        Event::Switched { turn } => Some((turn.paused, turn.why)),
        Event::Intent { .. } | Event::Outcome { .. } | Event::Settled { .. } | Event::Life { .. } => None,
    });
    turns.collect()
}

/// A switch that is thrown while a run is under way counts for what the run has not begun.
pub async fn a_pause_in_the_middle_of_a_run_stops_what_is_left<S: Way>() {
    let (stage, id) = with_a_new_tenant::<S>("new-shop").await;
    let thrown = ThrownBy { inner: stage.engine.store.clone(), after: "/00000000000000000005".to_owned() };
    let engine = Engine { store: Arc::new(thrown), ..stage.engine.clone() };
    let order = Order::new(tenant(&id), Cause::Created, stage.deadline());
    let Reconciled::Done(report) = reconcile(&engine, &order).await.unwrap() else { panic!("not done") };
    let told = text::report(&report);
    assert!(report.paused.is_some() && report.written() > 0, "{told}");
    assert!(u32::try_from(report.changes.len()).unwrap() > report.written(), "{told}");
    assert!(report.life < Life::HandedOver, "{told}");
    let now = stage.engine.clock.now();
    pause::throw(&*stage.engine.store, false, now, "ops@acme.example", "it is over").await.unwrap();
    assert_eq!(bring(&stage, &id).await, Life::HandedOver);
    assert!(stage.history_is_whole(&id).await);
}

/// A store in which somebody throws the switch as soon as a record whose key ends so was created.
#[derive(Debug)]
struct ThrownBy {
    inner: Arc<dyn Store>,
    after: String,
}

#[async_trait::async_trait]
impl Store for ThrownBy {
    async fn get(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        self.inner.get(key).await
    }

    async fn create(&self, key: &Key, bytes: Bytes) -> Result<Version, StoreError> {
        let created = self.inner.create(key, bytes).await;
        if key.as_str().ends_with(&self.after) {
            let now = SystemClock.now();
            pause::throw(&*self.inner, true, now, "ops@acme.example", "an incident").await.unwrap();
        }
        created
    }

    async fn update(&self, key: &Key, bytes: Bytes, seen: &Version) -> Result<Version, StoreError> {
        self.inner.update(key, bytes, seen).await
    }

    async fn list(&self, folder: &str, after: Option<&Key>, limit: usize) -> Result<Vec<Key>, StoreError> {
        self.inner.list(folder, after, limit).await
    }

    fn describe(&self) -> String {
        self.inner.describe()
    }
}

pub async fn another_cloud_s_target_is_refused<S: Way>() {
    let stage = S::stage().await;
    for target in ["organization/elsewhere", S::FOREIGN] {
        let order = Order::new(target.parse().unwrap(), Cause::Asked, stage.deadline());
        let refused = reconcile(&stage.engine, &order).await.unwrap_err();
        assert!(refused.to_string().contains("is not of the cloud"), "{refused}");
    }
}

/// One test for each scenario that is the same on all clouds.
#[macro_export]
macro_rules! whole_way {
    ($simulator:ty: $($scenario:ident,)*) => {
        $(#[tokio::test]
        async fn $scenario() {
            let _ = $crate::spine::$scenario::<$simulator>().await;
        })*
    };
}
