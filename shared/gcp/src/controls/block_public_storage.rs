//! `block-public-storage` on Google Cloud: the constraint storage.publicAccessPrevention, row G7.

use landfall_engine::carried::Carried;
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::block_public_storage::Settings;

pub(super) struct BlockPublicStorage;

impl Carried for BlockPublicStorage {
    const KIND: ControlKind = ControlKind::BlockPublicStorage;

    type Want = Settings;

    fn unasked(&self, _: &Settings) -> Option<&'static str> {
        None
    }
}
