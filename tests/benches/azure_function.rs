//! Azure's own process, the custom handler: its start, its memory, its size, and one subscription's baseline from event to handover.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use landfall_engine::lease;
use landfall_engine::store::sqlite::SqliteStore;
use landfall_model::manifest::bundle::Bundle;
use landfall_model::record::Life;
use landfall_simulator::azure::{AzureOptions, AzureSimulator};
use landfall_simulator::functions_host::{Host, HostOptions, Invocation};
use landfall_simulator::storage_queue::StorageQueues;
use landfall_tests::azure::{ACME, world};
use landfall_tests::judges::root;
use landfall_tests::stage::{manifest, tenant};
use serde_json::json;

use crate::{tell, usage};

const STARTS: usize = 21;
const QUEUE: &str = "landfall-work";

pub(crate) async fn measure(binary: &Path) -> anyhow::Result<()> {
    size(binary)?;
    starts(binary)?;
    baseline(binary).await
}

/// The zip is the whole folder of the app, as it is deployed.
fn size(binary: &Path) -> anyhow::Result<()> {
    let bytes = std::fs::metadata(binary)?.len();
    let zip = std::env::temp_dir().join(format!("landfall-azure-{}.zip", std::process::id()));
    let script = "import os, sys, zipfile
z = zipfile.ZipFile(sys.argv[3], 'w', zipfile.ZIP_DEFLATED, compresslevel=9)
z.write(sys.argv[1], 'landfall-function-azure')
for folder, _, files in os.walk(sys.argv[2]):
    for file in files:
        path = os.path.join(folder, file)
        z.write(path, os.path.relpath(path, sys.argv[2]))
z.close()";
    let app = root().join("functions/azure/app");
    let done = Command::new("python3").arg("-c").arg(script).arg(binary).arg(app).arg(&zip).status()?;
    anyhow::ensure!(done.success(), "python3 could not write the zip");
    let zipped = std::fs::metadata(&zip)?.len();
    std::fs::remove_file(&zip)?;
    tell("Azure: binary", &format!("{:.2} MB", bytes as f64 / 1e6));
    tell("Azure: zip of the app's folder", &format!("{:.2} MB", zipped as f64 / 1e6));
    Ok(())
}

/// Everything that a handler stands on.
struct Ground {
    folder: tempfile::TempDir,
    simulator: AzureSimulator,
    queues: StorageQueues,
}

impl Ground {
    fn new() -> anyhow::Result<Self> {
        let options = AzureOptions { world: Some(world(3)), ..AzureOptions::default() };
        let simulator = AzureSimulator::start(options)?;
        let queues = StorageQueues::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("bundle.json"), Bundle::build(manifest(ACME))?.bytes())?;
        Ok(Ground { folder, simulator, queues })
    }

    fn environment(&self) -> Vec<(String, String)> {
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        let environment = [
            ("LANDFALL_AZURE_ENDPOINT", self.simulator.url()),
            ("LANDFALL_AZURE_STORAGE", self.queues.url()),
            ("LANDFALL_MANIFEST", path("bundle.json")),
            ("LANDFALL_STORE", format!("sqlite:{}", path("landfall.db"))),
            ("LANDFALL_QUEUE", self.queues.create(QUEUE)),
            ("LANDFALL_QUEUE_NAME", QUEUE.to_owned()),
            ("LANDFALL_SCHEDULE", "0 0 * * * *".to_owned()),
            ("LANDFALL_EVENT_HUB", "activity".to_owned()),
            ("LANDFALL_LOG", "warn".to_owned()),
        ];
        environment.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// From the process's start to the first answer to `GET /`, which is what the host waits for.
fn starts(binary: &Path) -> anyhow::Result<()> {
    let ground = Ground::new()?;
    let environment = ground.environment();
    let mut times = Vec::new();
    for _ in 0..STARTS {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let begun = Instant::now();
        let mut child = Command::new(binary)
            .env_clear()
            .envs(environment.clone())
            .env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let ready = loop {
            match ask(port) {
                Ok(ready) => break ready,
                Err(_) if begun.elapsed() < Duration::from_secs(10) => {
                    std::thread::sleep(Duration::from_micros(200));
                }
                Err(error) => return Err(error.into()),
            }
        };
        times.push(begun.elapsed());
        child.kill()?;
        child.wait()?;
        anyhow::ensure!(ready, "the handler did not answer with 200");
    }
    times.sort();
    let at = |part: usize| times.get(part).copied().unwrap_or_default().as_secs_f64() * 1e3;
    tell(
        "Azure: process start -> `GET /` answered",
        &format!(
            "median {:.1} ms, best {:.1}, worst {:.1} of {STARTS}",
            at(STARTS / 2),
            at(0),
            at(STARTS - 1)
        ),
    );
    Ok(())
}

fn ask(port: u16) -> std::io::Result<bool> {
    use std::io::{Read as _, Write as _};
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.starts_with("HTTP/1.1 200"))
}

