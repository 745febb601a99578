//! The Cloud Run function: woken by Eventarc, Pub/Sub, Cloud Scheduler, its Cloud Tasks queue, or a person who asks.
//!
//! [`handler`] is the HTTP server, [`caller`] says who is let in, [`envelope`] and [`trigger`] read what was posted, [`shell`] hands that
//! to the engine, [`answer`] says what came of it. [`config`] is what the deployment says by environment; [`jwt`] checks signatures.

pub mod answer;
pub(crate) mod asset;
pub mod caller;
pub mod config;
pub mod envelope;
pub mod handler;
pub mod jwt;
pub(crate) mod record;
pub mod shell;
pub mod trigger;

use std::net::{IpAddr, Ipv4Addr};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use landfall_engine::trust::Footing;
use tokio::net::TcpListener;

use caller::Guard;
use handler::{Front, serve};
use shell::Shell;

/// Runs the function until Cloud Run ends it. A wrong environment is one line on standard error, and the process ends with 1.
pub async fn run() -> ExitCode {
    log();
    match listen().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn listen() -> anyhow::Result<()> {
    // A second process-wide one could only be ours as well: nothing else here knows tokens.
    let _: bool = jwt::install();
    let variable = |name: &str| std::env::var(name).ok();
    let (shell, auth) = Shell::from_env()?;
    let footing = shell.footing();
    let guard = Guard::new(auth);
    let timeout = config::timeout(variable(config::TIMEOUT).as_deref())?;
    let port = config::port(variable(config::PORT).as_deref())?;
    // Cloud Run asks for every address; beside a simulator nobody else has business here.
    let address: IpAddr = match footing {
        Footing::Real => Ipv4Addr::UNSPECIFIED.into(),
        Footing::Loopback => Ipv4Addr::LOCALHOST.into(),
    };
    let could_not = || format!("{}: could not listen on port {port}", config::PORT);
    let listener = TcpListener::bind((address, port)).await.with_context(could_not)?;
    let port = listener.local_addr().with_context(could_not)?.port();
    let stop = stop().context("could not listen for the signal to end")?;
    tracing::info!(port, "listening");
    serve(listener, Arc::new(Front { guard, desk: shell, timeout }), stop).await;
    Ok(())
}

/// Until somebody wants the process to end: Cloud Run sends SIGTERM, a keyboard SIGINT.
fn stop() -> std::io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    let mut term = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    Ok(async move {
        #[cfg(unix)]
        tokio::select! {
            _ = term.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        #[cfg(not(unix))]
        drop(tokio::signal::ctrl_c().await);
    })
}

/// One JSON object a line, as Cloud Logging reads it. `LANDFALL_LOG` takes error, warn, info (unless said) or debug.
fn log() {
    let level = std::env::var("LANDFALL_LOG").ok().and_then(|level| level.parse().ok());
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_target(false)
        .with_current_span(false)
        .with_max_level(level.unwrap_or(tracing::Level::INFO))
        .with_writer(std::io::stderr)
        .finish();
    // A second subscriber can only be refused where one is set already, and then that one writes.
    drop(tracing::subscriber::set_global_default(subscriber));
}
