//! What is true of every control, on whatever cloud: clean -> empty plan; disturbed -> a plan that names just that; apply -> empty
//! plan; same input -> same bytes; shuffled input -> same plan.
//!
//! A cloud brings a stage on which everything holds and a table of [`Situation`]s; what is asked of each is written here once.

#![expect(clippy::panic, clippy::unwrap_used, reason = "test harness: a failure here is a failed test")]

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;

use futures_util::StreamExt as _;
use jiff::SignedDuration;
use landfall_engine::ask::{Preview, preview};
use landfall_engine::engine::Engine;
use landfall_engine::reconcile::{Order, Reconciled, reconcile};
use landfall_engine::store::memory::MemoryStore;
use landfall_model::catalog::{ControlKind, Effect};
use landfall_model::finding::Status;
use landfall_model::id::Provider;
use landfall_model::outcome::Done;
use landfall_model::record::Life;
use landfall_model::report::{Next, Report};
use landfall_model::target::Target;
use landfall_model::trigger::Cause;
use landfall_reports::text;
use landfall_simulator::azure::{AzureSimulator, AzureWorld, WRITE_IDENTITY};
use landfall_simulator::gcp::{GcpSimulator, GcpWorld};
use landfall_simulator::{Simulator, World};

use crate::stage::{self, Stage, tenant};
use crate::{azure, gcp};

/// A cloud that the properties are asked of.
pub trait Ground: Sized + Send + Sync + 'static {
    /// What can be disturbed by hand.
    type World: 'static;

    /// Which one; in the manifests of the scenarios the cloud has this name too.
    const PROVIDER: Provider;

    /// Controls that are held and that nothing can disturb where everything holds.
    const UNDISTURBED: &'static [ControlKind] = &[];

    /// Whether a control is held here at all.
    fn offers(kind: ControlKind) -> bool;

    /// A stage on which everything holds: a new tenant that a project names went the whole way.
    fn agreement() -> impl Future<Output = (Stage<Self>, String)> + Send;

    /// Another stage that stands where this one does, with a world and a store of its own.
    fn copy(stage: &Stage<Self>) -> impl Future<Output = Stage<Self>> + Send;

    /// Another process on the same stage, which remembers nothing from before.
    fn another(stage: &Stage<Self>) -> impl Future<Output = Engine> + Send;

    /// Changes the world by hand.
    fn disturb(&self, how: fn(&mut Self::World, &str), tenant: &str);
}

/// How one thing is disturbed, in which target it is put right, and by whom.
#[derive(Debug)]
pub struct Situation<W> {
    control: ControlKind,
    disturb: fn(&mut W, &str),
    seen_in: Seen,
    /// The controls that the plan names.
    changed_by: Vec<ControlKind>,
    /// Besides the control and those the plan names: what does not hold either while this one does not.
    shaken: Vec<ControlKind>,
}

/// The target whose plan puts it right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    Organization,
    Tenant,
}

impl<W> Situation<W> {
    /// One that a tenant's plan puts right.
    pub fn in_tenant(control: ControlKind, disturb: fn(&mut W, &str)) -> Self {
        let changed_by = match control.entry().effect {
            Effect::Detects => Vec::new(),
            Effect::Prevents | Effect::Repairs => vec![control],
        };
        Situation { control, disturb, seen_in: Seen::Tenant, changed_by, shaken: Vec::new() }
    }

    /// One that the organization's plan puts right.
    pub fn in_organization(control: ControlKind, disturb: fn(&mut W, &str)) -> Self {
        Situation { seen_in: Seen::Organization, ..Self::in_tenant(control, disturb) }
    }

    /// The plan names these, and not the control alone.
    #[must_use]
    pub fn changed_by(self, controls: &[ControlKind]) -> Self {
        Situation { changed_by: controls.to_vec(), ..self }
    }

    /// These do not hold either.
    #[must_use]
    pub fn shakes(self, controls: &[ControlKind]) -> Self {
        Situation { shaken: controls.to_vec(), ..self }
    }
}

/// Situations at once: each has a simulator of its own, on a thread of its own.
const AT_ONCE: usize = 4;

