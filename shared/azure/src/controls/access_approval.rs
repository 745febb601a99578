//! `access-approval` on Azure: Customer Lockbox, one switch for the whole directory.
//!
//! The portal's switch calls an API that is published as a preview only: Microsoft.CustomerLockbox 2018-02-28-preview of Microsoft's
//! `azure-rest-api-specs`. It is never switched off here.
//! <https://learn.microsoft.com/azure/security/fundamentals/customer-lockbox-overview>

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Compare, Control, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::access_approval::Settings;
use landfall_model::desired::Desired;
use landfall_model::judgement::Verdict;
use landfall_model::observed::Address;
use landfall_model::plan::{Change, Deed};

use super::{Azure, seen};
use crate::client::service::LOCKBOX;
use crate::error::CallError;
use crate::session::{Reader, Writer};

const RESOURCE: &str = "customer-lockbox";

const SWITCH_ON: &str = "/providers/Microsoft.CustomerLockbox/enableLockbox";

pub(super) struct AccessApproval;

/// The directory's choice, in Azure's own names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Choice {
    #[serde(default, deserialize_with = "super::or_default")]
    is_opted_in: bool,
}

#[async_trait]
impl Control for AccessApproval {
    const KIND: ControlKind = ControlKind::AccessApproval;
    /// On the directory itself, the scope `/`.
    const PERMISSIONS: Permissions = Permissions {
        read: &["Microsoft.CustomerLockbox/TenantOptedIn/read"],
        write: &["Microsoft.CustomerLockbox/EnableLockbox/action"],
    };

    type On = Azure;
    type Want = Settings;

    fn addresses(&self, _: &Settings, _: &Desired) -> Vec<Address> {
        vec![Address::global(Self::KIND, RESOURCE)]
    }

    async fn look(&self, reader: &Reader, _: &Desired, _: &Address) -> Result<Sighting, CallError> {
        let session = &reader.0;
        let path = format!("/providers/Microsoft.CustomerLockbox/tenantOptedIn/{}", session.ground.directory);
        let reply = session.client.get(&LOCKBOX, &path).await.map_err(explained)?;
        Ok(seen(&reply, &reply.json::<Choice>()?))
    }

    async fn write(&self, writer: &Writer, _: &Change, _: &Made) -> Result<Value, CallError> {
        writer.0.client.post(&LOCKBOX, SWITCH_ON, None).await.map_err(explained)?;
        Ok(Value::Null)
    }
}

/// Who may: "Customer Lockbox for Microsoft Azure", Enable.
fn explained(error: CallError) -> CallError {
    if !error.is_denied() && !error.is_not_found() {
        return error;
    }
    let why = "Microsoft reserves Customer Lockbox to Global Administrators, and to directories with a support plan: a Global \
               Administrator switches it on in the portal, Customer Lockbox for Microsoft Azure, Administration";
    error.explained(why)
}

impl Compare for AccessApproval {
    type There = Choice;

    fn compare(&self, _: &Settings, _: &Desired, address: &Address, there: Option<Choice>) -> Verdict {
        if there.unwrap_or_default().is_opted_in {
            return Verdict::Holds;
        }
        let reason = "Microsoft's people need not ask before they look: Customer Lockbox is off";
        let change = Change::new(address, "switch-on", Deed::Update, reason);
        Verdict::fails(change.after(json!({"isOptedIn": true})))
    }
}

#[cfg(test)]
mod tests {
    use landfall_model::observed::Seen;

    use super::*;
    use crate::controls::landscape::Landscape;

    const AT: &str = "access-approval/customer-lockbox";

    fn asked() -> Landscape {
        Landscape::organization().asks(ControlKind::AccessApproval, json!({"recipients": []}))
    }

    #[test]
    fn the_lockbox_is_switched_on_for_the_directory() {
        let off = "fails: Microsoft's people need not ask before they look: Customer Lockbox is off\n\
                   ~ baseline access-approval/customer-lockbox#switch-on {\"isOptedIn\":true}";
        let table = [
            (Seen::Present(json!({"isOptedIn": true})), "holds"),
            (Seen::Present(json!({"isOptedIn": false})), off),
            (Seen::Unreadable("denied".to_owned()), "unknown: denied"),
        ];
        for (seen, expected) in table {
            assert_eq!(asked().with(AT, seen).said(&AccessApproval), [expected]);
        }
        assert_eq!(asked().addresses(&AccessApproval), [AT]);
    }
}
