//! `organization-policies`: any constraint of Google Cloud's organization policy, the organization's own ones among them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Combine, ControlKind, Effect, Entry, Form, Parameter, Place};

/// What the catalog says.
pub const ENTRY: Entry = Entry {
    kind: ControlKind::OrganizationPolicies,
    title: "constraints of Google Cloud's organization policy hold",
    manual: "\
What it asks: the constraints that are listed hold for every project below: those that are on or off are enforced, of the others
only the values that are listed are allowed, or none of those that are listed. A lower level can only add constraints and denied
values, and take allowed ones away.

Why: a constraint stops a deviation before it happens, whoever tries. Google has some two hundred, and a rule that no constraint
says can be written as a custom one.

AWS, Azure: there is no such thing. Their policies are carried by the other controls: denied-services, allowed-regions,
block-public-storage and the like.
Google Cloud: an organization policy (orgpolicy v2) on the unit's folder, and on a project that asks for more than its unit. What
the policies of the other controls say of the same constraint holds as well: allowed values are intersected, denied ones added up.
`enforce` takes constraints that are on or off, such as iam.disableServiceAccountKeyCreation, and custom ones. `allow` and `deny`
take list constraints, such as compute.vmExternalIpAccess, with their values; some constraints know only one of them, and
gcp.restrictServiceUsage not both at once. Managed constraints with parameters can't be asked.
`custom` makes custom constraints, once for all, in the organization, where a unit asks for them: a constraint stops nothing until
`enforce` names it for a unit or a tenant. One whose condition Google can't compile is refused, with Google's reason. What is no
longer asked is deleted where Landfall made it, when no policy of ours enforces it any more; custom constraints of others are
counted, because at most 20 fit to one type of resource, and left alone.
A new or changed policy takes up to 15 minutes to bind. It judges what is made and changed from then on; what exists stays as it
is, but for the constraints that Google says are judged at run time. It spares nobody: exempt the tenant where it must not hold.

References: Resource Manager documentation, Organization policy constraints, Creating and managing custom constraints,
Understanding hierarchy evaluation.",
    place: Place::Policy,
    effect: Effect::Prevents,
    parameters: &[
        Parameter {
            name: "enforce",
            form: Form::Texts,
            combine: Combine::Union,
            default: Some("[]"),
            help: "constraints that are on or off, and custom ones, such as `iam.disableServiceAccountKeyCreation`",
        },
        Parameter {
            name: "allow",
            form: Form::TextLists,
            combine: Combine::Intersection,
            default: Some("{}"),
            help: "the only values that a list constraint allows, by constraint",
        },
        Parameter {
            name: "deny",
            form: Form::TextLists,
            combine: Combine::Union,
            default: Some("{}"),
            help: "values that a list constraint denies, by constraint",
        },
        Parameter {
            name: "custom",
            form: Form::CustomConstraints,
            combine: Combine::Union,
            default: Some("{}"),
            help: "custom constraints to make, by name: `resource-types`, `methods`, `condition` (CEL), `action` and maybe `title`",
        },
    ],
};

/// What must hold, combined over all levels.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// Constraints that are on or off, and custom ones.
    #[serde(default)]
    pub enforce: Vec<String>,
    /// The only values that list constraints allow.
    #[serde(default)]
    pub allow: BTreeMap<String, Vec<String>>,
    /// Values that list constraints deny.
    #[serde(default)]
    pub deny: BTreeMap<String, Vec<String>>,
    /// Custom constraints to make, by name.
    #[serde(default)]
    pub custom: BTreeMap<String, CustomConstraint>,
}

/// A custom constraint as people write it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CustomConstraint {
    /// Which resources it judges: `compute.googleapis.com/Instance`.
    pub resource_types: Vec<String>,
    /// When.
    pub methods: Vec<Method>,
    /// What it looks at, in CEL.
    pub condition: String,
    /// What follows where the condition is met.
    pub action: Action,
    /// In a few words, for Google's console.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// When a custom constraint judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// When a resource is made.
    Create,
    /// When a resource is changed.
    Update,
    /// When a right is taken away.
    RemoveGrant,
    /// When tags are bound.
    GovernTags,
}

/// What follows where a custom constraint's condition is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Only then it may be.
    Allow,
    /// It may not be.
    Deny,
}