/// Looks at a setting that settles, before something is wrong.
const LOOKS: usize = 5;

/// Fails for each control that the cloud offers and nobody disturbs, and for a situation of one that it does not offer.
pub fn every_control_has_its_situation<S: Ground>(situations: &[Situation<S::World>]) {
    let told = situations.iter().map(|situation| &situation.control);
    let told: BTreeSet<ControlKind> = told.chain(S::UNDISTURBED).copied().collect();
    let offered: BTreeSet<ControlKind> =
        ControlKind::ALL.iter().copied().filter(|kind| S::offers(*kind)).collect();
    assert_eq!(told, offered, "the controls with a situation, and those that {} offers", S::PROVIDER);
}

/// Nothing is to be done, and nothing is wrong, where everything holds.
pub async fn clean_is_an_empty_plan<S: Ground>() {
    let (stage, id) = S::agreement().await;
    for preview in look(&stage, &id).await {
        assert!(preview.plan.changes.is_empty(), "{}", text::plan(&preview.plan, None));
        let failing: Vec<_> = preview
            .findings
            .iter()
            .filter(|finding| !matches!(finding.status, Status::Pass | Status::NotApplicable))
            .collect();
        assert!(failing.is_empty(), "{failing:#?}");
    }
}

/// Every situation is seen, planned, put right and gone.
pub async fn every_disturbance_is_put_right<S: Ground>(situations: Vec<Situation<S::World>>) {
    let (agreement, id) = S::agreement().await;
    let (agreement, id) = (&agreement, &id);
    let told = futures_util::stream::iter(situations)
        .map(async |situation| {
            let control = situation.control;
            let stage = S::copy(agreement).await;
            let done = tokio::spawn(disturbed(situation, stage, id.clone())).await.unwrap();
            done.err().map(|why| format!("{control}: {why}"))
        })
        .buffered(AT_ONCE);
    let wrong: Vec<String> = told.filter_map(std::future::ready).collect().await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

async fn disturbed<S: Ground>(
    situation: Situation<S::World>,
    stage: Stage<S>,
    id: String,
) -> Result<(), String> {
    let Situation { control, disturb, seen_in, changed_by, shaken } = situation;
    stage.simulator.disturb(disturb, &id);

    let before = look(&stage, &id).await;
    let again = look(&stage, &id).await;
    same("two looks", &before.each_ref().map(bytes), &again.each_ref().map(bytes))?;

    let [organization, inside] = before.each_ref().map(changing);
    let (named, elsewhere) = match seen_in {
        Seen::Organization => (organization, inside),
        Seen::Tenant => (inside, organization),
    };
    let planned: BTreeSet<ControlKind> = changed_by.iter().copied().collect();
    same("what the plan names", &named, &planned)?;
    same("what the other target's plan names", &elsewhere, &BTreeSet::new())?;
    let shaken: BTreeSet<ControlKind> = shaken.iter().chain(&planned).chain([&control]).copied().collect();
    same("what does not hold", &before.iter().flat_map(open).collect(), &shaken)?;

    let report = put_right(&stage, &target::<S>(seen_in, &id)).await;
    let text = text::report(&report);
    let detects = control.entry().effect == Effect::Detects;
    for (after, target) in look(&stage, &id).await.iter().zip([Seen::Organization, Seen::Tenant]) {
        if !after.plan.changes.is_empty() {
            return Err(format!("applied, and still: {}\n{text}", bytes(after)));
        }
        // What nothing can be written for is still wrong.
        let left = BTreeSet::from_iter((detects && target == seen_in).then_some(control));
        same(&format!("what does not hold afterwards\n{text}"), &open(after), &left)?;
    }
    if stage.history_is_whole(&id).await { Ok(()) } else { Err("the history is broken".to_owned()) }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what}: {found:?}, not {expected:?}")) }
}

