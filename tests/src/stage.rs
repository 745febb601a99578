//! A stage: a simulated organization, a manifest, and an engine that knows both. The engine runs in the test's own process.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test harness: a failure here is a failed test")]

use std::sync::{Arc, LazyLock};

use jiff::{SignedDuration, Timestamp};
use landfall_aws::permissions::{needed, partition, policy};
use landfall_aws::{Aws, AwsOrganization};
use landfall_engine::ask::{Preview, preview};
use landfall_engine::cloud::Cloud as _;
use landfall_engine::engine::{Clock, Deadline, Engine, SystemClock, SystemDice, Trusted};
use landfall_engine::permissions::Purpose;
use landfall_engine::queue::Queue as _;
use landfall_engine::queue::memory::MemoryQueue;
use landfall_engine::reconcile::{Order, Reconciled, reconcile};
use landfall_engine::store::Store;
use landfall_engine::store::memory::MemoryStore;
use landfall_engine::sweep::{self, Closed};
use landfall_engine::trust::{Footing, trust};
use landfall_engine::{history, lease, work};
use landfall_model::desired::reach;
use landfall_model::id::{Name, TenantId, UnitPath};
use landfall_model::manifest::bundle::Bundle;
use landfall_model::manifest::parse::parse;
use landfall_model::manifest::{AwsCloud, Cloud, Manifest, Source};
use landfall_model::record::Record;
use landfall_model::report::Report;
use landfall_model::target::Target;
use landfall_model::trigger::{Cause, Work};
use landfall_simulator::{Grants, Options, Settings, Simulator, Taken, World};

/// The manifest that most scenarios share.
pub const ACME: &str = include_str!("../fixtures/acme.yaml");

/// The external id that the manifest names and the simulated roles ask for.
pub const EXTERNAL_ID: &str = "acme-landfall";

/// Reads a manifest that has no problem.
pub fn manifest(text: &str) -> Manifest {
    let today = jiff::civil::date(2026, 11, 21);
    let parsed = parse(&[Source { name: "acme.yaml".into(), text: text.into() }], today);
    match parsed.manifest {
        Some(manifest) => manifest,
        None => panic!("the manifest has problems: {:#?}", parsed.diagnostics),
    }
}

/// A world of `accounts` sample accounts, with the group that the manifest's team has.
pub fn world(accounts: usize) -> World {
    let mut world = World::sample_with(
        accounts,
        Settings { external_id: Some(EXTERNAL_ID.into()), open: false, ..Settings::default() },
    );
    let group = landfall_simulator::Group {
        id: "90670000-1111-4000-8000-000000000001".into(),
        name: "payments-dev".into(),
        description: None,
    };
    world.identity_center.groups.insert(group.id.clone(), group);
    world.taken = taken();
    world
}

/// What `landfall permissions` prints for the manifest's two roles: the least that they can do with.
pub fn grants(manifest: &Manifest) -> Grants {
    let (name, ground) = on_aws(manifest);
    let controls = reach(manifest, &name).unwrap();
    let document = |purpose| policy(&needed(purpose, &controls), partition(&ground));
    Grants::from([
        (ground.roles.read.clone(), document(Purpose::Plan)),
        (ground.roles.write.clone(), document(Purpose::Apply)),
    ])
}

/// The same world, where the manifest's roles may do that and nothing else.
pub fn granted(mut world: World, manifest: &Manifest) -> World {
    world.settings.grants = grants(manifest);
    world
}

/// The permissions that any scenario of this process took.
pub fn taken() -> Taken {
    static TAKEN: LazyLock<Taken> = LazyLock::new(Taken::default);
    TAKEN.clone()
}

/// A clock that tells the machine's time, plus what a test has added to it.
#[derive(Debug, Default)]
pub struct TestClock(std::sync::Mutex<SignedDuration>);

impl TestClock {
    /// Lets time pass.
    pub fn pass(&self, time: SignedDuration) {
        *self.0.lock().unwrap() += time;
    }

    /// How much of it was let pass.
    pub fn passed(&self) -> SignedDuration {
        *self.0.lock().unwrap()
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        SystemClock.now() + *self.0.lock().unwrap()
    }
}

/// A stage, on a simulated AWS unless said.
#[derive(Debug)]
pub struct Stage<S = Simulator> {
    pub simulator: S,
    pub engine: Engine,
    pub queue: Arc<MemoryQueue>,
    pub clock: Arc<TestClock>,
}

