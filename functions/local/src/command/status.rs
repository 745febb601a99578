//! `landfall status`: how everybody stands, as the store knows it. No cloud is asked.

use clap::Args;
use landfall_engine::ask;
use landfall_model::record::{Counts, Record};
use landfall_reports::inert::inert;
use landfall_reports::text;
use serde_json::json;

use crate::arguments::{Common, Format};
use crate::place::{self, Cloudy, Use};
use crate::table::table;
use crate::{Exit, made, say, target};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Their last reports; a table of everybody where none is named
    targets: Vec<String>,
}

pub(crate) async fn run(arguments: &Arguments, common: &Common) -> anyhow::Result<Exit> {
    let store = place::store(&common.store, Use::Read, &Cloudy::default()).await?;
    if arguments.targets.is_empty() {
        let status = ask::status(&*store).await?;
        match common.format {
            Format::Json => say::json(&status)?,
            Format::Text => {
                say::text(&everybody(&status.targets));
                say::text(text::swept(&status).trim_end());
            }
        }
        let open = status.paused.is_some() || status.targets.iter().any(attention);
        return Ok(Exit::found(open));
    }
    let mut reports = Vec::new();
    for target in target::of_store(&*store, &arguments.targets).await? {
        let report = ask::last_report(&*store, &target).await?;
        match (common.format, &report) {
            (Format::Json, _) => {}
            (Format::Text, Some(report)) => say::text(&text::report(&made::whole(report))),
            (Format::Text, None) => say::line(format!("{target}: its first run is not over yet")),
        }
        reports.push((target, report));
    }
    if common.format == Format::Json {
        let reports: Vec<_> =
            reports.iter().map(|(target, report)| json!({"target": target, "report": report})).collect();
        say::json(&reports)?;
    }
    let open = reports
        .iter()
        .any(|(_, report)| report.as_ref().is_none_or(landfall_model::report::Report::needs_attention));
    Ok(Exit::found(open))
}

fn attention(record: &Record) -> bool {
    record.last.as_ref().is_none_or(|last| last.counts.needs_attention())
}

/// Everybody in a table, those that need a person marked.
pub(crate) fn everybody(records: &[Record]) -> String {
    let mut all = Counts::default();
    let rows = records.iter().map(|record| {
        let counts = record.last.as_ref().map(|last| last.counts);
        all.add(counts.unwrap_or_default());
        let number =
            |pick: fn(Counts) -> u32| counts.map(|counts| pick(counts).to_string()).unwrap_or_default();
        vec![
            if attention(record) { "!" } else { "" }.to_owned(),
            record.target.to_string(),
            record.facts.as_ref().map(|facts| inert(&facts.name)).unwrap_or_default(),
            record.target.tenant().map(|_| record.life.to_string()).unwrap_or_default(),
            number(|counts| counts.pass),
            number(|counts| counts.fail),
            number(|counts| counts.unknown),
            number(|counts| counts.exempt),
            record
                .last
                .as_ref()
                .map_or_else(|| "never".to_owned(), |last| last.at.strftime("%Y-%m-%d %H:%MZ").to_string()),
        ]
    });
    let rows: Vec<Vec<String>> = rows.collect();
    let heads = ["", "target", "name", "life", "pass", "fail", "unknown", "exempt", "looked at"];
    let marked = records.iter().filter(|record| attention(record)).count();
    format!(
        "{}\n\n{} targets, {marked} need a person: {}",
        table(&heads, &[4, 5, 6, 7], rows),
        records.len(),
        text::counts(all)
    )
}
