//! What a person pastes into the Lambda console, from the files of `events/aws`, and what he reads there.
#![expect(clippy::unwrap_used, clippy::panic, reason = "test code")]

use landfall_engine::store::StoreExt as _;
use landfall_engine::store::sqlite::SqliteStore;
use landfall_engine::sweep::Sweep;
use landfall_engine::{keys, lease};
use landfall_model::record::Record;
use landfall_simulator::lambda::{Function, Invocation};
use landfall_simulator::{Joined, MANAGEMENT_ACCOUNT, Options, Simulator};
use landfall_tests::judges::root;
use landfall_tests::stage::{self, tenant};
use serde_json::{Value, json};

use crate::events::{QUEUE, REGION, WITHIN, function, world};

/// Lambda's largest answer: <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>.
const LIMIT: usize = 6 * 1024 * 1024;

/// The account that the files name.
const EXAMPLE: &str = "222222222222";

/// Pastes a file, with an account of one's own in it.
async fn paste(function: &mut Function, file: &str, account: &str) -> Value {
    let text = std::fs::read_to_string(root().join("events/aws").join(file)).unwrap();
    ask(function, &serde_json::from_str(&text.replace(EXAMPLE, account)).unwrap()).await
}

async fn ask(function: &mut Function, request: &Value) -> Value {
    match function.invoke(request, WITHIN).await {
        Invocation::Answer(answer) => {
            assert!(serde_json::to_vec(&answer).unwrap().len() <= LIMIT, "{request}");
            answer
        }
        other @ (Invocation::Failed(_) | Invocation::Died) => panic!("{request}: {other:?}"),
    }
}

/// The lines for reading, each of which fits into one.
fn text(answer: &Value) -> String {
    let lines: Vec<&str> = answer["text"]
        .as_array()
        .unwrap_or_else(|| panic!("{answer}"))
        .iter()
        .map(|line| line.as_str().unwrap())
        .collect();
    assert!(!lines.is_empty() && !lines.iter().any(|line| line.contains(char::is_control)), "{lines:#?}");
    lines.join("\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_file_that_is_pasted_is_answered_as_the_table_of_the_readme_says() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = world();
    let account = world.add_account("checkout", Joined::Invited);
    let simulator = Simulator::start(Options { world: Some(world), ..Options::default() }).unwrap();
    let manifest = stage::ACME.replace(EXAMPLE, &account);
    let mut function = function(&simulator, folder.path(), &manifest).await;
    let target = format!("aws/{account}");

    let plan = paste(&mut function, "console-plan.json", &account).await;
    assert!(text(&plan[&target]).contains("password-policy"), "{plan}");
    assert!(plan[&target]["plan"].is_object() && plan[&target]["findings"].is_array(), "{plan}");

    let sweep = paste(&mut function, "console-sweep-unit.json", &account).await;
    let summary = sweep["summary"].as_str().unwrap();
    assert!(summary.starts_with("a sweep of the unit `workloads/production` has begun"), "{summary}");
    assert_eq!(sweep["unit"], "workloads/production");
    let sent = simulator.read(|world| {
        let region = world.account(MANAGEMENT_ACCOUNT).unwrap().regions[REGION].clone();
        region.queues[QUEUE].messages.iter().map(|message| message.body.clone()).collect::<Vec<_>>()
    });
    let reconciled: Vec<&String> = sent.iter().filter(|body| body.contains("\"reconcile\"")).collect();
    assert!(reconciled.len() == 1 && reconciled[0].contains(&target), "{sent:#?}");

    let applied = paste(&mut function, "console-apply.json", &account).await;
    assert!(applied[&target]["summary"].as_str().unwrap().starts_with(&target), "{applied}");
    let explained = paste(&mut function, "console-explain.json", &account).await;
    let chain = text(&explained[&target]);
    assert!(chain.contains("password-policy") && chain.contains("cis-aws-3.0/1.8"), "{chain}");

    let status = paste(&mut function, "console-status.json", &account).await;
    assert!(status["summary"].as_str().unwrap().starts_with("1 targets: "), "{status}");
    assert!(text(&status).contains(&target), "{status}");

    let nowhere = ask(&mut function, &json!({"action": "sweep", "unit": "workloads/test"})).await;
    assert_eq!(
        nowhere["refused"],
        "the manifest has no unit `workloads/test`; it has `sandbox`, `workloads`, `workloads/development`, `workloads/production`"
    );
    drop(function.end().await);

    let store = SqliteStore::open(folder.path().join("store.db").to_str().unwrap()).await.unwrap();
    let sweep = sweep["sweep"].as_str().unwrap().parse().unwrap();
    let (kept, _) = store.read::<Sweep>(&keys::sweep(&sweep).unwrap()).await.unwrap().unwrap();
    assert_eq!(
        (kept.unit.unwrap().as_str(), kept.tenants, kept.enumerated),
        ("workloads/production", 1, true)
    );
}

/// Six thousand with names as long as nobody's have as much to say as sixty thousand.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_status_of_a_very_large_organization_is_cut_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("store.db").to_str().unwrap()).await.unwrap();
    let simulator = Simulator::start(Options { world: Some(world()), ..Options::default() }).unwrap();
    let mut function = function(&simulator, folder.path(), stage::ACME).await;
    drop(paste(&mut function, "console-sweep.json", EXAMPLE).await);
    let organization = "organization/aws".parse().unwrap();
    let sample = lease::peek(&store, &organization).await.unwrap().unwrap();
    for number in 0..6_000_u32 {
        let target = tenant(&format!("5{number:011}"));
        let mut record = serde_json::to_value(Record { target: target.clone(), ..sample.clone() }).unwrap();
        record["facts"] = json!({"name": "n".repeat(1_000), "state": "active", "origin": "joined"});
        store.create_json(&keys::record(&target).unwrap(), &record).await.unwrap();
    }
    let status = paste(&mut function, "console-status.json", EXAMPLE).await;
    let shown = status["text"].as_array().unwrap().len();
    assert!(status["summary"].as_str().unwrap().starts_with("6001 targets: "), "{}", status["summary"]);
    assert!((1_000..6_000).contains(&shown), "{shown} lines");
    let left: usize = status["more"]
        .as_str()
        .and_then(|more| more.strip_prefix("and ")?.strip_suffix(" more lines")?.parse().ok())
        .unwrap();
    assert_eq!(shown + left, 6_001 + 1, "a line for each, and the sum");
    assert_eq!(status["too-large"], "the whole is in the store under `tenants/`");
    drop(function.end().await);
}
