//! A sweep over many accounts: nine checks in one region each. The worker is a process of its own.

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
use landfall_simulator::{Call, Options, Settings, Simulator, World};
use landfall_tests::stage::{EXTERNAL_ID, engine, is_write, manifest};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::{tell, usage};

/// Nine checks in one region: what the compared tools were measured with.
fn nine(accounts: usize) -> String {
    let tenants: String = (0..accounts)
        .map(|n| format!("      - {{ aws: \"{}\", unit: workloads }}\n", 222_222_222_222_u64 + n as u64))
        .collect();
    format!(
        r#"landfall: 1
organization: acme
clouds:
  aws:
    organization: o-a1b2c3d4e5
    management-account: "111111111111"
    home-region: eu-central-1
    regions: [eu-central-1]
    roles: {{ read: landfall-read, write: landfall-write, external-id: {EXTERNAL_ID} }}
limits: {{ changes: 100, deletions: 100, tenants: 1000 }}
environments: [production]
units: {{ workloads: {{ landing-zone: nine }} }}
teams: {{ platform: {{}} }}
controls:
  a: {{ control: password-policy }}
  b: {{ control: no-root-keys }}
  c: {{ control: block-public-storage }}
  d: {{ control: encrypt-by-default }}
  e: {{ control: block-public-snapshots }}
  f: {{ control: block-public-images }}
  g: {{ control: hardened-instances }}
  h: {{ control: no-default-network }}
  i: {{ control: external-access-analysis }}
landing-zones: {{ nine: {{ version: 1, controls: [a, b, c, d, e, f, g, h, i] }} }}
projects:
  everything:
    team: platform
    tenants:
{tenants}"#
    )
}

pub(crate) async fn measure(sizes: &[usize]) -> anyhow::Result<()> {
    for size in sizes {
        let settings = Settings { external_id: Some(EXTERNAL_ID.to_owned()), ..Settings::default() };
        let world = World::sample_with(*size, settings);
        let simulator = Simulator::start(Options { world: Some(world), ..Options::default() })?;
        let what = format!("sweep of {size} accounts, nine checks, one region");
        let calls = |before: Before| match before {
            Before::Sweep => {
                simulator.clear_calls();
                Vec::new()
            }
            Before::Figures => simulator.calls(),
        };
        let write = |call: &Call| is_write(&format!("{}:{}", call.service, call.operation));
        watch("sweep-worker", &simulator.url(), *size, &what, calls, write).await?;
    }
    Ok(())
}

/// When the parent process looks at the simulator.
pub(crate) enum Before {
    /// The sweep that is measured begins.
    Sweep,
    /// It is over.
    Figures,
}

/// Starts the measured half, and tells its figures with the calls that it made.
pub(crate) async fn watch(
    worker: &str,
    url: &str,
    size: usize,
    what: &str,
    calls: impl Fn(Before) -> Vec<Call>,
    write: impl Fn(&Call) -> bool,
) -> anyhow::Result<()> {
    let mut child = tokio::process::Command::new(std::env::current_exe()?)
        .args([worker, url])
        .env("LANDFALL_BENCH_TENANTS", size.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let Some(stdout) = child.stdout.take() else { anyhow::bail!("the worker has no output") };
    let mut lines = BufReader::new(stdout).lines();
    while let Some(line) = lines.next_line().await? {
        // The second sweep is the one that is measured: the first puts right what is wrong in the sample.
        if line == "ready" {
            drop(calls(Before::Sweep));
            continue;
        }
        let calls = calls(Before::Figures);
        let writes = calls.iter().filter(|call| write(call)).count();
        tell(what, &line);
        tell("  calls", &format!("{:.2} each ({writes} of all write)", calls.len() as f64 / size as f64));
    }
    anyhow::ensure!(child.wait().await?.success(), "the worker failed");
    Ok(())
}

/// For how many tenants the measured half is started.
pub(crate) fn tenants() -> anyhow::Result<usize> {
    Ok(std::env::var("LANDFALL_BENCH_TENANTS")?.parse()?)
}

/// The measured half.
pub(crate) async fn worker(url: &str) -> anyhow::Result<()> {
    let accounts = tenants()?;
    let folder = tempfile::tempdir()?;
    let store = Arc::new(SqliteStore::open(folder.path().join("landfall.db")).await?);
    let (engine, queue, _) = engine(url, manifest(&nine(accounts)), store).await;
    twice(&engine, &queue, accounts).await
}

/// Sweeps twice, and prints the figures of the second.
#[expect(clippy::print_stdout, reason = "the parent process reads the figures from here")]
pub(crate) async fn twice(engine: &Engine, queue: &MemoryQueue, tenants: usize) -> anyhow::Result<()> {
    for round in 0..2 {
        let (cpu, begun) = (usage::own_cpu()?, Instant::now());
        let deadline = Deadline(SystemClock.now() + SignedDuration::from_mins(30));
        let id = sweep::begin(engine, deadline).await?;
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
