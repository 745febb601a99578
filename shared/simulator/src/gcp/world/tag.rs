//! Which tags a resource has, of its own and from above.

use serde_json::Value;

use super::GcpWorld;

/// Where Resource Manager keeps keys and values, on the organization.
pub(crate) const KEYS: &str = "cloudresourcemanager/tagKeys";
pub(crate) const VALUES: &str = "cloudresourcemanager/tagValues";

/// A tag in force on a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tag {
    /// `123456789012/environment`
    pub(crate) key: String,
    /// `tagKeys/281`
    pub(crate) key_id: String,
    /// Who has the key: `organizations/123456789012`.
    pub(crate) parent: String,
    /// The value's short name: `production`.
    pub(crate) value: String,
    /// `tagValues/282`
    pub(crate) value_id: String,
    /// Whether it comes from above.
    pub(crate) inherited: bool,
}

impl GcpWorld {
    /// What hangs on a resource or on one above it; the nearest value of a key counts.
    pub(crate) fn tags(&self, name: &str) -> Vec<Tag> {
        let things = &self.organization.governance;
        let (keys, values) = (things.things(KEYS), things.things(VALUES));
        let text = |thing: &Value, field: &str| {
            thing.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let mut found: Vec<Tag> = Vec::new();
        for (at, up) in self.way_up(name).iter().enumerate() {
            for bound in self.governance(up).into_iter().flat_map(|one| &one.tags) {
                let Some(value) = bound.strip_prefix("tagValues/").and_then(|id| values.get(id)) else {
                    continue;
                };
                let key_id = text(value, "parent");
                let Some(key) = key_id.strip_prefix("tagKeys/").and_then(|id| keys.get(id)) else { continue };
                if found.iter().any(|known| known.key_id == key_id) {
                    continue;
                }
                found.push(Tag {
                    key: text(key, "namespacedName"),
                    key_id,
                    parent: text(key, "parent"),
                    value: text(value, "shortName"),
                    value_id: bound.clone(),
                    inherited: at > 0,
                });
            }
        }
        found
    }
}
