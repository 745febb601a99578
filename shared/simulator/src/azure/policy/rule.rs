//! The conditions of policy rules: <https://learn.microsoft.com/azure/governance/policy/concepts/definition-structure-policy-rule>

use serde_json::{Map, Value};

use super::expression::{self, Context, evaluate_text};
use crate::azure::answer::bad;
use crate::refusal::Refusal;

const OPERATORS: [&str; 19] = [
    "equals",
    "notEquals",
    "like",
    "notLike",
    "match",
    "notMatch",
    "contains",
    "notContains",
    "in",
    "notIn",
    "containsKey",
    "notContainsKey",
    "less",
    "lessOrEquals",
    "greater",
    "greaterOrEquals",
    "exists",
    "matchInsensitively",
    "notMatchInsensitively",
];
const EFFECTS: [&str; 12] = [
    "addtonetworkgroup",
    "append",
    "audit",
    "auditifnotexists",
    "deny",
    "denyaction",
    "deployifnotexists",
    "disabled",
    "manual",
    "modify",
    "mutate",
    "enforceregopolicy",
];

/// Why a rule can't be evaluated.
pub(crate) type Unclear = String;

/// Looks at a rule without a resource, as ARM does when a definition is put.
///
/// # Errors
/// 400 InvalidPolicyRule or InvalidPolicyParameters, in the words of what is wrong.
pub(crate) fn validate(rule: &Value, parameters: Option<&Value>) -> Result<(), Refusal> {
    let wrong =
        |problem: String| bad("InvalidPolicyRule", format!("Failed to parse policy rule: '{problem}'."));
    let members = rule.as_object().ok_or_else(|| wrong("the rule must be an object".to_owned()))?;
    if let Some(name) = members.keys().find(|name| !matches!(name.as_str(), "if" | "then")) {
        return Err(wrong(format!("Could not find member '{name}' on object of type 'PolicyRule'")));
    }
    let condition = members.get("if").ok_or_else(|| wrong("'if' is missing".to_owned()))?;
    shaped(condition).map_err(wrong)?;
    let effect = members.get("then").and_then(|then| then.get("effect")).and_then(Value::as_str);
    let effect = effect.ok_or_else(|| wrong("'then.effect' is missing".to_owned()))?;
    if !effect.starts_with('[') && !EFFECTS.contains(&effect.to_ascii_lowercase().as_str()) {
        return Err(wrong(format!("the effect '{effect}' is not known")));
    }
    let mut texts = Vec::new();
    // Templates in `then.details` have a language of their own.
    collect_texts(condition, &mut texts);
    texts.push(effect);
    for text in texts {
        for name in expression::parameters_of(text).map_err(wrong)? {
            let declared = parameters.and_then(Value::as_object);
            if !declared.is_some_and(|all| all.keys().any(|known| known.eq_ignore_ascii_case(&name))) {
                let message = format!(
                    "The policy rule uses the parameter '{name}', which the definition does not declare."
                );
                return Err(bad("InvalidPolicyParameters", message));
            }
        }
    }
    Ok(())
}

fn collect_texts<'a>(value: &'a Value, texts: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => texts.push(text),
        Value::Array(all) => all.iter().for_each(|one| collect_texts(one, texts)),
        Value::Object(all) => all.values().for_each(|one| collect_texts(one, texts)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Whether a condition has the shape of one.
fn shaped(condition: &Value) -> Result<(), Unclear> {
    let members = condition.as_object().ok_or("a condition must be an object")?;
    let get = |word: &str| member(members, word);
    for word in ["allOf", "anyOf"] {
        if let Some(all) = get(word) {
            let all = all.as_array().ok_or_else(|| format!("'{word}' must be a list"))?;
            return all.iter().try_for_each(shaped);
        }
    }
    if let Some(inner) = get("not") {
        return shaped(inner);
    }
    if !["field", "value", "source", "count"].iter().any(|word| get(word).is_some()) {
        return Err("a condition needs one of 'field', 'value', 'count'".to_owned());
    }
    let operators = members.keys().filter(|name| operator(name).is_some()).count();
    if operators != 1 {
        return Err(format!("a condition has one operator, not {operators}"));
    }
    match get("count").and_then(|count| count.get("where")) {
        Some(inner) => shaped(inner),
        None => Ok(()),
    }
}

fn member<'a>(members: &'a Map<String, Value>, word: &str) -> Option<&'a Value> {
    members.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|(_, value)| value)
}

fn operator(name: &str) -> Option<&'static str> {
    OPERATORS.iter().find(|known| known.eq_ignore_ascii_case(name)).copied()
}

