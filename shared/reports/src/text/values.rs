//! Values of settings in one line.

use serde_json::Value;

use crate::inert::inert;

/// Longer values are cut: a document's whole text helps nobody in a table.
const LONGEST: usize = 120;

/// A value in one line.
pub(super) fn short(value: &Value) -> String {
    let text = match value {
        // A digest tells two apart by its first digits.
        Value::String(text) if text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()) => {
            text.chars().take(12).collect()
        }
        Value::String(text) => text.clone(),
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| format!("{key}: {}", short(value)))
            .collect::<Vec<_>>()
            .join(", "),
        Value::Null => "none".to_owned(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) => value.to_string(),
    };
    cut(&inert(&text))
}

fn cut(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    let head: String = text.chars().take(LONGEST).collect();
    format!("{head}…")
}

/// The fields that differ, as `name: before -> after`; a field only one side has stands against `none`.
pub(super) fn differences(before: Option<&Value>, after: Option<&Value>) -> Vec<String> {
    match (before, after) {
        (Some(Value::Object(before)), Some(Value::Object(after))) => after
            .iter()
            .filter(|(key, value)| before.get(*key) != Some(value))
            .map(|(key, value)| {
                let was = before.get(key).map_or_else(|| "none".to_owned(), short);
                format!("{key}: {was} -> {}", short(value))
            })
            .collect(),
        (None, Some(Value::Object(after))) => {
            after.iter().map(|(key, value)| format!("{key}: {}", short(value))).collect()
        }
        (Some(before), Some(after)) => vec![format!("{} -> {}", short(before), short(after))],
        (None, Some(after)) => vec![short(after)],
        (Some(before), None) => vec![short(before)],
        (None, None) => Vec::new(),
    }
}
