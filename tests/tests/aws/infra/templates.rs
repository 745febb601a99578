//! The rules of [`super::rules`] hold, and each of them can fail: every one is broken by a fault of the table below.

use std::collections::BTreeSet;

use landfall_aws::permissions::{self, SERVICE_LINKED_ROLE, linked_services};
use landfall_engine::permissions::{Purpose, whole_catalog};
use landfall_tests::judges::root;
use serde_json::{Value, json};

use super::read;
use super::rules::{RULES, resources};

/// The three templates as one value: `/controller/Resources/…`, with each file's text at `/text/…`.
fn templates() -> Value {
    let folder = root().join("infra/aws");
    let judged = read(&folder);
    let template = |name: &str| judged["templates"][format!("{name}.yaml")].clone();
    let text = |name: &str| std::fs::read_to_string(folder.join(format!("{name}.yaml"))).unwrap();
    json!({
        "controller": template("controller"),
        "management": template("management"),
        "member": template("member"),
        "text": {"controller": text("controller"), "management": text("management"), "member": text("member")},
    })
}

/// Which rule a fault breaks, where it is made, and what stands there then; nothing where it is taken away.
type Fault = (&'static str, &'static str, Option<Value>);

fn faults() -> Vec<Fault> {
    let gone = None;
    vec![
        ("no macro", "/controller/Transform", Some(json!("AWS::Serverless-2016-10-31"))),
        ("plain ASCII", "/text/member", Some(json!("…"))),
        (
            "no partition is named",
            "/member/Resources/Reading/Properties/PolicyDocument/Statement/0/Resource",
            Some(json!("arn:aws:s3:::acme")),
        ),
        ("every parameter has", "/member/Parameters/ExternalId/Description", gone.clone()),
        (
            "every parameter has",
            "/controller/Metadata/AWS::CloudFormation::Interface/ParameterLabels/Sweep",
            gone.clone(),
        ),
        ("what holds evidence", "/controller/Resources/Records/DeletionPolicy", gone.clone()),
        ("what holds evidence", "/controller/Resources/Key/UpdateReplacePolicy", Some(json!("Delete"))),
        ("what holds evidence", "/controller/Resources/Queue/DeletionPolicy", Some(json!("Retain"))),
        (
            "the function is what",
            "/controller/Resources/Function/Properties/Architectures",
            Some(json!(["arm64"])),
        ),
        ("the function is what", "/controller/Resources/Function/Properties/Architectures", gone.clone()),
        (
            "a message stays hidden",
            "/controller/Resources/Queue/Properties/VisibilityTimeout",
            Some(json!(299)),
        ),
        ("what fails again", "/controller/Resources/DeadLetters", gone.clone()),
        ("what fails again", "/controller/Resources/Queue/Properties/RedrivePolicy", gone.clone()),
        (
            "only messages that failed",
            "/controller/Resources/Work/Properties/FunctionResponseTypes",
            gone.clone(),
        ),
        ("only the bus' rule and", "/controller/Resources/QueuePolicy", gone.clone()),
        (
            "only the bus' rule and",
            "/controller/Resources/QueuePolicy/Properties/PolicyDocument/Statement/0/Condition",
            gone.clone(),
        ),
        (
            "only the bus' rule and",
            "/controller/Resources/QueuePolicy/Properties/PolicyDocument/Statement/0/Principal",
            Some(json!("*")),
        ),
        (
            "the bus' rule brings",
            "/controller/Resources/TenantEvents/Properties/EventPattern/account",
            gone.clone(),
        ),
        (
            "the bus' rule brings",
            "/controller/Resources/TenantEvents/Properties/EventPattern/detail/eventName/0",
            Some(json!("AcceptHandshakes")),
        ),
        (
            "the bus' rule brings",
            "/controller/Resources/TenantEvents/Properties/Targets/0/DeadLetterConfig",
            gone.clone(),
        ),
        (
            "only the management account's",
            "/controller/Resources/BusPolicy/Properties/Statement/Condition",
            gone.clone(),
        ),
        (
            "the schedule's message",
            "/controller/Resources/Schedule/Properties/Target/Input",
            Some(json!("{}")),
        ),
        (
            "the bucket keeps",
            "/controller/Resources/Records/Properties/VersioningConfiguration",
            gone.clone(),
        ),
        (
            "the bucket keeps",
            "/controller/Resources/Records/Properties/PublicAccessBlockConfiguration/BlockPublicPolicy",
            Some(json!(false)),
        ),
        (
            "object lock is a choice",
            "/controller/Resources/Records/Properties/ObjectLockEnabled",
            Some(json!(true)),
        ),
        (
            "the bucket takes no plain",
            "/controller/Resources/RecordsPolicy/Properties/PolicyDocument/Statement/0/Effect",
            Some(json!("Allow")),
        ),
        (
            "the key is turned",
            "/controller/Resources/Key/Properties/KeyPolicy/Statement/1/Condition",
            gone.clone(),
        ),
        ("the key is turned", "/controller/Resources/Key/Properties/EnableKeyRotation", Some(json!(false))),
        ("logs are kept", "/controller/Resources/Logs/Properties/RetentionInDays", gone.clone()),
        (
            "the function may become",
            "/controller/Resources/FunctionRole/Properties/Policies/0/PolicyDocument/Statement/0/Condition",
            gone.clone(),
        ),
        (
            "the function may become",
            "/controller/Resources/FunctionRole/Properties/Policies/0/PolicyDocument/Statement/1/Resource",
            Some(json!("*")),
        ),
        (
            "the function writes records",
            "/controller/Resources/FunctionRole/Properties/Policies/1/Fn::If/1/PolicyDocument/Statement/0/Action",
            Some(json!(["s3:ListBucket", "s3:DeleteObject"])),
        ),
        (
            "the function writes records",
            "/controller/Resources/FunctionRole/Properties/Policies/1/Fn::If/1/PolicyDocument/Statement/2/Resource",
            Some(json!({"Fn::Sub": "${Records.Arn}/*"})),
        ),
        (
            "where the store is elsewhere",
            "/controller/Resources/FunctionRole/Properties/Policies/1/Fn::If/2/PolicyDocument/Statement/0/Condition/Null",
            gone.clone(),
        ),
        (
            "where the store is elsewhere",
            "/controller/Resources/FunctionRole/Properties/Policies/1/Fn::If/2/PolicyDocument/Statement/0/Action",
            Some(json!(["sts:GetWebIdentityToken", "sts:AssumeRole"])),
        ),
        ("a bucket is made where", "/controller/Resources/Records/Condition", gone.clone()),
        (
            "a bucket is made where",
            "/controller/Resources/Function/Properties/Environment/Variables/LANDFALL_STORE_AUDIENCE",
            gone.clone(),
        ),
        (
            "a store elsewhere is said",
            "/controller/Rules/AStoreElsewhereIsWhole/Assertions/2/Assert",
            Some(json!(true)),
        ),
        ("a store elsewhere is said", "/controller/Rules/NothingElsewhereWithoutAStore", gone.clone()),
        (
            "a sweep that was not",
            "/controller/Resources/SweepMissed/Properties/TreatMissingData",
            gone.clone(),
        ),
        (
            "a sweep that was not",
            "/controller/Resources/SweepClosed/Properties/MetricTransformations/0/MetricName",
            Some(json!("Sweeps")),
        ),
        (
            "a sweep that was not",
            "/controller/Parameters/LogLevel/AllowedValues",
            Some(json!(["warn", "info"])),
        ),
        (
            "another cloud's silence",
            "/controller/Resources/SilenceHeard/Properties/FilterPattern",
            Some(json!("silent")),
        ),
        (
            "letters that nobody",
            "/controller/Resources/DeadLettersWaiting/Properties/Dimensions",
            gone.clone(),
        ),
        ("errors and throttles", "/controller/Resources/FunctionThrottles", gone.clone()),
        ("every alarm goes", "/controller/Resources/FunctionErrors/Properties/AlarmActions", gone.clone()),
        (
            "the events of Organizations",
            "/management/Resources/TenantEvents/Properties/Targets/0/RoleArn",
            gone.clone(),
        ),
        (
            "every account gets",
            "/management/Resources/MemberRoles/Properties/AutoDeployment/Enabled",
            Some(json!(false)),
        ),
        (
            "every account gets",
            "/management/Resources/MemberRoles/Properties/PermissionModel",
            Some(json!("SELF_MANAGED")),
        ),
        (
            "members and the management",
            "/management/Resources/ManagementRoles/Properties/Parameters/ExternalId",
            gone.clone(),
        ),
        (
            "both roles in an account",
            "/member/Resources/WritingRole/Properties/AssumeRolePolicyDocument/Statement/0/Condition/StringEquals/sts:ExternalId",
            gone.clone(),
        ),
        (
            "both roles in an account",
            "/member/Resources/LookingRole/Properties/AssumeRolePolicyDocument/Statement/0/Condition/ArnEquals",
            gone.clone(),
        ),
        (
            "the role to look with",
            "/member/Resources/Writing/Properties/Roles",
            Some(json!([{"Ref": "LookingRole"}, {"Ref": "WritingRole"}])),
        ),
        ("the role to look with", "/member/Resources/WritingTheOrganization/Condition", gone),
    ]
}

