//! `resource-locks` on Google Cloud: a lien on the project, row G25. It stops the project's deletion and nothing else; resources in it
//! have no locks, and there are no groups of them.

use async_trait::async_trait;
use serde_json::Value;

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Compare, Control, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::resource_locks::Settings;
use landfall_model::desired::Desired;
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::observed::Address;
use landfall_model::plan::Change;

use super::liens::{self, Lien};
use super::{Gcp, unasked};
use crate::error::CallError;
use crate::session::{Reader, Writer};

const ORIGIN: &str = "landfall.resource-locks";

const RESOURCE: &str = "project";

pub(super) struct ResourceLocks;

#[async_trait]
impl Control for ResourceLocks {
    const KIND: ControlKind = ControlKind::ResourceLocks;
    const PERMISSIONS: Permissions = Permissions { read: liens::READ, write: liens::WRITE };

    type On = Gcp;
    type Want = Settings;

    fn addresses(&self, want: &Settings, _: &Desired) -> Vec<Address> {
        want.tenant.then(|| Address::global(Self::KIND, RESOURCE)).into_iter().collect()
    }

    async fn look(&self, reader: &Reader, _: &Desired, _: &Address) -> Result<Sighting, CallError> {
        liens::look(&reader.0, ORIGIN).await
    }

    async fn write(&self, writer: &Writer, _: &Change, _: &Made) -> Result<Value, CallError> {
        liens::place(&writer.0, ORIGIN).await?;
        Ok(Value::Null)
    }
}

impl Compare for ResourceLocks {
    type There = Lien;

    fn compare(&self, _: &Settings, _: &Desired, address: &Address, there: Option<Lien>) -> Verdict {
        liens::compare(address, ORIGIN, there.as_ref())
    }

    fn unasked(&self, want: &Settings) -> Option<Judgement> {
        let Settings { tenant, resource_groups: _ } = want;
        const WHY: &str = "`tenant` is not asked, and a project has no resource groups";
        (!tenant).then(|| unasked(Self::KIND, RESOURCE, WHY))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controls::landscape::Landscape;

    const AT: &str = "resource-locks/project";

    #[test]
    fn a_project_that_is_to_be_locked_gets_a_lien_of_its_own() {
        let lien = json!({"origin": ORIGIN, "restrictions": ["resourcemanager.projects.delete"]});
        let checkout = || Landscape::adopted("acme-checkout-prod");
        assert_eq!(checkout().addresses(&ResourceLocks), [AT]);
        assert_eq!(checkout().saw(AT, lien).said(&ResourceLocks), ["holds"]);
        assert_eq!(
            checkout().saw_nothing(AT).said(&ResourceLocks),
            ["fails: no lien of `landfall.resource-locks` keeps the project from being deleted\n\
              + baseline resource-locks/project#place {\"origin\":\"landfall.resource-locks\",\
              \"restrictions\":[\"resourcemanager.projects.delete\"]}"]
        );
    }

    #[test]
    fn resource_groups_are_azure_s() {
        let mut landscape = Landscape::adopted("acme-checkout-prod");
        for asked in &mut landscape.desired.asked {
            if asked.control == ControlKind::ResourceLocks {
                asked.settings = Ok(json!({"tenant": false, "resource-groups": ["network"]}));
            }
        }
        let said = landscape.said(&ResourceLocks);
        assert_eq!(said, ["not applicable: `tenant` is not asked, and a project has no resource groups"]);
    }
}
