//! From what is asked to the statements of service control policies. Pure.
//!
//! Every statement denies, and every one spares the roles that could undo it: Landfall's own, those that set accounts up, and
//! break-glass. The conditions of one statement hold together: who is spared is not denied, whatever else is true.

mod own;

pub(super) use own::Home;

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

/// What changes a role, or who may assume it. Making one counts: a role with a spared name would be spared. So does passing one, since
/// whoever gives it to a function of their own acts as that role.
const ROLE_CHANGES: [&str; 14] = [
    "iam:AttachRolePolicy",
    "iam:CreateRole",
    "iam:DeleteRole",
    "iam:DeleteRolePermissionsBoundary",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:PassRole",
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
/// of snapshots can lower it from all sharing to new sharing. A detector is suspended by updating it, and a trail that selects no
/// events writes nothing down. A recorder that is changed is put right: whoever set AWS Config up for themselves can go on. The administrators of GuardDuty and Security Hub had another name, whose action still works.
const UNDOING: [&str; 33] = [
    "access-analyzer:DeleteAnalyzer",
    "account:CloseAccount",
    "account:DeleteAlternateContact",
    "account:PutAlternateContact",
    "budgets:ModifyBudget",
    "cloudtrail:DeleteTrail",
    "cloudtrail:PutEventSelectors",
    "cloudtrail:StopLogging",
    "cloudtrail:UpdateTrail",
    "config:DeleteConfigurationRecorder",
    "config:DeleteDeliveryChannel",
    "config:StopConfigurationRecorder",
    "ec2:CreateDefaultSubnet",
    "ec2:CreateDefaultVpc",
    "ec2:DisableEbsEncryptionByDefault",
    "ec2:DisableImageBlockPublicAccess",
    "ec2:DisableSnapshotBlockPublicAccess",
    "ec2:EnableSnapshotBlockPublicAccess",
    "ec2:ModifyEbsDefaultKmsKeyId",
    "ec2:ModifyInstanceMetadataDefaults",
    "ec2:ResetEbsDefaultKmsKeyId",
    "guardduty:DeleteDetector",
    "guardduty:DisassociateFromAdministratorAccount",
    "guardduty:DisassociateFromMasterAccount",
    "guardduty:UpdateDetector",
    "iam:DeleteAccountPasswordPolicy",
    "iam:UpdateAccountPasswordPolicy",
    "organizations:LeaveOrganization",
    "s3:PutAccountPublicAccessBlock",
    "securityhub:BatchDisableStandards",
    "securityhub:DisableSecurityHub",
    "securityhub:DisassociateFromAdministratorAccount",
    "securityhub:DisassociateFromMasterAccount",
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
pub(super) fn statements(point: &Point, home: &Home, spared: &[String]) -> Result<Vec<Statement>, String> {
    let mut statements = Vec::new();
    for (kind, settings) in &point.asks {
        match kind {
            ControlKind::AllowedRegions => statements.extend(regions(&read(*kind, settings)?)),
            ControlKind::DeniedServices => statements.extend(services(&read(*kind, settings)?)),
            ControlKind::ProtectBaseline => {
                let protect_baseline::Settings {} = read(*kind, settings)?;
                statements.extend(baseline(home, spared));
            }
            ControlKind::Units
            | ControlKind::Placement
            | ControlKind::QuarantineGate
            | ControlKind::Access
            | ControlKind::EnabledServices
            | ControlKind::Policies
            | ControlKind::OrganizationPolicies
            | ControlKind::BillingAccount
            | ControlKind::ResourceTags
            | ControlKind::AccountAlias
            | ControlKind::Tags
            | ControlKind::SecurityContacts
            | ControlKind::Budget
            | ControlKind::ResourceLocks
            | ControlKind::AuditLog
            | ControlKind::ConfigurationRecording
            | ControlKind::ThreatDetection
            | ControlKind::ServiceAlerts
            | ControlKind::StandardsAssessment
            | ControlKind::PasswordPolicy
            | ControlKind::NoRootKeys
            | ControlKind::RootMfa
            | ControlKind::ExternalAccessAnalysis
            | ControlKind::DefaultServiceAccounts
            | ControlKind::ServiceAccounts
            | ControlKind::Federation
            | ControlKind::BlockPublicStorage
            | ControlKind::EncryptByDefault
            | ControlKind::BlockPublicSnapshots
            | ControlKind::BlockPublicImages
            | ControlKind::HardenedInstances
            | ControlKind::NoDefaultNetwork
            | ControlKind::ClosedDefaultSecurityGroups
            | ControlKind::AccessApproval
            | ControlKind::RegionOptIn => return Err(format!("`{kind}` can't be compiled into a policy")),
        }
    }
    if !statements.is_empty() && !point.asks.contains_key(&ControlKind::ProtectBaseline) {
        statements.extend(guards(None, None, spared));
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

fn baseline(home: &Home, spared: &[String]) -> Vec<Statement> {
    let control = Some(ControlKind::ProtectBaseline);
    let undoing = Statement::deny(control, "ProtectBaseline", only(&UNDOING));
    let guards = guards(control, home.roles(), spared);
    [undoing].into_iter().chain(guards).chain(home.statements(control)).collect()
}

/// What keeps the spared names from being taken: whoever could make or change a role or user of such a name would escape every
/// deny. `control` is who asks for it; nobody where it only goes with another deny. `more` are roles that are guarded and not spared.
fn guards(control: Option<ControlKind>, more: Option<String>, spared: &[String]) -> Vec<Statement> {
    let of = |kind: &str| -> Vec<String> {
        spared.iter().filter(|arn| arn.contains(kind) && arn.contains(":iam:")).cloned().collect()
    };
    let guarded = [
        ("ProtectSparedRoles", &ROLE_CHANGES[..], of(":role/").into_iter().chain(more).collect()),
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
mod tests;
