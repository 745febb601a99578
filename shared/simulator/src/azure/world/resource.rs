//! One named thing that ARM keeps, whatever its type: the envelope is the same for all of them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// Things by their names in lower case: ARM compares names without case and keeps the case it was told first.
pub type Resources = BTreeMap<String, Resource>;

/// A policy assignment, a lock, a budget, a storage account: whatever has a name and properties.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Resource {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<Value>,
    pub properties: Map<String, Value>,
    /// Other members of the envelope, such as `sku` and `kind`.
    pub envelope: Map<String, Value>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Counts the writes; budgets show it as their eTag.
    pub version: u64,
}

impl Resource {
    /// A resource with these properties, made at the beginning of time: what a test puts in by hand took effect long ago.
    #[must_use]
    pub fn new(name: &str, properties: &Value) -> Self {
        Self::made(name, properties.as_object().cloned().unwrap_or_default(), Timestamp::UNIX_EPOCH)
    }

    pub(crate) fn made(name: &str, properties: Map<String, Value>, at: Timestamp) -> Self {
        Self {
            name: name.to_owned(),
            location: None,
            tags: None,
            identity: None,
            properties,
            envelope: Map::new(),
            created_at: at,
            updated_at: at,
            version: 1,
        }
    }

    /// A property's text, empty when there is none; a dotted name goes down.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        let mut parts = name.split('.');
        let first = parts.next().and_then(|name| self.properties.get(name));
        let found = parts.fold(first, |value, name| value.and_then(|value| value.get(name)));
        found.and_then(Value::as_str).unwrap_or_default()
    }

    /// Puts one property in.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.properties.insert(name.to_owned(), value.into());
    }

    /// As ARM answers it, with its id below `scope`.
    pub(crate) fn show(&self, scope: &str, kind: &str) -> Value {
        let mut shown = self.envelope.clone();
        shown.insert("id".to_owned(), Value::from(id(scope, kind, &self.name)));
        shown.insert("type".to_owned(), Value::from(kind));
        shown.insert("name".to_owned(), Value::from(self.name.as_str()));
        shown.insert("properties".to_owned(), Value::Object(self.properties.clone()));
        if let Some(location) = &self.location {
            shown.insert("location".to_owned(), Value::from(location.as_str()));
        }
        if let Some(tags) = &self.tags {
            shown.insert("tags".to_owned(), json!(tags));
        }
        if let Some(identity) = &self.identity {
            shown.insert("identity".to_owned(), identity.clone());
        }
        Value::Object(shown)
    }

    /// With `systemData`, as the types show it that have it.
    pub(crate) fn show_dated(&self, scope: &str, kind: &str) -> Value {
        let mut shown = self.show(scope, kind);
        if let Some(members) = shown.as_object_mut() {
            let data = json!({
                "createdBy": "landfall", "createdByType": "Application", "createdAt": self.created_at.to_string(),
                "lastModifiedBy": "landfall", "lastModifiedByType": "Application", "lastModifiedAt": self.updated_at.to_string(),
            });
            members.insert("systemData".to_owned(), data);
        }
        shown
    }
}

/// The id of a thing below a scope; the tenant's own scope is `/`.
pub(crate) fn id(scope: &str, kind: &str, name: &str) -> String {
    // `Microsoft.Network/virtualNetworks/subnets` of `net/inner`: types and names alternate.
    let mut types = kind.split('/');
    let namespace = types.next().unwrap_or_default();
    let pairs: String = types.zip(name.split('/')).map(|(kind, name)| format!("/{kind}/{name}")).collect();
    format!("{}/providers/{namespace}{pairs}", scope.trim_end_matches('/'))
}

/// The key of a name.
pub(crate) fn key(name: &str) -> String {
    name.to_ascii_lowercase()
}

/// JSON merge patch, as ARM's types document it: null takes away.
pub(crate) fn merge(into: &mut Map<String, Value>, from: &Map<String, Value>) {
    for (name, value) in from {
        match (into.get_mut(name), value) {
            (_, Value::Null) => drop(into.remove(name)),
            (Some(Value::Object(inner)), Value::Object(value)) => merge(inner, value),
            _ => drop(into.insert(name.clone(), value.clone())),
        }
    }
}
