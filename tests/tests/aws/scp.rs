//! The service control policies as they are in force after a run, judged by an evaluator that nobody here wrote: they deny what
//! they should, and spare every role that could undo them.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod own;

use landfall_model::trigger::Cause;
use landfall_simulator::World;
use landfall_tests::judges::node;
use landfall_tests::stage::Stage;
use serde_json::{Value, json};

const ACCOUNT: &str = "222222222222";
const ALLOWED: &str = "Allowed";
const DENIED: &str = "ExplicitlyDenied";

/// Roles that could undo a deny; the last is one that StackSets makes, whose name ends in letters of its own.
const SPARED: [&str; 6] = [
    "landfall-read",
    "landfall-write",
    "OrganizationAccountAccessRole",
    "AWSControlTowerExecution",
    "break-glass",
    "stacksets-exec-0a1b2c3d4e5f60718293a4b5c6d7e8f9",
];

/// Roles that look like them and are none.
const ORDINARY: [&str; 6] =
    ["admin", "landfall", "landfall-write-2", "my-landfall-write", "break-glass2", "StackSets-Exec-1"];

/// What is attached on the way from the root down to an account, as the cloud has it now.
fn levels(world: &World, account: &str) -> Value {
    let organization = &world.organization;
    let mut line = vec![account.to_owned()];
    let mut above = organization.members[account].parent.clone();
    while let Some(unit) = organization.units.get(&above) {
        line.push(unit.id.clone());
        above = unit.parent.clone();
    }
    line.push(above);
    line.reverse();
    let level = |target: &String| {
        let policies: Vec<Value> = organization
            .attachments
            .iter()
            .filter(|attachment| &attachment.target == target)
            .map(|attachment| &organization.policies[&attachment.policy])
            .filter(|policy| policy.kind == "SERVICE_CONTROL_POLICY")
            .map(|policy| json!({"name": policy.name, "policy": serde_json::from_str::<Value>(&policy.content).unwrap()}))
            .collect();
        json!({"name": target, "policies": policies})
    };
    line.iter().map(level).collect()
}

/// A request of a role's session in an account.
#[derive(Debug, Clone)]
struct Request {
    what: String,
    account: String,
    role: String,
    action: &'static str,
    resource: String,
    /// Whose the resource is.
    owner: String,
    region: &'static str,
    /// Condition keys of the service itself.
    context: Value,
    expected: &'static str,
    levels: Value,
}

fn request(
    levels: &Value,
    account: &str,
    role: &str,
    action: &'static str,
    region: &'static str,
    expected: &'static str,
) -> Request {
    Request {
        what: format!("{role} {action} in {region}"),
        account: account.to_owned(),
        role: role.to_owned(),
        action,
        resource: "*".to_owned(),
        owner: account.to_owned(),
        region,
        context: json!({}),
        expected,
        levels: levels.clone(),
    }
}

impl Request {
    fn on(mut self, resource: String) -> Self {
        self.what = format!("{} on {resource}", self.what);
        self.resource = resource;
        self
    }

    fn of(mut self, owner: &str) -> Self {
        self.what = format!("{} of {owner}", self.what);
        self.owner = owner.to_owned();
        self
    }

    fn with(mut self, key: &str, value: Value) -> Self {
        self.what = format!("{} with {key} {value}", self.what);
        self.context = json!({key: value});
        self
    }
}

/// The judge's verdict on each request: what it says, and by which statements.
fn judged(requests: &[Request]) -> Vec<(String, String)> {
    let cases: Vec<Value> = requests
        .iter()
        .map(|request| {
            let Request {
                what,
                account,
                role,
                action,
                resource,
                owner,
                region,
                context,
                expected: _,
                levels,
            } = request;
            json!({
                "what": what,
                "account": owner,
                "principal": format!("arn:aws:sts::{account}:assumed-role/{role}/someone"),
                "action": action,
                "resource": resource,
                "region": region,
                "context": context,
                "levels": levels,
            })
        })
        .collect();
    let verdict = node("judge.mjs", &[], &json!({"cases": cases}).to_string());
    assert!(verdict.content, "{}{}", verdict.said, verdict.complained);
    let verdicts: Vec<Value> = serde_json::from_str(&verdict.said).unwrap();
    assert_eq!(verdicts.len(), requests.len());
    verdicts.iter().map(|one| (one["verdict"].as_str().unwrap().to_owned(), one["by"].to_string())).collect()
}

