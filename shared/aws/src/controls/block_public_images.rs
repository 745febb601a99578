//! `block-public-images` on AWS: block public access for AMIs in each governed region, row A10.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Compare, Control, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::block_public_images::Settings;
use landfall_model::desired::Desired;
use landfall_model::judgement::Verdict;
use landfall_model::observed::Address;
use landfall_model::plan::{Change, Deed};

use super::{Aws, each_region, ec2};
use crate::error::CallError;
use crate::session::{Reader, Writer};

/// The only block there is.
const BLOCKED: &str = "block-new-sharing";

pub(super) struct BlockPublicImages;

/// The block of one region, in AWS's own names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Block {
    #[serde(alias = "imageBlockPublicAccessState")]
    image_block_public_access_state: String,
    /// Absent where AWS does not say who holds it.
    #[serde(alias = "managedBy", default, skip_serializing_if = "Option::is_none")]
    managed_by: Option<String>,
}

#[async_trait]
impl Control for BlockPublicImages {
    const KIND: ControlKind = ControlKind::BlockPublicImages;
    const PERMISSIONS: Permissions = Permissions {
        read: &["ec2:GetImageBlockPublicAccessState"],
        write: &["ec2:EnableImageBlockPublicAccess"],
    };

    type On = Aws;
    type Want = Settings;

    fn addresses(&self, _: &Settings, desired: &Desired) -> Vec<Address> {
        each_region(Self::KIND, desired, "images")
    }

    async fn look(&self, reader: &Reader, _: &Desired, address: &Address) -> Result<Sighting, CallError> {
        ec2::setting::<Block>(&reader.0, address, "GetImageBlockPublicAccessState").await
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        ec2::put(&writer.0, change, "EnableImageBlockPublicAccess").await
    }
}

impl Compare for BlockPublicImages {
    type There = Block;

    fn compare(&self, _: &Settings, _: &Desired, address: &Address, there: Option<Block>) -> Verdict {
        if there.as_ref().is_some_and(|block| block.image_block_public_access_state == BLOCKED) {
            return Verdict::Holds;
        }
        let managed_by = there.and_then(|block| block.managed_by);
        let change = Change::new(address, "enable", Deed::Update, "images may be shared with everybody")
            .after(json!({"ImageBlockPublicAccessState": BLOCKED}));
        ec2::unless_by_policy(managed_by.as_deref(), change)
    }
}

#[cfg(test)]
mod tests {
    use landfall_model::desired::Standing;
    use landfall_model::observed::Seen;

    use super::super::scenario::said;
    use super::*;

    #[test]
    fn the_answer_is_read() {
        let xml = "<R><requestId>r</requestId><imageBlockPublicAccessState>unblocked</imageBlockPublicAccessState></R>";
        let block: Block = quick_xml::de::from_str(xml).unwrap();
        assert_eq!(super::super::json(&block), json!({"ImageBlockPublicAccessState": "unblocked"}));
    }

    #[test]
    fn images_that_may_be_shared_are_blocked() {
        let table = [
            (Seen::Present(json!({"ImageBlockPublicAccessState": BLOCKED, "ManagedBy": "account"})), "holds"),
            (
                Seen::Present(json!({"ImageBlockPublicAccessState": "unblocked"})),
                "fails: images may be shared with everybody\n\
                 ~ enable {\"ImageBlockPublicAccessState\":\"block-new-sharing\"}",
            ),
            (
                Seen::Present(
                    json!({"ImageBlockPublicAccessState": "unblocked", "ManagedBy": "declarative-policy"}),
                ),
                "fails: images may be shared with everybody, by a declarative policy of the organization, \
                 which has to be changed",
            ),
            (Seen::Unreadable("denied".into()), "unknown: denied"),
            (Seen::NotOffered("not in this region".into()), "not applicable: not in this region"),
        ];
        for (seen, expected) in table {
            let saw = [("block-public-images@eu-west-1/images", seen)];
            assert_eq!(said(&BlockPublicImages, json!({}), Standing::Adopted, &saw), [expected]);
        }
    }
}
