//! `policies` on Azure: policy definitions, assignments and exemptions, rows Z6, Z7, Z8 and Z28.
//!
//! ```text
//! what a place asks ─► assignments ─► compared with what is assigned ─► changes
//!                      compile        judge
//! ```
//!
//! What Azure's built-in definitions say is assigned as it is; what they do not is said by definitions of our own at the root group,
//! which the organization's target keeps. Ours are the assignments whose names begin with `lf-`; those of others are counted, because
//! a scope takes only so many, and never touched.

mod assignment;
mod definition;
mod quarantine;

pub(super) use assignment::{Assignment, Held, look_assignment};
pub(super) use definition::{Definition, look_definition};
pub(super) use quarantine::{QUARANTINE, quarantine, quarantined};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use landfall_model::plan::Change;

use crate::client::service::{EXEMPTIONS, POLICY};
use crate::error::CallError;
use crate::session::Session;

/// What people who find one of ours read.
const DESCRIPTION: &str =
    "Made by Landfall from the organization's manifest. A change made by hand is put back.";

/// What a write is told: which definition, assignment or exemption, and what it should be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Order {
    /// Its whole id.
    pub(super) id: String,
    /// What is sent; nothing where it is taken away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) body: Option<Value>,
}

/// One write of a definition, an assignment or an exemption; `quarantine-gate` writes its own in the same way.
pub(super) async fn write(session: &Session, change: &Change) -> Result<Value, CallError> {
    let order: Option<Order> = change.with.clone().and_then(|with| serde_json::from_value(with).ok());
    // INVARIANT: the orders are ours, and each says what to write.
    let Some(Order { id, body }) = order else {
        return Err(CallError::NothingToWrite(change.address.control));
    };
    let service = if id.contains("/policyExemptions/") { EXEMPTIONS } else { POLICY };
    match &body {
        Some(body) => {
            session.client.put(&service, &id, body).await?;
        }
        None => session.client.delete(&service, &id).await?,
    }
    Ok(json!({"id": id}))
}
