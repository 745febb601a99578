//! Long-running operations: answered at once, done after some polls or after a while.
//!
//! <https://google.aip.dev/151>; the shape is `google.longrunning.Operation`.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::answer::{self, Answered, not_found};
use super::request::Request;
use super::world::GcpWorld;
use crate::refusal::Refusal;

/// What is done when the time has come, with what it needs to know; it answers the operation's response.
pub(crate) type Effect = fn(&mut GcpWorld, &Value) -> Answered;

/// Something that goes on after its answer.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    name: String,
    metadata: Value,
    /// Still to be looked at so often.
    polls: u32,
    begun: Timestamp,
    effect: Effect,
    with: Value,
    outcome: Option<Result<Value, Refusal>>,
}

/// How long an operation takes where nobody looks.
const UNWATCHED: i64 = 2;

/// Begins one; `prefix` is the beginning of its name, such as `operations/cp.`, and `metadata` what is shown while it lasts. With no
/// polls to wait for it is done in its first answer, as quick ones are.
pub(crate) fn begin(
    world: &mut GcpWorld,
    request: &Request,
    prefix: &str,
    metadata: Value,
    effect: Effect,
    with: Value,
) -> Value {
    let name = format!("{prefix}{}", world.number());
    let polls = world.settings.operation_polls;
    let operation =
        Operation { name: name.clone(), metadata, polls, begun: request.now, effect, with, outcome: None };
    let key = key(request.service.name, &name);
    world.operations.insert(key.clone(), operation);
    world.pending.insert(key.clone());
    if polls == 0 {
        finish(world, &key);
    }
    world.operations.get(&key).map(Operation::show).unwrap_or_default()
}

/// Whether this is a look at an operation.
pub(crate) fn is_one(world: &GcpWorld, request: &Request) -> bool {
    let named = request.parts().iter().rev().nth(1) == Some(&"operations");
    named
        && request.method == http::Method::GET
        && (request.part(0) == "operations"
            || world.operations.contains_key(&key(request.service.name, &request.path)))
}

/// A look at an operation: each one brings it nearer to its end.
pub(crate) fn poll(world: &mut GcpWorld, request: &Request) -> Answered {
    let key = key(request.service.name, &request.path);
    let Some(operation) = world.operations.get_mut(&key) else {
        return Err(not_found(format!("Operation {} was not found.", request.path)));
    };
    if operation.outcome.is_none() && operation.polls > 0 {
        operation.polls -= 1;
        return Ok(operation.show());
    }
    finish(world, &key);
    world.operations.get(&key).map(Operation::show).ok_or_else(|| request.unknown())
}

/// Ends those that nobody looks at.
pub(crate) fn pass(world: &mut GcpWorld, now: Timestamp) {
    let over = |key: &&String| {
        let begun = world.operations.get(*key).map(|operation| operation.begun.as_second());
        begun.is_none_or(|begun| now.as_second() - begun > UNWATCHED)
    };
    let late: Vec<String> = world.pending.iter().filter(over).cloned().collect();
    late.iter().for_each(|key| finish(world, key));
}

fn finish(world: &mut GcpWorld, key: &str) {
    world.pending.remove(key);
    let Some(operation) = world.operations.get(key).filter(|one| one.outcome.is_none()) else { return };
    let (effect, with) = (operation.effect, operation.with.clone());
    let outcome = effect(world, &with);
    if let Some(operation) = world.operations.get_mut(key) {
        operation.outcome = Some(outcome);
    }
}

/// Paths are decoded when they are read, so that names are as well.
fn key(service: &str, name: &str) -> String {
    format!("{service}/{}", name.replace("%2F", "/"))
}

impl Operation {
    fn show(&self) -> Value {
        let mut shown = Map::new();
        shown.insert("name".to_owned(), json!(self.name));
        if !self.metadata.is_null() {
            shown.insert("metadata".to_owned(), self.metadata.clone());
        }
        match &self.outcome {
            None => {}
            Some(Ok(response)) => {
                shown.insert("done".to_owned(), json!(true));
                shown.insert("response".to_owned(), response.clone());
            }
            Some(Err(refusal)) => {
                shown.insert("done".to_owned(), json!(true));
                shown.insert("error".to_owned(), answer::status(refusal));
            }
        }
        Value::Object(shown)
    }
}

/// A message with its type, as `google.protobuf.Any` writes it.
pub(crate) fn any(kind: &str, mut message: Value) -> Value {
    if let Some(members) = message.as_object_mut() {
        members.insert("@type".to_owned(), json!(format!("type.googleapis.com/{kind}")));
    }
    message
}
