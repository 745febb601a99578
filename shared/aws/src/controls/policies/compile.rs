//! From what is asked to the statements of service control policies. Pure.
//!
//! Every statement denies, and every one spares the roles that could undo it: Landfall's own, those that set accounts up, and
//! break-glass. The conditions of one statement hold together: who is spared is not denied, whatever else is true.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use landfall_model::catalog::policies::Point;
use landfall_model::catalog::{ControlKind, allowed_regions, denied_services, protect_baseline};
use landfall_model::desired::Desired;
use landfall_model::manifest::{AwsCloud, AwsRoles};

use crate::endpoint::Partition;

/// Roles that set accounts up, spared whatever the manifest says: the one of Organizations, the one of Control Tower, and those
/// that StackSets make for themselves. Without them a member role that was lost could never be put back.
const BOOTSTRAP: [&str; 3] =
    ["OrganizationAccountAccessRole", "AWSControlTowerExecution", "stacksets-exec-*"];

/// Actions of services that are global, or that one region answers for all: they are not judged by region.
///
/// Source: AWS Organizations user guide, "General examples", Deny access to AWS based on the requested AWS Region, and AWS
/// Control Tower controls reference, the same title; read in November 2026. Narrower than both on purpose: a service that
/// answers in each region, such as KMS or Config, is bound like any other. ACM and WAFv2 stand here because CloudFront takes its
/// certificates and its rules from us-east-1 alone.
const GLOBAL: [&str; 67] = [
    "account:*",
    "acm:*",
    "activate:*",
    "artifact:*",
    "aws-marketplace-management:*",
    "aws-marketplace:*",
    "aws-portal:*",
    "bcm-data-exports:*",
    "billing:*",
    "billingconductor:*",
    "budgets:*",
    "ce:*",
    "chatbot:*",
    "cloudfront:*",
    "cloudtrail:LookupEvents",
    "consoleapp:*",
    "consolidatedbilling:*",
    "cost-optimization-hub:*",
    "cur:*",
    "directconnect:*",
    "ec2:DescribeRegions",
    "ec2:DescribeTransitGateways",
    "ec2:DescribeVpnGateways",
    "ecr-public:*",
    "fms:*",
    "freetier:*",
    "globalaccelerator:*",
    "health:*",
    "iam:*",
    "importexport:*",
    "invoicing:*",
    "iq:*",
    "networkmanager:*",
    "notifications-contacts:*",
    "notifications:*",
    "organizations:*",
    "payments:*",
    "pricing:*",
    "purchase-orders:*",
    "route53-recovery-cluster:*",
    "route53-recovery-control-config:*",
    "route53-recovery-readiness:*",
    "route53:*",
    "route53domains:*",
    "s3:CreateMultiRegionAccessPoint",
    "s3:DeleteMultiRegionAccessPoint",
    "s3:DescribeMultiRegionAccessPointOperation",
    "s3:GetAccountPublicAccessBlock",
    "s3:GetMultiRegionAccessPoint",
    "s3:GetMultiRegionAccessPointPolicy",
    "s3:GetMultiRegionAccessPointPolicyStatus",
    "s3:ListAllMyBuckets",
    "s3:ListMultiRegionAccessPoints",
    "s3:PutAccountPublicAccessBlock",
    "s3:PutMultiRegionAccessPointPolicy",
    "savingsplans:*",
    "shield:*",
    "sts:*",
    "support:*",
    "supportapp:*",
    "supportplans:*",
    "sustainability:*",
    "tag:GetResources",
    "tax:*",
    "trustedadvisor:*",
    "waf:*",
    "wafv2:*",
];

/// What changes a role, or who may assume it. Making one counts: a role with a spared name would be spared.
const ROLE_CHANGES: [&str; 13] = [
    "iam:AttachRolePolicy",
    "iam:CreateRole",
    "iam:DeleteRole",
    "iam:DeleteRolePermissionsBoundary",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:TagRole",
    "iam:UntagRole",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole",
    "iam:UpdateRoleDescription",
];

