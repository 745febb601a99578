//! Inheritance tightens: each row is a tree, and what must hold at its lowest place.

use serde_json::json;

use super::*;
use crate::manifest::Source;
use crate::manifest::parse::parse;

const HEAD: &str = r#"
landfall: 1
organization: acme
clouds:
  aws: { organization: o-a1b2c3d4e5, management-account: "111111111111", home-region: eu-central-1, regions: [eu-central-1] }
teams: { a-team: {} }
"#;

fn manifest(rest: &str) -> Manifest {
    let source = Source { name: "org.yaml".to_owned(), text: format!("{HEAD}{rest}") };
    let parsed = parse(&[source], jiff::civil::date(2026, 11, 21));
    let said: Vec<String> = parsed.diagnostics.iter().map(ToString::to_string).collect();
    parsed.manifest.unwrap_or_else(|| panic!("{}", said.join("\n")))
}

/// Two levels of units that ask for one control each, and a tenant below.
fn two_levels(control: &str, upper: &str, lower: &str) -> String {
    format!(
        "controls:
  upper: {{ control: {control}, with: {upper} }}
  lower: {{ control: {control}, with: {lower} }}
units:
  top: {{ controls: [upper], units: {{ below: {{ controls: [lower] }} }} }}
"
    )
}

fn below() -> UnitPath {
    "top/below".parse().unwrap()
}

#[test]
fn a_lower_level_tightens_what_a_higher_one_asks() {
    let table = [
        ("password-policy", "{ minimum-length: 14 }", "{ minimum-length: 20 }", "minimum-length", json!(20)),
        ("password-policy", "{ max-age: 365 }", "{ max-age: 90 }", "max-age", json!(90)),
        ("password-policy", "{ max-age: 365 }", "{}", "max-age", json!(365)),
        ("password-policy", "{}", "{ max-age: 365 }", "max-age", json!(365)),
        (
            "block-public-snapshots",
            "{ also-existing: false }",
            "{ also-existing: true }",
            "also-existing",
            json!(true),
        ),
        ("allowed-regions", "{ aws: [a, b, c] }", "{ aws: [b, a] }", "aws", json!(["a", "b"])),
        ("denied-services", "{ aws: [b] }", "{ aws: [a] }", "aws", json!(["a", "b"])),
        ("account-alias", "{ alias: one }", "{ alias: two }", "alias", json!("two")),
    ];
    for (control, upper, lower, parameter, expected) in table {
        let kind: ControlKind = control.parse().unwrap();
        let askings = manifest(&two_levels(control, upper, lower)).askings_at(&below());
        assert_eq!(askings[&kind].with[parameter], expected, "{control} {upper} {lower}");
    }
}

#[test]
fn what_nobody_says_is_the_catalog_s_default() {
    let manifest = manifest(&two_levels("password-policy", "{ minimum-length: 20 }", "{}"));
    let asking = &manifest.askings_at(&below())[&ControlKind::PasswordPolicy];
    assert_eq!(asking.with["reuse-prevention"], json!(24));
    assert_eq!(asking.with.get("max-age"), None, "there is no default");
    assert_eq!(asking.value()["minimum-length"], json!(20));
}

#[test]
fn a_higher_level_knows_nothing_of_a_lower_one() {
    let manifest =
        manifest(&two_levels("password-policy", "{ minimum-length: 14 }", "{ minimum-length: 20 }"));
    let asking = &manifest.askings_at(&"top".parse().unwrap())[&ControlKind::PasswordPolicy];
    assert_eq!(asking.with["minimum-length"], json!(14));
    assert_eq!(asking.sources, ["unit top"]);
}

#[test]
fn two_controls_of_one_level_join_to_the_stricter() {
    let manifest = manifest(
        "controls:
  one: { control: allowed-regions, with: { aws: [a, b] } }
  two: { control: allowed-regions, with: { aws: [b, c] } }
units: { top: { controls: [one, two] } }
",
    );
    let asking = &manifest.askings_at(&"top".parse().unwrap())[&ControlKind::AllowedRegions];
    assert_eq!(asking.with["aws"], json!(["b"]));
    assert_eq!(asking.names.iter().map(Name::as_str).collect::<Vec<_>>(), ["one", "two"]);
}

