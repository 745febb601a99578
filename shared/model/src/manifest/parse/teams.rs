//! Teams with their groups, and roles with what they grant.

use std::collections::BTreeMap;

use super::draft::{Draft, What};
use super::fields::{self, Fields, entries, set, text};
use super::problems::{Problem, Problems};
use crate::diagnostic::code;
use crate::id::{Name, Provider};
use crate::manifest::yaml::{Key, Node, Yaml, quote};
use crate::manifest::{AwsRole, Role, Team};

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
            if let Some(group) = fields.take(provider.as_str()).and_then(|node| fields::id(node, problems)) {
                on.insert(provider, group.to_owned());
            }
        }
        fields.end(problems);
        if let Some(role) = role {
            groups.insert(role, on);
        }
    }
    groups
}

pub(super) fn roles(found: &[(&Key, &Node)], draft: &mut Draft, problems: &mut Problems) {
    for (_, node) in found {
        for (key, node) in draft.entries(node, problems) {
            let Some(name) = draft.declare_name(What::Role, key, problems) else { continue };
            let mut fields = Fields::of(node, problems);
            let aws = fields.take("aws").map(|node| aws(node, problems));
            let mut texts = |key| {
                let texts = fields.take(key).and_then(|node| {
                    set(node, "a list of texts", problems, |node, problems| {
                        text(node, problems).map(str::to_owned)
                    })
                });
                texts.unwrap_or_default()
            };
            let (azure, gcp) = (texts("azure"), texts("gcp"));
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
