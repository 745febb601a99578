use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use landfall_model::answer::Answer;
use landfall_model::desired::Desired;
use landfall_model::facts::{Facts, Origin, State};
use landfall_model::heartbeat::{Heartbeat, Partial};
use landfall_model::id::{Name, Provider, RunId, TenantId};
use landfall_model::judgement::Judgement;
use landfall_model::manifest::bundle::Bundle;
use landfall_model::manifest::{Source, parse::parse};
use landfall_model::observed::{Address, Observed};
use landfall_model::record::Record;
use landfall_model::report::Provenance;
use landfall_model::trigger::{Action, Request, Trigger, Work};

use super::*;
use crate::answer::answer;
use crate::cloud::{Cloud, Hands, LookError, Page, Reader, Sighting, Writer};
use crate::engine::{Deadline, SystemClock, SystemDice, Trusted};
use crate::queue::memory::MemoryQueue;
use crate::queue::{Outbox as _, Queue as _};
use crate::store::StoreExt as _;
use crate::store::memory::MemoryStore;
use crate::sweep::{Closed, begin, close, closed};
use crate::{ask, keys, work};

const MANIFEST: &str = r#"
landfall: 1
organization: acme
clouds:
  aws: { organization: o-a1b2c3d4e5, management-account: "111111111111", home-region: eu-central-1, regions: [eu-central-1] }
units:
  workloads: { units: { production: {}, development: {} } }
  workloads-old: {}
  sandbox: {}
teams: { payments: {} }
landing-zones: { empty: { version: 1, controls: [] } }
projects:
  shop:
    team: payments
    tenants:
      - { aws: "200000000001", unit: workloads/production }
      - { aws: "200000000002", unit: workloads/production }
      - { aws: "200000000003", unit: workloads/development }
      - { aws: "200000000004", unit: workloads-old }
      - { aws: "200000000005", unit: workloads }
intake:
  - { when: { name: "new-*" }, landing-zone: empty, unit: workloads/production }
  - { when: { name: "sbx-*" }, landing-zone: empty, unit: sandbox }
  - { otherwise: stay-gated }
"#;

/// Everybody there is, by their last digit and the name they have now. The seventh came as `new-blog`, and its owner renamed it.
const THERE: [(u8, &str); 9] = [
    (1, "shop"),
    (2, "shop-2"),
    (3, "shop-dev"),
    (4, "shop-old"),
    (5, "shop-all"),
    (6, "new-shop"),
    (7, "blog"),
    (8, "sbx-jane"),
    (9, "mystery"),
];

fn tenant(last: u8) -> TenantId {
    format!("aws/20000000000{last}").parse().unwrap()
}

/// An organization on paper: it has tenants, two on a page, and no settings.
#[derive(Debug)]
struct Paper(Name);

#[async_trait]
impl Cloud for Paper {
    fn name(&self) -> &Name {
        &self.0
    }

    fn provider(&self) -> Provider {
        Provider::Aws
    }

    fn addresses(&self, _: &Desired) -> Vec<Address> {
        Vec::new()
    }

    fn judge(&self, _: &Desired, _: &Observed) -> Vec<Judgement> {
        Vec::new()
    }

    async fn forget(&self) {}

    async fn facts(&self, _: &TenantId) -> Result<Option<Facts>, LookError> {
        Ok(None)
    }

    async fn page(&self, cursor: Option<&str>) -> Result<Page, LookError> {
        let from: usize = cursor.map_or(0, |cursor| cursor.parse().unwrap());
        let tenants = THERE.iter().skip(from).take(2).map(|(last, name)| Surveyed {
            tenant: tenant(*last),
            facts: Facts {
                name: (*name).to_owned(),
                state: State::Active,
                origin: Origin::Joined,
                joined: None,
            },
            seen: Observed::default(),
        });
        let next = (from + 2 < THERE.len()).then(|| (from + 2).to_string());
        Ok(Page { tenants: tenants.collect(), next })
    }

    fn reader(&self, _: &Target, _: &RunId) -> Box<dyn Reader> {
        Box::new(Blank)
    }
}

impl Hands for Paper {
    fn writer(&self, _: &Target, _: &RunId) -> Box<dyn Writer> {
        Box::new(Blank)
    }
}

struct Blank;

#[async_trait]
impl Reader for Blank {
    async fn look(&self, _: &Desired, address: &Address) -> Sighting {
        panic!("nobody asked for {address}")
    }
}

#[async_trait]
impl Writer for Blank {
    async fn write(
        &self,
        change: &landfall_model::plan::Change,
        _: &crate::cloud::Made,
    ) -> Result<serde_json::Value, String> {
        panic!("nobody asked for {}", change.address)
    }
}

