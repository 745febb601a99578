//! Google's own client drives the simulator of its APIs, by its own discovery documents, and gets what it expects.
//!
//! There is no other emulator to compare it with: what its answers may hold, the documents say; which refusals there are, Google's pages.

use std::collections::BTreeMap;

use landfall_simulator::gcp::{GcpOptions, GcpSimulator};
use landfall_tests::judges::python;
use serde_json::Value;

/// What the script gets wrong on purpose, as the judge of requests says it.
const ON_PURPOSE: [&str; 0] = [];

#[test]
fn googles_own_client_gets_what_it_expects() {
    let simulator = GcpSimulator::start(GcpOptions { projects: 4, ..GcpOptions::default() }).unwrap();
    let verdict = python("drive_gcp.py", &[&simulator.url()], "");
    let lines: Vec<Value> = verdict.said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (last, steps) = lines.split_last().unwrap_or_else(|| panic!("{}", verdict.complained));
    let surprises: Vec<String> =
        steps.iter().filter(|step| step.get("expected").is_some()).map(ToString::to_string).collect();
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
    assert!(verdict.content, "{}", verdict.complained);

    // Raw answers have nothing that the documents do not know, and what Google's own client sends is right by the judge of requests.
    let wrong: Vec<String> = steps
        .iter()
        .filter_map(|step| Some((step["step"].as_str()?, step.get("wrong")?.as_array()?)))
        .flat_map(|(step, wrong)| wrong.iter().map(move |problem| format!("{step}: {problem}")))
        .filter(|problem| !ON_PURPOSE.iter().any(|known| problem.contains(known)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let judged: BTreeMap<String, u64> = serde_json::from_value(last["judged"].clone()).unwrap();
    println!(
        "{} steps; {} answers of {} operations were judged",
        steps.len(),
        judged.values().sum::<u64>(),
        judged.len()
    );
    assert!(judged.len() > 40, "{judged:#?}");
}
