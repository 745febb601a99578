//! The services: each one a function from the world and an ask to an answer.

pub(crate) mod organizations;

mod access_analyzer;
mod account;
mod budgets;
mod cloudtrail;
mod config;
mod ec2;
mod guardduty;
mod iam;
mod identitystore;
mod s3control;
mod securityhub;
mod sqs;
mod sso_admin;
mod sts;

use std::time::Duration;

use serde_json::Value;

use crate::ask::{Ask, Protocol, Service};
use crate::refusal::Refusal;
use crate::world::World;

pub(crate) type Answered = Result<Value, Refusal>;

/// Performs an operation that has been let through.
pub(crate) fn answer(world: &mut World, ask: &Ask) -> Answered {
    match ask.service {
        Service::Sts => sts::answer(world, ask),
        Service::Organizations => organizations::answer(world, ask),
        Service::Iam => iam::answer(world, ask),
        Service::Account => account::answer(world, ask),
        Service::S3Control => s3control::answer(world, ask),
        Service::Ec2 => ec2::answer(world, ask),
        Service::AccessAnalyzer => access_analyzer::answer(world, ask),
        Service::GuardDuty => guardduty::answer(world, ask),
        Service::SecurityHub => securityhub::answer(world, ask),
        Service::CloudTrail => cloudtrail::answer(world, ask),
        Service::Config => config::answer(world, ask),
        Service::Budgets => budgets::answer(world, ask),
        Service::SsoAdmin => sso_admin::answer(world, ask),
        Service::IdentityStore => identitystore::answer(world, ask),
        Service::Sqs => sqs::answer(world, ask),
    }
}

/// The refusal of an operation nobody knows, in the protocol's own code.
pub(crate) fn unknown(service: Option<Service>, operation: &str) -> Refusal {
    let version = match service {
        Some(Service::Sts) => "2011-06-15",
        Some(Service::Iam) => "2010-05-08",
        _ => "2016-11-15",
    };
    match service.map(Service::protocol) {
        Some(Protocol::Query | Protocol::Ec2) => Refusal::new(
            "InvalidAction",
            format!("Could not find operation {operation} for version {version}"),
        ),
        Some(Protocol::Json | Protocol::RestJson | Protocol::RestXml) | None => {
            Refusal::new("UnknownOperationException", format!("Unknown operation {operation}"))
        }
    }
    .status(400)
}

/// How long an operation may wait for something to tell.
pub(crate) fn waits(ask: &Ask) -> Option<Duration> {
    if ask.service != Service::Sqs || ask.operation != "ReceiveMessage" {
        return None;
    }
    let seconds = ask.number("WaitTimeSeconds").ok().flatten()?;
    u64::try_from(seconds).ok().filter(|seconds| *seconds > 0).map(Duration::from_secs)
}

/// Whether a long poll found nothing.
pub(crate) fn is_empty(answer: &Value) -> bool {
    answer.get("Messages").and_then(Value::as_array).is_none_or(Vec::is_empty)
}