/// Reconciles a target until there is nothing to look at again.
async fn put_right<S: Ground>(stage: &Stage<S>, target: &Target) -> Report {
    for _ in 0..LOOKS {
        let engine = S::another(stage).await;
        let order = Order::new(target.clone(), Cause::Asked, stage.deadline());
        let done = reconcile(&engine, &order).await.unwrap();
        let Reconciled::Done(report) = done else { panic!("not done: {done:?}") };
        // Nobody else writes here, so that what a run makes is no reason for it to leave the rest to the next one.
        let moved = report.outcomes.iter().any(|outcome| matches!(outcome.result, Done::Moved { .. }));
        assert!(!moved, "{}", text::report(&report));
        if !matches!(report.next, Next::LookAgain { .. }) {
            return *report;
        }
        stage.clock.pass(SignedDuration::from_secs(11));
    }
    panic!("{target} still settles after {LOOKS} looks")
}

/// The plans of a bare cloud, the organization's and a tenant's, as bytes: one pair for each stage.
pub async fn plans_of<S: Ground>(stages: &[Stage<S>], id: &str) -> Vec<[String; 2]> {
    let mut plans = Vec::new();
    for stage in stages {
        plans.push(look(stage, id).await.each_ref().map(bytes));
    }
    plans
}

/// The same manifest, written down in another order: every list whose order means nothing is turned round.
pub fn shuffled(manifest: &str) -> String {
    let turned = |line: &str| -> String {
        let Some((before, list, after)) = inline_list(line) else { return line.to_owned() };
        let mut items: Vec<&str> = list.split(',').map(str::trim).collect();
        items.reverse();
        format!("{before}[{}]{after}", items.join(", "))
    };
    // Lists of one item a line: a landing zone's controls, a project's tenants. Intake has an order, and less indentation.
    let is_item = |line: &&str| line.starts_with("      - ");
    let mut lines = Vec::new();
    let mut rest = manifest.lines().peekable();
    while let Some(line) = rest.next() {
        if !is_item(&line) {
            lines.push(turned(line));
            continue;
        }
        let mut items = vec![line.to_owned()];
        while let Some(item) = rest.next_if(is_item) {
            items.push(item.to_owned());
        }
        lines.extend(items.into_iter().rev());
    }
    let shuffled = lines.join("\n");
    assert_ne!(shuffled.trim(), manifest.trim(), "nothing was turned round");
    shuffled
}

fn inline_list(line: &str) -> Option<(&str, &str, &str)> {
    // The environments are ranked.
    if line.starts_with("environments:") {
        return None;
    }
    let (before, rest) = line.split_once('[')?;
    let (list, after) = rest.split_once(']')?;
    Some((before, list, after))
}

/// What would be done to the organization and to a tenant, as a process sees it that remembers nothing.
async fn look<S: Ground>(stage: &Stage<S>, id: &str) -> [Preview; 2] {
    let run = "20261121T101500Z-00000001".parse().unwrap();
    let mut previews = Vec::new();
    for seen in [Seen::Organization, Seen::Tenant] {
        let engine = S::another(stage).await;
        let Engine { store, cloud, trusted, clock, .. } = &engine;
        let target = target::<S>(seen, id);
        previews.push(
            preview(&**store, &**cloud, trusted, &**clock, &run, &target, engine.limits()).await.unwrap(),
        );
    }
    previews.try_into().unwrap()
}

fn target<S: Ground>(seen: Seen, id: &str) -> Target {
    match seen {
        Seen::Organization => Target::Organization(S::PROVIDER.as_str().parse().unwrap()),
        Seen::Tenant => tenant(id),
    }
}

fn bytes(preview: &Preview) -> String {
    serde_json::to_string(&(&preview.plan.changes, &preview.plan.blocked)).unwrap()
}

fn changing(preview: &Preview) -> BTreeSet<ControlKind> {
    preview.plan.changes.iter().map(|change| change.address.control).collect()
}

fn open(preview: &Preview) -> BTreeSet<ControlKind> {
    preview.findings.iter().filter(|one| one.needs_attention()).map(|one| one.control).collect()
}

impl Ground for Simulator {
    type World = World;

    const PROVIDER: Provider = Provider::Aws;

    fn offers(kind: ControlKind) -> bool {
        landfall_aws::controls::permissions(kind).is_some()
    }

