//! `denied-services` on AWS: a service control policy that denies actions, row O5.
//!
//! It holds by being part of the policies that its units carry. `policies` makes those; here is only said whether they are in force.

use async_trait::async_trait;
use serde_json::Value;

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Control, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::denied_services::Settings;
use landfall_model::desired::Desired;
use landfall_model::judgement::Judgement;
use landfall_model::observed::{Address, Observed};
use landfall_model::plan::Change;

use super::policies::{Policies, carried_addresses, judge_carried};
use crate::error::CallError;
use crate::session::{Reader, Writer};

const KIND: ControlKind = ControlKind::DeniedServices;

pub(super) struct DeniedServices;

#[async_trait]
impl Control for DeniedServices {
    type Want = Settings;
    type Reader = Reader;
    type Writer = Writer;
    type Error = CallError;

    fn kind(&self) -> ControlKind {
        KIND
    }

    /// Those of `policies`, which looks and writes.
    fn permissions(&self) -> Permissions {
        Permissions { read: Control::permissions(&Policies).read, write: &[] }
    }

    fn addresses(&self, _: &Settings, desired: &Desired) -> Vec<Address> {
        carried_addresses(KIND, desired)
    }

    async fn look(
        &self,
        reader: &Reader,
        desired: &Desired,
        address: &Address,
    ) -> Result<Sighting, CallError> {
        Control::look(&Policies, reader, desired, address).await
    }

    fn judge(&self, want: &Settings, desired: &Desired, observed: &Observed) -> Vec<Judgement> {
        let none = want.aws.is_empty().then_some("no services are named for aws");
        judge_carried(KIND, desired, observed, none)
    }

    async fn write(&self, _: &Writer, _: &Desired, _: &Change, _: &Made) -> Result<Value, CallError> {
        Err(CallError::NothingToWrite(KIND))
    }
}