/// The same for a user that is spared.
const USER_CHANGES: [&str; 22] = [
    "iam:AddUserToGroup",
    "iam:AttachUserPolicy",
    "iam:CreateAccessKey",
    "iam:CreateLoginProfile",
    "iam:CreateServiceSpecificCredential",
    "iam:CreateUser",
    "iam:DeactivateMFADevice",
    "iam:DeleteLoginProfile",
    "iam:DeleteUser",
    "iam:DeleteUserPermissionsBoundary",
    "iam:DeleteUserPolicy",
    "iam:DetachUserPolicy",
    "iam:EnableMFADevice",
    "iam:PutUserPermissionsBoundary",
    "iam:PutUserPolicy",
    "iam:RemoveUserFromGroup",
    "iam:ResetServiceSpecificCredential",
    "iam:UpdateAccessKey",
    "iam:UpdateLoginProfile",
    "iam:UpdateUser",
    "iam:UploadSSHPublicKey",
    "iam:UploadSigningCertificate",
];

/// What takes away what the baseline rests on. Deleting S3's access block needs the permission to put it, and enabling the one
/// of snapshots can lower it from all sharing to new sharing.
const UNDOING: [&str; 18] = [
    "access-analyzer:DeleteAnalyzer",
    "account:CloseAccount",
    "account:DeleteAlternateContact",
    "account:PutAlternateContact",
    "budgets:ModifyBudget",
    "ec2:CreateDefaultSubnet",
    "ec2:CreateDefaultVpc",
    "ec2:DisableEbsEncryptionByDefault",
    "ec2:DisableImageBlockPublicAccess",
    "ec2:DisableSnapshotBlockPublicAccess",
    "ec2:EnableSnapshotBlockPublicAccess",
    "ec2:ModifyEbsDefaultKmsKeyId",
    "ec2:ModifyInstanceMetadataDefaults",
    "ec2:ResetEbsDefaultKmsKeyId",
    "iam:DeleteAccountPasswordPolicy",
    "iam:UpdateAccountPasswordPolicy",
    "organizations:LeaveOrganization",
    "s3:PutAccountPublicAccessBlock",
];

/// What a statement denies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Actions {
    /// These.
    Only(Vec<String>),
    /// All but these.
    AllBut(Vec<String>),
}

/// One statement, before it is put into a document. Denies, and spares whom every statement spares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    /// The control that asks for it.
    pub(super) control: Option<ControlKind>,
    /// Its `Sid`: letters and digits.
    pub(super) sid: String,
    pub(super) actions: Actions,
    /// On what; everything where empty.
    pub(super) resources: Vec<String>,
    /// Conditions beside the one that spares.
    pub(super) conditions: Map<String, Value>,
}

impl Statement {
    fn deny(control: Option<ControlKind>, sid: &str, actions: Actions) -> Self {
        Statement { control, sid: sid.to_owned(), actions, resources: Vec::new(), conditions: Map::new() }
    }

    /// As it stands in a document.
    pub(super) fn json(&self, spared: &[String]) -> Value {
        let Statement { control: _, sid, actions, resources, conditions } = self;
        let mut conditions = conditions.clone();
        conditions.insert("ArnNotLike".to_owned(), json!({"aws:PrincipalARN": spared}));
        let (element, actions) = match actions {
            Actions::Only(actions) => ("Action", actions),
            Actions::AllBut(actions) => ("NotAction", actions),
        };
        let resources = if resources.is_empty() { json!("*") } else { json!(resources) };
        json!({
            "Sid": sid,
            "Effect": "Deny",
            element: actions,
            "Resource": resources,
            "Condition": conditions,
        })
    }
}

