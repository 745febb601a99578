//! `encrypt-by-default`: new disks are encrypted without anybody asking.

use serde::{Deserialize, Serialize};

use super::{Combine, ControlKind, Effect, Entry, Form, Parameter, Place};

/// What the catalog says.
pub const ENTRY: Entry = Entry {
    kind: ControlKind::EncryptByDefault,
    title: "new disks are encrypted by default",
    manual: "\
What it asks: every new disk, and every new copy of one, is encrypted, with the key that is named or else with the one the
cloud manages itself.

Why: encryption that has to be asked for is forgotten, and an unencrypted disk can't be encrypted in place later.

It holds for what is new: disks that exist stay as they are. With a key of your own, everybody who starts an instance must
be allowed to use it; a key that can't be used stops instances from starting.

AWS: in each governed region, EBS encryption by default (ec2:EnableEbsEncryptionByDefault) and, where a key is named, the
default key (ec2:ModifyEbsDefaultKmsKeyId). A key belongs to one region: with several regions, name an alias that exists
in each, such as alias/disks. AWS checks the key only when it is used.
Azure: managed disks are always encrypted at rest, with keys that Azure manages; nobody can make one that is not. What is left
are temporary disks and caches on the machine's host: a built-in policy with the effect Audit on the unit's management group
names the virtual machines and scale sets without encryption at host. It prevents nothing, because Azure refuses machines with
it where the feature Microsoft.Compute/EncryptionAtHost is not registered in the subscription, so that no machine could be made
there at all. What is held here is that the policy is assigned; what it finds stands in Azure Policy's compliance view.
Where the key is the id of a disk encryption set, a second policy with the effect Deny denies disks, machines and images that
use a different set or none. A set serves disks of its own subscription and location only, so this one is assigned only to the
subscription that the set is in, where that asks for this control itself; units and other subscriptions have no use for it and
get none. In such a subscription disks can be made in the set's location only: with several locations, ask for the key where
only one is used. What exists stays as it is, and can no longer be changed without following. Nobody is spared.
Google Cloud: everything is always encrypted at rest, with keys that Google manages; nobody can make a disk that is not, so
without a key there is nothing to hold. Where the key is one of Cloud KMS (projects/…/cryptoKeys/…), two organization policies on the
unit's folder deny new disks, images and snapshots that are not encrypted by a key (gcp.restrictNonCmekServices with
compute.googleapis.com) of the project that holds the named one (gcp.restrictCmekCryptoKeyProjects); which of its keys can't be
said. The second binds other services that use keys of their own as well. A key serves its own location only. What exists stays as
it is. Nobody is spared.

References: Amazon EBS user guide, Enable Amazon EBS encryption by default; Azure Virtual Machines, Server-side encryption
of Azure managed disks; Cloud KMS, CMEK organization policies.",
    place: Place::Tenant,
    effect: Effect::Repairs,
    parameters: &[Parameter {
        name: "key",
        form: Form::Text,
        combine: Combine::Replace,
        default: None,
        help: "id, alias or ARN of the key for new disks (Azure: id of a disk encryption set, for its own subscription; Google Cloud: a key of Cloud KMS, for its project); the one the cloud manages where nobody says",
    }],
};

/// What must hold, combined over all levels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// The key for new disks; the one the cloud manages where nobody says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}
