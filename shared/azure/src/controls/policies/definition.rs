//! Policy definitions of our own, row Z6: what a policy says, kept once at the root group and assigned where it is asked.

use serde::Deserialize;
use serde_json::{Value, json};

use landfall_model::id::Digest;
use landfall_model::manifest::AzureCloud;

use crate::client::service::POLICY;
use crate::directory::group_path;
use crate::error::CallError;
use crate::session::Session;

/// One policy definition of ours, as it is sent.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::controls) struct Definition {
    /// Its name, the last part of its id.
    pub(in crate::controls) name: &'static str,
    /// What people read in lists.
    pub(in crate::controls) title: &'static str,
    /// What it does, for people.
    pub(in crate::controls) description: &'static str,
    /// Its parameters; an empty object where it has none.
    pub(in crate::controls) parameters: Value,
    /// Its rule: `if` and `then`.
    pub(in crate::controls) rule: Value,
}

/// Every one of ours judges all types of resources, also those that know no location.
/// <https://learn.microsoft.com/azure/governance/policy/concepts/definition-structure-basics>, "Resource Manager modes".
const MODE: &str = "All";

impl Definition {
    /// Its id: ours are at the root group, so that they can be assigned to every group and subscription below it.
    pub(in crate::controls) fn id(&self, ground: &AzureCloud) -> String {
        id(ground, self.name)
    }

    /// The digest of what it says; what people read counts for nothing.
    pub(in crate::controls) fn digest(&self) -> Digest {
        digest(MODE, &self.parameters, &self.rule)
    }

    /// The whole definition, as it is sent.
    pub(in crate::controls) fn body(&self) -> Value {
        let Definition { name: _, title, description, parameters, rule } = self;
        json!({"properties": {
            "policyType": "Custom",
            "mode": MODE,
            "displayName": title,
            "description": description,
            "metadata": {"category": "Landfall"},
            "parameters": parameters,
            "policyRule": rule,
        }})
    }
}

/// The id of a definition at the root group.
pub(super) fn id(ground: &AzureCloud, name: &str) -> String {
    format!("{}/providers/Microsoft.Authorization/policyDefinitions/{name}", group_path(&ground.root))
}

/// A definition as Azure answers it.
#[derive(Deserialize)]
pub(super) struct Answer {
    pub(super) name: String,
    #[serde(default)]
    pub(super) properties: Properties,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Properties {
    mode: String,
    parameters: Value,
    policy_rule: Value,
}

impl Properties {
    pub(super) fn digest(&self) -> Digest {
        digest(&self.mode, &self.parameters, &self.policy_rule)
    }
}

/// The digest of what a definition says, however it is written: the order of members says nothing, and no parameters are none.
fn digest(mode: &str, parameters: &Value, rule: &Value) -> Digest {
    let none = json!({});
    let parameters = if parameters.is_null() { &none } else { parameters };
    let whole = json!({"mode": mode.to_ascii_lowercase(), "parameters": parameters, "rule": rule});
    // A Value's maps are sorted.
    Digest::of(whole.to_string().as_bytes())
}

/// Looks at one definition at the root group: the digest of what it says, and the number of the answer.
pub(in crate::controls) async fn look_definition(
    session: &Session,
    name: &str,
) -> Result<(Option<Digest>, Option<String>), CallError> {
    match session.get(&POLICY, &id(&session.ground, name)).await {
        Ok(reply) => {
            let Answer { name: _, properties } = reply.json()?;
            Ok((Some(properties.digest()), reply.request_id))
        }
        Err(error) if error.is_not_found() => Ok((None, error.request_id().map(str::to_owned))),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_a_definition_is_written_says_nothing_and_what_it_says_counts() {
        let one = Definition {
            name: "landfall-x",
            title: "X",
            description: "x",
            parameters: json!({}),
            rule: json!({"if": {"field": "type", "equals": "A/b"}, "then": {"effect": "deny"}}),
        };
        let answered = |text: &str| -> Properties { serde_json::from_str(text).unwrap() };
        let same =
            r#"{"policyRule":{"then":{"effect":"deny"},"if":{"equals":"A/b","field":"type"}},"mode":"all"}"#;
        assert_eq!(answered(same).digest(), one.digest());
        assert_ne!(answered(&same.replace("deny", "audit")).digest(), one.digest());
        assert_ne!(answered(&same.replace("all", "Indexed")).digest(), one.digest());
    }
}
