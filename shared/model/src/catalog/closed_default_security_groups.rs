//! `closed-default-security-groups`: the group that nobody chose lets nothing through.

use serde::{Deserialize, Serialize};

use super::{ControlKind, Effect, Entry, Place};

/// What the catalog says.
pub const ENTRY: Entry = Entry {
    kind: ControlKind::ClosedDefaultSecurityGroups,
    title: "default security groups let nothing through",
    manual: "\
What it asks: the default security group of every network has no rules, neither inward nor outward.

Why: what is started without naming a group gets the default one, and with it free traffic among all that did the same. An
empty group makes the omission show at once.

Taking rules away cuts connections, so it is only done before the tenant was handed over, or where nothing is attached to
the group. One that is in use is reported and stays as it is.

AWS: the default security group of each VPC in each governed region (ec2:RevokeSecurityGroupIngress,
RevokeSecurityGroupEgress). The group itself can't be deleted. It counts as in use while a network interface has it.
Azure: a network has no default security group. A network security group comes with default rules that can't be removed,
only outranked; what has no group at all is not filtered.
Google Cloud: a network has no default security group. Its implied rules deny everything inward, allow everything outward
and can't be removed; only the network called default comes with firewall rules that open it.

References: Amazon VPC user guide, Default security groups for your VPCs; Azure Virtual Network, Network security groups;
Cloud Next Generation Firewall documentation, VPC firewall rules.",
    place: Place::Tenant,
    effect: Effect::Repairs,
    parameters: &[],
};

/// What must hold: there is nothing to choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {}
