//! The Terraform of `infra/gcp`: it fits the schema of Google's provider, Terraform itself is content with it and with its tests where there
//! is a Terraform, and the function takes the environment that it plans.
//!
//! The provider is a program that no package registry carries; its schema is what `tests/setup` takes from one. Each judge is shown the same
//! files with one fault as well, and has to name it.
#![expect(clippy::unwrap_used, clippy::panic, reason = "test code")]

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use http::{HeaderMap, HeaderName, HeaderValue};
use landfall_engine::config::{Config, Wrong};
use landfall_engine::permissions::{Purpose, whole_catalog};
use landfall_engine::trust::Footing;
use landfall_federation::Settings;
use landfall_function_gcp::config::{Auth, FORMS, TIMEOUT, Worker, timeout};
use landfall_function_gcp::trigger::{Duty, Route, parse};
use landfall_gcp::permissions::needed;
use landfall_model::trigger::Trigger;
use landfall_tests::judges::{Verdict, python, root};
use landfall_tests::skipped::skip;
use serde_json::{Value, json};
use tempfile::TempDir;

const SCHEMA: &str = "tests/.venv/google-schema.json";
/// How `run_terraform.py` begins to say that there is no Terraform, or an old one.
const SKIPPED: &str = "skipped: ";
/// Beside what the function reads of itself: how much it logs, and Cloud Run's own.
const BESIDE: [&str; 2] = ["LANDFALL_LOG", TIMEOUT];
/// Of no use in a deployment: places for tests, on one machine only.
const FOR_TESTS: [&str; 3] = ["LANDFALL_JWKS", "LANDFALL_STORE_ENDPOINT", "LANDFALL_STORE_TOKENS"];

fn schema() -> String {
    let schema = root().join(SCHEMA);
    assert!(schema.exists(), "`{SCHEMA}` is not there: run `tests/setup`, then the test again");
    schema.to_str().unwrap().to_owned()
}

fn configuration() -> std::path::PathBuf {
    root().join("infra/gcp")
}

fn judge(script: &str, folder: &Path, steps: &[&str]) -> Verdict {
    let schema = schema();
    let arguments: Vec<&str> =
        [schema.as_str(), folder.to_str().unwrap()].into_iter().chain(steps.iter().copied()).collect();
    python(script, &arguments, "")
}

/// The last line of what a judge said.
fn summary(verdict: &Verdict) -> Value {
    let last = verdict.said.lines().last().unwrap_or_else(|| panic!("{}", verdict.complained));
    serde_json::from_str(last).unwrap_or_else(|_| panic!("{}\n{}", verdict.said, verdict.complained))
}

/// The configuration with one text of one file replaced.
fn with_fault(file: &str, text: &str, instead: &str) -> TempDir {
    let place = tempfile::tempdir().unwrap();
    copy(&configuration(), place.path());
    let path = place.path().join(file);
    let before = std::fs::read_to_string(&path).unwrap();
    assert_eq!(before.matches(text).count(), 1, "`{text}` is not once in `{file}`");
    std::fs::write(&path, before.replace(text, instead)).unwrap();
    place
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).unwrap();
        }
    }
}

#[test]
fn it_fits_the_provider_s_schema() {
    let verdict = judge("check_terraform.py", &configuration(), &[]);
    assert!(verdict.content, "{}{}", verdict.said, verdict.complained);
    let counted = summary(&verdict);
    let count = |what: &str| counted[what].as_u64().unwrap();
    println!("{} resources, {} references", count("resources"), count("references"));
    assert!(count("resources") > 30 && count("references") > 200 && count("data") == 3, "{counted}");
}

