//! The arrows of the architecture, as cargo sees them: who may import whom, and what must never be in a deployed function.
//!
//! The checks are functions of what cargo says, so that each is also shown a house with one wrong arrow, and has to name it.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use landfall_tests::judges::root;
use serde_json::Value;

/// Every crate of ours, and which others of ours it may import. Tests may import everything.
const ARROWS: [(&str, &[&str]); 12] = [
    ("landfall-model", &[]),
    ("landfall-engine", &["landfall-model"]),
    ("landfall-aws", &["landfall-engine", "landfall-model"]),
    ("landfall-azure", &["landfall-engine", "landfall-model"]),
    ("landfall-gcp", &["landfall-engine", "landfall-model"]),
    ("landfall-federation", &["landfall-engine", "landfall-model"]),
    ("landfall-reports", &["landfall-model"]),
    ("landfall-simulator", &[]),
    (
        "landfall-function-aws",
        &["landfall-model", "landfall-engine", "landfall-aws", "landfall-federation", "landfall-reports"],
    ),
    (
        "landfall-function-azure",
        &["landfall-model", "landfall-engine", "landfall-azure", "landfall-federation", "landfall-reports"],
    ),
    (
        "landfall-function-gcp",
        &["landfall-model", "landfall-engine", "landfall-gcp", "landfall-federation", "landfall-reports"],
    ),
    ("landfall", &EVERYTHING),
];

/// The fourth shell shows what the others deploy, and brings the simulator.
const EVERYTHING: [&str; 11] = [
    "landfall-model",
    "landfall-engine",
    "landfall-aws",
    "landfall-azure",
    "landfall-gcp",
    "landfall-federation",
    "landfall-reports",
    "landfall-simulator",
    "landfall-function-aws",
    "landfall-function-azure",
    "landfall-function-gcp",
];

/// Crates that speak to a cloud: a deployed function links exactly one.
const PROVIDERS: [&str; 3] = ["landfall-aws", "landfall-azure", "landfall-gcp"];

/// Functions that are deployed.
const DEPLOYED: [&str; 3] = ["landfall-function-aws", "landfall-function-azure", "landfall-function-gcp"];

/// What a pure crate has no use for, by the beginning of its name.
const IMPURE: [&str; 10] =
    ["tokio", "hyper", "aws-", "reqwest", "object_store", "rusqlite", "futures", "async-", "lambda", "rand"];

/// What must never be in a function: a crate, and the beginning of the versions that are meant.
const HEAVY: [(&str, &str, &str); 8] = [
    ("aws-lc-sys", "", "its first random bytes cost 40 ms at a function's start; ring's cost none"),
    ("openssl-sys", "", "TLS is rustls with ring"),
    ("native-tls", "", "TLS is rustls with ring"),
    ("aws-sdk-ec2", "", "a million generated lines"),
    ("reqwest", "", "a second HTTP client"),
    ("hyper", "0.14.", "a second HTTP stack"),
    ("rustls", "0.21.", "a second TLS stack"),
    ("landfall-simulator", "", "a simulator has no business in a deployed function"),
];

/// What is heavy elsewhere and not here: Azure's SDK and Google's crate of credentials have no HTTP client but this one.
const SPARED: [(&str, &str); 2] =
    [("landfall-function-azure", "reqwest"), ("landfall-function-gcp", "reqwest")];

/// What may lie at the top of the repository beside dot-files.
const TOP: [&str; 12] = [
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "clippy.toml",
    "deny.toml",
    "events",
    "functions",
    "infra",
    "rustfmt.toml",
    "shared",
    "tests",
];

/// A crate, and what it imports when it is built: not what only its tests import.
#[derive(Debug, Clone, Default)]
struct Crate {
    name: String,
    version: String,
    imports: BTreeSet<String>,
}

/// What cargo says of the workspace.
#[derive(Debug, Clone, Default)]
struct House {
    /// Every crate by cargo's own id.
    crates: BTreeMap<String, Crate>,
    /// The ids of ours.
    members: BTreeSet<String>,
}

impl House {
    fn of(metadata: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let list = |value: &Value| value.as_array().unwrap().clone();
        let mut house = House::default();
        for package in list(&metadata["packages"]) {
            let one = Crate {
                name: text(&package["name"]),
                version: text(&package["version"]),
                imports: BTreeSet::new(),
            };
            house.crates.insert(text(&package["id"]), one);
        }
        for node in list(&metadata["resolve"]["nodes"]) {
            let one = house.crates.get_mut(&text(&node["id"])).unwrap();
            for dependency in list(&node["deps"]) {
                let only_tests = list(&dependency["dep_kinds"]).iter().all(|kind| kind["kind"] == "dev");
                if !only_tests {
                    one.imports.insert(text(&dependency["pkg"]));
                }
            }
        }
        house.members = list(&metadata["workspace_members"]).iter().map(text).collect();
        house
    }

    fn id(&self, name: &str) -> Option<&String> {
        self.crates.iter().find(|(_, one)| one.name == name).map(|(id, _)| id)
    }

