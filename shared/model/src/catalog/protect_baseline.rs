//! `protect-baseline`: what Landfall has set can't be undone from inside a tenant.

use serde::{Deserialize, Serialize};

use super::{ControlKind, Effect, Entry, Place};

/// What the catalog says.
pub const ENTRY: Entry = Entry {
    kind: ControlKind::ProtectBaseline,
    title: "the baseline can't be undone from inside the tenant",
    manual: "\
What it asks: nobody in a tenant, its administrators included, can remove the tenant from the organization or take away
what the baseline rests on. It can't be exempted.

Why: repairing puts a setting back after it was gone; in between, the tenant was without it. And whoever can change the
role that repairs can end all repairing.

AWS: a service control policy that spares Landfall's roles, the bootstrap roles and break-glass, and denies everybody else:
making, changing or deleting roles and users of a name that is spared (Landfall's, the bootstrap roles, break-glass), for
whoever makes one escapes every deny; writing the account's public access block of S3; switching the default encryption of
EBS off or changing its key; opening snapshots or images to the public, or blocking less of it; changing the metadata
defaults of instances; making a default network or subnet; deleting an access analyzer; deleting or changing a GuardDuty
detector or leaving its administrator; switching off Security Hub or one of its standards, or leaving its administrator;
deleting, stopping or changing a CloudTrail trail or what it selects, the tenant's own trails included; stopping or deleting AWS
Config's recorder, or deleting its delivery channel; leaving the organization or closing the account; writing or deleting the alternate contacts; making,
changing or deleting budgets; writing or deleting the password policy. Landfall itself counts as well: in the account that it runs
in, changing or deleting functions, roles, queues, buckets and what is in them, keys by their aliases, schedules, buses and rules, logs,
alarms, topics and stacks whose names begin with landfall (logs: /landfall/), and in every account the stacks and policies that its
stack set brings. Who deploys new versions has to be spared: break-glass, or a role named in roles.bootstrap. Where it is not asked, every policy that denies anything still denies the taking of spared names, and passing a spared role to a service.
Service-linked roles and the management account are not bound, so Landfall belongs into an account of its own, and that account
into a unit that asks for this: people put it there, Landfall does not move it. What AWS judges on no resource, such as the permissions of an event bus, stays open. Who may assume a spared role stays a matter of its trust
policy.
Azure: customers can't create deny assignments, so less can be denied. A policy with the denyAction effect, assigned to the
unit's management group, denies deleting Landfall's diagnostic settings, budgets and alerts with their resource group, the plans
and contacts of Defender for Cloud, the roles of Landfall's own identities (identities.principals), and in a resource group named
landfall what Landfall itself is made of: function app and plan, storage accounts, queues and containers, identities, event hub,
workspace and rules. It denies deletions and
not changes, which are put back; it judges what is deleted and not by whom, so it binds Landfall too; what goes with a whole
subscription goes. Who holds rights on the subscription only can neither take away what its groups carry nor exempt from it; what
it carries itself they can, and it is put back. Azure exempts locks and assignments from denyAction. The directory's subscription
policy (Microsoft.Subscription/policies), made once, stops subscriptions from leaving, but for principals that others exempted.
A global administrator with elevated access has to give the right to it on the directory itself.
Google Cloud: a lien of the project with the origin landfall.protect-baseline (cloudresourcemanager, liens.create), so that
what was set can't go with the whole project: deleting it is refused to everybody. Who may update the project's liens (its
owners, and the role Project Lien Modifier) can take it away, and it is put back. What folders and the organization carry is
out of a project's reach: organization policies are changed by those who were granted a role on the organization for it, which
project owners are not, and a folder's or the organization's log sinks and roles likewise. What the project itself carries
its owners can change, and it is put back. So it is with Landfall's own project, unless its deployment says who
deploys (infra/gcp, deployers): then a deny policy keeps what is in it from everybody else. Leaving the organization needs rights on the organization.

References: AWS Organizations user guide, Service control policy examples; Azure Resource Manager, Lock your resources;
Azure Policy, denyAction effect; Resource Manager, Protecting projects with liens.",
    place: Place::Policy,
    effect: Effect::Prevents,
    parameters: &[],
};

/// What must hold: there is nothing to choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {}
