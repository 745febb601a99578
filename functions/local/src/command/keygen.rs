//! `landfall keygen`: a key to sign bundles with. The private half is in a file that only its owner reads.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use landfall_model::manifest::statement::{PublicKey, keygen};
use serde_json::json;

use crate::arguments::{Common, Format};
use crate::{Exit, say};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Where to write the private key; a file that is there already is left alone
    #[arg(long, value_name = "KEYFILE")]
    out: PathBuf,
}

pub(crate) fn run(arguments: &Arguments, common: &Common) -> anyhow::Result<Exit> {
    let public = make(&arguments.out)?;
    match common.format {
        Format::Json => say::json(&json!({
            "key": arguments.out,
            "key-id": public.id(),
            "public-key": public.to_string(),
        }))?,
        Format::Text => {
            say::line(&public);
            say::note(format!(
                "the private key is in {}; give the line above to functions as LANDFALL_PUBLIC_KEYS",
                arguments.out.display()
            ));
        }
    }
    Ok(Exit::Clean)
}

/// Makes a key, writes its private half into a new file, and answers its public half.
pub(crate) fn make(path: &Path) -> anyhow::Result<PublicKey> {
    let key = keygen(&ring::rand::SystemRandom::new())?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).and_then(|mut file| file.write_all(&key.pkcs8)).with_context(|| {
        format!("could not write a new key to `{}`, where nothing may be yet", path.display())
    })?;
    Ok(key.public)
}
