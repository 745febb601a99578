//! `security-contacts` on Azure: whom Defender for Cloud writes to, row Z16.
//!
//! One setting for the subscription. The addresses, roles and sources that others put there stay.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Compare, Control, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::security_contacts::Settings;
use landfall_model::desired::{Desired, Standing};
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::manifest::{self, ContactKind};
use landfall_model::observed::Address;
use landfall_model::plan::{Change, Deed};

use super::{Azure, absent, json, registration, seen, unasked};
use crate::client::service::CONTACTS;
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};

pub(super) struct SecurityContacts;

/// The contact, in Azure's own names, which the write takes as well.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Contact {
    /// Mail addresses, with semicolons in between.
    #[serde(default, deserialize_with = "super::or_default")]
    emails: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    #[serde(default, deserialize_with = "super::or_default")]
    is_enabled: bool,
    /// Who else is written to, by their roles on the subscription.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    notifications_by_role: Value,
    /// Of what, and from which severity on.
    #[serde(default, deserialize_with = "super::or_default")]
    notifications_sources: Vec<Value>,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default, deserialize_with = "super::or_default")]
    properties: Contact,
}

impl Contact {
    /// What nobody set yet: Azure writes to owners, of severe alerts.
    fn fresh() -> Self {
        Contact { notifications_by_role: json!({"state": "On", "roles": ["Owner"]}), ..Contact::default() }
    }

    /// Whom it names. People write commas as well.
    fn addresses(&self) -> Vec<&str> {
        self.emails.split([';', ',']).map(str::trim).filter(|address| !address.is_empty()).collect()
    }

    fn names(&self, email: &str) -> bool {
        self.addresses().iter().any(|there| there.eq_ignore_ascii_case(email))
    }

    fn tells_of_alerts(&self) -> bool {
        let is_alert = |source: &Value| {
            source
                .get("sourceType")
                .and_then(Value::as_str)
                .is_some_and(|kind| kind.eq_ignore_ascii_case("Alert"))
        };
        self.notifications_sources.iter().any(is_alert)
    }
}

fn path(session: &Session) -> String {
    format!("{}/providers/Microsoft.Security/securityContacts/default", session.scope())
}

#[async_trait]
impl Control for SecurityContacts {
    const KIND: ControlKind = ControlKind::SecurityContacts;
    /// The first setting of Defender for Cloud in a subscription registers its resource provider there.
    const PERMISSIONS: Permissions = Permissions {
        read: &["Microsoft.Security/securityContacts/read"],
        write: &[
            "Microsoft.Resources/subscriptions/providers/read",
            "Microsoft.Security/register/action",
            "Microsoft.Security/securityContacts/write",
        ],
    };

    type On = Azure;
    type Want = Settings;

    fn addresses(&self, want: &Settings, _: &Desired) -> Vec<Address> {
        let asked = want.contacts.contains_key(&ContactKind::Security);
        asked.then(|| Address::global(Self::KIND, "default")).into_iter().collect()
    }

    async fn look(&self, reader: &Reader, _: &Desired, _: &Address) -> Result<Sighting, CallError> {
        let session = &reader.0;
        match session.client.get(&CONTACTS, &path(session)).await {
            Ok(reply) => {
                let Answer { properties } = reply.json()?;
                Ok(seen(&reply, &properties))
            }
            Err(error) if error.is_not_found() || registration::is_missing(&error) => Ok(absent(&error)),
            Err(error) => Err(error),
        }
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        let session = &writer.0;
        let body = json!({"properties": change.after});
        registration::put(session, &CONTACTS, &path(session), &body).await?;
        Ok(Value::Null)
    }
}

impl Compare for SecurityContacts {
    type There = Contact;

