//! The templates' policies, judged by an evaluator that nobody here wrote: who gets in where, and who does not.
//!
//! Every case begins with a request that is allowed, and then differs from it in one thing.

use std::collections::BTreeMap;

use landfall_tests::judges::{node, root};
use serde_json::{Value, json};

use super::read;

const CONTROLLER: &str = "111111111111";
const MANAGEMENT: &str = "999999999999";
const MEMBER: &str = "222222222222";
const ORGANIZATION: &str = "o-a1b2c3d4e5";
const ALLOWED: &str = "Allowed";
const DENIED: &str = "ImplicitlyDenied";
const REFUSED: &str = "ExplicitlyDenied";

const QUEUE: &str = "arn:aws:sqs:eu-central-1:111111111111:landfall-Queue";
const RULE: &str = "arn:aws:events:eu-central-1:111111111111:rule/landfall/landfall-TenantEvents";
const BUS: &str = "arn:aws:events:eu-central-1:111111111111:event-bus/landfall";
const AUDIENCE: &str = "api://AzureADTokenExchange";
const BUCKET: &str = "arn:aws:s3:::landfall-records";

/// What references stand for.
fn known() -> BTreeMap<&'static str, String> {
    [
        ("AWS::Partition", "aws"),
        ("AWS::Region", "eu-central-1"),
        ("AWS::AccountId", CONTROLLER),
        ("AWS::URLSuffix", "amazonaws.com"),
        ("AWS::StackName", "landfall"),
        ("OrganizationId", ORGANIZATION),
        ("ManagementAccount", MANAGEMENT),
        ("ControllerAccount", CONTROLLER),
        ("ControllerRole", "landfall-controller"),
        ("ForwardRole", "landfall-forward"),
        ("ReadRole", "landfall-read"),
        ("WriteRole", "landfall-write"),
        ("ExternalId", "acme-landfall"),
        ("BusArn", BUS),
        ("Bus.Arn", BUS),
        ("Queue.Arn", QUEUE),
        ("DeadLetters.Arn", "arn:aws:sqs:eu-central-1:111111111111:landfall-DeadLetters"),
        ("TenantEvents.Arn", RULE),
        ("Records.Arn", BUCKET),
        ("StoreAudience", AUDIENCE),
        ("Key.Arn", "arn:aws:kms:eu-central-1:111111111111:key/0b9c5f1e-5a2d-4c87-9e63-1d7f4a0b8c25"),
        ("Logs.Arn", "arn:aws:logs:eu-central-1:111111111111:log-group:/landfall/landfall:*"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .into()
}

/// A template's value with its references written out.
fn resolved(value: &Value) -> Value {
    let known = known();
    let meant = |name: &str| known.get(name).unwrap_or_else(|| panic!("`{name}` is not known here")).clone();
    match value {
        Value::Object(fields) => {
            if let Some(name) = value["Ref"].as_str() {
                return json!(meant(name));
            }
            if let Some(path) = value["Fn::GetAtt"].as_array() {
                let path: Vec<&str> = path.iter().filter_map(Value::as_str).collect();
                return json!(meant(&path.join(".")));
            }
            if let Some(text) = value["Fn::Sub"].as_str() {
                let filled = known.iter().fold(text.to_owned(), |text, (name, value)| {
                    text.replace(&format!("${{{name}}}"), value)
                });
                assert!(!filled.contains("${"), "{filled}");
                return json!(filled);
            }
            fields.iter().map(|(name, value)| (name.clone(), resolved(value))).collect()
        }
        Value::Array(items) => items.iter().map(resolved).collect(),
        plain @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => plain.clone(),
    }
}

/// The templates' policies by what they are.
struct Policies(Value);

impl Policies {
    fn read() -> Self {
        Policies(read(&root().join("infra/aws"))["templates"].clone())
    }

    fn at(&self, template: &str, resource: &str, pointer: &str) -> Value {
        let properties = &self.0[format!("{template}.yaml")]["Resources"][resource]["Properties"];
        resolved(properties.pointer(pointer).unwrap_or_else(|| panic!("{resource} has no {pointer}")))
    }
}

/// What the function may do, its store being its own bucket or elsewhere.
#[derive(Clone, Copy)]
enum Store {
    Own = 1,
    Elsewhere = 2,
}

impl Policies {
    fn of_the_function(&self, store: Store) -> Value {
        let mut policy = self.at("controller", "FunctionRole", "/Policies/0/PolicyDocument");
        let records = format!("/Policies/1/Fn::If/{}/PolicyDocument/Statement", store as usize);
        let more = self.at("controller", "FunctionRole", &records);
        policy["Statement"].as_array_mut().unwrap().extend(more.as_array().unwrap().iter().cloned());
        policy
    }
}

/// A request, the policy of whom it comes from (an administrator's where there is none) and of what it is about.
#[derive(Clone)]
struct Case {
    what: &'static str,
    principal: String,
    action: &'static str,
    resource: String,
    account: &'static str,
    own: Option<Value>,
    attached: Option<Value>,
    context: BTreeMap<&'static str, String>,
    expected: &'static str,
}

impl Case {
    /// The same with one thing different.
    fn but(&self, what: &'static str, expected: &'static str, differ: impl FnOnce(&mut Self)) -> Self {
        let mut other = self.clone();
        differ(&mut other);
        Case { what, expected, ..other }
    }
}

fn role(account: &str, name: &str) -> String {
    format!("arn:aws:sts::{account}:assumed-role/{name}/someone")
}

fn hold(cases: &[Case]) {
    let asked: Vec<Value> = cases
        .iter()
        .map(|case| {
            json!({
                "what": case.what, "principal": case.principal, "action": case.action, "resource": case.resource,
                "account": case.account, "region": "eu-central-1", "levels": [], "own": case.own,
                "attached": case.attached, "context": case.context,
            })
        })
        .collect();
    let verdict = node("judge.mjs", &[], &json!({"cases": asked}).to_string());
    assert!(verdict.content, "{}{}", verdict.said, verdict.complained);
    let verdicts: Vec<Value> = serde_json::from_str(&verdict.said).unwrap();
    assert_eq!(verdicts.len(), cases.len());
    let wrong: Vec<String> = verdicts
        .iter()
        .zip(cases)
        .filter(|(verdict, case)| verdict["verdict"] != case.expected)
        .map(|(verdict, case)| format!("{}: {}, expected {}", case.what, verdict["verdict"], case.expected))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_function_becomes_the_roles_and_only_in_its_organization() {
    let policies = Policies::read();
    let own = policies.of_the_function(Store::Own);
    for (resource, name) in [("LookingRole", "landfall-read"), ("WritingRole", "landfall-write")] {
        let right = Case {
            what: "the function",
            principal: role(CONTROLLER, "landfall-controller"),
            action: "sts:AssumeRole",
            resource: format!("arn:aws:iam::{MEMBER}:role/{name}"),
            account: MEMBER,
            own: Some(own.clone()),
            attached: Some(policies.at("member", resource, "/AssumeRolePolicyDocument")),
            context: BTreeMap::from([
                ("sts:ExternalId", "acme-landfall".to_owned()),
                ("aws:PrincipalOrgID", ORGANIZATION.to_owned()),
                ("aws:ResourceOrgID", ORGANIZATION.to_owned()),
            ]),
            expected: ALLOWED,
        };
        hold(&[
            right.clone(),
            right.but("another external id", DENIED, |case| {
                drop(case.context.insert("sts:ExternalId", "x1".into()))
            }),
            right.but("no external id", DENIED, |case| drop(case.context.remove("sts:ExternalId"))),
            right.but("from another organization", DENIED, |case| {
                case.context.insert("aws:PrincipalOrgID", "o-zzzzzzzzzz".into());
            }),
            right.but("into another organization", DENIED, |case| {
                case.context.insert("aws:ResourceOrgID", "o-zzzzzzzzzz".into());
            }),
            right.but("an administrator beside the function", DENIED, |case| {
                case.principal = role(CONTROLLER, "admin");
                case.own = None;
            }),
            right.but("a role of its name in another account", DENIED, |case| {
                case.principal = role(MANAGEMENT, "landfall-controller");
                case.own = None;
            }),
            right.but("another role", DENIED, |case| {
                case.resource = format!("arn:aws:iam::{MEMBER}:role/admin");
            }),
        ]);
    }
}

#[test]
fn the_function_writes_records_and_no_bundle() {
    let policies = Policies::read();
    let own = policies.of_the_function(Store::Own);
    let attached = policies.at("controller", "RecordsPolicy", "/PolicyDocument");
    let object = |key: &str| format!("{BUCKET}/{key}");
    let right = Case {
        what: "a record",
        principal: role(CONTROLLER, "landfall-controller"),
        action: "s3:PutObject",
        resource: object("store/tenants/aws/222222222222"),
        account: CONTROLLER,
        own: Some(own),
        attached: Some(attached),
        context: BTreeMap::from([("aws:SecureTransport", "true".to_owned())]),
        expected: ALLOWED,
    };
    hold(&[
        right.clone(),
        right.but("reading a record", ALLOWED, |case| case.action = "s3:GetObject"),
        right.but("reading the bundle", ALLOWED, |case| {
            (case.action, case.resource) = ("s3:GetObject", object("bundle.json"));
        }),
        right.but("listing", ALLOWED, |case| (case.action, case.resource) = ("s3:ListBucket", BUCKET.into())),
        right.but("writing the bundle", DENIED, |case| case.resource = object("bundle.json")),
        right.but("deleting a record", DENIED, |case| case.action = "s3:DeleteObject"),
        right.but("a plain connection", REFUSED, |case| {
            case.context.insert("aws:SecureTransport", "false".into());
        }),
        right.but("a plain connection of an administrator", REFUSED, |case| {
            case.own = None;
            case.context.insert("aws:SecureTransport", "false".into());
        }),
        right.but("somebody's queue", DENIED, |case| {
            (case.action, case.resource) =
                ("sqs:SendMessage", "arn:aws:sqs:eu-central-1:111111111111:others".into());
            case.attached = None;
        }),
        right.but("its queue", ALLOWED, |case| {
            (case.action, case.resource) = ("sqs:SendMessage", QUEUE.into());
            case.attached = None;
        }),
    ]);
}

#[test]
fn a_function_whose_store_is_elsewhere_gets_tokens_for_that_store_only() {
    let right = Case {
        what: "a token for the store",
        principal: role(CONTROLLER, "landfall-controller"),
        action: "sts:GetWebIdentityToken",
        resource: "*".into(),
        account: CONTROLLER,
        own: Some(Policies::read().of_the_function(Store::Elsewhere)),
        attached: None,
        context: BTreeMap::from([("sts:IdentityTokenAudience", AUDIENCE.to_owned())]),
        expected: ALLOWED,
    };
    hold(&[
        right.clone(),
        right.but("a token for somebody else", DENIED, |case| {
            case.context.insert("sts:IdentityTokenAudience", "https://example.com".into());
        }),
        right.but("a token for nobody in particular", DENIED, |case| case.context.clear()),
        right.but("a token where the store is its own", DENIED, |case| {
            case.own = Some(Policies::read().of_the_function(Store::Own));
        }),
        right.but("a bucket", DENIED, |case| {
            (case.action, case.resource) = ("s3:PutObject", format!("{BUCKET}/store/records"));
        }),
    ]);
}

#[test]
fn only_the_rule_of_the_bus_puts_events_on_the_queue() {
    let right = Case {
        what: "the rule",
        principal: "events.amazonaws.com".into(),
        action: "sqs:SendMessage",
        resource: QUEUE.into(),
        account: CONTROLLER,
        own: None,
        attached: Some(Policies::read().at("controller", "QueuePolicy", "/PolicyDocument")),
        context: BTreeMap::from([
            ("aws:SourceArn", RULE.to_owned()),
            ("aws:SecureTransport", "true".to_owned()),
        ]),
        expected: ALLOWED,
    };
    hold(&[
        right.clone(),
        right.but("another rule", DENIED, |case| {
            case.context.insert("aws:SourceArn", format!("{RULE}-2"));
        }),
        right.but("another service", DENIED, |case| case.principal = "sns.amazonaws.com".into()),
        right.but("another account", DENIED, |case| case.principal = role(MEMBER, "admin")),
        right.but("reading", DENIED, |case| case.action = "sqs:ReceiveMessage"),
        right.but("a plain connection", REFUSED, |case| {
            case.context.insert("aws:SecureTransport", "false".into());
        }),
    ]);
}

#[test]
fn only_the_forwarding_role_puts_events_on_the_bus() {
    let policies = Policies::read();
    let statement = policies.at("controller", "BusPolicy", "/Statement");
    let right = Case {
        what: "forwarding",
        principal: role(MANAGEMENT, "landfall-forward"),
        action: "events:PutEvents",
        resource: BUS.into(),
        account: CONTROLLER,
        own: Some(policies.at("management", "Forwarding", "/Policies/0/PolicyDocument")),
        attached: Some(json!({"Version": "2012-10-17", "Statement": [statement]})),
        context: BTreeMap::new(),
        expected: ALLOWED,
    };
    hold(&[
        right.clone(),
        right.but("an administrator of the management account", DENIED, |case| {
            (case.principal, case.own) = (role(MANAGEMENT, "admin"), None);
        }),
        right.but("a role of its name in another account", DENIED, |case| {
            (case.principal, case.own) = (role(MEMBER, "landfall-forward"), None);
        }),
        right.but("another bus", DENIED, |case| case.resource = format!("{BUS}-2")),
    ]);
}
