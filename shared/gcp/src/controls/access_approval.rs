//! `access-approval` on Google Cloud: the project's settings of Access Approval, row G28.
//!
//! A project is enrolled for everything or not at all, and what is enrolled above binds it whatever it says itself, so enrolling can
//! only add. Recipients are added to those of others; keys and preferences are not in the mask.
//! <https://cloud.google.com/assured-workloads/access-approval/docs/reference/rest/v1/AccessApprovalSettings>

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Compare, Control, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::access_approval::Settings;
use landfall_model::desired::Desired;
use landfall_model::judgement::Verdict;
use landfall_model::observed::Address;
use landfall_model::plan::{Change, Deed};

use super::{Gcp, absent, json, reported, seen};
use crate::client::service::ACCESS_APPROVAL;
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};

/// Every product that Access Approval knows, and those that it will.
const ALL: &str = "all";

/// The only level that there is: every request has to be approved.
const BLOCK_ALL: &str = "BLOCK_ALL";

/// Every access is approved by itself: Google's "Transparency" mode, in which nobody is asked.
const BY_ITSELF: &str = "JUSTIFICATION_BASED_APPROVAL_ENABLED_ALL";

/// Every access has to be approved by somebody.
const ASKED: &str = "JUSTIFICATION_BASED_APPROVAL_NOT_ENABLED";

/// How many addresses a project takes.
const MOST: usize = 50;

pub(super) struct AccessApproval;

/// What counts of the settings; addresses that are not asked are not kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Kept {
    /// Whether all services are enrolled, by the project or above it.
    #[serde(skip_serializing_if = "Option::is_none")]
    enrolled: Option<bool>,
    /// What the project says of approvals without a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<String>,
    /// What holds of that, with what is said above.
    #[serde(skip_serializing_if = "Option::is_none")]
    effective_policy: Option<String>,
    /// Of the recipients, those that are told, in lower case.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    told: BTreeMap<String, bool>,
    /// How many addresses there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    addresses: Option<usize>,
}

