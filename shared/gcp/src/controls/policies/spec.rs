//! An organization policy as Google writes it, row G7: `google.cloud.orgpolicy.v2.PolicySpec`, as far as Landfall reads it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::force::{Force, Lists};
use crate::controls::or_default;

/// What a policy says of its constraint. A list that nobody put in order reads the same in any.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Spec {
    /// What is above is added to it; only where the constraint is a list.
    #[serde(skip_serializing_if = "std::ops::Not::not", deserialize_with = "or_default")]
    pub(super) inherit_from_parent: bool,
    /// Nothing of what is above holds, but what Google says where nobody says anything.
    #[serde(skip_serializing_if = "std::ops::Not::not", deserialize_with = "or_default")]
    pub(super) reset: bool,
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "or_default")]
    pub(super) rules: Vec<Rule>,
}

/// One rule of a policy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Rule {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) enforce: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) allow_all: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) deny_all: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) values: Option<Values>,
    /// It holds only for resources with certain tags. No policy of ours has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) condition: Option<Value>,
    /// What a managed constraint takes. No policy of ours has any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) parameters: Option<Value>,
}

/// Values of a list constraint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Values {
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "or_default")]
    pub(super) allowed_values: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "or_default")]
    pub(super) denied_values: Vec<String>,
}

impl Spec {
    /// Whether a rule holds for some resources only.
    pub(super) fn is_conditional(&self) -> bool {
        self.rules.iter().any(|rule| rule.condition.is_some())
    }

    /// What it says for resources without tags.
    pub(super) fn force(&self) -> Force {
        let mut lists = Lists::default();
        let mut allowed = false;
        for rule in self.rules.iter().filter(|rule| rule.condition.is_none()) {
            if rule.enforce == Some(true) {
                return Force::Enforced;
            }
            if rule.deny_all == Some(true) {
                return Force::DenyAll;
            }
            allowed |= rule.allow_all == Some(true);
            if let Some(Values { allowed_values, denied_values }) = &rule.values {
                if !allowed_values.is_empty() {
                    let texts = allowed_values.iter().map(|text| bare(text));
                    lists.allow.get_or_insert_default().extend(texts);
                }
                lists.deny.extend(denied_values.iter().map(|text| bare(text)));
            }
        }
        if allowed {
            lists.allow = None;
        }
        lists.force()
    }

    /// Whether two policies say the same, in whichever order.
    pub(super) fn is_like(&self, other: &Spec) -> bool {
        let head = |spec: &Spec| (spec.inherit_from_parent, spec.reset, spec.is_conditional());
        let parameters =
            |spec: &Spec| spec.rules.iter().any(|rule| rule.parameters.as_ref().is_some_and(is_something));
        head(self) == head(other) && parameters(self) == parameters(other) && self.force() == other.force()
    }
}

fn is_something(value: &Value) -> bool {
    value.as_object().is_none_or(|map| !map.is_empty())
}

/// What a policy has to say so that just this is in force, whatever is above. What denies only adds to what is above: other people's
/// denials stay.
impl From<&Force> for Spec {
    fn from(force: &Force) -> Self {
        let rule = match force {
            Force::Free => return Spec { reset: true, ..Spec::default() },
            Force::Enforced => Rule { enforce: Some(true), ..Rule::default() },
            Force::DenyAll => Rule { deny_all: Some(true), ..Rule::default() },
            Force::Listed(Lists { allow, deny }) => {
                let values = Values {
                    allowed_values: allow.iter().flatten().map(|text| marked(text)).collect(),
                    denied_values: deny.iter().map(|text| marked(text)).collect(),
                };
                let rule = Rule { values: Some(values), ..Rule::default() };
                return Spec { inherit_from_parent: allow.is_none(), reset: false, rules: vec![rule] };
            }
        };
        Spec { rules: vec![rule], ..Spec::default() }
    }
}

/// `is:` only says that a value with a colon is no group: "Values prefixed with is: are treated the same as values with no prefix"
/// (orgpolicy v2, StringValues).
fn bare(text: &str) -> String {
    text.strip_prefix("is:").unwrap_or(text).to_owned()
}

fn marked(text: &str) -> String {
    let group = text.starts_with("in:") || text.starts_with("under:");
    if text.contains(':') && !group { format!("is:{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn spec(value: Value) -> Spec {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn rules_are_read_as_what_they_force() {
        let table = [
            (json!({"rules": [{"enforce": true}]}), Force::Enforced),
            (json!({"rules": [{"enforce": false}]}), Force::Free),
            (json!({"rules": [{"allowAll": true}]}), Force::Free),
            (json!({"reset": true}), Force::Free),
            (json!({"rules": [{"denyAll": true}]}), Force::DenyAll),
            (json!({"rules": [{"values": {"allowedValues": ["is:b", "a"]}}]}), Force::allow(["a", "b"])),
            (json!({"rules": [{"allowAll": true}, {"values": {"deniedValues": ["x"]}}]}), Force::deny(["x"])),
            (
                json!({"rules": [{"enforce": true, "condition": {"expression": "resource.matchTag('1/a', 'b')"}},
                    {"enforce": false}]}),
                Force::Free,
            ),
        ];
        for (value, expected) in table {
            assert_eq!(spec(value.clone()).force(), expected, "{value}");
        }
    }

    #[test]
    fn order_and_prefixes_make_no_difference_and_everything_else_does() {
        let of = |value: Value| spec(value);
        let one =
            of(json!({"rules": [{"values": {"allowedValues": ["b", "a"]}}], "etag": "x", "updateTime": "y"}));
        assert!(one.is_like(&of(json!({"rules": [{"values": {"allowedValues": ["a", "is:b"]}}]}))));
        for other in [
            json!({"rules": [{"values": {"allowedValues": ["a"]}}]}),
            json!({"inheritFromParent": true, "rules": [{"values": {"allowedValues": ["a", "b"]}}]}),
            json!({"rules": [{"values": {"allowedValues": ["a", "b"]}}, {"allowAll": true}]}),
            json!({"rules": [{"values": {"allowedValues": ["a", "b"]}},
                {"allowAll": true, "condition": {"expression": "x"}}]}),
            json!({"reset": true}),
        ] {
            assert!(!one.is_like(&of(other.clone())), "{other}");
        }
    }

    #[test]
    fn what_is_written_reads_back_as_it_was_meant() {
        let forces = [
            Force::Enforced,
            Force::DenyAll,
            Force::Free,
            Force::allow(["in:europe-west1-locations"]),
            Force::deny(["sqladmin.googleapis.com"]),
            Force::allow(["principalSet://iam.googleapis.com/organizations/1"]),
        ];
        for force in forces {
            let spec = Spec::from(&force);
            assert_eq!(spec.force(), force);
            assert_eq!(serde_json::from_value::<Spec>(serde_json::to_value(&spec).unwrap()).unwrap(), spec);
        }
        let denies = Spec::from(&Force::deny(["x"]));
        assert!(denies.inherit_from_parent, "what others deny above stays denied");
    }
}
