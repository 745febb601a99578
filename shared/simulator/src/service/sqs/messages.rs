//! Messages: sent, received, held, given up on.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::queues::number;
use super::{Answered, queue};
use crate::ask::{Ask, member};
use crate::md5;
use crate::refusal::Refusal;
use crate::world::{Message, Queue, World, uuid};

fn later(now: Timestamp, seconds: i64) -> Timestamp {
    now.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(now)
}

/// One message into a queue, from the members of SendMessage or of an entry of a batch.
fn put(queue: &mut Queue, ask: &Ask, sent: &Map<String, Value>, id: &str) -> Result<Value, Refusal> {
    let body = sent.get("MessageBody").and_then(Value::as_str).unwrap_or_default();
    let largest = usize::try_from(number(queue, "MaximumMessageSize")).unwrap_or(usize::MAX);
    if body.is_empty() {
        return Err(Refusal::new("MissingParameter", "The request must contain the parameter MessageBody."));
    }
    if body.len() > largest {
        return Err(ask.invalid(format!(
            "One or more parameters are invalid. Reason: Message must be shorter than {largest} bytes."
        )));
    }
    let delay =
        sent.get("DelaySeconds").and_then(Value::as_i64).unwrap_or_else(|| number(queue, "DelaySeconds"));
    if !(0..=900).contains(&delay) {
        return Err(ask.invalid(format!(
            "Value {delay} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900."
        )));
    }
    queue.messages.push(Message {
        id: id.to_owned(),
        body: body.to_owned(),
        attributes: sent.get("MessageAttributes").cloned().unwrap_or_default(),
        sent_at: ask.now,
        first_received_at: None,
        receive_count: 0,
        visible_at: later(ask.now, delay),
        receipt: None,
    });
    Ok(json!({"MessageId": id, "MD5OfMessageBody": md5::hex(body)}))
}

fn fresh(world: &mut World) -> String {
    world.issued += 1;
    uuid(&format!("message{}", world.issued))
}

pub(super) fn send(world: &mut World, ask: &Ask) -> Answered {
    let id = fresh(world);
    put(queue(world, ask)?, ask, &ask.params, &id)
}

/// Entries succeed and fail one by one, except when the batch itself is wrong.
pub(super) fn send_batch(world: &mut World, ask: &Ask) -> Answered {
    queue(world, ask)?;
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for (id, entry) in entries(ask)? {
        let message = fresh(world);
        match put(queue(world, ask)?, ask, entry, &message) {
            Ok(mut answer) => {
                if let Some(members) = answer.as_object_mut() {
                    members.insert("Id".to_owned(), json!(id));
                }
                successful.push(answer);
            }
            Err(Refusal { code, message, .. }) => {
                failed.push(json!({"Id": id, "SenderFault": true, "Code": code, "Message": message}));
            }
        }
    }
    Ok(json!({"Successful": successful, "Failed": failed}))
}

/// One entry of a batch: its id and all its members.
type Entry<'a> = (&'a str, &'a Map<String, Value>);

/// The entries of a batch: one to ten, with ids of their own.
fn entries(ask: &Ask) -> Result<Vec<Entry<'_>>, Refusal> {
    let all = ask.array("Entries");
    let entries: Vec<_> =
        all.iter().filter_map(|entry| Some((member(entry, "Id"), entry.as_object()?))).collect();
    let wrong = |code: &str, message: &str| Err(Refusal::new(code, message));
    if entries.is_empty() {
        return wrong("EmptyBatchRequest", "There should be at least one entry in the request.");
    }
    if entries.len() > 10 {
        return wrong("TooManyEntriesInBatchRequest", "Maximum number of entries per request are 10.");
    }
    let mut ids: Vec<&str> = entries.iter().map(|(id, _)| *id).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.len() < entries.len() {
        return wrong("BatchEntryIdsNotDistinct", "Two or more batch entries have the same Id.");
    }
    Ok(entries)
}

/// Gives out what is visible, oldest first. What has been received too often goes to the dead-letter queue instead.
pub(super) fn receive(world: &mut World, ask: &Ask) -> Answered {
    let most = ask.number("MaxNumberOfMessages")?.unwrap_or(1);
    let most = usize::try_from(most).ok().filter(|most| (1..=10).contains(most));
    let most = most.ok_or_else(|| {
        ask.invalid("Value for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10.")
    })?;
    let now = ask.now;
    world.issued += 1;
    let issued = world.issued;
    let queue = queue(world, ask)?;
    let timeout = ask.number("VisibilityTimeout")?.unwrap_or_else(|| number(queue, "VisibilityTimeout"));
    let redrive = redrive(queue);
    let given_up = |message: &Message| {
        message.visible_at <= now
            && redrive.as_ref().is_some_and(|(_, count)| message.receive_count >= *count)
    };
    let dead: Vec<Message> = queue.messages.iter().filter(|message| given_up(message)).cloned().collect();
    queue.messages.retain(|message| !given_up(message));
    let mut shown = Vec::new();
    for message in queue.messages.iter_mut().filter(|message| message.visible_at <= now).take(most) {
        let receipt = uuid(&format!("receipt{issued}/{}", message.id));
        message.receive_count += 1;
        message.first_received_at.get_or_insert(now);
        message.visible_at = later(now, timeout);
        message.receipt = Some(receipt.clone());
        shown.push(message_json(ask, message, &receipt));
    }
    if let Some((target, _)) = redrive {
        bury(world, &target, dead);
    }
    Ok(if shown.is_empty() { json!({}) } else { json!({"Messages": shown}) })
}

