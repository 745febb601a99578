//! `landfall check`: everything that is wrong with a manifest, at once.

use clap::Args;
use landfall_model::manifest::Manifest;

use crate::arguments::{Common, Format};
use crate::{Exit, problem, say, source};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The folder, or one file
    dir: Option<String>,
}

pub(crate) fn run(arguments: &Arguments, common: &Common) -> anyhow::Result<Exit> {
    let dir = arguments.dir.as_deref().unwrap_or(common.manifest());
    let (sources, parsed) = source::read(dir)?;
    match common.format {
        Format::Json => say::json(&parsed.diagnostics)?,
        Format::Text => {
            let problems = problem::render(&parsed.diagnostics, &sources);
            if !problems.is_empty() {
                say::line(problems.trim_end());
                say::line("");
            }
            match (&parsed.manifest, parsed.diagnostics.is_empty()) {
                (Some(manifest), true) => say::line(summary(manifest, sources.len())),
                (Some(manifest), false) => say::line(format!(
                    "{}, with {}",
                    summary(manifest, sources.len()),
                    problem::count(&parsed.diagnostics)
                )),
                (None, _) => say::line(problem::count(&parsed.diagnostics)),
            }
        }
    }
    Ok(Exit::found(parsed.manifest.is_none()))
}

/// What the manifest is about, in one line.
fn summary(manifest: &Manifest, files: usize) -> String {
    let plural = |number: usize, word: &str| match number {
        1 => format!("1 {word}"),
        number => format!("{number} {word}s"),
    };
    format!(
        "{} is well-formed: {}, {}, {}, {}",
        manifest.organization,
        plural(files, "file"),
        plural(manifest.units.len(), "unit"),
        plural(manifest.controls.len(), "control"),
        plural(manifest.tenants().count(), "tenant"),
    )
}
