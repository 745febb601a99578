//! `block-public-images`: no machine image is offered to the world.

use serde::{Deserialize, Serialize};

use super::{ControlKind, Effect, Entry, Place};

/// What the catalog says.
pub const ENTRY: Entry = Entry {
    kind: ControlKind::BlockPublicImages,
    title: "no public machine images",
    manual: "\
What it asks: no machine image of the tenant can be newly shared with everybody.

Why: an image carries what was on the machine it was made from: configuration, credentials, source. Publishing one is one
click, and meant in few tenants only.

It stops new sharing. An image that is public already stays public until somebody takes the permission away.

AWS: in each governed region, block public access for AMIs (ec2:EnableImageBlockPublicAccess, state block-new-sharing, the
only one there is). It takes up to ten minutes to show. Sharing with single accounts, units and the organization is not
affected.
Azure: an image is offered to everybody only through a community gallery. A policy of Landfall's own on the unit's management
group denies Compute Galleries that are shared with the community. Nobody is spared.
Google Cloud: images are shared by IAM. The constraint compute.storageResourceUseRestrictions, on the unit's folder, lets only
projects of the organization use them (under:organizations/<number>), whoever was given a right; it is the same constraint that
block-public-snapshots asks for, and holds for images that exist too. Nobody is spared.

References: Amazon EC2 API reference, EnableImageBlockPublicAccess; Azure Virtual Machines, Share images using a community
gallery; Compute Engine, Managing access to custom images.",
    place: Place::Tenant,
    effect: Effect::Repairs,
    parameters: &[],
};

/// What must hold: there is nothing to choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {}
