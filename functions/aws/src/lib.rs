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
use lambda_runtime_api_client::PooledClient;
use serde_json::{Value, json};

use shell::Shell;

/// Runs the function until Lambda ends it. A wrong environment is one line on standard error and an initialization error of Lambda's with
/// the same words, and the process ends with 1.
pub async fn run() -> std::process::ExitCode {
    log();
    let shell = match Shell::from_env().await {
        Ok(shell) => Arc::new(shell),
        Err(error) => {
            let why = format!("{error:#}");
            tracing::error!("{why}");
            if let Err(error) = tell_lambda(&why).await {
                tracing::error!("Lambda could not be told: {error}");
            }
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

/// Says why there is no function, so that the console shows the reason and not only that a process ended.
/// <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html#runtimes-api-initerror>
async fn tell_lambda(why: &str) -> Result<(), Error> {
    const KIND: &str = "Landfall.Environment";
    // Started by hand, there is nobody to tell.
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_none() {
        return Ok(());
    }
    let body = json!({"errorMessage": why, "errorType": KIND, "stackTrace": []}).to_string();
    let request = http::Request::post("/2018-06-01/runtime/init/error")
        .header("content-type", "application/json")
        .header("lambda-runtime-function-error-type", KIND)
        .body(body.into())?;
    PooledClient::builder().build().call(request).await?;
    Ok(())
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
