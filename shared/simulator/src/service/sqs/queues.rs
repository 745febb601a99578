//! Queues: made, found, described, emptied.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Answered, no_queue, queue};
use crate::ask::Ask;
use crate::refusal::Refusal;
use crate::world::{Queue, World};

/// Numeric attributes with their default, least and most.
const NUMBERS: [(&str, i64, i64, i64); 5] = [
    ("DelaySeconds", 0, 0, 900),
    ("MaximumMessageSize", 1_048_576, 1_024, 1_048_576),
    ("MessageRetentionPeriod", 345_600, 60, 1_209_600),
    ("ReceiveMessageWaitTimeSeconds", 0, 0, 20),
    ("VisibilityTimeout", 30, 0, 43_200),
];

/// A queue's numeric attribute, or AWS's default for it.
pub(super) fn number(queue: &Queue, name: &str) -> i64 {
    let set = queue.attributes.get(name).and_then(|text| text.parse().ok());
    let default = NUMBERS.iter().find(|(known, ..)| *known == name).map_or(0, |(_, default, ..)| *default);
    set.unwrap_or(default)
}

/// Some clients send to the endpoint they were given, some to the queue's URL: both must lead here.
fn url_of(world: &World, account: &str, name: &str) -> String {
    format!("{}/{account}/{name}", world.endpoint)
}

fn sent_attributes(ask: &Ask) -> Result<BTreeMap<String, String>, Refusal> {
    let sent = ask.object("Attributes").into_iter().flatten();
    let sent: BTreeMap<String, String> =
        sent.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect();
    for (name, _, least, most) in NUMBERS {
        let wrong = |text: &String| !text.parse().is_ok_and(|number: i64| (least..=most).contains(&number));
        if sent.get(name).is_some_and(wrong) {
            return Err(Refusal::new(
                "InvalidAttributeValue",
                format!("Invalid value for the parameter {name}."),
            ));
        }
    }
    Ok(sent)
}

/// Creating a queue again with the same attributes gives the same queue.
pub(super) fn create(world: &mut World, ask: &Ask) -> Answered {
    let name = ask.need("QueueName")?;
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if name.len() > 80 || !name.bytes().all(letter) {
        return Err(ask.invalid(
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
        ));
    }
    let attributes = sent_attributes(ask)?;
    let account = &ask.caller.account;
    let url = url_of(world, account, name);
    let inside = world.accounts.get_mut(account).ok_or_else(no_queue)?;
    let queues = &mut inside.region(&ask.region).queues;
    if let Some(existing) = queues.get(name) {
        if attributes.iter().any(|(key, value)| existing.attributes.get(key) != Some(value)) {
            return Err(Refusal::new(
                "QueueNameExists",
                "A queue already exists with the same name and a different value for an attribute",
            ));
        }
        return Ok(json!({"QueueUrl": url}));
    }
    let queue = Queue {
        name: name.to_owned(),
        arn: format!("arn:aws:sqs:{}:{account}:{name}", ask.region),
        attributes,
        created_at: ask.now,
        messages: Vec::new(),
    };
    queues.insert(name.to_owned(), queue);
    Ok(json!({"QueueUrl": url}))
}

pub(super) fn url(world: &mut World, ask: &Ask) -> Answered {
    let name = ask.need("QueueName")?;
    let owner = ask.text("QueueOwnerAWSAccountId").unwrap_or(&ask.caller.account);
    let region = world.accounts.get(owner).and_then(|account| account.regions.get(&ask.region));
    let found = region.and_then(|region| region.queues.get(name)).ok_or_else(no_queue)?;
    Ok(json!({"QueueUrl": url_of(world, owner, &found.name)}))
}

pub(super) fn list(world: &mut World, ask: &Ask) -> Answered {
    let region = world.accounts.get(&ask.caller.account).and_then(|account| account.regions.get(&ask.region));
    let names = region.into_iter().flat_map(|region| region.queues.keys());
    let prefix = ask.text("QueueNamePrefix").unwrap_or_default();
    let urls = names.filter(|name| name.starts_with(prefix));
    let urls: Vec<String> = urls.map(|name| url_of(world, &ask.caller.account, name)).collect();
    Ok(json!({"QueueUrls": urls}))
}

pub(super) fn attributes(world: &mut World, ask: &Ask) -> Answered {
    let now = ask.now;
    let queue = queue(world, ask)?;
    let waiting = queue.messages.iter().filter(|message| message.visible_at <= now).count();
    let held =
        queue.messages.iter().filter(|message| message.visible_at > now && message.receipt.is_some()).count();
    let mut all: Map<String, Value> =
        queue.attributes.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
    for (name, ..) in NUMBERS {
        all.insert(name.to_owned(), Value::from(number(queue, name).to_string()));
    }
    let created = queue.created_at.as_second().to_string();
    for (name, value) in [
        ("QueueArn", queue.arn.clone()),
        ("ApproximateNumberOfMessages", waiting.to_string()),
        ("ApproximateNumberOfMessagesNotVisible", held.to_string()),
        ("ApproximateNumberOfMessagesDelayed", (queue.messages.len() - waiting - held).to_string()),
        ("CreatedTimestamp", created.clone()),
        ("LastModifiedTimestamp", created),
        ("SqsManagedSseEnabled", "true".to_owned()),
    ] {
        all.entry(name).or_insert(Value::from(value));
    }
    let wanted: Vec<&str> = ask.array("AttributeNames").iter().filter_map(Value::as_str).collect();
    if !wanted.contains(&"All") {
        all.retain(|name, _| wanted.contains(&name.as_str()));
    }
    Ok(json!({"Attributes": all}))
}

pub(super) fn set_attributes(world: &mut World, ask: &Ask) -> Answered {
    let sent = sent_attributes(ask)?;
    queue(world, ask)?.attributes.extend(sent);
    Ok(Value::Null)
}

pub(super) fn delete(world: &mut World, ask: &Ask) -> Answered {
    let name = queue(world, ask)?.name.clone();
    if let Some(account) = world.accounts.get_mut(&ask.caller.account) {
        account.region(&ask.region).queues.remove(&name);
    }
    Ok(Value::Null)
}

pub(super) fn purge(world: &mut World, ask: &Ask) -> Answered {
    queue(world, ask)?.messages.clear();
    Ok(Value::Null)
}
