//! `security-contacts` on Google Cloud: Essential Contacts of the project, row G16.
//!
//! A contact is one mail address with the categories of notifications that it is told of. One that the organization or a folder above
//! has counts for the project as well, so that is not said again. Contacts and categories of others stay.
//! <https://cloud.google.com/resource-manager/docs/managing-notification-contacts>

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Compare, Control, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::security_contacts::Settings;
use landfall_model::desired::Desired;
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::manifest::ContactKind;
use landfall_model::observed::Address;
use landfall_model::plan::{Change, Deed};

use super::{Gcp, json, reported, seen, unasked};
use crate::client::service::CONTACTS;
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};

const RESOURCE: &str = "project";

/// Told of everything, and of what will be told of later.
const ALL: &str = "ALL";

/// The language of a contact that is made; Google asks for one.
const LANGUAGE: &str = "en";

/// Google could not reach it.
const INVALID: &str = "INVALID";

/// Of what each of the manifest's contacts is told. That a project is about to be suspended may have any reason, so that those are told
/// who can act.
const fn categories(kind: ContactKind) -> &'static [&'static str] {
    match kind {
        ContactKind::Security => &["SECURITY", "SUSPENSION"],
        ContactKind::Operations => &["SUSPENSION", "TECHNICAL"],
        ContactKind::Billing => &["BILLING"],
    }
}

const KINDS: [(ContactKind, &str); 3] = [
    (ContactKind::Security, "security"),
    (ContactKind::Operations, "operations"),
    (ContactKind::Billing, "billing"),
];

pub(super) struct SecurityContacts;

/// Who of those that are asked is told, by their addresses in lower case; others are not kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Told {
    contacts: BTreeMap<String, Contact>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Contact {
    /// As far as they are asked of anybody.
    #[serde(default)]
    categories: BTreeSet<String>,
    /// Google's word on whether the address can be reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state: Option<String>,
}

/// A contact, in Google's own names.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    /// `projects/415104041262/contacts/1`.
    #[serde(default)]
    name: String,
    #[serde(default)]
    email: String,
    #[serde(default, deserialize_with = "super::or_default")]
    notification_category_subscriptions: BTreeSet<String>,
    #[serde(default)]
    validation_state: Option<String>,
}

/// An address that is asked, and of what it is told.
struct Wanted {
    /// As the manifest writes it.
    email: String,
    /// What its change is called: the first of its kinds.
    kind: &'static str,
    categories: BTreeSet<String>,
}

/// One for each address, which may be given for several kinds.
fn wanted(want: &Settings) -> BTreeMap<String, Wanted> {
    let mut all: BTreeMap<String, Wanted> = BTreeMap::new();
    for (kind, name) in KINDS {
        let Some(contact) = want.contacts.get(&kind) else { continue };
        let fresh = || Wanted { email: contact.email.clone(), kind: name, categories: BTreeSet::new() };
        let wanted = all.entry(contact.email.to_ascii_lowercase()).or_insert_with(fresh);
        wanted.categories.extend(categories(kind).iter().map(|category| (*category).to_owned()));
    }
    all
}

impl Contact {
    fn lacks<'a>(&self, wanted: &'a BTreeSet<String>) -> Vec<&'a str> {
        if self.categories.contains(ALL) {
            return Vec::new();
        }
        wanted.iter().map(String::as_str).filter(|category| !self.categories.contains(*category)).collect()
    }
}

/// Makes sure that an address is told of these categories, beside those that it is told of already.
async fn subscribe(session: &Session, email: &str, categories: &BTreeSet<String>) -> Result<(), CallError> {
    let client = &session.client;
    let parent = session.numbered().await?;
    for _ in 0..2 {
        let (reply, all) = client.list(&CONTACTS, &format!("{parent}/contacts"), "contacts").await?;
        let mut own = None;
        for value in all {
            let contact: Answer = serde_json::from_value(value).map_err(|error| reply.unreadable(error))?;
            if contact.email.eq_ignore_ascii_case(email) {
                own = Some(contact);
            }
        }
        let Some(Answer { name, notification_category_subscriptions: mut both, .. }) = own else {
            let body = json!({
                "email": email, "languageTag": LANGUAGE, "notificationCategorySubscriptions": categories,
            });
            match client.post(&CONTACTS, &format!("{parent}/contacts"), &body).await {
                // Somebody else made it meanwhile, or we did and that answer was lost: what it is told of is looked at again.
                Err(error) if error.is_there_already() => continue,
                answer => return answer.map(|_| ()),
            }
        };
        let before = both.len();
        both.extend(categories.iter().cloned());
        if both.len() > before && !both.contains(ALL) {
            let path = format!("{name}?updateMask=notificationCategorySubscriptions");
            client.patch(&CONTACTS, &path, &json!({"notificationCategorySubscriptions": both})).await?;
        }
        return Ok(());
    }
    Ok(())
}

