//! Conditions as far as they are written here: resource tags, and a time that has not come.
//!
//! Deny rules and organization policies may ask nothing but tags; allow bindings may ask much more:
//! <https://cloud.google.com/iam/docs/conditions-attribute-reference>.

use jiff::Timestamp;
use serde_json::Value;

use super::world::GcpWorld;

/// Whether a condition holds for a resource of the tree now; `None` where it asks what is not known here. No condition always holds.
pub(crate) fn holds(world: &GcpWorld, name: &str, condition: Option<&Value>) -> Option<bool> {
    let Some(condition) = condition else { return Some(true) };
    let text = condition.get("expression").and_then(Value::as_str)?;
    let any = text.split("||").map(|part| {
        let all = part.split("&&").map(|term| one(world, name, term.trim().trim_matches(['(', ' '])));
        all.reduce(|seen, term| Some(seen? && term?)).flatten()
    });
    any.reduce(|seen, part| Some(seen? || part?)).flatten()
}

fn one(world: &GcpWorld, name: &str, term: &str) -> Option<bool> {
    let (term, wanted) = match term.strip_prefix('!') {
        Some(term) => (term.trim(), false),
        None => (term, true),
    };
    if let Some(time) = term.strip_prefix("request.time < timestamp(") {
        let time: Timestamp = time.trim_end_matches(')').trim_matches(['"', '\'']).parse().ok()?;
        return Some((Timestamp::now() < time) == wanted);
    }
    let (function, arguments) = term.split_once('(')?;
    let arguments: Vec<&str> = arguments
        .trim_end_matches(')')
        .split(',')
        .map(|argument| argument.trim().trim_matches(['"', '\'']))
        .collect();
    let tags = world.tags(name);
    let mut tags = tags.iter();
    let found = match (function, arguments.as_slice()) {
        ("resource.matchTag", [key, value]) => tags.any(|tag| tag.key == *key && tag.value == *value),
        ("resource.matchTagId", [key, value]) => tags.any(|tag| tag.key_id == *key && tag.value_id == *value),
        ("resource.hasTagKey", [key]) => tags.any(|tag| tag.key == *key),
        ("resource.hasTagKeyId", [key]) => tags.any(|tag| tag.key_id == *key),
        _ => return None,
    };
    Some(found == wanted)
}
