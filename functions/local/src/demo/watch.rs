//! Tells what happens while it happens, by reading the store that the function writes.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use jiff::Timestamp;
use landfall_engine::store::{Store, StoreExt as _};
use landfall_engine::sweep::DoneTarget;
use landfall_engine::{history, keys};
use landfall_model::desired::Standing;
use landfall_model::id::{SweepId, TenantId};
use landfall_model::ledger::Event;
use landfall_model::outcome::Done;
use landfall_model::plan::{Change, Plan, Stage};
use landfall_model::report::Report;
use landfall_model::target::Target;
use landfall_reports::inert::inert;
use landfall_reports::text;

use super::narrate::{beat, brief, cut, detail, step};
use crate::say;

/// How often the store is read while something goes on.
const LOOK: Duration = Duration::from_millis(60);

/// Does the work, and looks on from time to time and once more at the end.
pub(super) async fn beside<T>(
    work: impl Future<Output = T>,
    mut look: impl AsyncFnMut() -> anyhow::Result<()>,
) -> anyhow::Result<T> {
    let mut work = pin!(work);
    loop {
        tokio::select! {
            done = &mut work => {
                look().await?;
                return Ok(done);
            }
            () = tokio::time::sleep(LOOK) => look().await?,
        }
    }
}

/// Follows one tenant's history.
#[derive(Debug)]
pub(super) struct Tail<'a> {
    store: &'a dyn Store,
    target: Target,
    began: Timestamp,
    after: u64,
    planned: BTreeSet<String>,
    intents: BTreeMap<u64, Change>,
}

impl<'a> Tail<'a> {
    pub(super) fn new(store: &'a dyn Store, tenant: &TenantId) -> Self {
        Tail {
            store,
            target: Target::Tenant(tenant.clone()),
            began: Timestamp::now(),
            after: 0,
            planned: BTreeSet::new(),
            intents: BTreeMap::new(),
        }
    }

    /// Tells what is new.
    pub(super) async fn look(&mut self) -> anyhow::Result<()> {
        for entry in history::entries(self.store, &self.target, self.after, 500).await? {
            self.after = entry.seq;
            if self.planned.insert(entry.run.to_string())
                && let Some((plan, _)) =
                    self.store.read::<Plan>(&keys::plan(&entry.run, &self.target)?).await?
                && !plan.changes.is_empty()
            {
                self.plan(&plan, entry.at);
            }
            match entry.event {
                Event::Intent { change, .. } => {
                    self.intents.insert(entry.seq, *change);
                }
                Event::Outcome { intent, result, .. } => {
                    if let Some(change) = self.intents.get(&intent) {
                        self.tell(change, &result, entry.at);
                    }
                }
                Event::Settled { .. } => {}
                Event::Switched { turn } => {
                    beat(&self.time(entry.at), say::BAD, "switch", &inert(&turn.to_string()))
                }
                Event::Life { to, why, .. } => beat(
                    &self.time(entry.at),
                    say::GOOD,
                    &format!("── {}", to.to_string().to_uppercase()),
                    &inert(&why),
                ),
            }
        }
        Ok(())
    }

    fn plan(&self, plan: &Plan, at: Timestamp) {
        let stages: Vec<String> = Stage::ALL
            .into_iter()
            .filter_map(|stage| {
                let many = plan.changes.iter().filter(|change| change.stage == stage).count();
                (many > 0).then(|| format!("{many} {stage}"))
            })
            .collect();
        beat(
            &self.time(at),
            say::HEAD,
            "plan",
            &format!(
                "{} changes ({}), stored as {} before the first write",
                plan.changes.len(),
                stages.join(", "),
                plan.digest().short()
            ),
        );
    }

    fn tell(&self, change: &Change, result: &Done, at: Timestamp) {
        let line = brief(change);
        match result {
            Done::Written { .. } => beat(&self.time(at), say::DIM, &change.stage.to_string(), &paint(&line)),
            Done::Failed { why } | Done::Moved { why } | Done::Withheld { why } => {
                beat(&self.time(at), say::BAD, &change.stage.to_string(), &format!("{line}: {}", inert(why)));
            }
        }
    }

    /// How long after the event, by the function's own clock.
    fn time(&self, at: Timestamp) -> String {
        format!("{:.2}s", at.duration_since(self.began).as_secs_f32())
    }
}