/// Makes a fault; the place it is made at has to be there, but for one that is new.
fn disturb(all: &mut Value, pointer: &str, with: Option<Value>) {
    let (parent, last) = pointer.rsplit_once('/').unwrap();
    let parent = all.pointer_mut(parent).unwrap_or_else(|| panic!("there is no {parent}"));
    match (parent, with) {
        (Value::Object(fields), Some(value)) => drop(fields.insert(last.to_owned(), value)),
        (Value::Object(fields), None) => assert!(fields.remove(last).is_some(), "there is no {pointer}"),
        (Value::Array(items), Some(value)) => items[last.parse::<usize>().unwrap()] = value,
        (other, _) => panic!("{pointer}: {other}"),
    }
}

fn broken(all: &Value) -> Vec<&'static str> {
    RULES.iter().filter(|(_, holds)| !holds(all)).map(|(rule, _)| *rule).collect()
}

#[test]
fn the_templates_hold_what_moto_can_not_judge() {
    let right = templates();
    assert_eq!(broken(&right), Vec::<&str>::new());

    let mut never_broken: BTreeSet<&str> = RULES.iter().map(|(rule, _)| *rule).collect();
    for (rule, pointer, with) in faults() {
        let mut wrong = right.clone();
        disturb(&mut wrong, pointer, with.clone());
        let found = broken(&wrong);
        assert!(
            found.iter().any(|found| found.starts_with(rule)),
            "{pointer} -> {with:?} breaks {found:?}, not `{rule}`"
        );
        never_broken.retain(|one| !one.starts_with(rule));
    }
    assert!(never_broken.is_empty(), "no fault shows that these can fail: {never_broken:#?}");
}