/// Whom every deny spares, as patterns of ARNs, sorted. IAM principals have no region, and an account is any account: the roles
/// have the same name in all of them. The function's own role is that of one account.
pub(super) fn spared(ground: &AwsCloud, break_glass: &[String]) -> Vec<String> {
    let AwsRoles { read, write, controller, external_id: _, bootstrap } = &ground.roles;
    let partition = Partition::of_region(ground.home_region.as_str()).id;
    let roles = [read, write].into_iter().chain(bootstrap).map(String::as_str).chain(BOOTSTRAP);
    let roles = roles.map(|role| format!("role/{role}"));
    let controller = controller
        .iter()
        .map(|role| format!("arn:{partition}:iam::{}:role/{role}", ground.controller_account));
    let principals: BTreeSet<String> = roles
        .chain(controller)
        .chain(break_glass.iter().cloned())
        .map(|principal| match principal.starts_with("arn:") {
            true => principal,
            false => format!("arn:{partition}:iam::*:{principal}"),
        })
        .collect();
    principals.into_iter().collect()
}

/// The statements of one place, in catalog order. Whatever denies goes with what keeps its spared names from being taken.
pub(super) fn statements(point: &Point, spared: &[String]) -> Result<Vec<Statement>, String> {
    let mut statements = Vec::new();
    for (kind, settings) in &point.asks {
        match kind {
            ControlKind::AllowedRegions => statements.extend(regions(&read(*kind, settings)?)),
            ControlKind::DeniedServices => statements.extend(services(&read(*kind, settings)?)),
            ControlKind::ProtectBaseline => {
                let protect_baseline::Settings {} = read(*kind, settings)?;
                statements.extend(baseline(spared));
            }
            ControlKind::Units
            | ControlKind::Placement
            | ControlKind::QuarantineGate
            | ControlKind::Access
            | ControlKind::EnabledServices
            | ControlKind::Policies
            | ControlKind::AccountAlias
            | ControlKind::Tags
            | ControlKind::SecurityContacts
            | ControlKind::Budget
            | ControlKind::PasswordPolicy
            | ControlKind::NoRootKeys
            | ControlKind::RootMfa
            | ControlKind::ExternalAccessAnalysis
            | ControlKind::BlockPublicStorage
            | ControlKind::EncryptByDefault
            | ControlKind::BlockPublicSnapshots
            | ControlKind::BlockPublicImages
            | ControlKind::HardenedInstances
            | ControlKind::NoDefaultNetwork
            | ControlKind::ClosedDefaultSecurityGroups
            | ControlKind::RegionOptIn => return Err(format!("`{kind}` can't be compiled into a policy")),
        }
    }
    if !statements.is_empty() && !point.asks.contains_key(&ControlKind::ProtectBaseline) {
        statements.extend(guards(None, spared));
    }
    Ok(statements)
}

/// Nothing may be done by anybody who is not spared. The short sessions by which the organization removes root keys and passwords
/// centrally go on: only their requests carry the key.
///
/// Source: AWS Control Tower controls reference, Disallow actions as a root user, as it exempts AssumeRoot; read in November 2026.
pub(super) fn everything() -> Statement {
    let mut deny = Statement::deny(None, "LandfallQuarantine", Actions::Only(vec!["*".to_owned()]));
    deny.conditions.insert("Null".to_owned(), json!({"aws:AssumedRoot": "true"}));
    deny
}

fn read<T: DeserializeOwned>(kind: ControlKind, settings: &Value) -> Result<T, String> {
    serde_json::from_value(settings.clone())
        .map_err(|error| format!("the settings of `{kind}` can't be read: {error}"))
}

fn regions(want: &allowed_regions::Settings) -> Option<Statement> {
    let regions = want.aws.as_ref().filter(|regions| !regions.is_empty())?;
    let global = GLOBAL.map(str::to_owned).to_vec();
    let mut deny =
        Statement::deny(Some(ControlKind::AllowedRegions), "AllowedRegions", Actions::AllBut(global));
    let regions: BTreeSet<&String> = regions.iter().collect();
    deny.conditions.insert("StringNotEquals".to_owned(), json!({"aws:RequestedRegion": regions}));
    Some(deny)
}

