//! Measures what the README of this folder tells: a function's start, its memory and size, a baseline, a sweep.
//!
//! Run in release: `cargo run --release -p landfall-tests --bin landfall-bench`. The function's binary is measured as it is
//! deployed, so it is built by itself first; the command says how when it is missing.

mod azure_function;
mod azure_sweep;
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
        ["azure-sweep-worker", url] => azure_sweep::worker(url).await,
        ["sweep"] => sweep::measure(&SIZES).await,
        ["function"] => function::measure(&binary("aws")?).await,
        ["azure-sweep"] => azure_sweep::measure(&SIZES).await,
        ["azure-function"] => azure_function::measure(&binary("azure")?).await,
        [] => {
            function::measure(&binary("aws")?).await?;
            sweep::measure(&SIZES).await?;
            azure_function::measure(&binary("azure")?).await?;
            azure_sweep::measure(&SIZES).await
        }
        _ => anyhow::bail!("expected nothing, `function`, `sweep`, `azure-function` or `azure-sweep`"),
    }
}

/// How many tenants are swept.
const SIZES: [usize; 2] = [100, 500];

fn binary(cloud: &str) -> anyhow::Result<PathBuf> {
    let name = format!("landfall-function-{cloud}");
    let binary = std::env::current_exe()?.with_file_name(&name);
    anyhow::ensure!(
        binary.exists(),
        "build the function first: cargo build --release -p {name} --features sqlite"
    );
    Ok(binary)
}

/// A line of the table.
#[expect(clippy::print_stdout, reason = "the figures are what this command is for")]
fn tell(what: &str, figure: &str) {
    println!("{what:<58} {figure}");
}
