//! `landfall demo`: the whole on a simulated cloud.

use std::path::PathBuf;

use clap::Args;

use crate::Exit;
use crate::demo;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Where to leave its manifest, keys and store; an earlier demo's folder is replaced
    #[arg(long, value_name = "DIR", default_value = "landfall-demo")]
    dir: PathBuf,
    /// Keep the simulated cloud running at the end, until Ctrl-C, to go on with it
    #[arg(long)]
    keep: bool,
}

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let Arguments { dir, keep } = arguments;
    demo::run(dir, *keep).await?;
    Ok(Exit::Clean)
}
