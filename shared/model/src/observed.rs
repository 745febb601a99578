//! What the cloud answered, with its gaps: could not look is a value.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::catalog::ControlKind;
use crate::id::{Digest, IdError, Region};

/// One setting of one target: `password-policy/account`, `encrypt-by-default@eu-central-1/ebs`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// The control that looks after it.
    pub control: ControlKind,
    /// The region, where the setting is regional.
    pub region: Option<Region>,
    /// Which setting of the control; what the control's own code calls it.
    pub resource: String,
}

impl Address {
    /// A setting of the whole tenant.
    pub fn global(control: ControlKind, resource: impl Into<String>) -> Self {
        Address { control, region: None, resource: resource.into() }
    }

    /// A setting of one region.
    pub fn regional(control: ControlKind, region: &Region, resource: impl Into<String>) -> Self {
        Address { control, region: Some(region.clone()), resource: resource.into() }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.region {
            Some(region) => write!(f, "{}@{region}/{}", self.control, self.resource),
            None => write!(f, "{}/{}", self.control, self.resource),
        }
    }
}

impl FromStr for Address {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let wrong = || IdError {
            found: text.to_owned(),
            expected: "the address of a setting, such as `password-policy/account`",
        };
        let (head, resource) = text.split_once('/').ok_or_else(wrong)?;
        let (control, region) = match head.split_once('@') {
            Some((control, region)) => (control, Some(region.parse()?)),
            None => (head, None),
        };
        Ok(Address { control: control.parse()?, region, resource: resource.to_owned() })
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What one look found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "seen", content = "value")]
pub enum Seen {
    /// It is there, and looks like this.
    Present(Value),
    /// It is not there, and the cloud said so.
    Absent,
    /// We could not look; why, for people.
    Unreadable(String),
    /// This cloud, partition or region has no such thing; why, for people.
    NotOffered(String),
}

impl Seen {
    /// A value as seen. What can't be written as JSON was not understood.
    pub fn present(value: &impl Serialize) -> Self {
        match serde_json::to_value(value) {
            Ok(value) => Seen::Present(value),
            Err(error) => Seen::Unreadable(format!("the answer could not be kept: {error}")),
        }
    }

    /// The value, where something is there.
    pub const fn value(&self) -> Option<&Value> {
        match self {
            Seen::Present(value) => Some(value),
            Seen::Absent | Seen::Unreadable(_) | Seen::NotOffered(_) => None,
        }
    }
}

/// One look: what was seen, when, and the cloud's own number for the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// What was found.
    #[serde(flatten)]
    pub seen: Seen,
    /// When we looked.
    pub at: Timestamp,
    /// The cloud's id of the request, so that its own log can be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
}

impl Look {
    /// The digest of what was seen, for the evidence.
    pub fn digest(&self) -> Digest {
        Digest::of(serde_json::to_string(&self.seen).unwrap_or_default().as_bytes())
    }
}

/// Everything that was looked at for one target, in order of address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Observed(pub BTreeMap<Address, Look>);

impl Observed {
    /// What was seen at an address. What was never looked at is unreadable, not absent.
    pub fn seen(&self, address: &Address) -> Seen {
        match self.0.get(address) {
            Some(look) => look.seen.clone(),
            None => Seen::Unreadable("nobody looked".to_owned()),
        }
    }
}

/// Whether what is seen shows what a change was to leave behind. Fields that the change did not name don't matter; a list has to
/// be the same; nothing left behind means absent.
pub fn shows(seen: &Seen, after: Option<&Value>) -> bool {
    match (seen, after) {
        (Seen::Absent, None) => true,
        (Seen::Present(seen), Some(after)) => covers(seen, after),
        (Seen::Absent, Some(_))
        | (Seen::Present(_), None)
        | (Seen::Unreadable(_) | Seen::NotOffered(_), _) => false,
    }
}

fn covers(seen: &Value, after: &Value) -> bool {
    match (seen, after) {
        (Value::Object(seen), Value::Object(after)) => after
            .iter()
            .all(|(key, value)| seen.get(key).map_or_else(|| value.is_null(), |seen| covers(seen, value))),
        (seen, after) => seen == after,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_address_reads_back_as_it_was_written() {
        for text in [
            "password-policy/account",
            "encrypt-by-default@eu-central-1/ebs",
            "policies/workloads/production",
        ] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
        assert!("password-policy".parse::<Address>().is_err());
        assert!("pasword-policy/account".parse::<Address>().is_err());
    }

    #[test]
    fn only_what_a_change_named_has_to_show() {
        let seen = Seen::Present(json!({"length": 14, "symbols": true, "id": "x"}));
        assert!(shows(&seen, Some(&json!({"length": 14}))));
        assert!(!shows(&seen, Some(&json!({"length": 15}))));
        assert!(!shows(&Seen::Absent, Some(&json!({"length": 14}))));
        assert!(shows(&Seen::Absent, None));
        assert!(!shows(&Seen::Unreadable("denied".into()), None));
    }

    #[test]
    fn a_setting_nobody_looked_at_is_unreadable() {
        let address = Address::global(ControlKind::PasswordPolicy, "account");
        assert!(matches!(Observed::default().seen(&address), Seen::Unreadable(_)));
    }
}
