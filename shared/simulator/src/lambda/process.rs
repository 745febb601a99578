//! A function's own process, with the environment that Lambda would give it.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::{Invocation, RuntimeApi};

/// A function that runs.
#[derive(Debug)]
pub struct Function {
    api: RuntimeApi,
    child: Child,
    log: tokio::task::JoinHandle<Vec<String>>,
}

/// A function that did not start.
#[derive(Debug, thiserror::Error)]
pub enum FunctionError {
    /// Its Runtime API could not listen, or its process could not be made.
    #[error("could not start the function's process")]
    Start(#[from] std::io::Error),
    /// It ended before it asked for an event; what it said.
    #[error("the function ended before it asked for an event: {0}")]
    Ended(String),
}

impl Function {
    /// Starts `program` and waits until it asks for its first event. It sees the given environment and nothing else.
    pub async fn start(
        program: impl AsRef<OsStr>,
        arguments: &[&str],
        environment: &BTreeMap<String, String>,
    ) -> Result<Self, FunctionError> {
        let api = RuntimeApi::start().await?;
        let mut child = Command::new(program)
            .args(arguments.iter().map(OsString::from))
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", api.address())
            .env("AWS_LAMBDA_FUNCTION_NAME", "landfall")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/landfall")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "local")
            .envs(environment)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stderr = child.stderr.take();
        let log = tokio::spawn(async move {
            let mut said = Vec::new();
            if let Some(stderr) = stderr {
                let mut lines = BufReader::new(stderr).lines();
                while let Ok(Some(line)) = lines.next_line().await {
                    said.push(line);
                }
            }
            said
        });
        let mut function = Function { api, child, log };
        tokio::select! {
            ready = function.api.ready(Duration::from_secs(30)) => {
                if ready { return Ok(function) }
            }
            _ = function.child.wait() => {}
        }
        Err(FunctionError::Ended(function.end().await.join("\n")))
    }

    /// Hands over an event; an answer after `within` counts as none, and so does the end of the process.
    pub async fn invoke(&mut self, event: &Value, within: Duration) -> Invocation {
        tokio::select! {
            invocation = self.api.invoke(event, within) => invocation,
            _ = self.child.wait() => Invocation::Died,
        }
    }

    /// Its Runtime API.
    pub const fn api(&self) -> &RuntimeApi {
        &self.api
    }

    /// Its process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Kills it, as a crash would, and answers what it wrote to its log.
    pub async fn end(mut self) -> Vec<String> {
        // It may have ended by itself.
        drop(self.child.kill().await);
        self.log.await.unwrap_or_default()
    }
}