fn services(want: &denied_services::Settings) -> Option<Statement> {
    let actions: BTreeSet<String> = want
        .aws
        .iter()
        .map(|denied| if denied.contains(':') { denied.clone() } else { format!("{denied}:*") })
        .collect();
    let actions = Actions::Only(actions.into_iter().collect());
    (!want.aws.is_empty())
        .then(|| Statement::deny(Some(ControlKind::DeniedServices), "DeniedServices", actions))
}

fn only(actions: &[&str]) -> Actions {
    Actions::Only(actions.iter().map(|&action| action.to_owned()).collect())
}

fn baseline(spared: &[String]) -> Vec<Statement> {
    let control = Some(ControlKind::ProtectBaseline);
    let undoing = Statement::deny(control, "ProtectBaseline", only(&UNDOING));
    [undoing].into_iter().chain(guards(control, spared)).collect()
}

/// What keeps the spared names from being taken: whoever could make or change a role or user of such a name would escape every
/// deny. `control` is who asks for it; nobody where it only goes with another deny.
fn guards(control: Option<ControlKind>, spared: &[String]) -> Vec<Statement> {
    let of = |kind: &str| -> Vec<String> {
        spared.iter().filter(|arn| arn.contains(kind) && arn.contains(":iam:")).cloned().collect()
    };
    let guarded = [
        ("ProtectSparedRoles", &ROLE_CHANGES[..], of(":role/")),
        ("ProtectSparedUsers", &USER_CHANGES, of(":user/")),
    ];
    guarded
        .into_iter()
        .filter(|(_, _, resources)| !resources.is_empty())
        .map(|(sid, changes, resources)| Statement {
            resources,
            ..Statement::deny(control, sid, only(changes))
        })
        .collect()
}

