//! `block-public-images` on Google Cloud: the constraint compute.storageResourceUseRestrictions, row G7.

use landfall_engine::carried::Carried;
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::block_public_images::Settings;

pub(super) struct BlockPublicImages;

impl Carried for BlockPublicImages {
    const KIND: ControlKind = ControlKind::BlockPublicImages;

    type Want = Settings;

    fn unasked(&self, _: &Settings) -> Option<&'static str> {
        None
    }
}
