//! The packages as `infra/package` makes them, unpacked as the clouds unpack them.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "test harness: a failure here is a failed test")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
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
    said(&output)
}

fn said(output: &Output) -> Result<String, String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// What `infra/package` says of all three, made on first use.
pub fn made() -> &'static str {
    static MADE: OnceLock<String> = OnceLock::new();
    MADE.get_or_init(|| package(&[]).expect("the packages are made"))
}

/// The zip that is deployed to a cloud.
pub fn zip(cloud: &str) -> PathBuf {
    made();
    folder().join(format!("landfall-{cloud}.zip"))
}

/// What `infra/package` says of a binary on a cloud that has this glibc; the program it asks with is the packages' own.
pub fn fits(binary: &Path, cloud: &str, glibc: &str) -> Result<String, String> {
    made();
    let output = Command::new(root().join("infra/packages/.venv/bin/python"))
        .args(["-B", "-c", FITS])
        .args([root().join("infra/packages").as_path(), binary])
        .args([cloud, glibc])
        .output()
        .expect("the packages' Python starts");
    said(&output)
}

/// Which glibc a binary asks for, by what `package.py` reads and by every word in it that begins like a version.
const FITS: &str = r#"
import pathlib, re, sys
folder, binary, cloud, glibc = sys.argv[1:]
sys.path.insert(0, folder)
import package
path = pathlib.Path(binary)
asked = package.fitting(path, cloud, glibc)
words = {word.decode() for word in re.findall(rb"(?<=\0GLIBC_)2[.0-9]+(?=\0)", path.read_bytes())}
print(asked, max(words, key=package.version))
"#;

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
        // Of which packages they are: what another test program unpacked is used again, and may be at work.
        let (sums, of) = (std::fs::read(folder().join("SHA256SUMS")).unwrap(), all.join("SHA256SUMS"));
        if std::fs::read(&of).is_ok_and(|found| found == sums) {
            return all;
        }
        if all.exists() {
            std::fs::remove_dir_all(&all).unwrap();
        }
        for cloud in ["aws", "azure", "gcp"] {
            read(cloud, &[all.join(cloud).to_str().unwrap()]);
        }
        std::fs::write(of, sums).unwrap();
        all
    };
    UNPACKED.get_or_init(unpack).clone()
}

fn read(cloud: &str, more: &[&str]) -> Value {
    let zip = zip(cloud);
    let verdict = python("read_package.py", &[&[zip.to_str().unwrap()], more].concat(), "");
    assert!(verdict.content, "{}", verdict.complained);
    serde_json::from_str(&verdict.said).unwrap()
}
