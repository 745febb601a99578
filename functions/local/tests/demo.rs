//! The demonstration, as a newcomer sees it, and the commands that it ends with.

#![expect(clippy::unwrap_used, reason = "a test; what can't be read fails it")]

use std::process::{Command, Output};

fn landfall(place: &std::path::Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_landfall")).current_dir(place).args(words).env_clear().output().unwrap()
}

#[test]
fn the_demo_goes_all_the_way_and_what_it_ends_with_can_be_typed() {
    let place = tempfile::tempdir().unwrap();
    let output = landfall(place.path(), &["demo"]);
    let said = String::from_utf8(output.stdout).unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}{err}");
    for part in [
        "── GATED",
        "── PLACED",
        "── VERIFIED",
        "── HANDED OVER",
        "acquired (222222222233): 0 writes",
        "the same event once more, as clouds do: 0 writes",
        "generation 2",
        "nothing is missing, doubled or altered",
    ] {
        assert!(said.contains(part), "`{part}` is not in:\n{said}");
    }
    let (_, drift) = said.split_once("A day later").unwrap();
    for repaired in [
        "+ password-policy/account",
        "+ block-public-storage/account",
        "~ block-public-snapshots@eu-central-1",
    ] {
        assert!(drift.contains(repaired), "`{repaired}` is not in:\n{drift}");
    }
    let (_, next) = said.split_once("Go on with\n").unwrap();
    for line in next.lines().filter(|line| !line.contains("demo")) {
        let words: Vec<&str> = line.split_whitespace().skip(1).collect();
        let code = landfall(place.path(), &words).status.code();
        assert!(matches!(code, Some(0 | 2)), "{line}: {code:?}");
    }
    // A second demo takes the place of the first, and of nothing else.
    std::fs::create_dir(place.path().join("mine")).unwrap();
    std::fs::write(place.path().join("mine/notes"), "keep").unwrap();
    let refused = landfall(place.path(), &["demo", "--dir", "mine"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(place.path().join("mine/notes").exists());
}
