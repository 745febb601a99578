//! The templates of `infra/aws`: judged by AWS's own linter, deployed into moto's CloudFormation, and at work there: an event on the bus
//! becomes a message on the queue, and the packaged function, as the template configures it, makes of it an account with its baseline.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "test code")]

mod access;
mod rules;
mod templates;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use landfall_aws::Aws;
use landfall_engine::queue::Queue as _;
use landfall_model::manifest::statement::keygen;
use landfall_simulator::lambda::{Function, Invocation, sqs_event};
use landfall_tests::judges::{Moto, python, root};
use landfall_tests::packages;
use serde_json::{Value, json};

use crate::moto::{prepare, signed};

/// Types that moto's CloudFormation does not make, and says nothing of. A new moto that makes one makes a test fail, and the line goes.
const NOT_MADE: [&str; 9] = [
    "AWS::CloudFormation::StackSet",
    "AWS::CloudWatch::Alarm",
    "AWS::Events::EventBusPolicy",
    "AWS::Logs::MetricFilter",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::Subscription",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
    "AWS::Scheduler::Schedule",
];

const MINUTE: Duration = Duration::from_secs(60);

/// The templates of a folder as the linter reads them, and what it finds.
fn read(folder: &Path) -> Value {
    let files = ["controller", "management", "member"].map(|name| folder.join(format!("{name}.yaml")));
    let verdict = python("read_template.py", &files.each_ref().map(|file| file.to_str().unwrap()), "");
    assert!(verdict.content, "{}", verdict.complained);
    serde_json::from_str(&verdict.said).unwrap()
}

/// A copy of the templates in which one text of one file is another one.
fn copy_with(file: &str, text: &str, instead: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(root().join("infra/aws")).unwrap() {
        let path = entry.unwrap().path();
        let mut said = std::fs::read_to_string(&path).unwrap();
        if path.file_name().unwrap() == file {
            assert!(said.contains(text), "{file} has no `{text}`");
            said = said.replacen(text, instead, 1);
        }
        std::fs::write(folder.path().join(path.file_name().unwrap()), said).unwrap();
    }
    folder
}

fn deploy(moto: &Moto, arguments: &[&str]) -> Value {
    let verdict = python("deploy_moto.py", &[&[moto.url()], arguments].concat(), "");
    assert!(verdict.content, "{}", verdict.complained);
    serde_json::from_str(&verdict.said).unwrap()
}

/// The types of a census' list.
fn types(census: &Value, list: &str) -> BTreeSet<String> {
    census[list].as_array().unwrap().iter().map(|one| one["type"].as_str().unwrap().to_owned()).collect()
}

fn not_made() -> BTreeSet<String> {
    NOT_MADE.iter().map(|one| (*one).to_owned()).collect()
}

#[test]
fn aws_own_linter_finds_nothing() {
    assert_eq!(read(&root().join("infra/aws"))["findings"], json!([]));

    // It would, if something were there to find.
    for (file, text, instead, rule) in [
        ("controller.yaml", "      VisibilityTimeout: 1800", "      VisibilityTimeOut: 1800", "E3002"),
        ("controller.yaml", "!GetAtt DeadLetters.Arn", "!GetAtt DeadLetter.Arn", "E1010"),
        ("member.yaml", "Default: landfall-read", "Default: landfall read", "W1030"),
    ] {
        let folder = copy_with(file, text, instead);
        let findings = read(folder.path())["findings"].to_string();
        assert!(findings.contains(file) && findings.contains(rule), "{instead}: {findings}");
    }
}

/// What is declared is there afterwards, by the word of each service itself; but for the types that moto can't make.
#[test]
fn every_declared_resource_is_made() {
    let moto = Moto::start();
    let made = prepare(&moto, &["organization"]);
    let census = deploy(&moto, &["launch", root().join("infra/aws").to_str().unwrap(), "keys"]);
    assert_eq!(types(&census, "missing"), not_made(), "{:#}", census["missing"]);
    assert!(types(&census, "made").is_disjoint(&not_made()), "{:#}", census["made"]);
    // Each account but the management account by the stack set, that one by a stack of its own.
    let accounts = made["accounts"].as_array().unwrap();
    for account in accounts {
        assert_eq!(census["members"][account.as_str().unwrap()], 1, "{:#}", census["members"]);
    }
    assert_eq!(census["members"].as_object().unwrap().len(), accounts.len());
    let roles = |stack: &str| {
        let made = census["made"].as_array().unwrap().iter();
        made.filter(|one| {
            one["stack"].as_str().unwrap().starts_with(stack) && one["type"] == "AWS::IAM::Role"
        })
        .count()
    };
    assert_eq!(roles("landfall-management-ManagementRoles"), 2);
    assert_eq!(roles("StackSet"), 2 * accounts.len());

    // The roles as they are: what only looks has nothing of what writes.
    let roles = deploy(&moto, &["documents"]);
    let policies = |role: &str| roles[role]["allowed"].as_array().unwrap().len();
    assert_eq!((policies("landfall-read"), policies("landfall-write")), (2, 4), "{roles:#}");
    assert!(!roles["landfall-read"].to_string().contains("iam:UpdateAccountPasswordPolicy"));
    assert!(roles["landfall-write"].to_string().contains("iam:UpdateAccountPasswordPolicy"));
}

