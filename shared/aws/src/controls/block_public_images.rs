//! `block-public-images` on AWS: block public access for AMIs in each governed region, row A10.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Control, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::block_public_images::Settings;
use landfall_model::desired::Desired;
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::observed::{Address, Observed};
use landfall_model::plan::{Change, Deed};

use super::{each_region, ec2, form, kept};
use crate::client::service::EC2;
use crate::error::CallError;
use crate::session::{Reader, Writer};

const KIND: ControlKind = ControlKind::BlockPublicImages;

/// The only block there is.
const BLOCKED: &str = "block-new-sharing";

pub(super) struct BlockPublicImages;

/// The block of one region, in AWS's own names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Block {
    #[serde(alias = "imageBlockPublicAccessState")]
    image_block_public_access_state: String,
    /// Absent where AWS does not say who holds it.
    #[serde(alias = "managedBy", default, skip_serializing_if = "Option::is_none")]
    managed_by: Option<String>,
}

#[async_trait]
impl Control for BlockPublicImages {
    type Want = Settings;
    type Reader = Reader;
    type Writer = Writer;
    type Error = CallError;

    fn kind(&self) -> ControlKind {
        KIND
    }

    fn permissions(&self) -> Permissions {
        Permissions {
            read: &["ec2:GetImageBlockPublicAccessState"],
            write: &["ec2:EnableImageBlockPublicAccess"],
        }
    }

    fn addresses(&self, _: &Settings, desired: &Desired) -> Vec<Address> {
        each_region(KIND, desired, "images")
    }

    async fn look(&self, reader: &Reader, _: &Desired, address: &Address) -> Result<Sighting, CallError> {
        ec2::setting::<Block>(&reader.0, address, "GetImageBlockPublicAccessState").await
    }

    fn judge(&self, want: &Settings, desired: &Desired, observed: &Observed) -> Vec<Judgement> {
        self.addresses(want, desired)
            .iter()
            .map(|address| Judgement::of(KIND, address, observed, |there| compare(address, there)))
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
        let params = form(change.after.as_ref());
        session.tenant.query(&EC2, region, "EnableImageBlockPublicAccess", &params).await?;
        Ok(Value::Null)
    }
}

fn compare(address: &Address, there: Option<&Value>) -> Verdict {
    let block: Option<Block> = match kept(there) {
        Ok(block) => block,
        Err(unknown) => return unknown,
    };
    match block {
        Some(block) if block.image_block_public_access_state == BLOCKED => Verdict::Holds,
        Some(Block { managed_by: Some(by), .. }) if by == ec2::BY_POLICY => {
            let why = "images may be shared with everybody, by a declarative policy of the organization, \
                       which has to be changed";
            Verdict::Fails { why: why.to_owned(), changes: Vec::new() }
        }
        Some(_) | None => Verdict::fails(
            Change::new(address, "enable", Deed::Update, "images may be shared with everybody")
                .before(there.cloned())
                .after(serde_json::json!({"ImageBlockPublicAccessState": BLOCKED})),
        ),
    }
}

#[cfg(test)]
mod tests {
    use landfall_model::desired::Standing;
    use landfall_model::observed::Seen;
    use serde_json::json;

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
