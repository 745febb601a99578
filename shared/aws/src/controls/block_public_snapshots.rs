//! `block-public-snapshots` on AWS: block public access for EBS snapshots in each governed region, row A9.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Compare, Control, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::block_public_snapshots::Settings;
use landfall_model::desired::Desired;
use landfall_model::judgement::Verdict;
use landfall_model::observed::Address;
use landfall_model::plan::{Change, Deed};

use super::{Aws, each_region, ec2, json};
use crate::error::CallError;
use crate::session::{Reader, Writer};

pub(super) struct BlockPublicSnapshots;

/// The block of one region, in AWS's own names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Block {
    #[serde(alias = "state")]
    state: State,
    /// Absent where AWS does not say who holds it.
    #[serde(alias = "managedBy", default, skip_serializing_if = "Option::is_none")]
    managed_by: Option<String>,
}

/// Weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    Unblocked,
    BlockNewSharing,
    BlockAllSharing,
}

#[async_trait]
impl Control for BlockPublicSnapshots {
    const KIND: ControlKind = ControlKind::BlockPublicSnapshots;
    const PERMISSIONS: Permissions = Permissions {
        read: &["ec2:GetSnapshotBlockPublicAccessState"],
        write: &["ec2:EnableSnapshotBlockPublicAccess"],
    };

    type On = Aws;
    type Want = Settings;

    fn addresses(&self, _: &Settings, desired: &Desired) -> Vec<Address> {
        each_region(Self::KIND, desired, "snapshots")
    }

    async fn look(&self, reader: &Reader, _: &Desired, address: &Address) -> Result<Sighting, CallError> {
        ec2::setting::<Block>(&reader.0, address, "GetSnapshotBlockPublicAccessState").await
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        ec2::put(&writer.0, change, "EnableSnapshotBlockPublicAccess").await
    }
}

impl Compare for BlockPublicSnapshots {
    type There = Block;

    fn compare(&self, want: &Settings, _: &Desired, address: &Address, there: Option<Block>) -> Verdict {
        let asked = if want.also_existing { State::BlockAllSharing } else { State::BlockNewSharing };
        let state = there.as_ref().map_or(State::Unblocked, |block| block.state);
        if state >= asked {
            return Verdict::Holds;
        }
        let reason = match state {
            State::Unblocked => "snapshots may be shared with everybody",
            State::BlockNewSharing | State::BlockAllSharing => "snapshots shared earlier are still public",
        };
        let after = Block { state: asked, managed_by: None };
        let change = Change::new(address, "enable", Deed::Update, reason).after(json(&after));
        ec2::unless_by_policy(there.and_then(|block| block.managed_by).as_deref(), change)
    }
}

#[cfg(test)]
mod tests {
    use landfall_model::desired::Standing;
    use landfall_model::observed::Seen;
    use serde_json::json;

    use super::super::scenario::{addresses, said};
    use super::*;

    #[test]
    fn every_region_is_looked_at() {
        assert_eq!(
            addresses(&BlockPublicSnapshots, json!({"also-existing": true})),
            ["block-public-snapshots@eu-central-1/snapshots", "block-public-snapshots@eu-west-1/snapshots"]
        );
    }

    #[test]
    fn the_answer_is_read() {
        let xml = "<GetSnapshotBlockPublicAccessStateResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">\
            <requestId>r</requestId><state>block-new-sharing</state><managedBy>account</managedBy>\
            </GetSnapshotBlockPublicAccessStateResponse>";
        let block: Block = quick_xml::de::from_str(xml).unwrap();
        assert_eq!(json(&block), json!({"State": "block-new-sharing", "ManagedBy": "account"}));
    }

    #[test]
    fn the_stricter_block_is_never_lowered() {
        const NEW: &str =
            "fails: snapshots may be shared with everybody\n~ enable {\"State\":\"block-new-sharing\"}";
        const ALL: &str =
            "fails: snapshots may be shared with everybody\n~ enable {\"State\":\"block-all-sharing\"}";
        let table = [
            (true, json!({"State": "block-all-sharing"}), "holds"),
            (false, json!({"State": "block-new-sharing"}), "holds"),
            (false, json!({"State": "block-all-sharing"}), "holds"),
            (false, json!({"State": "unblocked"}), NEW),
            (true, json!({"State": "unblocked", "ManagedBy": "account"}), ALL),
            (
                true,
                json!({"State": "block-new-sharing"}),
                "fails: snapshots shared earlier are still public\n~ enable {\"State\":\"block-all-sharing\"}",
            ),
            (
                true,
                json!({"State": "unblocked", "ManagedBy": "declarative-policy"}),
                "fails: snapshots may be shared with everybody, by a declarative policy of the organization, \
                 which has to be changed",
            ),
        ];
        for (also_existing, there, expected) in table {
            let saw = [("block-public-snapshots@eu-central-1/snapshots", Seen::Present(there.clone()))];
            let want = json!({"also-existing": also_existing});
            assert_eq!(said(&BlockPublicSnapshots, want, Standing::Adopted, &saw), [expected], "{there}");
        }
        let odd = [("block-public-snapshots@eu-central-1/snapshots", Seen::Present(json!({"State": "new"})))];
        let said = said(&BlockPublicSnapshots, json!({"also-existing": true}), Standing::Adopted, &odd);
        assert!(said[0].starts_with("unknown: "), "{said:?}");
    }
}