/// A store on another cloud: no bucket here, and the function is told where to go and as whom.
#[test]
fn a_store_elsewhere_needs_no_bucket() {
    let moto = Moto::start();
    prepare(&moto, &["organization"]);
    let folder = root().join("infra/aws");
    let identity = "00000000-0000-4000-8000-0000000000aa/00000000-0000-4000-8000-0000000000cc";
    let census = deploy(
        &moto,
        &[
            "launch",
            folder.to_str().unwrap(),
            "keys",
            "Store=az://acme/landfall/store",
            "Bundle=az://acme/landfall/bundle.json",
            &format!("StoreIdentity={identity}"),
            "StoreAudience=api://AzureADTokenExchange",
        ],
    );
    for list in ["made", "missing"] {
        let found = types(&census, list);
        assert!(!found.iter().any(|one| one.starts_with("AWS::S3::")), "{list}: {found:?}");
    }
    assert!(census["outputs"].get("Bucket").is_none(), "{:#}", census["outputs"]);
    for (name, value) in [
        ("LANDFALL_STORE", "az://acme/landfall/store"),
        ("LANDFALL_MANIFEST", "az://acme/landfall/bundle.json"),
        ("LANDFALL_STORE_IDENTITY", identity),
        ("LANDFALL_STORE_AUDIENCE", "api://AzureADTokenExchange"),
    ] {
        assert_eq!(census["environment"][name], value, "{:#}", census["environment"]);
    }
    let function = deploy(&moto, &["documents"])["landfall-controller"]["allowed"].to_string();
    assert!(function.contains("sts:GetWebIdentityToken") && !function.contains("s3:"), "{function}");
}

/// The census itself sees what is not there: a rule without a target, and a type that moto passes over in silence.
#[test]
fn a_resource_that_is_not_made_is_missed() {
    let targets = "      Targets:\n        - Id: queue\n          Arn: !GetAtt Queue.Arn\n          DeadLetterConfig:\n            \
                   Arn: !GetAtt DeadLetters.Arn\n";
    let another = "  Another:\n    Type: AWS::Config::ConfigRule\n    Properties: { Source: { Owner: AWS } }\n\n  KeyAlias:";
    for (text, instead, missing) in
        [(targets, "", "AWS::Events::Rule"), ("  KeyAlias:", another, "AWS::Config::ConfigRule")]
    {
        let moto = Moto::start();
        prepare(&moto, &["organization"]);
        let folder = copy_with("controller.yaml", text, instead);
        let census = deploy(&moto, &["launch", folder.path().to_str().unwrap(), "keys"]);
        let mut expected = not_made();
        expected.insert(missing.to_owned());
        assert_eq!(types(&census, "missing"), expected, "{:#}", census["missing"]);
    }
}

/// One batch of one message; it has to be done.
async fn bring(function: &mut Function, body: &str) {
    let answer = function.invoke(&sqs_event([("1", body)]), 5 * MINUTE).await;
    assert!(
        matches!(&answer, Invocation::Answer(answer) if *answer == json!({"batchItemFailures": []})),
        "{body}: {answer:?}"
    );
}

