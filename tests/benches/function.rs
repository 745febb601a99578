//! The function's own process: its start, its memory, its size, and one account's baseline from event to handover.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use landfall_model::manifest::bundle::Bundle;
use landfall_simulator::lambda::{Function, Invocation, RuntimeApi};
use landfall_simulator::{Options, Simulator};
use landfall_tests::stage::{ACME, manifest, world};
use serde_json::json;

use crate::{tell, usage};

const STARTS: usize = 21;

pub(crate) async fn measure(binary: &Path) -> anyhow::Result<()> {
    size(binary)?;
    starts(binary, "process start -> first `next` (goal 6 ms)", &BTreeMap::new()).await?;
    // Where the start goes: without overrides every certificate of the system's folder is read.
    let none = tempfile::tempdir()?;
    let bundle = ("SSL_CERT_FILE".to_owned(), "/etc/ssl/certs/ca-certificates.crt".to_owned());
    let folder = ("SSL_CERT_DIR".to_owned(), none.path().display().to_string());
    let one = BTreeMap::from([bundle, folder]);
    starts(binary, "  with the certificate bundle alone", &one).await?;
    baseline(binary).await
}

fn size(binary: &Path) -> anyhow::Result<()> {
    let bytes = std::fs::metadata(binary)?.len();
    let zip = std::env::temp_dir().join(format!("landfall-{}.zip", std::process::id()));
    let script = "import sys, zipfile\nz = zipfile.ZipFile(sys.argv[2], 'w', zipfile.ZIP_DEFLATED, compresslevel=9)\nz.write(sys.argv[1], 'bootstrap')\nz.close()";
    let done = Command::new("python3").arg("-c").arg(script).arg(binary).arg(&zip).status()?;
    anyhow::ensure!(done.success(), "python3 could not write the zip");
    let zipped = std::fs::metadata(&zip)?.len();
    std::fs::remove_file(&zip)?;
    tell("binary", &format!("{:.2} MB", bytes as f64 / 1e6));
    tell("zip (goal 3 MB)", &format!("{:.2} MB", zipped as f64 / 1e6));
    Ok(())
}

/// A world in which the function can do its work, and the environment that says so.
fn stage(folder: &Path, simulator: &Simulator) -> anyhow::Result<BTreeMap<String, String>> {
    let queue = simulator.create_queue("eu-central-1", "landfall-work", 3);
    let bundle = folder.join("bundle.json");
    std::fs::write(&bundle, Bundle::build(manifest(ACME))?.bytes())?;
    let path = |path: &Path| path.display().to_string();
    Ok(BTreeMap::from([
        ("AWS_ENDPOINT_URL".to_owned(), simulator.url()),
        ("AWS_REGION".to_owned(), "eu-central-1".to_owned()),
        ("AWS_ACCESS_KEY_ID".to_owned(), "AKIDBENCH".to_owned()),
        ("AWS_SECRET_ACCESS_KEY".to_owned(), "not-a-secret".to_owned()),
        ("LANDFALL_MANIFEST".to_owned(), path(&bundle)),
        ("LANDFALL_STORE".to_owned(), format!("sqlite:{}", path(&folder.join("landfall.db")))),
        ("LANDFALL_QUEUE".to_owned(), queue),
        ("LANDFALL_LOG".to_owned(), "warn".to_owned()),
    ]))
}

async fn starts(binary: &Path, what: &str, more: &BTreeMap<String, String>) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let simulator = Simulator::start(Options { world: Some(world(1)), ..Options::default() })?;
    let environment = stage(folder.path(), &simulator)?;
    let mut times = Vec::new();
    for _ in 0..STARTS {
        let api = RuntimeApi::start().await?;
        let begun = Instant::now();
        let mut child = Command::new(binary)
            .env_clear()
            .envs(&environment)
            .envs(more)
            .env("AWS_LAMBDA_RUNTIME_API", api.address())
            .env("AWS_LAMBDA_FUNCTION_NAME", "landfall")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "x")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "x")
            .stderr(Stdio::null())
            .spawn()?;
        let ready = api.ready(Duration::from_secs(10)).await;
        times.push(begun.elapsed());
        child.kill()?;
        child.wait()?;
        anyhow::ensure!(ready, "the function did not ask for an event");
    }
    times.sort();
    let at = |part: usize| times.get(part).copied().unwrap_or_default();
    tell(
        what,
        &format!(
            "median {:.1} ms, best {:.1}, worst {:.1} of {STARTS}",
            at(STARTS / 2).as_secs_f64() * 1e3,
            at(0).as_secs_f64() * 1e3,
            at(STARTS - 1).as_secs_f64() * 1e3
        ),
    );
    Ok(())
}

async fn baseline(binary: &Path) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let simulator = Simulator::start(Options { world: Some(world(3)), ..Options::default() })?;
    let environment = stage(folder.path(), &simulator)?;
    let mut function = Function::start(binary, &[], &environment).await?;
    let pid = function.pid().unwrap_or_default();

    let ignored = json!({"source": "aws.s3", "detail-type": "Object Created", "account": "1", "detail": {}});
    let first = function.invoke(&ignored, Duration::from_secs(10)).await;
    anyhow::ensure!(matches!(first, Invocation::Answer(_)), "{first:?}");
    let (resident, _) = usage::memory(&pid.to_string())?;
    tell("memory after one event (goal 12 MB)", &format!("{:.1} MB", resident as f64 / 1e3));

    let schedule = json!({"source": "aws.events", "detail-type": "Scheduled Event", "account": "111111111111", "detail": {}});
    let swept = function.invoke(&schedule, Duration::from_secs(60)).await;
    anyhow::ensure!(matches!(swept, Invocation::Answer(_)), "{swept:?}");
    simulator.edit(|world| world.create_account("new-shop"));
    let event = simulator
        .take_events()
        .into_iter()
        .find(|event| event.pointer("/detail/eventName").is_some_and(|name| name == "CreateAccountResult"));
    let event = event.ok_or_else(|| anyhow::anyhow!("the simulator told of no new account"))?;
    simulator.clear_calls();
    let (cpu, begun) = (usage::cpu(pid)?, Instant::now());
    let answer = function.invoke(&event, Duration::from_secs(60)).await;
    let wall = begun.elapsed();
    let Invocation::Answer(answer) = answer else { anyhow::bail!("{answer:?}") };
    let summary = answer.get("summary").and_then(|summary| summary.as_str()).unwrap_or_default().to_owned();
    anyhow::ensure!(summary.contains("handed over"), "{answer:#}");
    tell(
        "one account, event -> handed over",
        &format!(
            "{:.0} ms, {:.0} ms CPU, {} calls",
            wall.as_secs_f64() * 1e3,
            (usage::cpu(pid)? - cpu).as_secs_f64() * 1e3,
            simulator.calls().len()
        ),
    );
    let (_, peak) = usage::memory(&pid.to_string())?;
    tell("memory at most, with that baseline", &format!("{:.1} MB", peak as f64 / 1e3));
    drop(function.end().await);
    Ok(())
}
