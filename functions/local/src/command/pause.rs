//! `landfall pause` and `landfall resume`: the stop switch of a store, which every function obeys before it writes to a cloud.

use anyhow::bail;
use clap::Args;
use jiff::Timestamp;
use landfall_engine::pause;
use landfall_reports::inert::inert;

use crate::arguments::{Common, Format};
use crate::place::{self, Cloudy, Use};
use crate::{Exit, say};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Why, for everybody who meets it: it stands in every report until it is over, and in the ledger for ever
    reason: Option<String>,
    /// Who
    #[arg(long, env = "USER", hide_env_values = true)]
    by: Option<String>,
}

/// Throws the switch of the store, or tells how it stands where no reason is given.
pub(crate) async fn run(arguments: &Arguments, common: &Common, paused: bool) -> anyhow::Result<Exit> {
    let cloudy = Cloudy::default();
    let word = |paused| if paused { "paused" } else { "running" };
    let Some(reason) = arguments.reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty()) else {
        let store = place::store(&common.store, Use::Read, &cloudy).await?;
        let switch = pause::read(&*store).await?;
        match common.format {
            Format::Json => say::json(&switch)?,
            Format::Text => {
                say::line(format!("{} is {}", common.store, word(switch.pause().is_some())));
                switch.turns.iter().for_each(|turn| say::line(format!("  {}", inert(&turn.to_string()))));
            }
        }
        if switch.pause().is_some() == paused {
            return Ok(Exit::Clean);
        }
        let verb = if paused { "pause" } else { "resume" };
        bail!("nothing was changed; to do so, say why: `landfall {verb} \"the reason\"`");
    };
    let Some(by) = arguments.by.as_deref().map(str::trim).filter(|by| !by.is_empty()) else {
        bail!("who are you? say so with `--by`, for those who will ask");
    };
    let store = place::store(&common.store, Use::Write, &cloudy).await?;
    let (switch, thrown) = pause::throw(&*store, paused, Timestamp::now(), by, reason).await?;
    match (common.format, switch.last()) {
        (Format::Json, _) => say::json(&switch)?,
        (Format::Text, None) => say::line(format!("{} was never paused", common.store)),
        (Format::Text, Some(turn)) => {
            let already = if thrown { "" } else { "already " };
            say::line(format!("{already}{}", inert(&turn.to_string())));
            say::line(if paused {
                "from here on nothing is written to any cloud: not one change, and no new tenant's gate. Whoever is at a stage ends it."
            } else {
                "the next event or sweep goes on; `landfall sweep` does so now"
            });
        }
    }
    Ok(Exit::Clean)
}
