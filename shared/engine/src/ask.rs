//! What people ask without changing anything: what would be done, how things stand, and why a setting is as it is.
//!
//! Nothing here holds a hand that could write to a cloud.

pub use landfall_model::answer::{Explanation, Preview, Status};
use landfall_model::approve::{approve, hold_back};
use landfall_model::desired::{Known, resolve};
use landfall_model::finding::{Finding, findings};
use landfall_model::id::RunId;
use landfall_model::ledger::{Entry, Event};
use landfall_model::manifest::Limits;
use landfall_model::plan::plan;
use landfall_model::record::Record;
use landfall_model::report::Report;
use landfall_model::target::Target;

use crate::cloud::Cloud;
use crate::engine::{Clock, EngineError, Trusted};
use crate::observe::observe;
use crate::store::{Key, Store, StoreExt as _};
use crate::{heartbeat, history, inventory, keys, lease, pause};

/// Plans without applying.
pub async fn preview(
    store: &dyn Store,
    cloud: &dyn Cloud,
    trusted: &Trusted,
    clock: &dyn Clock,
    run: &RunId,
    target: &Target,
    limits: Limits,
) -> Result<Preview, EngineError> {
    crate::engine::serves(cloud, target)?;
    let record = lease::peek(store, target).await?.unwrap_or_else(|| Record::new(target.clone(), run));
    let facts = match target {
        Target::Tenant(tenant) => cloud.facts(tenant).await?,
        Target::Organization(_) => None,
    };
    let inventory =
        store.read(&keys::inventory(cloud.provider(), cloud.name())?).await?.map(|(inventory, _)| inventory);
    let name = facts.as_ref().map(|facts| facts.name.clone()).unwrap_or_default();
    let settling = record.settling.clone();
    let known = Known { record, facts, inventory };
    let desired = inventory::resolve(cloud, trusted.bundle.manifest(), target, known)
        .await?
        .ok_or_else(|| EngineError::NoSuchCloud(cloud.name().to_string()))?;
    let reader = cloud.reader(target, run);
    let observed = observe(&*reader, clock, &desired, cloud.addresses(&desired), None).await;
    let judgements = cloud.judge(&desired, &observed);
    let now = clock.now();
    let plan = hold_back(plan(run, now, trusted.bundle.digest(), &desired, &judgements), limits);
    let findings = findings(&desired, &observed, &judgements, &settling, now);
    let refused = approve(plan.clone(), limits).err();
    Ok(Preview { target: target.clone(), name, standing: desired.standing, plan, refused, findings })
}

/// How everything stands, by what the store knows.
pub async fn status(store: &dyn Store) -> Result<Status, EngineError> {
    let swept = heartbeat::all(store).await?;
    Ok(Status {
        paused: pause::read(store).await?.pause().cloned(),
        partly: heartbeat::partly(store, &swept).await?,
        swept,
        targets: targets(store).await?,
    })
}

/// Every target of the store.
async fn targets(store: &dyn Store) -> Result<Vec<Record>, EngineError> {
    let mut records = Vec::new();
    for folder in ["organizations", "tenants"] {
        let mut after: Option<Key> = None;
        loop {
            let page = store.list(folder, after.as_ref(), 500).await?;
            for key in &page {
                if let Some((record, _)) = store.read::<Record>(key).await? {
                    records.push(record);
                }
            }
            match page.last() {
                Some(last) if page.len() == 500 => after = Some(last.clone()),
                _ => break,
            }
        }
    }
    Ok(records)
}

/// Explains the settings of a target whose address or control begins with, or manifest name is, `setting`.
pub async fn explain(
    store: &dyn Store,
    trusted: Option<&Trusted>,
    cloud: &landfall_model::id::Name,
    target: &Target,
    setting: Option<&str>,
) -> Result<Option<Explanation>, EngineError> {
    let Some(report) = last_report(store, target).await? else { return Ok(None) };
    let fits = |finding: &Finding| {
        setting.is_none_or(|setting| {
            finding.control.id() == setting
                || finding.address.to_string().starts_with(setting)
                || finding.names.iter().any(|name| name.as_str() == setting)
        })
    };
    let findings: Vec<Finding> = report.findings.into_iter().filter(fits).collect();
    let asked = match (trusted, lease::peek(store, target).await?) {
        (Some(trusted), Some(record)) => {
            let facts = record.facts.clone();
            let known = Known { record, facts, inventory: None };
            resolve(trusted.bundle.manifest(), cloud, target, known)
                .map(|desired| desired.asked)
                .unwrap_or_default()
        }
        _ => Vec::new(),
    };
    let asked = asked
        .into_iter()
        .filter(|asked| findings.iter().any(|finding| finding.control == asked.control))
        .collect();
    let mut entries: Vec<Entry> = Vec::new();
    let mut after = 0;
    let mut ours: Vec<u64> = Vec::new();
    loop {
        let page = history::entries(store, target, after, 500).await?;
        let Some(last) = page.last() else { break };
        after = last.seq;
        for entry in page {
            let wanted = match &entry.event {
                Event::Intent { change, .. } => {
                    let wanted = findings.iter().any(|finding| finding.address == change.address);
                    if wanted {
                        ours.push(entry.seq);
                    }
                    wanted
                }
                Event::Outcome { intent, .. } | Event::Settled { intent, .. } => ours.contains(intent),
                Event::Switched { .. } | Event::Life { .. } => setting.is_none(),
            };
            if wanted {
                entries.push(entry);
            }
        }
    }
    Ok(Some(Explanation {
        target: target.clone(),
        findings,
        asked,
        history: entries,
        run: report.run,
        provenance: report.provenance,
    }))
}

/// The report of a target's last run, that run's last round.
pub async fn last_report(store: &dyn Store, target: &Target) -> Result<Option<Report>, EngineError> {
    let Some(record) = lease::peek(store, target).await? else { return Ok(None) };
    let Some(last) = record.last else { return Ok(None) };
    let first = keys::run(&last.run, target)?;
    let rounds = store.list(first.as_str(), None, 500).await?;
    let key = rounds.last().unwrap_or(&first);
    Ok(store.read::<Report>(key).await?.map(|(report, _)| report))
}
