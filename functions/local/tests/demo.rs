//! The demonstration, as a newcomer sees it, and the commands that it ends with.

#![expect(clippy::unwrap_used, reason = "a test; what can't be read fails it")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

fn landfall(place: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_landfall"));
    command.current_dir(place).args(words).env_clear();
    command
}

fn run(place: &Path, words: &[&str]) -> Output {
    landfall(place, words).output().unwrap()
}

/// A demo that is kept until somebody ends it.
struct Kept(Child);

impl Drop for Kept {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// What a line that can be typed says, without the program's name.
fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().skip(1).collect()
}

#[test]
fn the_demo_goes_all_the_way_in_all_clouds_and_what_it_ends_with_can_be_typed() {
    let place = tempfile::tempdir().unwrap();
    let mut demo = landfall(place.path(), &["demo", "--keep"]);
    let mut kept = Kept(demo.stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(kept.0.stdout.take().unwrap()).lines();
    let mut said = String::new();
    // The last line of a demo that is kept.
    while !said.contains("--cloud aws\n")
        && let Some(line) = lines.next()
    {
        said += &(line.unwrap() + "\n");
    }
    for part in [
        "── GATED",
        "── PLACED",
        "── VERIFIED",
        "── HANDED OVER",
        "acquired (222222222233): 0 writes",
        "old-shop (3f2c0000-0000-4000-8000-000000000008): 0 writes; its 3 resources are still there",
        "old-store: 0 writes; its network and its servers are still there",
        "born        in the management group `acme-quarantine`",
        "generation 2",
        "nothing is missing, doubled or altered",
        "9 of 9 targets",
        "35 targets, ",
    ] {
        assert!(said.contains(part), "`{part}` is not in:\n{said}");
    }
    // Once for each cloud.
    for part in ["── HANDED OVER", "the same event once more, as clouds do: 0 writes"] {
        assert_eq!(said.matches(part).count(), 3, "`{part}`:\n{said}");
    }
    let (_, drift) = said.split_once("A day later").unwrap();
    for repaired in [
        "+ password-policy/account",
        "+ block-public-storage/account",
        "~ block-public-snapshots@eu-central-1",
        "+ security-contacts/default",
        "+ audit-log/subscription",
        "~ placement/subscription",
        "+ security-contacts/project",
        "~ tags/project",
        "~ placement/project",
    ] {
        assert!(drift.contains(repaired), "`{repaired}` is not in:\n{drift}");
    }

    let (_, next) = said.split_once("Go on with\n").unwrap();
    let (next, there) = next.split_once("\n\n").unwrap();
    let mut typed = 0;
    for line in next.lines().filter(|line| !line.contains(" demo --keep")) {
        let output = run(place.path(), &words(line));
        assert!(matches!(output.status.code(), Some(0 | 2)), "{line}: {output:?}");
        typed += 1;
    }
    assert_eq!(typed, 7, "{next}");
    // What is kept is there, and repaired: only what has to be asked for is left.
    let environment: Vec<(&str, &str)> = there
        .lines()
        .filter_map(|line| line.trim().strip_prefix("export "))
        .flat_map(|line| line.split_whitespace().filter_map(|pair| pair.split_once('=')))
        .collect();
    let plans: Vec<&str> = there.lines().filter(|line| line.contains(" plan ")).collect();
    assert_eq!(plans.len(), 3, "{there}");
    for line in plans {
        let output = landfall(place.path(), &words(line)).envs(environment.clone()).output().unwrap();
        let plan = String::from_utf8(output.stdout).unwrap();
        assert!(
            plan.contains("0 changes to make"),
            "{line}: {plan}{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    // Who ends what was kept ends a demo that went well.
    let pid = kept.0.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert_eq!(kept.0.wait().unwrap().code(), Some(0));
}

#[test]
fn a_demo_takes_the_place_of_nothing_but_an_earlier_one() {
    let place = tempfile::tempdir().unwrap();
    std::fs::create_dir(place.path().join("mine")).unwrap();
    std::fs::write(place.path().join("mine/notes"), "keep").unwrap();
    let refused = run(place.path(), &["demo", "--dir", "mine"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(place.path().join("mine/notes").exists());
}
