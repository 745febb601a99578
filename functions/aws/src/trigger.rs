//! From what Lambda hands over to a trigger: events, schedules, queue batches, and what people type into the console.
//!
//! An event only wakes: it says whom to look at. It must come from AWS itself (only AWS can use an `aws.` source on a bus) and from
//! the management account; what comes from elsewhere is not ours.

use landfall_engine::work;
use landfall_model::id::{Provider, TenantId};
use landfall_model::trigger::{Contents, Parcel, Request, Trigger};
use serde::Deserialize;
use serde_json::Value;

/// Something that is no trigger, and why, for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub String);

/// What Lambda can hand over, told apart by its shape.
const SHAPES: &str = "expected an EventBridge event (`source`, `detail-type`), an SQS batch (`Records`), or a request such as \
                      {\"action\": \"plan\", \"targets\": [\"aws/222222222222\"]}";

#[derive(Deserialize)]
struct Event {
    source: String,
    #[serde(rename = "detail-type")]
    detail_type: String,
    #[serde(default)]
    account: String,
    #[serde(default)]
    detail: Value,
}

#[derive(Deserialize)]
struct Batch {
    #[serde(rename = "Records")]
    records: Vec<Record>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    message_id: String,
    #[serde(default)]
    body: String,
}

/// Reads an event. `management` is the account that owns the organization.
pub fn parse(event: &Value, management: &str) -> Result<Trigger, Malformed> {
    let Some(fields) = event.as_object() else {
        return Err(Malformed(format!("the event is no object; {SHAPES}")));
    };
    if fields.contains_key("Records") {
        batch(event, management)
    } else if fields.contains_key("detail-type") || fields.contains_key("source") {
        bridge(event, management)
    } else if fields.contains_key("action") {
        serde_json::from_value::<Request>(event.clone())
            .map(Trigger::Asked)
            .map_err(|error| Malformed(format!("the request can't be read: {error}")))
    } else {
        Err(Malformed(format!("the event has no shape that is known here; {SHAPES}")))
    }
}

fn batch(event: &Value, management: &str) -> Result<Trigger, Malformed> {
    // Other services hand over records too, in shapes of their own.
    let source = |record: &Value| match record.get("eventSource").and_then(Value::as_str) {
        Some(source) if source != "aws:sqs" => Some(source.to_owned()),
        Some(_) | None => None,
    };
    let records = event.get("Records").and_then(Value::as_array);
    if let Some(other) = records.into_iter().flatten().find_map(source) {
        return Ok(Trigger::Ignored { why: format!("its records come from `{other}`, not from SQS") });
    }
    let Batch { records } = serde_json::from_value(event.clone())
        .map_err(|error| Malformed(format!("the batch can't be read: {error}")))?;
    let messages = records
        .into_iter()
        .map(|record| Parcel { id: record.message_id, work: contents(&record.body, management) })
        .collect();
    Ok(Trigger::Work { messages })
}

/// A message is work of our own, or an event that EventBridge put on the queue: there it waits and comes again, where a function that is
/// handed it directly loses it after a few attempts.
fn contents(body: &str, management: &str) -> Contents {
    let event = serde_json::from_str::<Value>(body)
        .ok()
        .filter(|body| body.get("detail-type").is_some() || body.get("source").is_some());
    match event.map(|event| bridge(&event, management)) {
        Some(Ok(trigger)) => Contents::Event(Box::new(trigger)),
        Some(Err(malformed)) => Contents::Unreadable(malformed.to_string()),
        None => work::read(body).map_or_else(Contents::Unreadable, Contents::Work),
    }
}

fn bridge(event: &Value, management: &str) -> Result<Trigger, Malformed> {
    let Event { source, detail_type, account, detail } = serde_json::from_value(event.clone())
        .map_err(|error| Malformed(format!("the EventBridge event can't be read: {error}")))?;
    let ignored = |why: String| Ok(Trigger::Ignored { why });
    match (source.as_str(), detail_type.as_str()) {
        ("aws.events", "Scheduled Event") | ("aws.scheduler", _) => Ok(Trigger::Scheduled),
        ("aws.organizations" | "aws.controltower", _) if account != management => {
            ignored(format!("it comes from account `{account}`, not from the management account"))
        }
        ("aws.organizations" | "aws.controltower", "AWS Service Event via CloudTrail") => {
            service_event(&detail)
        }
        ("aws.organizations", "AWS API Call via CloudTrail") => api_call(&detail),
        _ => ignored(format!("nothing here listens to `{detail_type}` from `{source}`")),
    }
}

