//! What the templates of `infra/` grant is what the code declares: the union over the whole catalog, since a template does not know a
//! manifest. `LANDFALL_BLESS=1 cargo test -p landfall-tests --test all permissions::` writes the lists anew.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test harness: a failure here is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use landfall_aws::permissions::{NARROWED, linked_services, of_the_organization};
use landfall_engine::permissions::{Needed, Needer, Purpose, whole_catalog};
use landfall_gcp::permissions::{held, predefined};
use landfall_tests::judges::root;
use serde_json::Value;

/// A file of `infra/` has to read like this.
fn reads(path: &PathBuf, expected: &str) {
    if std::env::var_os("LANDFALL_BLESS").is_some() {
        std::fs::write(path, expected).unwrap();
        return;
    }
    let found = std::fs::read_to_string(path).unwrap();
    let differs = |(found, expected): &(&str, &str)| found != expected;
    let first = found.lines().zip(expected.lines()).find(differs);
    assert!(
        found == expected,
        "{} is not what the code declares (LANDFALL_BLESS=1 writes it): {first:?}",
        path.display()
    );
}

/// The files of a folder of `infra/` with this ending.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let folder = root().join("infra").join(folder);
    let all = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        all.filter(|path| path.extension().is_some_and(|found| found == ending)).collect();
    files.sort();
    files
}

fn names(needed: &Needed) -> BTreeSet<&'static str> {
    needed.permissions().collect()
}

/// A managed policy holds so many characters, white space not counted: IAM user guide, "IAM and AWS STS quotas".
const POLICY: usize = 6_144;

/// The list that stands between `# permissions: NAME (generated)` and `# permissions: end`. The role to write with holds the policy to read
/// with as well, so that lists to write have only what those to read have not.
fn aws_list(name: &str) -> BTreeSet<&'static str> {
    let of = |purpose| landfall_aws::permissions::needed(purpose, &whole_catalog());
    let (plan, apply) = (of(Purpose::Plan), of(Purpose::Apply));
    let (read, both) = (names(&plan), names(&apply));
    let mut list = match name {
        "read" | "read of the organization" => read,
        "write" | "write of the organization" => &both - &read,
        "roles of services" => return linked_services(&apply),
        _ => panic!("no such list: {name}"),
    };
    list.retain(|permission| of_the_organization(permission) == name.ends_with("of the organization"));
    // What is narrowed to roles has statements of its own.
    list.retain(|permission| !NARROWED.contains(permission));
    list
}

#[test]
fn aws_roles_are_granted_what_the_controls_declare() {
    let mut seen = BTreeSet::new();
    for path in files("aws", "yaml") {
        let text = std::fs::read_to_string(&path).unwrap();
        let mut expected = String::new();
        let mut inside = false;
        for line in text.lines() {
            let marker = line.trim().strip_prefix("# permissions: ");
            if marker == Some("end") {
                inside = false;
            }
            if !inside {
                expected.push_str(&format!("{line}\n"));
            }
            if let Some(name) = marker.and_then(|marker| marker.strip_suffix(" (generated)")) {
                let list = aws_list(name);
                let size: usize = list.iter().map(|permission| permission.len() + 3).sum();
                assert!(size + 200 < POLICY, "{}: {name} is too long for one policy: {size}", path.display());
                let indent = line.len() - line.trim_start().len();
                for permission in list {
                    expected.push_str(&format!("{:indent$}- {permission}\n", ""));
                }
                inside = true;
                seen.insert(name.to_owned());
            }
        }
        assert!(!inside, "{}: a list has no end", path.display());
        reads(&path, &expected);
    }
    let all = ["read", "read of the organization", "roles of services", "write", "write of the organization"];
    assert_eq!(seen, all.map(str::to_owned).into(), "the lists that the templates hold");
}

