//! The `query` of searches: terms such as `state:ACTIVE parent:folders/1`, all of which must hold.
//!
//! <https://cloud.google.com/resource-manager/reference/rest/v3/projects/search>

use serde_json::Value;

/// Whether what is shown is what a query asks for.
pub(super) fn matches(query: &str, shown: &Value) -> bool {
    let terms = query.split_whitespace().filter(|term| !term.eq_ignore_ascii_case("AND"));
    terms.into_iter().all(|term| holds(term, shown))
}

fn holds(term: &str, shown: &Value) -> bool {
    let Some((field, value)) = term.split_once([':', '=']) else { return false };
    let value = value.trim_matches('"');
    let seen = |field: &str| match field.split_once('.') {
        Some((outer, inner)) => shown.get(outer).and_then(|outer| outer.get(inner)),
        None => shown.get(field),
    };
    let field = match field {
        "id" => "projectId",
        "lifecycleState" => "state",
        "parent.id" => "parent",
        field => field,
    };
    match seen(field).and_then(Value::as_str) {
        None => false,
        Some(_) if value == "*" => true,
        Some(seen) => match value.strip_suffix('*') {
            Some(start) => seen.to_lowercase().starts_with(&start.to_lowercase()),
            None => seen.eq_ignore_ascii_case(value) || seen.ends_with(&format!("/{value}")),
        },
    }
}
