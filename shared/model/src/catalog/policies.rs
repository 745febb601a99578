//! `policies`: the preventive policies that the other controls compile to, in force where they should be.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ControlKind, Effect, Entry, Place};
use crate::id::{TenantId, UnitPath};

/// What the catalog says.
pub const ENTRY: Entry = Entry {
    kind: ControlKind::Policies,
    title: "preventive policies in force on units and tenants",
    manual: "\
What it asks: the controls that prevent (allowed-regions, denied-services, protect-baseline, and on Azure those that no switch
of a subscription holds) are compiled together into as few policies as fit, and each unit carries its own. A tenant carries one
itself only where it asks for more than its units do.

Why: a rule that stops the deviation beforehand needs no repair afterwards, and one policy for many rules leaves the few slots
that a cloud gives to those who need them as well.

AWS: service control policies (organizations:CreatePolicy, UpdatePolicy, AttachPolicy) named landfall-<unit>-<n>, minified, within
the size and the slots that AWS allows, counting the slots that others use. What does not fit is an error that says by how much.
Every deny spares the platform's roles, the bootstrap roles and the break-glass principals.
Azure: policy assignments (Microsoft.Authorization/policyAssignments) named lf-… on management groups, and on a subscription
that asks for more than its units: of Azure's built-in definitions where there is one, else of Landfall's own, named landfall-…
on the root management group. At most 200 fit at one place. What weakens one (another parameter, DoNotEnforce, excluded scopes,
overrides, selectors) is put back. An exemption of the manifest from a control that a policy carries becomes one in Azure
(policyExemptions) on that subscription until its day is over; one that somebody else wrote is reported, and the control does
not hold there. Azure Policy judges what is written and not by whom, so it spares nobody.
Google Cloud: organization policies (orgpolicy v2) on folders, and on a project that asks for more than its units: one for each
constraint that the other controls need. Written with their etags, read anew where somebody else wrote meanwhile. What is
stricter is never loosened: allowed values are met with those that others allow above, denied ones add up, and a constraint that
is enforced above already needs no policy below. Somebody else's policy on a constraint that is asked is made stricter where it
is too loose, and else left as it is; one with conditions on tags is reported and not overwritten. One of Landfall's own that
somebody changed is put back, and one that nothing asks for any more is deleted; policies on other constraints are not looked
at. At most 500 values and 32 KB fit into one. A change takes up to 15 minutes to bind. An exemption of the manifest from a control
that a unit's policy carries becomes a policy on the project that says what would hold without the control; Google knows no date for
it, so the first run after its last day deletes it. Nobody is spared: organization policies judge what is made and not by whom.

It follows from the manifest and is not listed under `controls`. Policies that others made are counted and never touched.

References: AWS Organizations API reference; AWS Organizations user guide, Quotas and Service control policies; Azure Policy,
Assignment structure, Exemption structure and denyAction effect; Google Cloud Resource Manager documentation, Understanding
hierarchy evaluation and Using constraints.",
    place: Place::Implied,
    effect: Effect::Repairs,
    parameters: &[],
};

/// Where policies sit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum At {
    /// On a unit.
    Unit(UnitPath),
    /// On a tenant.
    Tenant(TenantId),
}

/// One place that carries policies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Point {
    /// Where.
    pub at: At,
    /// Whether this target makes them; the others are only looked at.
    pub own: bool,
    /// Another tool that owns the policies here: reported and left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The controls that are new here, beyond what the place above asks, with their settings.
    pub asks: BTreeMap<ControlKind, Value>,
}

/// What must hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// From the topmost down.
    pub points: Vec<Point>,
}
