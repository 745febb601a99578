//! One line of the log: what was asked, by whom, and what it was told.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A request the simulator received, in the order it came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    pub time: Timestamp,
    /// Counts from 1 since the start; calls under `/_landfall/` are not counted.
    pub n: u64,
    pub service: String,
    /// The API's name of the operation, or `METHOD path` when it is none we know.
    pub operation: String,
    pub account: String,
    pub role: String,
    pub region: String,
    /// The request's parameters by their wire names; REST paths, queries and headers under the API's member names.
    pub parameters: Value,
    pub method: String,
    pub path: String,
    /// Absent when the connection was cut instead of answered.
    pub status: Option<u16>,
    /// The error code, absent on success.
    pub error: Option<String>,
}