#[async_trait]
impl Control for SecurityContacts {
    const KIND: ControlKind = ControlKind::SecurityContacts;
    const PERMISSIONS: Permissions = Permissions {
        read: &["essentialcontacts.contacts.list", "resourcemanager.projects.get"],
        write: &[
            "essentialcontacts.contacts.create",
            "essentialcontacts.contacts.list",
            "essentialcontacts.contacts.update",
        ],
    };

    type On = Gcp;
    type Want = Settings;

    fn addresses(&self, want: &Settings, _: &Desired) -> Vec<Address> {
        let asked = !wanted(want).is_empty();
        asked.then(|| Address::global(Self::KIND, RESOURCE)).into_iter().collect()
    }

    async fn look(&self, reader: &Reader, desired: &Desired, _: &Address) -> Result<Sighting, CallError> {
        let session = &reader.0;
        let asked = desired.asked(Self::KIND).and_then(|asked| asked.want::<Settings>().ok());
        let asked = asked.map(|want| wanted(&want)).unwrap_or_default();
        let mut all: BTreeSet<&str> = KINDS.iter().flat_map(|(kind, _)| categories(*kind)).copied().collect();
        let query: Vec<String> =
            all.iter().map(|category| format!("notificationCategories={category}")).collect();
        all.insert(ALL);
        // Those of the organization and of the folders above come along.
        let path = format!("{}/contacts:compute?{}", session.numbered().await?, query.join("&"));
        let (reply, answers) = session.client.list(&CONTACTS, &path, "contacts").await?;
        let mut told = Told::default();
        for value in answers {
            let Answer { email, notification_category_subscriptions: categories, validation_state, .. } =
                serde_json::from_value(value).map_err(|error| reply.unreadable(error))?;
            let email = email.to_ascii_lowercase();
            if asked.contains_key(&email) {
                let contact = told.contacts.entry(email).or_default();
                contact.categories.extend(categories.into_iter().filter(|one| all.contains(one.as_str())));
                contact.state = validation_state.filter(|state| state == INVALID).or(contact.state.take());
            }
        }
        Ok(seen(&reply, &told))
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        // INVARIANT: the changes are ours, and each says who is to be told of what.
        let email = change.with.as_ref().and_then(|with| with.get("email")).and_then(Value::as_str);
        let categories = change.with.as_ref().and_then(|with| with.get("categories")).cloned();
        let categories: BTreeSet<String> =
            serde_json::from_value(categories.unwrap_or_default()).unwrap_or_default();
        let Some(email) = email else { return Err(CallError::NothingToWrite(Self::KIND)) };
        subscribe(&writer.0, email, &categories).await?;
        Ok(Value::Null)
    }
}

impl Compare for SecurityContacts {
    type There = Told;

    fn compare(&self, want: &Settings, _: &Desired, address: &Address, there: Option<Told>) -> Verdict {
        let told = there.unwrap_or_default();
        let mut why = Vec::new();
        let mut changes = Vec::new();
        for (key, Wanted { email, kind, categories }) in wanted(want) {
            let contact = told.contacts.get(&key).cloned().unwrap_or_default();
            if contact.state.as_deref() == Some(INVALID) {
                why.push(format!("Google Cloud says that {email} can't be reached"));
            }
            let lacks = contact.lacks(&categories);
            if lacks.is_empty() {
                continue;
            }
            let reason = format!("nobody tells {email} of {}", lacks.join(", "));
            let mut after = contact.clone();
            after.categories.extend(categories.iter().cloned());
            let after = Told { contacts: BTreeMap::from([(key, after)]) };
            let deed = if contact.categories.is_empty() { Deed::Create } else { Deed::Update };
            let change = Change::new(address, &format!("tell-{kind}"), deed, &reason)
                .after(json(&after))
                .with(json!({"email": email, "categories": categories}));
            why.push(reason);
            changes.push(change);
        }
        match (why.is_empty(), changes.is_empty()) {
            (true, _) => Verdict::Holds,
            (false, true) => reported(why.join("; ")),
            (false, false) => Verdict::Fails { why: why.join("; "), changes },
        }
    }