    fn ours(&self) -> Vec<&Crate> {
        self.members.iter().map(|id| &self.crates[id]).collect()
    }

    /// Everything that is built with a crate, itself included.
    fn tree(&self, name: &str) -> Vec<&Crate> {
        let mut seen = BTreeSet::new();
        let mut open: Vec<&String> = self.id(name).into_iter().collect();
        while let Some(id) = open.pop() {
            if seen.insert(id) {
                open.extend(&self.crates[id].imports);
            }
        }
        seen.into_iter().map(|id| &self.crates[id]).collect()
    }
}

/// Imports between our crates that the architecture does not draw.
fn wrong_arrows(house: &House) -> Vec<String> {
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.into_iter().collect();
    let mut wrong = Vec::new();
    for one in house.ours().into_iter().filter(|one| one.name != "landfall-tests") {
        let Some(allowed) = allowed.get(one.name.as_str()) else {
            wrong.push(format!(
                "`{}` is not in the picture: draw it in this test and in the architecture's",
                one.name
            ));
            continue;
        };
        for import in one.imports.iter().filter(|import| house.members.contains(*import)) {
            let import = &house.crates[import].name;
            if !allowed.contains(&import.as_str()) {
                wrong.push(format!("`{}` must not import `{import}`", one.name));
            }
        }
    }
    wrong
}

/// Deployed functions that link no provider, or more than one.
fn wrong_providers(house: &House) -> Vec<String> {
    let count = |function: &str| {
        house.tree(function).iter().filter(|one| PROVIDERS.contains(&one.name.as_str())).count()
    };
    DEPLOYED
        .into_iter()
        .map(|function| (function, count(function)))
        .filter(|(_, count)| *count != 1)
        .map(|(function, count)| format!("`{function}` links {count} providers, expected exactly one"))
        .collect()
}

/// What reaches into the network, the clock's tasks or the disk from a crate that decides only.
fn impure(house: &House, name: &str) -> Vec<String> {
    let tree = house.tree(name);
    assert!(!tree.is_empty(), "there is no `{name}`");
    let found = tree.iter().filter(|one| IMPURE.iter().any(|word| one.name.starts_with(word)));
    found.map(|one| format!("`{name}` is pure and pulls in `{} {}`", one.name, one.version)).collect()
}

/// What must never be in a deployed function and is.
fn heavy(house: &House, function: &str) -> Vec<String> {
    let tree = house.tree(function);
    assert!(!tree.is_empty(), "there is no `{function}`");
    let mut found = Vec::new();
    for one in tree {
        for (name, version, why) in HEAVY {
            let spared = SPARED.contains(&(function, name));
            if one.name == name && one.version.starts_with(version) && !spared {
                found.push(format!("`{function}` pulls in `{name} {}`: {why}", one.version));
            }
        }
    }
    found
}

/// What lies at the top of the repository and should not, and what should and does not.
fn wrong_top(files: &[String]) -> Vec<String> {
    let there: BTreeSet<&str> = files.iter().filter_map(|file| file.split('/').next()).collect();
    let extra = there.iter().filter(|name| !name.starts_with('.') && !TOP.contains(name));
    let missing = TOP.iter().filter(|name| !there.contains(*name));
    let extra = extra.map(|name| format!("`{name}` does not belong at the top"));
    extra.chain(missing.map(|name| format!("`{name}` is missing at the top"))).collect()
}

/// Whether a crate's manifest takes the workspace's lints.
fn takes_lints(manifest: &str) -> bool {
    let mut lines = manifest.lines().map(str::trim);
    lines.any(|line| line == "[lints]") && lines.next() == Some("workspace = true")
}

