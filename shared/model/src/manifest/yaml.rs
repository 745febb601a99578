//! YAML as a tree in which every key and value knows where it stands, so that a walk can tell every problem at once.
//!
//! Values keep what a person wrote: `no` is a text, and an account id with a leading zero does not become a number.
//! Anchors, aliases and merge keys are refused: a reader should see what holds where it holds.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::{DuplicateKeyPolicy, Error, Location, Spanned};

/// One file of the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The name to show in diagnostics.
    pub name: String,
    /// What it holds.
    pub text: String,
}

/// Where something stands: the file's number, line and column from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct At {
    pub(crate) file: usize,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) at: At,
    pub(crate) value: Yaml,
}

/// A key and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) at: At,
    pub(crate) text: String,
}

/// What stands there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Yaml {
    Nothing,
    Switch(bool),
    Whole(i64),
    Number(f64),
    Text {
        text: String,
        /// Not in quotes.
        plain: bool,
    },
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

impl Node {
    /// What stands there, for people.
    pub(crate) fn found(&self) -> String {
        match &self.value {
            Yaml::Nothing => "nothing".to_owned(),
            Yaml::Switch(on) => format!("`{on}`"),
            Yaml::Whole(number) => format!("the number {number}"),
            Yaml::Number(number) => format!("the number {number}"),
            Yaml::Text { text, .. } => format!("the text {}", quote(text)),
            Yaml::List(_) => "a list".to_owned(),
            Yaml::Map(_) => "a mapping".to_owned(),
        }
    }

    /// The value as JSON; of a key given twice the last holds.
    pub(crate) fn json(&self) -> Value {
        match &self.value {
            Yaml::Nothing => Value::Null,
            Yaml::Switch(on) => Value::from(*on),
            Yaml::Whole(number) => Value::from(*number),
            Yaml::Number(number) => Value::from(*number),
            Yaml::Text { text, .. } => Value::from(text.as_str()),
            Yaml::List(list) => list.iter().map(Node::json).collect(),
            Yaml::Map(map) => {
                Value::Object(map.iter().map(|(key, node)| (key.text.clone(), node.json())).collect())
            }
        }
    }
}

/// A text of a file, marked off for a message: one line, cut where it is long, without control characters.
pub(crate) fn quote(text: &str) -> String {
    const ENOUGH: usize = 60;
    let text = crate::diagnostic::inert(text);
    match text.char_indices().nth(ENOUGH) {
        None => format!("`{text}`"),
        Some((end, _)) => format!("`{}…`", text.get(..end).unwrap_or_default()),
    }
}

/// How deep values nest: three times what a manifest needs.
const DEPTH: usize = 32;

/// Reads one file; a syntax error ends it and says where.
pub(crate) fn read(file: usize, text: &str) -> Result<Node, (At, String)> {
    let start = At { file, line: 1, column: 1 };
    if text.lines().all(|line| line.trim_start().starts_with('#') || matches!(line.trim(), "" | "---")) {
        return Ok(Node { at: start, value: Yaml::Nothing });
    }
    // One file may hold a company's every tenant (about 15 nodes each), so the budget is wide; nesting is not.
    let options = serde_saphyr::options! {
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        duplicate_keys: DuplicateKeyPolicy::LastWins,
        with_snippet: false,
        budget: serde_saphyr::budget! {
            max_depth: DEPTH,
            max_nodes: 2_000_000,
            max_events: 5_000_000,
            max_aliases: 0,
            max_anchors: 0,
            max_merge_keys: 0,
        },
    };
    match serde_saphyr::from_str_with_options::<Spanned<Raw>>(text, options) {
        Ok(raw) => Ok(node(file, text, raw)),
        Err(error) => {
            let at = error.location().map_or(start, |location| at(file, location));
            Err((at, message(error.without_snippet())))
        }
    }
}

/// What the YAML reader says, in our words where its own are about its interface.
fn message(error: &Error) -> String {
    if let Error::MultipleDocuments { .. } = error {
        return "a second document begins here; a file holds one".to_owned();
    }
    if let Error::Budget { breach, .. } = error {
        return if let BudgetBreach::Anchors { .. } | BudgetBreach::Aliases { .. } = breach {
            "anchors and aliases are not read; write the value where it holds".to_owned()
        } else if let BudgetBreach::MergeKeys { .. } = breach {
            "merge keys are not read; write the values where they hold".to_owned()
        } else if let BudgetBreach::Depth { .. } = breach {
            format!("nested deeper than {DEPTH} levels")
        } else {
            "the file is too large; split it".to_owned()
        };
    }
    let message = error.to_string();
    let line = message.lines().next().unwrap_or_default();
    // The place is told beside the message.
    crate::diagnostic::inert(line.split_once(" at line ").map_or(line, |(line, _)| line))
}

fn at(file: usize, location: Location) -> At {
    let narrow = |number: u64| u32::try_from(number).unwrap_or(u32::MAX).max(1);
    At { file, line: narrow(location.line()), column: narrow(location.column()) }
}

fn node(file: usize, source: &str, raw: Spanned<Raw>) -> Node {
    let location = raw.referenced;
    let value = match raw.value {
        Raw::Nothing => Yaml::Nothing,
        Raw::Switch(on) => Yaml::Switch(on),
        Raw::Whole(number) => Yaml::Whole(number),
        Raw::Number(number) => Yaml::Number(number),
        Raw::Text(text) => Yaml::Text { text, plain: is_plain(source, location) },
        Raw::List(list) => Yaml::List(list.into_iter().map(|item| node(file, source, item)).collect()),
        Raw::Map(map) => Yaml::Map(
            map.into_iter()
                .map(|(key, value)| {
                    let at = at(file, key.referenced);
                    (Key { at, text: key.value }, node(file, source, value))
                })
                .collect(),
        ),
    };
    Node { at: at(file, location), value }
}

