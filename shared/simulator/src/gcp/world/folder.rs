//! The organization and its folders.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Governance, etag};

/// The root of the tree.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Organization {
    pub number: String,
    /// A domain: `acme.example`.
    pub display_name: String,
    pub customer: String,
    pub created_at: Timestamp,
    pub governance: Governance,
}

impl Organization {
    pub(crate) fn new(number: &str, display_name: &str, customer: &str) -> Self {
        Self {
            number: number.to_owned(),
            display_name: display_name.to_owned(),
            customer: customer.to_owned(),
            created_at: Timestamp::UNIX_EPOCH,
            governance: Governance::default(),
        }
    }

    /// `organizations/123456789012`
    #[must_use]
    pub fn name(&self) -> String {
        format!("organizations/{}", self.number)
    }

    pub(crate) fn show(&self) -> Value {
        let mut shown = json!({
            "name": self.name(), "displayName": self.display_name, "directoryCustomerId": self.customer,
            "state": "ACTIVE", "createTime": self.created_at.to_string(), "updateTime": self.created_at.to_string(),
        });
        mark(&mut shown);
        shown
    }
}

/// A folder.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Folder {
    /// `folders/300000000001`
    pub name: String,
    pub display_name: String,
    /// A folder or the organization.
    pub parent: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// When its deletion was asked for: it is still there for thirty days.
    pub deleted_at: Option<Timestamp>,
    pub governance: Governance,
}

impl Folder {
    pub(crate) fn new(name: &str, display_name: &str, parent: &str, at: Timestamp) -> Self {
        Self {
            name: name.to_owned(),
            display_name: display_name.to_owned(),
            parent: parent.to_owned(),
            created_at: at,
            updated_at: at,
            deleted_at: None,
            governance: Governance::default(),
        }
    }

    pub(crate) fn state(&self) -> &'static str {
        if self.deleted_at.is_some() { "DELETE_REQUESTED" } else { "ACTIVE" }
    }

    pub(crate) fn show(&self) -> Value {
        let mut shown = json!({
            "name": self.name, "parent": self.parent, "displayName": self.display_name, "state": self.state(),
            "createTime": self.created_at.to_string(), "updateTime": self.updated_at.to_string(),
        });
        if let (Some(at), Some(members)) = (self.deleted_at, shown.as_object_mut()) {
            members.insert("deleteTime".to_owned(), json!(at.to_string()));
        }
        mark(&mut shown);
        shown
    }
}

/// Puts the etag of everything else in: Resource Manager quotes its etags as HTTP does.
pub(super) fn mark(shown: &mut Value) {
    let mark = format!("W/\"{}\"", etag(&shown.to_string()).trim_end_matches('='));
    if let Some(members) = shown.as_object_mut() {
        members.insert("etag".to_owned(), json!(mark));
    }
}
