//! `policies` on Google Cloud: organization policies on folders and projects, rows G7 and G8.
//!
//! ```text
//! what a place asks ─► constraints ─► met with what others say above ─► compared with its own policy ─► changes
//!                      compile        force                             judge
//! ```
//!
//! A place has one policy for each constraint, so each is an address of its own: `policies/workloads/gcp.resourceLocations`. A policy has
//! no room for a mark; ours are those that the ledger shows we made. Where somebody else's is there, it is only ever made stricter, and
//! stays when nothing asks for it any more. Policies on constraints that nobody asks for are never looked at.

mod carried;
mod compile;
mod force;
mod judge;
mod look;
mod place;
mod quota;
mod spec;
mod write;

pub(super) use carried::InPolicies;
pub(super) use place::of_its_own;

use async_trait::async_trait;
use serde_json::Value;

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Control, Judge, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::policies::{Point, Settings};
use landfall_model::desired::Desired;
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::observed::{Address, Observed, Seen};
use landfall_model::plan::Change;

use super::Gcp;
use crate::error::CallError;
use crate::session::{Reader, Writer};

const KIND: ControlKind = ControlKind::Policies;

/// Why a tenant that asks for nothing itself carries nothing.
const NOTHING: &str = "nothing is asked of it beyond what its units ask";

pub(super) struct Policies;

/// The places that this target keeps.
fn own(want: &Settings) -> impl Iterator<Item = &Point> {
    want.points.iter().filter(|point| point.own)
}

#[async_trait]
impl Control for Policies {
    const KIND: ControlKind = KIND;
    const PERMISSIONS: Permissions = Permissions {
        read: &[
            "orgpolicy.policy.get",
            "resourcemanager.folders.get",
            "resourcemanager.folders.list",
            "resourcemanager.projects.get",
        ],
        // <https://cloud.google.com/resource-manager/docs/organization-policy/using-constraints>, "Required permissions".
        write: &[
            "orgpolicy.policies.create",
            "orgpolicy.policies.delete",
            "orgpolicy.policies.update",
            "orgpolicy.policy.get",
            "orgpolicy.policy.set",
        ],
    };

    type On = Gcp;
    type Want = Settings;

    fn addresses(&self, want: &Settings, desired: &Desired) -> Vec<Address> {
        let at = |point: &Point| {
            let held = place::held_at(&point.at, desired);
            held.into_iter().map(|constraint| place::address(&point.at, &constraint)).collect::<Vec<_>>()
        };
        own(want).flat_map(at).collect()
    }

    async fn look(&self, reader: &Reader, desired: &Desired, at: &Address) -> Result<Sighting, CallError> {
        match place::of(at, desired) {
            Some((at, constraint)) => look::constraint(&reader.0, desired, &at, &constraint).await,
            None => {
                let why = format!("`{at}` is no policy at a place");
                Ok(Sighting { seen: Seen::Unreadable(why), request: None })
            }
        }
    }

    async fn write(&self, writer: &Writer, change: &Change, made: &Made) -> Result<Value, CallError> {
        write::write(&writer.0, change, made).await
    }
}

impl Judge for Policies {
    fn judge(&self, want: &Settings, desired: &Desired, observed: &Observed) -> Vec<Judgement> {
        let all: Vec<Judgement> =
            own(want).flat_map(|point| judge::place(point, desired, observed)).collect();
        match (all.is_empty(), desired.target.tenant()) {
            (true, Some(tenant)) => {
                let verdict = Verdict::NotApplicable { why: NOTHING.to_owned() };
                vec![Judgement { control: KIND, address: Address::global(KIND, tenant.native()), verdict }]
            }
            (true, None) | (false, _) => all,
        }
    }
}

#[cfg(test)]
mod tests;
