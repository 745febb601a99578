//! Landfall itself under the policies: where it runs, its administrators can't change it, and go on as ever with what is not its own.

use std::sync::Arc;

use landfall_engine::store::memory::MemoryStore;
use landfall_tests::stage::{ACME, Stage, world};
use serde_json::{Value, json};

use super::{ACCOUNT, ALLOWED, DENIED, Request, disturbed, holds, levels, request, surprises};

/// No service control policy denies it; but no policy of the key, or of what is another account's, lets anybody in either.
const NOT_GRANTED: &str = "ImplicitlyDenied";

/// The account of the tests is the one that the function runs in, and the manifest does not say what the function's role is called.
const AT_HOME: &str = "\n    controller-account: \"222222222222\"\n    home-region: eu-central-1";

/// What its templates make there, with what changes it and what nobody need be denied.
const OWN: [(&str, &[&str], &[&str]); 14] = [
    (
        "arn:aws:lambda:eu-central-1:222222222222:function:landfall-Function-1X",
        &[
            "lambda:AddPermission",
            "lambda:CreateFunctionUrlConfig",
            "lambda:DeleteFunction",
            "lambda:DeleteFunctionConcurrency",
            "lambda:DeleteFunctionEventInvokeConfig",
            "lambda:PutFunctionConcurrency",
            "lambda:RemovePermission",
            "lambda:UpdateFunctionCode",
            "lambda:UpdateFunctionConfiguration",
        ],
        &[
            "lambda:GetFunction",
            "lambda:GetFunctionConfiguration",
            "lambda:InvokeFunction",
            "lambda:ListTags",
        ],
    ),
    (
        "arn:aws:sqs:eu-central-1:222222222222:landfall-Queue-1X",
        &[
            "sqs:AddPermission",
            "sqs:DeleteQueue",
            "sqs:PurgeQueue",
            "sqs:RemovePermission",
            "sqs:SetQueueAttributes",
        ],
        &[
            "sqs:GetQueueAttributes",
            "sqs:ReceiveMessage",
            "sqs:DeleteMessage",
            "sqs:SendMessage",
            "sqs:StartMessageMoveTask",
        ],
    ),
    (
        "arn:aws:s3:::landfall-records-1x",
        &[
            "s3:DeleteBucket",
            "s3:DeleteBucketPolicy",
            "s3:PutBucketObjectLockConfiguration",
            "s3:PutBucketPolicy",
            "s3:PutBucketPublicAccessBlock",
            "s3:PutBucketVersioning",
            "s3:PutEncryptionConfiguration",
            "s3:PutLifecycleConfiguration",
            "s3:PutReplicationConfiguration",
        ],
        &["s3:GetBucketPolicy", "s3:ListBucket"],
    ),
    (
        "arn:aws:s3:::landfall-records-1x/store/ledger/1",
        &[
            "s3:BypassGovernanceRetention",
            "s3:DeleteObject",
            "s3:DeleteObjectVersion",
            "s3:PutObjectRetention",
        ],
        &["s3:GetObject", "s3:PutObject"],
    ),
    (
        "arn:aws:events:eu-central-1:222222222222:event-bus/landfall",
        &["events:DeleteEventBus", "events:UpdateEventBus"],
        &["events:DescribeEventBus", "events:PutEvents"],
    ),
    (
        "arn:aws:events:eu-central-1:222222222222:rule/landfall/landfall-TenantEvents-1X",
        &[
            "events:DeleteRule",
            "events:DisableRule",
            "events:PutRule",
            "events:PutTargets",
            "events:RemoveTargets",
        ],
        &["events:DescribeRule", "events:ListTargetsByRule"],
    ),
    (
        "arn:aws:scheduler:eu-central-1:222222222222:schedule/default/landfall-Schedule-1X",
        &["scheduler:DeleteSchedule", "scheduler:UpdateSchedule"],
        &["scheduler:GetSchedule"],
    ),
    (
        "arn:aws:logs:eu-central-1:222222222222:log-group:/landfall/landfall",
        &[
            "logs:DeleteLogGroup",
            "logs:DeleteMetricFilter",
            "logs:DeleteRetentionPolicy",
            "logs:DisassociateKmsKey",
            "logs:PutMetricFilter",
            "logs:PutRetentionPolicy",
        ],
        &["logs:DescribeLogStreams", "logs:FilterLogEvents"],
    ),
    (
        "arn:aws:cloudwatch:eu-central-1:222222222222:alarm:landfall-SweepMissed-1X",
        &[
            "cloudwatch:DeleteAlarms",
            "cloudwatch:DisableAlarmActions",
            "cloudwatch:PutMetricAlarm",
            "cloudwatch:SetAlarmState",
        ],
        &["cloudwatch:DescribeAlarmHistory", "cloudwatch:EnableAlarmActions"],
    ),
    (
        "arn:aws:sns:eu-central-1:222222222222:landfall-Topic-1X",
        &["sns:AddPermission", "sns:DeleteTopic", "sns:RemovePermission", "sns:SetTopicAttributes"],
        &["sns:GetTopicAttributes", "sns:Publish", "sns:Subscribe"],
    ),
    (
        "arn:aws:cloudformation:eu-central-1:222222222222:stack/landfall/0a1b",
        &[
            "cloudformation:DeleteStack",
            "cloudformation:ExecuteChangeSet",
            "cloudformation:SetStackPolicy",
            "cloudformation:UpdateStack",
            "cloudformation:UpdateTerminationProtection",
        ],
        &["cloudformation:DescribeStacks", "cloudformation:DetectStackDrift"],
    ),
    ("arn:aws:kms:eu-central-1:222222222222:alias/landfall", &["kms:DeleteAlias", "kms:UpdateAlias"], &[]),
    (
        "arn:aws:iam::222222222222:role/landfall-ScheduleRole-1X",
        &[
            "iam:DeleteRole",
            "iam:DeleteRolePolicy",
            "iam:PassRole",
            "iam:PutRolePolicy",
            "iam:UpdateAssumeRolePolicy",
        ],
        &["iam:GetRole"],
    ),
    (
        "arn:aws:iam::222222222222:policy/landfall-Writing-1X",
        &[
            "iam:CreatePolicyVersion",
            "iam:DeletePolicy",
            "iam:DeletePolicyVersion",
            "iam:SetDefaultPolicyVersion",
        ],
        &["iam:GetPolicyVersion", "iam:ListPolicyVersions"],
    ),
];

