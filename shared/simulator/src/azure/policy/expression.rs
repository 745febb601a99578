//! The `[function(…)]` texts of policies, as far as rules that deny use them.
//!
//! <https://learn.microsoft.com/azure/governance/policy/concepts/definition-structure-policy-rule#policy-functions>

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::rule::Unclear;
use super::subject::Subject;

/// What an expression is evaluated against.
#[derive(Debug, Clone)]
pub(crate) struct Context<'a> {
    subject: &'a Subject,
    /// By name in lower case.
    parameters: &'a BTreeMap<String, Value>,
    /// Inside a count: the array's alias in lower case, and its element.
    element: Option<(String, &'a Value)>,
}

/// What a field is: one value (null where there is none), or one for each element of a `[*]`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Found {
    One(Value),
    Each(Vec<Value>),
}

impl<'a> Context<'a> {
    pub(crate) fn new(subject: &'a Subject, parameters: &'a BTreeMap<String, Value>) -> Self {
        Self { subject, parameters, element: None }
    }

    /// Looking at one element of an array.
    pub(crate) fn bound<'b>(&'b self, field: &str, element: &'b Value) -> Context<'b> {
        Context {
            subject: self.subject,
            parameters: self.parameters,
            element: Some((field.to_ascii_lowercase(), element)),
        }
    }

    /// The value of a field or an alias.
    pub(crate) fn field(&self, name: &str) -> Found {
        let Subject { kind, tags, .. } = self.subject;
        let lower = name.to_ascii_lowercase();
        if let Some((bound, element)) = &self.element
            && let Some(rest) = lower.strip_prefix(bound.as_str())
        {
            return walk(element, rest.trim_start_matches('.'));
        }
        let text = |value: &str| Found::One(Value::from(value));
        match lower.as_str() {
            "type" => text(kind),
            "name" | "fullname" => text(&self.subject.name),
            "id" => text(&self.subject.id),
            "location" => Found::One(self.subject.location.as_deref().map_or(Value::Null, Value::from)),
            "tags" => Found::One(json!(tags)),
            "kind" | "identity.type" | "identity" | "sku.name" => {
                walk(&Value::Object(self.subject.body.clone()), &lower)
            }
            _ => {
                if let Some(tag) = tag_name(name) {
                    let found = tags.iter().find(|(known, _)| known.eq_ignore_ascii_case(tag));
                    return Found::One(found.map_or(Value::Null, |(_, value)| Value::from(value.as_str())));
                }
                match lower.strip_prefix(&format!("{}/", kind.to_ascii_lowercase())) {
                    Some(path) => self.alias(path),
                    // Another type's alias is nothing here.
                    None => Found::One(Value::Null),
                }
            }
        }
    }

    /// Aliases are paths into `properties`; some, such as `sku.name`, into the resource itself.
    fn alias(&self, path: &str) -> Found {
        let body = Value::Object(self.subject.body.clone());
        let properties = body.get("properties").cloned().unwrap_or_default();
        match walk(&properties, path) {
            Found::One(Value::Null) => walk(&body, path),
            found @ (Found::One(_) | Found::Each(_)) => found,
        }
    }
}

/// `tags['x']`, `tags[x]` and `tags.x`.
fn tag_name(name: &str) -> Option<&str> {
    let rest = name.get(..4).filter(|word| word.eq_ignore_ascii_case("tags")).and_then(|_| name.get(4..))?;
    if let Some(inner) = rest.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return Some(inner.trim_matches('\''));
    }
    rest.strip_prefix('.')
}

/// Goes down a path in lower case; `[*]` looks at every element.
fn walk(value: &Value, path: &str) -> Found {
    let mut now = vec![value.clone()];
    let mut each = false;
    for part in path.split('.').filter(|part| !part.is_empty()) {
        let (name, star) = part.strip_suffix("[*]").map_or((part, false), |name| (name, true));
        now = now.iter().map(|value| member(value, name)).collect();
        if star {
            each = true;
            now = now.iter().flat_map(|value| value.as_array().cloned().unwrap_or_default()).collect();
        }
    }
    if each { Found::Each(now) } else { Found::One(now.pop().unwrap_or_default()) }
}

