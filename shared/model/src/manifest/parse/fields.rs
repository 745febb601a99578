//! Taking values out of the tree: each verb returns what it found, or adds the problem and returns nothing.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::str::FromStr;

use super::problems::{Problem, Problems};
use crate::diagnostic::{Code, code};
use crate::id::{IdError, Name};
use crate::manifest::yaml::{At, Key, Node, Yaml, quote};

/// The fields of a mapping, taken out one by one; what is left in the end is unknown.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    at: At,
    /// The mapping was no mapping; nothing is missing from it then.
    broken: bool,
    rest: Vec<(&'a Key, &'a Node)>,
    known: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(node: &'a Node, problems: &mut Problems) -> Self {
        let entries = entries(node, problems);
        Fields {
            at: node.at,
            broken: entries.is_none(),
            rest: entries.unwrap_or_default(),
            known: Vec::new(),
        }
    }

    /// The value of a key, if it is there.
    pub(crate) fn take(&mut self, key: &'static str) -> Option<&'a Node> {
        self.entry(key).map(|(_, node)| node)
    }

    /// A key and its value, if it is there.
    pub(crate) fn entry(&mut self, key: &'static str) -> Option<(&'a Key, &'a Node)> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        let index = self.rest.iter().position(|(found, _)| found.text == key)?;
        Some(self.rest.remove(index))
    }

    /// The value of a key that must be there.
    pub(crate) fn need(&mut self, key: &'static str, problems: &mut Problems) -> Option<&'a Node> {
        let node = self.take(key);
        if node.is_none() && !self.broken {
            problems.add(Problem::new(code::MISSING_KEY, self.at, format!("`{key}` is missing here")));
        }
        node
    }

    /// From here on nothing is missing: an error that is told already explains it.
    pub(crate) const fn forgive(&mut self) {
        self.broken = true;
    }

    /// Takes every key that the test is true of.
    pub(crate) fn take_where(&mut self, mut test: impl FnMut(&str) -> bool) -> Vec<(&'a Key, &'a Node)> {
        let (taken, rest) = self.rest.drain(..).partition(|(key, _)| test(&key.text));
        self.rest = rest;
        taken
    }

    /// Whether there is nothing to take from.
    pub(crate) const fn broken(&self) -> bool {
        self.broken
    }

    /// Where the mapping stands.
    pub(crate) const fn at(&self) -> At {
        self.at
    }

    /// What nobody took is unknown.
    pub(crate) fn end(self, problems: &mut Problems) {
        for (key, _) in &self.rest {
            let problem =
                Problem::new(code::UNKNOWN_KEY, key.at, format!("{} has no meaning here", quote(&key.text)));
            problems.add(problem.near(&key.text, self.known.iter().copied()));
        }
    }
}

/// The entries of a mapping whose keys people choose. Nothing counts as empty; of a key given twice the first counts.
pub(crate) fn entries<'a>(node: &'a Node, problems: &mut Problems) -> Option<Vec<(&'a Key, &'a Node)>> {
    match &node.value {
        Yaml::Nothing => Some(Vec::new()),
        Yaml::Map(map) => {
            let mut first: BTreeMap<&str, At> = BTreeMap::new();
            let mut entries = Vec::new();
            for (key, value) in map {
                match first.get(key.text.as_str()) {
                    None => {
                        first.insert(&key.text, key.at);
                        entries.push((key, value));
                    }
                    Some(at) => {
                        let message = format!("{} is given twice", quote(&key.text));
                        let problem = Problem::new(code::DUPLICATE_KEY, key.at, message);
                        problems.add(problem.also(*at, "first given here"));
                    }
                }
            }
            Some(entries)
        }
        Yaml::Switch(_) | Yaml::Whole(_) | Yaml::Number(_) | Yaml::Text { .. } | Yaml::List(_) => {
            wrong_type(node, "a mapping", problems);
            None
        }
    }
}

/// The items of a list; nothing counts as empty.
pub(crate) fn items<'a>(node: &'a Node, what: &str, problems: &mut Problems) -> Option<&'a [Node]> {
    match &node.value {
        Yaml::Nothing => Some(&[]),
        Yaml::List(list) => Some(list),
        Yaml::Switch(_) | Yaml::Whole(_) | Yaml::Number(_) | Yaml::Text { .. } | Yaml::Map(_) => {
            wrong_type(node, what, problems);
            None
        }
    }
}

/// Items in which order and repetition mean nothing: sorted; a repetition is worth a warning.
pub(crate) fn set<'a, T: Ord>(
    node: &'a Node,
    what: &str,
    problems: &mut Problems,
    mut item: impl FnMut(&'a Node, &mut Problems) -> Option<T>,
) -> Option<Vec<T>> {
    let mut found: BTreeMap<T, At> = BTreeMap::new();
    for node in items(node, what, problems)? {
        let Some(value) = item(node, problems) else { continue };
        match found.get(&value) {
            None => {
                found.insert(value, node.at);
            }
            Some(first) => problems.add(
                Problem::new(code::LISTED_TWICE, node.at, format!("{} is listed twice", node.found()))
                    .also(*first, "first listed here"),
            ),
        }
    }
    Some(found.into_keys().collect())
}

