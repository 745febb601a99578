//! Problems of a manifest with the lines they stand in.

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use landfall_model::diagnostic::{Diagnostic, Place, Severity};
use landfall_model::manifest::Source;

/// All problems as people read them: the line, where in it, what to do.
pub(crate) fn render(diagnostics: &[Diagnostic], sources: &[Source]) -> String {
    // The width of a terminal is its own business; a fixed one keeps transcripts the same everywhere.
    let renderer = Renderer::styled();
    let mut text = String::new();
    for diagnostic in diagnostics {
        text.push_str(&renderer.render(&[group(diagnostic, sources)]));
        text.push_str("\n\n");
    }
    text
}

/// How many errors and warnings, in words.
pub(crate) fn count(diagnostics: &[Diagnostic]) -> String {
    let errors = diagnostics.iter().filter(|one| one.severity == Severity::Error).count();
    let plural = |number: usize, word: &str| match number {
        1 => format!("1 {word}"),
        number => format!("{number} {word}s"),
    };
    match (errors, diagnostics.len() - errors) {
        (errors, 0) => plural(errors, "error"),
        (0, warnings) => plural(warnings, "warning"),
        (errors, warnings) => format!("{} and {}", plural(errors, "error"), plural(warnings, "warning")),
    }
}

fn group<'a>(diagnostic: &'a Diagnostic, sources: &'a [Source]) -> Group<'a> {
    let Diagnostic { place, severity, code, message, also, help } = diagnostic;
    let level = match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(level.primary_title(message.as_str()).id(*code));
    let here: Vec<Annotation<'_>> = also
        .iter()
        .filter(|(other, _)| other.file == place.file)
        .filter_map(|(other, what)| {
            let source = source(sources, other)?;
            Some(AnnotationKind::Context.span(span(&source.text, other)).label(what.as_str()))
        })
        .collect();
    group = match source(sources, place) {
        Some(source) => group.element(
            Snippet::source(source.text.as_str())
                .path(source.name.as_str())
                .annotation(AnnotationKind::Primary.span(span(&source.text, place)))
                .annotations(here),
        ),
        None => group.element(Origin::path(place.file.as_str())),
    };
    for (other, what) in also.iter().filter(|(other, _)| other.file != place.file) {
        if let Some(source) = source(sources, other) {
            group =
                group.element(Snippet::source(source.text.as_str()).path(source.name.as_str()).annotation(
                    AnnotationKind::Context.span(span(&source.text, other)).label(what.as_str()),
                ));
        }
    }
    match help {
        Some(help) => group.element(Level::HELP.message(help.as_str())),
        None => group,
    }
}

fn source<'a>(sources: &'a [Source], place: &Place) -> Option<&'a Source> {
    sources.iter().find(|source| source.name == place.file)
}

/// From a place to the bytes that are underlined: the word that begins there.
fn span(text: &str, place: &Place) -> std::ops::Range<usize> {
    let line = usize::try_from(place.line).unwrap_or(1).saturating_sub(1);
    let column = usize::try_from(place.column).unwrap_or(1).saturating_sub(1);
    let before: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let content = text.get(before..).unwrap_or_default().lines().next().unwrap_or_default();
    let start = content.char_indices().nth(column).map_or(content.len(), |(at, _)| at);
    let rest = content.get(start..).unwrap_or_default();
    before + start..before + start + word(rest)
}

/// How many bytes belong to the value or key that begins here.
fn word(rest: &str) -> usize {
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''));
    if let Some(quote) = quote {
        let end = rest.get(1..).and_then(|inner| inner.find(quote)).map(|at| at + 2);
        return end.unwrap_or(rest.len());
    }
    if let Some(open) = rest.chars().next().filter(|c| matches!(c, '{' | '[')) {
        // A whole list or mapping is shown by where it begins.
        return open.len_utf8();
    }
    let end = rest.find([',', '}', ']', '#']).unwrap_or(rest.len());
    let value = rest.get(..end).unwrap_or(rest);
    // A key ends at its colon, and a colon inside a value is followed by no space.
    let value = value.split(": ").next().unwrap_or(value).trim_end().trim_end_matches(':');
    value.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn underlined(text: &str, line: u32, column: u32) -> &str {
        let place = Place { file: "f".to_owned(), line, column };
        &text[span(text, &place)]
    }

    #[test]
    fn the_word_that_begins_there_is_underlined() {
        let text = "a: 1\nü: { key: \"two words\", b: arn:aws:x }\nlist:\n  - last # note\n";
        assert_eq!(underlined(text, 1, 1), "a");
        assert_eq!(underlined(text, 2, 6), "key");
        assert_eq!(underlined(text, 2, 11), "\"two words\"");
        assert_eq!(underlined(text, 2, 27), "arn:aws:x");
        assert_eq!(underlined(text, 3, 1), "list");
        assert_eq!(underlined(text, 4, 5), "last");
        assert_eq!(underlined(text, 9, 9), "", "a place that is not there underlines nothing");
    }
}
