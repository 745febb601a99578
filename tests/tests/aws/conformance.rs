//! Every request the AWS provider sends is one that AWS's own service models allow; and the checker that says so can fail.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use std::collections::BTreeMap;

use landfall_model::trigger::Cause;
use landfall_simulator::Breakage;
use landfall_tests::conformance::{self, break_at_the_door};
use landfall_tests::judges::Verdict;
use landfall_tests::stage::Stage;
use serde_json::{Value, json};

fn check(calls: &[Value]) -> Verdict {
    conformance::check("check_calls.py", calls)
}

/// Everything a log says of a stage's life: a sweep, a birth, drift of every kind that has a name, and its repair.
async fn lived() -> Vec<Value> {
    let stage = Stage::with(9).await;
    stage.sweep().await;
    let born = stage.simulator.edit(|world| world.create_account("new-shop"));
    drop(stage.reconcile(&born, Cause::Created).await);
    stage.drain().await;
    let before = stage.simulator.calls().len();
    // Without roles nobody could look, and a suspended account is left alone.
    for (name, _) in Breakage::all().filter(|(name, _)| !matches!(*name, "roles" | "suspended")) {
        break_at_the_door(stage.simulator.address(), &json!({"account": born, "what": name}));
    }
    stage.sweep().await;
    assert!(stage.simulator.calls().len() > before);
    stage.simulator.calls().iter().map(|call| serde_json::to_value(call).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_is_one_that_aws_describes() {
    let calls = lived().await;
    let verdict = check(&calls);
    assert!(verdict.content, "{}{}", verdict.said, verdict.complained);
    let counted: BTreeMap<String, u64> = serde_json::from_str(verdict.said.lines().last().unwrap()).unwrap();
    println!("{} calls of {} operations were checked:", calls.len(), counted.len());
    for (operation, count) in &counted {
        println!("{count:6} {operation}");
    }
    assert_eq!(counted.values().sum::<u64>(), u64::try_from(calls.len()).unwrap(), "none was left out");
    // The spine's own: whatever else changes, these are sent.
    for operation in [
        "sts:AssumeRole",
        "organizations:ListAccountsForParent",
        "iam:GetAccountPasswordPolicy",
        "iam:UpdateAccountPasswordPolicy",
    ] {
        assert!(counted.contains_key(operation), "`{operation}` was never sent");
    }

    // The same lines, each with one thing disturbed.
    for (what, fault, expected) in faults() {
        let found = calls.iter().find_map(|call| {
            let mut disturbed = call.clone();
            fault(&mut disturbed).then_some(disturbed)
        });
        let disturbed = found.unwrap_or_else(|| panic!("no call could carry the fault: {what}"));
        let verdict = check(std::slice::from_ref(&disturbed));
        assert!(!verdict.content, "{what} went unnoticed: {disturbed}");
        let said = verdict.said.lines().next().unwrap_or_default().to_owned();
        assert!(said.contains(expected), "{what}: said `{said}`, expected `{expected}` of {disturbed}");
    }
}

type Fault = fn(&mut Value) -> bool;

fn is(call: &Value, service: &str, operation: &str) -> bool {
    call["service"] == service && call["operation"] == operation
}

/// Takes a parameter away; false where the call does not have it.
fn without(call: &mut Value, name: &str) -> Option<Value> {
    call["parameters"].as_object_mut().unwrap().remove(name)
}

fn with(call: &mut Value, name: &str, value: impl Into<Value>) -> bool {
    call["parameters"].as_object_mut().unwrap().insert(name.to_owned(), value.into());
    true
}

/// What is disturbed, how (false: not in this call), and what the checker has to say.
fn faults() -> Vec<(&'static str, Fault, &'static str)> {
    vec![
        (
            "an operation that does not exist",
            |call| {
                call["operation"] = json!("ListAcounts");
                call["service"] == "organizations"
            },
            "unknown operation",
        ),
        (
            "a service that does not exist",
            |call| {
                call["service"] = json!("organisations");
                true
            },
            "unknown service",
        ),
        (
            "a request that the simulator did not understand",
            |call| {
                call["operation"] = json!("POST /nowhere");
                true
            },
            "unknown operation",
        ),
        (
            "JSON: a misspelt member",
            |call| is(call, "organizations", "ListAccountsForParent") && with(call, "MaxResult", 20),
            "unknown member `MaxResult`",
        ),
        (
            "JSON: a required member is missing",
            |call| is(call, "organizations", "DescribeAccount") && without(call, "AccountId").is_some(),
            "required member `AccountId` is missing",
        ),
        (
            "JSON: a required member is null",
            |call| is(call, "organizations", "DescribeAccount") && with(call, "AccountId", Value::Null),
            "required member `AccountId` is null",
        ),
        (
            "JSON: a number as text",
            |call| is(call, "organizations", "ListAccountsForParent") && with(call, "MaxResults", "20"),
            "`MaxResults` is text, expected a whole number",
        ),
        (
            "JSON: more than the most",
            |call| is(call, "organizations", "ListAccountsForParent") && with(call, "MaxResults", 50),
            "`MaxResults` is 50, expected at most 20",
        ),
        (
            "JSON: an account id that is none",
            |call| is(call, "organizations", "DescribeAccount") && with(call, "AccountId", "2222"),
            "which its pattern",
        ),
        (
            "JSON: an unknown value of an enumeration",
            |call| {
                call["service"] = json!("organizations");
                call["operation"] = json!("ListPolicies");
                call["method"] = json!("POST");
                call["path"] = json!("/");
                call["parameters"] = json!({"Filter": "SERVICE_CONTROL"});
                true
            },
            "unknown value `SERVICE_CONTROL`",
        ),
        (
            "JSON: the wrong path",
            |call| {
                call["path"] = json!("/2016-11-28/accounts");
                is(call, "organizations", "ListAccountsForParent")
            },
            "path `/2016-11-28/accounts`, expected `/`",
        ),
        (
            "JSON: the wrong method",
            |call| {
                call["method"] = json!("GET");
                is(call, "organizations", "ListAccountsForParent")
            },
            "method `GET`, expected `POST`",
        ),
        (
            "Query: a misspelt member",
            |call| {
                is(call, "iam", "UpdateAccountPasswordPolicy") && with(call, "MinimumPasswordLenght", "14")
            },
            "unknown member `MinimumPasswordLenght`",
        ),
        (
            "Query: a number that is none",
            |call| {
                is(call, "iam", "UpdateAccountPasswordPolicy") && with(call, "MinimumPasswordLength", "long")
            },
            "`MinimumPasswordLength` is `long`, expected a whole number",
        ),
        (
            "Query: a boolean in Python's spelling",
            |call| is(call, "iam", "UpdateAccountPasswordPolicy") && with(call, "RequireSymbols", "True"),
            "`RequireSymbols` is `True`, expected true or false",
        ),
        (
            "Query: more than the most",
            |call| {
                is(call, "iam", "UpdateAccountPasswordPolicy") && with(call, "MinimumPasswordLength", "129")
            },
            "expected at most 128",
        ),
        (
            "Query: a required member is missing",
            |call| is(call, "sts", "AssumeRole") && without(call, "RoleSessionName").is_some(),
            "required member `RoleSessionName` is missing",
        ),
        (
            "Query: a list without `member`",
            |call| is(call, "sts", "AssumeRole") && with(call, "Tags.1.Key", "team"),
            "unknown member `Tags.1.Key`",
        ),
        (
            "Query: a member of a structure in a list that is missing",
            |call| is(call, "sts", "AssumeRole") && with(call, "Tags.member.1.Key", "team"),
            "required member `Tags.member.1.Value` is missing",
        ),
        // Shapes of services that only some controls call: made up, so that the checker is tested whatever is sent.
        (
            "EC2: a list in the Query protocol's form",
            |call| {
                made(call, "ec2", "DescribeVpcs", "POST", "/", json!({"Filter.member.1.Name": "isDefault"}))
            },
            "unknown member `Filter.member.1.Name`",
        ),
        (
            "EC2: a gap in a list",
            |call| {
                made(
                    call,
                    "ec2",
                    "DescribeVpcs",
                    "POST",
                    "/",
                    json!({"VpcId.1": "vpc-1", "VpcId.3": "vpc-3"}),
                )
            },
            "numbered [1, 3]",
        ),
        (
            "EC2: a required member is missing",
            |call| made(call, "ec2", "DeleteVpc", "POST", "/", json!({})),
            "required member `VpcId` is missing",
        ),
        (
            "REST-JSON: the wrong path",
            |call| made(call, "account", "PutAlternateContact", "POST", "/putAlternateContacts", contact()),
            "path `/putAlternateContacts`, expected `/putAlternateContact`",
        ),
        (
            "REST-JSON: the wrong method",
            |call| made(call, "account", "PutAlternateContact", "PUT", "/putAlternateContact", contact()),
            "method `PUT`, expected `POST`",
        ),
        (
            "REST-JSON: an unknown value of an enumeration",
            |call| {
                let mut contact = contact();
                contact["AlternateContactType"] = json!("LEGAL");
                made(call, "account", "PutAlternateContact", "POST", "/putAlternateContact", contact)
            },
            "unknown value `LEGAL`",
        ),
        (
            "REST-JSON: a member below another",
            |call| {
                let parameters = json!({"analyzerName": "a", "type": "ACCOUNT", "archiveRules": [{"ruleName": "r", "filters": {}}]});
                made(call, "access-analyzer", "CreateAnalyzer", "PUT", "/analyzer", parameters)
            },
            "required member `archiveRules[0].filter` is missing",
        ),
        (
            "REST-JSON: a path without its name",
            |call| made(call, "access-analyzer", "GetAnalyzer", "GET", "/analyzer", json!({})),
            "path `/analyzer`, expected `/analyzer/{analyzerName}`",
        ),
        (
            "REST-XML: a misspelt element",
            |call| {
                let parameters = json!({"AccountId": "222222222222", "PublicAccessBlockConfiguration": {"BlockPublicAcl": true}});
                made(call, "s3control", "PutPublicAccessBlock", "PUT", BLOCK, parameters)
            },
            "unknown member `PublicAccessBlockConfiguration.BlockPublicAcl`",
        ),
        (
            "REST-XML: a header is missing",
            |call| made(call, "s3control", "GetPublicAccessBlock", "GET", BLOCK, json!({})),
            "required member `AccountId` is missing",
        ),
        (
            "JSON: a structure in a list, deep down",
            |call| {
                let parameters = json!({"AccountId": "222222222222", "Budget": {"BudgetName": "b", "BudgetType": "COST", "TimeUnit": "MONTHLY"},
                "NotificationsWithSubscribers": [{"Notification": {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": 80},
                "Subscribers": [{"SubscriptionType": "EMAIL"}]}]});
                made(call, "budgets", "CreateBudget", "POST", "/", parameters)
            },
            "required member `NotificationsWithSubscribers[0].Subscribers[0].Address` is missing",
        ),
    ]
}

const BLOCK: &str = "/v20180820/configuration/publicAccessBlock";

fn contact() -> Value {
    json!({"AlternateContactType": "SECURITY", "EmailAddress": "security@example.com", "Name": "Security", "PhoneNumber": "+49 30 1",
           "Title": "Team"})
}

fn made(
    call: &mut Value,
    service: &str,
    operation: &str,
    method: &str,
    path: &str,
    parameters: Value,
) -> bool {
    *call = json!({"service": service, "operation": operation, "method": method, "path": path, "parameters": parameters});
    true
}

#[test]
fn what_is_right_is_left_alone() {
    let right = [
        (
            "ec2",
            "DescribeVpcs",
            "POST",
            "/",
            json!({"Filter.1.Name": "isDefault", "Filter.1.Value.1": "true", "VpcId.1": "vpc-1"}),
        ),
        (
            "ec2",
            "RevokeSecurityGroupIngress",
            "POST",
            "/",
            json!({"GroupId": "sg-1", "IpPermissions.1.IpProtocol": "-1", "IpPermissions.1.Groups.1.GroupId": "sg-1"}),
        ),
        ("account", "PutAlternateContact", "POST", "/putAlternateContact", contact()),
        ("access-analyzer", "GetAnalyzer", "GET", "/analyzer/landfall", json!({"analyzerName": "landfall"})),
        (
            "access-analyzer",
            "ListAnalyzers",
            "GET",
            "/analyzer",
            json!({"type": "ACCOUNT", "maxResults": "10"}),
        ),
        (
            "s3control",
            "PutPublicAccessBlock",
            "PUT",
            BLOCK,
            json!({"AccountId": "222222222222", "PublicAccessBlockConfiguration": {"BlockPublicAcls": true}}),
        ),
        (
            "sts",
            "AssumeRole",
            "POST",
            "/",
            json!({"RoleArn": "arn:aws:iam::222222222222:role/landfall-read", "RoleSessionName": "landfall", "Tags.member.1.Key": "run", "Tags.member.1.Value": "1"}),
        ),
        (
            "sqs",
            "SendMessage",
            "POST",
            "/",
            json!({"QueueUrl": "http://127.0.0.1/111111111111/work", "MessageBody": "{}", "DelaySeconds": 60}),
        ),
    ];
    let calls: Vec<Value> = right
        .into_iter()
        .map(|(service, operation, method, path, parameters)| {
            let mut call = Value::Null;
            made(&mut call, service, operation, method, path, parameters);
            call
        })
        .collect();
    let verdict = check(&calls);
    assert!(verdict.content, "{}{}", verdict.said, verdict.complained);
}

#[test]
fn an_empty_log_is_no_proof() {
    let verdict = check(&[]);
    assert!(!verdict.content && verdict.said.contains("nothing was checked"), "{verdict:?}");
}
