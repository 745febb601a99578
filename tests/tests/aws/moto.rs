//! The spine on moto's server, an AWS that nobody here wrote: event, gate, baseline, handover, break, sweep, nothing left to do;
//! with the store in moto's S3 and the work queue in moto's SQS.

#![expect(clippy::unwrap_used, reason = "test harness: a failure here is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use landfall_aws::Aws;
use landfall_engine::ask::preview;
use landfall_engine::engine::{Deadline, Engine};
use landfall_engine::queue::Queue;
use landfall_engine::reconcile::{Order, Reconciled, reconcile};
use landfall_engine::{history, sweep, work};
use landfall_model::catalog::ControlKind;
use landfall_model::finding::Status;
use landfall_model::manifest::bundle::Bundle;
use landfall_model::manifest::statement::{NewKey, Statement, keygen, sign};
use landfall_model::outcome::Done;
use landfall_model::record::Life;
use landfall_model::report::Report;
use landfall_model::trigger::{Cause, Work};
use landfall_simulator::lambda::{Function, Invocation, sqs_event};
use landfall_tests::judges::{Moto, function_binary, python, root};
use landfall_tests::stage::{ACME, EXTERNAL_ID, engine, grants, manifest, tenant};
use serde_json::{Value, json};

/// Controls whose operations this moto lacks: their looks answer a web page, which is `unknown`, never a pass. A new moto that has
/// them makes this test fail, and the line goes.
const LACKING: [(ControlKind, &str); 7] = [
    (ControlKind::ExternalAccessAnalysis, "accessanalyzer, the whole service"),
    (ControlKind::StandardsAssessment, "securityhub:GetEnabledStandards"),
    (ControlKind::BlockPublicSnapshots, "ec2:GetSnapshotBlockPublicAccessState"),
    (ControlKind::BlockPublicImages, "ec2:GetImageBlockPublicAccessState"),
    (ControlKind::HardenedInstances, "ec2:GetInstanceMetadataDefaults"),
    (ControlKind::Budget, "budgets:DescribeSubscribersForNotification"),
    (ControlKind::RegionOptIn, "account:GetRegionOptStatus"),
];

/// The organization's trail, which moto shows in the management account alone: a member's look finds none, and fails.
const FAILING: (ControlKind, &str) =
    (ControlKind::AuditLog, "cloudtrail: shadows of a trail in member accounts");

pub(crate) fn prepare(moto: &Moto, arguments: &[&str]) -> Value {
    let verdict = python("prepare_moto.py", &[&[moto.url()], arguments].concat(), "");
    assert!(verdict.content, "{}", verdict.complained);
    serde_json::from_str(&verdict.said).unwrap()
}

/// The shared manifest for moto's organization; handover does not wait for what moto can't show.
pub(crate) fn for_moto(made: &Value, new_account: &str) -> String {
    let text = |key: &str| made[key].as_str().unwrap().to_owned();
    let mut manifest = ACME
        .replace("o-a1b2c3d4e5", &text("organization"))
        .replace("111111111111", &text("management"))
        .replace("222222222222", new_account);
    for (control, _) in LACKING.into_iter().chain([FAILING]) {
        let entry = format!("control: {control}");
        assert!(manifest.contains(&entry), "{entry}");
        manifest = manifest.replacen(&entry, &format!("{entry}, handover: reported"), 1);
    }
    manifest
}

fn order(engine: &Engine, account: &str, cause: Cause) -> Order {
    let deadline = Deadline(engine.clock.now() + SignedDuration::from_mins(5));
    Order::new(tenant(account), cause, deadline)
}

async fn sweep_all(engine: &Engine, queue: &dyn Queue) -> sweep::Closed {
    let deadline = Deadline(engine.clock.now() + SignedDuration::from_mins(5));
    let id = sweep::begin(engine, None, deadline).await.unwrap();
    loop {
        let received = queue.receive(10).await.unwrap();
        if received.is_empty() {
            work::perform(engine, &Work::Close { sweep: id.clone() }, deadline).await.unwrap();
            if let Some(closed) = sweep::closed(engine, &id).await.unwrap() {
                return closed;
            }
        }
        for message in received {
            drop(work::perform(engine, &work::read(&message.body).unwrap(), deadline).await.unwrap());
            queue.done(&message.receipt).await.unwrap();
        }
    }
}

