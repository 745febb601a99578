//! Which permissions a call takes on AWS, and whether the document of the caller's role grants them.
//!
//! Most calls take the permission of their own name; what differs, and what a call takes besides, is written down here with where AWS
//! says so. A document is what IAM reads: statements that allow actions, some on a condition. It grants or it does not: nothing is denied
//! by name, and resources are looked at for roles only.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::ask::{Ask, Service};
use crate::world::World;

/// The identity policies of roles, by the roles' names. A role that has none here may do whatever it could without.
pub type Grants = BTreeMap<String, Value>;

/// The permissions that calls took, for whoever asks whether a document grants too much. Clones share it, those of a world too.
#[derive(Debug, Clone, Default)]
pub struct Taken(Arc<Mutex<BTreeSet<String>>>);

impl Taken {
    /// All so far.
    #[must_use]
    pub fn all(&self) -> BTreeSet<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn note(&self, permission: &str) {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !taken.contains(permission) {
            taken.insert(permission.to_owned());
        }
    }
}

/// One permission that a call takes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Need {
    /// `service:Action`, as policies name it.
    pub(crate) permission: String,
    /// What statements may make a condition of: the key, and what it is in this call.
    context: Option<(&'static str, String)>,
    /// What it is about, where statements name that.
    resource: Option<String>,
}

impl Need {
    fn of(permission: impl Into<String>) -> Self {
        Need { permission: permission.into(), ..Need::default() }
    }

    /// To make a role of a service of AWS's own.
    fn role_of(service: &str) -> Self {
        let context = Some(("iam:AWSServiceName", service.to_owned()));
        Need { context, ..Need::of("iam:CreateServiceLinkedRole") }
    }
}

/// The first permission that a call takes and its caller's role is not granted.
pub(crate) fn missing(world: &World, ask: &Ask) -> Option<Need> {
    let document = world.settings.grants.get(&ask.caller.role).filter(|_| !ask.caller.controller)?;
    for need in needs(world, ask) {
        if !grants(document, &need) {
            return Some(need);
        }
        world.taken.note(&need.permission);
    }
    None
}

/// What a call takes.
fn needs(world: &World, ask: &Ask) -> Vec<Need> {
    // STS API reference, GetCallerIdentity: no permission is needed, and none can be taken away.
    if ask.service == Service::Sts && ask.operation == "GetCallerIdentity" {
        return Vec::new();
    }
    let by_hand = (ask.service == Service::Iam).then(|| ask.text("AWSServiceName")).flatten();
    let mut needs = vec![by_hand.map_or_else(|| Need::of(own(ask)), Need::role_of)];
    if let Some((service, role)) = linked(ask)
        && !has_role(world, &ask.caller.account, role)
    {
        let account = &ask.caller.account;
        let resource = Some(format!("arn:aws:iam::{account}:role/aws-service-role/{service}/{role}"));
        needs.push(Need { resource, ..Need::role_of(service) });
    }
    // Config developer guide, "Permissions for the IAM role assigned to AWS Config"; IAM user guide, "Grant a user permissions to pass a
    // role to an AWS service".
    if let Some(role) = ask.object("ConfigurationRecorder").and_then(|recorder| recorder.get("roleARN")) {
        needs.push(Need {
            context: Some(("iam:PassedToService", "config.amazonaws.com".to_owned())),
            resource: role.as_str().map(str::to_owned),
            ..Need::of("iam:PassRole")
        });
    }
    // CloudTrail user guide, "Prepare for creating a trail for your organization".
    if matches!(ask.operation.as_str(), "CreateTrail" | "UpdateTrail")
        && ask.flag("IsOrganizationTrail") == Some(true)
    {
        needs.push(Need::of("iam:GetRole"));
        needs.extend(
            ["DescribeOrganization", "ListAWSServiceAccessForOrganization", "ListAccounts"]
                .map(|action| Need::of(format!("organizations:{action}"))),
        );
    }
    needs
}

/// The permission of a call's own name, as the Service Authorization Reference has it.
pub(crate) fn own(ask: &Ask) -> String {
    let operation = ask.operation.as_str();
    let service = match ask.service {
        Service::S3Control => "s3",
        Service::SsoAdmin => "sso",
        service @ (Service::Sts
        | Service::Organizations
        | Service::Iam
        | Service::Account
        | Service::Ec2
        | Service::AccessAnalyzer
        | Service::GuardDuty
        | Service::SecurityHub
        | Service::CloudTrail
        | Service::Config
        | Service::Budgets
        | Service::IdentityStore
        | Service::Sqs) => service.name(),
    };
    let action = match (ask.service, operation) {
        // The one of a bucket has the short name.
        (Service::S3Control, "GetPublicAccessBlock") => "GetAccountPublicAccessBlock",
        (Service::S3Control, "PutPublicAccessBlock" | "DeletePublicAccessBlock") => {
            "PutAccountPublicAccessBlock"
        }
        // Budgets has two permissions for all its operations.
        (Service::Budgets, _) if ask.reads() => "ViewBudget",
        (Service::Budgets, _) => "ModifyBudget",
        _ => operation,
    };
    format!("{service}:{action}")
}