    async fn agreement() -> (Stage, String) {
        let mut stage = Stage::with(2).await;
        stage.sweep().await;
        let account = stage.simulator.edit(|world| world.create_account("shop"));
        stage.follow(&stage::ACME.replace("222222222222", &account)).await;
        let report = stage.reconcile(&account, Cause::Created).await;
        assert_eq!((report.counts.fail, report.counts.unknown), (0, 0), "{}", text::report(&report));
        (stage, account)
    }

    async fn copy(stage: &Stage) -> Stage {
        stage.copy().await
    }

    async fn another(stage: &Stage) -> Engine {
        stage.another().await
    }

    fn disturb(&self, how: fn(&mut World, &str), tenant: &str) {
        self.edit(|world| how(world, tenant));
    }
}

impl Ground for AzureSimulator {
    type World = AzureWorld;

    const PROVIDER: Provider = Provider::Azure;

    fn offers(kind: ControlKind) -> bool {
        landfall_azure::controls::permissions(kind).is_some()
    }

    async fn agreement() -> (Stage<Self>, String) {
        // The identity that writes here is named too, or the report says that a stranger owns everything.
        let ours = format!("principals: [{WRITE_IDENTITY}, ");
        let manifest = azure::closing().replace("principals: [", &ours);
        let mut stage = Stage::on(azure::world(3), &manifest, Arc::new(MemoryStore::new())).await;
        stage.sweep().await;
        let id = stage.simulator.edit(|world| {
            let id = world.add_subscription("shop");
            // Whoever made it owns it, which the report does not leave unsaid either.
            world.subscription_mut(&id).unwrap().governance.role_assignments.clear();
            id
        });
        stage.follow_on_azure(&manifest.replace(&azure::subscription(2), &id)).await;
        let report = put_right(&stage, &tenant(&id)).await;
        assert_eq!(report.life, Life::HandedOver);
        assert_eq!((report.counts.fail, report.counts.unknown), (0, 0), "{}", text::report(&report));
        (stage, id)
    }

    async fn copy(stage: &Stage<Self>) -> Stage<Self> {
        stage.copy_on_azure().await
    }

    async fn another(stage: &Stage<Self>) -> Engine {
        stage.another_on_azure()
    }

    fn disturb(&self, how: fn(&mut AzureWorld, &str), tenant: &str) {
        self.edit(|world| how(world, tenant));
    }
}

impl Ground for GcpSimulator {
    type World = GcpWorld;

    const PROVIDER: Provider = Provider::Gcp;

    // Of a project that was handed over nobody asks for its gate again: deny policies may be read five times a minute.
    const UNDISTURBED: &'static [ControlKind] = &[ControlKind::QuarantineGate];

    fn offers(kind: ControlKind) -> bool {
        landfall_gcp::controls::permissions(kind).is_some()
    }

    async fn agreement() -> (Stage<Self>, String) {
        let mut stage = Stage::on_gcp(3).await;
        stage.sweep().await;
        let id = "new-agreement".to_owned();
        stage.simulator.edit(|world| {
            world.add_project(&id, gcp::ORGANIZATION, jiff::Timestamp::now());
            // The organization's administrator could open the gate, which the report does not leave unsaid.
            let iam = &mut world.at(gcp::ORGANIZATION).unwrap().iam;
            iam.bindings.retain(|binding| binding.role != "roles/resourcemanager.organizationAdmin");
        });
        stage.follow_in_gcp(&gcp::ACME.replace("team-0001", &id)).await;
        let report = put_right(&stage, &tenant(&id)).await;
        assert_eq!(report.life, Life::HandedOver, "{}", text::report(&report));
        assert_eq!((report.counts.fail, report.counts.unknown), (0, 0), "{}", text::report(&report));
        (stage, id)
    }

    async fn copy(stage: &Stage<Self>) -> Stage<Self> {
        stage.copy_in_gcp().await
    }

    async fn another(stage: &Stage<Self>) -> Engine {
        stage.another_in_gcp()
    }

    fn disturb(&self, how: fn(&mut GcpWorld, &str), tenant: &str) {
        self.edit(|world| how(world, tenant));
    }
}
