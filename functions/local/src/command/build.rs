//! `landfall build`: one canonical document from a folder. The same manifest is the same bytes, whoever builds it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use landfall_model::manifest::bundle::Bundle;
use serde_json::json;

use crate::arguments::{Common, Format};
use crate::{Exit, problem, say, source};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The folder, or one file
    dir: Option<String>,
    /// Where to write the bundle
    #[arg(long, value_name = "FILE", default_value = "bundle.json")]
    out: PathBuf,
}

pub(crate) fn run(arguments: &Arguments, common: &Common) -> anyhow::Result<Exit> {
    let dir = arguments.dir.as_deref().unwrap_or(common.manifest());
    let (sources, parsed) = source::read(dir)?;
    if !parsed.diagnostics.is_empty() {
        say::note(format!("{}\n", problem::render(&parsed.diagnostics, &sources).trim_end()));
    }
    let Some(manifest) = parsed.manifest else {
        bail!("the manifest in `{dir}` has {}: nothing was built", problem::count(&parsed.diagnostics))
    };
    let bundle = Bundle::build(manifest)?;
    write(&arguments.out, bundle.bytes())?;
    match common.format {
        Format::Json => say::json(&json!({
            "bundle": arguments.out,
            "digest": bundle.digest(),
            "organization": bundle.manifest().organization,
        }))?,
        Format::Text => say::line(format!("{}  {}", bundle.digest(), arguments.out.display())),
    }
    Ok(Exit::Clean)
}

/// Writes a file whole or not at all: a function may be reading it.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    let beside = PathBuf::from(beside);
    std::fs::write(&beside, bytes)
        .and_then(|()| std::fs::rename(&beside, path))
        .with_context(|| format!("could not write `{}`", path.display()))
}
