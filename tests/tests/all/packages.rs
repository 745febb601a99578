//! What is deployed: each package has what its platform looks for, with its modes; the same sources give the same bytes; and the bill of
//! materials and the checksums are of what is in it. That the packages work is `three_functions.rs`.

use std::collections::BTreeSet;

use landfall_tests::packages::{files, fits, folder, made, package, unpacked};
use serde_json::Value;

/// Packages, and their programs.
const PROGRAMS: [(&str, &str); 3] =
    [("aws", "bootstrap"), ("azure", "landfall-function-azure"), ("gcp", "landfall-function-gcp")];

#[test]
fn each_has_what_its_platform_looks_for() {
    let beside: [(&str, &[&str]); 3] = [
        ("aws", &[]),
        // One folder a function, and what the host reads first.
        (
            "azure",
            &[
                "activity/function.json",
                "console/function.json",
                "grid/function.json",
                "host.json",
                "queue/function.json",
                "timer/function.json",
            ],
        ),
        ("gcp", &["Dockerfile"]),
    ];
    for ((cloud, program), (_, beside)) in PROGRAMS.into_iter().zip(beside) {
        let files = files(cloud);
        let names: BTreeSet<&str> = files.as_object().unwrap().keys().map(String::as_str).collect();
        let expected: BTreeSet<&str> = beside.iter().copied().chain([program]).collect();
        assert_eq!(names, expected, "{cloud}");
        for (name, file) in files.as_object().unwrap() {
            let mode = if name == program { "0o755" } else { "0o644" };
            assert_eq!((file["mode"].as_str(), file["date"].as_str()), (Some(mode), Some("1980-1-1-0-0-0")));
        }
    }
}

/// What each platform has stands beside its name in `package.py`, with where that is written.
const THERE: [(&str, &str); 3] = [("aws", "2.34"), ("azure", "2.31"), ("gcp", "2.36")];

#[test]
fn what_asks_for_a_newer_glibc_than_its_platform_has_is_not_packed() {
    for ((cloud, program), (_, there)) in PROGRAMS.into_iter().zip(THERE) {
        let binary = unpacked().join(cloud).join(program);
        let asked = fits(&binary, cloud, there).unwrap();
        let (asked, words) = asked.trim().split_once(' ').unwrap();
        assert_eq!(asked, words, "{cloud}: what is read of its sections, and what stands in it");
        // The sizes and the glibc that is needed are printed, a line each.
        let line = made().lines().find(|line| line.starts_with(&format!("landfall-{cloud}.zip"))).unwrap();
        let said = format!("needs glibc {asked} (there is {there})");
        assert!(line.contains(" bytes") && line.contains(&said), "{line}");
        // Just that one is enough, and the one before is not.
        assert!(fits(&binary, cloud, asked).is_ok());
        let (major, minor) = asked.split_once('.').unwrap();
        let before = format!("{major}.{}", minor.parse::<u32>().unwrap() - 1);
        let refused = fits(&binary, cloud, &before).unwrap_err();
        let why = format!("{program} needs glibc {asked}, and {cloud} has {before}");
        assert!(refused.contains(&why), "{refused}");
    }
}

#[test]
fn the_same_sources_are_the_same_bytes_and_no_path_of_a_machine_is_in_them() {
    made();
    let sums = std::fs::read_to_string(folder().join("SHA256SUMS")).unwrap();
    package(&["aws", "azure", "gcp"]).unwrap();
    assert_eq!(std::fs::read_to_string(folder().join("SHA256SUMS")).unwrap(), sums);
    let home = std::env::var("HOME").unwrap();
    let root = landfall_tests::judges::root();
    for (cloud, program) in PROGRAMS {
        let bytes = std::fs::read(unpacked().join(cloud).join(program)).unwrap();
        for path in [home.as_str(), root.to_str().unwrap()] {
            // A home of `/` or `/root` alone may stand in a binary for other reasons; with what cargo keeps below it, it may not.
            for below in ["/.cargo/", "/.rustup/", "/shared/", "/functions/"] {
                let there = format!("{path}{below}");
                assert!(!contains(&bytes, there.as_bytes()), "{cloud}: `{there}` is in the binary");
            }
        }
        assert!(contains(&bytes, b"/cargo/"), "{cloud}: what is there instead");
    }
}

#[test]
fn the_bill_of_materials_names_what_is_linked_and_the_checksums_are_of_these_files() {
    for (cloud, program) in PROGRAMS {
        let digest = files(cloud)[program]["sha256"].as_str().unwrap().to_owned();
        let text = std::fs::read_to_string(folder().join(format!("landfall-{cloud}.cdx.json"))).unwrap();
        let bill: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(bill["bomFormat"], "CycloneDX");
        assert_eq!(bill["metadata"]["component"]["hashes"][0]["content"], digest.as_str());
        let names: BTreeSet<&str> =
            bill["components"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
        assert!(names.contains("landfall-engine") && names.contains("ring"), "{cloud}: {names:?}");
        // Of three providers one is linked, and what only tests and desks need is not.
        let ours = format!("landfall-{cloud}");
        let linked: Vec<&str> = ["landfall-aws", "landfall-azure", "landfall-gcp"]
            .into_iter()
            .filter(|one| names.contains(one))
            .collect();
        assert_eq!(linked, [ours.as_str()]);
        assert!(!names.contains("landfall-simulator") && !names.contains("rusqlite"), "{cloud}");
        // Whoever compares finds each foreign package in Cargo.lock by this checksum.
        let foreign = bill["components"].as_array().unwrap().iter().filter(|one| one["purl"].is_string());
        assert!(foreign.into_iter().all(|one| one["hashes"][0]["content"].is_string()), "{cloud}");
    }
    let sums = std::fs::read_to_string(folder().join("SHA256SUMS")).unwrap();
    assert_eq!(sums.lines().count(), 6, "{sums}");
    for line in sums.lines() {
        let (digest, name) = line.split_once("  ").unwrap();
        let bytes = std::fs::read(folder().join(name)).unwrap();
        let found = ring::digest::digest(&ring::digest::SHA256, &bytes);
        let found: String = found.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(found, digest, "{name}");
    }
}

#[test]
fn what_is_no_cloud_is_refused() {
    let said = package(&["oracle"]).unwrap_err();
    assert!(said.contains("`oracle` is no cloud: expected aws, azure, gcp"), "{said}");
}

fn contains(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}
