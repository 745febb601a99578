//! What a person posts to Cloud Run, from the files of `events/gcp/paste`, and what he reads.
#![expect(clippy::unwrap_used, reason = "test code")]

use std::time::{Duration, Instant};

use landfall_simulator::cloud_run::{Answered, CloudRun};
use landfall_tests::judges::root;
use serde_json::{Value, json};

use crate::ground::{Ground, QUEUE, SCHEDULER};

const JANE: &str = "jane@acme.example";
const TARGET: &str = "gcp/acme-checkout-prod";

fn file(name: &str) -> String {
    std::fs::read_to_string(root().join("events/gcp/paste").join(name)).unwrap()
}

#[test]
fn what_is_pasted_is_what_the_files_of_requests_hold() {
    for name in ["console-plan.json", "console-status.json", "console-explain.json", "schedule-unit.json"] {
        let post: Value =
            serde_json::from_str(&std::fs::read_to_string(root().join("events/gcp").join(name)).unwrap())
                .unwrap();
        assert_eq!(serde_json::from_str::<Value>(&file(name)).unwrap(), post["body"], "{name}");
    }
}

async fn post(ground: &Ground, function: &CloudRun, who: &str, path: &str, body: &str) -> (Answered, String) {
    let bearer = ground.bearer(who);
    let headers = [("authorization", &*bearer), ("content-type", "application/json")];
    let answered = function.post(path, &headers, body).await.unwrap();
    let shown = String::from_utf8(answered.body.to_vec()).unwrap();
    (answered, shown)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_file_that_is_posted_is_answered_as_the_table_of_the_readme_says() {
    let ground = Ground::new();
    let function = ground.start(&ground.with_tokens()).await;

    // Indented, and the words before the details.
    let (answered, shown) = post(&ground, &function, JANE, "/", &file("console-plan.json")).await;
    assert!(
        shown.starts_with(&format!("{{\n  \"{TARGET}\": {{\n    \"target\": \"{TARGET}\",\n")),
        "{shown}"
    );
    assert!(shown.find("\"text\": [") < shown.find("\"findings\": ["), "{shown}");
    assert!(answered.json()[TARGET]["text"].to_string().contains("tags"), "{shown}");

    // A unit's sweep is started by whoever may start sweeps, and by nobody else.
    let unit = file("schedule-unit.json");
    let (turned_away, shown) = post(&ground, &function, JANE, "/sweep", &unit).await;
    assert_eq!(turned_away.status, 403, "{shown}");
    let (begun, shown) = post(&ground, &function, SCHEDULER, "/sweep", &unit).await;
    let summary = begun.json()["summary"].as_str().unwrap_or_default().to_owned();
    assert!(begun.status == 200 && summary.ends_with(" of `workloads/production` has begun"), "{shown}");
    let (nowhere, shown) = post(&ground, &function, SCHEDULER, "/sweep", r#"{"unit": "nowhere"}"#).await;
    let why = "the manifest has no unit `nowhere`; it has `workloads`, `workloads/production`";
    assert_eq!((nowhere.status, &nowhere.json()["refused"]), (400, &json!(why)), "{shown}");
    let patience = Instant::now() + Duration::from_secs(60);
    while ground.tasks.left(QUEUE) > 0 && Instant::now() < patience {
        ground.tasks.hurry(QUEUE);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(ground.tasks.left(QUEUE), 0, "{}", function.said().join("\n"));
    // The platform's alarm waits for the words that end a whole sweep.
    let said = function.said().join("\n");
    assert!(said.contains("\"unit swept\"") && !said.contains("\"sweep closed\""), "{said}");

    let (status, shown) = post(&ground, &function, JANE, "/", &file("console-status.json")).await;
    assert!(shown.starts_with("{\n  \"summary\": \"1 targets: "), "{shown}");
    assert!(shown.contains("gcp: only the unit `workloads/production` was swept at "), "{shown}");
    let status = status.json();
    assert_eq!(
        (&status["swept"], &status["partly"][0]["unit"]),
        (&json!([]), &json!("workloads/production"))
    );

    let explain = file("console-explain.json").replace("budget", "tags");
    let (explained, shown) = post(&ground, &function, JANE, "/", &explain).await;
    assert!(explained.json()[TARGET]["text"][0].as_str().unwrap().contains("tags"), "{shown}");

    // Over HTTP a person changes nothing, and is told what to do instead.
    let sweep = r#"{"action": "sweep", "unit": "workloads/production"}"#;
    let (refused, shown) = post(&ground, &function, JANE, "/", sweep).await;
    assert!(refused.status == 403 && shown.contains("post to `/sweep`"), "{shown}");
}
