//! What the cloud says no with: a code, a message and, for some, a reason; how it is written is the protocol's affair.

use serde_json::{Map, Value};

/// An error answer before it is encoded.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) code: String,
    pub(crate) message: String,
    /// `None` leaves it to the protocol: 400 for JSON and Query, see `encode::status`.
    pub(crate) status: Option<u16>,
    /// Further members of the error's shape, such as `Reason`.
    pub(crate) members: Map<String, Value>,
}

impl Refusal {
    pub(crate) fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), status: None, members: Map::new() }
    }

    pub(crate) fn status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// Organizations tells its constraint and input errors apart only by this member.
    pub(crate) fn reason(self, reason: &str) -> Self {
        self.member("Reason", reason)
    }

    pub(crate) fn member(mut self, name: &str, value: &str) -> Self {
        self.members.insert(name.to_owned(), Value::from(value));
        self
    }
}
