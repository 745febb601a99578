//! A sweep over many tenants: nine checks of each. The worker is a process of its own, so that the simulator's work is not counted.

mod aws;
mod azure;
mod gcp;

use std::process::Stdio;
use std::sync::Arc;
use std::time::Instant;

use jiff::SignedDuration;
use landfall_engine::engine::{Clock as _, Deadline, Engine, SystemClock};
use landfall_engine::queue::Queue as _;
use landfall_engine::queue::memory::MemoryQueue;
use landfall_engine::store::sqlite::SqliteStore;
use landfall_engine::{sweep, work};
use landfall_model::trigger::Work;
use landfall_tests::real::Real;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::{tell, usage};

/// A cloud whose tenants are swept.
pub(crate) trait Swept: Real {
    /// The command of the measured half.
    const WORKER: &'static str;
    const WHAT: &'static str;

    /// A manifest that asks nine controls of so many tenants.
    fn nine(tenants: usize) -> String;

    /// What sweeps as a manifest says.
    fn engine(url: &str, manifest: &str) -> impl Future<Output = anyhow::Result<Engines>>;
}

/// An engine, with what it needs as long as it runs.
#[derive(Debug)]
pub(crate) struct Engines {
    engine: Engine,
    queue: Arc<MemoryQueue>,
    _folder: tempfile::TempDir,
}

/// A store that is gone with its folder.
async fn kept() -> anyhow::Result<(tempfile::TempDir, Arc<SqliteStore>)> {
    let folder = tempfile::tempdir()?;
    let store = Arc::new(SqliteStore::open(folder.path().join("landfall.db")).await?);
    Ok((folder, store))
}

/// Starts the measured half for each size, and tells its figures with the calls that it made.
pub(crate) async fn measure<S: Swept>(sizes: &[usize]) -> anyhow::Result<()> {
    for size in sizes {
        let simulator = S::sample(*size);
        let mut child = tokio::process::Command::new(std::env::current_exe()?)
            .args([S::WORKER, &simulator.address(), &size.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let Some(stdout) = child.stdout.take() else { anyhow::bail!("the worker has no output") };
        let mut lines = BufReader::new(stdout).lines();
        while let Some(line) = lines.next_line().await? {
            // The second sweep is the one that is measured: the first puts right what is wrong in the sample.
            if line == "ready" {
                simulator.forget();
                continue;
            }
            let calls = simulator.received();
            let writes = calls.iter().filter(|call| S::changes_something(call)).count();
            tell(&format!("{}: {size}", S::WHAT), &line);
            tell(
                "  calls",
                &format!("{:.2} each ({writes} of all write)", calls.len() as f64 / *size as f64),
            );
        }
        anyhow::ensure!(child.wait().await?.success(), "the worker failed");
    }
    Ok(())
}

/// The measured half.
pub(crate) async fn worker<S: Swept>(url: &str, tenants: &str) -> anyhow::Result<()> {
    let tenants: usize = tenants.parse()?;
    let Engines { engine, queue, _folder } = S::engine(url, &S::nine(tenants)).await?;
    twice(&engine, &queue, tenants).await
}

/// Sweeps twice, and prints the figures of the second.
#[expect(clippy::print_stdout, reason = "the parent process reads the figures from here")]
async fn twice(engine: &Engine, queue: &MemoryQueue, tenants: usize) -> anyhow::Result<()> {
    for round in 0..2 {
        let (cpu, begun) = (usage::own_cpu()?, Instant::now());
        let deadline = Deadline(SystemClock.now() + SignedDuration::from_mins(30));
        let id = sweep::begin(engine, None, deadline).await?;
        let closed = loop {
            let received = queue.receive(10).await?;
            if received.is_empty() {
                work::perform(engine, &Work::Close { sweep: id.clone() }, deadline).await?;
                if let Some(closed) = sweep::closed(engine, &id).await? {
                    break closed;
                }
            }
            for message in received {
                let Ok(work) = work::read(&message.body) else { continue };
                // Looks again at what the first sweep wrote. How many fall due while the second goes on depends on how long that takes;
                // they are no part of it, and would be counted as if they were.
                if round > 0 && matches!(work, Work::Reconcile { sweep: None, .. }) {
                    queue.done(&message.receipt).await?;
                    continue;
                }
                drop(work::perform(engine, &work, deadline).await?);
                queue.done(&message.receipt).await?;
            }
        };
        anyhow::ensure!(closed.unknown.is_empty(), "{closed:?}");
        if round == 0 {
            println!("ready");
            continue;
        }
        let cpu = usage::own_cpu()? - cpu;
        let (_, peak) = usage::memory("self")?;
        println!(
            "{:.2} ms CPU each (goal 5), {:.1} s wall, {:.1} MB at most (goal 24); {} pass, {} fail, {} unknown",
            cpu.as_secs_f64() * 1e3 / tenants as f64,
            begun.elapsed().as_secs_f64(),
            peak as f64 / 1e3,
            closed.counts.pass,
            closed.counts.fail,
            closed.counts.unknown,
        );
    }
    Ok(())
}