/// An engine on paper, and its queue.
async fn paper() -> (Engine, Arc<MemoryQueue>) {
    let parsed = parse(
        &[Source { name: "acme.yaml".to_owned(), text: MANIFEST.to_owned() }],
        "2026-11-21".parse().unwrap(),
    );
    let bundle =
        Bundle::build(parsed.manifest.unwrap_or_else(|| panic!("{:#?}", parsed.diagnostics))).unwrap();
    let provenance =
        Provenance { bundle: bundle.digest().clone(), generation: 0, signed_by: None, author: None };
    let cloud = Arc::new(Paper("aws".parse().unwrap()));
    let queue = Arc::new(MemoryQueue::new());
    let engine = Engine {
        store: Arc::new(MemoryStore::new()),
        queue: queue.clone(),
        cloud: cloud.clone(),
        hands: cloud,
        trusted: Trusted { bundle: Arc::new(bundle), provenance },
        clock: Arc::new(SystemClock),
        dice: Arc::new(SystemDice),
        limits: None,
    };
    let came = Record {
        came_as: Some("new-blog".to_owned()),
        ..Record::new(Target::Tenant(tenant(7)), &RunId::new(Timestamp::UNIX_EPOCH, 1))
    };
    engine.store.create_json(&keys::record(&came.target).unwrap(), &came).await.unwrap();
    (engine, queue)
}

fn soon(engine: &Engine) -> Deadline {
    Deadline(engine.clock.now() + SignedDuration::from_mins(5))
}

/// Works off what is on the queue now, by the targets in order.
async fn drain(engine: &Engine, queue: &MemoryQueue) -> Vec<String> {
    let mut targets = Vec::new();
    loop {
        let received = queue.receive(10).await.unwrap();
        if received.is_empty() {
            targets.sort();
            return targets;
        }
        for message in received {
            let work = work::read(&message.body).unwrap();
            if let Work::Reconcile { target, .. } = &work {
                targets.push(target.to_string());
            }
            drop(work::perform(engine, &work, soon(engine)).await.unwrap());
            queue.done(&message.receipt).await.unwrap();
        }
    }
}

/// Sweeps a unit, or everybody, to its end.
async fn swept(engine: &Engine, queue: &MemoryQueue, unit: Option<&str>) -> (Vec<String>, Closed) {
    let unit: Option<UnitPath> = unit.map(|unit| unit.parse().unwrap());
    let id = begin(engine, unit.as_ref(), soon(engine)).await.unwrap();
    let targets = drain(engine, queue).await;
    (targets, close(engine, &id).await.unwrap().unwrap())
}

#[tokio::test]
async fn a_sweep_of_a_unit_is_for_those_whom_the_manifest_puts_there_or_below() {
    for (unit, expected) in [
        ("workloads", &[1, 2, 3, 5, 6, 7][..]),
        ("workloads/production", &[1, 2, 6, 7]),
        ("workloads/development", &[3]),
        ("workloads-old", &[4]),
        ("sandbox", &[8]),
    ] {
        let (engine, queue) = paper().await;
        let (targets, closed) = swept(&engine, &queue, Some(unit)).await;
        let expected: Vec<String> = expected.iter().map(|last| tenant(*last).to_string()).collect();
        assert_eq!(targets, expected, "{unit}");
        assert_eq!(closed.unit.map(|unit| unit.to_string()).as_deref(), Some(unit));
        let all = u32::try_from(expected.len()).unwrap();
        assert_eq!((closed.targets, closed.done, closed.unknown.len()), (all, all, 0), "{unit}");
        assert!(closed.complete, "{unit}");
    }
}

#[tokio::test]
async fn a_whole_sweep_is_for_everybody_and_for_the_organization_too() {
    let (engine, queue) = paper().await;
    let (targets, closed) = swept(&engine, &queue, None).await;
    assert_eq!(targets.len(), THERE.len());
    assert_eq!((closed.unit, closed.targets, closed.done), (None, 10, 10));
}

#[tokio::test]
async fn a_sweep_of_a_unit_leaves_the_organization_alone_and_is_no_sign_of_life() {
    let (engine, queue) = paper().await;
    let store = &*engine.store;
    let (_, part) = swept(&engine, &queue, Some("sandbox")).await;
    assert!(store.list("organizations", None, 10).await.unwrap().is_empty());
    assert!(store.get(&keys::seen(&part.sweep).unwrap()).await.unwrap().is_none());
    assert!(store.list("heartbeats", None, 10).await.unwrap().is_empty());
    // Who is there is written down all the same, before anybody is taken for new.
    assert_eq!(store.list("inventory", None, 10).await.unwrap().len(), 1);
    let status = ask::status(store).await.unwrap();
    assert_eq!((status.swept.len(), told(&status.partly)), (0, vec!["aws sandbox".to_owned()]));

    // A whole sweep is one, and forgets the parts before it; a part after it leaves it as it was.
    let (_, whole) = swept(&engine, &queue, None).await;
    let status = ask::status(store).await.unwrap();
    assert_eq!((of(&status.swept), told(&status.partly)), (vec![whole.sweep.clone()], vec![]));
    for unit in ["workloads/production", "sandbox", "workloads/production"] {
        drop(swept(&engine, &queue, Some(unit)).await);
    }
    let status = ask::status(store).await.unwrap();
    assert_eq!(of(&status.swept), [whole.sweep]);
    assert_eq!(told(&status.partly), ["aws sandbox", "aws workloads/production"]);
}

fn told(partly: &[Partial]) -> Vec<String> {
    partly.iter().map(|one| format!("{} {}", one.cloud, one.unit)).collect()
}

