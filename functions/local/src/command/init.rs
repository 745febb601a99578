//! `landfall init`: a small manifest to begin with.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use clap::Args;
use serde_json::json;

use crate::arguments::{Common, Format};
use crate::{Exit, say, source};

/// What is written. It passes `check`, and fits the organization that `landfall simulate` serves.
const TEMPLATE: &str = include_str!("init/landfall.yaml");

const NAME: &str = "landfall.yaml";

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The folder; made where it is missing
    dir: Option<String>,
}

pub(crate) fn run(arguments: &Arguments, common: &Common) -> anyhow::Result<Exit> {
    let dir = arguments.dir.as_deref().unwrap_or(common.manifest());
    let folder = Path::new(dir);
    std::fs::create_dir_all(folder).with_context(|| format!("could not make the folder `{dir}`"))?;
    if let Ok((sources, _)) = source::read(dir)
        && let Some(first) = sources.first()
    {
        bail!("`{dir}` holds a manifest already (`{}`): nothing was written", first.name);
    }
    let path = folder.join(NAME);
    let shown = path.display();
    std::fs::File::create_new(&path)
        .and_then(|mut file| file.write_all(TEMPLATE.as_bytes()))
        .with_context(|| format!("could not write `{shown}`"))?;
    match common.format {
        Format::Json => say::json(&json!({"written": path}))?,
        Format::Text => {
            say::line(format!("wrote {shown}"));
            say::line("put your own organization, accounts and teams into it, then:");
            say::line(format!("  landfall check {dir}            everything that is wrong with it"));
            say::line(format!(
                "  landfall plan --manifest {dir}  what it would change, without changing anything"
            ));
        }
    }
    Ok(Exit::Clean)
}
