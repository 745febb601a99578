//! `account-alias`: a tenant has a name that people recognize where they sign in.

use serde::{Deserialize, Serialize};

use super::{Combine, ControlKind, Effect, Entry, Form, Parameter, Place};

/// What the catalog says.
pub const ENTRY: Entry = Entry {
    kind: ControlKind::AccountAlias,
    title: "a name people recognize where they sign in",
    manual: "\
What it asks: the account's sign-in address and console show a name made by one rule, instead of twelve digits; where there
is no such address, the tenant's display name is made by it.

Why: who sees `acme-checkout-production` before signing in works in the right account; who sees a number may not.

The rule is a text in which {organization}, {project}, {environment} and {account} (its id) stand for the tenant's own.
Two tenants for which the rule gives the same name need {account} in it.

AWS: the account alias (iam:CreateAccountAlias): 3 to 63 lower-case letters, digits and single hyphens. An account has
one; a new one takes the old one's place, and the old sign-in address ends. It must be free in the whole partition, so
somebody else may hold it already: that is a failure people must settle.
Azure: the subscription's display name (Microsoft.Subscription/rename), at most 64 characters, which anybody with rights
on it may change and which others may have as well. A new one takes up to ten minutes to show. There is no alias for
signing in.
Google Cloud: the project's display name (cloudresourcemanager, projects.patch): 4 to 30 letters, digits, hyphens, quotes,
spaces and exclamation marks, which others may have as well. A longer one is reported and never cut. The project's id never
changes; there is no alias for signing in.

References: IAM API reference, CreateAccountAlias; AWS Sign-In user guide, Using an alias for your AWS account ID; Resource
Manager API reference, projects.",
    place: Place::Tenant,
    effect: Effect::Repairs,
    parameters: &[Parameter {
        name: "alias",
        form: Form::Text,
        combine: Combine::Replace,
        default: Some("\"{organization}-{project}-{environment}\""),
        help: "the rule: {organization}, {project}, {environment} and {account} stand for the tenant's own",
    }],
};

/// What must hold, combined over all levels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// The alias; every placeholder filled in.
    pub alias: String,
}
