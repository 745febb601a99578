//! Teams with their groups, and roles with what they grant.

use std::collections::BTreeMap;

use super::draft::{Draft, What};
use super::fields::{self, Fields, entries, native_id, set, text};
use super::is_uuid;
use super::problems::{Problem, Problems};
use crate::diagnostic::code;
use crate::id::{Name, Provider};
use crate::manifest::yaml::{Key, Node, Yaml, quote};
use crate::manifest::{AwsRole, AzureRole, GcpRole, Role, Team};

pub(super) fn teams(found: &[(&Key, &Node)], draft: &mut Draft, problems: &mut Problems) {
    for (_, node) in found {
        for (key, node) in draft.entries(node, problems) {
            let Some(name) = draft.declare_name(What::Team, key, problems) else { continue };
            let mut fields = Fields::of(node, problems);
            let owner = fields.take("owner").and_then(|node| text(node, problems)).map(str::to_owned);
            let groups = fields.take("groups").map(|node| groups(node, draft, problems)).unwrap_or_default();
            fields.end(problems);
            draft.manifest.teams.insert(name, Team { owner, groups });
        }
    }
}

fn groups(
    node: &Node,
    draft: &mut Draft,
    problems: &mut Problems,
) -> BTreeMap<Name, BTreeMap<Provider, String>> {
    let mut groups = BTreeMap::new();
    for (key, node) in entries(node, problems).unwrap_or_default() {
        let role = draft.refer_text(What::Role, &key.text, key.at);
        let mut fields = Fields::of(node, problems);
        let mut on = BTreeMap::new();
        for provider in Provider::ALL {
            if let Some(node) = fields.take(provider.as_str()) {
                // With an error, this is never handed out; that the team names a group is true all the same.
                on.insert(provider, group(provider, node, problems).unwrap_or_default());
            }
        }
        fields.end(problems);
        if let Some(role) = role {
            groups.insert(role, on);
        }
    }
    groups
}

/// A group as its cloud's identity provider names it. On Azure it is named by its id: names are not unique there, and looking them up
/// would take rights in the directory.
fn group(provider: Provider, node: &Node, problems: &mut Problems) -> Option<String> {
    match provider {
        Provider::Aws | Provider::Gcp => fields::id(node, problems).map(str::to_owned),
        Provider::Azure => {
            native_id(node, "the object id of a group, a UUID in lower case", problems, is_uuid)
        }
    }
}

pub(super) fn roles(found: &[(&Key, &Node)], draft: &mut Draft, problems: &mut Problems) {
    for (_, node) in found {
        for (key, node) in draft.entries(node, problems) {
            let Some(name) = draft.declare_name(What::Role, key, problems) else { continue };
            let mut fields = Fields::of(node, problems);
            let aws = fields.take("aws").map(|node| aws(node, problems));
            let azure = fields.take("azure").map(|node| azure(node, problems)).unwrap_or_default();
            let gcp = fields.take("gcp").map(|node| gcp(node, problems)).unwrap_or_default();
            let requires_training = fields.take("requires-training").and_then(|node| {
                set(node, "a list of names", problems, |node, problems| {
                    fields::parsed(node, code::BAD_NAME, problems)
                })
            });
            fields.end(problems);
            let requires_training = requires_training.unwrap_or_default();
            draft.manifest.roles.insert(name, Role { aws, azure, gcp, requires_training });
        }
    }
}

fn texts(node: &Node, problems: &mut Problems) -> Option<Vec<String>> {
    set(node, "a list of texts", problems, |node, problems| text(node, problems).map(str::to_owned))
}

