//! `protect-baseline` on Google Cloud: a lien, so that what was set can't go with the whole project, row G25.

use async_trait::async_trait;
use serde_json::Value;

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Compare, Control, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::protect_baseline::Settings;
use landfall_model::desired::Desired;
use landfall_model::judgement::Verdict;
use landfall_model::observed::Address;
use landfall_model::plan::Change;

use super::Gcp;
use super::liens::{self, Lien};
use crate::error::CallError;
use crate::session::{Reader, Writer};

const ORIGIN: &str = "landfall.protect-baseline";

pub(super) struct ProtectBaseline;

#[async_trait]
impl Control for ProtectBaseline {
    const KIND: ControlKind = ControlKind::ProtectBaseline;
    const PERMISSIONS: Permissions = Permissions { read: liens::READ, write: liens::WRITE };

    type On = Gcp;
    type Want = Settings;

    fn addresses(&self, _: &Settings, _: &Desired) -> Vec<Address> {
        vec![Address::global(Self::KIND, "project")]
    }

    async fn look(&self, reader: &Reader, _: &Desired, _: &Address) -> Result<Sighting, CallError> {
        liens::look(&reader.0, ORIGIN).await
    }

    async fn write(&self, writer: &Writer, _: &Change, _: &Made) -> Result<Value, CallError> {
        liens::place(&writer.0, ORIGIN).await?;
        Ok(Value::Null)
    }
}

impl Compare for ProtectBaseline {
    type There = Lien;

    fn compare(&self, _: &Settings, _: &Desired, address: &Address, there: Option<Lien>) -> Verdict {
        liens::compare(address, ORIGIN, there.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controls::landscape::Landscape;

    #[test]
    fn a_project_without_the_lien_gets_it() {
        let lien = json!({"origin": ORIGIN, "restrictions": ["resourcemanager.projects.delete"]});
        let checkout = || Landscape::adopted("acme-checkout-prod");
        assert_eq!(checkout().saw("protect-baseline/project", lien).said(&ProtectBaseline), ["holds"]);
        assert_eq!(
            checkout().saw_nothing("protect-baseline/project").said(&ProtectBaseline),
            ["fails: no lien of `landfall.protect-baseline` keeps the project from being deleted\n\
              + baseline protect-baseline/project#place {\"origin\":\"landfall.protect-baseline\",\
              \"restrictions\":[\"resourcemanager.projects.delete\"]}"]
        );
    }
}
