//! `region-opt-in` on AWS: the regions that are off unless asked for, row A34.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Compare, Control, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::region_opt_in::Settings;
use landfall_model::desired::Desired;
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::observed::Address;
use landfall_model::plan::{Change, Deed};

use super::{Aws, seen, unasked};
use crate::client::protocol::Reply;
use crate::client::service::ACCOUNT;
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};

pub(super) struct RegionOptIn;

/// A region as the account has it, in AWS's own names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OptIn {
    region_name: String,
    region_opt_status: Status,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Status {
    Enabled,
    Enabling,
    Disabling,
    Disabled,
    EnabledByDefault,
}

#[async_trait]
impl Control for RegionOptIn {
    const KIND: ControlKind = ControlKind::RegionOptIn;
    const PERMISSIONS: Permissions =
        Permissions { read: &["account:GetRegionOptStatus"], write: &["account:EnableRegion"] };

    type On = Aws;
    type Want = Settings;

    /// The region is what the setting is about, not where it is: the account is asked from home.
    fn addresses(&self, want: &Settings, _: &Desired) -> Vec<Address> {
        want.aws.iter().map(|region| Address::global(Self::KIND, region)).collect()
    }

    async fn look(&self, reader: &Reader, _: &Desired, address: &Address) -> Result<Sighting, CallError> {
        let reply = ask(&reader.0, "GetRegionOptStatus", "/getRegionOptStatus", address).await?;
        Ok(seen(&reply, &reply.json::<OptIn>()?))
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        ask(&writer.0, "EnableRegion", "/enableRegion", &change.address).await?;
        Ok(Value::Null)
    }
}

impl Compare for RegionOptIn {
    type There = OptIn;

    fn compare(&self, _: &Settings, _: &Desired, address: &Address, there: Option<OptIn>) -> Verdict {
        match there.map(|opt_in| opt_in.region_opt_status) {
            Some(Status::Enabled | Status::EnabledByDefault) => Verdict::Holds,
            Some(Status::Enabling) => Verdict::Unknown { why: "the region is being switched on".to_owned() },
            // AWS refuses to switch it on until it is off.
            Some(Status::Disabling) => Verdict::Unknown {
                why: "the region is being switched off, and can be switched on only afterwards".to_owned(),
            },
            Some(Status::Disabled) | None => Verdict::fails(
                Change::new(address, "enable", Deed::Update, "the region is switched off")
                    .after(json!({"RegionName": address.resource, "RegionOptStatus": Status::Enabled})),
            ),
        }
    }

    fn unasked(&self, want: &Settings) -> Option<Judgement> {
        want.aws.is_empty().then(|| unasked(Self::KIND, "control", "no region is asked"))
    }
}

async fn ask(
    session: &Session,
    operation: &'static str,
    path: &str,
    address: &Address,
) -> Result<Reply, CallError> {
    let body = json!({"RegionName": address.resource}).to_string();
    session.tenant.rest(&ACCOUNT, session.home(), operation, http::Method::POST, path, body).await
}

#[cfg(test)]
mod tests {
    use landfall_model::desired::Standing;
    use landfall_model::observed::Seen;

    use super::super::scenario::{addresses, said};
    use super::*;

    #[test]
    fn each_region_is_a_setting_of_its_own() {
        let want = json!({"aws": ["eu-central-2", "eu-south-1"]});
        assert_eq!(addresses(&RegionOptIn, want), ["region-opt-in/eu-central-2", "region-opt-in/eu-south-1"]);
        let none = said(&RegionOptIn, json!({"aws": []}), Standing::Adopted, &[]);
        assert_eq!(none, ["not applicable: no region is asked"]);
    }

    #[test]
    fn a_region_is_switched_on_once_and_waited_for() {
        let table = [
            ("ENABLED", "holds"),
            ("ENABLED_BY_DEFAULT", "holds"),
            ("ENABLING", "unknown: the region is being switched on"),
            (
                "DISABLING",
                "unknown: the region is being switched off, and can be switched on only afterwards",
            ),
            (
                "DISABLED",
                "fails: the region is switched off\n\
                 ~ enable {\"RegionName\":\"eu-central-2\",\"RegionOptStatus\":\"ENABLED\"}",
            ),
        ];
        for (status, expected) in table {
            let there = json!({"RegionName": "eu-central-2", "RegionOptStatus": status});
            let saw = [("region-opt-in/eu-central-2", Seen::Present(there))];
            let want = json!({"aws": ["eu-central-2"]});
            assert_eq!(said(&RegionOptIn, want, Standing::New, &saw), [expected], "{status}");
        }
    }
}
