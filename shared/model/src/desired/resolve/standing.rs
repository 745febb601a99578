//! What a tenant is to us: new, adopted, handed over, or only reported.

use super::Home;
use crate::desired::Standing;
use crate::facts::{Facts, Inventory, Origin, State};
use crate::id::TenantId;
use crate::manifest::{AwsCloud, AzureCloud, Cloud, GcpCloud, Manage};
use crate::record::{Life, Record};

/// What a tenant is to us. Only one that the cloud reports as made inside the organization, and that was not there when
/// Landfall first looked, is new: a first deployment or a merger can never lock a running business out.
pub(super) fn standing(
    ground: &Cloud,
    id: &TenantId,
    record: &Record,
    facts: Option<&Facts>,
    inventory: Option<&Inventory>,
    home: Option<&Home<'_>>,
) -> Standing {
    let only = |why: &str| Standing::ReportOnly(why.to_owned());
    if ground.manage() == Manage::Observe {
        return only("the manifest says `manage: observe`");
    }
    let Some(facts) = facts else { return only("the cloud does not say what it is") };
    match facts.state {
        State::Active => {}
        State::Suspended => return only("it is suspended"),
        State::Closing => return only("it is being closed"),
        State::Unclear => return only("the cloud names it, but does not say whether it works"),
    }
    let named = home.is_some_and(|home| home.named.is_some());
    if spared(ground, id) {
        return if named {
            Standing::Adopted
        } else {
            only("it holds the organization or Landfall itself, and no project names it")
        };
    }
    if record.handed_over.is_some() {
        return Standing::HandedOver;
    }
    let Some(inventory) = inventory else {
        return only("there is no first inventory yet: the next sweep writes it");
    };
    // Three proofs, because each alone can fail: a tenant that moved while the inventory was listed is in no page, and one that was
    // looked at while nothing could be written stays what it was.
    let new = facts.origin == Origin::Created
        && !inventory.tenants.contains(id)
        && came_after(ground, facts, inventory)
        && record.life != Life::Adopted;
    match (new, home) {
        (true, Some(_)) => Standing::New,
        (true, None) => Standing::Waiting,
        (false, _) if named => Standing::Adopted,
        (false, _) => only("it was there before Landfall or joined later, and no project names it"),
    }
}

/// Whether the cloud's word of when a tenant came bears out that it is new. Azure has no such word: there, who is not in the first
/// inventory is new.
fn came_after(ground: &Cloud, facts: &Facts, inventory: &Inventory) -> bool {
    match ground {
        Cloud::Azure(_) => true,
        Cloud::Aws(_) | Cloud::Gcp(_) => facts.joined.is_some_and(|joined| joined + CLOCKS >= inventory.at),
    }
}

/// How far the cloud's clock and ours may differ, and how coarsely it tells when a tenant came.
const CLOCKS: jiff::SignedDuration = jiff::SignedDuration::from_secs(60);

/// Tenants that are never gated: the one that owns the organization, and the one Landfall lives in.
fn spared(ground: &Cloud, id: &TenantId) -> bool {
    match ground {
        Cloud::Aws(AwsCloud { management_account, controller_account, .. }) => {
            id.native() == management_account || id.native() == controller_account
        }
        Cloud::Azure(AzureCloud { controller_subscription, .. }) => {
            controller_subscription.as_deref() == Some(id.native())
        }
        Cloud::Gcp(GcpCloud { controller_project, .. }) => controller_project.as_deref() == Some(id.native()),
    }
}
