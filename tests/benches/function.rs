//! A function's own process: its start, its memory, its size, and one tenant's baseline from event to handover. What is measured is the
//! same on each cloud but for the start, which the cloud itself waits for in its own way.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use landfall_model::record::Life;
use landfall_simulator::Simulator;
use landfall_simulator::azure::AzureSimulator;
use landfall_simulator::gcp::GcpSimulator;
use landfall_simulator::lambda::RuntimeApi;
use landfall_tests::judges::root;
use landfall_tests::real::{Real, Site};

use crate::{tell, usage};

const STARTS: usize = 21;

/// A process that does not begin to work in this time never will.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) async fn on_aws(binary: &Path) -> anyhow::Result<()> {
    size("AWS: zip (goal 3 MB)", binary, "bootstrap", None)?;
    lambda_starts(binary, "AWS: process start -> first `next` (goal 6 ms)", &[]).await?;
    // Where the start goes: without overrides every certificate of the system's folder is read.
    let none = tempfile::tempdir()?;
    let bundle = ("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt".to_owned());
    let folder = ("SSL_CERT_DIR", none.path().display().to_string());
    lambda_starts(binary, "  with the certificate bundle alone", &[bundle, folder]).await?;
    baseline::<Simulator>("AWS", "account", binary).await
}

pub(crate) async fn on_azure(binary: &Path) -> anyhow::Result<()> {
    // The zip is the whole folder of the app, as it is deployed.
    let app = root().join("functions/azure/app");
    size("Azure: zip of the app's folder", binary, "landfall-function-azure", Some(&app))?;
    starts::<AzureSimulator>("Azure", "FUNCTIONS_CUSTOMHANDLER_PORT", binary)?;
    baseline::<AzureSimulator>("Azure", "subscription", binary).await
}

pub(crate) async fn on_gcp(binary: &Path) -> anyhow::Result<()> {
    // An image's layer is compressed in the same way.
    size("Google Cloud: zip of the binary", binary, "landfall-function-gcp", None)?;
    starts::<GcpSimulator>("Google Cloud", "PORT", binary)?;
    baseline::<GcpSimulator>("Google Cloud", "project", binary).await
}

fn size(what: &str, binary: &Path, name: &str, beside: Option<&Path>) -> anyhow::Result<()> {
    let bytes = std::fs::metadata(binary)?.len();
    let zip = std::env::temp_dir().join(format!("landfall-{}.zip", std::process::id()));
    let script = "import os, sys, zipfile
z = zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED, compresslevel=9)
z.write(sys.argv[2], sys.argv[3])
for beside in sys.argv[4:]:
    for folder, _, files in os.walk(beside):
        for file in files:
            path = os.path.join(folder, file)
            z.write(path, os.path.relpath(path, beside))
z.close()";
    let mut python = Command::new("python3");
    python.arg("-c").arg(script).arg(&zip).arg(binary).arg(name).args(beside);
    anyhow::ensure!(python.status()?.success(), "python3 could not write the zip");
    let zipped = std::fs::metadata(&zip)?.len();
    std::fs::remove_file(&zip)?;
    tell(what, &format!("{:.2} MB, {:.2} MB unpacked", zipped as f64 / 1e6, bytes as f64 / 1e6));
    Ok(())
}

/// A process as a cloud starts it, but that nobody reads what it writes.
fn spawn(binary: &Path, environment: impl IntoIterator<Item = (String, String)>) -> std::io::Result<Child> {
    let mut command = Command::new(binary);
    command.env_clear().envs(environment).env("LANDFALL_LOG", "warn");
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()
}

fn told(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |part: usize| times.get(part).copied().unwrap_or_default().as_secs_f64() * 1e3;
    let figures = format!(
        "median {:.1} ms, best {:.1}, worst {:.1} of {STARTS}",
        at(STARTS / 2),
        at(0),
        at(STARTS - 1)
    );
    tell(what, &figures);
}