impl Stage {
    /// A stage with the shared manifest and `accounts` sample accounts.
    pub async fn with(accounts: usize) -> Self {
        Self::of(world(accounts), ACME, Arc::new(MemoryStore::new())).await
    }

    /// A stage of one's own. The roles are granted what the manifest asks for, and nothing else.
    pub async fn of(world: World, manifest_text: &str, store: Arc<dyn Store>) -> Self {
        let manifest = manifest(manifest_text);
        let world = Some(granted(world, &manifest));
        let simulator = Simulator::start(Options { world, ..Options::default() }).unwrap();
        let engine = engine(&simulator.url(), manifest, store).await;
        let (engine, queue, clock) = engine;
        Stage { simulator, engine, queue, clock }
    }

    /// Follows another manifest from now on.
    pub async fn follow(&mut self, manifest_text: &str) {
        let manifest = manifest(manifest_text);
        self.simulator.edit(|world| world.settings.grants = grants(&manifest));
        let bundle = Bundle::build(manifest).unwrap();
        let now = self.clock.now();
        let store = &*self.engine.store;
        self.engine.trusted = trust(store, bundle, None, None, Footing::Loopback, now).await.unwrap();
        self.engine = self.another().await;
    }

    /// Another stage that stands where this one does, with a world and a store of its own.
    pub async fn copy(&self) -> Self {
        let options = Options { world: Some(self.simulator.read(Clone::clone)), ..Options::default() };
        let simulator = Simulator::start(options).unwrap();
        let (manifest, store) = self.kept().await;
        let (engine, queue, clock) = engine(&simulator.url(), manifest, store).await;
        clock.pass(self.clock.passed());
        Stage { simulator, engine, queue, clock }
    }

    /// Another process on the same stage: the same store, queue and clock, its own connections.
    pub async fn another(&self) -> Engine {
        let ground = self.engine.trusted.bundle.manifest().clone();
        let aws = Aws::loopback(&self.simulator.url(), "eu-central-1").await.unwrap();
        let cloud = organization(aws, &ground);
        Engine { cloud: cloud.clone(), hands: cloud, ..self.engine.clone() }
    }

    /// Calls that the cloud accepted and that changed something in an account, in order, as `service:Operation`. The account is the caller's own, so calls
    /// about an account that are made in the management account are told by their parameters.
    pub fn writes_about(&self, account: &str) -> Vec<String> {
        self.simulator
            .calls()
            .into_iter()
            .filter(|call| call.status == Some(200))
            .filter(|call| call.account == account || call.parameters.to_string().contains(account))
            .map(|call| format!("{}:{}", call.service, call.operation))
            .filter(|call| is_write(call))
            .collect()
    }
}

impl<S> Stage<S> {
    /// The manifest that is followed, and a copy of what the store holds.
    pub(crate) async fn kept(&self) -> (Manifest, Arc<dyn Store>) {
        let (store, copy) = (&self.engine.store, MemoryStore::new());
        for key in store.list("", None, usize::MAX).await.unwrap() {
            copy.create(&key, store.get(&key).await.unwrap().unwrap().bytes).await.unwrap();
        }
        (self.engine.trusted.bundle.manifest().clone(), Arc::new(copy))
    }

    /// Five minutes, as a generous Lambda has.
    pub fn deadline(&self) -> Deadline {
        Deadline(self.clock.now() + SignedDuration::from_mins(5))
    }

    /// Reconciles a tenant, as if an event had named it, where nobody reads the report.
    pub async fn run(&self, account: &str, cause: Cause) {
        drop(self.reconcile(account, cause).await);
    }

    /// Reconciles a tenant, as if an event had named it.
    pub async fn reconcile(&self, account: &str, cause: Cause) -> Report {
        match self.order(tenant(account), cause).await {
            Reconciled::Done(report) => *report,
            other @ (Reconciled::Busy { .. } | Reconciled::Settled) => panic!("not done: {other:?}"),
        }
    }

    /// Reconciles a target.
    pub async fn order(&self, target: Target, cause: Cause) -> Reconciled {
        let order = Order::new(target, cause, self.deadline());
        reconcile(&self.engine, &order).await.unwrap()
    }

    /// Sweeps, and works off the queue until the sweep is closed.
    pub async fn sweep(&self) -> Closed {
        self.sweep_of(None).await
    }