    fn compare(
        &self,
        want: &Settings,
        desired: &Desired,
        address: &Address,
        there: Option<Contact>,
    ) -> Verdict {
        let Some(manifest::Contact { email, phone, name: _, title: _ }) =
            want.contacts.get(&ContactKind::Security)
        else {
            return Verdict::NotApplicable { why: NOBODY.to_owned() };
        };
        let deed = if there.is_some() { Deed::Update } else { Deed::Create };
        let there = there.unwrap_or_else(Contact::fresh);
        let mut after = there.clone();
        let mut why = Vec::new();
        if !there.names(email) {
            why.push(format!("nobody tells {email} of alerts"));
            after.emails = [there.addresses().as_slice(), &[email]].concat().join(";");
        }
        if phone.is_some() && there.phone != *phone {
            why.push("the telephone number is another one".to_owned());
            after.phone.clone_from(phone);
        }
        if !there.is_enabled {
            why.push("the contact is switched off".to_owned());
            after.is_enabled = true;
        }
        if !there.tells_of_alerts() {
            why.push("the contact is not told of alerts".to_owned());
            after.notifications_sources.push(json!({"sourceType": "Alert", "minimalSeverity": "High"}));
        }
        if why.is_empty() {
            return Verdict::Holds;
        }
        let why = if deed == Deed::Create { "there is no contact".to_owned() } else { why.join("; ") };
        let mut change = Change::new(address, "put", deed, why).after(json(&after));
        let replaced = there.phone.as_ref().is_some_and(|there| !there.is_empty());
        change.loses = replaced && after.phone != there.phone && desired.standing == Standing::Adopted;
        Verdict::fails(change)
    }

    fn unasked(&self, want: &Settings) -> Option<Judgement> {
        let asked = want.contacts.contains_key(&ContactKind::Security);
        (!asked).then(|| unasked(Self::KIND, "control", NOBODY))
    }
}

const NOBODY: &str = "the manifest names no contact for security, the only kind that a subscription has";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::landscape::Landscape;

    const AT: &str = "security-contacts/default";

    /// The contact as it is asked, but for what differs.
    fn contact(differs: &[(&str, Value)]) -> Value {
        let mut contact = json!({
            "emails": "security@acme.example", "phone": "+49 30 1", "isEnabled": true,
            "notificationsByRole": {"state": "Off", "roles": []},
            "notificationsSources": [{"sourceType": "Alert", "minimalSeverity": "Low"}],
        });
        for (name, value) in differs {
            contact[name] = value.clone();
        }
        contact
    }

    #[test]
    fn the_contact_is_found_among_others_and_nothing_is_written() {
        let table = [
            contact(&[]),
            contact(&[("emails", json!("ada@acme.example; Security@acme.example"))]),
            contact(&[("emails", json!("ada@acme.example,security@acme.example"))]),
            contact(&[("notificationsByRole", Value::Null)]),
        ];
        for there in table {
            assert_eq!(Landscape::adopted(2).saw(AT, there).said(&SecurityContacts), ["holds"]);
        }
    }

    #[test]
    fn what_is_wrong_is_put_right_and_what_others_set_stays() {
        let table = [
            (
                "emails",
                json!("ada@acme.example"),
                "nobody tells security@acme.example of alerts",
                json!("ada@acme.example;security@acme.example"),
            ),
            ("isEnabled", json!(false), "the contact is switched off", json!(true)),
            (
                "notificationsSources",
                json!([{"sourceType": "AttackPath", "minimalRiskLevel": "Critical"}]),
                "the contact is not told of alerts",
                json!([
                    {"sourceType": "AttackPath", "minimalRiskLevel": "Critical"},
                    {"sourceType": "Alert", "minimalSeverity": "High"},
                ]),
            ),
        ];
        for (name, there, why, after) in table {
            let said = Landscape::adopted(2).saw(AT, contact(&[(name, there)])).said(&SecurityContacts);
            let after = contact(&[(name, after)]);
            assert_eq!(said, [format!("fails: {why}\n~ baseline security-contacts/default#put {after}")]);
        }
    }

    #[test]
    fn another_number_is_lost() {
        let other = contact(&[("phone", json!("112"))]);
        let said = Landscape::adopted(2).saw(AT, other).said(&SecurityContacts);
        let expected = contact(&[]);
        assert_eq!(
            said,
            [format!(
                "fails: the telephone number is another one\n~ baseline security-contacts/default#put {expected} loses"
            )]
        );
    }

    #[test]
    fn a_fresh_subscription_has_no_contact() {
        let said = Landscape::new(2).saw_nothing(AT).said(&SecurityContacts);
        let expected = contact(&[
            ("notificationsByRole", json!({"state": "On", "roles": ["Owner"]})),
            ("notificationsSources", json!([{"sourceType": "Alert", "minimalSeverity": "High"}])),
        ]);
        assert_eq!(
            said,
            [format!("fails: there is no contact\n+ baseline security-contacts/default#put {expected}")]
        );
    }
}
