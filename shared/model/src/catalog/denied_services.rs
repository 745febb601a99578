//! `denied-services`: what nobody may use.

use serde::{Deserialize, Serialize};

use super::{Combine, ControlKind, Effect, Entry, Form, Parameter, Place};

/// What the catalog says.
pub const ENTRY: Entry = Entry {
    kind: ControlKind::DeniedServices,
    title: "services that are not wanted can't be used",
    manual: "\
What it asks: the services, or single actions, that are listed for the cloud can't be used. A lower level can only add to
the list.

Why: a service that the organization has not looked at has no logs, no baseline and no owner. Denying single actions, such
as making users with passwords, closes the ways around the identity provider.

It stops requests: what a denied service already runs is not deleted.

AWS: a service control policy that denies the actions. `lightsail` stands for every action of that service;
`iam:CreateUser` for one; `*` may stand for part of an action. It binds at once, what runs already too: from its
attachment on, the roles of running workloads are refused the denied actions, and what a denied service runs can no longer
be managed. Look at CloudTrail first for who uses it. It spares Landfall's roles, the bootstrap roles and break-glass, and
nobody else may make or change a role or user of these names. Service-linked roles are not bound.
Azure: the built-in policy Not allowed resource types, assigned to the unit's management group, denies types such as
Microsoft.Sql/servers. It stops resources from being made or changed, not calls to those that exist, and spares nobody. It knows
no single actions, and a type stands for itself, not for those below it.
Google Cloud: the organization policy constraint gcp.restrictServiceUsage, on the unit's folder, denies services by name, such as
compute.googleapis.com. It binds at once, what runs already too: its resources can no longer be reached. It knows whole services
and not all of them; where others allow some services only, the denied ones are taken off their list, because Google takes no policy
that does both. Nobody is spared.

References: AWS Organizations user guide, Service control policies, SCP syntax; Azure Policy built-in definitions, Not
allowed resource types; Resource Manager, Restricting resource usage.",
    place: Place::Policy,
    effect: Effect::Prevents,
    parameters: &[
        Parameter {
            name: "aws",
            form: Form::Texts,
            combine: Combine::Union,
            default: Some("[]"),
            help: "service prefixes or actions, such as `lightsail` or `iam:CreateUser`",
        },
        Parameter {
            name: "azure",
            form: Form::Texts,
            combine: Combine::Union,
            default: Some("[]"),
            help: "resource types, such as `Microsoft.Sql/servers`",
        },
        Parameter {
            name: "gcp",
            form: Form::Texts,
            combine: Combine::Union,
            default: Some("[]"),
            help: "services, such as `compute.googleapis.com`",
        },
    ],
};

/// What must hold, combined over all levels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// AWS service prefixes or actions.
    pub aws: Vec<String>,
    /// Azure resource types.
    pub azure: Vec<String>,
    /// Google Cloud services.
    pub gcp: Vec<String>,
}
