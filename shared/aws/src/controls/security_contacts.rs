//! `security-contacts` on AWS: the account's alternate contacts, row A4.
//!
//! The account itself is asked, without an id: naming one is for the management account only.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Control, Judge, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::security_contacts::Settings;
use landfall_model::desired::Desired;
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::manifest::{Contact, ContactKind};
use landfall_model::observed::{Address, Observed};
use landfall_model::plan::{Change, Deed};

use super::{Aws, absent, json, kept, seen, unasked};
use crate::client::service::ACCOUNT;
use crate::error::CallError;
use crate::session::{Reader, Writer};

/// AWS asks for a number; this is the shortest text that it takes for one.
const NO_NUMBER: &str = "-";

pub(super) struct SecurityContacts;

/// A contact as the account has it, in AWS's own names, which the write takes as well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Alternate {
    alternate_contact_type: String,
    email_address: String,
    name: String,
    phone_number: String,
    title: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    alternate_contact: Alternate,
}

/// What a kind of contact is called: at AWS, and in words.
const fn words(kind: ContactKind) -> (&'static str, &'static str) {
    match kind {
        ContactKind::Security => ("SECURITY", "Security contact"),
        ContactKind::Operations => ("OPERATIONS", "Operations contact"),
        ContactKind::Billing => ("BILLING", "Billing contact"),
    }
}

impl Alternate {
    /// The contact as asked. What the manifest leaves open stays as it is.
    fn asked(kind: ContactKind, contact: &Contact, there: Option<&Alternate>) -> Self {
        let Contact { email, name, title, phone } = contact;
        let (kind, words) = words(kind);
        let or = |asked: &Option<String>, there: Option<&String>, otherwise: &str| {
            asked.as_ref().or(there).map_or_else(|| otherwise.to_owned(), Clone::clone)
        };
        Alternate {
            alternate_contact_type: kind.to_owned(),
            email_address: email.clone(),
            name: or(name, there.map(|there| &there.name), words),
            phone_number: or(phone, there.map(|there| &there.phone_number), NO_NUMBER),
            title: or(title, there.map(|there| &there.title), words),
        }
    }
}

fn address(kind: ContactKind) -> Address {
    Address::global(SecurityContacts::KIND, words(kind).0.to_ascii_lowercase())
}

#[async_trait]
impl Control for SecurityContacts {
    const KIND: ControlKind = ControlKind::SecurityContacts;
    const PERMISSIONS: Permissions =
        Permissions { read: &["account:GetAlternateContact"], write: &["account:PutAlternateContact"] };

    type On = Aws;
    type Want = Settings;

    fn addresses(&self, want: &Settings, _: &Desired) -> Vec<Address> {
        want.contacts.keys().map(|kind| address(*kind)).collect()
    }

    async fn look(&self, reader: &Reader, _: &Desired, address: &Address) -> Result<Sighting, CallError> {
        let session = &reader.0;
        let body = serde_json::json!({"AlternateContactType": address.resource.to_ascii_uppercase()});
        let asked = session.tenant.rest(
            &ACCOUNT,
            session.home(),
            "GetAlternateContact",
            http::Method::POST,
            "/getAlternateContact",
            body.to_string(),
        );
        match asked.await {
            Ok(reply) => {
                let Answer { alternate_contact } = reply.json()?;
                Ok(seen(&reply, &alternate_contact))
            }
            Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(absent(&error)),
            Err(error) => Err(error),
        }
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        let session = &writer.0;
        let contact = change.after.clone().unwrap_or_default().to_string();
        let (method, path) = (http::Method::POST, "/putAlternateContact");
        session.tenant.rest(&ACCOUNT, session.home(), "PutAlternateContact", method, path, contact).await?;
        Ok(Value::Null)
    }
}

impl Judge for SecurityContacts {
    fn judge(&self, want: &Settings, _: &Desired, observed: &Observed) -> Vec<Judgement> {
        if want.contacts.is_empty() {
            return vec![unasked(Self::KIND, "control", "the manifest names no contacts")];
        }
        want.contacts
            .iter()
            .map(|(kind, contact)| {
                let address = address(*kind);
                Judgement::of(Self::KIND, &address, observed, |there| {
                    compare(*kind, contact, &address, there)
                })
            })
            .collect()
    }
}

fn compare(kind: ContactKind, contact: &Contact, address: &Address, there: Option<&Value>) -> Verdict {
    let alternate: Option<Alternate> = match kept(there) {
        Ok(alternate) => alternate,
        Err(unknown) => return unknown,
    };
    let asked = Alternate::asked(kind, contact, alternate.as_ref());
    let (deed, reason) = match &alternate {
        Some(there) if *there == asked => return Verdict::Holds,
        Some(_) => (Deed::Update, "the contact is another one"),
        None => (Deed::Create, "there is no contact"),
    };
    Verdict::fails(Change::new(address, "put", deed, reason).before(there.cloned()).after(json(&asked)))
}

#[cfg(test)]
mod tests {
    use landfall_model::desired::Standing;
    use landfall_model::observed::Seen;
    use serde_json::json;

    use super::super::scenario::{addresses, said};
    use super::*;

    fn contact(email: &str) -> Value {
        json!({
            "AlternateContactType": "SECURITY", "EmailAddress": email, "Name": "Ada", "PhoneNumber": "+49 30 1",
            "Title": "CISO",
        })
    }

    #[test]
    fn each_kind_that_is_named_is_looked_at() {
        let want = json!({"contacts": {"billing": {"email": "b@example.com"}, "security": {"email": "s@example.com"}}});
        assert_eq!(
            addresses(&SecurityContacts, want),
            ["security-contacts/security", "security-contacts/billing"]
        );
        let none = said(&SecurityContacts, json!({"contacts": {}}), Standing::Adopted, &[]);
        assert_eq!(none, ["not applicable: the manifest names no contacts"]);
    }

    #[test]
    fn what_the_manifest_leaves_open_stays_as_it_is() {
        let new = "fails: there is no contact\n+ put {\"AlternateContactType\":\"SECURITY\",\"EmailAddress\":\
                   \"soc@example.com\",\"Name\":\"Security contact\",\"PhoneNumber\":\"-\",\"Title\":\
                   \"Security contact\"}";
        let kept = "fails: the contact is another one\n~ put {\"AlternateContactType\":\"SECURITY\",\"EmailAddress\":\
                    \"soc@example.com\",\"Name\":\"Ada\",\"PhoneNumber\":\"+49 30 1\",\"Title\":\"CISO\"}";
        let named = "fails: the contact is another one\n~ put {\"AlternateContactType\":\"SECURITY\",\"EmailAddress\":\
                     \"soc@example.com\",\"Name\":\"Grace\",\"PhoneNumber\":\"+49 30 1\",\"Title\":\"CISO\"}";
        let alone = json!({"email": "soc@example.com"});
        let table = [
            (alone.clone(), Seen::Present(contact("soc@example.com")), "holds"),
            (alone.clone(), Seen::Present(contact("old@example.com")), kept),
            (alone, Seen::Absent, new),
            (
                json!({"email": "soc@example.com", "name": "Grace"}),
                Seen::Present(contact("soc@example.com")),
                named,
            ),
        ];
        for (asked, seen, expected) in table {
            let want = json!({"contacts": {"security": asked}});
            let saw = [("security-contacts/security", seen)];
            assert_eq!(said(&SecurityContacts, want, Standing::Adopted, &saw), [expected]);
        }
    }
}
