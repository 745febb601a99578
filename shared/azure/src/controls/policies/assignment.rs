//! Policy assignments, row Z7: which policy binds whom, with which parameters.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use landfall_model::catalog::ControlKind;

use crate::client::service::POLICY;
use crate::error::CallError;
use crate::session::Session;

/// The longest name of an assignment at a management group:
/// <https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules>, Microsoft.Authorization.
#[cfg(test)]
pub(super) const LONGEST_NAME: usize = 24;

/// One assignment that should be, as it is sent.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::controls) struct Assignment {
    /// Its name, the last part of its id.
    pub(in crate::controls) name: Cow<'static, str>,
    /// What people read in lists.
    pub(in crate::controls) title: Cow<'static, str>,
    /// What people read whose request was refused.
    pub(in crate::controls) message: &'static str,
    /// The id of the definition.
    pub(in crate::controls) definition: String,
    /// Its parameters.
    pub(in crate::controls) parameters: BTreeMap<String, Value>,
    /// The control that it carries; none where it is the gate's.
    pub(in crate::controls) control: Option<ControlKind>,
    /// What it acts by, where it does more than judge.
    pub(in crate::controls) acts: Option<Acts>,
}

/// What an assignment acts by that changes resources: an identity of its own, which holds one role where it is assigned.
/// <https://learn.microsoft.com/azure/governance/policy/how-to/remediate-resources>
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::controls) struct Acts {
    /// The id of the role.
    pub(in crate::controls) role: &'static str,
    /// Its name, for people.
    pub(in crate::controls) role_name: &'static str,
    /// Where the identity is kept. It says nothing of where it acts.
    pub(in crate::controls) location: String,
}

/// The identity of an assignment, as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::controls) struct Identity {
    /// Its object id.
    pub(in crate::controls) principal: String,
    /// Where it is kept, which can't be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::controls) location: Option<String>,
}

/// An assignment of ours as it is. What weakens it is left out where there is nothing of the kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::controls) struct Held {
    /// The id of the definition.
    pub(in crate::controls) definition: String,
    /// The parameters' values.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(in crate::controls) parameters: BTreeMap<String, Value>,
    /// Where it is not enforced (`DoNotEnforce`) or only on who enrolled: the mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::controls) mode: Option<String>,
    /// Scopes that it leaves out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::controls) excluded: Vec<String>,
    /// What else makes it bind less than its definition says, by Azure's names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::controls) weakened: Vec<String>,
    /// Its own identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::controls) identity: Option<Identity>,
}

impl Assignment {
    /// Its id at a scope.
    pub(in crate::controls) fn id(&self, scope: &str) -> String {
        id(scope, &self.name)
    }

    /// As a look shows it.
    pub(in crate::controls) fn held(&self) -> Held {
        Held { definition: self.definition.clone(), parameters: self.parameters.clone(), ..Held::default() }
    }

    /// The whole assignment, as it is sent. What is left out is taken away by the write, which replaces all of it.
    pub(in crate::controls) fn body(&self) -> Value {
        self.body_over(None)
    }

    /// The same over one that is there: its identity stays where it is kept.
    pub(in crate::controls) fn body_over(&self, held: Option<&Held>) -> Value {
        let Assignment { name: _, title, message, definition, parameters, control: _, acts } = self;
        let parameters: BTreeMap<&String, Value> =
            parameters.iter().map(|(name, value)| (name, json!({"value": value}))).collect();
        let mut body = json!({"properties": {
            "displayName": format!("Landfall: {title}"),
            "description": super::DESCRIPTION,
            "policyDefinitionId": definition,
            "enforcementMode": "Default",
            "notScopes": [],
            "parameters": parameters,
            "nonComplianceMessages": [{"message": message}],
        }});
        if let (Some(Acts { location, .. }), Some(members)) = (acts, body.as_object_mut()) {
            let kept = held.and_then(|held| held.identity.as_ref()?.location.as_ref());
            members.insert("location".to_owned(), json!(kept.unwrap_or(location)));
            members.insert("identity".to_owned(), json!({"type": "SystemAssigned"}));
        }
        body
    }

    /// How what is there differs from this, for people; nothing where it does not.
    pub(in crate::controls) fn differs(&self, held: &Held) -> Option<String> {
        let Held { definition, parameters, mode, excluded, weakened, identity } = held;
        let mut why = Vec::new();
        if !definition.eq_ignore_ascii_case(&self.definition) {
            why.push(format!("assigns `{definition}`"));
        }
        for name in self
            .parameters
            .keys()
            .chain(parameters.keys().filter(|name| !self.parameters.contains_key(*name)))
        {
            if parameters.get(name) != self.parameters.get(name) {
                why.push(format!("has another `{name}`"));
            }
        }
        why.extend(mode.iter().map(|mode| format!("is set to `{mode}`")));
        why.extend(excluded.iter().map(|scope| format!("leaves out `{scope}`")));
        why.extend(weakened.iter().map(|what| format!("has `{what}`")));
        if self.acts.is_some() && identity.is_none() {
            why.push("has no identity to act by".to_owned());
        }
        (!why.is_empty()).then(|| why.join(" and "))
    }
}

/// The id of an assignment at a scope.
pub(super) fn id(scope: &str, name: &str) -> String {
    format!("{scope}/providers/Microsoft.Authorization/policyAssignments/{name}")
}

/// An assignment as Azure answers it.
#[derive(Deserialize)]
pub(super) struct Answer {
    pub(super) name: String,
    #[serde(default)]
    properties: Properties,
    #[serde(default)]
    identity: Option<Principal>,
    #[serde(default)]
    location: Option<String>,
}

