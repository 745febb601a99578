//! What a person pastes in the portal, from the files of `events/azure/paste`, and what he reads there.
#![expect(clippy::unwrap_used, clippy::panic, reason = "test code")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use landfall_simulator::functions_host::{Asked, Fate, Host, Invocation};
use landfall_tests::azurite::Azurite;
use landfall_tests::judges::root;
use serde_json::{Value, json};

use crate::events::{QUEUE, TENANT, host, simulator};

/// The subscription that the files name.
const EXAMPLE: &str = "3f2c0000-0000-4000-8000-000000000022";

fn file(name: &str) -> String {
    std::fs::read_to_string(root().join("events/azure/paste").join(name)).unwrap()
}

#[test]
fn what_is_pasted_is_what_the_host_s_files_hold() {
    for name in ["console-plan.json", "console-status.json", "console-explain.json"] {
        let post: Value =
            serde_json::from_str(&std::fs::read_to_string(root().join("events/azure").join(name)).unwrap())
                .unwrap();
        let body: Value = serde_json::from_str(post["Data"]["req"]["Body"].as_str().unwrap()).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&file(name)).unwrap(), body, "{name}");
    }
    let name = "queue-sweep-unit.json";
    let post: Value =
        serde_json::from_str(&std::fs::read_to_string(root().join("events/azure").join(name)).unwrap())
            .unwrap();
    let message: String = serde_json::from_str(post["Data"]["message"].as_str().unwrap()).unwrap();
    let message: Value = serde_json::from_str(&message).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&file(name)).unwrap(), message);
}

/// Asks over HTTP; the answer as it is shown, and as JSON.
async fn paste(host: &Host, body: &str) -> (String, Value) {
    let headers = [("x-functions-key".to_owned(), "landfall-key".to_owned())];
    let body = body.replace(EXAMPLE, TENANT).into_bytes();
    let asked = Asked { method: "POST".to_owned(), body, headers: headers.into(), ..Asked::default() };
    let answer = host.invoke_http("console", &asked).await;
    let shown = String::from_utf8(answer.body.to_vec()).unwrap();
    let json = serde_json::from_str(&shown).unwrap_or_else(|error| panic!("{error}: {shown}"));
    (shown, json)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_file_that_is_pasted_is_answered_as_the_table_of_the_readme_says() {
    let folder = tempfile::tempdir().unwrap();
    let (simulator, azurite) = (simulator(), Azurite::start());
    let host = host(&simulator, &azurite, folder.path()).await;
    let target = format!("azure/{TENANT}");

    // Indented, and the words before the details.
    let (shown, plan) = paste(&host, &file("console-plan.json")).await;
    assert!(
        shown.starts_with(&format!("{{\n  \"{target}\": {{\n    \"target\": \"{target}\",\n")),
        "{shown}"
    );
    assert!(shown.find("\"text\": [") < shown.find("\"findings\": ["), "{shown}");
    assert!(plan[&target]["text"].to_string().contains("security-contacts"), "{shown}");

    // The message of a unit's sweep, as the portal's queue leaves it.
    deliver(&host, &file("queue-sweep-unit.json")).await;
    let reconcile = targets(&azurite);
    assert!(reconcile.len() == 1 && reconcile[0]["target"] == target, "{reconcile:#?}");
    drain(&host, &reconcile).await;
    assert_eq!(lines(&host, "\"unit swept\""), 1);
    assert_eq!(lines(&host, ALARM), 0, "the alert on a missed sweep is put off by a unit's");

    let (shown, status) = paste(&host, &file("console-status.json")).await;
    assert!(shown.starts_with("{\n  \"summary\": \"1 targets: "), "{shown}");
    assert!(shown.contains("azure: only the unit `workloads/production` was swept at "), "{shown}");
    assert_eq!(
        (status["swept"].clone(), &status["partly"][0]["unit"]),
        (json!([]), &json!("workloads/production"))
    );

    let (shown, explained) =
        paste(&host, &file("console-explain.json").replace("budget", "security-contacts")).await;
    assert!(explained[&target]["text"][0].as_str().unwrap().contains("security-contacts"), "{shown}");

    // Over HTTP nothing is changed, and who asks for it is told what to do instead.
    let (shown, refused) = paste(&host, r#"{"action": "sweep", "unit": "workloads/production"}"#).await;
    assert!(refused["refused"].as_str().unwrap().contains("on the work queue"), "{shown}");

    // A whole sweep ends with the words that the alert waits for.
    let timer = host.invoke_timer("timer", false).await;
    assert!(matches!(timer, Invocation::Succeeded(_)), "{timer:?}");
    let whole: Vec<Value> = targets(&azurite).split_off(reconcile.len());
    assert!(whole.len() > 1, "{whole:#?}");
    drain(&host, &whole).await;
    assert_eq!(lines(&host, ALARM), 1, "{}", host.said().join("\n"));
    let template = std::fs::read_to_string(root().join("infra/azure/controller.json")).unwrap();
    assert!(template.contains(&format!("AppTraces | where Message has '{ALARM}' |")));
    drop(host.end().await);
}

/// What the alert on a missed sweep looks for in the log.
const ALARM: &str = "sweep closed";

async fn deliver(host: &Host, message: &str) {
    let delivered = host.invoke_queue("queue", &STANDARD.encode(message), 1).await;
    assert_eq!(delivered.fate, Fate::Deleted, "{message}: {delivered:?}");
}

/// The messages on the work queue that are about one target each. None is taken, so that older ones stand before newer ones.
fn targets(azurite: &Azurite) -> Vec<Value> {
    let messages = azurite.peek(QUEUE);
    let texts = messages.split("<MessageText>").skip(1).map(|rest| rest.split("</").next().unwrap());
    texts
        .map(|text| serde_json::from_slice(&STANDARD.decode(text).unwrap()).unwrap())
        .filter(|message: &Value| message["work"] == "reconcile")
        .collect()
}

/// Works on them, and closes their sweep.
async fn drain(host: &Host, targets: &[Value]) {
    for message in targets {
        deliver(host, &message.to_string()).await;
    }
    let sweep = &targets.first().unwrap()["sweep"];
    deliver(host, &json!({"work": "close", "sweep": sweep}).to_string()).await;
}

fn lines(host: &Host, with: &str) -> usize {
    host.said().iter().filter(|line| line.contains(with)).count()
}
