//! `block-public-snapshots` on AWS: block public access for EBS snapshots in each governed region, row A9.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Control, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::block_public_snapshots::Settings;
use landfall_model::desired::Desired;
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::observed::{Address, Observed};
use landfall_model::plan::{Change, Deed};

use super::{each_region, ec2, json, kept};
use crate::client::service::EC2;
use crate::error::CallError;
use crate::session::{Reader, Writer};

const KIND: ControlKind = ControlKind::BlockPublicSnapshots;

pub(super) struct BlockPublicSnapshots;

/// The block of one region, in AWS's own names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Block {
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
    type Want = Settings;
    type Reader = Reader;
    type Writer = Writer;
    type Error = CallError;

    fn kind(&self) -> ControlKind {
        KIND
    }

    fn permissions(&self) -> Permissions {
        Permissions {
            read: &["ec2:GetSnapshotBlockPublicAccessState"],
            write: &["ec2:EnableSnapshotBlockPublicAccess"],
        }
    }

    fn addresses(&self, _: &Settings, desired: &Desired) -> Vec<Address> {
        each_region(KIND, desired, "snapshots")
    }

    async fn look(&self, reader: &Reader, _: &Desired, address: &Address) -> Result<Sighting, CallError> {
        ec2::setting::<Block>(&reader.0, address, "GetSnapshotBlockPublicAccessState").await
    }

    fn judge(&self, want: &Settings, desired: &Desired, observed: &Observed) -> Vec<Judgement> {
        self.addresses(want, desired)
            .iter()
            .map(|address| Judgement::of(KIND, address, observed, |there| compare(want, address, there)))
            .collect()
    }

    async fn write(
        &self,
        writer: &Writer,
        _: &Desired,
        change: &Change,
        _: &Made,
    ) -> Result<Value, CallError> {
        let session = &writer.0;
        let region = session.region(change.address.region.as_ref());
        let params = super::form(change.after.as_ref());
        session.tenant.query(&EC2, region, "EnableSnapshotBlockPublicAccess", &params).await?;
        Ok(Value::Null)
    }
}

fn compare(want: &Settings, address: &Address, there: Option<&Value>) -> Verdict {
    let block: Option<Block> = match kept(there) {
        Ok(block) => block,
        Err(unknown) => return unknown,
    };
    let asked = if want.also_existing { State::BlockAllSharing } else { State::BlockNewSharing };
    let state = block.as_ref().map_or(State::Unblocked, |block| block.state);
    if state >= asked {
        return Verdict::Holds;
    }
    let reason = match state {
        State::Unblocked => "snapshots may be shared with everybody",
        State::BlockNewSharing | State::BlockAllSharing => "snapshots shared earlier are still public",
    };
    if block.and_then(|block| block.managed_by).as_deref() == Some(ec2::BY_POLICY) {
        let why = format!("{reason}, by a declarative policy of the organization, which has to be changed");
        return Verdict::Fails { why, changes: Vec::new() };
    }
    let after = Block { state: asked, managed_by: None };
    Verdict::fails(
        Change::new(address, "enable", Deed::Update, reason).before(there.cloned()).after(json(&after)),
    )
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