#[test]
fn azure_roles_are_granted_what_the_controls_declare() {
    let path = root().join("infra/azure/directory.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let template: Value = serde_json::from_str(&text).unwrap();
    let mut expected = text;
    for (end, purpose) in [(" reader", Purpose::Plan), (" writer", Purpose::Apply)] {
        let is_role = |one: &&Value| {
            let title = one["properties"]["roleName"].as_str().unwrap_or_default();
            one["type"] == "Microsoft.Authorization/roleDefinitions" && title.contains(&format!("{{0}}{end}"))
        };
        let role = template["resources"].as_array().unwrap().iter().find(is_role);
        let role = role.unwrap_or_else(|| panic!("no role ends in `{end}`"));
        let found: Vec<&str> = role["properties"]["permissions"][0]["actions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|action| action.as_str().unwrap())
            .collect();
        let needed = landfall_azure::permissions::needed(purpose, &whole_catalog());
        let wanted: Vec<&str> = needed.permissions().collect();
        // As the file is written: a line for each, so that a change is read as one.
        let lines = |list: &[&str]| {
            let indent = " ".repeat(14);
            let lines: Vec<String> = list.iter().map(|action| format!("{indent}\"{action}\"")).collect();
            lines.join(",\n")
        };
        let (found, wanted) = (lines(&found), lines(&wanted));
        assert_eq!(expected.matches(&found).count(), 1, "the list of{end} stands otherwise in the file");
        expected = expected.replacen(&found, &wanted, 1);
    }
    reads(&path, &expected);
}

/// The custom roles hold these lists and nothing else; what no custom role can hold comes by exactly these predefined roles.
#[test]
fn google_cloud_roles_are_granted_what_the_controls_declare() {
    let needed = |purpose| landfall_gcp::permissions::needed(purpose, &whole_catalog());
    let list = |name: &str, purpose: Purpose| {
        let lines: String = held(&needed(purpose)).map(|one| format!("    \"{one}\",\n")).collect();
        format!("  {name} = [\n{lines}  ]\n")
    };
    let (read, write) = (list("read_permissions", Purpose::Plan), list("write_permissions", Purpose::Apply));
    let head = "# Generated from what the controls declare; tests/tests/all/permissions.rs writes it.\n";
    reads(&root().join("infra/gcp/permissions.tf"), &format!("{head}locals {{\n{read}\n{write}}}\n"));

    let predefined = |name: &str, on: &str| {
        let of = |purpose| {
            let roles = predefined(purpose, &needed(purpose)).into_keys().filter(|(_, place)| *place == on);
            roles.map(|(role, _)| format!("\"{role}\"")).collect::<Vec<_>>().join(", ")
        };
        let (read, write) = (of(Purpose::Plan), of(Purpose::Apply));
        format!("  {name} = {{\n    read  = [{read}]\n    write = [{write}]\n  }}\n")
    };
    let roles = std::fs::read_to_string(root().join("infra/gcp/roles.tf")).unwrap();
    for expected in [
        predefined("organization_roles", "the organization"),
        predefined("billing_roles", "the billing accounts"),
        "  for_each = { read = local.read_permissions, write = local.write_permissions }\n".to_owned(),
        "  permissions = each.value\n".to_owned(),
    ] {
        assert_eq!(roles.matches(&expected).count(), 1, "roles.tf does not say once:\n{expected}");
    }
    let all: String =
        files("gcp", "tf").iter().map(|path| std::fs::read_to_string(path).unwrap()).collect::<String>();
    assert_eq!(all.matches("resource \"google_organization_iam_custom_role\"").count(), 1, "one more role");
}

/// A line for everybody who needs something on a cloud.
fn table(needed: impl Fn(Purpose) -> Needed) -> String {
    let by_needer = |purpose| {
        let mut by: BTreeMap<Needer, BTreeSet<&'static str>> = BTreeMap::new();
        for (permission, needers) in needed(purpose).0 {
            for needer in needers {
                by.entry(needer).or_default().insert(permission);
            }
        }
        by
    };
    let look = by_needer(Purpose::Plan);
    let nothing = BTreeSet::new();
    let cell = |permissions: &BTreeSet<&str>| {
        permissions.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(" ")
    };
    let lines = by_needer(Purpose::Apply).into_iter().map(|(needer, all)| {
        let look = look.get(&needer).unwrap_or(&nothing);
        format!("| `{needer}` | {} | {} |\n", cell(look), cell(&(&all - look)))
    });
    format!("| who | to look | to write, besides |\n|---|---|---|\n{}", lines.collect::<String>())
}

#[test]
fn the_page_says_who_needs_what() {
    let all = whole_catalog();
    let head = "# What Landfall is permitted, and for what\n\n\
        Generated from what the controls declare beside their calls; `tests/tests/all/permissions.rs` writes it. This is the whole catalog, which\n\
        the templates' roles hold. For a manifest of your own, `landfall permissions --cloud … --for plan|apply` prints less, and with `--why`\n\
        this table. `directory` and `doctor` are not controls: what every run looks up, and what `landfall doctor` asks.\n";
    let page = [
        ("AWS", table(|purpose| landfall_aws::permissions::needed(purpose, &all))),
        ("Azure", table(|purpose| landfall_azure::permissions::needed(purpose, &all))),
        ("Google Cloud", table(|purpose| landfall_gcp::permissions::needed(purpose, &all))),
    ]
    .map(|(cloud, table)| format!("\n## {cloud}\n\n{table}"))
    .concat();
    reads(&root().join("infra/permissions.md"), &format!("{head}{page}"));
}

/// The operations page has the sum of it, between two comments.
#[test]
fn the_operations_page_says_how_much() {
    let all = whole_catalog();
    let line = |cloud: &str, where_given: &str, needed: &dyn Fn(Purpose) -> Needed| {
        let (look, write) = (needed(Purpose::Plan), needed(Purpose::Apply));
        let besides = &names(&write) - &names(&look);
        let needers: BTreeSet<Needer> = write.0.into_values().flatten().collect();
        format!(
            "| {cloud} | {} | {} | {} | {where_given} |\n",
            names(&look).len(),
            besides.len(),
            needers.len()
        )
    };
    let lines = [
        line("AWS", "two roles in every account, [member.yaml](aws/member.yaml)", &|purpose| {
            landfall_aws::permissions::needed(purpose, &all)
        }),
        line(
            "Azure",
            "two identities on the management group at the top, [directory.json](azure/directory.json)",
            &|purpose| landfall_azure::permissions::needed(purpose, &all),
        ),
        line(
            "Google Cloud",
            "two service accounts on the organization, [roles.tf](gcp/roles.tf)",
            &|purpose| landfall_gcp::permissions::needed(purpose, &all),
        ),
    ]
    .concat();
    let path = root().join("infra/README.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once("<!-- permissions: generated").unwrap();
    let (mark, _) = rest.split_once('\n').unwrap();
    let (_, after) = rest.split_once("<!-- permissions: end -->").unwrap();
    let head = "| cloud | permissions to look | to write, besides | controls and errands that need some | given to |\n\
        |---|---|---|---|---|\n";
    reads(
        &path,
        &format!("{before}<!-- permissions: generated{mark}\n{head}{lines}<!-- permissions: end -->{after}"),
    );
}
