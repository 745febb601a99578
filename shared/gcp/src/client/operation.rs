//! Operations that go on after their answer, followed to their end.
//!
//! Google has two kinds. `google.longrunning.Operation` (<https://google.aip.dev/151>) says `done`, and holds what came of it or an
//! `error`; it is asked after by its own name, below the version of the API that gave it: `operations/cp.123`,
//! `policies/…/operations/…`. Compute's says `status: DONE`, holds its errors in a list, and is asked after in the project, and in the
//! region or zone, that it is about: <https://cloud.google.com/compute/docs/api/how-tos/api-requests-responses#handling_api_responses>.

use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

use super::patience::Patience;
use super::reply::word;
use super::service::COMPUTE;
use super::{Client, Operation, Reply, escape};
use crate::error::{CallError, tidy};

/// An operation as one answer tells it: both kinds in one, by what is there.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Told {
    name: String,
    done: bool,
    error: Option<Failure>,
    response: Option<Value>,
    /// Compute's.
    status: Option<String>,
    region: Option<String>,
    zone: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Failure {
    code: i64,
    message: String,
    /// Compute's.
    errors: Vec<ComputeFailure>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ComputeFailure {
    code: String,
    message: String,
}

#[derive(Debug, thiserror::Error)]
#[error("it is no operation that could be followed")]
struct NoOperation;

impl Client {
    /// Waits until an operation is over; answers what came of it. Of Compute's that is the operation itself, since it holds nothing else.
    pub(crate) async fn finish(&self, reply: Reply) -> Result<Value, CallError> {
        let Patience { poll, longest_poll, work, .. } = self.gcp.patience();
        let until = Instant::now() + work;
        let first = reply.operation.clone();
        let mut rest = poll;
        let mut reply = reply;
        loop {
            let told: Told = reply.json()?;
            if let Some(failure) = told.error {
                return Err(failed(first, &failure, reply.request_id));
            }
            if told.status.as_deref() == Some("DONE") {
                return reply.value();
            }
            if told.done {
                return Ok(told.response.unwrap_or_default());
            }
            let path = asked_after(&first, &told).ok_or_else(|| reply.unreadable(NoOperation))?;
            if Instant::now() + rest > until {
                return Err(CallError::GoesOn { operation: first, limit: work });
            }
            tokio::time::sleep(rest).await;
            rest = (rest + rest / 2).min(longest_poll);
            reply = match self.get(&first.service, &path).await {
                Err(source) if source.is_not_found() => {
                    let name = tidy(&told.name);
                    return Err(CallError::Vanished { operation: first, name, source: Box::new(source) });
                }
                answer => answer?,
            };
        }
    }
}

/// Where an operation is asked after; nothing where the answer is none.
fn asked_after(first: &Operation, told: &Told) -> Option<String> {
    let Told { name, region, zone, .. } = told;
    if first.service != COMPUTE {
        // A name is a path of its own; nothing else of ours is asked by what an answer says.
        let plain = |part: &str| !part.is_empty() && part != "." && part != ".." && is_plain(part);
        let operation = name.starts_with("operations/") || name.contains("/operations/");
        return (operation && name.split('/').all(plain)).then(|| name.clone());
    }
    let mut parts = first.path.split(['/', '?']);
    let project = (parts.next() == Some("projects")).then(|| parts.next())??;
    // Both are told as addresses.
    let last = |place: &str| place.rsplit('/').next().map(escape);
    let place = match (zone.as_deref().and_then(last), region.as_deref().and_then(last)) {
        (Some(zone), _) => format!("zones/{zone}"),
        (None, Some(region)) => format!("regions/{region}"),
        (None, None) => "global".to_owned(),
    };
    (!name.is_empty()).then(|| format!("projects/{project}/{place}/operations/{}", escape(name)))
}

/// What stands in names of operations, with what the attachment points of deny policies have in theirs.
fn is_plain(part: &str) -> bool {
    part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~%:".contains(&byte))
}

fn failed(first: Operation, failure: &Failure, request_id: Option<String>) -> CallError {
    let Failure { code, message, errors } = failure;
    match errors.first() {
        Some(ComputeFailure { code, message }) => CallError::operation(first, code, message, request_id),
        None => CallError::operation(first, &word(*code), message, request_id),
    }
}