/// A list of the names of roles, or a mapping that says more.
fn azure(node: &Node, problems: &mut Problems) -> AzureRole {
    if !matches!(node.value, Yaml::Map(_)) {
        let roles = set(node, "a list of texts or a mapping", problems, |node, problems| {
            text(node, problems).map(str::to_owned)
        });
        return AzureRole { roles: roles.unwrap_or_default(), ..AzureRole::default() };
    }
    let mut fields = Fields::of(node, problems);
    let [named, own, not_own, data, not_data] =
        ["roles", "actions", "not-actions", "data-actions", "not-data-actions"].map(|key| fields.take(key));
    fields.end(problems);
    let said = named.is_some() || own.is_some() || data.is_some();
    let mut actions = |node: Option<&Node>| {
        node.and_then(|node| set(node, "a list of actions", problems, action)).unwrap_or_default()
    };
    let (actions, not_actions, data_actions, not_data_actions) =
        (actions(own), actions(not_own), actions(data), actions(not_data));
    let roles = named.and_then(|node| texts(node, problems)).unwrap_or_default();
    for (out, from, key) in [(not_own, own, "actions"), (not_data, data, "data-actions")] {
        if let (Some(node), None) = (out, from) {
            let message = format!("`not-{key}` takes out of `{key}`, which is not there");
            problems.add(Problem::new(code::WRONG_VALUE, node.at, message));
        }
    }
    if !said {
        let message = "the role gives nothing on Azure: it has neither `roles` nor `actions`";
        problems.add(Problem::new(code::EMPTY, node.at, message));
    }
    AzureRole { roles, actions, not_actions, data_actions, not_data_actions }
}

/// `Microsoft.Support/*`: a resource provider's operation, in which `*` stands for any text; `*` alone is every operation.
fn action(node: &Node, problems: &mut Problems) -> Option<String> {
    native_id(node, "an operation of Azure, such as `Microsoft.Support/*`", problems, |text| {
        let part = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"*.-_".contains(&b))
        };
        (text == "*" || text.contains('/')) && text.split('/').all(part)
    })
}

/// A list of the names of roles, or a mapping that says more.
fn gcp(node: &Node, problems: &mut Problems) -> GcpRole {
    if !matches!(node.value, Yaml::Map(_)) {
        let roles = set(node, "a list of texts or a mapping", problems, |node, problems| {
            text(node, problems).map(str::to_owned)
        });
        return GcpRole { roles: roles.unwrap_or_default(), ..GcpRole::default() };
    }
    let mut fields = Fields::of(node, problems);
    let [named, own] = ["roles", "permissions"].map(|key| fields.take(key));
    fields.end(problems);
    if named.is_none() && own.is_none() {
        let message = "the role gives nothing on Google Cloud: it has neither `roles` nor `permissions`";
        problems.add(Problem::new(code::EMPTY, node.at, message));
    }
    let roles = named.and_then(|node| texts(node, problems)).unwrap_or_default();
    let permissions = own.and_then(|node| set(node, "a list of permissions", problems, permission));
    GcpRole { roles, permissions: permissions.unwrap_or_default() }
}

/// `compute.instances.reset`: a service, a kind of resource and what is done to it. Google's own roles take no `*` either.
fn permission(node: &Node, problems: &mut Problems) -> Option<String> {
    native_id(node, "a permission of Google Cloud, such as `compute.instances.reset`", problems, |text| {
        let part = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_/".contains(&b))
        };
        text.split('.').count() >= 3 && text.split('.').all(part)
    })
}

fn aws(node: &Node, problems: &mut Problems) -> AwsRole {
    let mut fields = Fields::of(node, problems);
    let managed_policies = fields.need("managed-policies", problems).and_then(|node| {
        let policies =
            set(node, "a list of texts", problems, |node, problems| text(node, problems).map(str::to_owned))?;
        if policies.is_empty() {
            problems.add(Problem::new(code::EMPTY, node.at, "`managed-policies` is empty"));
        }
        Some(policies)
    });
    let session_hours = match fields.take("session") {
        Some(node) => session(node, problems),
        // What Identity Center takes where nobody says.
        None => Some(1),
    };
    fields.end(problems);
    // With an error above, this is never handed out; that the role grants something on AWS is true all the same.
    AwsRole {
        managed_policies: managed_policies.unwrap_or_default(),
        session_hours: session_hours.unwrap_or_default(),
    }
}

/// `8h`, from 1 to 12.
fn session(node: &Node, problems: &mut Problems) -> Option<u32> {
    const EXPECTED: &str = "hours such as `8h`, from `1h` to `12h`";
    if matches!(node.value, Yaml::Whole(_)) {
        let message = format!("expected {EXPECTED}, found {}", node.found());
        problems.add(Problem::new(code::WRONG_TYPE, node.at, message).help("add an `h`"));
        return None;
    }
    let found = text(node, problems)?;
    let hours = found.strip_suffix('h').and_then(|hours| hours.parse().ok()).filter(|h| (1..=12).contains(h));
    if hours.is_none() {
        let message = format!("expected {EXPECTED}, found {}", quote(found));
        problems.add(Problem::new(code::WRONG_VALUE, node.at, message));
    }
    hours
}