/// Whoever administers the account that the function runs in.
fn at_home(levels: &Value) -> Vec<Request> {
    let ask = |role: &str, action, expected| request(levels, ACCOUNT, role, action, "eu-central-1", expected);
    let mut requests = Vec::new();
    for (resource, changes, others) in OWN {
        for action in changes.iter().copied() {
            requests.push(ask("admin", action, DENIED).on(resource.to_owned()));
            for spared in ["landfall-write", "break-glass", "stacksets-exec-0a1b"] {
                requests.push(ask(spared, action, ALLOWED).on(resource.to_owned()));
            }
            // What somebody else made there.
            let theirs = resource.replace("landfall", "website");
            requests.push(ask("admin", action, ALLOWED).on(theirs));
        }
        for action in others.iter().copied() {
            requests.push(ask("admin", action, ALLOWED).on(resource.to_owned()));
        }
    }
    // A name counts in this account only, and a bucket's does not say whose it is.
    let function = "arn:aws:lambda:eu-central-1:444444444444:function:landfall-erosion";
    let elsewhere = |asked: Request, resource: &str| asked.on(resource.to_owned()).of("444444444444");
    requests.push(elsewhere(ask("admin", "lambda:UpdateFunctionCode", NOT_GRANTED), function));
    requests.push(elsewhere(ask("admin", "s3:DeleteBucket", NOT_GRANTED), "arn:aws:s3:::landfall-erosion"));
    // But for what the stack set brings to every account.
    for (action, resource) in [
        (
            "cloudformation:DeleteStack",
            "arn:aws:cloudformation:us-east-1:444444444444:stack/StackSet-landfall-member-roles-0a1b/1",
        ),
        (
            "cloudformation:UpdateStack",
            "arn:aws:cloudformation:us-east-1:444444444444:stack/StackSet-landfall-member-roles-0a1b/1",
        ),
    ] {
        requests.push(elsewhere(ask("admin", action, DENIED), resource));
    }
    let policy = "arn:aws:iam::222222222222:policy/StackSet-landfall-member-roles-0a1b-Writing-1X";
    requests.push(ask("admin", "iam:CreatePolicyVersion", DENIED).on(policy.to_owned()));

    // The key is known by its aliases, and what feeds the function by the function.
    let key = || "arn:aws:kms:eu-central-1:222222222222:key/0a1b".to_owned();
    let called = |action, expected, aliases: &[&str]| {
        ask("admin", action, expected).on(key()).with("kms:ResourceAliases", json!(aliases))
    };
    for action in ["kms:DisableKey", "kms:DisableKeyRotation", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"]
    {
        requests.push(called(action, DENIED, &["alias/landfall"]));
        requests.push(called(action, DENIED, &["alias/another", "alias/landfall"]));
        requests.push(called(action, NOT_GRANTED, &["alias/website"]));
        requests.push(ask("admin", action, NOT_GRANTED).on(key()));
    }
    for action in ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"] {
        requests.push(called(action, NOT_GRANTED, &["alias/landfall"]));
    }
    let mapping = || "arn:aws:lambda:eu-central-1:222222222222:event-source-mapping:0a1b".to_owned();
    let feeds = |asked: Request, name: &str| {
        let function = format!("arn:aws:lambda:eu-central-1:222222222222:function:{name}");
        asked.with("lambda:FunctionArn", json!(function))
    };
    for action in ["lambda:DeleteEventSourceMapping", "lambda:UpdateEventSourceMapping"] {
        requests.push(feeds(ask("admin", action, DENIED).on(mapping()), "landfall-Function-1X"));
        requests.push(feeds(ask("admin", action, ALLOWED).on(mapping()), "website"));
    }
    requests.push(feeds(ask("admin", "lambda:CreateEventSourceMapping", DENIED), "landfall-Function-1X"));
    requests.push(feeds(ask("admin", "lambda:CreateEventSourceMapping", ALLOWED), "website"));
    requests
}

