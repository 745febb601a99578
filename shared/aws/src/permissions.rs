//! What the two roles have to permit on AWS, and the document that says so.
//!
//! The same two roles are in every account: what concerns the organization is called in the management account, by the role of that
//! name there. Being asked who one is (`sts:GetCallerIdentity`) takes no permission.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use landfall_engine::permissions::{Errand, Needed, Needer, Purpose};
use landfall_model::catalog::ControlKind;
use landfall_model::manifest::{AwsCloud, Mode};

use crate::endpoint::Partition;
use crate::{controls, directory, doctor};

/// What is done whatever the manifest asks.
pub const ERRANDS: [Errand; 2] = [directory::ERRAND, doctor::ERRAND];

/// What a role needs for controls in their modes, beside the errands.
pub fn needed(purpose: Purpose, controls: &BTreeMap<ControlKind, Mode>) -> Needed {
    Needed::of_controls::<controls::Aws>(purpose, &ERRANDS, controls)
}

/// Making a role of a service of AWS's own: the one permission that says for which service it may be used.
pub const SERVICE_LINKED_ROLE: &str = "iam:CreateServiceLinkedRole";

/// Handing a role to a service: whoever may do so with every role may do through a service what its strongest role may, so the one role
/// that is handed over is named. AWS Config takes its own (Service Authorization Reference, PutConfigurationRecorder).
pub const PASS_ROLE: &str = "iam:PassRole";

/// Permissions that are narrowed to roles, each in a statement of its own.
pub const NARROWED: [&str; 2] = [PASS_ROLE, SERVICE_LINKED_ROLE];
const PASSED: (&str, &str) =
    ("aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig", "config.amazonaws.com");

/// The services whose own roles a control makes come to be, with the first setting that needs them. Services by their pages "Using
/// service-linked roles for …": CloudTrail, IAM Access Analyzer, GuardDuty (which has two), Security Hub, Config.
fn services(control: ControlKind) -> &'static [&'static str] {
    const TABLE: [(ControlKind, &[&str]); 5] = [
        (ControlKind::AuditLog, &["cloudtrail.amazonaws.com"]),
        (ControlKind::ExternalAccessAnalysis, &["access-analyzer.amazonaws.com"]),
        (
            ControlKind::ThreatDetection,
            &["guardduty.amazonaws.com", "malware-protection.guardduty.amazonaws.com"],
        ),
        (ControlKind::StandardsAssessment, &["securityhub.amazonaws.com"]),
        (ControlKind::ConfigurationRecording, &["config.amazonaws.com"]),
    ];
    TABLE.iter().find(|(kind, _)| *kind == control).map_or(&[], |(_, services)| services)
}

/// The services whose own roles come to be where all of that is done.
pub fn linked_services(needed: &Needed) -> BTreeSet<&'static str> {
    let needers = needed.0.get(SERVICE_LINKED_ROLE);
    let services = needers.into_iter().flatten().flat_map(|needer| match needer {
        Needer::Control(kind) => services(*kind),
        Needer::Errand(_) => &[],
    });
    services.copied().collect()
}

/// Whether it is used in the management account alone: Organizations and Identity Center are there.
pub fn of_the_organization(permission: &str) -> bool {
    ["organizations:", "sso:", "identitystore:"].iter().any(|service| permission.starts_with(service))
}

/// The partition of a manifest's AWS: its home region says which.
pub fn partition(ground: &AwsCloud) -> &'static str {
    Partition::of_region(ground.home_region.as_str()).id
}

