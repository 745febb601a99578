//! `block-public-storage`: nothing in a tenant's object storage is open to the world.

use serde::{Deserialize, Serialize};

use super::{Combine, ControlKind, Effect, Entry, Form, Parameter, Place};

/// What the catalog says.
pub const ENTRY: Entry = Entry {
    kind: ControlKind::BlockPublicStorage,
    title: "no public object storage",
    manual: "\
What it asks: no bucket or container of the tenant can be made readable or writable by everybody, whatever its own
settings say.

Why: a bucket opened by mistake is among the most frequent causes of lost data, and it is found by others within hours.

It also closes what is public today. Websites and downloads that are served from public buckets on purpose stop: serve
them through a content network, or exempt the tenant until then.

AWS: the account's public access block of S3, all four switches (s3:PutAccountPublicAccessBlock): public access lists and
policies are refused when written and ignored where they exist. It takes effect in all regions within minutes. It covers what is there already, so also-existing means nothing here.
Azure: a subscription has no such switch. Each storage account has its own (allowBlobPublicAccess), and the built-in policy
Storage account public access should be disallowed, with the effect Deny on the unit's management group, denies accounts that
leave it on. By itself it closes nothing that is public today: such an account stays so, and can no longer be changed without
closing it; Azure's compliance view names it. Nobody is spared.
With also-existing, what is public today is closed as well. A second built-in policy is assigned beside the first, Configure your
Storage account public access to be disallowed, whose effect is Modify: an account that says allowBlobPublicAccess: true is made
to say false when it is written, and a remediation task in each subscription (Microsoft.PolicyInsights/remediations) does the same
to those that Azure's compliance view names. The task acts as the assignment's own identity, which Landfall gives the role Storage
Account Contributor at the assignment's scope, because that is what the policy needs. That role may list the keys of every storage
account there, and so reach what is in them: this is why nobody gets it unasked. Nobody can sign in as that identity, but whoever may
change the assignment decides what it does. An identity or a role that is lost is put back; when also-existing is no longer asked,
both are taken away again, and what was closed stays closed. Accounts that never said either way are denied by the first
policy and not changed by the second. Azure's compliance view is minutes to a day behind, so a first task starts when it names an
account, not before. A task that fails is reported with Azure's reason and not started again by itself, unless the identity or its
role is newer than the task: delete the task to have it tried again. Azure deletes tasks 60 days after they were last changed.
Google Cloud: the organization policy constraint storage.publicAccessPrevention, on the unit's folder, holds for every bucket
whatever its own settings say, and makes access through existing public grants fail. also-existing means nothing
here. Nobody is spared.

References: Amazon S3 user guide, Blocking public access to your Amazon S3 storage; Azure Storage, Remediate anonymous
read access to blob data; Azure Policy, Remediate non-compliant resources with Azure Policy and Remediation task structure; Azure
built-in roles, Storage Account Contributor; Cloud Storage, Public access prevention.",
    place: Place::Tenant,
    effect: Effect::Repairs,
    parameters: &[Parameter {
        name: "also-existing",
        form: Form::Switch,
        combine: Combine::Any,
        default: Some("false"),
        help: "Azure: also switches public access off in storage accounts that are there already, by a policy that modifies",
    }],
};

/// What must hold, combined over all levels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// On Azure, storage accounts that are there already are closed as well. Elsewhere they always are.
    pub also_existing: bool,
}