async fn swept_at_home() -> Value {
    let manifest = ACME.replace("\n    home-region: eu-central-1", AT_HOME);
    assert_ne!(manifest, ACME);
    let stage = Stage::of(world(2), &manifest, Arc::new(MemoryStore::new())).await;
    stage.sweep().await;
    // Landfall does not move the account that it runs in: people do.
    stage.simulator.edit(|world| {
        let organization = &mut world.organization;
        let unit = organization.units.values().find(|unit| unit.name == "production").unwrap().id.clone();
        organization.members.get_mut(ACCOUNT).unwrap().parent = unit;
    });
    stage.simulator.read(|world| levels(world, ACCOUNT))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_landfall_runs_its_administrators_can_t_change_it() {
    let levels = swept_at_home().await;
    let requests = at_home(&levels);
    holds(&requests);
    // The judge sees every statement: without it, something that is to be denied is allowed.
    for sid in [
        "ProtectLandfall",
        "ProtectLandfallsBucket",
        "ProtectLandfallsKey",
        "ProtectLandfallsWork",
        "ProtectSparedRoles",
    ] {
        let without = disturbed(&levels, |deny| {
            if deny["Sid"] == sid {
                deny["Action"] = json!(["sts:GetSessionToken"]);
            }
        });
        let surprises = surprises(&at_home(&without));
        assert!(
            surprises.iter().any(|said| said.ends_with("expected ExplicitlyDenied")),
            "{sid}: {surprises:#?}"
        );
    }
}