async fn baseline(binary: &Path) -> anyhow::Result<()> {
    let ground = Ground::new()?;
    let host = Host::start(HostOptions {
        handler: Some(binary.to_owned()),
        environment: ground.environment(),
        ..HostOptions::new(root().join("functions/azure/app"))
    })
    .await?;
    let pid = host.pid().unwrap_or_default();

    let ignored = json!({"records": [{"operationName": "MICROSOFT.COMPUTE/DISKS/WRITE", "resultType": "Success", "resourceId": "/"}]});
    let first = host.invoke_event_hub("activity", &[ignored.to_string()]).await;
    anyhow::ensure!(matches!(first, Invocation::Succeeded(_)), "{first:?} {:?}", host.said());
    let (resident, _) = usage::memory(&pid.to_string())?;
    tell("Azure: memory after one event", &format!("{:.1} MB", resident as f64 / 1e3));

    let swept = host.invoke_timer("timer", false).await;
    anyhow::ensure!(matches!(swept, Invocation::Succeeded(_)), "{swept:?} {:?}", host.said());
    all_of(&host, &ground.queues).await?;
    drop(ground.simulator.take_events());
    let id = ground.simulator.edit(|world| world.add_subscription("new-shop"));
    // What was made names nobody, and begins a sweep; where it was put names it.
    let names = |record: &serde_json::Value| record.to_string().to_ascii_lowercase().contains(&id);
    let records: Vec<_> = ground.simulator.take_events().into_iter().filter(names).collect();
    let batch = [json!({ "records": records }).to_string()];
    ground.simulator.clear_calls();
    let (cpu, begun) = (usage::cpu(pid)?, Instant::now());
    let told = host.invoke_event_hub("activity", &batch).await;
    let wall = begun.elapsed();
    anyhow::ensure!(matches!(told, Invocation::Succeeded(_)), "{told:?} {:?}", host.said());
    // A registration takes its time and is looked at again; the ten seconds until then are not waited for here.
    let begun = Instant::now();
    all_of(&host, &ground.queues).await?;
    let looks = begun.elapsed();
    let store = SqliteStore::open(ground.folder.path().join("landfall.db")).await?;
    let record = lease::peek(&store, &tenant(&id)).await?;
    let over = record.is_some_and(|record| record.life == Life::HandedOver);
    anyhow::ensure!(over, "not handed over: {:?}", host.said());
    let calls = ground.simulator.calls();
    let writes =
        calls.iter().filter(|call| call.method != "GET" && !call.operation.contains("summarize")).count();
    tell(
        "Azure: one subscription, event -> handed over",
        &format!(
            "{:.0} ms and {:.0} ms for the look after it, {:.0} ms CPU, {} calls ({writes} write)",
            wall.as_secs_f64() * 1e3,
            looks.as_secs_f64() * 1e3,
            (usage::cpu(pid)? - cpu).as_secs_f64() * 1e3,
            calls.len()
        ),
    );
    let (_, peak) = usage::memory(&pid.to_string())?;
    tell("Azure: memory at most, with that baseline", &format!("{:.1} MB", peak as f64 / 1e3));
    drop(host.end().await);
    Ok(())
}

/// Hands over what lies in the queue, what is held back too.
async fn all_of(host: &Host, queues: &StorageQueues) -> anyhow::Result<()> {
    while queues.due(QUEUE) + queues.later(QUEUE) > 0 {
        queues.hurry(QUEUE);
        work_off(host, queues).await?;
    }
    Ok(())
}

/// Hands over what is due.
async fn work_off(host: &Host, queues: &StorageQueues) -> anyhow::Result<()> {
    while queues.due(QUEUE) > 0 {
        for taken in queues.take(QUEUE, 8, Duration::from_secs(600)) {
            let delivery = host.invoke_queue("queue", &taken.text, taken.count).await;
            anyhow::ensure!(
                matches!(delivery.invocation, Some(Invocation::Succeeded(_))),
                "{delivery:?} {:?}",
                host.said()
            );
            queues.done(QUEUE, &taken);
        }
    }
    Ok(())
}