/// What a service did by itself.
fn service_event(detail: &Value) -> Result<Trigger, Malformed> {
    let name = text(detail, "/eventName");
    match name {
        "CreateAccountResult" => {
            let status = "/serviceEventDetails/createAccountStatus";
            match text(detail, &format!("{status}/state")) {
                "SUCCEEDED" => {
                    // Only here does the event name the new account; every other account field is the management account.
                    tenant(detail, &format!("{status}/accountId")).map(|tenant| Trigger::Created { tenant })
                }
                "FAILED" => Ok(Trigger::CreationFailed {
                    why: text(detail, &format!("{status}/failureReason")).to_owned(),
                }),
                other => Err(Malformed(format!("CreateAccountResult has the state `{other}`"))),
            }
        }
        "CloseAccountResult" => {
            let status = "/serviceEventDetails/closeAccountStatus";
            match text(detail, &format!("{status}/state")) {
                "FAILED" => Ok(Trigger::Ignored { why: "the account was not closed".to_owned() }),
                _ => tenant(detail, &format!("{status}/accountId")).map(|tenant| Trigger::Closed { tenant }),
            }
        }
        "CreateManagedAccount" | "UpdateManagedAccount" => {
            let status = if name == "CreateManagedAccount" {
                "/serviceEventDetails/createManagedAccountStatus"
            } else {
                "/serviceEventDetails/updateManagedAccountStatus"
            };
            match text(detail, &format!("{status}/state")) {
                // Whether the account is new is asked of the organization, not of the event.
                "SUCCEEDED" => tenant(detail, &format!("{status}/account/accountId"))
                    .map(|tenant| Trigger::Joined { tenant: Some(tenant) }),
                other => Ok(Trigger::Ignored { why: format!("Control Tower says `{other}`") }),
            }
        }
        // Where the account's id stands in this event is not documented: whoever joined is found by looking at everybody.
        "AccountJoinedOrganization" => Ok(Trigger::Joined { tenant: None }),
        "" => Err(Malformed("the event's detail names no `eventName`".to_owned())),
        other => Ok(Trigger::Ignored { why: format!("nothing here listens to `{other}`") }),
    }
}

/// A call that somebody made.
fn api_call(detail: &Value) -> Result<Trigger, Malformed> {
    let failed = text(detail, "/errorCode");
    if !failed.is_empty() {
        return Ok(Trigger::Ignored { why: format!("the call failed with `{failed}`, so nothing happened") });
    }
    match text(detail, "/eventName") {
        "MoveAccount" => {
            tenant(detail, "/requestParameters/accountId").map(|tenant| Trigger::Moved { tenant })
        }
        "AcceptHandshake" => Ok(Trigger::Joined { tenant: joined(detail) }),
        "CloseAccount" => {
            tenant(detail, "/requestParameters/accountId").map(|tenant| Trigger::Closed { tenant })
        }
        other => Ok(Trigger::Ignored { why: format!("nothing here listens to `{other}`") }),
    }
}

/// The account that accepted an invitation, where the handshake names it.
fn joined(detail: &Value) -> Option<TenantId> {
    detail
        .pointer("/responseElements/handshake/parties")?
        .as_array()?
        .iter()
        .find(|party| text(party, "/type") == "ACCOUNT")
        .and_then(|party| TenantId::new(Provider::Aws, text(party, "/id")).ok())
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn tenant(detail: &Value, pointer: &str) -> Result<TenantId, Malformed> {
    match detail.pointer(pointer) {
        Some(Value::String(id)) => TenantId::new(Provider::Aws, id)
            .map_err(|error| Malformed(format!("{} of the event: {error}", pointer.replace('/', ".")))),
        Some(_) => Err(Malformed(format!("{} of the event is no text", pointer.replace('/', ".")))),
        None => Err(Malformed(format!("the event has no {}", pointer.replace('/', ".")))),
    }
}