/// Whether a condition holds for the context's resource.
pub(crate) fn holds(condition: &Value, context: &Context<'_>) -> Result<bool, Unclear> {
    let members = condition.as_object().ok_or("a condition must be an object")?;
    let get = |word: &str| member(members, word);
    if let Some(all) = get("allOf").and_then(Value::as_array) {
        for one in all {
            if !holds(one, context)? {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    if let Some(any) = get("anyOf").and_then(Value::as_array) {
        for one in any {
            if holds(one, context)? {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    if let Some(inner) = get("not") {
        return holds(inner, context).map(|holds| !holds);
    }
    let (name, wanted) = members
        .iter()
        .find_map(|(name, value)| operator(name).map(|operator| (operator, value)))
        .ok_or("a condition needs an operator")?;
    let wanted = evaluate_text(wanted, context)?;
    if let Some(field) = get("field") {
        let field = evaluate_text(field, context)?;
        let found = context.field(field.as_str().unwrap_or_default());
        return match found {
            expression::Found::One(value) => compare(name, &value, &wanted),
            // Every element has to fulfil it; of none, all do.
            expression::Found::Each(values) => {
                values.iter().try_fold(true, |so_far, value| Ok(compare(name, value, &wanted)? && so_far))
            }
        };
    }
    if let Some(value) = get("value") {
        return compare(name, &evaluate_text(value, context)?, &wanted);
    }
    let count = get("count").ok_or("only 'field', 'value' and 'count' are evaluated here")?;
    let counted = counted(count, context)?;
    compare(name, &Value::from(counted), &wanted)
}

/// <https://learn.microsoft.com/azure/governance/policy/concepts/definition-structure-policy-rule#count>
fn counted(count: &Value, context: &Context<'_>) -> Result<usize, Unclear> {
    let filter = count.get("where");
    let field = count.get("field").and_then(Value::as_str).unwrap_or_default();
    let elements = match (count.get("value"), context.field(field)) {
        (Some(value), _) => evaluate_text(value, context)?.as_array().cloned().unwrap_or_default(),
        (None, expression::Found::Each(elements)) => elements,
        (None, expression::Found::One(value)) => value.as_array().cloned().unwrap_or_default(),
    };
    let mut counted = 0;
    for element in &elements {
        let inner = context.bound(field, element);
        if filter.map_or(Ok(true), |filter| holds(filter, &inner))? {
            counted += 1;
        }
    }
    Ok(counted)
}

fn compare(operator: &str, found: &Value, wanted: &Value) -> Result<bool, Unclear> {
    let list = || wanted.as_array().ok_or_else(|| format!("'{operator}' needs a list"));
    Ok(match operator {
        "equals" => same(found, wanted),
        "notEquals" => !same(found, wanted),
        "in" => list()?.iter().any(|one| same(found, one)),
        "notIn" => !list()?.iter().any(|one| same(found, one)),
        "like" => like(found, wanted),
        "notLike" => !like(found, wanted),
        "match" => matches(found, wanted, false),
        "notMatch" => !matches(found, wanted, false),
        "matchInsensitively" => matches(found, wanted, true),
        "notMatchInsensitively" => !matches(found, wanted, true),
        "contains" => contains(found, wanted),
        "notContains" => !contains(found, wanted),
        "containsKey" => contains_key(found, wanted),
        "notContainsKey" => !contains_key(found, wanted),
        "exists" => found.is_null() != truth(wanted),
        "less" => order(found, wanted).is_some_and(std::cmp::Ordering::is_lt),
        "lessOrEquals" => order(found, wanted).is_some_and(std::cmp::Ordering::is_le),
        "greater" => order(found, wanted).is_some_and(std::cmp::Ordering::is_gt),
        "greaterOrEquals" => order(found, wanted).is_some_and(std::cmp::Ordering::is_ge),
        _ => return Err(format!("the operator '{operator}' is not evaluated here")),
    })
}

fn truth(value: &Value) -> bool {
    value.as_bool().unwrap_or_else(|| plain(value).eq_ignore_ascii_case("true"))
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// Texts have no case, and `"false"` is false.
fn same(one: &Value, other: &Value) -> bool {
    !one.is_null() && !other.is_null() && plain(one).eq_ignore_ascii_case(&plain(other))
        || one.is_null() && other.is_null()
}

/// One `*` stands for anything.
fn like(found: &Value, pattern: &Value) -> bool {
    let (Some(found), pattern) = (found.as_str().map(str::to_ascii_lowercase), plain(pattern)) else {
        return false;
    };
    let pattern = pattern.to_ascii_lowercase();
    match pattern.split_once('*') {
        None => found == pattern,
        Some((begin, end)) => {
            found.len() >= begin.len() + end.len() && found.starts_with(begin) && found.ends_with(end)
        }
    }
}

/// `#` is a digit, `?` a letter, `.` any character.
fn matches(found: &Value, pattern: &Value, insensitively: bool) -> bool {
    let (Some(found), pattern) = (found.as_str(), plain(pattern)) else { return false };
    let one = |c: char, p: char| match p {
        '#' => c.is_ascii_digit(),
        '?' => c.is_alphabetic(),
        '.' => true,
        other if insensitively => c.eq_ignore_ascii_case(&other),
        other => c == other,
    };
    found.chars().count() == pattern.chars().count()
        && found.chars().zip(pattern.chars()).all(|(c, p)| one(c, p))
}

fn contains(found: &Value, wanted: &Value) -> bool {
    if let Some(all) = found.as_array() {
        return all.iter().any(|one| same(one, wanted));
    }
    let wanted = plain(wanted).to_ascii_lowercase();
    found.as_str().is_some_and(|text| text.to_ascii_lowercase().contains(&wanted))
}

fn contains_key(found: &Value, wanted: &Value) -> bool {
    let wanted = plain(wanted);
    found.as_object().is_some_and(|all| all.keys().any(|name| name.eq_ignore_ascii_case(&wanted)))
}

fn order(one: &Value, other: &Value) -> Option<std::cmp::Ordering> {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => one.partial_cmp(&other),
        _ => Some(one.as_str()?.to_ascii_lowercase().cmp(&other.as_str()?.to_ascii_lowercase())),
    }
}