    fn unasked(&self, want: &Settings) -> Option<Judgement> {
        let nobody = wanted(want).is_empty();
        nobody.then(|| unasked(Self::KIND, RESOURCE, "the manifest names no contacts"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::landscape::Landscape;

    const AT: &str = "security-contacts/project";

    /// The contacts as they are asked, but for what differs.
    fn contacts(differs: &[(&str, Value)]) -> Value {
        let mut contacts = json!({
            "security@acme.example": {"categories": ["SECURITY", "SUSPENSION"]},
            "ops@acme.example": {"categories": ["SUSPENSION", "TECHNICAL"]},
            "bills@acme.example": {"categories": ["BILLING"]},
        });
        for (email, contact) in differs {
            if contact.is_null() {
                drop(contacts.as_object_mut().unwrap().remove(*email));
            } else {
                contacts[*email] = contact.clone();
            }
        }
        json!({"contacts": contacts})
    }

    fn said(differs: &[(&str, Value)]) -> Vec<String> {
        Landscape::adopted("acme-checkout-prod").saw(AT, contacts(differs)).said(&SecurityContacts)
    }

    #[test]
    fn who_is_told_already_is_left_alone() {
        assert_eq!(said(&[]), ["holds"]);
        assert_eq!(said(&[("ops@acme.example", json!({"categories": ["ALL"]}))]), ["holds"]);
        let more = json!({"categories": ["BILLING", "SECURITY"]});
        assert_eq!(said(&[("bills@acme.example", more)]), ["holds"]);
    }

    #[test]
    fn who_is_missing_or_not_told_of_everything_is_told() {
        let with = "with {\"categories\":[\"SECURITY\",\"SUSPENSION\"],\"email\":\"security@acme.example\"}";
        let change = |sign: &str| {
            format!(
                "{sign} baseline security-contacts/project#tell-security {{\"contacts\":{{\
                 \"security@acme.example\":{{\"categories\":[\"SECURITY\",\"SUSPENSION\"]}}}}}} {with}"
            )
        };
        assert_eq!(
            said(&[("security@acme.example", Value::Null)]),
            [format!("fails: nobody tells security@acme.example of SECURITY, SUSPENSION\n{}", change("+"))]
        );
        assert_eq!(
            said(&[("security@acme.example", json!({"categories": ["SUSPENSION"]}))]),
            [format!("fails: nobody tells security@acme.example of SECURITY\n{}", change("~"))]
        );
    }

    #[test]
    fn an_address_that_can_t_be_reached_is_reported() {
        let invalid = json!({"categories": ["BILLING"], "state": "INVALID"});
        let expected = ["fails: Google Cloud says that bills@acme.example can't be reached"];
        assert_eq!(said(&[("bills@acme.example", invalid)]), expected);
    }

    #[test]
    fn one_address_for_everything_is_one_contact() {
        let mut landscape = Landscape::adopted("acme-checkout-prod").saw(AT, json!({"contacts": {}}));
        for asked in &mut landscape.desired.asked {
            if asked.control == ControlKind::SecurityContacts {
                let one = |email: &str| json!({"email": email});
                asked.settings = Ok(json!({"contacts": {
                    "security": one("One@acme.example"), "billing": one("one@acme.example"),
                }}));
            }
        }
        let said = landscape.said(&SecurityContacts);
        assert_eq!(said[0].lines().count(), 2, "{said:?}");
        assert!(said[0].ends_with(
            "with {\"categories\":[\"BILLING\",\"SECURITY\",\"SUSPENSION\"],\"email\":\"One@acme.example\"}"
        ));
    }
}
