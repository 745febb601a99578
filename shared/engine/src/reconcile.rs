//! One target, from what must hold to what was told: the page to read first.
//!
//! ```text
//! lease ─► settle what a crash left ─► desired ─► observed ─► plan ─► stored ─► approved
//!       ─► gate ─► foundation ─► baseline ─► place ─► verified? ─► access ─► delivered ─► gate opens
//!       ─► looked at again ─► findings ─► report ─► stored ─► lease ends (or round again, when somebody asked meanwhile)
//! ```

pub mod life;
mod tell;

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

pub use landfall_model::answer::Reconciled;
use landfall_model::approve::{Approved, Refused, approve, hold_back};
use landfall_model::catalog::ControlKind;
use landfall_model::desired::{Desired, Known, Standing};
use landfall_model::facts::{Facts, Inventory};
use landfall_model::finding::findings;
use landfall_model::id::{Provider, SweepId};
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::ledger::Event;
use landfall_model::observed::{Address, Observed};
use landfall_model::outcome::{Done, Outcome};
use landfall_model::pause::Turn;
use landfall_model::plan::{Blocked, Change, Plan, Stage, plan};
use landfall_model::record::Life;
use landfall_model::report::Report;
use landfall_model::target::Target;
use landfall_model::trigger::{Cause, Work};

use crate::apply::{self, Progress, Site};
use crate::cloud::{Reader, Surveyed};
use crate::engine::{Deadline, Engine, EngineError};
use crate::history::History;
use crate::lease::{self, Again, Held, Taken};
use crate::observe::observe;
use crate::store::StoreExt as _;
use crate::{inventory, keys, pause, work};

/// How soon a setting that settles is looked at again.
pub const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(10);

/// Whom to reconcile, and why.
#[derive(Debug, Clone)]
pub struct Order {
    /// Whom.
    pub target: Target,
    /// Why.
    pub cause: Cause,
    /// The sweep it is part of.
    pub sweep: Option<SweepId>,
    /// The page of the sweep's tenants it stands on.
    pub page: Option<u32>,
    /// What the sweep saw of the tenant on its way, so that nobody has to ask again.
    pub surveyed: Option<Surveyed>,
    /// What the sweep saw of the organization.
    pub organization: Option<Observed>,
    /// When to stop.
    pub deadline: Deadline,
}

impl Order {
    /// An order of its own, that no sweep has seen anything for.
    pub fn new(target: Target, cause: Cause, deadline: Deadline) -> Self {
        Order { target, cause, sweep: None, page: None, surveyed: None, organization: None, deadline }
    }
}

/// Reconciles one target.
///
/// **Guarantees.** Twice is the normal case: a second run finds nothing to do. Nothing is written before the plan is stored and
/// the intent is in the history. A crash at any point leaves a state that the next run goes on from, and never a new tenant
/// without its gate before it is handed over. One broken setting costs that setting.
pub async fn reconcile(engine: &Engine, order: &Order) -> Result<Reconciled, EngineError> {
    engine.serves(&order.target)?;
    let run = engine.new_run();
    if let Cause::Resumed(before) = &order.cause
        && let Some(record) = lease::peek(&*engine.store, &order.target).await?
        && !record.dirty
        && record.lease.as_ref().is_none_or(|lease| &lease.run != before)
        && record.last.as_ref().is_some_and(|last| &last.run >= before)
    {
        return Ok(Reconciled::Settled);
    }
    let mut held = match lease::take(engine, &order.target, &run, order.deadline).await? {
        Taken::Held(held) => held,
        Taken::Busy { run, until } => {
            // Somebody comes back after the lease's end, in case its holder is dead: one message for each that found it busy, so
            // that none of them is lost with another.
            let work = Work::Reconcile {
                target: order.target.clone(),
                sweep: order.sweep.clone(),
                page: order.page,
                cause: Cause::Resumed(run.clone()),
            };
            let wait = until.duration_since(engine.clock.now()) + lease::SKEW + SignedDuration::from_secs(1);
            work::send(engine, &work, wait.try_into().unwrap_or_default()).await?;
            tracing::info!(target = %order.target, holder = %run, "another run is at it");
            return Ok(Reconciled::Busy { run });
        }
    };
    let mut order = order.clone();
    loop {
        let report = match round(engine, &order, &mut held).await {
            Ok(report) => report,
            Err(error) => {
                // Who comes next need not wait for the lease's end. That this failed too changes nothing for them.
                if !matches!(error, EngineError::LeaseLost { .. })
                    && let Err(second) = held.hand_on(engine).await
                {
                    tracing::debug!(error = %second, "the lease ends by itself");
                }
                return Err(error);
            }
        };
        if !order.deadline.allows(engine.clock.now()) && held.record.dirty {
            held.hand_on(engine).await?;
            work::resume(engine, &order.target, held.run()).await?;
            return Ok(Reconciled::Done(Box::new(report)));
        }
        match held.let_go(engine).await? {
            Again::No => return Ok(Reconciled::Done(Box::new(report))),
            // Somebody asked while we were at it: what the sweep saw is old now.
            Again::Yes => order = Order { surveyed: None, organization: None, cause: Cause::Dirty, ..order },
        }
    }
}