/// An identity policy that allows what is needed and nothing else: one statement a service.
///
/// Resources are `*`: most of these actions know no narrower one (Service Authorization Reference), and the rest concern whatever is in
/// the account, such as every default network. Only roles of services are named by what they may be.
pub fn policy(needed: &Needed, partition: &str) -> Value {
    let mut by_service: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for permission in needed.permissions().filter(|permission| !NARROWED.contains(permission)) {
        let service = permission.split(':').next().unwrap_or_default();
        by_service.entry(service).or_default().push(permission);
    }
    let mut statements: Vec<Value> = by_service
        .into_iter()
        .map(|(service, actions)| {
            json!({"Sid": sid(service), "Effect": "Allow", "Action": actions, "Resource": "*"})
        })
        .collect();
    if needed.permissions().any(|permission| permission == PASS_ROLE) {
        let (role, service) = PASSED;
        statements.push(json!({
            "Sid": "PassedRoles",
            "Effect": "Allow",
            "Action": [PASS_ROLE],
            "Resource": format!("arn:{partition}:iam::*:role/{role}"),
            "Condition": {"StringEquals": {"iam:PassedToService": service}},
        }));
    }
    let linked = linked_services(needed);
    if !linked.is_empty() {
        statements.push(json!({
            "Sid": "ServiceLinkedRoles",
            "Effect": "Allow",
            "Action": [SERVICE_LINKED_ROLE],
            "Resource": format!("arn:{partition}:iam::*:role/aws-service-role/*"),
            "Condition": {"StringEquals": {"iam:AWSServiceName": linked}},
        }));
    }
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// `access-analyzer` as the id of a statement, which takes letters and digits only.
fn sid(service: &str) -> String {
    let capital = |word: &str| match word.split_at_checked(1) {
        Some((first, rest)) => format!("{}{rest}", first.to_ascii_uppercase()),
        None => String::new(),
    };
    service.split('-').map(capital).collect()
}

#[cfg(test)]
mod tests {
    use landfall_engine::permissions::whole_catalog;

    use super::*;

    fn asked(kinds: &[ControlKind]) -> BTreeMap<ControlKind, Mode> {
        kinds.iter().map(|kind| (*kind, Mode::Repair)).collect()
    }

    #[test]
    fn a_role_to_look_with_can_only_look() {
        let looks = ["Get", "List", "Describe", "View"];
        for permission in needed(Purpose::Plan, &whole_catalog()).permissions() {
            let (_, action) = permission.split_once(':').unwrap();
            assert!(looks.iter().any(|word| action.starts_with(word)), "{permission}");
        }
    }

    #[test]
    fn who_may_make_roles_of_services_is_told_of_which() {
        let of = |kinds: &[ControlKind]| policy(&needed(Purpose::Apply, &asked(kinds)), "aws-cn");
        let linked = |policy: &Value| {
            let statements = policy["Statement"].as_array().unwrap().clone();
            statements.into_iter().find(|one| one["Sid"] == "ServiceLinkedRoles")
        };
        assert_eq!(linked(&of(&[ControlKind::Tags])), None);
        let both =
            linked(&of(&[ControlKind::ExternalAccessAnalysis, ControlKind::StandardsAssessment])).unwrap();
        assert_eq!(both["Resource"], "arn:aws-cn:iam::*:role/aws-service-role/*");
        assert_eq!(
            both["Condition"]["StringEquals"]["iam:AWSServiceName"],
            json!(["access-analyzer.amazonaws.com", "securityhub.amazonaws.com"])
        );
    }

    #[test]
    fn only_config_s_own_role_may_be_handed_over_and_to_config_alone() {
        let of = |kinds: &[ControlKind]| policy(&needed(Purpose::Apply, &asked(kinds)), "aws");
        let passes = |policy: &Value| {
            let statements = policy["Statement"].as_array().unwrap().clone();
            let named = |one: &Value| one["Action"].as_array().unwrap().contains(&json!(PASS_ROLE));
            statements.into_iter().filter(named).collect::<Vec<_>>()
        };
        assert_eq!(passes(&of(&[ControlKind::Tags])), [Value::Null; 0]);
        let [passed] = &passes(&of(&[ControlKind::ConfigurationRecording]))[..] else {
            panic!("one statement")
        };
        let role = "arn:aws:iam::*:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig";
        assert_eq!(passed["Resource"], role);
        assert_eq!(passed["Condition"]["StringEquals"]["iam:PassedToService"], "config.amazonaws.com");
    }

    #[test]
    fn who_declares_to_make_roles_of_services_says_of_which() {
        for kind in ControlKind::ALL {
            let makes = controls::permissions(*kind)
                .is_some_and(|needs| [needs.read, needs.write].concat().contains(&SERVICE_LINKED_ROLE));
            assert_eq!(makes, !services(*kind).is_empty(), "{kind}");
        }
    }

    #[test]
    fn a_service_is_a_statement() {
        let document = policy(&needed(Purpose::Plan, &asked(&[ControlKind::ExternalAccessAnalysis])), "aws");
        let sids: Vec<&str> = document["Statement"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["Sid"].as_str().unwrap())
            .collect();
        assert_eq!(sids, ["AccessAnalyzer", "Organizations"]);
    }
}