#[test]
fn what_does_not_fit_the_schema_is_named() {
    for (file, text, instead, named) in [
        (
            "schedule.tf",
            "resource \"google_cloud_tasks_queue\" \"work\" {",
            "resource \"google_cloud_task_queue\" \"work\" {",
            "google_cloud_task_queue.work: unknown type `google_cloud_task_queue`",
        ),
        (
            "events.tf",
            "  include_children = true",
            "  include_child = true",
            "google_logging_organization_sink.events: unknown attribute `include_child`",
        ),
        (
            "events.tf",
            "  include_children = true",
            "  writer_identity = \"x\"",
            "google_logging_organization_sink.events: `writer_identity` is set by the provider alone",
        ),
        (
            "events.tf",
            "  org_id           = var.organization\n",
            "",
            "google_logging_organization_sink.events: `org_id` is missing",
        ),
        (
            "events.tf",
            "  include_children = true",
            "  include_children = \"all\"",
            "google_logging_organization_sink.events.include_children: `\"all\"`, expected true or false",
        ),
        (
            "events.tf",
            "    push_endpoint = \"${local.url}/\"\n",
            "",
            "google_pubsub_subscription.events.push_config: `push_endpoint` is missing",
        ),
        (
            "events.tf",
            "  ack_deadline_seconds       = 600",
            "  ack_deadline_seconds       = \"ten minutes\"",
            "google_pubsub_subscription.events.ack_deadline_seconds: `\"ten minutes\"`, expected a number",
        ),
        (
            "events.tf",
            "  dead_letter_policy {\n",
            "  dead_letters {\n",
            "google_pubsub_subscription.events: unknown block `dead_letters`",
        ),
        (
            "events.tf",
            "  asset_types     = [\"cloudresourcemanager.googleapis.com/Project\"]",
            "  asset_types     = \"cloudresourcemanager.googleapis.com/Project\"",
            "google_cloud_asset_organization_feed.projects.asset_types: expected a list",
        ),
        (
            "function.tf",
            "      startup_probe {\n",
            "      startup_probe {}\n      startup_probe {\n",
            "block `startup_probe` is there 2 times, expected 1 at most",
        ),
        (
            "function.tf",
            "        for_each = local.environment\n        content {\n          name  = env.key",
            "        for_each = local.environment\n        content {\n          names  = env.key",
            "google_cloud_run_v2_service.function.template.containers.env: unknown attribute `names`",
        ),
        (
            "store.tf",
            "    action {\n      type = \"Delete\"\n    }\n",
            "",
            "google_storage_bucket.store.lifecycle_rule: block `action` is missing",
        ),
        (
            "schedule.tf",
            "  schedule         = var.schedule",
            "  schedule         = var.cron",
            "google_cloud_scheduler_job.sweep: there is no variable `cron`",
        ),
        (
            "schedule.tf",
            "  schedule         = var.schedule",
            "  schedule         = \"17 * * * *\"",
            "var.schedule: nobody uses it",
        ),
        (
            "schedule.tf",
            "    uri         = \"${local.url}/sweep\"",
            "    uri         = \"${local.address}/sweep\"",
            "google_cloud_scheduler_job.sweep: there is no local value `address`",
        ),
        (
            "events.tf",
            "    dead_letter_topic     = google_pubsub_topic.dead.id",
            "    dead_letter_topic     = google_pubsub_topic.dead_letters.id",
            "google_pubsub_subscription.events: there is no `google_pubsub_topic.dead_letters`",
        ),
        (
            "identities.tf",
            "  email  = { for who, account in google_service_account.identities : who => account.email }",
            "  email  = { for who in keys(local.identities) : who => google_service_account.identities[who].mail }",
            "local.email: `google_service_account.identities` has no `mail`",
        ),
    ] {
        let place = with_fault(file, text, instead);
        let verdict = judge("check_terraform.py", place.path(), &[]);
        assert!(!verdict.content, "{named}: nothing was found");
        assert!(verdict.said.contains(named), "{named}: {}{}", verdict.said, verdict.complained);
    }
}

/// What Terraform said; nothing where there is none, which is told.
fn terraform(what: &str, folder: &Path, steps: &[&str]) -> Option<Verdict> {
    let verdict = judge("run_terraform.py", folder, steps);
    if let Some(why) = verdict.said.strip_prefix(SKIPPED) {
        skip(what, why.trim());
        return None;
    }
    Some(verdict)
}

#[test]
fn terraform_is_content_and_the_function_takes_what_it_plans() {
    let what = "what Terraform says of infra/gcp";
    let Some(verdict) = terraform(what, &configuration(), &[]) else { return };
    assert!(verdict.content, "{}{}", verdict.said, verdict.complained);
    let summary = summary(&verdict);
    assert_eq!(summary["steps"], json!({"fmt": true, "validate": true, "test": true}));
    let runs: BTreeMap<String, String> = serde_json::from_value(summary["runs"].clone()).unwrap();
    println!("{} runs passed", runs.len());
    assert!(runs.len() > 20 && runs.values().all(|status| status == "pass"), "{runs:#?}");

    let planned: BTreeMap<String, BTreeMap<String, String>> =
        serde_json::from_value(summary["planned"].clone()).unwrap();
    let ways: BTreeSet<&str> =
        planned.values().map(|environment| environment["LANDFALL_AUTH"].as_str()).collect();
    assert_eq!(ways, BTreeSet::from(["oidc", "platform"]));
    for (run, environment) in &planned {
        read(|name| environment.get(name).cloned()).unwrap_or_else(|wrong| panic!("{run}: {wrong}"));
    }
}

