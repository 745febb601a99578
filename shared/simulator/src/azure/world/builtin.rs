//! What Microsoft defines in every directory.

use jiff::Timestamp;
use serde_json::json;

use super::resource::{Resource, Resources};
use super::{policies, roles};

/// Roles, policies and initiatives by id; the only part of the world that a test need not make.
#[derive(Debug, Clone, PartialEq)]
pub struct BuiltIn {
    pub role_definitions: Resources,
    pub policy_definitions: Resources,
    pub policy_set_definitions: Resources,
}

impl BuiltIn {
    pub(super) fn new() -> Self {
        let sets = [
            set(
                "1f3afdf9-d0c9-4c3d-847f-89da613e70a8",
                "Microsoft cloud security benchmark",
                "Security Center",
                &[],
            ),
            regulatory(
                "06f19060-9e68-4070-92ca-f15cc126059e",
                "CIS Microsoft Azure Foundations Benchmark v2.0.0",
                &[],
            ),
            regulatory("470a962c-86a0-433b-803a-3c176b5ce79c", "CIS Azure Foundations v3.0.0", &[]),
            regulatory("60205a79-6280-4e20-a147-e2011e09dc78", "NIST SP 800-53 R5.1.1", &[]),
            regulatory("5e4ff661-23bf-42fa-8e3a-309a55091cc7", "ISO/IEC 27001 2022", &[]),
            regulatory("179d1daa-458f-4e47-8086-2a68d0d6c38f", "NIST SP 800-53 Rev. 5", &[DEPLOYS]),
            regulatory("89c6cddc-1c73-4ac1-b19c-54d1a15a42f2", "ISO 27001:2013", &[DEPLOYS]),
        ];
        Self {
            role_definitions: roles::all(),
            policy_definitions: policies::all(),
            policy_set_definitions: sets.into_iter().map(|set| (set.name.clone(), set)).collect(),
        }
    }
}

/// The policy that the older initiatives have, and that deploys: such an initiative needs an identity.
const DEPLOYS: &str = "331e8ea8-378a-410f-a2e5-ae22f38bb0da";

fn regulatory(id: &str, name: &str, more: &[&str]) -> Resource {
    set(id, name, "Regulatory Compliance", more)
}

fn set(id: &str, name: &str, category: &str, more: &[&str]) -> Resource {
    let member = |policy: &str| {
        json!({
            "policyDefinitionId": format!("/providers/Microsoft.Authorization/policyDefinitions/{policy}"),
            "policyDefinitionReferenceId": policy, "definitionVersion": "1.*.*", "parameters": {}, "groupNames": [],
        })
    };
    let audits = [
        "4fa4b6c0-31ca-4c0d-b10d-24b96f62a751",
        "404c3081-a854-4457-ae30-26a93ef643f9",
        "fc4d8e41-e223-45ea-9bf5-eada37891d87",
    ];
    let members: Vec<_> = audits.iter().chain(more).map(|policy| member(policy)).collect();
    let properties = json!({
        "displayName": name, "policyType": "BuiltIn", "description": name, "metadata": {"version": "1.0.0", "category": category},
        "version": "1.0.0", "versions": ["1.0.0"], "parameters": {}, "policyDefinitionGroups": [],
        "policyDefinitions": members,
    });
    Resource::made(id, properties.as_object().cloned().unwrap_or_default(), Timestamp::UNIX_EPOCH)
}
