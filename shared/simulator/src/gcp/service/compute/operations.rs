//! Compute's own operations: `compute#operation` with a status, beside the ones that the other APIs have.
//!
//! <https://cloud.google.com/compute/docs/api/how-tos/api-requests-responses#handling_api_responses>

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::fields::{text, texts, with};
use super::{PROJECT, link, missing};
use crate::gcp::answer::Answered;
use crate::gcp::request::Request;
use crate::gcp::world::{GcpWorld, Governance};

const OPERATIONS: &str = "compute/operations";
/// How long one takes where nobody looks.
const UNWATCHED: i64 = 2;

/// Begins one. Its effect is said in words, so that it can be kept with the rest: `{"delete": [kind, name]}`,
/// `{"insert": [kind, name], "what": …}`, `{"metadata": [items]}`.
pub(super) fn begin(
    world: &mut GcpWorld,
    request: &Request,
    project: &str,
    sort: &str,
    effect: &Value,
    collection: &str,
    target: &str,
) -> Value {
    let id = world.number();
    let polls = world.settings.operation_polls;
    let name = format!("operation-{id}");
    let base = format!("projects/{project}");
    let target =
        if target.is_empty() { base.clone() } else { format!("{base}/global/{collection}/{target}") };
    let at = request.now.to_string();
    let user = request.caller.principal.split_once(':').map_or("", |(_, user)| user);
    let kept = json!({
        "shown": {
            "kind": "compute#operation", "id": id.to_string(), "name": name, "operationType": sort,
            "targetLink": link(&target), "user": user, "insertTime": at, "startTime": at, "progress": 0,
            "selfLink": link(&format!("{base}/global/operations/{name}")),
        },
        "polls": polls, "begun": request.now.as_second(), "effect": effect,
    });
    let Some(governance) = world.at(&base) else { return Value::Null };
    governance.things_mut(OPERATIONS).insert(name.clone(), kept);
    if polls == 0 {
        finish(governance, &name, request.now);
    }
    governance.things(OPERATIONS).get(&name).map(show).unwrap_or_default()
}

/// An operation of a zone, which has its own address there. Answers how it is now.
pub(super) fn place(world: &mut GcpWorld, base: &str, name: &str, zone: &str) -> Value {
    let Some(kept) = world.at(base).and_then(|found| found.things_mut(OPERATIONS).get_mut(name)) else {
        return Value::Null;
    };
    if let Some(shown) = kept.get_mut("shown") {
        let at = format!("{base}/zones/{zone}");
        let moved = text(shown, "targetLink").replace(&format!("{base}/global"), &at);
        *shown = with(with(shown.clone(), "zone", link(&at)), "targetLink", moved);
        *shown = with(shown.clone(), "selfLink", link(&format!("{at}/operations/{name}")));
    }
    show(kept)
}

/// A look: each one brings it nearer to its end.
pub(super) fn get(world: &mut GcpWorld, request: &Request, project: &str, name: &str) -> Answered {
    let gone = || missing(&request.path);
    let governance = world.at(&format!("projects/{project}")).ok_or_else(gone)?;
    let kept = governance.things_mut(OPERATIONS).get_mut(name).ok_or_else(gone)?;
    match kept.get("polls").and_then(Value::as_u64) {
        Some(polls @ 1..) => *kept = with(kept.clone(), "polls", polls - 1),
        Some(0) | None => finish(governance, name, request.now),
    }
    governance.things(OPERATIONS).get(name).map(show).ok_or_else(gone)
}

/// Answers when it is done, which it is at once here.
pub(super) fn wait(world: &mut GcpWorld, request: &Request, project: &str, name: &str) -> Answered {
    let path = format!("projects/{project}/global/operations/{name}");
    let governance = world.at(&format!("projects/{project}")).ok_or_else(|| missing(&path))?;
    finish(governance, name, request.now);
    governance.things(OPERATIONS).get(name).map(show).ok_or_else(|| missing(&path))
}

/// Ends those that nobody looks at.
pub(super) fn pass(world: &mut GcpWorld, project: &str, now: Timestamp) {
    let Some(governance) = world.at(&format!("projects/{project}")) else { return };
    let over = |kept: &Value| {
        let begun = kept.get("begun").and_then(Value::as_i64).unwrap_or_default();
        kept.get("effect").is_some() && now.as_second() - begun > UNWATCHED
    };
    let late: Vec<String> = governance
        .things(OPERATIONS)
        .iter()
        .filter(|(_, kept)| over(kept))
        .map(|(name, _)| name.clone())
        .collect();
    late.iter().for_each(|name| finish(governance, name, now));
}

fn finish(governance: &mut Governance, name: &str, now: Timestamp) {
    let Some(kept) = governance.things_mut(OPERATIONS).get_mut(name) else { return };
    let Some(effect) = kept.as_object_mut().and_then(|members| members.remove("effect")) else { return };
    if let Some(members) = kept.as_object_mut() {
        members.insert("ended".to_owned(), json!(now.to_string()));
    }
    if let [kind, name] = texts(&effect, "delete").as_slice() {
        governance.things_mut(kind).remove(*name);
    }
    if let ([kind, name], Some(what)) = (texts(&effect, "insert").as_slice(), effect.get("what")) {
        governance.things_mut(kind).insert((*name).to_owned(), what.clone());
    }
    if let Some(items) = effect.get("metadata") {
        let own = governance.things(PROJECT).get("self").cloned().unwrap_or_else(|| json!({}));
        governance.things_mut(PROJECT).insert("self".to_owned(), with(own, "items", items.clone()));
    }
}

fn show(kept: &Value) -> Value {
    let shown = kept.get("shown").cloned().unwrap_or_default();
    match text(kept, "ended") {
        "" => with(shown, "status", "RUNNING"),
        at => with(with(with(shown, "status", "DONE"), "progress", 100), "endTime", at),
    }
}
