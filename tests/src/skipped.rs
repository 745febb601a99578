//! What could not be tested here is said and counted: the harness hides what a test that passes prints.

#![expect(clippy::unwrap_used, reason = "test harness: a failure here is a failed test")]

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use crate::judges::root;

/// Where every skip of a run is noted, a line each: `tests/all` begins it anew, and reads it out at its end.
const NOTED: &str = "target/skipped";

/// Says that something is not tested, and why; the test that says it passes.
pub fn skip(what: &str, why: &str) {
    // Not by `eprintln!`, which the harness catches.
    say(&mut std::io::stderr(), &root().join(NOTED), what, why);
}

fn say(aloud: &mut dyn Write, noted: &Path, what: &str, why: &str) {
    let line = format!("{what}: {why}\n");
    let mut file = OpenOptions::new().create(true).append(true).open(noted).unwrap();
    // Whole lines: other test programs write too.
    file.write_all(line.as_bytes()).unwrap();
    aloud.write_all(format!("skipped: {line}").as_bytes()).unwrap();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_skip_is_said_and_noted() {
        let folder = tempfile::tempdir().unwrap();
        let noted = folder.path().join("skipped");
        let mut aloud = Vec::new();
        for what in ["one", "another"] {
            say(&mut aloud, &noted, what, "it is not there");
        }
        let lines = "one: it is not there\nanother: it is not there\n";
        assert_eq!(std::fs::read_to_string(noted).unwrap(), lines);
        let aloud = String::from_utf8(aloud).unwrap();
        assert_eq!(aloud, "skipped: one: it is not there\nskipped: another: it is not there\n");
    }
}
