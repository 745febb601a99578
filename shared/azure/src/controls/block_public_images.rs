//! `block-public-images` on Azure: a policy of our own on community galleries, row Z28.

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