/// One pass of the pipeline, with the lease held.
async fn round(engine: &Engine, order: &Order, held: &mut Held) -> Result<Report, EngineError> {
    let started = engine.clock.now();
    let run = held.run().clone();
    let target = &order.target;
    let reader = engine.cloud.reader(target, &run);
    if order.sweep.is_none() {
        engine.cloud.forget().await;
    }
    let mut history = History::open(engine, target, &run, &held.record.head).await?;
    history.catch_up(&mut held.record);

    let facts = facts(engine, order).await?;
    if let Some(facts) = &facts {
        held.record.facts = Some(facts.clone());
        // A cloud may name a tenant before it knows what it is called.
        if !facts.name.is_empty() {
            held.record.came_as.get_or_insert_with(|| facts.name.clone());
        }
    }
    let inventory = inventory::read(engine).await?;
    let mut desired = desired(engine, order, held, facts.clone(), inventory.clone()).await?;
    if settle(engine, &desired, &*reader, &mut history).await? {
        // What a crash made and nobody knew of is ours, and judged as ours by this run already.
        history.catch_up(&mut held.record);
        desired = self::desired(engine, order, held, facts.clone(), inventory.clone()).await?;
    }
    let paused = switched(engine, &mut history, held).await?;
    life::meet(engine, &desired, inventory.is_some(), &mut history, held).await?;

    let addresses = engine.cloud.addresses(&desired);
    let seen = known_already(order);
    let mut observed = observe(&*reader, &*engine.clock, &desired, addresses, Some(&seen)).await;
    let judgements = engine.cloud.judge(&desired, &observed);

    let now = engine.clock.now();
    let digest = engine.trusted.bundle.digest();
    let plan = waiting_for_effects(plan(&run, now, digest, &desired, &judgements), held, now);
    let plan = hold_back(plan, engine.limits());
    let digest = plan.digest();
    // A second round of the same run plans anew; its plan lies beside the first.
    store_plan(engine, &plan, held).await?;
    let mut progress = Progress { paused, ..Progress::default() };
    let mut refused: Option<Refused> = None;
    let approved = match approve(plan.clone(), engine.limits()) {
        Ok(approved) => Some(approved),
        Err(reasons) => {
            refused = Some(reasons);
            gate_alone(engine, &plan, held).await?
        }
    };
    match approved {
        None => {}
        Some(approved) if approved.plan().changes.is_empty() => {}
        Some(approved) => {
            let writer = engine.hands.writer(target, &run);
            let site = Site {
                engine,
                desired: &desired,
                observed: &observed,
                reader: &*reader,
                writer: &*writer,
                deadline: order.deadline,
            };
            let gate = seen_closed(&judgements, held, now);
            stages(site, &approved, &mut history, held, &mut progress, gate, refused.as_ref()).await?;
        }
    }

    // Look again at what was touched; what must hold may have changed with the tenant's place in its life, and what is in force on it with
    // the unit that it was moved to.
    let desired = self::desired(engine, order, held, facts, inventory).await?;
    let moved = progress.touched.iter().any(|address| address.control == ControlKind::Placement);
    let written =
        |address: &Address| progress.touched.contains(address) || progress.doubtful.contains(address);
    let again: BTreeSet<Address> = engine
        .cloud
        .addresses(&desired)
        .into_iter()
        .filter(|address| moved || written(address) || !observed.0.contains_key(address))
        .filter(|address| !progress.looked.0.contains_key(address))
        .collect();
    let later = observe(&*reader, &*engine.clock, &desired, again.into_iter().collect(), None).await;
    observed.0.extend(std::mem::take(&mut progress.looked).0);
    observed.0.extend(later.0);
    let judgements = engine.cloud.judge(&desired, &observed);
    let now = engine.clock.now();
    note_settling(engine.cloud.provider(), &judgements, &plan, &progress, held, now);
    let findings = findings(&desired, &observed, &judgements, &held.record.settling, now);

    let told = tell::Told { desired, plan, digest, refused, progress, findings, started };
    tell::tell(engine, order, held, &history, told).await
}