/// The lists are judged where those of all clouds are; the two rights that could be given to anybody are given for what is meant.
#[test]
fn what_could_be_given_to_anybody_is_given_for_what_is_meant() {
    let all = templates();
    let needed = permissions::needed(Purpose::Apply, &whole_catalog());
    let writing = all["member"]["Resources"]["Writing"]["Properties"]["PolicyDocument"]["Statement"]
        .as_array()
        .unwrap();
    let given =
        |action: &str| -> Vec<&Value> { writing.iter().filter(|one| one["Action"] == action).collect() };
    let [services] = given(SERVICE_LINKED_ROLE)[..] else { panic!("{writing:#?}") };
    let named: BTreeSet<&str> = services["Condition"]["StringEquals"]["iam:AWSServiceName"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(named, linked_services(&needed));
    let [passed] = given("iam:PassRole")[..] else { panic!("{writing:#?}") };
    assert_eq!(
        passed["Resource"]["Fn::Sub"],
        "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
    );
    assert_eq!(passed["Condition"], json!({"StringEquals": {"iam:PassedToService": "config.amazonaws.com"}}));
    assert_eq!(writing.len(), 3);
}

/// AWS Identity and Access Management User Guide, "IAM and AWS STS quotas": without its white space a managed policy has at most 6,144
/// characters.
#[test]
fn every_list_of_permissions_fits_into_its_policy() {
    let all = templates();
    for (name, resource) in
        resources(&all, "member").filter(|(_, one)| one["Type"] == "AWS::IAM::ManagedPolicy")
    {
        let length = resource["Properties"]["PolicyDocument"].to_string().len();
        assert!(length <= 6144, "{name} has {length} characters");
    }
}
