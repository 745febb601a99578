//! What AWS does about each control of the catalog: one file each, one table line each.
//!
//! Every file has one unit type that implements the engine's `Control`: which settings it looks at, how it looks (one call for one
//! setting), what it says of what it saw, and how it writes. `password_policy.rs` is the model to follow.

mod password_policy;

use landfall_engine::cloud::Sighting;
use landfall_engine::control::{AnyControl, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::judgement::Verdict;
use landfall_model::observed::Seen;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::client::protocol::Reply;
use crate::error::CallError;
use crate::session::{Reader, Writer};

/// What AWS offers for a control.
pub(crate) enum Offer {
    /// It is held, and this is how.
    Control(&'static dyn AnyControl<Reader, Writer>),
    /// AWS has no such thing; why, for people. Never "not yet".
    NotOffered(&'static str),
}

/// The table.
pub(crate) fn offer(kind: ControlKind) -> Offer {
    use Offer::{Control, NotOffered};
    match kind {
        ControlKind::PasswordPolicy => Control(&password_policy::PasswordPolicy),
        _ => NotOffered("under way"),
    }
}

/// The API permissions of a control on AWS.
pub fn permissions(kind: ControlKind) -> Option<Permissions> {
    match offer(kind) {
        Offer::Control(control) => Some(control.permissions()),
        Offer::NotOffered(_) => None,
    }
}

/// What was seen, with the number of the answer that showed it.
fn seen(reply: &Reply, value: &impl Serialize) -> Sighting {
    Sighting { seen: Seen::present(value), request: reply.request_id.clone() }
}

/// It is not there: the cloud said so by an error code that means just that.
fn absent(error: &CallError) -> Sighting {
    Sighting { seen: Seen::Absent, request: error.request_id().map(str::to_owned) }
}

/// What was kept of a look, as the control's own type again; what can't be read is unknown.
fn kept<T: DeserializeOwned>(there: Option<&Value>) -> Result<Option<T>, Verdict> {
    match there {
        None => Ok(None),
        Some(value) => serde_json::from_value(value.clone())
            .map(Some)
            .map_err(|error| Verdict::Unknown { why: format!("what was seen can't be read: {error}") }),
    }
}

/// A control's own type as the value that plans and evidence carry.
fn json(value: &impl Serialize) -> Value {
    // INVARIANT: the controls' types are plain structs with text keys, which always have a JSON form.
    serde_json::to_value(value).unwrap_or_default()
}

/// The members of a value as the parameters of a Query call: the value uses the API's own names.
fn form(value: Option<&Value>) -> Vec<(&str, String)> {
    value
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| match value {
            Value::String(text) => Some((name.as_str(), text.clone())),
            Value::Bool(_) | Value::Number(_) => Some((name.as_str(), value.to_string())),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        })
        .collect()
}

impl From<CallError> for Seen {
    /// No answer, or a refusal, means that we could not look; it is never taken for "nothing there".
    fn from(error: CallError) -> Self {
        match error.code() {
            Some("AWSOrganizationsNotInUseException") => {
                Seen::NotOffered("the account is in no organization".to_owned())
            }
            _ => Seen::Unreadable(landfall_engine::control::chain(&error)),
        }
    }
}
