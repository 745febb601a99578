//! What tells of a new project: entries of its audit log, as a sink hands them on.
//!
//! The shape of an entry is that of <https://cloud.google.com/logging/docs/audit/understanding-audit-logs>, the names are those that
//! Resource Manager writes: <https://cloud.google.com/resource-manager/docs/audit-logging>. Creating a project takes a while, so that a
//! first and a last entry tell of it (<https://cloud.google.com/logging/docs/audit/understanding-audit-logs#lro>); only the last says how
//! it ended.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::world::{CONTROLLER_PROJECT, GcpWorld, Project};
use crate::world::{hex, uuid};

/// Which of an operation's two entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    First,
    Last,
}

/// Somebody has made a project.
pub(crate) fn project_made(world: &mut GcpWorld, id: &str, by: &str) {
    if let Some(project) = world.project(id) {
        let entries = [Entry::First, Entry::Last].map(|which| entry(project, by, which));
        world.events.extend(entries);
    }
}

/// The last entry of a project's creation.
pub(crate) fn creation(project: &Project, by: &str) -> Value {
    entry(project, by, Entry::Last)
}

fn entry(project: &Project, by: &str, which: Entry) -> Value {
    let Project { id, number, parent, display_name, created_at, .. } = project;
    let email = by.split_once(':').map_or(by, |(_, email)| email);
    let (kind, parent_id) = parent.split_once('/').unwrap_or_default();
    let resource = format!("projects/{id}");
    // Version 1 of the API writes the entries, also for those who call version 3.
    let made = json!({
        "createTime": created_at.to_string(), "lifecycleState": "ACTIVE", "name": display_name,
        "parent": {"id": parent_id, "type": kind.trim_end_matches('s')}, "projectId": id, "projectNumber": number,
    });
    let asked = json!({"name": display_name, "parent": {"id": parent_id, "type": kind.trim_end_matches('s')}, "projectId": id});
    let mut payload = Map::new();
    payload.insert("@type".to_owned(), json!("type.googleapis.com/google.cloud.audit.AuditLog"));
    payload.insert("authenticationInfo".to_owned(), json!({"principalEmail": email}));
    payload.insert(
        "authorizationInfo".to_owned(),
        json!([{
            "resource": format!("{kind}/{parent_id}"), "permission": "resourcemanager.projects.create", "granted": true,
            "resourceAttributes": {},
        }]),
    );
    payload.insert("methodName".to_owned(), json!("CreateProject"));
    payload.insert(
        "request".to_owned(),
        json!({"@type": "type.googleapis.com/google.cloudresourcemanager.v1.CreateProjectRequest",
            "project": if which == Entry::Last { made.clone() } else { asked }}),
    );
    payload.insert(
        "requestMetadata".to_owned(),
        json!({"callerIp": "192.0.2.1", "callerSuppliedUserAgent": "landfall-simulator", "destinationAttributes": {}, "requestAttributes": {}}),
    );
    payload.insert("resourceName".to_owned(), json!(resource));
    payload.insert("serviceName".to_owned(), json!("cloudresourcemanager.googleapis.com"));
    if which == Entry::Last {
        payload.insert("status".to_owned(), json!({}));
    }
    let at = created_at.to_string();
    let turn = if which == Entry::Last { "last" } else { "first" };
    json!({
        "protoPayload": payload,
        "insertId": hex(&format!("{id} {number} {turn}"), 12),
        "resource": {"type": "project", "labels": {"project_id": id}},
        "timestamp": at,
        "severity": "NOTICE",
        "logName": format!("projects/{id}/logs/cloudaudit.googleapis.com%2Factivity"),
        "operation": {"id": format!("operations/cp.{number}"), "producer": "cloudresourcemanager.googleapis.com", turn: true},
        "receiveTimestamp": at,
    })
}

/// An audit log entry as a `CloudEvent` in structured mode: what Eventarc sends, all in one JSON object.
///
/// <https://cloud.google.com/eventarc/docs/cloudevents#audit-logs>
#[must_use]
pub fn cloud_event(entry: &Value) -> Value {
    let text = |pointer: &str| entry.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let log = text("/logName");
    let (owner, name) = log.split_once("/logs/cloudaudit.googleapis.com%2F").unwrap_or((log, "activity"));
    let (service, resource) = (text("/protoPayload/serviceName"), text("/protoPayload/resourceName"));
    json!({
        "specversion": "1.0",
        "type": "google.cloud.audit.log.v1.written",
        "id": format!("{log}{}{}", text("/insertId"), text("/timestamp")),
        "source": format!("//cloudaudit.googleapis.com/{owner}/logs/{name}"),
        "subject": format!("{service}/{resource}"),
        "time": text("/timestamp"),
        "datacontenttype": "application/json; charset=utf-8",
        "dataschema": "https://googleapis.github.io/google-cloudevents/jsonschema/google/events/cloud/audit/v1/LogEntryData.json",
        "servicename": service,
        "methodname": text("/protoPayload/methodName"),
        "resourcename": resource,
        "data": entry,
    })
}

/// A log entry as a Pub/Sub push of the subscription `landfall`, behind a log sink.
///
/// <https://cloud.google.com/pubsub/docs/push#receive_push>: both spellings of the message's id and time are sent.
#[must_use]
pub fn pushed(entry: &Value) -> Value {
    let body = entry.to_string();
    let id = uuid(&format!("message {body}")).bytes().fold(0_u64, |number, byte| {
        (number.wrapping_mul(31).wrapping_add(u64::from(byte))) % 10_000_000_000_000_000
    });
    let at = Timestamp::now().to_string();
    json!({
        "message": {
            "attributes": {"logging.googleapis.com/timestamp": entry.get("timestamp")},
            "data": STANDARD.encode(body),
            "messageId": id.to_string(), "message_id": id.to_string(),
            "publishTime": at, "publish_time": at,
        },
        "subscription": format!("projects/{CONTROLLER_PROJECT}/subscriptions/landfall"),
    })
}
