//! The only place that prints: answers on standard output, everything else on standard error.
//!
//! Colours are for terminals: they are taken out where the stream is none, and where `NO_COLOR` is set. A reader who has gone
//! away is no error.

use std::fmt::Display;
use std::io::Write as _;

use anstyle::{AnsiColor, Style};
use serde::Serialize;

/// Right, made, done.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// Wrong, refused, taken away.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// Changed, or not known.
pub(crate) const CARE: Style = AnsiColor::Yellow.on_default();
/// What a line is about.
pub(crate) const HEAD: Style = Style::new().bold();
/// Beside the matter.
pub(crate) const DIM: Style = Style::new().dimmed();

/// A text in a style.
pub(crate) fn styled(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// A line of the answer.
pub(crate) fn line(text: impl Display) {
    writeln!(anstream::stdout(), "{text}").ok();
}

/// Lines of the answer as `landfall_reports` writes them, with the colours that their first words stand for.
pub(crate) fn text(text: &str) {
    let mut out = anstream::stdout().lock();
    for one in text.lines() {
        if writeln!(out, "{}", paint(one)).is_err() {
            return;
        }
    }
}

/// The answer for programs.
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    line(serde_json::to_string_pretty(value)?);
    Ok(())
}

/// A line beside the answer.
pub(crate) fn note(text: impl Display) {
    writeln!(anstream::stderr(), "{text}").ok();
}

/// What went wrong, and why, each cause on a line of its own.
pub(crate) fn error(error: &anyhow::Error) {
    let mut out = anstream::stderr().lock();
    let mut text = format!("{BAD}error{BAD:#}: {}", landfall_reports::inert::inert(&error.to_string()));
    for cause in error.chain().skip(1) {
        text.push_str(&format!("\n  because {}", landfall_reports::inert::inert(&cause.to_string())));
    }
    writeln!(out, "{text}").ok();
}

/// Colours for the first words of a line of a plan, a report or a table.
fn paint(line: &str) -> String {
    let start = line.len() - line.trim_start().len();
    let (indent, rest) = line.split_at_checked(start).unwrap_or(("", line));
    let word = rest.split(' ').next().unwrap_or_default();
    let style = match word {
        "+" | "pass" | "ok" => GOOD,
        "~" | "unknown" | "note:" | "warning" => CARE,
        "-" | "!" | "fail" | "FAIL" | "refused:" | "REFUSED:" => BAD,
        "gate" | "foundation" | "baseline" | "place" | "handover" | "open" if rest == word => DIM,
        _ => return line.to_owned(),
    };
    let tail = rest.strip_prefix(word).unwrap_or_default();
    format!("{indent}{}{tail}", styled(style, word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_sign_of_a_line_is_coloured() {
        assert_eq!(paint("    + a/b  (new)"), format!("    {GOOD}+{GOOD:#} a/b  (new)"));
        assert_eq!(paint("aws/222222222222"), "aws/222222222222");
        assert_eq!(paint("  gate"), format!("  {DIM}gate{DIM:#}"));
        assert_eq!(paint("  gate of heaven"), "  gate of heaven");
    }
}
