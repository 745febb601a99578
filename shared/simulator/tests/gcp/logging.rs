//! Logging: sinks, buckets, metrics, settings.

use serde_json::{Value, json};

use crate::client::{Client, ROOT, simulator};

const LOGGING: &str = "/logging.googleapis.com/v2";
const TOPIC: &str = "pubsub.googleapis.com/projects/acme-landfall/topics/landfall-events";

#[test]
fn an_aggregated_sink_writes_with_the_organizations_own_identity() {
    let simulator = simulator(0);
    let client = Client::new(&simulator);
    let sinks = format!("{LOGGING}/{ROOT}/sinks");
    assert_eq!(client.get(&sinks).listed("sinks", "/name"), ["_Default", "_Required"]);
    let sink = json!({
        "name": "landfall-events", "destination": TOPIC, "includeChildren": true,
        "filter": "protoPayload.methodName=\"CreateProject\"",
    });
    let made = client.post(&format!("{sinks}?uniqueWriterIdentity=true"), &sink);
    let writer = "serviceAccount:service-org-123456789012@gcp-sa-logging.iam.gserviceaccount.com";
    assert_eq!((made.told().as_str(), made.text("/writerIdentity").as_str()), ("200", writer));
    assert_eq!(made.text("/resourceName"), format!("{ROOT}/sinks/landfall-events"));
    assert_eq!(client.post(&sinks, &sink).told(), "409 ALREADY_EXISTS");
    let one = format!("{sinks}/landfall-events");
    let changed = client.patch(&format!("{one}?updateMask=disabled,description"), &json!({"disabled": true}));
    assert_eq!(
        (&changed.json()["disabled"], &changed.json()["includeChildren"]),
        (&json!(true), &json!(true))
    );
    // Without a mask: destination, filter and includeChildren, and nothing else.
    let put = client.call("PUT", &one, &json!({"destination": TOPIC, "filter": "severity>=ERROR"})).json();
    assert_eq!((&put["filter"], &put["disabled"]), (&json!("severity>=ERROR"), &json!(true)));
    assert!(put.get("includeChildren").is_none(), "{put}");
    assert_eq!(client.delete(&one).told(), "200");
    assert_eq!(client.get(&one).told(), "404 NOT_FOUND");
}

#[test]
fn a_sink_of_a_project_shares_its_writer_unless_asked() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let sinks = format!("{LOGGING}/projects/team-0001/sinks");
    let writer = |name: &str, query: &str, destination: &str| {
        let sink = json!({"name": name, "destination": destination});
        client.post(&format!("{sinks}{query}"), &sink).text("/writerIdentity")
    };
    let number = simulator.read(|world| world.project("team-0001").unwrap().number.clone());
    assert_eq!(writer("shared", "", TOPIC), "serviceAccount:cloud-logs@system.gserviceaccount.com");
    let own = format!("serviceAccount:service-{number}@gcp-sa-logging.iam.gserviceaccount.com");
    assert_eq!(writer("unique", "?uniqueWriterIdentity=true", TOPIC), own);
    let here = "logging.googleapis.com/projects/team-0001/locations/global/buckets/_Default";
    assert_eq!(writer("here", "", here), "");
}

#[test]
fn what_is_always_there_stays() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let project = format!("{LOGGING}/projects/team-0001");
    assert_eq!(client.delete(&format!("{project}/sinks/_Default")).told(), "400 INVALID_ARGUMENT");
    let off = json!({"disabled": true});
    assert_eq!(
        client.patch(&format!("{project}/sinks/_Default?updateMask=disabled"), &off).json()["disabled"],
        true
    );
    assert_eq!(
        client.patch(&format!("{project}/sinks/_Required?updateMask=disabled"), &off).told(),
        "400 INVALID_ARGUMENT"
    );
    let wrong = json!({"name": "x", "destination": "example.com/here"});
    assert_eq!(client.post(&format!("{project}/sinks"), &wrong).told(), "400 INVALID_ARGUMENT");
}

#[test]
fn a_locked_bucket_keeps_its_retention() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let buckets = format!("{LOGGING}/projects/team-0001/locations/global/buckets");
    let days = |bucket: &Value| bucket["retentionDays"].as_u64().unwrap_or_default();
    let everywhere = client.get(&format!("{LOGGING}/projects/team-0001/locations/-/buckets")).json();
    let all = everywhere["buckets"].as_array().unwrap();
    assert_eq!(all.iter().map(days).collect::<Vec<_>>(), [30, 400]);
    assert_eq!(all[1]["locked"], true);
    let change = |id: &str, body: Value| {
        client.patch(&format!("{buckets}/{id}?updateMask=retentionDays,locked"), &body)
    };
    assert_eq!(days(&change("_Default", json!({"retentionDays": 365})).json()), 365);
    assert_eq!(days(&change("_Default", json!({"retentionDays": 365, "locked": true})).json()), 365);
    assert_eq!(
        change("_Default", json!({"retentionDays": 30, "locked": true})).told(),
        "400 FAILED_PRECONDITION"
    );
    assert_eq!(change("_Default", json!({"retentionDays": 365})).told(), "400 FAILED_PRECONDITION");
    assert_eq!(
        change("_Required", json!({"retentionDays": 500, "locked": true})).told(),
        "400 FAILED_PRECONDITION"
    );
    let regional = format!("{LOGGING}/projects/team-0001/locations/europe-west1/buckets");
    let made = client.post(&format!("{regional}?bucketId=audit"), &json!({"retentionDays": 400}));
    assert_eq!(made.text("/name"), "projects/team-0001/locations/europe-west1/buckets/audit");
    let long = client.post(&format!("{regional}?bucketId=long"), &json!({"retentionDays": 5000}));
    assert_eq!(long.told(), "400 INVALID_ARGUMENT");
    assert_eq!(client.delete(&format!("{regional}/audit")).told(), "200");
    assert_eq!(client.get(&format!("{regional}/audit")).text("/lifecycleState"), "DELETE_REQUESTED");
}

#[test]
fn metrics_are_made_by_either_way() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let metrics = format!("{LOGGING}/projects/team-0001/metrics");
    let metric =
        json!({"name": "landfall/iam-changes", "filter": "protoPayload.methodName=\"SetIamPolicy\""});
    let made = client.post(&metrics, &metric);
    assert_eq!(made.text("/metricDescriptor/type"), "logging.googleapis.com/user/landfall/iam-changes");
    assert_eq!(client.post(&metrics, &metric).told(), "409 ALREADY_EXISTS");
    let one = format!("{metrics}/landfall%2Fiam-changes");
    let mut changed = metric.clone();
    changed["description"] = json!("who may what");
    assert_eq!(client.call("PUT", &one, &changed).text("/description"), "who may what");
    assert_eq!(client.get(&metrics).listed("metrics", "/name"), ["landfall/iam-changes"]);
    assert_eq!(client.delete(&one).told(), "200");
    assert_eq!(client.call("PUT", &one, &metric).told(), "200", "one that is not there is made");
}

#[test]
fn settings_belong_to_organizations_and_folders() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let settings = format!("{LOGGING}/{ROOT}/settings");
    let changed =
        client.patch(&format!("{settings}?updateMask=storageLocation"), &json!({"storageLocation": "eu"}));
    assert_eq!(changed.text("/storageLocation"), "eu");
    assert_eq!(client.get(&settings).json(), changed.json());
    let project = format!("{LOGGING}/projects/team-0001/settings");
    assert_eq!(
        client
            .patch(&format!("{project}?updateMask=storageLocation"), &json!({"storageLocation": "eu"}))
            .told(),
        "400 INVALID_ARGUMENT"
    );
}