#[test]
fn terraform_names_what_is_wrong() {
    for (step, file, text, instead, named) in [
        (
            "fmt",
            "schedule.tf",
            "  schedule         = var.schedule",
            "  schedule = var.schedule",
            "schedule.tf",
        ),
        (
            "validate",
            "events.tf",
            "  include_children = true",
            "  include_child = true",
            "An argument named \"include_child\" is not expected here",
        ),
        (
            "test",
            "events.tf",
            "  include_children = true",
            "  include_children = false",
            "The sink sees less than the organization.",
        ),
    ] {
        let place = with_fault(file, text, instead);
        let what = "whether Terraform finds faults in infra/gcp";
        let Some(verdict) = terraform(what, place.path(), &[step]) else { return };
        assert!(!verdict.content, "{named}: nothing was found");
        assert!(verdict.said.contains(named), "{named}: {}{}", verdict.said, verdict.complained);
    }
}

/// Reads an environment as the function does on Cloud Run.
fn read(variable: impl Fn(&str) -> Option<String>) -> Result<(), String> {
    let words = |wrong: Wrong| wrong.to_string();
    let config = Config::read(&variable, Footing::Real, &FORMS).map_err(words)?;
    if let Some(store) = config.foreign_store(&FORMS) {
        Settings::read(&variable, store, false).map_err(|wrong| wrong.to_string())?;
    }
    let auth = Auth::read(&variable, Footing::Real).map_err(words)?;
    Worker::read(&variable, &auth, Footing::Real).map_err(words)?;
    timeout(variable(TIMEOUT).as_deref()).map(drop).map_err(words)
}

#[test]
fn every_variable_of_the_environment_is_one_that_the_function_reads() {
    let asked = RefCell::new(BTreeSet::from(BESIDE.map(str::to_owned)));
    let right = BTreeMap::from([
        ("LANDFALL_MANIFEST", "s3://acme-landfall/bundle.json"),
        ("LANDFALL_STORE", "s3://acme-landfall/store?region=eu-central-1"),
        ("LANDFALL_STORE_IDENTITY", "arn:aws:iam::111111111111:role/landfall-store"),
        ("LANDFALL_QUEUE", "projects/acme-landfall/locations/europe-west1/queues/landfall-work"),
        ("LANDFALL_PUBLIC_KEYS", "512e3002d68a3585=CjT5DnLhLW/6V2LYMEplpQ4wzc8CjNszm7NSqdQ0LHA="),
        ("LANDFALL_AUTH", "oidc"),
        ("LANDFALL_AUDIENCE", "https://landfall.run.app"),
        ("LANDFALL_SWEEP_CALLERS", "schedule@acme-landfall.iam.gserviceaccount.com"),
        ("LANDFALL_WORKER_ACCOUNT", "tasks@acme-landfall.iam.gserviceaccount.com"),
        ("LANDFALL_WORKER", "https://landfall.run.app/work"),
    ]);
    read(|name| {
        asked.borrow_mut().insert(name.to_owned());
        right.get(name).map(|value| (*value).to_owned())
    })
    .unwrap();
    let mut asked = asked.into_inner();
    for name in FOR_TESTS {
        assert!(asked.remove(name), "{name} is not read any more");
    }
    let verdict = judge("check_terraform.py", &configuration(), &[]);
    let set: BTreeSet<String> = serde_json::from_value(summary(&verdict)["environment"].clone()).unwrap();
    assert_eq!(set, asked);
}

