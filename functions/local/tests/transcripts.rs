//! The command line as people meet it: each folder of `cases/` is a transcript.
//!
//! `args` has one command a line; `in/` is copied to an empty folder in which they run, one after the other; `expected` is what they
//! print, to standard output and to standard error, and how they end. What differs from run to run is written as `<key>`,
//! `<digest>`, `<short>` and `<time>`; `$KEYS` is what the last `keygen` printed. `NAME=value` in front of a command is its
//! environment. `LANDFALL_BLESS=1` writes what was printed as expected.

#![expect(clippy::unwrap_used, reason = "a test; what can't be read fails it")]

use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn every_transcript_is_as_expected() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let bless = std::env::var_os("LANDFALL_BLESS").is_some();
    let mut folders: Vec<_> = fs::read_dir(cases).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    assert!(!folders.is_empty());
    let mut wrong = Vec::new();
    for folder in folders {
        let said = play(&folder);
        let expected = folder.join("expected");
        if bless {
            fs::write(&expected, &said).unwrap();
        } else if fs::read_to_string(&expected).unwrap_or_default() != said {
            wrong.push(format!("{}\n{said}", folder.display()));
        }
    }
    assert!(wrong.is_empty(), "not as expected (LANDFALL_BLESS=1 accepts it):\n\n{}", wrong.join("\n\n"));
}

fn play(case: &Path) -> String {
    let place = tempfile::tempdir().unwrap();
    if case.join("in").is_dir() {
        copy(&case.join("in"), place.path());
    }
    let mut said = String::new();
    let mut keys = String::new();
    for line in fs::read_to_string(case.join("args")).unwrap().lines().filter(|line| !line.is_empty()) {
        let mut words: Vec<String> =
            line.split_whitespace().map(|word| word.replace("$KEYS", &keys)).collect();
        let commands = words.iter().position(|word| !word.contains('=')).unwrap();
        let environment: Vec<String> = words.drain(..commands).collect();
        let mut command = Command::new(env!("CARGO_BIN_EXE_landfall"));
        command
            .current_dir(place.path())
            .args(&words)
            .env_clear()
            .envs(environment.iter().map(|pair| pair.split_once('=').unwrap()));
        let output = command.output().unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        if words.first().is_some_and(|word| word == "keygen") && output.status.success() {
            stdout.trim().clone_into(&mut keys);
        }
        said.push_str(&format!("$ {line}\n{}", steady(&stdout)));
        if !stderr.is_empty() {
            said.push_str(&format!("-- standard error\n{}", steady(&stderr)));
        }
        said.push_str(&format!("-- exit {}\n\n", output.status.code().unwrap()));
    }
    said
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            fs::create_dir(&to).unwrap();
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// The text without what differs from run to run.
fn steady(text: &str) -> String {
    let hex = |word: &str| word.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let mut steady = String::new();
    for line in text.split_inclusive('\n') {
        let mut rest = line;
        while let Some(start) = rest.find(|c: char| c.is_ascii_alphanumeric()) {
            let (gap, word) = rest.split_at(start);
            let end = word.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(word.len());
            let (word, tail) = word.split_at(end);
            steady.push_str(gap);
            rest = tail;
            if word.len() == 64 && hex(word) {
                steady.push_str("<digest>");
            } else if word.len() == 16 && hex(word) {
                steady.push_str("<key>");
                // The key itself follows its name.
                if let Some(after) = tail.strip_prefix('=')
                    && let Some(end) = after.find('=')
                {
                    rest = &after[end + 1..];
                }
            } else if word.len() == 12 && hex(word) && word.bytes().any(|b| b.is_ascii_alphabetic()) {
                steady.push_str("<short>");
            } else {
                steady.push_str(word);
            }
        }
        steady.push_str(rest);
    }
    times(&steady)
}

/// Moments of this year and the next; the far ones are somebody's argument.
fn times(text: &str) -> String {
    let mut steady = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("202") {
        let (head, tail) = rest.split_at(at);
        steady.push_str(head);
        let end = tail.find('Z').map_or(0, |end| end + 1);
        let moment = tail.get(..end).filter(|moment| is_moment(moment));
        steady.push_str(moment.map_or("202", |_| "<time>"));
        rest = &tail[moment.map_or(3, str::len)..];
    }
    steady + rest
}

/// To the minute, the second or further, as people read it or as machines do.
fn is_moment(text: &str) -> bool {
    let like = "2026-01-01 00:00";
    let near = text.starts_with("2026") || text.starts_with("2027");
    let (begin, more) = text.split_at_checked(like.len()).unwrap_or_default();
    let fits =
        |(is, like): (char, char)| if like.is_ascii_digit() { is.is_ascii_digit() } else { is == like };
    near && begin.replacen('T', " ", 1).chars().zip(like.chars()).all(fits)
        && !begin.is_empty()
        && more.chars().all(|c| c.is_ascii_digit() || ":.Z".contains(c))
}
