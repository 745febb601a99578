//! `no-default-network`: a tenant has no network that nobody planned.

use serde::{Deserialize, Serialize};

use super::{ControlKind, Effect, Entry, Place};

/// What the catalog says.
pub const ENTRY: Entry = Entry {
    kind: ControlKind::NoDefaultNetwork,
    title: "no network that nobody planned",
    manual: "\
What it asks: the networks that the cloud makes by itself in a new tenant are gone.

Why: a default network is open to the internet by design, and its addresses are the same in every tenant. What is started
without a thought lands in it.

Deleting is final, so a default network is only deleted before the tenant was handed over, or where nothing is attached to
it. One that is in use is reported and stays.

AWS: the default VPC in each governed region, with its internet gateway and subnets (ec2:DeleteInternetGateway,
DeleteSubnet, DeleteVpc). It counts as in use while it holds a network interface. AWS makes it again only when asked to
(ec2:CreateDefaultVpc).
Azure: a new subscription has no network; there is nothing to delete.
Google Cloud: a new project gets an auto-mode network called default with open firewall rules, unless the constraint
compute.skipDefaultNetworkCreation holds, which is set on the unit's folder and stops new ones only. The one that is there is deleted
with the four firewall rules that Google made (compute.firewalls.delete, compute.networks.delete), where no machine is in it and
people added neither firewall rules nor peerings nor subnets; else it is reported and stays. What else may be attached, such as a
router or a load balancer, Google refuses: then the rules are put back. A project whose Compute Engine API is not enabled has none.

References: Amazon VPC user guide, Default VPCs; Virtual Private Cloud documentation, VPC networks, Default network.",
    place: Place::Tenant,
    effect: Effect::Repairs,
    parameters: &[],
};

/// What must hold: there is nothing to choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {}