fn member(value: &Value, name: &str) -> Value {
    let members = value.as_object().into_iter().flatten();
    let mut found = members.filter(|(known, _)| known.eq_ignore_ascii_case(name) || name.is_empty());
    found.next().map_or(Value::Null, |(_, value)| value.clone())
}

/// A value whose texts may be expressions, all the way down.
pub(crate) fn evaluate_text(value: &Value, context: &Context<'_>) -> Result<Value, Unclear> {
    match value {
        Value::String(text) => match inner(text) {
            Some(expression) => {
                Parser::new(expression).whole(&mut |name, arguments| call(name, arguments, context))
            }
            None => {
                Ok(Value::from(text.strip_prefix('[').filter(|_| text.starts_with("[[")).unwrap_or(text)))
            }
        },
        Value::Array(all) => {
            all.iter().map(|one| evaluate_text(one, context)).collect::<Result<Vec<_>, _>>().map(Value::Array)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Ok(value.clone()),
    }
}

/// The parameters that a text asks for.
pub(crate) fn parameters_of(text: &str) -> Result<Vec<String>, Unclear> {
    let mut names = Vec::new();
    if let Some(expression) = inner(text) {
        Parser::new(expression).whole(&mut |name, arguments| {
            if name.eq_ignore_ascii_case("parameters") {
                names.extend(arguments.first().and_then(Value::as_str).map(str::to_owned));
            }
            Ok(Value::Null)
        })?;
    }
    Ok(names)
}

/// What is between the brackets; a text that begins with two is not an expression.
fn inner(text: &str) -> Option<&str> {
    if text.starts_with("[[") {
        return None;
    }
    text.strip_prefix('[')?.strip_suffix(']')
}

type Call<'f> = &'f mut dyn FnMut(&str, &[Value]) -> Result<Value, Unclear>;

/// Reads `name(arguments)`, texts in single quotes, numbers, and `.member` and `[index]` behind them.
struct Parser<'t> {
    rest: &'t str,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str) -> Self {
        Self { rest: text }
    }

    fn whole(mut self, call: Call<'_>) -> Result<Value, Unclear> {
        let value = self.value(call)?;
        if self.rest.trim().is_empty() { Ok(value) } else { Err(format!("'{}' is left over", self.rest)) }
    }

    fn eat(&mut self, wanted: char) -> bool {
        self.rest = self.rest.trim_start();
        let found = self.rest.strip_prefix(wanted);
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    fn take(&mut self, more: impl Fn(char) -> bool) -> &'t str {
        self.rest = self.rest.trim_start();
        let end = self.rest.find(|c| !more(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    fn value(&mut self, call: Call<'_>) -> Result<Value, Unclear> {
        if self.eat('\'') {
            return self.text();
        }
        let word = self.take(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
        if word.is_empty() {
            return Err(format!("'{}' is no expression", self.rest));
        }
        if let Ok(number) = word.parse::<i64>() {
            return Ok(Value::from(number));
        }
        if !self.eat('(') {
            return match word.to_ascii_lowercase().as_str() {
                "true" => Ok(Value::Bool(true)),
                "false" => Ok(Value::Bool(false)),
                "null" => Ok(Value::Null),
                _ => Err(format!("'{word}' is no function")),
            };
        }
        let mut arguments = Vec::new();
        while !self.eat(')') {
            if !arguments.is_empty() && !self.eat(',') {
                return Err(format!("a comma is missing in front of '{}'", self.rest));
            }
            arguments.push(self.value(call)?);
        }
        let mut value = call(word, &arguments)?;
        loop {
            if self.eat('.') {
                let name = self.take(|c| c.is_ascii_alphanumeric() || c == '_');
                value = member(&value, name);
            } else if self.eat('[') {
                let index = self.value(call)?;
                value = at(&value, &index);
                if !self.eat(']') {
                    return Err("a bracket is not closed".to_owned());
                }
            } else {
                return Ok(value);
            }
        }
    }

    /// A quote inside is written twice.
    fn text(&mut self) -> Result<Value, Unclear> {
        let mut text = String::new();
        loop {
            let (before, after) = self.rest.split_once('\'').ok_or("a text is not closed")?;
            text.push_str(before);
            match after.strip_prefix('\'') {
                Some(rest) => {
                    text.push('\'');
                    self.rest = rest;
                }
                None => {
                    self.rest = after;
                    return Ok(Value::from(text));
                }
            }
        }
    }
}

fn at(value: &Value, index: &Value) -> Value {
    let by_number = index.as_u64().and_then(|n| usize::try_from(n).ok());
    match (by_number, index.as_str()) {
        (Some(n), _) => value.get(n).cloned().unwrap_or_default(),
        (None, Some(name)) => member(value, name),
        (None, None) => Value::Null,
    }
}

fn call(name: &str, arguments: &[Value], context: &Context<'_>) -> Result<Value, Unclear> {
    let one = || arguments.first().cloned().unwrap_or_default();
    let other = || arguments.get(1).cloned().unwrap_or_default();
    let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let length = |value: &Value| match value {
        Value::String(text) => text.chars().count(),
        Value::Array(all) => all.len(),
        Value::Object(all) => all.len(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    };
    let Subject { subscription, resource_group, .. } = context.subject;
    Ok(match name.to_ascii_lowercase().as_str() {
        "parameters" => {
            let wanted = text(one()).to_ascii_lowercase();
            context
                .parameters
                .get(&wanted)
                .cloned()
                .ok_or_else(|| format!("the parameter '{wanted}' has no value"))?
        }
        "field" => match context.field(&text(one())) {
            Found::One(value) => value,
            Found::Each(values) => Value::Array(values),
        },
        "current" => context.element.as_ref().map(|(_, element)| (*element).clone()).unwrap_or_default(),
        "concat" => match arguments.first() {
            Some(Value::Array(_)) => {
                Value::Array(arguments.iter().filter_map(Value::as_array).flatten().cloned().collect())
            }
            _ => Value::from(arguments.iter().map(|one| text(one.clone())).collect::<String>()),
        },
        "tolower" => Value::from(text(one()).to_lowercase()),
        "toupper" => Value::from(text(one()).to_uppercase()),
        "string" => Value::from(text(one())),
        "replace" => Value::from(
            text(one()).replace(&text(other()), &text(arguments.get(2).cloned().unwrap_or_default())),
        ),
        "split" => Value::Array(text(one()).split(&text(other())).map(Value::from).collect()),
        "first" => one().as_array().and_then(|all| all.first().cloned()).unwrap_or_default(),
        "last" => one().as_array().and_then(|all| all.last().cloned()).unwrap_or_default(),
        "createarray" => Value::Array(arguments.to_vec()),
        "length" => Value::from(length(&one())),
        "empty" => Value::Bool(length(&one()) == 0),
        "startswith" => Value::Bool(text(one()).to_lowercase().starts_with(&text(other()).to_lowercase())),
        "endswith" => Value::Bool(text(one()).to_lowercase().ends_with(&text(other()).to_lowercase())),
        "contains" => Value::Bool(match one().as_array() {
            Some(all) => all.contains(&other()),
            None => text(one()).contains(&text(other())),
        }),
        "equals" => Value::Bool(one() == other()),
        "not" => Value::Bool(one() != Value::Bool(true)),
        "and" => Value::Bool(arguments.iter().all(|one| *one == Value::Bool(true))),
        "or" => Value::Bool(arguments.contains(&Value::Bool(true))),
        "if" if one() == Value::Bool(true) => other(),
        "if" => arguments.get(2).cloned().unwrap_or_default(),
        "subscription" => {
            json!({"subscriptionId": subscription, "id": format!("/subscriptions/{subscription}")})
        }
        "resourcegroup" => json!({"name": resource_group}),
        _ => return Err(format!("the function '{name}' is not evaluated here")),
    })
}
