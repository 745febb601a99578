//! A manifest that is right, disturbed in one thing at a time.

use super::*;

const ACME: &str = include_str!("fixtures/acme.yaml");

fn today() -> Date {
    jiff::civil::date(2026, 11, 21)
}

fn source(name: &str, text: &str) -> Source {
    Source { name: name.to_owned(), text: text.to_owned() }
}

fn shown(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_example_is_right() {
    let Parsed { manifest, diagnostics } = parse(&[source("acme.yaml", ACME)], today());
    assert_eq!(shown(&diagnostics), "");
    assert!(manifest.is_some());
}
