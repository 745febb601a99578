//! `block-public-snapshots`: no copy of a disk is open to the world.

use serde::{Deserialize, Serialize};

use super::{Combine, ControlKind, Effect, Entry, Form, Parameter, Place};

/// What the catalog says.
pub const ENTRY: Entry = Entry {
    kind: ControlKind::BlockPublicSnapshots,
    title: "no public disk snapshots",
    manual: "\
What it asks: no snapshot of a disk can be shared with everybody and, unless said otherwise, those that are shared already
can no longer be reached.

Why: a snapshot is the whole disk: keys, databases, deleted files. Public ones are listed, and searched by strangers.

AWS: in each governed region, block public access for EBS snapshots (ec2:EnableSnapshotBlockPublicAccess), with the state
block-all-sharing, or block-new-sharing where only new sharing is to be stopped. The stricter state is never lowered: that
would make hidden snapshots public again. A snapshot that was shared keeps its permission and is only hidden by the block:
remove the permission too. Sharing with single accounts is not affected.
Azure: a snapshot can't be shared with everybody, but it and a disk can be exported by a link, over public networks unless
their own settings say otherwise. Policies with the effect Deny on the unit's management group deny disks (the built-in Managed
disks should disable public network access) and snapshots (one of Landfall's own) whose networkAccessPolicy is neither DenyAll
nor AllowPrivate and whose publicNetworkAccess is not Disabled. Those that exist stay as they are, whatever also-existing says,
and can no longer be changed without closing them. Nobody is spared.
Google Cloud: snapshots, images and disks are shared by IAM. The constraint compute.storageResourceUseRestrictions, on the unit's
folder, lets only projects of the organization use them (under:organizations/<number>), whoever was given a right; it holds for
those that exist too, whatever also-existing says. The grants themselves stay: external-access-analysis stops new ones. Nobody is
spared.

References: Amazon EC2 API reference, EnableSnapshotBlockPublicAccess; Azure Virtual Machines, Restrict import and export
access to managed disks; Resource Manager, Organization policy constraints.",
    place: Place::Tenant,
    effect: Effect::Repairs,
    parameters: &[Parameter {
        name: "also-existing",
        form: Form::Switch,
        combine: Combine::Any,
        default: Some("true"),
        help: "block all public sharing, not only new sharing",
    }],
};

/// What must hold, combined over all levels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// All public sharing is blocked, not only new sharing.
    pub also_existing: bool,
}