/// The settings, in Google's own names.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Answer {
    #[serde(deserialize_with = "super::or_default")]
    notification_emails: Vec<String>,
    #[serde(deserialize_with = "super::or_default")]
    enrolled_services: Vec<Enrolled>,
    #[serde(deserialize_with = "super::or_default")]
    ancestors_enrolled_services: Vec<Enrolled>,
    #[serde(deserialize_with = "super::or_default")]
    approval_policy: Policy,
    #[serde(deserialize_with = "super::or_default")]
    effective_approval_policy: Policy,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Enrolled {
    #[serde(deserialize_with = "super::or_default")]
    cloud_product: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Policy {
    justification_based_approval_policy: Option<String>,
}

impl Answer {
    fn kept(self, asked: &BTreeSet<String>) -> Kept {
        let all = |services: &[Enrolled]| services.iter().any(|one| one.cloud_product == ALL);
        let there: BTreeSet<String> =
            self.notification_emails.iter().map(|email| email.to_ascii_lowercase()).collect();
        Kept {
            enrolled: Some(all(&self.enrolled_services) || all(&self.ancestors_enrolled_services)),
            policy: self.approval_policy.justification_based_approval_policy,
            effective_policy: self.effective_approval_policy.justification_based_approval_policy,
            told: there.intersection(asked).map(|email| (email.clone(), true)).collect(),
            addresses: Some(there.len()),
        }
    }
}

/// The recipients by their addresses in lower case, as the manifest writes them.
fn recipients(want: &Settings) -> BTreeMap<String, &str> {
    want.recipients.iter().map(|email| (email.to_ascii_lowercase(), email.as_str())).collect()
}

fn path(session: &Session) -> String {
    format!("{}/accessApprovalSettings", session.scope())
}

/// Google refuses a project whose organization does not have Access Transparency in the words that it has for other preconditions,
/// or for missing rights.
fn explained(error: CallError, what: &str) -> CallError {
    if error.is_service_disabled() {
        return error;
    }
    if error.is_denied() || error.status() == Some("FAILED_PRECONDITION") {
        return error.explained(format!(
            "the settings of Access Approval could not be {what}: the organization's support plan does not include it, Access \
             Transparency is not on for the organization, or Landfall's account lacks its permission there"
        ));
    }
    error
}

#[async_trait]
impl Control for AccessApproval {
    const KIND: ControlKind = ControlKind::AccessApproval;
    const PERMISSIONS: Permissions = Permissions {
        read: &["accessapproval.settings.get"],
        write: &["accessapproval.settings.get", "accessapproval.settings.update"],
    };

    type On = Gcp;
    type Want = Settings;

    fn addresses(&self, _: &Settings, _: &Desired) -> Vec<Address> {
        vec![Address::global(Self::KIND, "project")]
    }

    async fn look(&self, reader: &Reader, desired: &Desired, _: &Address) -> Result<Sighting, CallError> {
        let session = &reader.0;
        let asked = desired.asked(Self::KIND).and_then(|asked| asked.want::<Settings>().ok());
        let asked: BTreeSet<String> =
            asked.iter().flat_map(recipients).map(|(email, _)| email.clone()).collect();
        match session.client.get(&ACCESS_APPROVAL, &path(session)).await {
            Ok(reply) => Ok(seen(&reply, &reply.json::<Answer>()?.kept(&asked))),
            // Nobody has set anything, here or above.
            Err(error) if error.is_not_found() => Ok(absent(&error)),
            Err(error) => Err(explained(error, "looked at")),
        }
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        let session = &writer.0;
        let path = path(session);
        let after: Kept =
            change.after.clone().and_then(|after| serde_json::from_value(after).ok()).unwrap_or_default();
        let mut body = Map::new();
        if after.enrolled == Some(true) {
            let services = json!([{"cloudProduct": ALL, "enrollmentLevel": BLOCK_ALL}]);
            body.insert("enrolledServices".to_owned(), services);
        }
        if let Some(policy) = after.policy {
            let policy = json!({"justificationBasedApprovalPolicy": policy});
            body.insert("approvalPolicy".to_owned(), policy);
        }
        let tell = change.with.as_ref().and_then(|with| with.get("recipients")).cloned();
        let tell: Vec<String> = serde_json::from_value(tell.unwrap_or_default()).unwrap_or_default();
        if !tell.is_empty() {
            // The list is written as a whole: those of others are read just before, and stay.
            let mut all = match session.client.get(&ACCESS_APPROVAL, &path).await {
                Ok(reply) => reply.json::<Answer>()?.notification_emails,
                Err(error) if error.is_not_found() => Vec::new(),
                Err(error) => return Err(explained(error, "looked at")),
            };
            for email in tell {
                if !all.iter().any(|there| there.eq_ignore_ascii_case(&email)) {
                    all.push(email);
                }
            }
            body.insert("notificationEmails".to_owned(), json!(all));
        }
        if body.is_empty() {
            return Err(CallError::NothingToWrite(Self::KIND));
        }
        // What is not in the mask stays as it is.
        let mask: Vec<&str> = body.keys().map(String::as_str).collect();
        let path = format!("{path}?updateMask={}", mask.join(","));
        let written = session.client.patch(&ACCESS_APPROVAL, &path, &Value::Object(body)).await;
        written.map(|_| Value::Null).map_err(|error| explained(error, "changed"))
    }
}

impl Compare for AccessApproval {
    type There = Kept;

    fn compare(&self, want: &Settings, _: &Desired, address: &Address, there: Option<Kept>) -> Verdict {
        let deed = if there.is_some() { Deed::Update } else { Deed::Create };
        let there = there.unwrap_or_default();
        let mut why = Vec::new();
        let mut after = Kept::default();
        if there.enrolled != Some(true) {
            why.push("Google's people need not ask before they look".to_owned());
            after.enrolled = Some(true);
        }
        if there.effective_policy.as_deref() == Some(BY_ITSELF) {
            if there.policy.as_deref() == Some(ASKED) {
                return reported(
                    "the project is set to ask, and still every access is approved by itself: what is set above it says so",
                );
            }
            why.push("every access is approved by itself".to_owned());
            after.policy = Some(ASKED.to_owned());
        }
        let all = recipients(want);
        let missing: BTreeMap<&String, &str> = all
            .iter()
            .filter(|(email, _)| !there.told.contains_key(*email))
            .map(|(key, as_is)| (key, *as_is))
            .collect();
        if !missing.is_empty() {
            let names: Vec<&str> = missing.values().copied().collect();
            why.push(format!("nobody tells {} of requests", names.join(", ")));
            if there.addresses.unwrap_or_default() + missing.len() > MOST {
                why.push(format!(
                    "the project takes {MOST} addresses, and has {} already",
                    there.addresses.unwrap_or_default()
                ));
                if after == Kept::default() {
                    return reported(why.join("; "));
                }
            } else {
                after.told = missing.keys().map(|email| ((*email).clone(), true)).collect();
            }
        }
        if why.is_empty() {
            return Verdict::Holds;
        }
        let why = why.join("; ");
        let mut change = Change::new(address, "ask", deed, &why).after(json(&after));
        if !after.told.is_empty() {
            let tell: Vec<&str> = missing.values().copied().collect();
            change = change.with(json!({"recipients": tell}));
        }
        Verdict::Fails { why, changes: vec![change] }
    }
}

#[cfg(test)]
mod tests {
    use landfall_model::observed::Seen;

    use super::*;
    use crate::controls::landscape::Landscape;

    const AT: &str = "access-approval/project";

    fn asked(recipients: &[&str]) -> Landscape {
        let settings = json!({"recipients": recipients});
        Landscape::adopted("acme-checkout-prod").asks(ControlKind::AccessApproval, settings)
    }

    /// As Google answers it, with one field changed.
    fn answer(field: &str, value: Value) -> Value {
        let mut answer = json!({
            "name": "projects/acme-checkout-prod/accessApprovalSettings",
            "notificationEmails": ["Security@acme.example", "ada@acme.example"],
            "enrolledServices": [{"cloudProduct": "all", "enrollmentLevel": "BLOCK_ALL"}],
            "effectiveApprovalPolicy": {"justificationBasedApprovalPolicy": ASKED},
        });
        answer[field] = value;
        answer
    }

    fn said(answer: Value) -> String {
        let asked_of = BTreeSet::from(["security@acme.example".to_owned()]);
        let kept = serde_json::from_value::<Answer>(answer).unwrap().kept(&asked_of);
        asked(&["security@acme.example"]).saw(AT, json(&kept)).said(&AccessApproval).remove(0)
    }

    #[test]
    fn a_project_in_which_google_asks_and_the_recipients_hear_of_it_needs_nothing() {
        assert_eq!(said(answer("name", json!("x"))), "holds");
        // Enrolled above: the project's own word does not count.
        let above = json!([{"cloudProduct": "all"}]);
        let mut enrolled = answer("ancestorsEnrolledServices", above);
        enrolled["enrolledServices"] = json!([]);
        enrolled["enrolledAncestor"] = json!(true);
        assert_eq!(said(enrolled), "holds");
        // What the organization's own cases call for may be approved by itself.
        let cases = json!({"justificationBasedApprovalPolicy": "JUSTIFICATION_BASED_APPROVAL_ENABLED_EXTERNAL_JUSTIFICATIONS"});
        assert_eq!(said(answer("effectiveApprovalPolicy", cases)), "holds");
        assert_eq!(asked(&[]).saw(AT, json!({"enrolled": true})).said(&AccessApproval), ["holds"]);
        assert_eq!(asked(&[]).addresses(&AccessApproval), [AT]);
    }

    #[test]
    fn what_is_missing_is_added_and_nothing_else() {
        let enrols = "fails: Google's people need not ask before they look\n~ baseline access-approval/project#ask {\"enrolled\":true}";
        let by_itself = json!({"justificationBasedApprovalPolicy": BY_ITSELF});
        let table = [
            (answer("enrolledServices", json!([])), enrols),
            // General availability is not everything.
            (answer("enrolledServices", json!([{"cloudProduct": "GA"}])), enrols),
            // Some services of the organization: the project adds the others.
            {
                let mut some = answer("ancestorsEnrolledServices", json!([{"cloudProduct": "BigQuery"}]));
                some["enrolledServices"] = json!([]);
                some["enrolledAncestor"] = json!(true);
                (some, enrols)
            },
            (
                answer("notificationEmails", json!(["ada@acme.example"])),
                "fails: nobody tells security@acme.example of requests\n\
                 ~ baseline access-approval/project#ask {\"told\":{\"security@acme.example\":true}} \
                 with {\"recipients\":[\"security@acme.example\"]}",
            ),
            (
                answer("effectiveApprovalPolicy", by_itself),
                "fails: every access is approved by itself\n\
                 ~ baseline access-approval/project#ask {\"policy\":\"JUSTIFICATION_BASED_APPROVAL_NOT_ENABLED\"}",
            ),
        ];
        for (answer, expected) in table {
            assert_eq!(said(answer.clone()), expected, "{answer}");
        }
        let made = asked(&["Security@acme.example"]).saw_nothing(AT).said(&AccessApproval);
        assert_eq!(
            made,
            [
                "fails: Google's people need not ask before they look; nobody tells Security@acme.example of requests\n\
              + baseline access-approval/project#ask {\"enrolled\":true,\"told\":{\"security@acme.example\":true}} \
              with {\"recipients\":[\"Security@acme.example\"]}"
            ]
        );
    }

    #[test]
    fn what_no_write_puts_right_is_reported() {
        let mut above = answer("approvalPolicy", json!({"justificationBasedApprovalPolicy": ASKED}));
        above["effectiveApprovalPolicy"] = json!({"justificationBasedApprovalPolicy": BY_ITSELF});
        let expected = "fails: the project is set to ask, and still every access is approved by itself: what is set above it says so";
        assert_eq!(said(above), expected);
        let many: Vec<String> = (0..50).map(|n| format!("{n}@acme.example")).collect();
        assert_eq!(
            said(answer("notificationEmails", json!(many))),
            "fails: nobody tells security@acme.example of requests; the project takes 50 addresses, and has 50 already"
        );
        let denied = asked(&[]).with(AT, Seen::Unreadable("denied".to_owned())).said(&AccessApproval);
        assert_eq!(denied, ["unknown: denied"]);
    }
}
