//! `placement`: each tenant stands in the unit that the manifest names for it.

use serde::{Deserialize, Serialize};

use super::units::WantedUnit;
use super::{ControlKind, Effect, Entry, Place};
use crate::id::UnitPath;

/// What the catalog says.
pub const ENTRY: Entry = Entry {
    kind: ControlKind::Placement,
    title: "the tenant stands in its unit",
    manual: "\
What it asks: the tenant's parent in the organization is the unit that the manifest, or the intake rule that let it in,
names. It is not listed under `controls`.

Why: a unit's policies hold for the tenants in it and for no others. Moving a tenant is the quietest way out of every
deny, so a tenant found elsewhere is moved back.

A new tenant is moved while it is still behind the gate, so that no policy of its unit is missing when the gate opens.
Where another tool owns placement (`owner: { placement: … }` on the unit it is in or should be in), the difference is
reported and nothing is moved.

AWS: organizations:MoveAccount, from the parent it was seen in; the move fails when somebody else has moved it since. An
account enrolled in Control Tower that is moved to a unit which Control Tower does not know loses its enrolment: name the
owner.
Azure: a subscription belongs to one management group (managementGroups/subscriptions); writing the new membership takes
it out of the old one. It needs rights on the subscription and on both groups.
Google Cloud: projects.move changes a project's parent; it needs rights on the project and on both parents. The project
takes the policies and roles of its new place, and loses those of the folders that it leaves.

References: AWS Organizations API reference, MoveAccount; Azure management groups, Moving management groups and
subscriptions; Resource Manager, Moving a project.",
    place: Place::Implied,
    effect: Effect::Repairs,
    parameters: &[],
};

/// What must hold, filled in from the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// The unit the tenant belongs in.
    pub unit: UnitPath,
    /// The way there, from the topmost unit down to `unit`; empty where it is the organization's root.
    pub line: Vec<WantedUnit>,
    /// The tool that owns placement: the tenant is reported and left where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}
