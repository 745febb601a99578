//! Alerting: policies, the metrics they look at, the channels they notify.

use serde_json::{Value, json};

use crate::client::{Answer, Client, simulator};

const MONITORING: &str = "/monitoring.googleapis.com/v3/projects/team-0001";
const METRICS: &str = "/logging.googleapis.com/v2/projects/team-0001/metrics";

fn channel(client: &Client) -> Answer {
    let channel = json!({
        "type": "email", "displayName": "landfall", "labels": {"email_address": "security@acme.example"},
        "userLabels": {"owner": "landfall"},
    });
    client.post(&format!("{MONITORING}/notificationChannels"), &channel)
}

fn policy(channel: &str) -> Value {
    json!({
        "displayName": "landfall iam-changes", "combiner": "OR", "notificationChannels": [channel],
        "conditions": [{"displayName": "iam-changes", "conditionThreshold": {
            "filter": "metric.type=\"logging.googleapis.com/user/iam-changes\" AND resource.type=\"global\"",
            "comparison": "COMPARISON_GT", "duration": "0s",
        }}],
    })
}

#[test]
fn a_policy_needs_its_metric_and_its_channel() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let policies = format!("{MONITORING}/alertPolicies");
    let channel = channel(&client);
    assert_eq!(channel.told(), "200", "{}", channel.body);
    let asked = policy(&channel.text("/name"));
    let early = client.post(&policies, &asked);
    assert_eq!(early.told(), "404 NOT_FOUND");
    assert!(early.text("/error/message").starts_with("Cannot find metric"), "{}", early.body);
    client.post(METRICS, &json!({"name": "iam-changes", "filter": "severity>=NOTICE"}));
    let made = client.post(&policies, &asked);
    assert_eq!((made.told().as_str(), &made.json()["enabled"]), ("200", &json!(true)), "{}", made.body);
    assert!(made.text("/conditions/0/name").starts_with(&format!("{}/conditions/", made.text("/name"))));
    let mut lost = asked;
    lost["notificationChannels"] = json!(["projects/team-0001/notificationChannels/1"]);
    assert_eq!(client.post(&policies, &lost).told(), "404 NOT_FOUND");
    let found = client.get(&format!("{policies}?filter=display_name%3D%22landfall%20iam-changes%22"));
    assert_eq!(found.listed("alertPolicies", "/name"), [made.text("/name")]);
}

#[test]
fn a_policy_is_changed_by_its_mask() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let channel = channel(&client).text("/name");
    client.post(METRICS, &json!({"name": "iam-changes", "filter": "severity>=NOTICE"}));
    let made = client.post(&format!("{MONITORING}/alertPolicies"), &policy(&channel)).json();
    let path = format!("/monitoring.googleapis.com/v3/{}", made["name"].as_str().unwrap());
    let off = client.patch(&format!("{path}?updateMask=enabled"), &json!({"enabled": false})).json();
    assert_eq!((&off["enabled"], &off["conditions"]), (&json!(false), &made["conditions"]));
    assert_eq!(
        client.delete(&format!("/monitoring.googleapis.com/v3/{channel}")).told(),
        "400 FAILED_PRECONDITION"
    );
    assert_eq!(client.delete(&format!("/monitoring.googleapis.com/v3/{channel}?force=true")).told(), "200");
    assert_eq!(client.get(&path).json()["notificationChannels"], json!([]));
    assert_eq!(client.delete(&path).told(), "200");
}

#[test]
fn what_can_not_be() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let channels = format!("{MONITORING}/notificationChannels");
    assert_eq!(client.post(&channels, &json!({"type": "pigeon"})).told(), "400 INVALID_ARGUMENT");
    assert_eq!(
        client.post(&channels, &json!({"type": "email", "labels": {}})).told(),
        "400 INVALID_ARGUMENT"
    );
    let policies = format!("{MONITORING}/alertPolicies");
    let log = json!({
        "displayName": "x", "combiner": "OR",
        "conditions": [{"displayName": "x", "conditionMatchedLog": {"filter": "severity>=ERROR"}}],
    });
    assert_eq!(client.post(&policies, &log).told(), "400 INVALID_ARGUMENT");
    let mut right = log.clone();
    right["alertStrategy"] = json!({"notificationRateLimit": {"period": "300s"}});
    assert_eq!(client.post(&policies, &right).told(), "200");
    right["conditions"] = json!([]);
    assert_eq!(client.post(&policies, &right).told(), "400 INVALID_ARGUMENT");
    assert_eq!(client.get(&format!("{policies}?filter=enabled")).told(), "400 INVALID_ARGUMENT");
}
