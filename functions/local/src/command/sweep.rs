//! `landfall sweep`: looks at everybody, or at one unit, with the queue in this process, and closes with a table.

use anyhow::{Context as _, bail};
use clap::Args;
use landfall_engine::ask;
use landfall_engine::keys;
use landfall_engine::store::StoreExt as _;
use landfall_engine::sweep::{DoneTarget, Sweep, begin, known_unit};
use landfall_model::id::{SweepId, UnitPath};
use landfall_model::record::Counts;
use landfall_reports::inert::inert;
use landfall_reports::text;
use serde_json::json;

use crate::arguments::{Common, Format};
use crate::desk::{Desk, deadline};
use crate::made::{self, is_made};
use crate::table::table;
use crate::worker::{self, Worked};
use crate::{Exit, say};

/// Open settings shown below the table; the others are in `status`.
const OPEN_SHOWN: usize = 30;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Only the tenants that the manifest puts into this unit or below it: `workloads/production`
    #[arg(long, value_name = "PATH")]
    unit: Option<UnitPath>,
}

pub(crate) async fn run(arguments: &Arguments, common: &Common) -> anyhow::Result<Exit> {
    let unit = arguments.unit.as_ref();
    let desks = Desk::to_write(common, &[]).await?;
    // All clouds are of one manifest.
    if let (Some(unit), Some(desk)) = (unit, desks.first()) {
        known_unit(desk.trusted.bundle.manifest(), unit)?;
    }
    let mut exit = Exit::Clean;
    let mut swept = Vec::new();
    for desk in &desks {
        // A cloud that can't be swept costs that cloud.
        let (id, worked) = match one(desk, unit).await {
            Ok(done) => done,
            Err(error) if desks.len() == 1 => return Err(error),
            Err(error) => {
                say::error(&error.context(format!("the cloud `{}`", desk.name)));
                exit = Exit::Error;
                continue;
            }
        };
        match common.format {
            Format::Json => swept.push(json!({
                "cloud": desk.name,
                "sweep": id,
                "unit": unit,
                "closed": worked.closed,
                "reports": worked.reports.values().collect::<Vec<_>>(),
                "remains": worked.remains,
                "failures": worked.failures,
                "interrupted": worked.interrupted,
            })),
            Format::Text => show(&id, unit, &worked),
        }
        if worked.interrupted || !worked.failures.is_empty() {
            exit = Exit::Error;
        } else if worked.needs_attention() && exit == Exit::Clean {
            exit = Exit::Found;
        }
        if worked.interrupted {
            say::note(
                "interrupted: what was begun was ended, the rest was not begun; the next sweep looks again",
            );
            break;
        }
    }
    if common.format == Format::Json {
        say::json(&swept)?;
    }
    Ok(exit)
}

/// Sweeps one cloud, or what it has of one unit.
async fn one(desk: &Desk, unit: Option<&UnitPath>) -> anyhow::Result<(SweepId, Worked)> {
    let (engine, queue) = desk.engine(None);
    let bar = worker::bar(1, "sweeping");
    bar.set_message(unit.map_or_else(|| desk.organization().to_string(), ToString::to_string));
    let id = tokio::select! {
        id = begin(&engine, unit, deadline()) => id.context("could not begin the sweep")?,
        _ = tokio::signal::ctrl_c() => bail!("interrupted at once; the next run settles what was begun"),
    };
    let tenants = engine.store.read::<Sweep>(&keys::sweep(&id)?).await?.map_or(0, |(sweep, _)| sweep.tenants);
    let begun = match unit {
        None => {
            bar.set_length(u64::from(tenants) + 1);
            bar.inc(1);
            begun(desk, &id).await?
        }
        Some(_) => {
            bar.set_length(u64::from(tenants));
            Worked::default()
        }
    };
    let worked = worker::work(desk, &engine, &*queue, Some(&id), begun, &bar).await;
    bar.finish_and_clear();
    Ok((id, worked.context("could not work on the sweep")?))
}

/// What came of the organization, which is looked at before anybody else.
async fn begun(desk: &Desk, id: &SweepId) -> anyhow::Result<Worked> {
    let mut worked = Worked::default();
    let target = desk.organization();
    let Some((done, _)) = desk.store.read::<DoneTarget>(&keys::done(id, &target)?).await? else {
        let why = "this sweep did not get to it: another run is at it, or it failed";
        worked.remains.insert(target, why.to_owned());
        return Ok(worked);
    };
    if let Some(report) = ask::last_report(&*desk.store, &target).await?
        && report.run == done.run
    {
        worked.take(report);
    }
    Ok(worked)
}

fn show(id: &SweepId, unit: Option<&UnitPath>, worked: &Worked) {
    let mut all = Counts::default();
    let (mut changed, mut missed) = (0, 0);
    let mut rows = Vec::new();
    for (target, report) in &worked.reports {
        let Counts { pass, fail, unknown, not_applicable: _, exempt } = report.counts;
        all.add(report.counts);
        let changes = worked.made(target);
        changed += changes;
        rows.push(vec![
            if report.needs_attention() { "!" } else { "" }.to_owned(),
            target.to_string(),
            inert(&report.name),
            target.tenant().map(|_| report.life.to_string()).unwrap_or_default(),
            pass.to_string(),
            fail.to_string(),
            unknown.to_string(),
            exempt.to_string(),
            changes.to_string(),
        ]);
        for deed in worked.deeds.get(target).into_iter().flatten() {
            missed += usize::from(!is_made(&deed.1));
            say::text(&format!("{target}  {}", made::line(deed)));
        }
    }
    if changed + missed > 0 {
        say::line("");
    }
    let heads = ["", "target", "name", "life", "pass", "fail", "unknown", "exempt", "changes"];
    say::text(&table(&heads, &[4, 5, 6, 7, 8], rows));
    let open: Vec<String> = worked
        .reports
        .iter()
        .flat_map(|(target, report)| {
            let findings = report.findings.iter().filter(|finding| finding.needs_attention());
            findings.map(move |finding| (target, text::finding(finding)))
        })
        .map(|(target, line)| format!("{line}  in {target}"))
        .collect();
    if !open.is_empty() {
        say::line(format!("\n{}", say::styled(say::HEAD, "Needs a person")));
    }
    for line in open.iter().take(OPEN_SHOWN) {
        say::text(line);
    }
    if open.len() > OPEN_SHOWN {
        say::line(format!("and {} more: `landfall status TARGET`", open.len() - OPEN_SHOWN));
    }
    for report in worked.reports.values() {
        for reason in report.refused.iter().flat_map(|refused| &refused.reasons) {
            say::text(&format!("refused: {}: {}", report.target, inert(reason)));
        }
    }
    for (target, why) in &worked.remains {
        say::text(&format!("! {target}: {why}"));
    }
    for why in &worked.failures {
        say::text(&format!("FAIL {}", inert(why)));
    }
    if let Some(closed) = &worked.closed {
        for silent in &closed.silent {
            say::text(&format!("! {}", inert(&silent.to_string())));
        }
        if let Some(turn) = &closed.paused {
            say::text(&text::paused(turn));
        }
    }
    let ended = if worked.closed.is_some() { "closed" } else { "not closed: the next sweep looks again" };
    let part = unit.map(|unit| format!(" of the unit `{unit}`")).unwrap_or_default();
    let targets = worked.reports.len();
    let missed = if missed > 0 { format!(", {missed} NOT DONE") } else { String::new() };
    say::line(format!(
        "\nsweep {id}{part} {ended}: {targets} targets, {changed} changes made{missed}, {}",
        text::counts(all)
    ));
}
