//! The Azure Functions custom handler: woken by a timer, its queue, the activity log, Event Grid, or a person over HTTP.
//!
//! The Functions host starts it and posts to it; the app's folder, `app/`, says by what. [`handler`] speaks with the host, [`trigger`]
//! reads what it hands over, [`shell`] hands that to the engine, [`answer`] is the envelope that the host needs around everything.
//! [`config`] is what the deployment says by environment.
//!
//! The console takes Lambda's requests but for those that change something: a key is easily passed on. Its `authLevel` is `function`, so
//! whoever asks needs the function's key, and the host itself turns away who has none.

pub mod answer;
pub mod config;
pub mod handler;
pub(crate) mod record;
pub mod shell;
pub mod trigger;

use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use axum::serve::ListenerExt as _;
use tokio::net::TcpListener;

use handler::Unable;
use shell::Shell;

/// Runs the handler until the host ends it. A wrong environment is one line in the log, and the reason why each invocation fails; where the
/// host can't reach the handler either, the process ends with 1.
pub async fn run() -> ExitCode {
    log();
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> anyhow::Result<()> {
    let shell = Shell::from_env();
    let (router, port) = match (shell, config::port(std::env::var(config::PORT).ok().as_deref())) {
        (Ok(shell), Ok(port)) => (handler::router(Arc::new(shell)), port),
        (Err(error), Ok(port)) => {
            tracing::error!("{error:#}");
            (handler::router(Arc::new(Unable { why: format!("{error:#}") })), port)
        }
        (Err(error), Err(_)) => return Err(error),
        (Ok(_), Err(error)) => return Err(error.into()),
    };
    // The host and its handler are on one machine, and nobody else has business here.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .with_context(|| format!("{}: could not listen on port {port}", config::PORT))?
        // Small answers to small questions; waiting to fill packets would cost 40 ms each. Failing is harmless.
        .tap_io(|stream| drop(stream.set_nodelay(true)));
    axum::serve(listener, router).await.context("the handler's server ended")
}

/// One JSON object a line. To standard output: the host takes every line of standard error for an error (`WorkerProcess.cs`).
/// `LANDFALL_LOG` takes error, warn, info (unless said) or debug.
fn log() {
    let level = std::env::var("LANDFALL_LOG").ok().and_then(|level| level.parse().ok());
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_target(false)
        .with_current_span(false)
        .with_max_level(level.unwrap_or(tracing::Level::INFO))
        .with_writer(std::io::stdout)
        .finish();
    // A second subscriber can only be refused where one is set already, and then that one writes.
    drop(tracing::subscriber::set_global_default(subscriber));
}
