//! What Landfall's roles on AWS are granted: no more than it calls, and no less. Every scenario of this program runs with roles that hold
//! what `landfall permissions` prints for its manifest, in a simulator that denies everything else.

use std::collections::{BTreeMap, BTreeSet};

use landfall_aws::permissions::{PASS_ROLE, SERVICE_LINKED_ROLE, needed};
use landfall_engine::permissions::{Purpose, whole_catalog};
use landfall_model::catalog::ControlKind;
use landfall_model::trigger::Cause;
use landfall_tests::judges::node;
use landfall_tests::permissions::{self, Untaken, denied, is_missed};
use landfall_tests::stage::{Stage, taken, tenant};
use serde::Deserialize;
use serde_json::{Value, json};

/// What is granted and taken by none of the disturbances, and what takes it.
const UNTAKEN: &Untaken = &[
    ("a trail of Landfall's own that logs otherwise", &["cloudtrail:UpdateTrail"]),
    (
        "a manifest that names the key of new disks",
        &["ec2:GetEbsDefaultKmsKeyId", "ec2:ModifyEbsDefaultKmsKeyId", "kms:DescribeKey"],
    ),
    (
        "an identity provider by OpenID Connect with another audience, or that is not wanted any more",
        &["iam:AddClientIDToOpenIDConnectProvider", "iam:DeleteOpenIDConnectProvider"],
    ),
    (
        "an identity provider by SAML",
        &[
            "iam:CreateSAMLProvider",
            "iam:DeleteSAMLProvider",
            "iam:GetSAMLProvider",
            "iam:UpdateSAMLProvider",
        ],
    ),
    ("a policy that is not asked for any more", &["organizations:DeletePolicy"]),
    ("an organization that has no policies of a type yet", &["organizations:EnablePolicyType"]),
    (
        "a role that another team has, or that is another one than it was",
        &[
            "sso:DeleteAccountAssignment",
            "sso:DescribeAccountAssignmentDeletionStatus",
            "sso:DescribePermissionSetProvisioningStatus",
            "sso:DetachManagedPolicyFromPermissionSet",
            "sso:ProvisionPermissionSet",
            "sso:UpdatePermissionSet",
        ],
    ),
];

/// See [`permissions::nothing_is_granted_that_no_scenario_takes`].
pub(crate) fn nothing_is_granted_that_no_scenario_takes() {
    let taken = taken().all();
    let granted = needed(Purpose::Apply, &whole_catalog());
    permissions::nothing_is_granted_that_no_scenario_takes(granted, UNTAKEN, |one| taken.contains(one));
}

/// AWS's own word on actions, as a package that nobody here wrote keeps it.
#[test]
fn aws_knows_every_permission_and_what_is_granted_to_look_only_looks() {
    #[derive(Deserialize)]
    struct Told {
        level: String,
        conditions: Vec<String>,
    }
    let granted = needed(Purpose::Apply, &whole_catalog());
    let names: Vec<&str> = granted.permissions().collect();
    let verdict = node("actions.mjs", &[], &json!(names).to_string());
    assert!(verdict.content, "{}", verdict.complained);
    let told: BTreeMap<String, Option<Told>> = serde_json::from_str(&verdict.said).unwrap();
    let unknown: Vec<&str> = names.iter().copied().filter(|name| told[*name].is_none()).collect();
    assert!(unknown.is_empty(), "AWS has no such actions: {unknown:?}");

    let to_look: BTreeSet<&str> = needed(Purpose::Plan, &whole_catalog()).0.into_keys().collect();
    for (name, told) in &told {
        let Told { level, conditions } = told.as_ref().unwrap();
        let looks = matches!(level.as_str(), "Read" | "List");
        assert!(looks || !to_look.contains(name.as_str()), "{name} is granted to look and is `{level}`");
        // The conditions that the document makes.
        let known = |condition: &str| conditions.iter().any(|one| one == condition);
        assert_eq!(name == SERVICE_LINKED_ROLE, known("iam:AWSServiceName"), "{name}");
        assert_eq!(name == PASS_ROLE, known("iam:PassedToService"), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_is_made_with_the_read_role_alone() {
    let stage = Stage::with(2).await;
    // A report of what holds already looks at everything; a plan for a tenant that nothing was done to has the most changes.
    stage.sweep().await;
    let account = stage.simulator.edit(|world| world.create_account("new-shop"));
    stage.simulator.clear_calls();
    let without = |role: &str, unwanted: &str| {
        stage.simulator.edit(|world| {
            let document = world.settings.grants.get_mut(role).unwrap();
            for statement in document["Statement"].as_array_mut().unwrap() {
                let action = |action: &Value| !action.as_str().unwrap().starts_with(unwanted);
                statement["Action"].as_array_mut().unwrap().retain(action);
            }
        });
    };
    without("landfall-write", "");
    let plan = stage.preview(&account).await.plan;
    assert!(plan.changes.len() > 20, "only {} changes", plan.changes.len());
    assert_eq!(denied(stage.simulator.calls()), []);
    let by: BTreeSet<String> = stage.simulator.calls().into_iter().map(|call| call.role).collect();
    assert!(!by.contains("landfall-write"), "{by:?}");

    // And where that one may not look, it does not see: the simulator does deny.
    without("landfall-read", "iam:");
    let report = stage.order(tenant(&account), Cause::Asked).await;
    let text = format!("{report:?}");
    assert!(text.contains("is not authorized to perform: iam:GetAccountPasswordPolicy"), "{text}");
    assert!(!denied(stage.simulator.calls()).is_empty());
}

/// What is taken away is missed, and nothing else is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_permission_that_is_missing_is_named_where_it_is_missed() {
    let table = [
        ("landfall-read", "ec2:GetEbsEncryptionByDefault", "encrypt-by-default"),
        ("landfall-read", "s3:GetAccountPublicAccessBlock", "block-public-storage"),
        ("landfall-write", "s3:PutAccountPublicAccessBlock", "block-public-storage"),
        ("landfall-write", "iam:CreateServiceLinkedRole", "external-access-analysis"),
        ("landfall-write", "account:PutAlternateContact", "security-contacts"),
    ];
    for (role, permission, control) in table {
        let stage = Stage::with(2).await;
        stage.sweep().await;
        let account = stage.simulator.edit(|world| world.create_account("new-shop"));
        stage.simulator.edit(|world| {
            let document = world.settings.grants.get_mut(role).unwrap();
            for statement in document["Statement"].as_array_mut().unwrap() {
                statement["Action"].as_array_mut().unwrap().retain(|action| action != permission);
            }
        });
        stage.simulator.clear_calls();
        let report = stage.reconcile(&account, Cause::Created).await;
        is_missed(&report, permission, control, ControlKind::PasswordPolicy);
    }
}