/// How the names of custom constraints begin.
pub const CUSTOM: &str = "custom.";

/// The longest condition: orgpolicy v2, CustomConstraint, `condition`.
pub const CONDITION: usize = 1_000;

/// The longest name without its beginning: orgpolicy v2, CustomConstraint, `name`.
const NAME: usize = 71;

/// The longest title: orgpolicy v2, CustomConstraint, `displayName`.
const TITLE: usize = 200;

/// How many custom constraints may judge one type of resource: Resource Manager documentation, Creating and managing custom
/// constraints, Limitations.
pub const PER_TYPE: usize = 20;

/// What is wrong with a custom constraint, for people.
pub fn wrong(name: &str, value: &Value) -> Option<String> {
    let short = name.strip_prefix(CUSTOM).unwrap_or_default();
    if short.is_empty() || short.len() > NAME || !short.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Some(format!(
            "a custom constraint is named `{CUSTOM}` and at most {NAME} letters and digits, such as `custom.onlyE2Machines`"
        ));
    }
    let one: CustomConstraint = match serde_json::from_value(value.clone()) {
        Ok(one) => one,
        Err(error) => {
            return Some(format!(
                "expected `resource-types`, `methods` (create, update, remove-grant, govern-tags), `condition` and `action` (allow, deny): {error}"
            ));
        }
    };
    let CustomConstraint { resource_types, methods, condition, action: _, title } = one;
    let typed = |text: &String| {
        text.split_once('/').is_some_and(|(service, kind)| service.contains('.') && !kind.is_empty())
    };
    let length = condition.chars().count();
    if resource_types.is_empty() || methods.is_empty() || condition.trim().is_empty() {
        Some("`resource-types`, `methods` and `condition` can't be empty".to_owned())
    } else if let Some(other) = resource_types.iter().find(|text| !typed(text)) {
        Some(format!("`{other}` is no type of resource such as `compute.googleapis.com/Instance`"))
    } else if length > CONDITION {
        Some(format!("the condition has {length} characters; Google takes at most {CONDITION}"))
    } else if title.is_some_and(|title| title.chars().count() > TITLE) {
        Some(format!("the title has more than the {TITLE} characters that Google takes"))
    } else {
        None
    }
}

/// The types of resources that more custom constraints judge than Google takes, with how many.
pub fn crowded<'a>(types: impl IntoIterator<Item = &'a str>) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for kind in types {
        *counts.entry(kind.to_owned()).or_default() += 1;
    }
    counts.retain(|_, count| *count > PER_TYPE);
    counts.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_google_would_refuse_is_said_beforehand() {
        let right = json!({
            "resource-types": ["compute.googleapis.com/Instance"], "methods": ["create", "update"],
            "condition": "resource.machineType.contains('/e2-')", "action": "allow",
        });
        assert_eq!(wrong("custom.onlyE2Machines", &right), None);
        let with = |field: &str, value: Value| {
            let mut one = right.clone();
            one[field] = value;
            one
        };
        let table = [
            ("onlyE2Machines", right.clone(), "is named `custom.`"),
            ("custom.only-e2", right.clone(), "letters and digits"),
            ("custom.x", with("methods", json!(["delete"])), "unknown variant `delete`"),
            ("custom.x", with("methods", json!([])), "can't be empty"),
            ("custom.x", with("action", json!("warn")), "unknown variant `warn`"),
            ("custom.x", with("resource-types", json!(["Instance"])), "`Instance` is no type of resource"),
            ("custom.x", with("condition", json!("a".repeat(1_001))), "has 1001 characters"),
            ("custom.x", with("when", json!("always")), "unknown field `when`"),
            ("custom.x", json!("deny"), "expected `resource-types`"),
        ];
        for (name, value, expected) in table {
            let why = wrong(name, &value).unwrap_or_default();
            assert!(why.contains(expected), "{name}: {why}");
        }
    }

    #[test]
    fn twenty_constraints_fit_to_one_type_of_resource() {
        let of = |count: usize| crowded(std::iter::repeat_n("compute.googleapis.com/Instance", count));
        assert_eq!(of(20), []);
        assert_eq!(of(21), [("compute.googleapis.com/Instance".to_owned(), 21)]);
    }
}