/// Its identity as Azure answers it; one that others made and gave it has no id here.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Principal {
    principal_id: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Properties {
    policy_definition_id: String,
    parameters: Option<BTreeMap<String, Given>>,
    enforcement_mode: Option<String>,
    not_scopes: Option<Vec<String>>,
    overrides: Option<Vec<Value>>,
    resource_selectors: Option<Vec<Value>>,
    definition_version: Option<String>,
    self_serve_exemption_settings: Option<SelfServe>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Given {
    value: Value,
}

/// Whether people may exempt themselves.
#[derive(Deserialize, Default)]
#[serde(default)]
struct SelfServe {
    enabled: bool,
}

impl From<Answer> for Held {
    fn from(answer: Answer) -> Self {
        let Answer { name: _, properties, identity, location } = answer;
        let principal = identity.and_then(|identity| identity.principal_id).filter(|id| !id.is_empty());
        let Properties {
            policy_definition_id,
            parameters,
            enforcement_mode,
            not_scopes,
            overrides,
            resource_selectors,
            definition_version,
            self_serve_exemption_settings,
        } = properties;
        let weakened = [
            ("overrides", overrides.is_some_and(|all| !all.is_empty())),
            ("resourceSelectors", resource_selectors.is_some_and(|all| !all.is_empty())),
            ("definitionVersion", pinned(definition_version.as_deref())),
            ("selfServeExemptionSettings", self_serve_exemption_settings.is_some_and(|one| one.enabled)),
        ];
        Held {
            definition: policy_definition_id,
            parameters: parameters
                .unwrap_or_default()
                .into_iter()
                .map(|(name, given)| (name, given.value))
                .collect(),
            mode: enforcement_mode.filter(|mode| !mode.eq_ignore_ascii_case("Default")),
            excluded: not_scopes.unwrap_or_default(),
            weakened: weakened.into_iter().filter(|(_, is)| *is).map(|(name, _)| name.to_owned()).collect(),
            identity: principal.map(|principal| Identity { principal, location }),
        }
    }
}

/// Whether an assignment holds on to one version of its definition. `1.*.*` follows what Azure mends in it, and is what Azure fills in
/// where nobody says; `1.*.*-preview` is the same of a definition that is a preview.
fn pinned(version: Option<&str>) -> bool {
    let followed = version.map(|version| version.split_once('-').map_or(version, |(number, _)| number));
    followed.is_some_and(|version| !version.is_empty() && !version.ends_with(".*.*"))
}

/// Looks at one assignment at a scope, and says the number of the answer.
pub(in crate::controls) async fn look_assignment(
    session: &Session,
    scope: &str,
    name: &str,
) -> Result<(Option<Held>, Option<String>), CallError> {
    match session.get(&POLICY, &id(scope, name)).await {
        Ok(reply) => {
            let answer: Answer = reply.json()?;
            Ok((Some(answer.into()), reply.request_id))
        }
        Err(error) if error.is_not_found() => Ok((None, error.request_id().map(str::to_owned))),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one() -> Assignment {
        Assignment {
            name: "lf-x".into(),
            title: "x".into(),
            message: "no x",
            definition: "/providers/Microsoft.Authorization/policyDefinitions/abc".to_owned(),
            parameters: [("effect".to_owned(), json!("Deny"))].into(),
            control: None,
            acts: None,
        }
    }

    /// As Azure answers what was sent, with something changed.
    fn answered(change: impl FnOnce(&mut Value)) -> Option<String> {
        let mut body = one().body();
        change(&mut body["properties"]);
        body["name"] = json!("lf-x");
        let answer: Answer = serde_json::from_value(body).unwrap();
        one().differs(&answer.into())
    }

    #[test]
    fn what_was_sent_is_as_it_should_be() {
        assert_eq!(answered(|_| {}), None);
        assert_eq!(answered(|properties| properties["notScopes"] = Value::Null), None);
        assert_eq!(answered(|properties| properties["definitionVersion"] = json!("1.*.*")), None);
        assert_eq!(answered(|properties| properties["displayName"] = json!("other")), None);
    }

    #[test]
    fn only_one_version_of_a_definition_is_held_on_to() {
        let table = [
            (None, false),
            (Some(""), false),
            (Some("1.*.*"), false),
            (Some("3.*.*-preview"), false),
            (Some("1.0.*"), true),
            (Some("1.2.0"), true),
            (Some("1.2.0-preview"), true),
            (Some("1.0.*-deprecated"), true),
        ];
        for (version, expected) in table {
            assert_eq!(pinned(version), expected, "{version:?}");
        }
    }

    #[test]
    fn whatever_makes_it_bind_less_is_a_difference() {
        let table: [(&str, Value, &str); 8] = [
            ("policyDefinitionId", json!("/other"), "assigns `/other`"),
            ("parameters", json!({"effect": {"value": "Audit"}}), "has another `effect`"),
            ("enforcementMode", json!("DoNotEnforce"), "is set to `DoNotEnforce`"),
            ("notScopes", json!(["/subscriptions/x"]), "leaves out `/subscriptions/x`"),
            ("overrides", json!([{"kind": "policyEffect", "value": "Disabled"}]), "has `overrides`"),
            ("resourceSelectors", json!([{"name": "x"}]), "has `resourceSelectors`"),
            ("definitionVersion", json!("1.0.0"), "has `definitionVersion`"),
            ("selfServeExemptionSettings", json!({"enabled": true}), "has `selfServeExemptionSettings`"),
        ];
        for (what, value, expected) in table {
            assert_eq!(answered(|properties| properties[what] = value).as_deref(), Some(expected));
        }
    }
}