/// How the stop switch stands; a turn that the history does not tell of yet is written there.
async fn switched(
    engine: &Engine,
    history: &mut History,
    held: &mut Held,
) -> Result<Option<Turn>, EngineError> {
    let switch = pause::read(&*engine.store).await?;
    if let Some(turn) = switch.last()
        && held.record.switched.map_or(turn.paused, |known| known < turn.number)
    {
        history.append(engine, Event::Switched { turn: turn.clone() }).await?;
        history.catch_up(&mut held.record);
    }
    Ok(switch.pause().cloned())
}

/// What must hold, by what is known now.
async fn desired(
    engine: &Engine,
    order: &Order,
    held: &Held,
    facts: Option<Facts>,
    inventory: Option<Inventory>,
) -> Result<Desired, EngineError> {
    let cloud = engine.cloud.name();
    let known = Known { record: held.record.clone(), facts, inventory };
    inventory::resolve(&*engine.cloud, engine.trusted.bundle.manifest(), &order.target, known)
        .await?
        .ok_or_else(|| EngineError::NoSuchCloud(cloud.to_string()))
}

async fn facts(engine: &Engine, order: &Order) -> Result<Option<Facts>, EngineError> {
    match (&order.surveyed, &order.target) {
        (Some(surveyed), _) => Ok(Some(surveyed.facts.clone())),
        (None, Target::Tenant(tenant)) => Ok(engine.cloud.facts(tenant).await?),
        (None, Target::Organization(_)) => Ok(None),
    }
}

/// What a sweep saw on its way.
fn known_already(order: &Order) -> Observed {
    let mut seen = order.organization.clone().unwrap_or_default();
    if let Some(surveyed) = &order.surveyed {
        seen.0.extend(surveyed.seen.0.clone());
    }
    seen
}

/// Looks at what a run before this one meant to do, and nobody knows the outcome of; writes down what came of it. Answers whether there
/// was any such change.
async fn settle(
    engine: &Engine,
    desired: &Desired,
    reader: &dyn Reader,
    history: &mut History,
) -> Result<bool, EngineError> {
    let dangling = history.dangling();
    for (intent, change) in &dangling {
        let look = crate::observe::look(reader, &*engine.clock, desired, &change.address).await;
        history.settle(engine, *intent, change, &look.seen).await?;
        tracing::warn!(target = %desired.target, change = %change.id, "a run before this one did not finish this change");
    }
    Ok(!dangling.is_empty())
}

