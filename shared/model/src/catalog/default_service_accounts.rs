//! `default-service-accounts`: what Google makes by itself may not do everything by itself.

use serde::{Deserialize, Serialize};

use super::{Combine, ControlKind, Effect, Entry, Form, Parameter, Place};

/// What the catalog says.
pub const ENTRY: Entry = Entry {
    kind: ControlKind::DefaultServiceAccounts,
    title: "default service accounts may not change the whole project",
    manual: "\
What it asks: the service accounts that Google makes by itself when a service is enabled hold neither Owner nor Editor on the
project, and are switched off where that is asked.

Why: every machine and function that nobody gave another identity runs as one of them, and Google gives them Editor unless an
organization policy says otherwise: whoever breaks into one workload then holds the project.

AWS, Azure: there is no such thing. Nothing runs there with rights that nobody gave it.
Google Cloud: Compute Engine's account (<number>-compute@developer.gserviceaccount.com) and App Engine's
(<project>@appspot.gserviceaccount.com), where they exist. roles/editor and roles/owner are taken from them in the project's IAM
policy (cloudresourcemanager v3, with the etag that was read); what they hold under a condition, and other roles, stay theirs.
With `disable` they are disabled as well (iam v1, serviceAccounts.disable), which stops what runs as them and can be taken back
by hand. In a project that was there before Landfall both count against the limit of deletions. That new ones get no role in
the first place is a constraint, iam.automaticIamGrantsForDefaultServiceAccounts: ask for it with organization-policies.

References: IAM documentation, Default service accounts; CIS Google Cloud Foundation Benchmark, 4.1 and 4.2.",
    place: Place::Tenant,
    effect: Effect::Repairs,
    parameters: &[Parameter {
        name: "disable",
        form: Form::Switch,
        combine: Combine::Any,
        default: Some("false"),
        help: "whether the accounts are switched off as well",
    }],
};

/// What must hold, combined over all levels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// Whether they are switched off as well.
    pub disable: bool,
}
