//! An allow policy: who has which role on a resource.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::etag;

/// <https://cloud.google.com/iam/docs/reference/rest/v1/Policy>, without what is made of the rest: version and etag.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct IamPolicy {
    pub bindings: Vec<Binding>,
    /// `{"service": "allServices", "auditLogConfigs": […]}`
    pub audit_configs: Vec<Value>,
}

/// A role, and who has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Binding {
    pub role: String,
    #[serde(default)]
    pub members: Vec<String>,
    /// `{"title": …, "expression": …}`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<Value>,
}

impl IamPolicy {
    /// Adds a member to a role's binding without a condition.
    pub fn give(&mut self, role: &str, member: &str) {
        if !self.grants(role, member) {
            let members = vec![member.to_owned()];
            self.bindings.push(Binding { role: role.to_owned(), members, condition: None });
            self.tidy();
        }
    }

    /// Takes a member out of all bindings of a role.
    pub fn take(&mut self, role: &str, member: &str) {
        for binding in self.bindings.iter_mut().filter(|binding| binding.role == role) {
            binding.members.retain(|known| known != member);
        }
        self.tidy();
    }

    /// Whether a member has a role without a condition.
    #[must_use]
    pub fn grants(&self, role: &str, member: &str) -> bool {
        self.bindings.iter().any(|binding| {
            binding.role == role
                && binding.condition.is_none()
                && binding.members.iter().any(|known| known == member)
        })
    }

    pub(crate) fn is_conditional(&self) -> bool {
        self.bindings.iter().any(|binding| binding.condition.is_some())
    }

    /// As IAM keeps it: one binding for a role and a condition, sorted, none without members.
    pub(crate) fn tidy(&mut self) {
        let mut tidy: Vec<Binding> = Vec::new();
        for binding in std::mem::take(&mut self.bindings) {
            let same =
                |known: &&mut Binding| known.role == binding.role && known.condition == binding.condition;
            match tidy.iter_mut().find(same) {
                Some(known) => known.members.extend(binding.members),
                None => tidy.push(binding),
            }
        }
        for binding in &mut tidy {
            binding.members.sort();
            binding.members.dedup();
        }
        tidy.retain(|binding| !binding.members.is_empty());
        tidy.sort_by(|one, other| one.role.cmp(&other.role));
        self.bindings = tidy;
    }

    #[must_use]
    pub fn etag(&self) -> String {
        if self.bindings.is_empty() && self.audit_configs.is_empty() {
            // What every resource without a policy answers.
            return "ACAB".to_owned();
        }
        etag(&serde_json::to_string(self).unwrap_or_default())
    }

    /// As it is answered to whoever asked for `version`: who did not ask for 3 is not shown conditions.
    ///
    /// <https://cloud.google.com/iam/docs/policies#specifying-version-get>
    pub(crate) fn show(&self, version: u64) -> Value {
        let conditional = self.is_conditional();
        let bindings: Vec<Value> = self
            .bindings
            .iter()
            .map(|binding| match &binding.condition {
                Some(condition) if version < 3 => {
                    let hash = crate::world::hex(&condition.to_string(), 20);
                    json!({"role": format!("{}_withcond_{hash}", binding.role), "members": binding.members})
                }
                _ => json!(binding),
            })
            .collect();
        let mut shown = Map::new();
        shown.insert("version".to_owned(), json!(if conditional && version >= 3 { 3 } else { 1 }));
        shown.insert("etag".to_owned(), json!(self.etag()));
        if !bindings.is_empty() {
            shown.insert("bindings".to_owned(), Value::Array(bindings));
        }
        if !self.audit_configs.is_empty() {
            shown.insert("auditConfigs".to_owned(), json!(self.audit_configs));
        }
        Value::Object(shown)
    }
}
