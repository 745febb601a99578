//! `landfall explain`: why a setting is as it is, from the clause to the evidence. No cloud is asked.

use anyhow::{Context as _, bail};
use clap::Args;
use landfall_engine::ask::{self, Explanation};
use landfall_engine::trust::for_looking;
use landfall_model::id::Name;
use landfall_model::target::Target;
use landfall_reports::text;

use crate::arguments::{Common, Format};
use crate::near::did_you_mean;
use crate::place::{self, Cloudy, Use};
use crate::{Exit, desk, say, source, target};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// `aws/222222222222`, `azure/<subscription>` or `organization/aws`
    target: String,
    /// A control, the manifest's name for one, or the beginning of a setting's address; all where none is named
    setting: Option<String>,
}

pub(crate) async fn run(arguments: &Arguments, common: &Common) -> anyhow::Result<Exit> {
    let Arguments { target, setting } = arguments;
    let cloudy = Cloudy::default();
    let store = place::store(&common.store, Use::Read, &cloudy).await?;
    let Some(target) = target::of_store(&*store, std::slice::from_ref(target)).await?.pop() else {
        bail!("no run has looked at `{target}` yet");
    };
    // What the manifest asks now is shown beside what the last run found, where somebody says which manifest.
    let trusted = match &common.manifest {
        Some(from) => Some(for_looking(source::given(from, &cloudy).await?.bundle)),
        None => None,
    };
    let cloud: Name = match (&trusted, &target) {
        (Some(trusted), target) => {
            let clouds =
                desk::clouds(trusted.bundle.manifest(), common.cloud.as_ref(), &[target.to_string()])?;
            let mut clouds = clouds.into_iter();
            match (clouds.next(), clouds.next()) {
                (Some(only), None) => only,
                (one, other) => {
                    let names: Vec<String> =
                        one.into_iter().chain(other).map(|name| format!("`--cloud {name}`")).collect();
                    bail!("`{target}` may be in several clouds of the manifest: say {}", names.join(" or "))
                }
            }
        }
        (None, Target::Organization(cloud)) => cloud.clone(),
        (None, Target::Tenant(tenant)) => tenant.provider().as_str().parse()?,
    };
    let explained = ask::explain(&*store, trusted.as_ref(), &cloud, &target, setting.as_deref()).await?;
    let explanation = explained.with_context(|| format!("the first run of `{target}` is not over yet"))?;
    if explanation.findings.is_empty()
        && let Some(setting) = setting
    {
        let all = ask::last_report(&*store, &target).await?.map(|report| report.findings).unwrap_or_default();
        let mut names: Vec<String> = all.iter().map(|finding| finding.control.to_string()).collect();
        names.extend(all.iter().flat_map(|finding| &finding.names).map(ToString::to_string));
        names.extend(all.iter().map(|finding| finding.address.to_string()));
        names.sort();
        names.dedup();
        let near = match (did_you_mean(setting, names.iter().map(String::as_str)), all.is_empty()) {
            (near, _) if !near.is_empty() => near,
            (_, true) => ": it judged nothing".to_owned(),
            (_, false) => alike(setting, &names)
                .unwrap_or_else(|| format!("; `landfall explain {target}` shows those that it judged")),
        };
        bail!("the last run of `{target}` judged no setting `{setting}`{near}");
    }
    match common.format {
        Format::Json => say::json(&explanation)?,
        Format::Text => {
            let Explanation { target, findings, asked: _, history, run, provenance } = &explanation;
            let mut text = text::explain(target, findings, history, run, provenance);
            if findings.is_empty() {
                // Nothing in particular was asked for, so there is nothing else that it did judge.
                let report = ask::last_report(&*store, target).await?;
                let why = report.map(|report| text::standing(&report.standing)).unwrap_or_default();
                text = text.replacen("judged no such setting", &format!("judged nothing: {why}"), 1);
            }
            say::text(&text);
        }
    }
    let open = explanation.findings.iter().any(landfall_model::finding::Finding::needs_attention);
    Ok(Exit::found(open))
}

/// Names in which what was typed stands, or one of its words; the first few.
fn alike(typed: &str, names: &[String]) -> Option<String> {
    const SHOWN: usize = 5;
    const SHORTEST: usize = 4;
    let words: Vec<&str> = std::iter::once(typed)
        .chain(typed.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() >= SHORTEST))
        .filter(|word| !word.is_empty())
        .collect();
    let found = names.iter().filter(|name| words.iter().any(|word| name.contains(word)));
    let found: Vec<String> = found.take(SHOWN).map(|name| format!("`{name}`")).collect();
    (!found.is_empty()).then(|| format!(": did you mean {}?", found.join(" or ")))
}
