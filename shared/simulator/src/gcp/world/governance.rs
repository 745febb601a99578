//! What can be put on an organization, a folder or a project alike.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::IamPolicy;

/// Things of one kind as their API shows them, by the last part of their names.
pub type Things = BTreeMap<String, Value>;

/// Everything that hangs on one resource of the tree.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Governance {
    pub iam: IamPolicy,
    /// Organization policies by their constraints, as `{"spec": {…}}`: `iam.disableServiceAccountKeyCreation`.
    pub org_policies: Things,
    /// IAM deny policies by their ids.
    pub deny_policies: Things,
    /// The tag values that are bound here: `tagValues/281483`.
    pub tags: BTreeSet<String>,
    /// What the other APIs keep here, by API and collection: `logging/sinks`.
    pub things: BTreeMap<String, Things>,
}

impl Governance {
    /// The things of one kind: `logging/sinks`.
    #[must_use]
    pub fn things(&self, kind: &str) -> &Things {
        static NONE: Things = Things::new();
        self.things.get(kind).unwrap_or(&NONE)
    }

    pub fn things_mut(&mut self, kind: &str) -> &mut Things {
        self.things.entry(kind.to_owned()).or_default()
    }
}