fn output(command: &mut Command) -> String {
    let output = command.current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn metadata() -> Value {
    let version = output(Command::new("rustc").arg("-vV"));
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    // Only what this machine builds is on it, so other platforms' crates are not asked for.
    let arguments = ["metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform", host];
    serde_json::from_str(&output(Command::new(cargo).args(arguments))).unwrap()
}

fn house() -> House {
    House::of(&metadata())
}

fn nothing(found: Vec<String>) {
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_arrows_are_as_drawn() {
    nothing(wrong_arrows(&house()));
}

#[test]
fn a_deployed_function_links_exactly_one_provider() {
    nothing(wrong_providers(&house()));
}

#[test]
fn the_model_pulls_in_nothing_that_reaches_out() {
    nothing(impure(&house(), "landfall-model"));
    nothing(impure(&house(), "landfall-reports"));
}

#[test]
fn a_deployed_function_carries_nothing_heavy() {
    let house = house();
    for function in DEPLOYED {
        nothing(heavy(&house, function));
    }
}

#[test]
fn the_top_of_the_repository_is_as_described() {
    let files = output(Command::new("git").args(["ls-files", "--cached"]));
    nothing(wrong_top(&files.lines().map(str::to_owned).collect::<Vec<_>>()));
}

#[test]
fn every_crate_takes_the_workspace_s_lints() {
    let metadata = metadata();
    let members = metadata["workspace_members"].as_array().unwrap();
    let mut without = Vec::new();
    for package in
        metadata["packages"].as_array().unwrap().iter().filter(|package| members.contains(&package["id"]))
    {
        let manifest = std::fs::read_to_string(package["manifest_path"].as_str().unwrap()).unwrap();
        if !takes_lints(&manifest) {
            without.push(format!("`{}` does not say `[lints] workspace = true`", package["name"]));
        }
    }
    nothing(without);
}

/// The house with one more import.
fn with(import: &str, version: &str, into: &str) -> House {
    let mut house = house();
    let id = match house.id(import) {
        Some(id) => id.clone(),
        None => {
            let one =
                Crate { name: import.to_owned(), version: version.to_owned(), imports: BTreeSet::new() };
            house.crates.insert(import.to_owned(), one);
            import.to_owned()
        }
    };
    let into = house.id(into).unwrap().clone();
    house.crates.get_mut(&into).unwrap().imports.insert(id);
    house
}

fn names(found: &[String], what: &str) {
    assert!(found.iter().any(|said| said.contains(what)), "expected `{what}`, found {found:#?}");
}

#[test]
fn a_wrong_arrow_is_named() {
    let drawn = [
        ("landfall-engine", "landfall-model"),
        ("landfall-aws", "landfall-engine"),
        ("landfall-simulator", "landfall-aws"),
        ("landfall-model", "landfall-simulator"),
        ("landfall-simulator", "landfall-function-aws"),
        ("landfall-aws", "landfall-reports"),
        ("landfall-function-aws", "landfall-aws"),
    ];
    for (import, into) in drawn {
        names(&wrong_arrows(&with(import, "0.1.0", into)), &format!("`{into}` must not import `{import}`"));
    }
    let mut house = house();
    let stranger =
        Crate { name: "landfall-utils".to_owned(), version: "0.1.0".to_owned(), imports: BTreeSet::new() };
    house.crates.insert("utils".to_owned(), stranger);
    house.members.insert("utils".to_owned());
    names(&wrong_arrows(&house), "`landfall-utils` is not in the picture");
}

#[test]
fn two_providers_in_one_function_are_named() {
    names(&wrong_providers(&with("landfall-gcp", "0.1.0", "landfall-function-aws")), "links 2 providers");
    // Not only where the function itself imports it.
    names(&wrong_providers(&with("landfall-azure", "0.1.0", "landfall-engine")), "links 2 providers");
}

#[test]
fn an_impure_model_is_named() {
    for import in ["tokio", "hyper", "aws-types"] {
        names(
            &impure(&with(import, "1.0.0", "landfall-model"), "landfall-model"),
            &format!("pulls in `{import} "),
        );
    }
    // However deep it lies.
    names(&impure(&with("tokio", "1.0.0", "jiff"), "landfall-model"), "pulls in `tokio ");
}

#[test]
fn a_heavy_function_is_named() {
    for (name, version, _) in HEAVY {
        let mut house = house();
        let fake = Crate { name: name.to_owned(), version: format!("{version}1"), imports: BTreeSet::new() };
        house.crates.insert("fake".to_owned(), fake);
        let into = house.id("landfall-engine").unwrap().clone();
        house.crates.get_mut(&into).unwrap().imports.insert("fake".to_owned());
        names(&heavy(&house, "landfall-function-aws"), &format!("pulls in `{name} "));
    }
}

#[test]
fn what_only_tests_import_is_no_arrow() {
    let metadata = serde_json::json!({
        "packages": [
            {"id": "m", "name": "landfall-model", "version": "0.1.0"},
            {"id": "s", "name": "landfall-simulator", "version": "0.1.0"},
        ],
        "resolve": {"nodes": [
            {"id": "m", "deps": [{"pkg": "s", "dep_kinds": [{"kind": "dev", "target": null}]}]},
            {"id": "s", "deps": []},
        ]},
        "workspace_members": ["m", "s"],
    });
    nothing(wrong_arrows(&House::of(&metadata)));
    let imported = metadata.to_string().replace("\"dev\"", "null");
    names(&wrong_arrows(&House::of(&serde_json::from_str(&imported).unwrap())), "must not import");
}

#[test]
fn a_stranger_at_the_top_and_a_missing_file_are_named() {
    let mut files: Vec<String> = TOP.iter().map(|name| (*name).to_owned()).collect();
    files.extend([".gitignore".to_owned(), "scripts/release.sh".to_owned()]);
    files.retain(|name| name != "LICENSE");
    assert_eq!(
        wrong_top(&files),
        ["`scripts` does not belong at the top", "`LICENSE` is missing at the top"]
    );
}

#[test]
fn a_manifest_without_the_lints_is_seen() {
    assert!(takes_lints("[package]\nname = \"a\"\n\n[lints]\nworkspace = true\n"));
    for manifest in [
        "[package]\nname = \"a\"\n",
        "[lints]\n",
        "[lints]\nworkspace = false\n",
        "[lints.rust]\nworkspace = true\n",
    ] {
        assert!(!takes_lints(manifest), "{manifest}");
    }
}
