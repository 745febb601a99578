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
    match provider {
        Provider::Aws => aws_principal(node, problems),
        Provider::Azure => {
            fields::native_id(node, "the object id of a principal, a UUID in lower case", problems, is_uuid)
        }
        Provider::Gcp => gcp_principal(node, problems),
    }
}

/// A principal as IAM names it.
pub(super) fn gcp_principal(node: &Node, problems: &mut Problems) -> Option<String> {
    const FORMS: [&str; 5] = ["group:", "user:", "serviceAccount:", "principal://", "principalSet://"];
    fields::native_id(node, "a principal such as `group:break-glass@acme.example`", problems, |text| {
        FORMS.iter().any(|form| text.strip_prefix(form).is_some_and(|rest| !rest.is_empty()))
    })
}

/// A role or user as aws:PrincipalArn names it. The pattern is spared by every deny, so it names somebody.
fn aws_principal(node: &Node, problems: &mut Problems) -> Option<String> {
    let text = fields::id(node, problems)?;
    let mut refuse = |what: &str, help: &str| {
        let message = format!("{} {what}", quote(text));
        problems.add(Problem::new(code::MALFORMED_ID, node.at, message).help(help));
        None
    };
    if text.starts_with("arn:") && text.contains(":assumed-role/") {
        return refuse(
            "is the ARN of a session: no deny would ever spare it",
            "name the role itself, such as `role/break-glass`: AWS tells a session by its role",
        );
    }
    let principal = match text.strip_prefix("arn:") {
        Some(arn) => of_any_arn(arn),
        None => Some(text),
    };
    let name = principal
        .and_then(|principal| principal.strip_prefix("role/").or_else(|| principal.strip_prefix("user/")))
        .filter(|name| name.split('/').all(is_principal_name))
        .and_then(|name| name.rsplit('/').next());
    let Some(name) = name else {
        return refuse(
            "is not a principal such as `role/break-glass`",
            "write `role/NAME`, `user/NAME`, or the ARN of a role or user, such as `arn:aws:iam::*:role/NAME`",
        );
    };
    if name.bytes().filter(|b| !WILD.contains(b)).count() < 3 {
        return refuse(
            "names nobody in particular: whoever it matches escapes every deny",
            "give at least 3 characters of the name itself, not counting `*` and `?`",
        );
    }
    Some(text.to_owned())
}

/// What stands for any characters, and for any one.
const WILD: [u8; 2] = [b'*', b'?'];

/// What an ARN of IAM, without its `arn:`, says after the account.
fn of_any_arn(arn: &str) -> Option<&str> {
    let (partition, rest) = arn.split_once(':')?;
    let (account, principal) = rest.strip_prefix("iam::")?.split_once(':')?;
    let partition_is = partition == "*"
        || partition.starts_with("aws") && partition.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    let account_is = account == "*" || account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    (partition_is && account_is).then_some(principal)
}

/// A name or a part of a path; may hold what stands for other characters.
fn is_principal_name(name: &str) -> bool {
    let right = |b: u8| b.is_ascii_alphanumeric() || b"+=,.@_-".contains(&b) || WILD.contains(&b);
    !name.is_empty() && name.bytes().all(right)
}

pub(super) fn limits(found: &[(&Key, &Node)], draft: &mut Draft, problems: &mut Problems) {
    for (_, node) in found {
        let mut fields = Fields::of(node, problems);
        let mut limit = |key, unsaid| {
            fields.take(key).and_then(|node| whole(node, 0..=u32::MAX, problems)).unwrap_or(unsaid)
        };
        let Limits { changes, deletions, tenants, silence } = Limits::default();
        draft.manifest.limits = Limits {
            changes: limit("changes", changes),
            deletions: limit("deletions", deletions),
            tenants: limit("tenants", tenants),
            silence: limit("silence", silence),
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

#[cfg(test)]
mod tests {
    use crate::id::Provider;
    use crate::manifest::{Source, parse};

    /// The principals that are spared, or what is told.
    fn spared(principal: &str) -> Result<Vec<String>, String> {
        let text = format!("landfall: 1\norganization: acme\nbreak-glass: {{ aws: [{principal:?}] }}\n");
        let source = Source { name: "acme.yaml".to_owned(), text };
        let parsed = parse::parse(&[source], "2026-11-21".parse().unwrap());
        match parsed.manifest {
            Some(manifest) => Ok(manifest.break_glass[&Provider::Aws].clone()),
            None => Err(parsed.diagnostics.iter().map(ToString::to_string).collect()),
        }
    }

    #[test]
    fn break_glass_names_a_role_or_user_of_aws() {
        for right in [
            "role/break-glass",
            "user/ada",
            "role/teams/platform/break-glass",
            "role/break-*",
            "role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_BreakGlass_*",
            "arn:aws:iam::*:role/break-glass",
            "arn:*:iam::*:role/break-glass",
            "arn:aws-cn:iam::111111111111:user/ops/ada",
        ] {
            assert_eq!(spared(right), Ok(vec![right.to_owned()]));
        }
    }

    #[test]
    fn break_glass_that_would_spare_nobody_or_everybody_is_refused() {
        let table: [(&str, &str); 20] = [
            ("break-glass", "is not a principal"),
            ("group/admins", "is not a principal"),
            ("role/", "is not a principal"),
            ("role//break-glass", "is not a principal"),
            ("role/break glass", "is not a principal"),
            ("role/${aws:username}", "is not a principal"),
            ("*", "is not a principal"),
            ("arn:aws:iam::*:root", "is not a principal"),
            ("arn:aws:iam::*:*", "is not a principal"),
            ("arn:aws:iam::1:role/break-glass", "is not a principal"),
            ("arn:aws:s3:::role/break-glass", "is not a principal"),
            ("arn:gcp:iam::*:role/break-glass", "is not a principal"),
            ("arn:aws:sts::*:role/break-glass", "is not a principal"),
            ("arn:aws:sts::111111111111:assumed-role/break-glass/ada", "is the ARN of a session"),
            ("arn:aws:iam::*:assumed-role/break-glass/*", "is the ARN of a session"),
            ("role/*", "names nobody in particular"),
            ("role/b*", "names nobody in particular"),
            ("user/teams/*", "names nobody in particular"),
            ("role/???", "names nobody in particular"),
            ("arn:aws:iam::*:role/*", "names nobody in particular"),
        ];
        for (principal, said) in table {
            let told = spared(principal).unwrap_err();
            assert!(told.contains(&format!("error[malformed-id]: `{principal}` {said}")), "{told}");
            assert!(told.contains("\n  help: "), "{told}");
        }
    }
}