/// Whom every deny of a target spares.
pub(super) fn spared_by(desired: &Desired) -> Vec<String> {
    super::super::ground(desired).map(|ground| spared(ground, &desired.break_glass)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::landscape::Landscape;
    use crate::controls::policies::points;

    fn compiled(account: &str, unit: &str) -> Vec<Value> {
        let desired = Landscape::adopted(account).desired;
        let spared = spared_by(&desired);
        let points = points(&desired);
        let point =
            points.iter().find(|point| crate::controls::policies::resource(&point.at) == unit).unwrap();
        statements(point, &spared).unwrap().iter().map(|statement| statement.json(&spared)).collect()
    }

    const SPARED: [&str; 6] = [
        "arn:aws:iam::*:role/AWSControlTowerExecution",
        "arn:aws:iam::*:role/OrganizationAccountAccessRole",
        "arn:aws:iam::*:role/break-glass",
        "arn:aws:iam::*:role/landfall-read",
        "arn:aws:iam::*:role/landfall-write",
        "arn:aws:iam::*:role/stacksets-exec-*",
    ];

    #[test]
    fn every_statement_denies_and_spares_who_could_undo_it() {
        let mut all = compiled("222222222222", "workloads");
        all.extend(compiled("222222222222", "workloads/production"));
        let spared = spared_by(&Landscape::adopted("222222222222").desired);
        all.push(everything().json(&spared));
        assert_eq!(all.len(), 6);
        for statement in &all {
            assert_eq!(statement["Effect"], "Deny");
            assert_eq!(statement["Condition"]["ArnNotLike"]["aws:PrincipalARN"], json!(SPARED));
            let sid = statement["Sid"].as_str().unwrap();
            assert!(sid.bytes().all(|b| b.is_ascii_alphanumeric()), "{sid}");
        }
    }

    #[test]
    fn spared_principals_are_of_the_partition_and_an_arn_stays_as_it_is() {
        let mut desired = Landscape::adopted("222222222222").desired;
        let landfall_model::manifest::Cloud::Aws(ground) = &mut desired.ground else { panic!("not AWS") };
        ground.home_region = "cn-north-1".parse().unwrap();
        ground.roles.bootstrap = vec!["setup".to_owned()];
        desired.break_glass = vec!["user/ada".to_owned(), "arn:aws-cn:iam::1:role/x/y".to_owned()];
        assert_eq!(
            spared_by(&desired),
            [
                "arn:aws-cn:iam::*:role/AWSControlTowerExecution",
                "arn:aws-cn:iam::*:role/OrganizationAccountAccessRole",
                "arn:aws-cn:iam::*:role/landfall-read",
                "arn:aws-cn:iam::*:role/landfall-write",
                "arn:aws-cn:iam::*:role/setup",
                "arn:aws-cn:iam::*:role/stacksets-exec-*",
                "arn:aws-cn:iam::*:user/ada",
                "arn:aws-cn:iam::1:role/x/y",
            ]
        );
        let users = baseline(&spared_by(&desired));
        assert_eq!(users[2].sid, "ProtectSparedUsers");
        assert_eq!(users[2].resources, ["arn:aws-cn:iam::*:user/ada"]);
        assert!(users[1].resources.contains(&"arn:aws-cn:iam::1:role/x/y".to_owned()));
    }

    #[test]
    fn outside_the_regions_everything_but_the_global_services_is_denied() {
        let regions = &compiled("222222222222", "workloads")[0];
        assert_eq!(
            regions["Condition"]["StringNotEquals"]["aws:RequestedRegion"],
            json!(["eu-central-1", "eu-west-1"])
        );
        assert!(regions.get("Action").is_none());
        let global = regions["NotAction"].as_array().unwrap();
        assert!(global.contains(&json!("iam:*")) && !global.contains(&json!("kms:*")));
        assert!(GLOBAL.is_sorted());
    }

    #[test]
    fn a_denied_service_is_all_of_its_actions_and_an_action_is_itself() {
        let services = &compiled("222222222222", "workloads/production")[0];
        assert_eq!(services["Action"], json!(["iam:CreateUser", "lightsail:*"]));
        assert_eq!(services["Resource"], "*");
    }

    #[test]
    fn the_baseline_and_the_roles_that_hold_it_are_protected() {
        assert!(UNDOING.is_sorted() && ROLE_CHANGES.is_sorted() && USER_CHANGES.is_sorted());
        let baseline = &compiled("222222222222", "workloads")[1..];
        assert_eq!(baseline[0]["Action"], json!(UNDOING));
        assert_eq!(baseline[1]["Action"], json!(ROLE_CHANGES));
        assert_eq!(baseline[1]["Resource"], json!(SPARED));
    }

    #[test]
    fn a_deny_goes_with_what_keeps_its_spared_names_from_being_taken() {
        let sids = |statements: &[Statement]| -> Vec<(String, Option<ControlKind>)> {
            statements.iter().map(|one| (one.sid.clone(), one.control)).collect()
        };
        let of = |asks: &[(ControlKind, Value)]| {
            let point = Point {
                at: landfall_model::catalog::policies::At::Unit("workloads".parse().unwrap()),
                own: true,
                owner: None,
                asks: asks.iter().cloned().collect(),
            };
            statements(&point, &["arn:aws:iam::*:role/ours".to_owned(), "arn:aws:iam::*:user/ada".to_owned()])
                .unwrap()
        };
        let denied = (ControlKind::DeniedServices, json!({"aws": ["lightsail"], "azure": [], "gcp": []}));
        let protect = (ControlKind::ProtectBaseline, json!({}));
        let guarded = |by| vec![("ProtectSparedRoles".to_owned(), by), ("ProtectSparedUsers".to_owned(), by)];
        let services = vec![("DeniedServices".to_owned(), Some(ControlKind::DeniedServices))];
        let baseline = vec![("ProtectBaseline".to_owned(), Some(ControlKind::ProtectBaseline))];

        let alone = of(std::slice::from_ref(&denied));
        assert_eq!(sids(&alone), [services.clone(), guarded(None)].concat());
        assert_eq!(alone[1].actions, only(&ROLE_CHANGES));
        assert_eq!(alone[1].resources, ["arn:aws:iam::*:role/ours"]);
        assert_eq!(alone[2].actions, only(&USER_CHANGES));
        assert_eq!(alone[2].resources, ["arn:aws:iam::*:user/ada"]);
        // Where the baseline is protected they are there already, once.
        let whole = guarded(Some(ControlKind::ProtectBaseline));
        assert_eq!(sids(&of(&[denied, protect])), [services, baseline, whole].concat());
        // What denies nothing needs none.
        let nothing = json!({"aws": [], "azure": ["Microsoft.Sql/servers"], "gcp": []});
        assert_eq!(of(&[(ControlKind::DeniedServices, nothing)]), []);
        assert_eq!(of(&[]), []);
    }

    #[test]
    fn all_of_it_fits_where_least_does() {
        let spared: Vec<String> =
            SPARED.iter().map(|arn| arn.replace("arn:aws:", "arn:aws-us-gov:")).collect();
        let regions = json!({"aws": ["us-gov-east-1", "us-gov-west-1"]});
        let services = json!({"aws": ["lightsail"], "azure": [], "gcp": []});
        for more in [None, Some((ControlKind::ProtectBaseline, json!({})))] {
            let point = Point {
                at: landfall_model::catalog::policies::At::Unit("workloads".parse().unwrap()),
                own: true,
                owner: None,
                asks: [
                    (ControlKind::AllowedRegions, regions.clone()),
                    (ControlKind::DeniedServices, services.clone()),
                ]
                .into_iter()
                .chain(more)
                .collect(),
            };
            let quota = crate::controls::policies::quota::Quota::of(Partition::of_region("us-gov-west-1"));
            let statements = statements(&point, &spared).unwrap();
            let documents =
                crate::controls::policies::pack::pack("landfall-workloads", statements, &spared, quota)
                    .unwrap();
            assert!(documents.len() <= 2, "{}", documents.len());
        }
    }

    #[test]
    fn the_gate_alone_lets_the_organization_s_root_sessions_through() {
        let spared = spared_by(&Landscape::adopted("222222222222").desired);
        let gate = everything().json(&spared);
        assert_eq!(gate["Action"], json!(["*"]));
        assert_eq!(gate["Resource"], "*");
        // The key is there in no other request: where it is absent, the deny holds.
        assert_eq!(
            gate["Condition"],
            json!({"ArnNotLike": {"aws:PrincipalARN": spared}, "Null": {"aws:AssumedRoot": "true"}})
        );
        for statement in compiled("222222222222", "workloads") {
            assert!(statement["Condition"].get("Null").is_none(), "{statement}");
        }
    }

    #[test]
    fn the_function_s_own_role_is_spared_in_its_account_alone() {
        let mut desired = Landscape::adopted("222222222222").desired;
        assert_eq!(spared_by(&desired), SPARED);
        let landfall_model::manifest::Cloud::Aws(ground) = &mut desired.ground else { panic!("not AWS") };
        ground.roles.controller = Some("landfall-function".to_owned());
        let own = "arn:aws:iam::333333333333:role/landfall-function".to_owned();
        let mut with: Vec<String> = SPARED.map(str::to_owned).to_vec();
        with.push(own.clone());
        with.sort();
        assert_eq!(spared_by(&desired), with);
        assert!(baseline(&with)[1].resources.contains(&own), "nobody takes its name either");
    }

    #[test]
    fn a_list_that_is_empty_or_absent_denies_nothing() {
        assert_eq!(regions(&allowed_regions::Settings { aws: None, azure: None, gcp: None }), None);
        assert_eq!(regions(&allowed_regions::Settings { aws: Some(vec![]), azure: None, gcp: None }), None);
        assert_eq!(services(&denied_services::Settings { aws: vec![], azure: vec![], gcp: vec![] }), None);
    }
}
