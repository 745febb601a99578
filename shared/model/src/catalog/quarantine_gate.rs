//! `quarantine-gate`: a new tenant is closed until its baseline is seen to hold.

use serde::{Deserialize, Serialize};

use super::{ControlKind, Effect, Entry, Place};

/// What the catalog says.
pub const ENTRY: Entry = Entry {
    kind: ControlKind::QuarantineGate,
    title: "a new tenant stays closed until its baseline holds",
    manual: "\
What it asks: nobody works in a new tenant before everything it must have at handover was seen to hold. The gate closes
first and opens last; a tenant that nobody named stays behind it. It can't be listed under `controls`, nor exempted.

Why: most of a baseline can be evaded by whoever is there before it. Only tenants that the cloud reports as newly created
are gated; invited, transferred and older ones are reported, so that a first deployment stops nobody's work.

AWS: a service control policy attached to the account itself, wherever it stands in the tree, denies everything, to its
root user too. It spares Landfall's roles, the bootstrap roles (such as OrganizationAccountAccessRole) and break-glass:
whoever can assume one of these is not stopped. Nor does it bind the short root sessions of central root access
(sts:AssumeRoot, aws:AssumedRoot), which only the management account or its delegate can open and by which root keys and
passwords are removed. It can't deny service-linked roles, the management account, other accounts' reach into what was
already shared with them, the traffic of what already runs, and a few root tasks that AWS exempts. It takes effect within
minutes.
Azure: customers can't create deny assignments. What there is: a quarantine management group, made the directory's default
so that subscriptions are born in it, with policies that deny creating resources. An Owner of the subscription stays Owner
and can move it, and data planes stay open to those who hold rights on them.
Google Cloud: an IAM deny policy on the project, landfall-quarantine, denies everybody what makes machines, networks, clusters,
databases, builds and objects, what makes identities, keys and tokens, and what changes the project, its IAM policy, its
organization policies and its services. It spares identities.write, which the manifest has to name, identities.bootstrap,
break-glass and the project's own service agents. Organization policies on the project deny external addresses of machines,
keys of service accounts and services that hold or run workloads (gcp.restrictServiceUsage), whoever calls; one that somebody
has set there already is left as it is, and where the manifest denies services to the project itself, that policy stands
instead. Deny policies know many permissions but not all, and take effect within minutes. Once the ledger shows that the gate
was opened it is not looked at again: Google lets deny policies be read five times a minute.

References: AWS Organizations user guide, Service control policies; Azure management groups, Protect your resource
hierarchy; IAM documentation, Deny policies.",
    place: Place::Implied,
    effect: Effect::Prevents,
    parameters: &[],
};

/// What must hold, filled in from the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// Whether the gate opens once the baseline holds; `false` keeps it closed until somebody names the tenant.
    pub opens: bool,
}
