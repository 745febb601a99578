//! `landfall plan`: what would change. Nothing here holds a hand that could change it.

use anyhow::Context as _;
use clap::Args;
use futures_util::stream::{self, StreamExt as _};
use jiff::Timestamp;
use landfall_engine::ask::{self, Preview};
use landfall_engine::engine::{Dice as _, SystemClock, SystemDice};
use landfall_model::finding::Finding;
use landfall_model::id::RunId;
use landfall_model::target::Target;
use landfall_reports::inert::inert;
use landfall_reports::text;
use serde_json::{Value, json};

use crate::arguments::{Common, Format};
use crate::desk::Desk;
use crate::{Exit, say, target, worker};

/// Targets looked at at once: each waits for its cloud most of the time.
const LOOKS: usize = 8;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// `aws/222222222222`, `azure/<subscription>` or `organization/aws`; everybody where none is named
    targets: Vec<String>,
}

pub(crate) async fn run(arguments: &Arguments, common: &Common) -> anyhow::Result<Exit> {
    let desks = Desk::to_look(common, &arguments.targets).await?;
    let mut total = Total::default();
    let targets = match arguments.targets.as_slice() {
        [] => everybody(&desks, &mut total).await?,
        typed => target::of_clouds(&desks, typed).await?,
    };
    let bar = worker::bar(targets.len(), "planning");
    let mut previews = stream::iter(&targets)
        .map(|(desk, target)| {
            let bar = &bar;
            async move {
                let preview = preview(desk, target).await;
                bar.inc(1);
                (target, preview)
            }
        })
        .buffered(LOOKS);
    let mut seen = Vec::new();
    while let Some((target, preview)) = previews.next().await {
        let preview = preview.with_context(|| format!("could not plan for `{target}`"));
        total.add(&preview);
        match (common.format, preview) {
            (Format::Json, Ok(preview)) => seen.push(serde_json::to_value(&preview)?),
            (Format::Json, Err(error)) => seen.push(json!({"target": target, "error": format!("{error:#}")})),
            (Format::Text, Ok(preview)) => bar.suspend(|| show(&preview)),
            (Format::Text, Err(error)) => bar.suspend(|| say::error(&error)),
        }
    }
    bar.finish_and_clear();
    match common.format {
        Format::Json => say::json(&Value::Array(seen))?,
        Format::Text => say::line(total.line()),
    }
    if total.errors + total.unlisted > 0 {
        return Ok(Exit::Error);
    }
    Ok(Exit::found(total.changes + total.blocked + total.open > 0))
}

/// Everybody in every cloud. A cloud that can't be listed costs that cloud; where it is the only one, it is the error.
async fn everybody<'a>(desks: &'a [Desk], total: &mut Total) -> anyhow::Result<Vec<(&'a Desk, Target)>> {
    let mut all = Vec::new();
    for desk in desks {
        let listed = target::everybody(desk).await;
        let listed = listed.with_context(|| format!("could not list the tenants of `{}`", desk.name));
        match listed {
            Ok(targets) => all.extend(targets.into_iter().map(|target| (desk, target))),
            Err(error) if desks.len() == 1 => return Err(error),
            Err(error) => {
                say::error(&error);
                total.unlisted += 1;
            }
        }
    }
    Ok(all)
}

async fn preview(desk: &Desk, target: &Target) -> anyhow::Result<Preview> {
    let run = RunId::new(Timestamp::now(), SystemDice.roll());
    let limits = desk.manifest().limits;
    Ok(ask::preview(&*desk.store, &*desk.cloud, &desk.trusted, &SystemClock, &run, target, limits).await?)
}

/// The plan, and what is open that it does not change.
fn show(preview: &Preview) {
    let plan = text::plan(&preview.plan, preview.refused.as_ref());
    let target = preview.target.to_string();
    match (plan.strip_prefix(&target), preview.name.as_str()) {
        (Some(rest), name) if !name.is_empty() => say::text(&format!("{target} ({}){rest}", inert(name))),
        _ => say::text(&plan),
    }
    for finding in beside(preview) {
        say::text(&format!("    {}", text::finding(finding)));
    }
}

fn beside(preview: &Preview) -> impl Iterator<Item = &Finding> {
    let planned = |finding: &Finding| {
        preview.plan.changes.iter().any(|change| change.address == finding.address)
            || preview.plan.blocked.iter().any(|blocked| blocked.change.address == finding.address)
    };
    preview.findings.iter().filter(move |finding| finding.needs_attention() && !planned(finding))
}

#[derive(Debug, Default)]
struct Total {
    targets: usize,
    changes: usize,
    touched: usize,
    blocked: usize,
    refused: usize,
    open: usize,
    errors: usize,
    /// Clouds whose tenants could not be listed.
    unlisted: usize,
}

impl Total {
    fn add(&mut self, preview: &anyhow::Result<Preview>) {
        self.targets += 1;
        let Ok(preview) = preview else {
            self.errors += 1;
            return;
        };
        self.changes += preview.plan.changes.len();
        self.touched += usize::from(!preview.plan.changes.is_empty());
        self.blocked += preview.plan.blocked.len();
        self.refused += usize::from(preview.refused.is_some());
        self.open += beside(preview).count();
    }

    fn line(&self) -> String {
        let mut parts = vec![format!(
            "{} looked at: {} to make in {}",
            many(self.targets, "target"),
            many(self.changes, "change"),
            many(self.touched, "of them")
        )];
        for (number, what) in [
            (self.blocked, "wanted and not allowed"),
            (self.open, "open that this plan does not change"),
            (self.refused, "refused for going beyond the limits"),
            (self.errors, "not planned"),
            (self.unlisted, "clouds not listed"),
        ] {
            if number > 0 {
                parts.push(format!("{number} {what}"));
            }
        }
        parts.join(", ")
    }
}

fn many(number: usize, word: &str) -> String {
    match (number, word) {
        (number, "of them") => format!("{number} of them"),
        (1, word) => format!("1 {word}"),
        (number, word) => format!("{number} {word}s"),
    }
}
