//! `units`: the organization's tree, made from the manifest's.

use serde::{Deserialize, Serialize};

use super::{ControlKind, Effect, Entry, Place};
use crate::id::UnitPath;

/// What the catalog says.
pub const ENTRY: Entry = Entry {
    kind: ControlKind::Units,
    title: "the units of the organization's tree exist",
    manual: "\
What it asks: every unit of the manifest exists in the cloud, below its parent, under its own name. It follows from
`units` and is not listed under `controls`.

Why: preventive policy sits on units, and a tenant has the policies of the place it stands in. A unit that is missing, or
was made by hand somewhere else, is a place where the organization's rules do not reach.

A unit is looked for by its name below its parent; one given by its native id under `adopt` is taken as it is, wherever it
is, and never renamed. Units are made, never deleted; one that the manifest does not name is left alone.

AWS: organizational units (organizations:CreateOrganizationalUnit), at most five deep below the root; siblings have
different names.
Azure: management groups (Microsoft.Management/managementGroups), at most six deep below the root group. Their ids are
unique in the whole directory and can't be changed; the display name can.
Google Cloud: folders (cloudresourcemanager v3, folders.create), at most ten deep. Their ids are Google's to give; siblings
have different display names, of 3 to 30 characters.

References: AWS Organizations user guide, Managing organizational units; Azure management groups, Overview; Resource
Manager, Creating and managing folders.",
    place: Place::Implied,
    effect: Effect::Repairs,
    parameters: &[],
};

/// What must hold, filled in from the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// Every unit that should exist, a parent always before its children.
    pub units: Vec<WantedUnit>,
}

/// One unit that should exist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WantedUnit {
    /// Where it stands in the manifest's tree.
    pub path: UnitPath,
    /// The native id of the existing unit it stands for; never renamed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopt: Option<String>,
    /// The tool that owns which policies sit on it (`control-tower`): they are reported and left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policies_owner: Option<String>,
    /// The tool that owns which tenants are in it: they are reported and left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placement_owner: Option<String>,
}
