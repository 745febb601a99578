//! What a body may say, and what a field mask takes of it: the same in every API.

use serde_json::{Map, Value};

use crate::gcp::answer::{bad, because, not_found};
use crate::gcp::request::Request;
use crate::refusal::Refusal;

/// Refuses a body with other members than these, as Google's JSON does.
pub(crate) fn only<'a>(body: &'a Value, at: &str, known: &[&str]) -> Result<&'a Map<String, Value>, Refusal> {
    let place = if at.is_empty() { String::new() } else { format!(" at '{at}'") };
    let members = body
        .as_object()
        .ok_or_else(|| bad(format!("Invalid JSON payload received. An object is expected{place}.")))?;
    match members.keys().find(|name| !known.contains(&name.as_str())) {
        None => Ok(members),
        Some(name) => Err(bad(format!(
            "Invalid JSON payload received. Unknown name \"{name}\"{place}: Cannot find field."
        ))),
    }
}

/// The old value with the fields of `mask` as the body has them: a field that the body does not have is taken away. Dots go down.
/// `fields` may be changed; `told` are the cloud's own and are passed over.
pub(crate) fn masked(
    old: &Value,
    body: &Value,
    mask: &[String],
    fields: &[&str],
    told: &[&str],
) -> Result<Value, Refusal> {
    let mut new = old.clone();
    let all: Vec<String> = fields.iter().map(|field| (*field).to_owned()).collect();
    let mask = if mask.iter().any(|path| path == "*") { &all } else { mask };
    for path in mask {
        let (first, rest) = path.split_once('.').unwrap_or((path, ""));
        if told.contains(&first) {
            continue;
        }
        if !fields.contains(&first) {
            return Err(bad(format!("Invalid field mask: `{path}` is not a field that can be updated.")));
        }
        put(&mut new, body, first, rest);
    }
    Ok(new)
}

fn put(new: &mut Value, body: &Value, first: &str, rest: &str) {
    let given = body.get(first);
    let Some(members) = new.as_object_mut() else { return };
    if rest.is_empty() {
        match given {
            Some(given) => members.insert(first.to_owned(), given.clone()),
            None => members.remove(first),
        };
        return;
    }
    let inner = members.entry(first.to_owned()).or_insert_with(|| Value::Object(Map::new()));
    let (next, further) = rest.split_once('.').unwrap_or((rest, ""));
    put(inner, given.unwrap_or(&Value::Null), next, further);
}

/// The members of a list that are texts.
pub(crate) fn texts<'a>(body: &'a Value, name: &str) -> Vec<&'a str> {
    let list = body.get(name).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).collect()
}

/// A text, empty when there is none.
pub(crate) fn text<'a>(body: &'a Value, name: &str) -> &'a str {
    body.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Puts a member into an object.
pub(crate) fn with(mut body: Value, name: &str, value: impl Into<Value>) -> Value {
    if let Some(members) = body.as_object_mut() {
        members.insert(name.to_owned(), value.into());
    }
    body
}

/// Takes members out of an object.
pub(crate) fn without(mut body: Value, names: &[&str]) -> Value {
    if let Some(members) = body.as_object_mut() {
        members.retain(|name, _| !names.contains(&name.as_str()));
    }
    body
}

/// There is none of that name.
pub(crate) fn missing(request: &Request) -> Refusal {
    let refused = not_found("Requested entity was not found.");
    let host = format!("{}.googleapis.com", request.service.name);
    because(refused, "RESOURCE_NOT_FOUND", &host, &[("resource", &request.path)])
}