const WHOLE: &str = r#"
controls:
  base: { control: password-policy, with: { minimum-length: 14 }, satisfies: [b/2, a/1], mode: detect }
  strict: { control: password-policy, with: { minimum-length: 20 }, satisfies: [a/1, c/3] }
  look: { control: root-mfa }
landing-zones:
  standard: { version: 3, controls: [base] }
  regulated: { version: 1, extends: standard, controls: [look] }
  vault: { version: 2, extends: regulated }
units:
  top: { landing-zone: standard, controls: [strict], units: { below: { landing-zone: regulated } } }
projects:
  p:
    team: a-team
    tenants:
      - aws: "222222222222"
        unit: top/below
        landing-zone: vault
        with: { base: { minimum-length: 30 }, no-root-keys: {} }
"#;

#[test]
fn everything_that_asks_is_named_and_the_strictest_of_it_holds() {
    let manifest = manifest(WHOLE);
    let tenant = manifest.tenants().next().unwrap();
    let askings = manifest.askings(&tenant.unit, tenant.landing_zone.as_ref(), Some(tenant));
    let Asking { names, with, sources, satisfies, mode, handover } = &askings[&ControlKind::PasswordPolicy];
    assert_eq!(names.iter().map(Name::as_str).collect::<Vec<_>>(), ["base", "strict"]);
    assert_eq!(with["minimum-length"], json!(30));
    assert_eq!(sources, &["landing zone standard v3", "unit top", "tenant aws/222222222222"]);
    assert_eq!(satisfies, &["a/1", "b/2", "c/3"]);
    assert_eq!((*mode, *handover), (Mode::Repair, Handover::Required));
    assert_eq!(askings[&ControlKind::RootMfa].sources, ["landing zone regulated v1"]);
}

#[test]
fn a_zone_that_a_lower_level_names_again_weakens_nothing() {
    // `base` asks for 14 at the top, `strict` for 20; below, `regulated` extends the zone of `base` and so asks for 14 again.
    let manifest = manifest(WHOLE);
    let line = manifest.along(&below(), None, None);
    assert!(line.weakenings.is_empty());
    assert_eq!(line.askings[&ControlKind::PasswordPolicy].with["minimum-length"], json!(20));
}

#[test]
fn what_a_tenant_alone_asks_for_is_asked_with_the_usual_mode() {
    let manifest = manifest(WHOLE);
    let tenant = manifest.tenants().next().unwrap();
    let askings = manifest.askings(&tenant.unit, None, Some(tenant));
    let asking = &askings[&ControlKind::NoRootKeys];
    assert_eq!((asking.mode, asking.handover), (Mode::Detect, Handover::Reported));
    assert_eq!(asking.sources, ["tenant aws/222222222222"]);
    assert_eq!(manifest.askings_at(&tenant.unit).get(&ControlKind::NoRootKeys), None);
}

#[test]
fn every_weaker_parameter_of_a_lower_level_is_found() {
    let table = [
        ("{ minimum-length: 14 }", "{ minimum-length: 8 }", 1),
        ("{ minimum-length: 14, max-age: 90 }", "{ minimum-length: 8, max-age: 365 }", 2),
        ("{ minimum-length: 14 }", "{ minimum-length: 14 }", 0),
    ];
    for (upper, lower, expected) in table {
        let mut manifest = manifest(&two_levels("password-policy", "{}", "{}"));
        for (name, with) in [("upper", upper), ("lower", lower)] {
            let control = manifest.controls.get_mut(&name.parse::<Name>().unwrap()).unwrap();
            control.with = serde_saphyr::from_str(with).unwrap();
        }
        let line = manifest.along(&below(), None, None);
        assert_eq!(line.weakenings.len(), expected, "{upper} {lower}");
        let held = &line.askings[&ControlKind::PasswordPolicy].with["minimum-length"];
        assert_eq!(held, &json!(14), "the higher level's value stands");
    }
}
