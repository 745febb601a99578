//! `resource-locks`: what must not be deleted by mistake is locked.

use serde::{Deserialize, Serialize};

use super::{Combine, ControlKind, Effect, Entry, Form, Parameter, Place};

/// What the catalog says.
pub const ENTRY: Entry = Entry {
    kind: ControlKind::ResourceLocks,
    title: "what must not be deleted is locked",
    manual: "\
What it asks: the tenant itself, or the resource groups that are listed, can't be deleted before somebody takes the lock away.

Why: a deletion in the wrong window takes a minute, and what it took may never come back. A lock asks for a second step by
somebody who holds the right to it.

A lock is no protection against whoever may remove it. Locks that others set are left alone, also on the same thing.

AWS: there are no locks on resources. protect-baseline denies closing the account.
Azure: a management lock CanNotDelete (Microsoft.Authorization/locks) on the resource group, or on the subscription, where it
holds for everything in it: no resource of a locked subscription can be deleted by anybody, nor an assignment of a role or a
policy, so that Landfall can't take one away there either. A new subscription is locked after its handover, for a lock would
hold its gate closed. A lock of others on the same thing or above will do. Owners and User Access Administrators may remove it.
A resource group that does not exist is reported, not made.
Google Cloud: a lien on the project with the origin landfall.resource-locks (cloudresourcemanager, liens.create) stops the
project's deletion, not that of its resources. There are no resource groups; those that are listed ask nothing there. Owners
of the project and who holds the role Project Lien Modifier may remove it. Liens of others stay, and don't count: it is a lien
of its own.

References: Azure Resource Manager, Lock your resources; Resource Manager, Protecting projects with liens.",
    place: Place::Tenant,
    effect: Effect::Repairs,
    parameters: &[
        Parameter {
            name: "tenant",
            form: Form::Switch,
            combine: Combine::Any,
            default: Some("false"),
            help: "lock the tenant itself",
        },
        Parameter {
            name: "resource-groups",
            form: Form::Texts,
            combine: Combine::Union,
            default: Some("[]"),
            help: "Azure: names of resource groups in the subscription",
        },
    ],
};

/// What must hold, combined over all levels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// The tenant itself is locked.
    pub tenant: bool,
    /// Names of Azure resource groups.
    pub resource_groups: Vec<String>,
}
