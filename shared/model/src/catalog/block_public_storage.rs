//! `block-public-storage`: nothing in a tenant's object storage is open to the world.

use serde::{Deserialize, Serialize};

use super::{ControlKind, Effect, Entry, Place};

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
policies are refused when written and ignored where they exist. It takes effect in all regions within minutes.
Azure: a subscription has no such switch. Each storage account has its own (allowBlobPublicAccess), and the built-in policy
Storage account public access should be disallowed, with the effect Deny on the unit's management group, denies accounts that
leave it on. It closes nothing that is public today: such an account stays so, and can no longer be changed without closing
it; Azure's compliance view names it. Nobody is spared.
Google Cloud: the organization policy constraint storage.publicAccessPrevention holds for every bucket of the project, and
makes access through existing public grants fail.

References: Amazon S3 user guide, Blocking public access to your Amazon S3 storage; Azure Storage, Remediate anonymous
read access to blob data; Cloud Storage, Public access prevention.",
    place: Place::Tenant,
    effect: Effect::Repairs,
    parameters: &[],
};

/// What must hold: there is nothing to choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {}
