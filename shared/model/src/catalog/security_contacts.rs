//! `security-contacts`: the cloud knows whom to reach.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ControlKind, Effect, Entry, Place};
use crate::manifest::{Contact, ContactKind};

/// What the catalog says.
pub const ENTRY: Entry = Entry {
    kind: ControlKind::SecurityContacts,
    title: "the cloud knows whom to reach",
    manual: "\
What it asks: the manifest's contacts for security, operations and billing are the tenant's. A kind that the manifest does
not name is not asked.

Why: abuse reports, leaked keys and planned outages are announced by mail. Without a contact they go to whoever once made
the tenant, or to nobody.

AWS: the account's alternate contacts (account:PutAlternateContact), three kinds. AWS asks for a name, a title and a
telephone number with each: a name or title that the manifest does not give becomes words for the kind of contact, and a
number that it does not give is sent as `-`. A contact of a kind that is not asked is left alone.
Azure: one setting of Defender for Cloud in the subscription (Microsoft.Security/securityContacts, a preview API) with
mail addresses for security alerts: the security contact's is one of them, beside those that others put there, and its
telephone number is the setting's. It is switched on and told of alerts; from which severity on, and which roles are told as
well, stays as it is, and is `High` and `Owner` where nobody said. A subscription knows no contacts of the other kinds:
service health is announced through alert rules, and billing contacts belong to the billing account.
Google Cloud: Essential Contacts of the project (essentialcontacts, contacts.create), mail addresses that subscribe to
categories: the security contact to SECURITY and SUSPENSION, operations to TECHNICAL and SUSPENSION, billing to BILLING. One
that the organization or a folder above has, or that subscribes to ALL, counts as well. Contacts of others and categories that
others added stay; an address that Google could not reach is reported. Names and telephone numbers have no place there. The
organization policy essentialcontacts.allowedContactDomains may refuse an address, which is reported.

References: Account Management API reference, PutAlternateContact; Defender for Cloud, Configure email notifications;
Resource Manager, Managing contacts for notifications.",
    place: Place::Tenant,
    effect: Effect::Repairs,
    parameters: &[],
};

/// What must hold, filled in from the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// Whom to reach for what.
    pub contacts: BTreeMap<ContactKind, Contact>,
}
