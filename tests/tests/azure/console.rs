//! What a person pastes in the portal, from the files of `events/azure/paste`, and what he reads there.
#![expect(clippy::unwrap_used, clippy::panic, reason = "test code")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use landfall_simulator::functions_host::{Asked, Fate, Host};
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
    let message = STANDARD.encode(file("queue-sweep-unit.json"));
    let delivered = host.invoke_queue("queue", &message, 1).await;
    assert_eq!(delivered.fate, Fate::Deleted, "{delivered:?}");
    let waiting: Vec<String> = azurite
        .peek(QUEUE)
        .split("<MessageText>")
        .skip(1)
        .map(|rest| String::from_utf8(STANDARD.decode(rest.split("</").next().unwrap()).unwrap()).unwrap())
        .collect();
    let reconcile: Vec<&String> =
        waiting.iter().filter(|message| message.contains("\"reconcile\"")).collect();
    assert!(reconcile.len() == 1 && reconcile[0].contains(&target), "{waiting:#?}");
    let delivered = host.invoke_queue("queue", &STANDARD.encode(reconcile[0]), 1).await;
    assert_eq!(delivered.fate, Fate::Deleted, "{delivered:?}");
    let closing =
        json!({"work": "close", "sweep": serde_json::from_str::<Value>(reconcile[0]).unwrap()["sweep"]});
    let delivered = host.invoke_queue("queue", &STANDARD.encode(closing.to_string()), 1).await;
    assert_eq!(delivered.fate, Fate::Deleted, "{delivered:?}");

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
    drop(host.end().await);
}
