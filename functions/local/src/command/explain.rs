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
    /// `aws/222222222222` or `organization/aws`
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
        (Some(trusted), _) => desk::ground(trusted.bundle.manifest(), common.cloud.as_ref())?.0,
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
        let near = did_you_mean(setting, names.iter().map(String::as_str));
        bail!("the last run of `{target}` judged no setting `{setting}`{near}");
    }
    match common.format {
        Format::Json => say::json(&explanation)?,
        Format::Text => {
            let Explanation { target, findings, asked: _, history, run, provenance } = &explanation;
            say::text(&text::explain(target, findings, history, run, provenance));
        }
    }
    let open = explanation.findings.iter().any(landfall_model::finding::Finding::needs_attention);
    Ok(Exit::found(open))
}