/// Each method that the sink lets through is one that the function listens to: what it does not know would be pushed to it for nothing.
#[test]
fn the_sink_s_filter_has_what_the_function_listens_to() {
    let services = ["cloudresourcemanager", "orgpolicy", "iam", "cloudbilling", "serviceusage"];
    let text = std::fs::read_to_string(configuration().join("events.tf")).unwrap();
    let (_, methods) = text.split_once("methodName =~ \"(").unwrap();
    let (methods, _) = methods.split_once(")$\"").unwrap();
    let methods: BTreeSet<&str> = methods.split('|').collect();
    for method in &methods {
        let listened =
            services.iter().any(|service| !matches!(told(service, method), Trigger::Ignored { .. }));
        assert!(listened, "nobody listens to `{method}`");
    }
    // The other way: every sample of an audit log that means something gets through.
    let mut through = BTreeSet::new();
    for entry in std::fs::read_dir(root().join("events/gcp")).unwrap() {
        let path = entry.unwrap().path();
        // Beside the samples is a folder with what people paste.
        if path.is_dir() {
            continue;
        }
        let Ok(sample) = serde_json::from_slice::<Value>(&std::fs::read(&path).unwrap()) else { continue };
        for method in named(&sample) {
            let word = method.rsplit('.').next().unwrap_or_default().to_owned();
            let listened =
                services.iter().any(|service| !matches!(told(service, &word), Trigger::Ignored { .. }));
            if listened {
                assert!(methods.contains(word.as_str()), "{}: `{word}` does not get through", path.display());
                through.insert(word);
            }
        }
    }
    assert!(through.len() > 3, "{through:?}");
}

/// What an entry of the audit log with one method becomes.
fn told(service: &str, method: &str) -> Trigger {
    let entry = json!({
        "logName": "projects/acme-checkout/logs/cloudaudit.googleapis.com%2Factivity",
        "protoPayload": {
            "serviceName": format!("{service}.googleapis.com"),
            "methodName": method,
            "resourceName": "projects/acme-checkout",
        },
        "resource": {"type": "project", "labels": {"project_id": "acme-checkout"}},
    });
    let headers: HeaderMap = [
        ("ce-specversion", "1.0"),
        ("ce-id", "1"),
        ("ce-source", "//cloudaudit.googleapis.com/projects/acme-checkout/logs/activity"),
        ("ce-type", "google.cloud.audit.log.v1.written"),
    ]
    .into_iter()
    .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
    .collect();
    let (duty, read) = parse(Route::Front, &headers, &serde_json::to_vec(&entry).unwrap());
    assert_eq!(duty, Duty::Events);
    read.unwrap()
}

/// Every `methodName` in a sample, wherever it stands.
fn named(value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, inner)| match (name.as_str(), inner.as_str()) {
                ("methodName", Some(method)) => vec![method.to_owned()],
                _ => named(inner),
            })
            .collect(),
        Value::Array(all) => all.iter().flat_map(named).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

/// Of what is denied in Landfall's own project, its writing account is spared exactly what it may do at all. But for giving service accounts
/// away: there it would be giving away its own.
#[test]
fn who_writes_is_denied_only_what_it_may_not_do_elsewhere_either() {
    let text = std::fs::read_to_string(configuration().join("protect.tf")).unwrap();
    let list = |name: &str| -> BTreeSet<String> {
        let (_, list) = text.split_once(&format!("  {name} = [\n")).unwrap();
        let (list, _) = list.split_once("]").unwrap();
        list.split('"')
            .skip(1)
            .step_by(2)
            .map(|one| {
                let (service, permission) = one.split_once(".googleapis.com/").unwrap();
                format!(
                    "{}.{permission}",
                    if service == "cloudresourcemanager" { "resourcemanager" } else { service }
                )
            })
            .collect()
    };
    let needed = needed(Purpose::Apply, &whole_catalog());
    let may: BTreeSet<&str> = needed.permissions().collect();
    let spared = list("kept_but_for_the_baseline");
    assert!(spared.iter().all(|one| may.contains(one.as_str())), "{spared:?}");
    let denied: Vec<String> = list("kept").into_iter().filter(|one| may.contains(one.as_str())).collect();
    assert_eq!(denied, ["iam.serviceAccounts.setIamPolicy"]);
}

/// Alerts wait for words that the function says at a sweep's end, and on each cloud for the same.
#[test]
fn the_alerts_wait_for_what_the_function_says() {
    let read = |path: &str| std::fs::read_to_string(root().join(path)).unwrap();
    let text = read("infra/gcp/alarms.tf");
    let waited: BTreeSet<&str> = text
        .split("jsonPayload.message=\\\"")
        .skip(1)
        .map(|rest| rest.split_once("\\\"").unwrap().0)
        .collect();
    assert_eq!(waited, BTreeSet::from(["another cloud is silent", "sweep closed"]));
    let said = read("shared/engine/src/sweep.rs") + &read("shared/engine/src/heartbeat.rs");
    for words in waited {
        assert!(said.contains(&format!(", \"{words}\")")), "nobody says `{words}`");
        for template in ["infra/aws/controller.yaml", "infra/azure/controller.json"] {
            assert!(read(template).contains(words), "`{template}` does not wait for `{words}`");
        }
    }
}
