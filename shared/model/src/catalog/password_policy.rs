//! `password-policy`: how strong the passwords of a tenant's own users must be.

use serde::{Deserialize, Serialize};

use super::{Combine, ControlKind, Effect, Entry, Form, Parameter, Place};

/// What the catalog says.
pub const ENTRY: Entry = Entry {
    kind: ControlKind::PasswordPolicy,
    title: "strong passwords for the tenant's own users",
    manual: "\
What it asks: the tenant's own users, where the cloud has such users, choose long passwords of mixed characters that are not
used again.

Why: users made inside a tenant bypass the identity provider, and with it its rules. They should not exist; while they do, a
weak password is the shortest way in.

AWS: the account's IAM password policy (iam:UpdateAccountPasswordPolicy). The call has no partial update, so every value is
sent; a value that is already stronger than asked is kept as it is.
Azure, Google Cloud: passwords belong to the directory, not to the tenant.

References: IAM API reference, UpdateAccountPasswordPolicy; IAM user guide, Set an account password policy.",
    place: Place::Tenant,
    effect: Effect::Repairs,
    parameters: &[
        Parameter {
            name: "minimum-length",
            form: Form::Whole { min: 6, max: 128 },
            combine: Combine::Max,
            default: Some("14"),
            help: "characters a password has at least",
        },
        Parameter {
            name: "require-symbols",
            form: Form::Switch,
            combine: Combine::Any,
            default: Some("true"),
            help: "at least one character that is neither letter nor digit",
        },
        Parameter {
            name: "require-numbers",
            form: Form::Switch,
            combine: Combine::Any,
            default: Some("true"),
            help: "at least one digit",
        },
        Parameter {
            name: "require-uppercase",
            form: Form::Switch,
            combine: Combine::Any,
            default: Some("true"),
            help: "at least one upper-case letter",
        },
        Parameter {
            name: "require-lowercase",
            form: Form::Switch,
            combine: Combine::Any,
            default: Some("true"),
            help: "at least one lower-case letter",
        },
        Parameter {
            name: "reuse-prevention",
            form: Form::Whole { min: 1, max: 24 },
            combine: Combine::Max,
            default: Some("24"),
            help: "how many earlier passwords can't be used again",
        },
        Parameter {
            name: "max-age",
            form: Form::Whole { min: 1, max: 1095 },
            combine: Combine::Min,
            default: None,
            help: "days until a password must be changed; not asked where nobody says",
        },
    ],
};

/// What must hold, combined over all levels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// Characters a password has at least.
    pub minimum_length: u32,
    /// A character that is neither letter nor digit.
    pub require_symbols: bool,
    /// A digit.
    pub require_numbers: bool,
    /// An upper-case letter.
    pub require_uppercase: bool,
    /// A lower-case letter.
    pub require_lowercase: bool,
    /// How many earlier passwords can't be used again.
    pub reuse_prevention: u32,
    /// Days until a password must be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<u32>,
}
