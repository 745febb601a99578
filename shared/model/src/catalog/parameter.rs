//! What a control takes under `with`, and how two askings of it combine: inheritance tightens.

use serde_json::Value;

use super::{federation, organization_policies};

/// One parameter of a control.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// The key under `with`, kebab-case.
    pub name: &'static str,
    /// What may stand there.
    pub form: Form,
    /// How a lower level's value combines with a higher one's.
    pub combine: Combine,
    /// What holds where nobody says, as JSON; `None` where there is no value then.
    pub default: Option<&'static str>,
    /// For the manual page: meaning and unit.
    pub help: &'static str,
}

/// The form of a parameter's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `true` or `false`.
    Switch,
    /// A whole number within bounds, both included.
    Whole {
        /// The least.
        min: i64,
        /// The most.
        max: i64,
    },
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A text.
    Text,
    /// A list of texts, in which order and repetition mean nothing.
    Texts,
    /// A mapping from text to text.
    TextMap,
    /// A mapping from text to a list of texts.
    TextLists,
    /// Custom constraints of Google Cloud's organization policy, by name.
    CustomConstraints,
    /// Identity providers elsewhere, by name.
    IdentityProviders,
}

impl Form {
    /// Says what is wrong with a value, for people; `Ok` when it fits.
    pub fn check(&self, value: &Value) -> Result<(), String> {
        let texts = |value: &Value| value.as_array().is_some_and(|list| list.iter().all(Value::is_string));
        let fits = match self {
            Form::Switch => value.is_boolean(),
            Form::Whole { min, max } => value.as_i64().is_some_and(|n| (*min..=*max).contains(&n)),
            Form::Choice(words) => value.as_str().is_some_and(|word| words.contains(&word)),
            Form::Text => value.is_string(),
            Form::Texts => texts(value),
            Form::TextMap => value.as_object().is_some_and(|map| map.values().all(Value::is_string)),
            Form::TextLists => value.as_object().is_some_and(|map| map.values().all(texts)),
            Form::CustomConstraints => value.as_object().is_some_and(|map| {
                map.iter().all(|(name, value)| organization_policies::wrong(name, value).is_none())
            }),
            Form::IdentityProviders => value
                .as_object()
                .is_some_and(|map| map.iter().all(|(name, value)| federation::wrong(name, value).is_none())),
        };
        if fits { Ok(()) } else { Err(format!("expected {}", self.expected())) }
    }

    /// What is expected here, for people.
    pub fn expected(&self) -> String {
        match self {
            Form::Switch => "true or false".to_owned(),
            Form::Whole { min, max } => format!("a whole number from {min} to {max}"),
            Form::Choice(words) => format!("one of {}", words.join(", ")),
            Form::Text => "text".to_owned(),
            Form::Texts => "a list of texts".to_owned(),
            Form::TextMap => "a mapping from text to text".to_owned(),
            Form::TextLists => "a mapping from text to a list of texts".to_owned(),
            Form::CustomConstraints => "a mapping from names to custom constraints".to_owned(),
            Form::IdentityProviders => "a mapping from names to identity providers".to_owned(),
        }
    }
}

/// How a lower level's value combines with a higher one's. None of them lets the lower level weaken the higher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Combine {
    /// The larger number is the stricter.
    Max,
    /// The smaller number is the stricter.
    Min,
    /// On anywhere is on.
    Any,
    /// What any level lists, all of it.
    Union,
    /// Only what every level lists.
    Intersection,
    /// The lower level's own business: a text, a name.
    Replace,
}

/// A lower level asked for less than a higher one demands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weakened {
    /// What the higher level demands, for people.
    pub demanded: String,
    /// What the lower level asks for, for people.
    pub asked: String,
}

impl Combine {
    /// Combines what a higher level demands with what a lower level asks; both have the parameter's form.
    pub fn tighten(self, higher: &Value, lower: &Value) -> Result<Value, Weakened> {
        let weakened = || Weakened { demanded: show(higher), asked: show(lower) };
        match self {
            Combine::Replace => Ok(lower.clone()),
            Combine::Max => {
                if lower.as_i64() >= higher.as_i64() {
                    Ok(lower.clone())
                } else {
                    Err(weakened())
                }
            }
            Combine::Min => {
                if lower.as_i64() <= higher.as_i64() {
                    Ok(lower.clone())
                } else {
                    Err(weakened())
                }
            }
            Combine::Any => {
                if lower.as_bool() >= higher.as_bool() {
                    Ok(lower.clone())
                } else {
                    Err(weakened())
                }
            }
            Combine::Union if redefines(higher, lower) => Err(weakened()),
            Combine::Union => Ok(union(higher, lower)),
            Combine::Intersection => {
                let within = |allowed: &Value, asked: &Value| {
                    let allowed = texts(allowed);
                    texts(asked).iter().all(|text| allowed.contains(text))
                };
                let narrower = match (higher, lower) {
                    (Value::Object(higher), Value::Object(lower)) => lower
                        .iter()
                        .all(|(key, asked)| higher.get(key).is_none_or(|allowed| within(allowed, asked))),
                    (higher, lower) => within(higher, lower),
                };
                if narrower { Ok(intersection(higher, lower)) } else { Err(weakened()) }
            }
        }
    }

