//! `landfall build`: one canonical document from a folder. The same manifest is the same bytes, whoever builds it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use landfall_model::manifest::Source;
use landfall_model::manifest::bundle::Bundle;
use serde_json::{Value, json};

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
    spare(&arguments.out, &sources)?;
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

/// Refuses to write over a file of the manifest, or over anything else that is no bundle.
fn spare(out: &Path, sources: &[Source]) -> anyhow::Result<()> {
    let shown = out.display();
    let Ok(there) = out.canonicalize() else { return Ok(()) };
    if sources.iter().any(|source| Path::new(&source.name).canonicalize().is_ok_and(|path| path == there)) {
        bail!("`{shown}` is a file of the manifest itself: nothing was written; name another with `--out`");
    }
    // One of another version, or one that somebody edited, is a bundle to build anew all the same.
    let bundle = std::fs::read(&there).ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    if bundle.is_none_or(|bundle| bundle.get("landfall").is_none()) {
        bail!(
            "`{shown}` is there and is no bundle: nothing was written; name another with `--out`, or remove it"
        );
    }
    Ok(())
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
