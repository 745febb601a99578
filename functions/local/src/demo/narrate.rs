//! The words of the demonstration, and how they stand on the page.

use landfall_model::plan::{Change, Deed};
use landfall_reports::inert::inert;
use serde_json::Value;

use crate::say::{self, DIM, HEAD, styled};

/// Longer lines break on a usual terminal.
const WIDE: usize = 100;

/// An act, and what it shows.
pub(super) fn act(number: u32, title: &str, about: &str) {
    say::line("");
    say::line(format!("{}  {}", styled(HEAD, format!("{number}  {title}")), styled(DIM, about)));
}

/// Which cloud the next lines are about, and what happens there.
pub(super) fn cloud(name: &str, what: &str) {
    say::line(format!("   {}  {}", styled(HEAD, format!("on {name}")), styled(DIM, what)));
}

/// Something beside a word.
pub(super) fn fact(word: &str, text: &str) {
    say::line(format!("   {}  {text}", styled(DIM, format!("{word:<10}"))));
}

/// Something at its time.
pub(super) fn beat(time: &str, style: anstyle::Style, word: &str, text: &str) {
    say::line(format!(
        "   {}  {} {text}",
        styled(DIM, format!("{time:>5}")),
        styled(style, format!("{word:<15}"))
    ));
}

/// A target, and what was found in it.
pub(super) fn step(who: &str, found: &str) {
    say::line(format!("   {who:<32} {found}"));
}

/// What was done to it.
pub(super) fn detail(text: &str) {
    say::line(format!("     {text}"));
}

/// A text that fits on one line.
pub(super) fn cut(text: &str) -> String {
    if text.chars().count() <= WIDE {
        return text.to_owned();
    }
    let head: String = text.chars().take(WIDE - 1).collect();
    format!("{head}…")
}

/// A change in few words: the sign, the setting, what differs where that is short, and why.
pub(super) fn brief(change: &Change) -> String {
    let differs = match (&change.before, &change.after, change.deed) {
        (Some(Value::Object(before)), Some(Value::Object(after)), Deed::Update) => {
            let mut fields = after.iter().filter(|(key, value)| before.get(*key) != Some(value));
            match (fields.next(), fields.next()) {
                (Some((key, value)), None) => scalar(before.get(key)).zip(scalar(Some(value))),
                _ => None,
            }
        }
        _ => None,
    };
    let differs = differs.map(|(before, after)| format!("{before} -> {after}: ")).unwrap_or_default();
    cut(&format!("{} {}  {differs}{}", change.deed.sign(), change.address, inert(&change.reason)))
}

/// A value that fits into a sentence.
fn scalar(value: Option<&Value>) -> Option<String> {
    const SHORT: usize = 20;
    let text = match value? {
        Value::String(text) => inert(text),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    (text.len() <= SHORT).then_some(text)
}
