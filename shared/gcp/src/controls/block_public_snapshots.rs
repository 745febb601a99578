//! `block-public-snapshots` on Google Cloud: the constraint compute.storageResourceUseRestrictions, row G7.

use landfall_engine::carried::Carried;
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::block_public_snapshots::Settings;

pub(super) struct BlockPublicSnapshots;

impl Carried for BlockPublicSnapshots {
    const KIND: ControlKind = ControlKind::BlockPublicSnapshots;

    type Want = Settings;

    fn unasked(&self, _: &Settings) -> Option<&'static str> {
        None
    }
}
