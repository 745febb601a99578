//! `tags`: a tenant says whose it is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Combine, ControlKind, Effect, Entry, Form, Parameter, Place};

/// What the catalog says.
pub const ENTRY: Entry = Entry {
    kind: ControlKind::Tags,
    title: "the tenant says whose it is",
    manual: "\
What it asks: the tenant carries the tags that are listed, and those that its project gives it: team, project, environment
and cost center.

Why: bills are split, incidents routed and policies scoped by tags. They are only worth something when every tenant has
them and they are true.

Tags are merged: one with another value is put right, one that is missing is added, and all others are left alone. A tag
that the project has no value for is not asked.

AWS: tags on the account (organizations:TagResource), written from the management account; at most 50.
They are the account's own and do not pass to what is in it.
Azure: tags on the subscription (Microsoft.Resources/tags, PATCH with Merge); at most 50. Resources do not inherit them
unless a policy copies them.
Google Cloud: labels on the project (projects.patch); keys and values of at most 63 lower-case letters, digits, hyphens
and underscores, at most 64 labels. The whole map is sent, so it is read first. Tags there are a different thing, made for
policies.

References: AWS Organizations user guide, Tagging AWS Organizations resources; Azure Resource Manager, Use tags; Resource
Manager, Creating and managing labels.",
    place: Place::Tenant,
    effect: Effect::Repairs,
    parameters: &[
        Parameter {
            name: "set",
            form: Form::TextMap,
            combine: Combine::Union,
            default: Some("{}"),
            help: "tags and their values",
        },
        Parameter {
            name: "from-project",
            form: Form::Texts,
            combine: Combine::Union,
            default: Some(r#"["cost-center", "environment", "project", "team"]"#),
            help: "tags that the project gives: `team`, `project`, `environment`, `cost-center`",
        },
    ],
};

/// What must hold, combined over all levels and filled in from the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// Every tag the tenant carries, with its value; others are left alone.
    pub tags: BTreeMap<String, String>,
}