pub(crate) fn wrong_type(node: &Node, expected: &str, problems: &mut Problems) {
    let problem =
        Problem::new(code::WRONG_TYPE, node.at, format!("expected {expected}, found {}", node.found()));
    let scalar = matches!(node.value, Yaml::Switch(_) | Yaml::Whole(_) | Yaml::Number(_));
    problems.add(if scalar && expected.contains("text") {
        problem.help("put it in quotes")
    } else {
        problem
    });
}

/// A text that is not empty.
pub(crate) fn text<'a>(node: &'a Node, problems: &mut Problems) -> Option<&'a str> {
    match &node.value {
        Yaml::Text { text, .. } if text.trim().is_empty() => {
            problems.add(Problem::new(code::EMPTY, node.at, "the text is empty"));
            None
        }
        Yaml::Text { text, .. } => Some(text),
        Yaml::Nothing | Yaml::Switch(_) | Yaml::Whole(_) | Yaml::Number(_) | Yaml::List(_) | Yaml::Map(_) => {
            wrong_type(node, "text", problems);
            None
        }
    }
}

/// The text of an id, which YAML must not have read as a number.
pub(crate) fn id<'a>(node: &'a Node, problems: &mut Problems) -> Option<&'a str> {
    let number = match &node.value {
        Yaml::Whole(_) | Yaml::Number(_) => true,
        Yaml::Text { text, plain } => *plain && !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()),
        Yaml::Nothing | Yaml::Switch(_) | Yaml::List(_) | Yaml::Map(_) => false,
    };
    if number {
        let problem = Problem::new(code::NUMBER_AS_ID, node.at, "an id is written as a number");
        problems.add(problem.help("put it in quotes: YAML readers drop a number's leading zeros"));
        return None;
    }
    text(node, problems)
}

/// The text of an id in the form its cloud gives it.
pub(crate) fn native_id(
    node: &Node,
    expected: &str,
    problems: &mut Problems,
    right: impl Fn(&str) -> bool,
) -> Option<String> {
    let text = id(node, problems)?;
    if right(text) {
        return Some(text.to_owned());
    }
    problems.add(Problem::new(code::MALFORMED_ID, node.at, format!("{} is not {expected}", quote(text))));
    None
}

/// A text that parses as one of our own types.
pub(crate) fn parsed<T: FromStr<Err = IdError>>(
    node: &Node,
    code: Code,
    problems: &mut Problems,
) -> Option<T> {
    parse(text(node, problems)?, node.at, code, problems)
}

/// A name.
pub(crate) fn name(text: &str, at: At, problems: &mut Problems) -> Option<Name> {
    parse(text, at, code::BAD_NAME, problems)
}

fn parse<T: FromStr<Err = IdError>>(text: &str, at: At, code: Code, problems: &mut Problems) -> Option<T> {
    match text.parse() {
        Ok(parsed) => Some(parsed),
        Err(IdError { found, expected }) => {
            problems.add(Problem::new(code, at, format!("{} is not {expected}", quote(&found))));
            None
        }
    }
}

/// A whole number within bounds.
pub(crate) fn whole(node: &Node, bounds: RangeInclusive<u32>, problems: &mut Problems) -> Option<u32> {
    let (least, most) = (*bounds.start(), *bounds.end());
    let expected = if most == u32::MAX {
        format!("a whole number of at least {least}")
    } else {
        format!("a whole number from {least} to {most}")
    };
    match &node.value {
        Yaml::Whole(number) => match u32::try_from(*number) {
            Ok(number) if bounds.contains(&number) => Some(number),
            Ok(_) | Err(_) => {
                let message = format!("expected {expected}, found {number}");
                problems.add(Problem::new(code::WRONG_VALUE, node.at, message));
                None
            }
        },
        Yaml::Nothing
        | Yaml::Switch(_)
        | Yaml::Number(_)
        | Yaml::Text { .. }
        | Yaml::List(_)
        | Yaml::Map(_) => {
            wrong_type(node, &expected, problems);
            None
        }
    }
}

/// One of a few words.
pub(crate) fn word<T: Copy>(node: &Node, words: &[(&'static str, T)], problems: &mut Problems) -> Option<T> {
    let text = text(node, problems)?;
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    if found.is_none() {
        let problem =
            Problem::new(code::WRONG_VALUE, node.at, format!("{} has no meaning here", quote(text)));
        problems.add(problem.near(text, words.iter().map(|(word, _)| *word)));
    }
    found
}
