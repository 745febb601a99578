//! The packages as `infra/package` makes them, unpacked as the clouds unpack them.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "test harness: a failure here is a failed test")]

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use crate::judges::{python, root};

/// Where `infra/package` puts them.
pub fn folder() -> PathBuf {
    root().join("target/packages")
}

/// Runs `infra/package`, and answers what it says.
pub fn package(arguments: &[&str]) -> Result<String, String> {
    let output =
        Command::new("bash").arg(root().join("infra/package")).args(arguments).output().expect("bash starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// What `infra/package` says of all three, made on first use.
pub fn made() -> &'static str {
    static MADE: OnceLock<String> = OnceLock::new();
    MADE.get_or_init(|| package(&[]).expect("the packages are made"))
}

/// The files of a package: `{name: {mode, date, bytes, sha256}}`.
pub fn files(cloud: &str) -> Value {
    made();
    read(cloud, &[])
}

/// The folder that has each package unpacked below its cloud's name.
pub fn unpacked() -> PathBuf {
    static UNPACKED: OnceLock<PathBuf> = OnceLock::new();
    let unpack = || {
        made();
        let all = folder().join("unpacked");
        if all.exists() {
            std::fs::remove_dir_all(&all).unwrap();
        }
        for cloud in ["aws", "azure", "gcp"] {
            read(cloud, &[all.join(cloud).to_str().unwrap()]);
        }
        all
    };
    UNPACKED.get_or_init(unpack).clone()
}

fn read(cloud: &str, more: &[&str]) -> Value {
    let zip = folder().join(format!("landfall-{cloud}.zip"));
    let verdict = python("read_package.py", &[&[zip.to_str().unwrap()], more].concat(), "");
    assert!(verdict.content, "{}", verdict.complained);
    serde_json::from_str(&verdict.said).unwrap()
}
