//! The organization's name, contacts, break-glass principals, limits and environments.

use super::draft::{Draft, What};
use super::fields::{self, Fields, set, text, whole};
use super::problems::{Problem, Problems};
use super::{NOWHERE, is_uuid};
use crate::diagnostic::code;
use crate::id::Provider;
use crate::manifest::yaml::{Key, Node, Yaml, quote};
use crate::manifest::{Contact, ContactKind, Limits};

pub(super) fn name(found: &[(&Key, &Node)], draft: &mut Draft, problems: &mut Problems) {
    match found.first() {
        Some((_, node)) => {
            if let Some(name) = fields::parsed(node, code::BAD_NAME, problems) {
                draft.manifest.organization = name;
            }
        }
        None if draft.is_complete() => problems.add(
            Problem::new(code::MISSING_KEY, NOWHERE, "`organization` is missing from all files")
                .help("write `organization:` and a short name for it"),
        ),
        None => {}
    }
}

const CONTACTS: &[(&str, ContactKind)] = &[
    ("security", ContactKind::Security),
    ("operations", ContactKind::Operations),
    ("billing", ContactKind::Billing),
];

pub(super) fn contacts(found: &[(&Key, &Node)], draft: &mut Draft, problems: &mut Problems) {
    for (_, node) in found {
        let mut fields = Fields::of(node, problems);
        for (word, kind) in CONTACTS {
            if let Some((key, node)) = fields.entry(word)
                && draft.declare(What::Contact, word, key.at, problems)
                && let Some(contact) = contact(node, problems)
            {
                draft.manifest.contacts.insert(*kind, contact);
            }
        }
        fields.end(problems);
    }
}

/// A mail address, or a mapping with more.
fn contact(node: &Node, problems: &mut Problems) -> Option<Contact> {
    if !matches!(node.value, Yaml::Map(_)) {
        return Some(Contact { email: email(node, problems)?, name: None, title: None, phone: None });
    }
    let mut fields = Fields::of(node, problems);
    let address = fields.need("email", problems).and_then(|node| email(node, problems));
    let mut more = |key| fields.take(key).and_then(|node| text(node, problems)).map(str::to_owned);
    let (name, title, phone) = (more("name"), more("title"), more("phone"));
    fields.end(problems);
    Some(Contact { email: address?, name, title, phone })
}

fn email(node: &Node, problems: &mut Problems) -> Option<String> {
    let address = text(node, problems)?;
    let right = address.split_once('@').is_some_and(|(user, host)| {
        !user.is_empty()
            && host.contains('.')
            && !host.contains('@')
            && !address.contains(char::is_whitespace)
    });
    if right {
        return Some(address.to_owned());
    }
    problems.add(Problem::new(
        code::WRONG_VALUE,
        node.at,
        format!("{} is not a mail address", quote(address)),
    ));
    None
}

pub(super) fn break_glass(found: &[(&Key, &Node)], draft: &mut Draft, problems: &mut Problems) {
    for (_, node) in found {
        let mut fields = Fields::of(node, problems);
        for provider in Provider::ALL {
            if let Some((key, node)) = fields.entry(provider.as_str())
                && draft.declare(What::BreakGlass, provider.as_str(), key.at, problems)
                && let Some(principals) = set(node, "a list of texts", problems, |node, problems| {
                    principal(provider, node, problems)
                })
            {
                draft.manifest.break_glass.insert(provider, principals);
            }
        }
        fields.end(problems);
    }
}

fn principal(provider: Provider, node: &Node, problems: &mut Problems) -> Option<String> {
    const GCP: [&str; 5] = ["group:", "user:", "serviceAccount:", "principal://", "principalSet://"];
    let after = |text: &str, prefixes: &[&str]| {
        prefixes.iter().any(|prefix| text.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty()))
    };
    match provider {
        Provider::Aws => {
            fields::native_id(node, "a principal such as `role/break-glass` or an ARN", problems, |text| {
                after(text, &["role/", "user/", "arn:"])
            })
        }
        Provider::Azure => {
            fields::native_id(node, "the object id of a principal, a UUID in lower case", problems, is_uuid)
        }
        Provider::Gcp => fields::native_id(
            node,
            "a principal such as `group:break-glass@acme.example`",
            problems,
            |text| after(text, &GCP),
        ),
    }
}

pub(super) fn limits(found: &[(&Key, &Node)], draft: &mut Draft, problems: &mut Problems) {
    for (_, node) in found {
        let mut fields = Fields::of(node, problems);
        let mut limit = |key, unsaid| {
            fields.take(key).and_then(|node| whole(node, 0..=u32::MAX, problems)).unwrap_or(unsaid)
        };
        let Limits { changes, deletions, tenants } = Limits::default();
        draft.manifest.limits = Limits {
            changes: limit("changes", changes),
            deletions: limit("deletions", deletions),
            tenants: limit("tenants", tenants),
        };
        fields.end(problems);
    }
}

pub(super) fn environments(found: &[(&Key, &Node)], draft: &mut Draft, problems: &mut Problems) {
    for (_, node) in found {
        let items = fields::items(node, "a list of names", problems);
        if items.is_none() {
            draft.incomplete();
        }
        for node in items.unwrap_or_default() {
            let Some(name) = fields::parsed(node, code::BAD_NAME, problems) else { continue };
            if draft.declare(What::Environment, &format!("{name}"), node.at, problems) {
                draft.manifest.environments.push(name);
            }
        }
    }
}