fn unknown(report: &Report) -> BTreeSet<ControlKind> {
    report
        .findings
        .iter()
        .filter(|finding| finding.status == Status::Unknown)
        .map(|finding| finding.control)
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_way_on_an_aws_that_nobody_here_wrote() {
    let moto = Moto::start();
    let made = prepare(&moto, &["organization"]);
    let aws = Aws::loopback(moto.url(), "eu-central-1").await.unwrap();
    let store = Arc::new(aws.store("s3://acme-landfall/landfall").unwrap());
    let queue = Arc::new(aws.queue(made["queue"].as_str().unwrap()).unwrap());

    // The first sweep finds the accounts that were there, and makes units and policies.
    let before = manifest(&for_moto(&made, "222222222222"));
    let (first, _, _) = engine(moto.url(), before, store.clone()).await;
    let first = Engine { queue: queue.clone(), ..first };
    let closed = sweep_all(&first, &*queue).await;
    assert!(closed.unknown.is_empty(), "{closed:#?}");

    // A new account, which the manifest names.
    let account = prepare(&moto, &["create", "shop"])["account"].as_str().unwrap().to_owned();
    let (engine, _, _) = engine(moto.url(), manifest(&for_moto(&made, &account)), store.clone()).await;
    let engine = Engine { queue: queue.clone(), ..engine };
    let done = reconcile(&engine, &order(&engine, &account, Cause::Created)).await.unwrap();
    let Reconciled::Done(report) = done else { panic!("not done") };
    let text = landfall_reports::text::report(&report);
    assert_eq!(report.life, Life::HandedOver, "{text}");
    let failed: Vec<_> =
        report.outcomes.iter().filter(|outcome| !matches!(outcome.result, Done::Written { .. })).collect();
    assert!(failed.is_empty(), "{failed:#?}\n{text}");
    let lacking: BTreeSet<ControlKind> = LACKING.iter().map(|(control, _)| *control).collect();
    assert_eq!(unknown(&report), lacking, "{text}");
    let fails = [ControlKind::RootMfa, FAILING.0];
    assert_eq!(
        report.counts.fail,
        report.findings.iter().filter(|finding| fails.contains(&finding.control)).count() as u32,
        "{text}"
    );

    // Three settings are broken by hand, and the next sweep puts them right.
    prepare(&moto, &["break", &account]);
    let closed = sweep_all(&engine, &*queue).await;
    assert!(closed.unknown.is_empty(), "{closed:#?}");
    assert!(closed.changes >= 3, "{closed:#?}");
    let run = engine.new_run();
    let limits = engine.limits();
    let left = preview(
        &*engine.store,
        &*engine.cloud,
        &engine.trusted,
        &*engine.clock,
        &run,
        &tenant(&account),
        limits,
    )
    .await
    .unwrap();
    assert!(left.plan.changes.is_empty(), "{}", landfall_reports::text::plan(&left.plan, None));

    let verified = history::verify(&*engine.store, &tenant(&account)).await.unwrap();
    assert_eq!((verified.broken, verified.open), (None, 0));
    for (control, operation) in LACKING {
        println!("moto lacks {operation}: `{control}` was unknown");
    }
    println!("moto lacks {}: `{}` failed", FAILING.1, FAILING.0);
}

/// The two files of a signed bundle that names the account, with where they are now.
pub(crate) fn signed(
    key: &NewKey,
    generation: u64,
    made: &Value,
    account: &str,
    folder: &Path,
) -> [(&'static str, String); 2] {
    let bundle = Bundle::build(manifest(&for_moto(made, account))).unwrap();
    let statement = Statement {
        organization: bundle.manifest().organization.clone(),
        generation,
        digest: bundle.digest().clone(),
        key_id: key.public.id().clone(),
        expires: Timestamp::now() + SignedDuration::from_hours(1),
        author: Some("ada@acme.example".into()),
        signed_at: Timestamp::now(),
    };
    let statement = sign(&statement, &key.pkcs8).unwrap().to_json().unwrap();
    [("bundle.json", bundle.bytes()), ("bundle.statement.json", statement.as_slice())].map(|(name, bytes)| {
        let path = folder.join(name);
        std::fs::write(&path, bytes).unwrap();
        (name, path.to_str().unwrap().to_owned())
    })
}

/// The function's own process: its signed bundle, its store and its queue are in moto, and it is woken by the event.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_function_itself_follows_a_signed_bundle_from_s3() {
    let moto = Moto::start();
    let made = prepare(&moto, &["organization"]);
    let folder = tempfile::tempdir().unwrap();
    let key = keygen(&ring::rand::SystemRandom::new()).unwrap();
    let publish = |generation: u64, account: &str| {
        for (name, path) in signed(&key, generation, &made, account, folder.path()) {
            prepare(&moto, &["put", name, &path]);
        }
    };
    let environment = BTreeMap::from([
        ("AWS_ENDPOINT_URL".to_owned(), moto.url().to_owned()),
        ("AWS_REGION".to_owned(), "eu-central-1".to_owned()),
        ("AWS_ACCESS_KEY_ID".to_owned(), "test".to_owned()),
        ("AWS_SECRET_ACCESS_KEY".to_owned(), "test".to_owned()),
        ("LANDFALL_MANIFEST".to_owned(), "s3://acme-landfall/bundle.json".to_owned()),
        ("LANDFALL_STORE".to_owned(), "s3://acme-landfall/function".to_owned()),
        ("LANDFALL_QUEUE".to_owned(), made["queue"].as_str().unwrap().to_owned()),
        ("LANDFALL_PUBLIC_KEYS".to_owned(), key.public.to_string()),
    ]);
    let minute = Duration::from_secs(60);
    let schedule = json!({"source": "aws.events", "detail-type": "Scheduled Event", "account": made["management"], "detail": {}});

    publish(1, "222222222222");
    let mut function = Function::start(function_binary(), &[], &environment).await.unwrap();
    let swept = function.invoke(&schedule, minute).await;
    assert!(matches!(&swept, Invocation::Answer(answer) if answer["sweep"].is_string()), "{swept:?}");
    drop(function.end().await);

    // The next generation names the new account; a new process follows it.
    let account = prepare(&moto, &["create", "shop"])["account"].as_str().unwrap().to_owned();
    publish(2, &account);
    let mut function = Function::start(function_binary(), &[], &environment).await.unwrap();
    let mut event: Value =
        serde_json::from_slice(&std::fs::read(root().join("events/aws/create-account-result.json")).unwrap())
            .unwrap();
    event["account"] = made["management"].clone();
    event["detail"]["serviceEventDetails"]["createAccountStatus"]["accountId"] = json!(account);
    let Invocation::Answer(answer) = function.invoke(&event, minute).await else { panic!("no answer") };
    assert!(answer["summary"].as_str().unwrap().contains("handed over"), "{answer:#}");
    assert_eq!(answer["report"]["provenance"]["generation"], 2);
    assert_eq!(answer["report"]["provenance"]["author"], "ada@acme.example");

    // Its own messages, as its queue holds them, are done without a failure.
    let aws = Aws::loopback(moto.url(), "eu-central-1").await.unwrap();
    let received = aws.queue(made["queue"].as_str().unwrap()).unwrap().receive(10).await.unwrap();
    assert!(!received.is_empty());
    let batch = sqs_event(received.iter().map(|message| (message.receipt.as_str(), message.body.as_str())));
    let Invocation::Answer(answer) = function.invoke(&batch, minute).await else { panic!("no answer") };
    assert_eq!(answer, json!({"batchItemFailures": []}));
    drop(function.end().await);

    // The first generation, still validly signed, does not turn the organization back.
    publish(1, "222222222222");
    let mut function = Function::start(function_binary(), &[], &environment).await.unwrap();
    let refused = function.invoke(&schedule, minute).await;
    assert!(
        matches!(&refused, Invocation::Failed(error) if error.to_string().contains("generation")),
        "{refused:?}"
    );
}

/// The engine's own suites on S3 and SQS as moto has them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_store_and_the_queue_keep_their_contracts() {
    let moto = Moto::start();
    prepare(&moto, &["organization"]);
    let aws = Aws::loopback(moto.url(), "eu-central-1").await.unwrap();
    landfall_engine::store::contract::run(&aws.store("s3://acme-landfall/contract").unwrap()).await;

    let made = prepare(&moto, &["contract-queue"]);
    let queue = aws.queue(made["queue"].as_str().unwrap()).unwrap();
    let (visibility, delay) = (Duration::from_secs(2), Duration::from_secs(1));
    let rules = landfall_engine::queue::contract::Rules { visibility, delay, max_receives: 2 };
    landfall_engine::queue::contract::run(&queue, &rules).await;
}