/// Follows a sweep target by target.
#[derive(Debug)]
pub(super) struct Finish<'a> {
    store: &'a dyn Store,
    sweep: SweepId,
    told: BTreeSet<String>,
    /// Whether targets in which nothing was done and nothing is open are told of.
    quiet: bool,
}

impl<'a> Finish<'a> {
    pub(super) fn new(store: &'a dyn Store, sweep: &SweepId, quiet: bool) -> Self {
        Finish { store, sweep: sweep.clone(), told: BTreeSet::new(), quiet }
    }

    /// Tells of the targets that are done since.
    pub(super) async fn look(&mut self) -> anyhow::Result<()> {
        let mut keys = self.store.list(&keys::done_folder(&self.sweep), None, 500).await?;
        // The organization is done before everybody else.
        keys.sort_by_key(|key| !key.as_str().contains("/done/organization/"));
        for key in keys {
            if !self.told.insert(key.to_string()) {
                continue;
            }
            let Some((done, _)) = self.store.read::<DoneTarget>(&key).await? else { continue };
            let name = key.as_str().rsplit("/done/").next().unwrap_or_default();
            let Ok(target) = name.parse::<Target>() else { continue };
            if let Some((report, _)) = self.store.read::<Report>(&keys::run(&done.run, &target)?).await? {
                tell(&report, self.quiet);
            }
        }
        Ok(())
    }
}

/// Most lines of one target; the others are in its report. Of one that is only reported, fewer tell as much.
const LINES: usize = 6;
const LINES_OF_OTHERS: usize = 3;

fn tell(report: &Report, quiet: bool) {
    let open: Vec<_> = report.findings.iter().filter(|finding| finding.needs_attention()).collect();
    if quiet && report.outcomes.is_empty() {
        return;
    }
    let who = match &report.target {
        Target::Organization(_) => report.target.to_string(),
        Target::Tenant(tenant) => format!("{} ({})", inert(&report.name), brief_id(tenant.native())),
    };
    let standing = match report.target {
        Target::Organization(_) => String::new(),
        Target::Tenant(_) => match &report.standing {
            Standing::ReportOnly(_) => "reported only".to_owned(),
            Standing::Organization
            | Standing::New
            | Standing::Waiting
            | Standing::HandedOver
            | Standing::Adopted => report.life.to_string(),
        },
    };
    let exempt = report.counts.exempt;
    let exempt = if exempt > 0 { format!(", {exempt} exempt") } else { String::new() };
    let found = format!("{standing:<14} {} pass, {} fail{exempt}", report.counts.pass, report.counts.fail);
    step(&who, &found);
    let written = |change: &Change| {
        report
            .outcomes
            .iter()
            .any(|one| one.change == change.id && matches!(one.result, Done::Written { .. }))
    };
    let made = report.changes.iter().filter(|change| written(change)).map(brief);
    let failed = report.outcomes.iter().filter_map(|one| match &one.result {
        Done::Written { .. } => None,
        Done::Failed { why } | Done::Moved { why } | Done::Withheld { why } => {
            Some(cut(&format!("! {}: {}", one.change, inert(why))))
        }
    });
    let seen = open.iter().map(|finding| cut(&text::finding(finding)));
    let refused = report
        .refused
        .iter()
        .flat_map(|refused| &refused.reasons)
        .map(|why| cut(&format!("refused: {}", inert(why))));
    let lines: Vec<String> = made.chain(failed).chain(seen).chain(refused).collect();
    let most = if matches!(report.standing, Standing::ReportOnly(_)) { LINES_OF_OTHERS } else { LINES };
    for line in lines.iter().take(most) {
        detail(&paint(line));
    }
    if lines.len() > most {
        detail(&say::styled(say::DIM, format!("and {} more", lines.len() - most)));
    }
}

/// An id that fits beside a name: of a UUID, its last digits.
fn brief_id(id: &str) -> String {
    match id.rsplit_once('-') {
        Some((_, last)) => format!("…{last}"),
        None => id.to_owned(),
    }
}

/// The sign of a change in its colour.
pub(super) fn paint(line: &str) -> String {
    let (sign, rest) = line.split_once(' ').unwrap_or((line, ""));
    let style = match sign {
        "+" => say::GOOD,
        "~" | "unknown" => say::CARE,
        "-" | "fail" | "!" | "refused:" => say::BAD,
        _ => return line.to_owned(),
    };
    format!("{} {rest}", say::styled(style, sign))
}
