//! Signs of life of the clouds' sweeps, and the clouds that give none.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::{Name, SweepId, UnitPath};

/// When a cloud was last swept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Heartbeat {
    /// The manifest's name of the cloud.
    pub cloud: Name,
    /// When its first sweep ended.
    pub first: Timestamp,
    /// When its last sweep ended.
    pub last: Timestamp,
    /// The last sweep.
    pub sweep: SweepId,
}

/// When one unit of a cloud was last swept on its own. It is no sign of life: nobody looked at the others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Partial {
    /// The manifest's name of the cloud.
    pub cloud: Name,
    /// The unit.
    pub unit: UnitPath,
    /// When its last sweep ended.
    pub last: Timestamp,
    /// The last sweep.
    pub sweep: SweepId,
}

/// A cloud of the manifest that nobody sweeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Silent {
    /// The manifest's name of the cloud.
    pub cloud: Name,
    /// When it was last swept; nothing where it never was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Timestamp>,
}

impl fmt::Display for Silent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Silent { cloud, last } = self;
        match last {
            Some(last) => write!(
                f,
                "the cloud `{cloud}` was last swept at {}: see to its function and its schedule",
                last.strftime("%Y-%m-%d %H:%MZ")
            ),
            None => write!(
                f,
                "the cloud `{cloud}` was never swept: deploy its function, or take it out of the manifest"
            ),
        }
    }
}