/// A setting that was written a moment ago is not written again before its effect had time to show.
fn waiting_for_effects(mut plan: Plan, held: &Held, now: Timestamp) -> Plan {
    let settles = |address: &Address| held.record.settling.get(address).is_some_and(|until| *until > now);
    let (changes, waiting): (Vec<Change>, Vec<Change>) =
        plan.changes.into_iter().partition(|change| !settles(&change.address));
    plan.changes = changes;
    plan.blocked.extend(waiting.into_iter().map(|change| Blocked {
        change,
        why: "it was written a moment ago, and its effect may still show".to_owned(),
    }));
    plan
}

async fn store_plan(engine: &Engine, plan: &Plan, held: &Held) -> Result<(), EngineError> {
    let run = &plan.run;
    let key = keys::plan(run, &plan.target)?;
    match engine.store.create_json(&key, plan).await {
        Ok(_) => Ok(()),
        Err(crate::store::StoreError::Conflict { .. }) => {
            let key = keys::plan_of_turn(run, &plan.target, held.record.turn)?;
            engine.store.create_json(&key, plan).await?;
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

/// Of a plan that goes beyond its limits, a new tenant's gate is closed all the same: it holds nobody up who was let in before.
async fn gate_alone(engine: &Engine, plan: &Plan, held: &mut Held) -> Result<Option<Approved>, EngineError> {
    let mut gate = plan.clone();
    gate.changes.retain(|change| change.stage == Stage::Gate);
    if gate.changes.is_empty() {
        return Ok(None);
    }
    held.save(engine).await?;
    store_plan(engine, &gate, held).await?;
    Ok(approve(gate, engine.limits()).ok())
}

/// Whether a new tenant's gate was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Gate {
    /// It was seen closed, or was closed a moment ago.
    Closed,
    /// What was seen open of it is closed by this plan.
    Closing,
    /// Something of it is open and stays so, or nobody could look.
    NotSeenClosed,
}

fn seen_closed(judgements: &[Judgement], held: &Held, now: Timestamp) -> Gate {
    let settles = |address: &Address| held.record.settling.get(address).is_some_and(|until| *until > now);
    // A gate may have several parts, and is as closed as the one that is open the widest.
    let part = |judgement: &Judgement| match &judgement.verdict {
        Verdict::Holds | Verdict::Due { .. } => Gate::Closed,
        _ if settles(&judgement.address) => Gate::Closed,
        Verdict::Fails { changes, .. } if changes.iter().any(|change| change.stage == Stage::Gate) => {
            Gate::Closing
        }
        Verdict::Fails { .. } | Verdict::Unknown { .. } | Verdict::NotApplicable { .. } => {
            Gate::NotSeenClosed
        }
    };
    let gates = judgements.iter().filter(|judgement| judgement.control == ControlKind::QuarantineGate);
    gates.map(part).max().unwrap_or(Gate::NotSeenClosed)
}

/// Applies the plan stage by stage. The lease is renewed before each; a new tenant gets nothing before its gate is closed, and
/// nobody gets in before everything that handover waits for has been seen to hold.
async fn stages(
    site: Site<'_>,
    approved: &Approved,
    history: &mut History,
    held: &mut Held,
    progress: &mut Progress,
    gate: Gate,
    refused: Option<&Refused>,
) -> Result<(), EngineError> {
    let engine = site.engine;
    let new = site.desired.standing == Standing::New;
    let mut stop: Option<String> = None;
    for stage in Stage::ALL {
        if new && stage == Stage::Handover && stop.is_none() {
            stop = unverified(site, progress).await;
            if stop.is_none() {
                life::step(engine, history, held, Life::Verified, "every required control was seen to hold")
                    .await?;
            }
        }
        if new && stage == Stage::Open && stop.is_none() {
            if progress.wrote_all(approved, Stage::Handover) {
                life::deliver(engine, site.desired, approved, history, held).await?;
            } else {
                stop = Some("access could not be given".to_owned());
            }
        }
        // Asked right before the first write of each stage: a switch that is thrown while a run is under way counts for what is left.
        if stop.is_none() && apply::of_stage(approved, stage).next().is_some() {
            let switch = pause::read(&*engine.store).await?;
            stop = switch.pause().map(pause::told);
            progress.paused = switch.pause().cloned();
        }
        match &stop {
            Some(why) => progress.withhold(engine, approved, stage, why),
            None => apply::stage(site, approved, stage, history, held, progress).await?,
        }
        history.catch_up(&mut held.record);
        if site.desired.standing.before_handover() && stop.is_none() {
            let whole = progress.wrote_all(approved, stage);
            let closes = apply::of_stage(approved, stage).next().is_some();
            match stage {
                Stage::Gate if whole && (gate == Gate::Closed || (gate == Gate::Closing && closes)) => {
                    life::step(engine, history, held, Life::Gated, "its gate is closed").await?
                }
                Stage::Gate => stop = Some("the gate could not be closed".to_owned()),
                Stage::Place if whole && new => {
                    life::step(engine, history, held, Life::Placed, "it is in its unit").await?;
                }
                Stage::Place | Stage::Foundation | Stage::Baseline | Stage::Handover | Stage::Open => {}
            }
        }
        if stop.is_none() {
            stop = refused.map(ToString::to_string);
        }
    }
    Ok(())
}

/// How many of the settings that hold up a handover are named with the change; the findings name them all, with their reasons.
const TOLD: usize = 5;

/// Looks again at everything that handover waits for, now that the tenant is in its unit. Says what holds it up.
async fn unverified(site: Site<'_>, progress: &mut Progress) -> Option<String> {
    let Site { engine, desired, reader, .. } = site;
    if progress.out_of_time {
        return Some("time ran out before it could be verified".to_owned());
    }
    let addresses = engine.cloud.addresses(desired);
    let observed = observe(reader, &*engine.clock, desired, addresses, None).await;
    let judgements = engine.cloud.judge(desired, &observed);
    let none = std::collections::BTreeMap::new();
    let findings = findings(desired, &observed, &judgements, &none, engine.clock.now());
    progress.looked = observed;
    let unseen = judgements.iter().filter(|judgement| {
        judgement.control == ControlKind::Access && matches!(judgement.verdict, Verdict::Unknown { .. })
    });
    let unseen = unseen.map(|judgement| format!("{} (nobody could look)", judgement.address));
    let held_up: Vec<String> = findings
        .iter()
        .filter(|finding| finding.holds_up_handover())
        .map(|finding| format!("{} ({})", finding.address, finding.status.as_str()))
        .chain(unseen)
        .collect();
    let told = held_up.iter().take(TOLD).cloned().collect::<Vec<_>>().join(", ");
    match held_up.len() {
        0 => None,
        few if few <= TOLD => Some(format!("handover waits for {told}")),
        many => Some(format!("handover waits for {told} and {} more", many - TOLD)),
    }
}

/// Keeps which settings were written whole and don't show it yet, so that they are looked at again rather than written again.
fn note_settling(
    provider: Provider,
    judgements: &[Judgement],
    plan: &Plan,
    progress: &Progress,
    held: &mut Held,
    now: Timestamp,
) {
    let whole = |address: &Address| {
        let written = |outcome: &Outcome| matches!(outcome.result, Done::Written { .. });
        progress.outcomes.iter().filter(|outcome| &outcome.address == address).all(written)
            && !plan.blocked.iter().any(|blocked| &blocked.change.address == address)
    };
    // What has expired stays until it shows: it is written again then, but not given another minute each time.
    for judgement in judgements {
        let failing = matches!(judgement.verdict, Verdict::Fails { .. });
        if failing && progress.touched.contains(&judgement.address) && whole(&judgement.address) {
            held.record
                .settling
                .entry(judgement.address.clone())
                .or_insert(now + judgement.control.settling_on(provider));
        } else if !failing {
            held.record.settling.remove(&judgement.address);
        }
    }
}