/// What this moto asks for and AWS does not, and what moto makes of it.
const ASKED_OTHERWISE: [(&str, &[&str]); 3] = [
    (
        "the account's settings of S3 go by the names of a bucket's",
        &["s3:GetPublicAccessBlock", "s3:PutPublicAccessBlock"],
    ),
    (
        "each operation of Budgets has a permission of its own",
        &[
            "budgets:CreateBudget",
            "budgets:CreateNotification",
            "budgets:CreateSubscriber",
            "budgets:DescribeBudget",
            "budgets:DescribeNotificationsForBudget",
            "budgets:DescribeSubscribersForNotification",
        ],
    ),
    ("a statement with a condition never allows", &["iam:CreateServiceLinkedRole", "iam:PassRole"]),
];

/// Its looks are unknown where moto judges: what it signs again lacks the query of a GET, and no such signature is right.
const SIGNED_OTHERWISE: ControlKind = ControlKind::ThreatDetection;

/// With moto as the judge of every signature and permission: the roles hold what `landfall permissions` prints for the manifest, and nothing
/// is denied; without one of them, that one is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_moto_enforces_iam_the_printed_roles_are_enough_and_less_is_not() {
    let moto = Moto::start();
    let made = prepare(&moto, &["organization"]);
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let roles = |manifest_text: &str, without: &str| {
        let manifest = manifest(manifest_text);
        for (role, mut document) in grants(&manifest) {
            for statement in document["Statement"].as_array_mut().unwrap() {
                statement["Action"].as_array_mut().unwrap().retain(|action| action != without);
            }
            let actions: Vec<&str> =
                ASKED_OTHERWISE.iter().flat_map(|(_, actions)| *actions).copied().collect();
            let otherwise = json!({"Effect": "Allow", "Action": actions, "Resource": "*"});
            document["Statement"].as_array_mut().unwrap().push(otherwise);
            std::fs::write(place(&role), document.to_string()).unwrap();
        }
        let (read, write) = (place("landfall-read"), place("landfall-write"));
        prepare(&moto, &["roles", &read, &write, EXTERNAL_ID]);
    };
    let key = prepare(&moto, &["user"]);
    let start = async |manifest_text: &str| {
        let bundle = place("bundle.json");
        std::fs::write(&bundle, Bundle::build(manifest(manifest_text)).unwrap().bytes()).unwrap();
        let text = |name: &str| key[name].as_str().unwrap().to_owned();
        let environment = BTreeMap::from([
            ("AWS_ENDPOINT_URL".to_owned(), moto.url().to_owned()),
            ("AWS_REGION".to_owned(), "eu-central-1".to_owned()),
            ("AWS_ACCESS_KEY_ID".to_owned(), text("id")),
            ("AWS_SECRET_ACCESS_KEY".to_owned(), text("secret")),
            ("LANDFALL_MANIFEST".to_owned(), bundle),
            ("LANDFALL_STORE".to_owned(), "s3://acme-landfall/judged".to_owned()),
            ("LANDFALL_QUEUE".to_owned(), made["queue"].as_str().unwrap().to_owned()),
        ]);
        Function::start(function_binary(), &[], &environment).await.unwrap()
    };
    let minute = Duration::from_secs(60);
    let schedule = json!({"source": "aws.events", "detail-type": "Scheduled Event", "account": made["management"], "detail": {}});

    let for_judge = |account: &str| {
        let entry = format!("control: {SIGNED_OTHERWISE}");
        for_moto(&made, account).replacen(&entry, &format!("{entry}, handover: reported"), 1)
    };
    let before = for_judge("222222222222");
    roles(&before, "");
    prepare(&moto, &["judge", "yes"]);
    let mut function = start(&before).await;
    let swept = function.invoke(&schedule, minute).await;
    assert!(matches!(&swept, Invocation::Answer(answer) if answer["sweep"].is_string()), "{swept:?}");
    drop(function.end().await);

    for (name, without) in [("shop", ""), ("till", "iam:UpdateAccountPasswordPolicy")] {
        prepare(&moto, &["judge", "no"]);
        let account = prepare(&moto, &["create", name])["account"].as_str().unwrap().to_owned();
        let after = for_judge(&account);
        roles(&after, without);
        prepare(&moto, &["judge", "yes"]);
        let mut function = start(&after).await;
        let request = json!({"action": "apply", "targets": [format!("aws/{account}")]});
        let Invocation::Answer(answer) = function.invoke(&request, minute).await else { panic!("no answer") };
        let said = answer.to_string();
        drop(function.end().await);
        let denied = said.contains("not authorized") || said.contains("AccessDenied");
        assert_eq!(denied, !without.is_empty(), "{answer:#}");
        assert_eq!(said.contains("handed over"), without.is_empty(), "{answer:#}");
        assert!(said.contains(without), "{answer:#}");
    }
}
