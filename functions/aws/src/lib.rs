//! The AWS Lambda function: woken by events, schedules, its queue, or a person in the console.
//!
//! [`trigger`] reads what Lambda hands over, [`shell`] hands it to the engine, [`answer`] says what came of it. [`config`] is what
//! the deployment says by environment.

pub mod answer;
pub mod config;
pub mod shell;
pub mod trigger;

use std::sync::Arc;

use jiff::Timestamp;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

use shell::Shell;

/// Runs the function until Lambda ends it. A wrong environment is one line on standard error, and the process ends with 1.
pub async fn run() -> std::process::ExitCode {
    log();
    let shell = match Shell::from_env().await {
        Ok(shell) => Arc::new(shell),
        Err(error) => {
            tracing::error!("{error:#}");
            return std::process::ExitCode::FAILURE;
        }
    };
    let handler = service_fn(move |event: LambdaEvent<Value>| {
        let shell = Arc::clone(&shell);
        async move {
            let deadline = deadline(event.context.deadline);
            shell.answer(&event.payload, deadline).await.map_err(|error| {
                tracing::error!("{error:#}");
                Error::from(format!("{error:#}"))
            })
        }
    });
    match lambda_runtime::run(handler).await {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("the Lambda runtime ended: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}

/// Lambda says its deadline in milliseconds since 1970. One that makes no sense leaves a minute.
fn deadline(milliseconds: u64) -> Timestamp {
    i64::try_from(milliseconds)
        .ok()
        .and_then(|milliseconds| Timestamp::from_millisecond(milliseconds).ok())
        .filter(|deadline| *deadline > Timestamp::now())
        .unwrap_or_else(|| Timestamp::now() + jiff::SignedDuration::from_secs(60))
}

/// One JSON object a line, as CloudWatch reads it. `LANDFALL_LOG` takes error, warn, info (unless said) or debug.
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
