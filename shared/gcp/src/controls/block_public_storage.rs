//! `block-public-storage` on Google Cloud: the constraint storage.publicAccessPrevention, row G7.

use landfall_model::catalog::ControlKind;
use landfall_model::catalog::block_public_storage::Settings;

use super::policies::Carried;

pub(super) struct BlockPublicStorage;

impl Carried for BlockPublicStorage {
    const KIND: ControlKind = ControlKind::BlockPublicStorage;

    type Want = Settings;

    fn unasked(&self, _: &Settings) -> Option<&'static str> {
        None
    }
}
