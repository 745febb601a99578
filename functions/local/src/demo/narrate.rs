//! The words of the demonstration, and how they stand on the page.

use crate::say::{self, DIM, HEAD, styled};

/// Longer lines break on a usual terminal.
const WIDE: usize = 100;

/// An act, and what it shows.
pub(super) fn act(number: u32, title: &str, about: &str) {
    say::line("");
    say::line(format!("{}  {}", styled(HEAD, format!("{number}  {title}")), styled(DIM, about)));
}

/// Something beside a word.
pub(super) fn fact(word: &str, text: &str) {
    say::line(format!("   {}  {text}", styled(DIM, format!("{word:<10}"))));
}

/// Something at its time.
pub(super) fn beat(time: &str, style: anstyle::Style, word: &str, text: &str) {
    say::line(format!("   {}  {} {text}", styled(DIM, format!("{time:>5}")), styled(style, format!("{word:<14}"))));
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