/// From the event on the bus of us-east-1 to an account that is handed over, with nothing but what the templates say in between.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_on_the_bus_becomes_an_account_with_its_baseline() {
    let moto = Moto::start();
    let made = prepare(&moto, &["organization"]);
    let management = made["management"].as_str().unwrap();
    let key = keygen(&ring::rand::SystemRandom::new()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    // The package as it is deployed, of which moto runs nothing; what is in it is run here.
    let package = packages::zip("aws");
    let deployed = deploy(
        &moto,
        &[
            "launch",
            root().join("infra/aws").to_str().unwrap(),
            &key.public.to_string(),
            "--package",
            package.to_str().unwrap(),
        ],
    );
    assert_eq!(
        deployed["code"],
        json!({
            "size": std::fs::metadata(&package).unwrap().len(),
            "runtime": "provided.al2023",
            "architectures": ["x86_64"],
        })
    );
    let program = || packages::unpacked().join("aws/bootstrap");
    let bucket = deployed["outputs"]["Bucket"].as_str().unwrap();
    let publish = |generation: u64, account: &str| {
        for (name, path) in signed(&key, generation, &made, account, folder.path()) {
            deploy(&moto, &["put", bucket, name, &path]);
        }
    };
    // The deployed function's own variables, and where AWS is.
    let mut environment: BTreeMap<String, String> =
        serde_json::from_value(deployed["environment"].clone()).unwrap();
    for (name, value) in [
        ("AWS_ENDPOINT_URL", moto.url()),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
    ] {
        environment.insert(name.to_owned(), value.to_owned());
    }
    let aws = Aws::loopback(moto.url(), "eu-central-1").await.unwrap();
    let queue = aws.queue(&environment["LANDFALL_QUEUE"]).unwrap();

    // The schedule's message: a sweep, whose own messages come by the same queue.
    publish(1, "222222222222");
    let mut function = Function::start(program(), &[], &environment).await.unwrap();
    bring(&mut function, deployed["schedule"].as_str().unwrap()).await;
    let mut sweep = None;
    loop {
        let received = queue.receive(10).await.unwrap();
        if received.is_empty() {
            break;
        }
        for message in received {
            let work: Value = serde_json::from_str(&message.body).unwrap();
            sweep = sweep.or(work["sweep"].as_str().map(str::to_owned));
            if work["work"] != "close" {
                bring(&mut function, &message.body).await;
            }
            queue.done(&message.receipt).await.unwrap();
        }
    }
    // The message that closes the sweep comes by itself some time later, or just came.
    bring(&mut function, &json!({"work": "close", "sweep": sweep.unwrap()}).to_string()).await;
    let log = function.end().await;
    let filter = deployed["heartbeat"].as_str().unwrap();
    assert_eq!(filter, r#"{ $.message = "sweep closed" }"#);
    let beats = log
        .iter()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|line| line["message"] == "sweep closed")
        .count();
    assert_eq!(beats, 1, "the alarm over missed sweeps counts this line:\n{}", log.join("\n"));

    // A new account. It has the roles as soon as the stack set gets there.
    let account = prepare(&moto, &["create", "shop"])["account"].as_str().unwrap().to_owned();
    deploy(&moto, &["spread"]);
    publish(2, &account);
    let look = || deploy(&moto, &["look", &account]);
    assert_eq!(look(), json!({"password length": null, "volumes encrypted": false}));
    let event = std::fs::read_to_string(root().join("events/aws/create-account-result.json")).unwrap();
    let event = event.replace("222222222222", &account).replace("111111111111", management);
    let path = folder.path().join("event.json");
    std::fs::write(&path, event).unwrap();
    assert_eq!(deploy(&moto, &["event", path.to_str().unwrap()])["failed"], 0);
    let mut received = queue.receive(10).await.unwrap();
    received.retain(|message| !message.body.contains(r#""work":"close""#));
    let [message] = received.as_slice() else { panic!("{received:#?}") };
    let brought: Value = serde_json::from_str(&message.body).unwrap();
    assert_eq!(brought["source"], "aws.organizations");
    assert_eq!(brought["account"], management);

    let mut function = Function::start(program(), &[], &environment).await.unwrap();
    bring(&mut function, &message.body).await;
    let status =
        function.invoke(&json!({"action": "status", "targets": [format!("aws/{account}")]}), MINUTE).await;
    let Invocation::Answer(status) = status else { panic!("{status:?}") };
    assert!(status.to_string().contains("handed-over"), "{status:#}");
    drop(function.end().await);
    // By the word of the account's own services.
    assert_eq!(look(), json!({"password length": 14, "volumes encrypted": true}));
}

/// What does not concern accounts, or comes from elsewhere, stays off the queue.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_events_do_not_reach_the_queue() {
    let moto = Moto::start();
    prepare(&moto, &["organization"]);
    let deployed = deploy(&moto, &["launch", root().join("infra/aws").to_str().unwrap(), "keys"]);
    let aws = Aws::loopback(moto.url(), "eu-central-1").await.unwrap();
    let queue = aws.queue(deployed["environment"]["LANDFALL_QUEUE"].as_str().unwrap()).unwrap();
    let put = |sample: &str| {
        deploy(&moto, &["event", root().join("events/aws").join(sample).to_str().unwrap()]);
    };
    for sample in
        ["create-account.json", "invite-account.json", "other-source.json", "look-alike-source.json"]
    {
        put(sample);
        assert!(queue.receive(10).await.unwrap().is_empty(), "{sample}");
    }
    put("move-account.json");
    assert_eq!(queue.receive(10).await.unwrap().len(), 1);
}