    /// Combines two askings of the same level, where neither is above the other: the stricter holds.
    pub fn join(self, one: &Value, other: &Value) -> Value {
        match self {
            Combine::Intersection => intersection(one, other),
            // Of two that say different things by one name, the first holds.
            Combine::Union if redefines(one, other) => union(other, one),
            Combine::Max | Combine::Min | Combine::Any | Combine::Union | Combine::Replace => {
                self.tighten(one, other).unwrap_or_else(|_| one.clone())
            }
        }
    }

    /// The word for manual pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Combine::Max => "the larger holds",
            Combine::Min => "the smaller holds",
            Combine::Any => "on anywhere is on",
            Combine::Union => "all that any level lists",
            Combine::Intersection => "only what every level lists",
            Combine::Replace => "the nearest level's holds",
        }
    }
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn sorted(mut texts: Vec<String>) -> Value {
    texts.sort_unstable();
    texts.dedup();
    Value::from(texts)
}

fn union(higher: &Value, lower: &Value) -> Value {
    match (higher, lower) {
        (Value::Object(higher), Value::Object(lower)) => {
            let mut both = higher.clone();
            for (key, value) in lower {
                let value = match (higher.get(key), value) {
                    (Some(higher @ Value::Array(_)), Value::Array(_)) => union(higher, value),
                    _ => value.clone(),
                };
                both.insert(key.clone(), value);
            }
            Value::Object(both)
        }
        (higher, lower) => sorted([texts(higher), texts(lower)].concat()),
    }
}

/// Of mappings, what only one of them lists is all that it allows.
fn intersection(one: &Value, other: &Value) -> Value {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let mut both = one.clone();
            for (key, value) in other {
                let value = one.get(key).map_or_else(|| value.clone(), |one| intersection(one, value));
                both.insert(key.clone(), value);
            }
            Value::Object(both)
        }
        (one, other) => {
            let other = texts(other);
            sorted(texts(one).into_iter().filter(|text| other.contains(text)).collect())
        }
    }
}

/// Whether the lower level gives another meaning to what the higher one defines.
fn redefines(higher: &Value, lower: &Value) -> bool {
    let (Value::Object(higher), Value::Object(lower)) = (higher, lower) else { return false };
    lower.iter().any(|(key, value)| {
        value.is_object() && higher.get(key).is_some_and(|higher| higher.is_object() && higher != value)
    })
}

fn show(value: &Value) -> String {
    match value {
        Value::Array(_) => texts(value).join(", "),
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_lower_level_can_tighten_but_never_weaken() {
        let table = [
            (Combine::Max, json!(14), json!(16), Some(json!(16))),
            (Combine::Max, json!(14), json!(8), None),
            (Combine::Min, json!(90), json!(30), Some(json!(30))),
            (Combine::Min, json!(90), json!(365), None),
            (Combine::Any, json!(true), json!(false), None),
            (Combine::Any, json!(false), json!(true), Some(json!(true))),
            (Combine::Union, json!(["b"]), json!(["a"]), Some(json!(["a", "b"]))),
            (Combine::Intersection, json!(["a", "b"]), json!(["b"]), Some(json!(["b"]))),
            (Combine::Intersection, json!(["a"]), json!(["a", "c"]), None),
            (Combine::Replace, json!("x"), json!("y"), Some(json!("y"))),
            (
                Combine::Union,
                json!({"p": ["b"], "q": ["x"]}),
                json!({"p": ["a"]}),
                Some(json!({"p": ["a", "b"], "q": ["x"]})),
            ),
            (Combine::Union, json!({"p": "b"}), json!({"p": "a"}), Some(json!({"p": "a"}))),
            (Combine::Union, json!({"p": {"if": "b"}}), json!({"p": {"if": "a"}}), None),
            (
                Combine::Intersection,
                json!({"p": ["a", "b"], "q": ["x"]}),
                json!({"p": ["b"], "r": ["y"]}),
                Some(json!({"p": ["b"], "q": ["x"], "r": ["y"]})),
            ),
            (Combine::Intersection, json!({"p": ["a"]}), json!({"p": ["a", "c"]}), None),
        ];
        for (combine, higher, lower, expected) in table {
            assert_eq!(combine.tighten(&higher, &lower).ok(), expected, "{combine:?} {higher} {lower}");
        }
    }

    #[test]
    fn two_askings_of_one_level_take_the_stricter() {
        assert_eq!(Combine::Max.join(&json!(14), &json!(8)), json!(14));
        assert_eq!(Combine::Intersection.join(&json!(["a", "b"]), &json!(["b", "c"])), json!(["b"]));
        assert_eq!(
            Combine::Intersection.join(&json!({"p": ["a", "b"]}), &json!({"p": ["b", "c"], "q": ["x"]})),
            json!({"p": ["b"], "q": ["x"]})
        );
        assert_eq!(
            Combine::Union.join(&json!({"p": {"if": "b"}}), &json!({"p": {"if": "a"}, "q": {"if": "c"}})),
            json!({"p": {"if": "b"}, "q": {"if": "c"}})
        );
    }
}
