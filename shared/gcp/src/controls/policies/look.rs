//! What a place says of a constraint by itself, what others say above it, and what is in force.
//!
//! What our own policies above say is not looked at with a unit: the manifest says it, and a look that does not change while they are
//! written lets a unit and those below it be put right in one run.

use serde::{Deserialize, Serialize};

use landfall_engine::cloud::Sighting;
use landfall_model::catalog::policies::At;
use landfall_model::desired::Desired;
use landfall_model::id::UnitPath;
use landfall_model::observed::Seen;

use super::place;
use super::spec::Spec;
use crate::client::Reply;
use crate::client::service::POLICY;
use crate::controls::{or_default, quarantine_gate, units};
use crate::error::CallError;
use crate::session::Session;

/// One constraint at one place. The same before a folder exists as just after.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Seated {
    /// What the place says by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) own: Option<Spec>,
    /// Its policy holds a dry run too, which is none of ours.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) dry_run: bool,
    /// What others say above it.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "or_default")]
    pub(super) above: Vec<Spec>,
    /// What is in force; only looked at for a tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) effective: Option<Spec>,
}

/// A policy as Google answers it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Answer {
    spec: Option<Spec>,
    dry_run_spec: Option<serde_json::Value>,
}

/// Looks at one constraint at one place.
pub(super) async fn constraint(
    session: &Session,
    desired: &Desired,
    at: &At,
    constraint: &str,
) -> Result<Sighting, CallError> {
    let mut seated = Seated::default();
    let mut request = None;
    if place::held_at(at, desired).contains(constraint) {
        if let Some(name) = located(session, desired, at).await? {
            let (answer, id) = own(session, &name, constraint).await?;
            request = id;
            if let Some(Answer { spec, dry_run_spec }) = answer {
                // Nothing is said by a policy that only holds a dry run.
                seated.own = spec;
                seated.dry_run = dry_run_spec.is_some();
            }
        }
        seated.above = above(session, desired, at, constraint).await?;
    }
    if let At::Tenant(tenant) = at {
        // Behind the gate its own policies are in force on the project; what will be in force without them is said by what is above.
        let name = if quarantine_gate::constrains(desired, constraint) {
            session.directory.project(tenant.native()).await?.parent
        } else {
            format!("projects/{}", tenant.native())
        };
        let (effective, id) = effective(session, &name, constraint).await?;
        seated.effective = Some(effective);
        request = id;
    }
    Ok(Sighting { seen: Seen::present(&seated), request })
}

/// The folder or project that a place stands for.
async fn located(session: &Session, desired: &Desired, at: &At) -> Result<Option<String>, CallError> {
    match at {
        At::Tenant(tenant) => Ok(Some(format!("projects/{}", tenant.native()))),
        At::Unit(path) => units::locate(session, &place::units_of(desired), path).await,
    }
}

/// The policy that is set on a place itself.
async fn own(
    session: &Session,
    name: &str,
    constraint: &str,
) -> Result<(Option<Answer>, Option<String>), CallError> {
    match session.client.get(&POLICY, &format!("{name}/policies/{constraint}")).await {
        Ok(reply) => {
            let answer = reply.json()?;
            Ok((Some(answer), reply.request_id))
        }
        Err(error) if error.is_not_found() => Ok((None, error.request_id().map(str::to_owned))),
        Err(error) => Err(error),
    }
}

/// What is in force at a place. A custom constraint that was not made yet forces nothing.
async fn effective(
    session: &Session,
    name: &str,
    constraint: &str,
) -> Result<(Spec, Option<String>), CallError> {
    match session.client.get(&POLICY, &format!("{name}/policies/{constraint}:getEffectivePolicy")).await {
        Ok(reply) => {
            let answer: Answer = Reply::json(&reply)?;
            Ok((answer.spec.unwrap_or_default(), reply.request_id))
        }
        Err(error) if error.is_not_found() => Ok((Spec::default(), error.request_id().map(str::to_owned))),
        Err(error) => Err(error),
    }
}

/// What is in force above all units of ours that carry the constraint, and what others set on the units in between.
async fn above(
    session: &Session,
    desired: &Desired,
    at: &At,
    constraint: &str,
) -> Result<Vec<Spec>, CallError> {
    let wanted = place::units_of(desired);
    let line = place::line(at, desired);
    let carrying = place::carrying(at, constraint, desired);
    let first = place::topmost(at, constraint, desired);
    // Without a unit that carries it, everything above the place is other people's.
    let base = match (&first, at) {
        (Some(first), _) => first.parent(),
        (None, At::Unit(path)) => path.parent(),
        (None, At::Tenant(_)) => place::home(desired),
    };
    let base = nearest(session, desired, base.unwrap_or_else(UnitPath::root)).await?;
    let mut all = vec![effective(session, &base, constraint).await?.0];
    let between = line.iter().filter(|path| {
        first.as_ref().is_some_and(|first| path.line().contains(first)) && !carrying.contains(path)
    });
    for path in between {
        if let Some(name) = units::locate(session, &wanted, path).await?
            && let (Some(Answer { spec: Some(spec), .. }), _) = own(session, &name, constraint).await?
        {
            all.push(spec);
        }
    }
    // What says nothing is not kept, so that a look is the same before a folder is there and after.
    all.retain(|spec| spec.is_conditional() || spec.force() != super::force::Force::Free);
    Ok(all)
}

/// The folder of a unit, or of the nearest one above that is there.
async fn nearest(session: &Session, desired: &Desired, path: UnitPath) -> Result<String, CallError> {
    let wanted = place::units_of(desired);
    let mut path = path;
    loop {
        if let Some(name) = units::locate(session, &wanted, &path).await? {
            return Ok(name);
        }
        match path.parent() {
            Some(parent) => path = parent,
            None => return Ok(session.directory.root().to_owned()),
        }
    }
}