fn is_plain(source: &str, location: Location) -> bool {
    let start = location.span().byte_offset().and_then(|offset| usize::try_from(offset).ok());
    let text = start.and_then(|start| source.get(start..)).unwrap_or_default();
    !text.starts_with(['"', '\'', '|', '>', '!'])
}

/// The tree as the YAML reader hands it over.
enum Raw {
    Nothing,
    Switch(bool),
    Whole(i64),
    Number(f64),
    Text(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping, a list, a text, a number, true, false or nothing")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Nothing)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Nothing)
    }

    fn visit_bool<E>(self, on: bool) -> Result<Raw, E> {
        Ok(Raw::Switch(on))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Raw, E> {
        Ok(Raw::Whole(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Raw, E> {
        Ok(i64::try_from(number).map_or(Raw::Number(number as f64), Raw::Whole))
    }

    fn visit_i128<E>(self, number: i128) -> Result<Raw, E> {
        Ok(i64::try_from(number).map_or(Raw::Number(number as f64), Raw::Whole))
    }

    fn visit_u128<E>(self, number: u128) -> Result<Raw, E> {
        Ok(i64::try_from(number).map_or(Raw::Number(number as f64), Raw::Whole))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Raw, E> {
        Ok(Raw::Number(number))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = access.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = access.next_entry()? {
            map.push(entry);
        }
        Ok(Raw::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Yaml {
        let Yaml::Map(mut map) = read(0, &format!("key: {text}\n")).unwrap().value else { panic!("{text}") };
        map.remove(0).1.value
    }

    fn text(text: &str, plain: bool) -> Yaml {
        Yaml::Text { text: text.to_owned(), plain }
    }

    #[test]
    fn values_stay_what_a_person_wrote() {
        let table = [
            ("no", text("no", true)),
            ("true", Yaml::Switch(true)),
            ("012345678901", text("012345678901", true)),
            ("\"012345678901\"", text("012345678901", false)),
            ("'012345678901'", text("012345678901", false)),
            ("123456789012", Yaml::Whole(123_456_789_012)),
            ("99999999999999999999", Yaml::Number(1e20)),
            ("1_000", text("1_000", true)),
            ("80%", text("80%", true)),
            ("2027-01-31", text("2027-01-31", true)),
            ("2000 EUR", text("2000 EUR", true)),
            ("01AB23-45CD67-89EF01", text("01AB23-45CD67-89EF01", true)),
            ("8f0c1a52-0000-4000-8000-000000000001", text("8f0c1a52-0000-4000-8000-000000000001", true)),
            ("", Yaml::Nothing),
            ("~", Yaml::Nothing),
        ];
        for (written, expected) in table {
            assert_eq!(value(written), expected, "{written}");
        }
    }

    #[test]
    fn both_entries_of_a_key_given_twice_reach_the_walk() {
        let Yaml::Map(map) = read(0, "a: 1\nb: 2\na: 3\n").unwrap().value else { panic!() };
        let places: Vec<(&str, u32)> = map.iter().map(|(key, _)| (key.text.as_str(), key.at.line)).collect();
        assert_eq!(places, [("a", 1), ("b", 2), ("a", 3)]);
    }

    #[test]
    fn columns_count_characters_from_one() {
        let Yaml::Map(map) = read(0, "ä: { öö: 1 }\n").unwrap().value else { panic!() };
        let Yaml::Map(inner) = &map[0].1.value else { panic!() };
        assert_eq!((inner[0].0.at.column, inner[0].1.at.column), (6, 10));
    }

    #[test]
    fn a_file_without_content_is_nothing() {
        for empty in ["", "\n", "# only words\n", "---\n# only words\n"] {
            assert_eq!(read(0, empty).unwrap().value, Yaml::Nothing, "{empty:?}");
        }
    }

    #[test]
    fn what_is_not_yaml_says_where() {
        let deep = "[".repeat(40) + &"]".repeat(40);
        let table = [
            "a: [1, 2\n",
            "a: 1\n b: 2\n",
            "a: &x 1\nb: 2\n",
            "a: 1\nb: *x\n",
            "a: 1\n---\nb: 2\n",
            "a: {b\n",
            "a: \"b\n",
            "a: {<<: {b: 1}}\n",
            &deep,
        ];
        let found: Vec<String> = table
            .into_iter()
            .map(|wrong| match read(0, wrong) {
                Ok(tree) => format!("{wrong:?} is {tree:?}"),
                Err((at, message)) => format!("{}:{}: {message}", at.line, at.column),
            })
            .collect();
        insta::assert_snapshot!(found.join("\n"), @r"
        1:4: unclosed bracket '['
        2:3: mapping values are not allowed in this context
        1:7: anchors and aliases are not read; write the value where it holds
        2:4: alias references unknown anchor
        3:1: a second document begins here; a file holds one
        1:4: unclosed bracket '{'
        2:1: invalid indentation in multiline quoted scalar
        1:5: merge keys are not read; write the values where they hold
        1:33: nested deeper than 32 levels
        ");
    }
}