/// The dead-letter queue's ARN and after how many receives a message goes there.
fn redrive(queue: &Queue) -> Option<(String, u32)> {
    let policy: Value = serde_json::from_str(queue.attributes.get("RedrivePolicy")?).ok()?;
    // AWS takes the count as a number and as text.
    let count = policy.get("maxReceiveCount")?;
    let count = count.as_u64().or_else(|| count.as_str()?.parse().ok())?;
    Some((member(&policy, "deadLetterTargetArn").to_owned(), u32::try_from(count).ok()?))
}

fn bury(world: &mut World, arn: &str, dead: Vec<Message>) {
    let mut fields = arn.split(':').skip(3);
    let (region, account, name) = (fields.next(), fields.next(), fields.next());
    let target = account
        .and_then(|account| world.accounts.get_mut(account))
        .and_then(|account| account.regions.get_mut(region?))
        .and_then(|region| region.queues.get_mut(name?));
    if let Some(target) = target {
        target.messages.extend(dead.into_iter().map(|message| Message { receipt: None, ..message }));
    }
}

fn message_json(ask: &Ask, message: &Message, receipt: &str) -> Value {
    let mut shown = Map::from_iter([
        ("MessageId".to_owned(), json!(message.id)),
        ("ReceiptHandle".to_owned(), json!(receipt)),
        ("MD5OfBody".to_owned(), json!(md5::hex(&message.body))),
        ("Body".to_owned(), json!(message.body)),
    ]);
    let names = ["AttributeNames", "MessageSystemAttributeNames"];
    let wanted: Vec<&str> = names.iter().flat_map(|name| ask.array(name)).filter_map(Value::as_str).collect();
    let first = message.first_received_at.unwrap_or(message.sent_at);
    let system = [
        ("ApproximateReceiveCount", message.receive_count.to_string()),
        ("ApproximateFirstReceiveTimestamp", first.as_millisecond().to_string()),
        ("SentTimestamp", message.sent_at.as_millisecond().to_string()),
        ("SenderId", ask.caller.account.clone()),
    ];
    let system = system.into_iter().filter(|(name, _)| wanted.contains(name) || wanted.contains(&"All"));
    let system: Map<String, Value> =
        system.map(|(name, value)| (name.to_owned(), Value::from(value))).collect();
    if !system.is_empty() {
        shown.insert("Attributes".to_owned(), Value::Object(system));
    }
    if message.attributes.is_object() && !ask.array("MessageAttributeNames").is_empty() {
        shown.insert("MessageAttributes".to_owned(), message.attributes.clone());
    }
    Value::Object(shown)
}

fn held<'a>(queue: &'a mut Queue, receipt: &str) -> Option<&'a mut Message> {
    queue.messages.iter_mut().find(|message| message.receipt.as_deref() == Some(receipt))
}

/// Deleting twice is no error, and an old handle of a message received again deletes nothing.
pub(super) fn delete(world: &mut World, ask: &Ask) -> Answered {
    let receipt = ask.need("ReceiptHandle")?;
    queue(world, ask)?.messages.retain(|message| message.receipt.as_deref() != Some(receipt));
    Ok(Value::Null)
}

pub(super) fn delete_batch(world: &mut World, ask: &Ask) -> Answered {
    let entries = entries(ask)?;
    let queue = queue(world, ask)?;
    let receipts: Vec<&str> =
        entries.iter().filter_map(|(_, entry)| entry.get("ReceiptHandle").and_then(Value::as_str)).collect();
    queue
        .messages
        .retain(|message| !message.receipt.as_deref().is_some_and(|receipt| receipts.contains(&receipt)));
    let successful: Vec<Value> = entries.iter().map(|(id, _)| json!({"Id": id})).collect();
    Ok(json!({"Successful": successful, "Failed": []}))
}

pub(super) fn change_visibility(world: &mut World, ask: &Ask) -> Answered {
    let receipt = ask.need("ReceiptHandle")?;
    let timeout = ask.number("VisibilityTimeout")?.unwrap_or(0);
    if !(0..=43_200).contains(&timeout) {
        return Err(ask.invalid(
            "Value for parameter VisibilityTimeout is invalid. Reason: Must be between 0 and 43200.",
        ));
    }
    let now = ask.now;
    let message = held(queue(world, ask)?, receipt)
        .ok_or_else(|| Refusal::new("ReceiptHandleIsInvalid", "The input receipt handle is invalid."))?;
    if message.visible_at <= now {
        return Err(Refusal::new("MessageNotInflight", "The message referred to isn't in flight."));
    }
    message.visible_at = later(now, timeout);
    Ok(Value::Null)
}
