//! `landfall apply`: brings the targets that are named to what the manifest says.

use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use landfall_engine::work;
use landfall_model::manifest::Limits;
use landfall_model::trigger::{Cause, Work};
use landfall_reports::text;
use serde_json::json;

use crate::arguments::{Common, Format};
use crate::desk::Desk;
use crate::near::did_you_mean;
use crate::worker::{self, Worked};
use crate::{Exit, say, target};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// `aws/222222222222`, `azure/<subscription>` or `organization/aws`
    targets: Vec<String>,
    /// How much this run may change, instead of the manifest's `limits`: changes=N, deletions=N, tenants=N
    #[arg(long, value_name = "WHAT=N", value_delimiter = ',')]
    limit: Vec<String>,
}

pub(crate) async fn run(arguments: &Arguments, common: &Common) -> anyhow::Result<Exit> {
    if arguments.targets.is_empty() {
        bail!(
            "name the targets, such as `landfall apply aws/222222222222`; `landfall sweep` is for everybody"
        );
    }
    let released = released(&arguments.limit)?;
    let desks = Desk::to_write(common, &arguments.targets).await?;
    let targets = target::of_clouds(&desks, &arguments.targets).await?;
    let bar = worker::bar(targets.len(), "applying");
    let mut all = Worked::default();
    for desk in &desks {
        let (engine, queue) = desk.engine(released.as_ref().map(|release| release(desk.manifest().limits)));
        let mine = targets.iter().filter(|(of, _)| of.name == desk.name);
        for (_, target) in mine {
            let work =
                Work::Reconcile { target: target.clone(), sweep: None, page: None, cause: Cause::Asked };
            work::send(&engine, &work, Duration::ZERO).await?;
        }
        all = worker::work(desk, &engine, &*queue, None, all, &bar)
            .await
            .context("could not work on the targets")?;
        if all.interrupted {
            break;
        }
    }
    bar.finish_and_clear();
    show(&all, common.format)?;
    if all.interrupted {
        say::note(
            "interrupted: what was begun was ended, the rest was not begun; `landfall apply` again goes on",
        );
    }
    if all.interrupted || !all.failures.is_empty() {
        return Ok(Exit::Error);
    }
    Ok(Exit::found(all.needs_attention()))
}

fn show(worked: &Worked, format: Format) -> anyhow::Result<()> {
    match format {
        Format::Json => say::json(&json!({
            "reports": worked.reports.values().collect::<Vec<_>>(),
            "remains": worked.remains,
            "failures": worked.failures,
            "interrupted": worked.interrupted,
        }))?,
        Format::Text => {
            for report in worked.told() {
                say::text(&text::report(&report));
            }
            for (target, why) in &worked.remains {
                say::text(&format!("! {target}: {why}"));
            }
            for why in &worked.failures {
                say::text(&format!("FAIL {}", landfall_reports::inert::inert(why)));
            }
        }
    }
    Ok(())
}

/// Reads what was typed, as what it makes of the manifest's limits; nothing where nothing was typed.
fn released(typed: &[String]) -> anyhow::Result<Option<impl Fn(Limits) -> Limits + use<>>> {
    const NAMES: [&str; 3] = ["changes", "deletions", "tenants"];
    let (mut changes, mut deletions, mut tenants) = (None, None, None);
    for one in typed {
        let expected = || format!("`--limit {one}` is not `changes=N`, `deletions=N` or `tenants=N`");
        let (name, number) = one.split_once('=').with_context(expected)?;
        let number: u32 = number.parse().ok().with_context(expected)?;
        match name {
            "changes" => changes = Some(number),
            "deletions" => deletions = Some(number),
            "tenants" => tenants = Some(number),
            other => bail!("{}{}", expected(), did_you_mean(other, NAMES)),
        }
    }
    let release = move |limits: Limits| Limits {
        changes: changes.unwrap_or(limits.changes),
        deletions: deletions.unwrap_or(limits.deletions),
        tenants: tenants.unwrap_or(limits.tenants),
        ..limits
    };
    Ok((!typed.is_empty()).then_some(release))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(texts: &[&str]) -> anyhow::Result<Option<Limits>> {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        Ok(released(&texts)?.map(|release| release(Limits::default())))
    }

    #[test]
    fn a_limit_that_is_typed_takes_the_manifest_s_place() {
        assert_eq!(typed(&[]).unwrap(), None);
        let released = typed(&["deletions=3", "tenants=40"]).unwrap().unwrap();
        assert_eq!(released, Limits { deletions: 3, tenants: 40, ..Limits::default() });
        assert!(typed(&["deletion=3"]).unwrap_err().to_string().ends_with("did you mean `deletions`?"));
        assert!(typed(&["changes=many"]).is_err());
    }
}
