//! Measures what the README of this folder tells: a function's start, its memory and size, a baseline, a sweep.
//!
//! Run in release: `cargo run --release -p landfall-tests --bin landfall-bench`. The function's binary is measured as it is
//! deployed, so it is built by itself first; the command says how when it is missing.

mod function;
mod sweep;
mod usage;

use std::path::PathBuf;

use landfall_simulator::Simulator;
use landfall_simulator::azure::AzureSimulator;
use landfall_simulator::gcp::GcpSimulator;

use crate::sweep::Swept;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        // The measured half of a sweep.
        [Simulator::WORKER, url, size] => sweep::worker::<Simulator>(url, size).await,
        [AzureSimulator::WORKER, url, size] => sweep::worker::<AzureSimulator>(url, size).await,
        [GcpSimulator::WORKER, url, size] => sweep::worker::<GcpSimulator>(url, size).await,
        ["function"] => function::on_aws(&binary("aws")?).await,
        ["sweep"] => sweep::measure::<Simulator>(&SIZES).await,
        ["azure-function"] => function::on_azure(&binary("azure")?).await,
        ["azure-sweep"] => sweep::measure::<AzureSimulator>(&SIZES).await,
        ["gcp-function"] => function::on_gcp(&binary("gcp")?).await,
        ["gcp-sweep"] => sweep::measure::<GcpSimulator>(&SIZES).await,
        [] => {
            function::on_aws(&binary("aws")?).await?;
            sweep::measure::<Simulator>(&SIZES).await?;
            function::on_azure(&binary("azure")?).await?;
            sweep::measure::<AzureSimulator>(&SIZES).await?;
            function::on_gcp(&binary("gcp")?).await?;
            sweep::measure::<GcpSimulator>(&SIZES).await
        }
        _ => anyhow::bail!(
            "expected nothing, or one of `function`, `sweep`, `azure-function`, `azure-sweep`, `gcp-function`, `gcp-sweep`"
        ),
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
