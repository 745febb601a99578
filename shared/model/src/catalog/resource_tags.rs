//! `resource-tags`: a tenant has the tags that policies and conditions go by.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Combine, ControlKind, Effect, Entry, Form, Parameter, Place};

/// What the catalog says.
pub const ENTRY: Entry = Entry {
    kind: ControlKind::ResourceTags,
    title: "the tenant has the tags that policies go by",
    manual: "\
What it asks: the tags that are listed are bound to the tenant.

Why: roles and organization policies can ask for a tag in their conditions. Who may bind one is a right of its own, so that a
tag says more than a label, which any editor of the project writes.

AWS, Azure: there is no such second thing. The tags of an account or a subscription are one thing: see tags.
Google Cloud: tag keys and values of the organization (cloudresourcemanager, tagKeys, tagValues), which are made once, in the
organization's own target, for all that any unit, landing zone or tenant of the manifest lists; and a binding on the project
(tagBindings). A key has one value on a project: another one is replaced, where for a moment there is none. One that the
project has from a folder or the organization counts as its own. Keys, values and bindings of others stay, and nothing is ever
deleted but the binding that is replaced; of a project that was there before, replacing counts as a loss. Keys and values are 1
to 256 letters, digits, hyphens, underscores and dots. What goes inside the project is not bound, it inherits.
Whoever holds the roles Tag User on the value and on the project may bind and unbind it, the project's owners among them where
they hold the first.

References: Resource Manager, Creating and managing tags, Tags and conditional access.",
    place: Place::Tenant,
    effect: Effect::Repairs,
    parameters: &[Parameter {
        name: "set",
        form: Form::TextMap,
        combine: Combine::Union,
        default: Some("{}"),
        help: "tag keys and their values",
    }],
};

/// What must hold, combined over all levels.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// The value of each key that is bound to the tenant; those of others are left alone.
    #[serde(default)]
    pub set: BTreeMap<String, String>,
    /// In the organization's own target: every value of each key that is asked of anybody.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, BTreeSet<String>>,
}