/// The service whose own role the call makes where that is not there yet, and the role's name: the services' pages "Using service-linked
/// roles".
fn linked(ask: &Ask) -> Option<(&'static str, &'static str)> {
    Some(match (ask.service, ask.operation.as_str()) {
        (Service::AccessAnalyzer, "CreateAnalyzer") => {
            ("access-analyzer.amazonaws.com", "AWSServiceRoleForAccessAnalyzer")
        }
        (Service::GuardDuty, "CreateDetector") => {
            ("guardduty.amazonaws.com", "AWSServiceRoleForAmazonGuardDuty")
        }
        (Service::SecurityHub, "EnableSecurityHub") => {
            ("securityhub.amazonaws.com", "AWSServiceRoleForSecurityHub")
        }
        (Service::CloudTrail, "CreateTrail" | "UpdateTrail")
            if ask.flag("IsOrganizationTrail") == Some(true) =>
        {
            ("cloudtrail.amazonaws.com", "AWSServiceRoleForCloudTrail")
        }
        _ => return None,
    })
}

fn has_role(world: &World, account: &str, role: &str) -> bool {
    world.accounts.get(account).is_some_and(|account| account.service_linked_roles.contains(role))
}

/// What an accepted call leaves behind beside its answer: the role of the service.
pub(crate) fn accepted(world: &mut World, ask: &Ask) {
    if let Some((_, role)) = linked(ask)
        && let Some(account) = world.accounts.get_mut(&ask.caller.account)
    {
        account.service_linked_roles.insert(role.to_owned());
    }
}

/// Whether a statement of the document allows it.
fn grants(document: &Value, need: &Need) -> bool {
    let statements = document.get("Statement").and_then(Value::as_array);
    statements.into_iter().flatten().any(|statement| {
        let allows = statement.get("Effect").and_then(Value::as_str) == Some("Allow");
        let named = texts(statement.get("Action")).any(|action| action == need.permission);
        // What is about nothing that is told here is allowed on everything, or not at all.
        let about = need.resource.as_deref();
        let reached = texts(statement.get("Resource"))
            .any(|pattern| pattern == "*" || about.is_none_or(|about| matches(pattern, about)));
        allows && named && reached && holds(statement.get("Condition"), need)
    })
}

/// Whether a condition holds. One that is not known here never does.
fn holds(condition: Option<&Value>, need: &Need) -> bool {
    let operators = condition.and_then(Value::as_object);
    operators.into_iter().flatten().all(|(operator, keys)| {
        keys.as_object().is_some_and(|keys| {
            keys.iter().all(|(key, values)| {
                operator == "StringEquals"
                    && need.context.as_ref().is_some_and(|(known, value)| {
                        key == known && texts(Some(values)).any(|wanted| wanted == value)
                    })
            })
        })
    })
}

/// Whether a text fits a pattern in which `*` stands for any text.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, rest)) => text.strip_prefix(head).is_some_and(|text| {
            let places = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            places.filter_map(|at| text.get(at..)).any(|tail| matches(rest, tail))
        }),
    }
}

/// One text or several, as IAM lets them be written.
fn texts(value: Option<&Value>) -> impl Iterator<Item = &str> {
    let one = value.and_then(Value::as_str);
    let several = value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    one.into_iter().chain(several)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn passing(role: &str) -> Need {
        Need {
            context: Some(("iam:PassedToService", "config.amazonaws.com".to_owned())),
            resource: Some(format!("arn:aws:iam::222222222222:role/{role}")),
            ..Need::of("iam:PassRole")
        }
    }

    #[test]
    fn only_what_a_statement_allows_is_granted() {
        let document = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": ["ec2:DeleteVpc", "ec2:DescribeVpcs"], "Resource": "*"},
            {"Effect": "Deny", "Action": "ec2:DeleteSubnet", "Resource": "*"},
            {"Effect": "Allow", "Action": "iam:CreateServiceLinkedRole", "Resource": "*",
             "Condition": {"StringEquals": {"iam:AWSServiceName": ["guardduty.amazonaws.com"]}}},
            {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "arn:aws:iam::*:role/aws-service-role/*",
             "Condition": {"StringEquals": {"iam:PassedToService": "config.amazonaws.com"}}},
            {"Effect": "Allow", "Action": "ec2:CreateVpc", "Resource": "*",
             "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}},
        ]});
        let table = [
            (Need::of("ec2:DeleteVpc"), true),
            (Need::of("ec2:DeleteVpcs"), false),
            (Need::of("ec2:DeleteSubnet"), false),
            (Need::of("ec2:CreateVpc"), false),
            (Need::role_of("guardduty.amazonaws.com"), true),
            (Need::role_of("securityhub.amazonaws.com"), false),
            (passing("aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"), true),
            (passing("administrator"), false),
            (Need { context: None, ..passing("aws-service-role/x") }, false),
        ];
        for (need, expected) in table {
            assert_eq!(grants(&document, &need), expected, "{need:?}");
        }
        assert!(!grants(&json!({}), &Need::of("ec2:DeleteVpc")));
    }
}
