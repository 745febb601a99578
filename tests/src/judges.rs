//! The harness of the independent judges: programs in Python and Node whose heart nobody here wrote, moto's server, and the
//! function as the process that Lambda would start.
//!
//! What is missing fails a test and says what to do; the few programs that no setup installs are skipped, and counted (`skipped.rs`).

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test harness: a failure here is a failed test"
)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc;
use std::time::Duration;

/// The top of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// What a judge said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it was content: exit code 0.
    pub content: bool,
    /// Its standard output.
    pub said: String,
    /// Its standard error.
    pub complained: String,
}

/// Runs a program of `tests/python`.
pub fn python(script: &str, arguments: &[&str], input: &str) -> Verdict {
    let interpreter = installed("tests/.venv/bin/python", "tests/.venv/installed");
    hear(
        Command::new(interpreter).arg("-B").arg(root().join("tests/python").join(script)).args(arguments),
        input,
    )
}

/// Runs a program of `tests/node`.
pub fn node(script: &str, arguments: &[&str], input: &str) -> Verdict {
    installed("tests/node/node_modules", "tests/node/node_modules/.installed");
    hear(Command::new("node").arg(root().join("tests/node").join(script)).args(arguments), input)
}

pub(crate) fn installed(what: &str, mark: &str) -> PathBuf {
    assert!(
        root().join(what).exists() && root().join(mark).exists(),
        "`{what}` is not installed: run `tests/setup`, then the test again"
    );
    root().join(what)
}

fn hear(command: &mut Command, input: &str) -> Verdict {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the judge starts");
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    // On a thread of its own: a judge may speak before it has heard everything.
    let writer = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let output = child.wait_with_output().expect("the judge ends");
    writer.join().unwrap();
    Verdict {
        content: output.status.success(),
        said: String::from_utf8_lossy(&output.stdout).into_owned(),
        complained: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// AWS's function as a binary, with the embedded store: built on first use, as part of the workspace so that what the tests have
/// compiled is used again.
pub fn function_binary() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| build_function("landfall-function-aws")).clone()
}

/// Azure's custom handler, likewise.
pub fn azure_function_binary() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| build_function("landfall-function-azure")).clone()
}

/// Google Cloud's function, likewise.
pub fn gcp_function_binary() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| build_function("landfall-function-gcp")).clone()
}

fn build_function(name: &str) -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--workspace", "--bin", name, "--features", &format!("{name}/sqlite")])
        .args(["--message-format", "json-render-diagnostics", "--quiet"])
        .current_dir(root())
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "the function does not build");
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|message| message.get("executable")?.as_str().map(PathBuf::from))
        .next_back()
        .expect("cargo says where the binary is")
}

/// moto's server: an AWS emulator that nobody here wrote, on a free loopback port, stopped when dropped.
#[derive(Debug)]
pub struct Moto {
    child: Child,
    url: String,
}

impl Moto {
    /// Starts one of one's own; tests share none.
    pub fn start() -> Self {
        let program = root().join("tests/python/serve_moto.py");
        let interpreter = installed("tests/.venv/bin/python", "tests/.venv/installed");
        let mut child = Command::new(interpreter)
            .arg("-B")
            .arg(program)
            .args(["-H", "127.0.0.1", "-p", "0"])
            .env("PYTHONUNBUFFERED", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("moto's server starts");
        let (tell, told) = mpsc::channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        // Reads on to the end, so that a full pipe never stops the server.
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                if let Some((_, url)) = line.split_once("Running on ") {
                    drop(tell.send(url.trim().to_owned()));
                }
            }
        });
        // Port 0 is a free one, and the child itself says which: no other process can be mistaken for it.
        match told.recv_timeout(Duration::from_secs(60)) {
            Ok(url) => Moto { child, url },
            Err(_) => {
                drop(child.kill());
                panic!("moto's server did not start; run `tests/setup`")
            }
        }
    }

    /// Where it listens, as `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