/// From the process's start to the first event that it asks for.
async fn lambda_starts(binary: &Path, what: &str, more: &[(&str, String)]) -> anyhow::Result<()> {
    let environment = Site::<Simulator>::new(1).environment();
    let mut times = Vec::new();
    for _ in 0..STARTS {
        let api = RuntimeApi::start().await?;
        let lambda = [
            ("AWS_LAMBDA_RUNTIME_API", api.address()),
            ("AWS_LAMBDA_FUNCTION_NAME", "landfall".to_owned()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "1".to_owned()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128".to_owned()),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "x".to_owned()),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "x".to_owned()),
        ];
        let more = lambda.iter().chain(more).map(|(name, value)| ((*name).to_owned(), value.clone()));
        let begun = Instant::now();
        let mut child = spawn(binary, environment.clone().into_iter().chain(more))?;
        let ready = api.ready(PATIENCE).await;
        times.push(begun.elapsed());
        child.kill()?;
        child.wait()?;
        anyhow::ensure!(ready, "the function did not ask for an event");
    }
    told(what, times);
    Ok(())
}

/// From the process's start to the first answer to `GET /` on the port that it is told: what a Functions host waits for, and a service on
/// Cloud Run that can be asked for its health.
fn starts<S: Real>(cloud: &str, port_is: &str, binary: &Path) -> anyhow::Result<()> {
    let environment = Site::<S>::new(1).environment();
    let mut times = Vec::new();
    for _ in 0..STARTS {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let told = (port_is.to_owned(), port.to_string());
        let begun = Instant::now();
        let mut child = spawn(binary, environment.clone().into_iter().chain([told]))?;
        let ready = loop {
            match ask(port) {
                Ok(ready) => break ready,
                Err(_) if begun.elapsed() < PATIENCE => std::thread::sleep(Duration::from_micros(200)),
                Err(error) => return Err(error.into()),
            }
        };
        times.push(begun.elapsed());
        child.kill()?;
        child.wait()?;
        anyhow::ensure!(ready, "the function did not answer with 200");
    }
    told(&format!("{cloud}: process start -> `GET /` answered"), times);
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

/// One process: an event that is none of ours, the first sweep, and the event of a new tenant.
async fn baseline<S: Real>(cloud: &str, tenant: &str, binary: &Path) -> anyhow::Result<()> {
    let done = |what: Result<(), String>| what.map_err(anyhow::Error::msg);
    let site = Site::<S>::new(3);
    let mut environment = site.environment();
    environment.insert("LANDFALL_LOG".to_owned(), "warn".to_owned());
    let process = S::start(binary, environment, &site.queue).await;
    let pid = S::pid(&process);

    done(S::tell(&process, &S::noise()).await)?;
    let (resident, _) = usage::memory(&pid.to_string())?;
    tell(&format!("{cloud}: memory after one event"), &format!("{:.1} MB", resident as f64 / 1e3));

    done(S::tell(&process, &S::schedule()).await)?;
    done(site.settle(&[&process]).await)?;
    let (id, event) = site.simulator.made("new-shop");
    site.simulator.forget();
    let (cpu, begun) = (usage::cpu(pid)?, Instant::now());
    done(S::tell(&process, &event).await)?;
    let wall = begun.elapsed();
    // What takes the cloud a while is looked at again; the ten seconds until then are not waited for here.
    let begun = Instant::now();
    done(site.settle(&[&process]).await)?;
    let looks = begun.elapsed();
    let cpu = usage::cpu(pid)? - cpu;
    let over = site.record(&id).await.is_some_and(|record| record.life == Life::HandedOver);
    anyhow::ensure!(over, "not handed over: {:?}", S::end(process).await);
    let calls = site.simulator.received();
    let writes = calls.iter().filter(|call| S::changes_something(call)).count();
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let figures = format!(
        "{:.0} ms, and {:.0} ms for looks after it; {:.0} ms CPU; {} calls, {writes} of them write",
        ms(wall),
        ms(looks),
        ms(cpu),
        calls.len()
    );
    tell(&format!("{cloud}: one new {tenant}, event -> handed over"), &figures);
    let (_, peak) = usage::memory(&pid.to_string())?;
    tell(&format!("{cloud}: memory at most, with that baseline"), &format!("{:.1} MB", peak as f64 / 1e3));
    drop(S::end(process).await);
    Ok(())
}