/// What the judge sees otherwise than expected.
fn surprises(requests: &[Request]) -> Vec<String> {
    judged(requests)
        .into_iter()
        .zip(requests)
        .filter(|((verdict, _), request)| verdict != request.expected)
        .map(|((verdict, by), request)| {
            format!("{}: {verdict} by {by}, expected {}", request.what, request.expected)
        })
        .collect()
}

fn holds(requests: &[Request]) {
    let surprises = surprises(requests);
    assert!(surprises.is_empty(), "{} of {}:\n{}", surprises.len(), requests.len(), surprises.join("\n"));
}

async fn swept() -> Stage {
    let stage = Stage::with(2).await;
    stage.sweep().await;
    stage
}

/// Requests about the units' policies: regions, services, and what holds the baseline.
fn ordinary(levels: &Value) -> Vec<Request> {
    let ask = |role, action, region, expected| request(levels, ACCOUNT, role, action, region, expected);
    let mut requests = vec![
        // allowed-regions
        ask("admin", "ec2:DescribeInstances", "eu-central-1", ALLOWED),
        ask("admin", "ec2:DescribeInstances", "eu-west-1", ALLOWED),
        ask("admin", "ec2:DescribeInstances", "us-east-1", DENIED),
        ask("admin", "ec2:DescribeInstances", "ap-southeast-2", DENIED),
        ask("admin", "sqs:ListQueues", "us-east-1", DENIED),
        ask("admin", "kms:ListKeys", "us-west-2", DENIED),
        // Global services answer from one region, whatever the manifest allows.
        ask("admin", "iam:ListRoles", "us-east-1", ALLOWED),
        ask("admin", "sts:GetCallerIdentity", "us-east-1", ALLOWED),
        ask("admin", "organizations:DescribeOrganization", "us-east-1", ALLOWED),
        ask("admin", "route53:ListHostedZones", "us-east-1", ALLOWED),
        ask("admin", "cloudfront:ListDistributions", "us-east-1", ALLOWED),
        ask("admin", "support:DescribeCases", "us-east-1", ALLOWED),
        ask("admin", "budgets:DescribeBudgetActionsForAccount", "us-east-1", ALLOWED),
        ask("admin", "health:DescribeEvents", "us-east-1", ALLOWED),
        // denied-services
        ask("admin", "lightsail:GetInstances", "eu-central-1", DENIED),
        ask("admin", "lightsail:CreateInstances", "eu-west-1", DENIED),
        // protect-baseline
        ask("admin", "organizations:LeaveOrganization", "us-east-1", DENIED),
        ask("admin", "iam:DeleteAccountPasswordPolicy", "us-east-1", DENIED),
        ask("admin", "ec2:DisableEbsEncryptionByDefault", "eu-central-1", DENIED),
        ask("admin", "s3:PutAccountPublicAccessBlock", "eu-central-1", DENIED),
        ask("admin", "guardduty:DeleteDetector", "eu-central-1", DENIED),
        ask("admin", "guardduty:UpdateDetector", "eu-west-1", DENIED),
        ask("admin", "guardduty:DisassociateFromAdministratorAccount", "eu-central-1", DENIED),
        ask("admin", "guardduty:GetDetector", "eu-central-1", ALLOWED),
        ask("admin", "securityhub:DisableSecurityHub", "eu-central-1", DENIED),
        ask("admin", "securityhub:BatchDisableStandards", "eu-west-1", DENIED),
        ask("admin", "securityhub:GetEnabledStandards", "eu-central-1", ALLOWED),
        ask("admin", "cloudtrail:StopLogging", "eu-central-1", DENIED),
        ask("admin", "cloudtrail:DeleteTrail", "eu-central-1", DENIED),
        ask("admin", "cloudtrail:UpdateTrail", "eu-central-1", DENIED),
        ask("admin", "cloudtrail:PutEventSelectors", "eu-central-1", DENIED),
        ask("admin", "config:StopConfigurationRecorder", "eu-central-1", DENIED),
        ask("admin", "config:DeleteConfigurationRecorder", "eu-west-1", DENIED),
        ask("admin", "config:DeleteDeliveryChannel", "eu-central-1", DENIED),
        ask("admin", "config:PutConfigRule", "eu-central-1", ALLOWED),
        ask("admin", "cloudtrail:DescribeTrails", "eu-central-1", ALLOWED),
        ask("landfall-write", "guardduty:UpdateDetector", "eu-central-1", ALLOWED),
        ask("landfall-write", "cloudtrail:UpdateTrail", "eu-central-1", ALLOWED),
        ask("admin", "iam:GetAccountPasswordPolicy", "us-east-1", ALLOWED),
        ask("admin", "ec2:EnableEbsEncryptionByDefault", "eu-central-1", ALLOWED),
    ];
    // The root user of a member account is bound as well, and has no role that could be spared.
    let role = |name: &str| format!("arn:aws:iam::{ACCOUNT}:role/{name}");
    for guarded in SPARED {
        for action in [
            "iam:DeleteRole",
            "iam:UpdateAssumeRolePolicy",
            "iam:AttachRolePolicy",
            "iam:CreateRole",
            "iam:PassRole",
            "iam:PutRolePolicy",
        ] {
            requests.push(ask("admin", action, "us-east-1", DENIED).on(role(guarded)));
            requests.push(ask("landfall-write", action, "us-east-1", ALLOWED).on(role(guarded)));
        }
    }
    for own in ["app", "landfall", "break-glass2"] {
        requests.push(ask("admin", "iam:PassRole", "eu-central-1", ALLOWED).on(role(own)));
        requests.push(ask("admin", "iam:DeleteRole", "us-east-1", ALLOWED).on(role(own)));
    }
    for spared in SPARED {
        requests.push(ask(spared, "ec2:DescribeInstances", "us-east-1", ALLOWED));
        requests.push(ask(spared, "iam:DeleteAccountPasswordPolicy", "us-east-1", ALLOWED));
        requests.push(ask(spared, "ec2:DisableEbsEncryptionByDefault", "eu-central-1", ALLOWED));
        requests.push(ask(spared, "lightsail:GetInstances", "eu-central-1", ALLOWED));
    }
    for role in ORDINARY {
        requests.push(ask(role, "ec2:DescribeInstances", "us-east-1", DENIED));
        requests.push(ask(role, "ec2:DisableEbsEncryptionByDefault", "eu-central-1", DENIED));
    }
    requests
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn units_deny_what_they_should_and_spare_who_could_undo_it() {
    let stage = swept().await;
    let levels = stage.simulator.read(|world| levels(world, ACCOUNT));
    holds(&ordinary(&levels));
}

/// Requests behind a closed gate: nobody does anything, but for those who could open it.
fn gated(levels: &Value, account: &str) -> Vec<Request> {
    let actions = [
        "ec2:DescribeInstances",
        "iam:ListRoles",
        "s3:ListAllMyBuckets",
        "kms:ListKeys",
        "sqs:ListQueues",
        "organizations:LeaveOrganization",
    ];
    let of = |roles: &[&str], expected| -> Vec<Request> {
        let pairs = roles.iter().flat_map(|role| actions.iter().map(move |action| (role, action)));
        pairs.map(|(role, action)| request(levels, account, role, action, "eu-central-1", expected)).collect()
    };
    let mut requests = of(&ORDINARY, DENIED);
    requests.extend(of(&SPARED, ALLOWED));
    // The one thing that no policy can deny: asking who one is.
    requests.push(request(levels, account, "admin", "sts:GetCallerIdentity", "eu-central-1", ALLOWED));
    requests
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_the_gate_nobody_does_anything_but_who_could_open_it() {
    let stage = swept().await;
    // No rule of the intake knows it, so it stays gated.
    let account = stage.simulator.edit(|world| world.create_account("mystery"));
    drop(stage.reconcile(&account, Cause::Created).await);
    let closed = stage.simulator.read(|world| levels(world, &account));
    assert!(closed.to_string().contains("LandfallQuarantine"), "{closed}");
    holds(&gated(&closed, &account));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_was_handed_over_is_no_longer_behind_the_gate() {
    let stage = swept().await;
    let account = stage.simulator.edit(|world| world.create_account("new-shop"));
    drop(stage.reconcile(&account, Cause::Created).await);
    stage.drain().await;
    let open = stage.simulator.read(|world| levels(world, &account));
    assert!(!open.to_string().contains("LandfallQuarantine"), "{open}");
    holds(&[
        request(&open, &account, "admin", "ec2:DescribeInstances", "eu-central-1", ALLOWED),
        request(&open, &account, "admin", "ec2:DescribeInstances", "us-east-1", DENIED),
        request(&open, &account, "admin", "lightsail:GetInstances", "eu-central-1", DENIED),
    ]);
}

/// Applies a change to every statement that denies.
fn disturbed(levels: &Value, change: impl Fn(&mut Value)) -> Value {
    let mut levels = levels.clone();
    for level in levels.as_array_mut().unwrap() {
        for policy in level["policies"].as_array_mut().unwrap() {
            let statements = policy["policy"]["Statement"].as_array_mut().unwrap();
            statements.iter_mut().filter(|statement| statement["Effect"] == "Deny").for_each(&change);
        }
    }
    levels
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_judge_can_fail() {
    let stage = swept().await;
    let account = stage.simulator.edit(|world| world.create_account("mystery"));
    drop(stage.reconcile(&account, Cause::Created).await);
    let (units, gate) = stage.simulator.read(|world| (levels(world, ACCOUNT), levels(world, &account)));

    /// Whose policies are disturbed.
    #[derive(Clone, Copy)]
    enum Of {
        Units,
        Gate,
    }
    type Fault = (&'static str, fn(&mut Value), Of, &'static str);
    let faults: [Fault; 5] = [
        (
            "nobody is spared",
            |deny| drop(deny["Condition"].as_object_mut().unwrap().remove("ArnNotLike")),
            Of::Gate,
            "OrganizationAccountAccessRole iam:ListRoles",
        ),
        (
            "one role is not spared",
            |deny| {
                let spared = deny["Condition"]["ArnNotLike"]["aws:PrincipalARN"].as_array_mut().unwrap();
                spared.retain(|arn| !arn.as_str().unwrap().contains("stacksets-exec"));
            },
            Of::Gate,
            "stacksets-exec-0a1b2c3d4e5f60718293a4b5c6d7e8f9 iam:ListRoles",
        ),
        (
            "too many are spared",
            |deny| deny["Condition"]["ArnNotLike"]["aws:PrincipalARN"] = json!(["*"]),
            Of::Units,
            "admin lightsail:GetInstances",
        ),
        (
            "global services are bound to regions",
            |deny| {
                if deny.get("NotAction").is_some() {
                    deny["NotAction"] = json!(["sts:*"]);
                }
            },
            Of::Units,
            "admin iam:ListRoles in us-east-1",
        ),
        (
            "a region too many",
            |deny| {
                if let Some(regions) = deny["Condition"].get_mut("StringNotEquals") {
                    regions["aws:RequestedRegion"] = json!(["eu-central-1", "eu-west-1", "us-east-1"]);
                }
            },
            Of::Units,
            "admin ec2:DescribeInstances in us-east-1",
        ),
    ];
    for (what, fault, of, expected) in faults {
        let requests = match of {
            Of::Units => ordinary(&disturbed(&units, fault)),
            Of::Gate => gated(&disturbed(&gate, fault), &account),
        };
        let surprises = surprises(&requests);
        assert!(surprises.iter().any(|said| said.starts_with(expected)), "{what}: {surprises:#?}");
    }
}
