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
    /// The query string as it came: where Azure Resource Manager writes its api-version, filters and pages.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub query: String,
    /// Absent when the connection was cut instead of answered.
    pub status: Option<u16>,
    /// The error code, absent on success.
    pub error: Option<String>,
}

impl Call {
    /// The `api-version` of a call to Azure Resource Manager.
    #[must_use]
    pub fn api_version(&self) -> Option<String> {
        let mut pairs = form_urlencoded::parse(self.query.as_bytes());
        pairs.find(|(name, _)| name.eq_ignore_ascii_case("api-version")).map(|(_, value)| value.into_owned())
    }
}
