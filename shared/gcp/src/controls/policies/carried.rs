//! The controls that hold by being policies: whether what they ask is in force on the tenant.
//!
//! `policies` sets; the controls themselves only look, at what Google says is in force on the project, whoever set it and wherever.

use async_trait::async_trait;
use serde_json::Value;

use landfall_engine::carried::{Carried, uncarried};
use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Control, Judge, Permissions, kept};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::policies::At;
use landfall_model::desired::Desired;
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::observed::{Address, Observed};
use landfall_model::plan::Change;

use super::compile::constraints;
use super::force::{Force, Held};
use super::judge::looked;
use super::look::Seated;
use super::{Policies, place};
use crate::controls::{Gcp, ground, reported, unasked};
use crate::error::CallError;
use crate::session::{Reader, Writer};

/// What such a control does: it looks at what `policies` looks at, and writes nothing.
pub(in crate::controls) struct InPolicies<C>(pub(in crate::controls) C);

#[async_trait]
impl<C: Carried> Control for InPolicies<C> {
    const KIND: ControlKind = C::KIND;
    const PERMISSIONS: Permissions = Permissions { read: Policies::PERMISSIONS.read, write: &[] };

    type On = Gcp;
    type Want = C::Want;

    fn addresses(&self, want: &C::Want, desired: &Desired) -> Vec<Address> {
        match self.0.unasked(want) {
            Some(_) => Vec::new(),
            None => {
                of(C::KIND, desired).unwrap_or_default().into_iter().map(|(address, ..)| address).collect()
            }
        }
    }

    async fn look(&self, reader: &Reader, desired: &Desired, at: &Address) -> Result<Sighting, CallError> {
        Policies.look(reader, desired, at).await
    }

    async fn write(&self, _: &Writer, _: &Change, _: &Made) -> Result<Value, CallError> {
        Err(CallError::NothingToWrite(C::KIND))
    }
}

impl<C: Carried> Judge for InPolicies<C> {
    fn judge(&self, want: &C::Want, desired: &Desired, observed: &Observed) -> Vec<Judgement> {
        match self.0.unasked(want) {
            Some(why) => vec![unasked(C::KIND, "policies", why)],
            None => judge(C::KIND, desired, observed),
        }
    }
}

/// What a control asks of a tenant: where, which constraint, and what it has to force.
fn of(kind: ControlKind, desired: &Desired) -> Result<Vec<(Address, String, Force)>, String> {
    let (Some(tenant), Some(ground)) = (desired.target.tenant(), ground(desired)) else {
        return Ok(Vec::new());
    };
    let settings = desired.asked(kind).map(|asked| asked.settings.clone()).unwrap_or(Ok(Value::Null))?;
    let at = At::Tenant(tenant.clone());
    let all = constraints(kind, &settings, ground)?;
    Ok(all.into_iter().map(|(name, force)| (place::address(&at, &name), name, force)).collect())
}

/// Says of each constraint whether it is in force.
fn judge(kind: ControlKind, desired: &Desired, observed: &Observed) -> Vec<Judgement> {
    let all = match of(kind, desired) {
        Ok(all) => all,
        Err(why) => {
            let address = Address::global(kind, "policies");
            return vec![Judgement { control: kind, address, verdict: reported(why) }];
        }
    };
    let mode = desired.asked(kind).and_then(|asked| uncarried(kind, asked.mode));
    let judge = |(address, constraint, force): &(Address, String, Force)| {
        Judgement::of(kind, address, observed, |there| {
            let seated: Seated = match kept(there) {
                Ok(seated) => seated.unwrap_or_default(),
                Err(unknown) => return unknown,
            };
            let Some(effective) = seated.effective else {
                return Verdict::Unknown { why: format!("what `{constraint}` forces was not looked at") };
            };
            let today = looked(observed, address);
            match effective.force().holds(force) {
                Held::Yes => Verdict::Holds,
                Held::Unclear(why) => Verdict::Unknown { why: format!("`{constraint}`: {why}") },
                Held::No(why) => {
                    let exemptions = desired.exemptions.iter();
                    let until = exemptions
                        .filter(|one| one.control == kind && one.holds(today))
                        .map(|one| one.expires)
                        .max();
                    reported(match (until, mode) {
                        (Some(until), _) => {
                            format!("`{constraint}`: {why}; the tenant is exempt until {until}")
                        }
                        (None, Some(mode)) => {
                            format!(
                                "`{constraint}`: {why}; the control's mode is `{mode}`, so no policy is made of it"
                            )
                        }
                        (None, None) => format!("`{constraint}`: {why}; `policies` sets what carries it"),
                    })
                }
            }
        })
    };
    all.iter().map(judge).collect()
}