fn of(swept: &[Heartbeat]) -> Vec<landfall_model::id::SweepId> {
    swept.iter().map(|beat| beat.sweep.clone()).collect()
}

#[tokio::test]
async fn a_sweep_of_a_unit_that_is_cut_goes_on_with_the_same_unit() {
    let (engine, queue) = paper().await;
    let unit = "workloads/production".parse().unwrap();
    let over = Deadline(engine.clock.now());
    let id = begin(&engine, Some(&unit), over).await.unwrap();
    let targets = drain(&engine, &queue).await;
    assert_eq!(targets, [1, 2, 6, 7].map(|last| tenant(last).to_string()));
    assert!(close(&engine, &id).await.unwrap().is_some());
}

#[tokio::test]
async fn who_of_the_unit_is_not_done_is_missing_and_nobody_else() {
    let (engine, queue) = paper().await;
    let unit = "workloads/production".parse().unwrap();
    let id = begin(&engine, Some(&unit), soon(&engine)).await.unwrap();
    // Somebody takes the messages and does nothing.
    while !queue.receive(10).await.unwrap().is_empty() {}
    assert!(close(&engine, &id).await.unwrap().is_none(), "it waits for those who are missing");
    let key = keys::sweep(&id).unwrap();
    let (mut sweep, version) = engine.store.read::<crate::sweep::Sweep>(&key).await.unwrap().unwrap();
    sweep.deadline = engine.clock.now();
    engine.store.update_json(&key, &sweep, &version).await.unwrap();
    let closed = close(&engine, &id).await.unwrap().unwrap();
    let missing: Vec<String> = closed.unknown.iter().map(ToString::to_string).collect();
    assert_eq!(missing, [1, 2, 6, 7].map(|last| tenant(last).to_string()));
    assert_eq!((closed.targets, closed.done), (4, 0));
}

#[tokio::test]
async fn a_sweep_is_asked_for_a_unit_or_for_everybody_and_what_else_is_refused() {
    let ask = |action, targets: &[u8], unit: Option<&str>| Request {
        action,
        targets: targets.iter().map(|last| Target::Tenant(tenant(*last))).collect(),
        unit: unit.map(|unit| unit.parse().unwrap()),
        setting: None,
        limits: None,
    };
    for (request, expected) in [
        (ask(Action::Sweep, &[], None), Ok(None)),
        (ask(Action::Sweep, &[], Some("sandbox")), Ok(Some("sandbox"))),
        (
            ask(Action::Sweep, &[], Some("workloads/test")),
            Err(
                "the manifest has no unit `workloads/test`; it has `sandbox`, `workloads`, `workloads-old`, \
                 `workloads/development`, `workloads/production`",
            ),
        ),
        (ask(Action::Sweep, &[], Some("/")), Err("the manifest has no unit `/`; it has `sandbox`")),
        (ask(Action::Sweep, &[1], None), Err("a sweep is for everybody, or for one `unit`")),
        (ask(Action::Plan, &[1], Some("sandbox")), Err("only a `sweep` is for one `unit`")),
        (ask(Action::Status, &[], Some("sandbox")), Err("only a `sweep` is for one `unit`")),
    ] {
        let (engine, queue) = paper().await;
        let told = format!("{request:?}");
        let answer = answer(&engine, Trigger::Asked(request), soon(&engine)).await.unwrap();
        match (expected, answer) {
            (Ok(expected), Answer::Swept { sweep, unit }) => {
                assert_eq!(unit.map(|unit| unit.to_string()).as_deref(), expected, "{told}");
                drain(&engine, &queue).await;
                drop(close(&engine, &sweep).await.unwrap());
                assert!(closed(&engine, &sweep).await.unwrap().is_some(), "{told}");
            }
            (Err(expected), Answer::Refused { why, recorded: None }) => {
                assert!(why.starts_with(expected), "{told}: {why}");
                assert!(engine.store.list("sweeps", None, 10).await.unwrap().is_empty(), "{told}");
            }
            (expected, answer) => panic!("{told}: {answer:?}, and {expected:?} was expected"),
        }
    }
}

#[tokio::test]
async fn a_message_begins_a_sweep_as_well() {
    for (message, tenants) in
        [(r#"{"work": "sweep", "unit": "sandbox"}"#, 1), (r#"{"work": "sweep"}"#, THERE.len())]
    {
        let (engine, queue) = paper().await;
        queue.send(message, std::time::Duration::ZERO).await.unwrap();
        assert_eq!(drain(&engine, &queue).await.len(), tenants, "{message}");
    }
    let (engine, _) = paper().await;
    let nowhere = work::read(r#"{"work": "sweep", "unit": "nowhere"}"#).unwrap();
    let error = work::perform(&engine, &nowhere, soon(&engine)).await.unwrap_err();
    assert!(error.to_string().starts_with("the manifest has no unit `nowhere`; it has `sandbox`"), "{error}");
    assert!(
        work::read(r#"{"work": "sweep", "units": "sandbox"}"#).is_err(),
        "a slip of the pen sweeps nobody"
    );
}
