//! `landfall ledger`: what was meant to be done, what came of it, and whether anybody changed the story since.

use anyhow::bail;
use clap::{Args, Subcommand};
use landfall_engine::control::chain;
use landfall_engine::history::{self, Verified};
use landfall_engine::store::Store;
use landfall_model::ledger::{Entry, Event};
use landfall_model::outcome::Done;
use landfall_model::target::Target;
use landfall_reports::inert::inert;
use landfall_reports::text;

use crate::arguments::{Common, Format};
use crate::place::{self, Cloudy, Use};
use crate::table::table;
use crate::{Exit, say, target};

/// Entries read at once.
const PAGE: usize = 500;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Every entry of one target's history, oldest first
    Show {
        /// `aws/222222222222`, `azure/<subscription>` or `organization/aws`
        target: String,
    },
    /// Check that no entry is missing, doubled or altered
    Verify {
        /// `aws/222222222222`, `azure/<subscription>` or `organization/aws`
        targets: Vec<String>,
        /// Everybody; so it is where nobody is named
        #[arg(long, conflicts_with = "targets")]
        all: bool,
    },
}

pub(crate) async fn run(arguments: &Arguments, common: &Common) -> anyhow::Result<Exit> {
    let store = place::store(&common.store, Use::Read, &Cloudy::default()).await?;
    match &arguments.verb {
        Verb::Show { target } => show(&*store, target, common).await,
        Verb::Verify { targets, all: _ } => {
            let targets = match targets.as_slice() {
                [] => target::recorded(&*store).await?.into_iter().collect(),
                typed => target::of_store(&*store, typed).await?,
            };
            let mut verified = Vec::new();
            for target in &targets {
                // What can't be read in one history says nothing of the others.
                let unread = |error| Verified {
                    target: target.clone(),
                    entries: 0,
                    intents: 0,
                    open: 0,
                    broken: Some(format!("could not be verified: {}", chain(&error))),
                };
                verified.push(history::verify(&*store, target).await.unwrap_or_else(unread));
            }
            match common.format {
                Format::Json => say::json(&verified)?,
                Format::Text => say::text(&verdict(&verified)),
            }
            Ok(Exit::found(verified.iter().any(|one| one.broken.is_some())))
        }
    }
}

async fn show(store: &dyn Store, typed: &str, common: &Common) -> anyhow::Result<Exit> {
    let Some(target) = target::of_store(store, &[typed.to_owned()]).await?.pop() else {
        bail!("no run has looked at `{typed}` yet");
    };
    let entries = entries(store, &target).await?;
    match common.format {
        Format::Json => say::json(&entries)?,
        Format::Text => {
            for one in &entries {
                say::line(entry(one));
            }
            say::line(format!("{} entries", entries.len()));
        }
    }
    Ok(Exit::Clean)
}

async fn entries(store: &dyn Store, target: &Target) -> anyhow::Result<Vec<Entry>> {
    let mut entries: Vec<Entry> = Vec::new();
    loop {
        let after = entries.last().map_or(0, |entry| entry.seq);
        let page = history::entries(store, target, after, PAGE).await?;
        if page.is_empty() {
            return Ok(entries);
        }
        entries.extend(page);
    }
}

/// An entry in one line: number, time, the beginning of its hash, what it says.
fn entry(entry: &Entry) -> String {
    let Entry { seq, previous: _, at, run: _, event, hash } = entry;
    let what = match event {
        Event::Intent { change, provenance, .. } => {
            format!("intent   {}  [bundle {}]", text::change(change), provenance.bundle.short())
        }
        Event::Outcome { intent, result, .. } => format!("outcome  of #{intent}: {}", outcome(result)),
        Event::Settled { intent, took_effect, .. } => format!(
            "settled  #{intent}, left open: {}",
            match took_effect {
                Some(true) => "it took effect",
                Some(false) => "it did not take effect",
                None => "nobody can tell",
            }
        ),
        Event::Switched { turn } => format!("switch   {}", inert(&turn.to_string())),
        Event::Life { from, to, why } => format!("life     {from} -> {to}: {}", inert(why)),
    };
    format!("#{seq:<4} {}  {}  {what}", at.strftime("%Y-%m-%d %H:%M:%SZ"), hash.short())
}

fn outcome(result: &Done) -> String {
    match result {
        Done::Written { .. } => "written".to_owned(),
        Done::Failed { why } => format!("failed: {}", inert(why)),
        Done::Moved { why } | Done::Withheld { why } => format!("not written: {}", inert(why)),
    }
}

/// All histories in a table, and one line about all of them.
pub(crate) fn verdict(verified: &[Verified]) -> String {
    let rows = verified.iter().map(|one| {
        let Verified { target, entries, intents, open, broken } = one;
        let state = match (broken, open) {
            (Some(why), _) => inert(why),
            (None, 0) => "whole".to_owned(),
            (None, open) => format!("whole; {open} without an outcome yet, which the next run settles"),
        };
        vec![
            if broken.is_some() { "FAIL" } else { "ok" }.to_owned(),
            target.to_string(),
            entries.to_string(),
            intents.to_string(),
            state,
        ]
    });
    let broken = verified.iter().filter(|one| one.broken.is_some()).count();
    let entries: u64 = verified.iter().map(|one| one.entries).sum();
    let end = match broken {
        0 => format!(
            "{entries} entries in {} histories: nothing is missing, doubled or altered",
            verified.len()
        ),
        broken => format!(
            "{broken} of {} histories are broken or could not be read: restore what is broken from a copy before anything is written there",
            verified.len()
        ),
    };
    format!("{}\n\n{end}", table(&["", "target", "entries", "changes", "history"], &[2, 3], rows.collect()))
}
