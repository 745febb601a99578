//! Measures what the README of this folder tells: a function's start, its memory and size, a baseline, a sweep.
//!
//! Run in release: `cargo run --release -p landfall-tests --bin landfall-bench`. The function's binary is measured as it is
//! deployed, so it is built by itself first; the command says how when it is missing.

mod function;
mod sweep;
mod usage;

use std::path::PathBuf;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        // The measured half of a sweep: a process of its own, so that the simulator's work is not counted.
        ["sweep-worker", url] => sweep::worker(url).await,
        ["sweep"] => sweep::measure(&[100, 500]).await,
        ["function"] => function::measure(&binary()?).await,
        [] => {
            function::measure(&binary()?).await?;
            sweep::measure(&[100, 500]).await
        }
        _ => anyhow::bail!("expected nothing, `function` or `sweep`"),
    }
}

fn binary() -> anyhow::Result<PathBuf> {
    let binary = std::env::current_exe()?.with_file_name("landfall-function-aws");
    anyhow::ensure!(
        binary.exists(),
        "build the function first: cargo build --release -p landfall-function-aws --features sqlite"
    );
    Ok(binary)
}

/// A line of the table.
#[expect(clippy::print_stdout, reason = "the figures are what this command is for")]
fn tell(what: &str, figure: &str) {
    println!("{what:<58} {figure}");
}
