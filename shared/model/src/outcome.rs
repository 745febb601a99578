//! What happened to each change.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::observed::Address;
use crate::plan::ChangeId;

/// What happened to one change of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Outcome {
    /// Which change.
    pub change: ChangeId,
    /// What it was to change.
    pub address: Address,
    /// What happened.
    #[serde(flatten)]
    pub result: Done,
    /// When it was over.
    pub at: Timestamp,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Done {
    /// The cloud accepted the write. Whether it holds is for the next look to say.
    Written {
        /// What came to be, such as a new id; handed to the changes that need it.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        made: Value,
    },
    /// The cloud refused it, or did not answer. Other changes go on.
    Failed {
        /// Why, for people.
        why: String,
    },
    /// Not written: the setting is no longer as the plan saw it.
    Moved {
        /// What is there now, for people.
        why: String,
    },
    /// Not written: something it needs did not happen.
    Withheld {
        /// What it waits for, for people.
        why: String,
    },
}
