//! `block-public-snapshots` on Azure: policies on the network access of disks and snapshots, row Z28.

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