    /// The same for one unit, where one is named.
    pub async fn sweep_of(&self, unit: Option<&str>) -> Closed {
        let unit: Option<UnitPath> = unit.map(|unit| unit.parse().unwrap());
        let id = sweep::begin(&self.engine, unit.as_ref(), self.deadline()).await.unwrap();
        loop {
            self.drain().await;
            if let Some(closed) = sweep::closed(&self.engine, &id).await.unwrap() {
                return closed;
            }
            // What is left is the delayed close.
            work::perform(&self.engine, &Work::Close { sweep: id.clone() }, self.deadline()).await.unwrap();
        }
    }

    /// Works off what is due on the queue now.
    pub async fn drain(&self) {
        loop {
            let received = self.queue.receive(10).await.unwrap();
            if received.is_empty() {
                return;
            }
            for message in received {
                let work = work::read(&message.body).unwrap();
                drop(work::perform(&self.engine, &work, self.deadline()).await.unwrap());
                self.queue.done(&message.receipt).await.unwrap();
            }
        }
    }

    /// What would be done to a tenant now.
    pub async fn preview(&self, account: &str) -> Preview {
        let engine = &self.engine;
        preview(
            &*engine.store,
            &*engine.cloud,
            &engine.trusted,
            &*engine.clock,
            &engine.new_run(),
            &tenant(account),
            engine.limits(),
        )
        .await
        .unwrap()
    }

    /// What the store knows of a tenant.
    pub async fn record(&self, account: &str) -> Option<Record> {
        lease::peek(&*self.engine.store, &tenant(account)).await.unwrap()
    }

    /// The tenant's history fits together and nothing in it is open.
    pub async fn history_is_whole(&self, account: &str) -> bool {
        let verified = history::verify(&*self.engine.store, &tenant(account)).await.unwrap();
        verified.broken.is_none() && verified.open == 0
    }
}

/// Whether a call changes something, by its name.
pub fn is_write(call: &str) -> bool {
    let operation = call.split(':').nth(1).unwrap_or(call);
    !["Get", "List", "Describe", "AssumeRole"].iter().any(|word| operation.starts_with(word))
}

/// The target of an account, a subscription or a project, which their ids tell apart.
pub fn tenant(id: &str) -> Target {
    use landfall_model::id::Provider::{Aws, Azure, Gcp};
    let one = [Aws, Azure, Gcp].into_iter().find_map(|provider| TenantId::new(provider, id).ok());
    Target::Tenant(one.unwrap())
}

/// The manifest's AWS.
fn on_aws(manifest: &Manifest) -> (Name, AwsCloud) {
    let found = manifest.clouds.iter().find_map(|(name, cloud)| match cloud {
        Cloud::Aws(ground) => Some((name.clone(), ground.clone())),
        Cloud::Azure(_) | Cloud::Gcp(_) => None,
    });
    found.unwrap()
}

fn organization(aws: Aws, manifest: &Manifest) -> Arc<AwsOrganization> {
    let (name, ground) = on_aws(manifest);
    Arc::new(AwsOrganization::new(aws, name, ground))
}

/// An engine at an endpoint on this machine, a simulator's or an emulator's.
pub async fn engine(
    url: &str,
    manifest: Manifest,
    store: Arc<dyn Store>,
) -> (Engine, Arc<MemoryQueue>, Arc<TestClock>) {
    let aws = Aws::loopback(url, "eu-central-1").await.unwrap();
    let cloud = organization(aws, &manifest);
    assert_eq!(cloud.name().as_str(), "aws");
    engine_of(cloud.clone(), cloud, manifest, store).await
}

/// An engine on one cloud, which is looked at and written to by the same.
pub async fn engine_of(
    cloud: Arc<dyn landfall_engine::cloud::Cloud>,
    hands: Arc<dyn landfall_engine::cloud::Hands>,
    manifest: Manifest,
    store: Arc<dyn Store>,
) -> (Engine, Arc<MemoryQueue>, Arc<TestClock>) {
    let clock = Arc::new(TestClock::default());
    let queue = Arc::new(MemoryQueue::new());
    let bundle = Bundle::build(manifest).unwrap();
    let trusted: Trusted = trust(&*store, bundle, None, None, Footing::Loopback, clock.now()).await.unwrap();
    let engine = Engine {
        store,
        queue: queue.clone(),
        cloud,
        hands,
        trusted,
        clock: clock.clone(),
        dice: Arc::new(SystemDice),
        limits: None,
    };
    (engine, queue, clock)
}
