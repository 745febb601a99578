//! A manifest that is right, disturbed in one thing at a time.

use super::*;
use crate::diagnostic::CODES;
use crate::manifest::{Cloud, Handover, Intake, Mode};

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

/// The example with one text in place of another.
fn disturbed(from: &str, to: &str) -> Parsed {
    assert!(ACME.contains(from), "the example does not say {from:?}");
    parse(&[source("acme.yaml", &ACME.replacen(from, to, 1))], today())
}

fn right(text: &str) -> Manifest {
    let Parsed { manifest, diagnostics } = parse(&[source("acme.yaml", text)], today());
    manifest.unwrap_or_else(|| panic!("{}", shown(&diagnostics)))
}

#[test]
fn the_example_is_right() {
    let Parsed { manifest, diagnostics } = parse(&[source("acme.yaml", ACME)], today());
    assert_eq!(shown(&diagnostics), "");
    assert!(manifest.is_some());
}

#[test]
fn what_is_not_said_is_filled_in() {
    let manifest = right(ACME);
    let cloud = |name: &str| match &manifest.clouds[&name.parse::<crate::id::Name>().unwrap()] {
        Cloud::Aws(cloud) => cloud.clone(),
        Cloud::Azure(_) | Cloud::Gcp(_) => panic!("{name}"),
    };
    let (aws, acquired) = (cloud("aws"), cloud("acquired"));
    assert_eq!(aws.controller_account, aws.management_account);
    assert_eq!(
        aws.regions.iter().map(crate::id::Region::as_str).collect::<Vec<_>>(),
        ["eu-central-1", "eu-west-1"]
    );
    // What is only observed is looked at as what is managed.
    assert_eq!(
        (acquired.home_region, acquired.regions, acquired.roles),
        (aws.home_region, aws.regions, aws.roles)
    );
    let control = |name: &str| &manifest.controls[&name.parse::<crate::id::Name>().unwrap()];
    let usual = |name: &str| (control(name).mode, control(name).handover);
    assert_eq!(usual("data-stays-in-europe"), (Mode::Prevent, Handover::Required));
    assert_eq!(usual("strong-passwords"), (Mode::Repair, Handover::Required));
    assert_eq!(usual("no-keys-of-the-root-user"), (Mode::Detect, Handover::Reported));
    assert_eq!(manifest.intake.last().unwrap().then, Intake::StayGated);
    let silent = right("landfall: 1\norganization: acme\n");
    assert_eq!(silent.intake.len(), 1, "new tenants stay gated unless said");
    assert_eq!(silent.limits, crate::manifest::Limits::default());
}

#[test]
fn a_role_on_azure_is_a_list_of_names_or_says_what_it_may_do() {
    let azure = |text: &str| {
        let manifest =
            right(&format!("landfall: 1\norganization: acme\nroles: {{ r: {{ azure: {text} }} }}\n"));
        let bundle = crate::manifest::bundle::Bundle::build(manifest).unwrap();
        let loaded = crate::manifest::bundle::Bundle::load(bundle.bytes()).unwrap();
        assert_eq!(loaded, bundle, "{text}");
        let value: serde_json::Value = serde_json::from_slice(bundle.bytes()).unwrap();
        let role = loaded.manifest().roles[&"r".parse().unwrap()].azure.clone();
        (value["roles"]["r"]["azure"].to_string(), role.is_custom(), role.is_empty())
    };
    let names = (r#"["Reader"]"#.to_owned(), false, false);
    // As bundles have always said it.
    assert_eq!(azure("[Reader]"), names);
    assert_eq!(azure("{ roles: [Reader] }"), names);
    assert_eq!(azure("{ roles: [Reader], actions: [] }"), names);
    assert_eq!(azure("[]"), ("[]".to_owned(), false, true));
    assert_eq!(
        azure("{ actions: [Microsoft.Support/*], not-actions: [Microsoft.Support/x/read] }"),
        (
            r#"{"actions":["Microsoft.Support/*"],"not-actions":["Microsoft.Support/x/read"]}"#.to_owned(),
            true,
            false
        )
    );
    assert_eq!(
        azure("{ roles: [Reader], data-actions: [\"*\"] }"),
        (r#"{"data-actions":["*"],"roles":["Reader"]}"#.to_owned(), true, false)
    );
}

#[test]
fn a_role_on_google_cloud_is_a_list_of_names_or_says_what_it_may_do() {
    let gcp = |text: &str| {
        let manifest =
            right(&format!("landfall: 1\norganization: acme\nroles: {{ r: {{ gcp: {text} }} }}\n"));
        let bundle = crate::manifest::bundle::Bundle::build(manifest).unwrap();
        let loaded = crate::manifest::bundle::Bundle::load(bundle.bytes()).unwrap();
        assert_eq!(loaded, bundle, "{text}");
        let value: serde_json::Value = serde_json::from_slice(bundle.bytes()).unwrap();
        let role = loaded.manifest().roles[&"r".parse().unwrap()].gcp.clone();
        (value["roles"]["r"]["gcp"].to_string(), role.is_custom(), role.is_empty())
    };
    let names = (r#"["roles/viewer"]"#.to_owned(), false, false);
    // As bundles have always said it.
    assert_eq!(gcp("[roles/viewer]"), names);
    assert_eq!(gcp("{ roles: [roles/viewer], permissions: [] }"), names);
    assert_eq!(gcp("[]"), ("[]".to_owned(), false, true));
    assert_eq!(
        gcp("{ permissions: [compute.instances.reset] }"),
        (r#"{"permissions":["compute.instances.reset"]}"#.to_owned(), true, false)
    );
}

/// Each row: what is disturbed, and the code, line and column that are told.
#[test]
fn one_thing_wrong_is_told_where_it_is() {
    let table: &[(&str, &str, &str)] = &[
        // the form
        ("limits: {", "limits: [", "syntax"),
        ("landfall: 1", "landfall: 2", "unknown-version"),
        ("landfall: 1\n", "\n", "missing-key"),
        ("organization: acme\n", "\n", "missing-key"),
        ("organization: acme\n", "organization: Acme Inc\n", "bad-name"),
        ("limits:", "people: {}\nlimits:", "not-yet"),
        ("limits:", "rings: []\nlimits:", "not-yet"),
        ("limits:", "limit:", "unknown-key"),
        ("home-region:", "home_region:", "unknown-key missing-key"),
        ("changes: 50", "changes: 50, changes: 60", "duplicate-key"),
        ("changes: 50", "changes: many", "wrong-type"),
        ("changes: 50", "changes: -1", "wrong-value"),
        ("environments: [development, production]", "environments: { development: 1 }", "wrong-type"),
        // clouds
        ("\"111111111111\"", "111111111111", "number-as-id"),
        ("\"111111111111\"", "011111111111", "number-as-id"),
        ("\"111111111111\"", "\"11111111111\"", "malformed-id"),
        ("o-a1b2c3d4e5", "ou-a1b2c3d4e5", "malformed-id"),
        ("8f0c1a52-0000-4000-8000-000000000001", "acme.onmicrosoft.com", "malformed-id"),
        ("{ organization: \"123456789012\"", "{ organization: 123456789012", "number-as-id"),
        ("01AB23-45CD67-89EF01", "01AB23", "malformed-id"),
        ("regions: [eu-west-1, eu-central-1]", "regions: []", "empty"),
        ("regions: [eu-west-1, eu-central-1]", "regions: eu-west-1", "wrong-type"),
        ("locations: [europe-west3], ", "", "missing-key"),
        ("read: landfall-read", "read: landfall-write", "wrong-value"),
        ("provider: aws", "provider: oci", "wrong-value"),
        ("{ provider: aws, ", "{ ", "missing-key"),
        ("manage: observe", "manage: no", "wrong-value"),
        ("acquired:", "unit:", "bad-name"),
        // contacts and break-glass
        ("security@acme.example", "security", "wrong-value"),
        ("{ email: ops@acme.example, ", "{ ", "missing-key"),
        ("\"+49 30 1234567\"", "+49301234567", "wrong-type"),
        ("[role/break-glass]", "[break-glass]", "malformed-id"),
        // units
        ("landing-zone: regulated }", "landing-zone: regulatd }", "unknown-landing-zone unused"),
        ("adopt: { aws: ou-ab12-cdef3456", "adopt: { awz: ou-ab12-cdef3456", "unknown-cloud"),
        ("adopt: { aws: ou-ab12-cdef3456", "adopt: { aws: Workloads", "malformed-id"),
        ("adopt: { aws: ou-ab12-99999999", "adopt: { aws: ou-ab12-cdef3456", "duplicate-name"),
        ("folders/345678901234", "345678901234", "number-as-id"),
        ("owner: { placement:", "owner: { placements:", "unknown-key"),
        ("  legacy: {", "  Legacy: {", "bad-name"),
        (
            "      development:\n",
            "      development: { units: { a: { units: { b: { units: { c: { units: { d: {} } } } } } } } }\n",
            "too-deep",
        ),
        // teams and roles
        ("groups:\n      developer:", "groups:\n      develper:", "unknown-role no-group"),
        (", gcp: payments-dev@acme.example", "", "no-group"),
        ("    gcp: [roles/editor]\n", "", "no-access"),
        ("session: 8h", "session: 8", "wrong-type"),
        ("session: 8h", "session: 13h", "wrong-value"),
        ("managed-policies: [PowerUserAccess]", "managed-policies: []", "empty"),
        ("azure: 5a0e0000-0000-4000-8000-00000000000a", "azure: payments-dev", "malformed-id"),
        (
            "azure: 5a0e0000-0000-4000-8000-00000000000a",
            "azure: 5A0E0000-0000-4000-8000-00000000000A",
            "malformed-id",
        ),
        ("azure: [5a0e0000", "azure: [group:5a0e0000", "malformed-id"),
        ("azure: [Contributor]", "azure: Contributor", "wrong-type no-access"),
        ("azure: [Contributor]", "azure: {}", "empty no-access"),
        ("azure: [Contributor]", "azure: { role: [Contributor] }", "unknown-key empty no-access"),
        ("actions: [Microsoft.Support/*,", "actions: [Microsoft.Support,", "malformed-id"),
        ("actions: [Microsoft.Support/*,", "actions: [Microsoft.Support/* ,,", "syntax"),
        ("actions: [Microsoft.Support/*,", "actions: [\"Microsoft.Support/read only\",", "malformed-id"),
        ("actions: [Microsoft.Support/*,", "actions: [Microsoft.Support/,", "malformed-id"),
        ("      data-actions: [Microsoft.KeyVault/vaults/*/read]\n", "", "wrong-value"),
        ("permissions: [compute.instances.reset,", "permissions: [compute.instances,", "malformed-id"),
        ("permissions: [compute.instances.reset,", "permissions: [\"compute.instances.*\",", "malformed-id"),
        ("gcp: { roles: [roles/viewer], permissions:", "gcp: { actions:", "unknown-key empty"),
        // controls
        ("control: allowed-regions", "control: allowed-region", "unknown-control"),
        ("control: no-root-keys", "control: quarantine-gate", "implied-control"),
        ("control: no-root-keys", "control: no-root-keys, mode: repair", "cannot-repair"),
        ("minimum-length: 14", "minimum-lenght: 14", "unknown-parameter"),
        ("minimum-length: 14", "minimum-length: 5", "wrong-value"),
        ("minimum-length: 14", "minimum-length: long", "wrong-type"),
        ("minimum-length: 14", "minimum-length: 14, require-symbols: yes", "wrong-type"),
        ("gcp: [\"in:eu-locations\"]", "gcp: []", "empty"),
        ("gcp: [\"in:eu-locations\"]", "gcp: [1]", "wrong-type"),
        ("iso-27001:2022/A.5.34", "iso-27001", "wrong-value"),
        ("mode: prevent", "mode: forbid", "wrong-value"),
        ("handover: required", "handover: yes", "wrong-value"),
        ("  no-keys-of-the-root-user:", "  password-policy:", "bad-name unused unknown-control"),
        ("  no-public-storage: {", "  strong-passwords: {", "duplicate-key unknown-control unknown-control"),
        (
            "no-public-storage: { control: block-public-storage, mode: repair }",
            "no-public-storage: { control: allowed-regions, with: { aws: [us-east-1] } }",
            "contradicts",
        ),
        (
            "no-public-storage: { control: block-public-storage, mode: repair }",
            "no-public-storage: { control: federation, with: { providers: { github: { issuer: https://gitlab.com, gcp: {} } } } }",
            "wrong-value",
        ),
        // landing zones
        ("version: 3, ", "", "missing-key"),
        ("version: 3, ", "version: three, ", "wrong-type"),
        ("extends: standard", "extends: standrad", "unknown-landing-zone"),
        ("{ version: 3, ", "{ version: 3, extends: regulated, ", "cycle"),
        ("{ version: 3, ", "{ version: 3, extends: standard, ", "cycle"),
        ("controls: [no-keys-of-the-root-user]", "controls: []", "unused"),
        (
            "controls: [no-keys-of-the-root-user]",
            "controls: [no-keys-of-the-root-user, no-keys-of-the-root-user]",
            "listed-twice",
        ),
        ("sandbox: { version: 1,", "other: { version: 1 }\n  sandbox: { version: 1,", "unused"),
        // projects
        ("team: payments", "team: payment", "unknown-team"),
        ("team: payments\n", "\n", "missing-key"),
        ("\"4711\"", "4711", "number-as-id"),
        ("2000 EUR", "2000", "wrong-type"),
        ("2000 EUR", "2000 Euro", "wrong-value"),
        ("50%", "50", "wrong-type"),
        ("50%", "0%", "wrong-value"),
        ("50%", "80%", "listed-twice"),
        ("access: { developer: [payments] }", "access: { admin: [payments] }", "unknown-role"),
        ("access: { developer: [payments] }", "access: { developer: [refunds] }", "unknown-team"),
        ("- aws: \"222222222222\"", "- aws: 222222222222", "number-as-id unknown-tenant"),
        ("- aws: \"222222222222\"", "- aws: \"22222222222\"", "malformed-id unknown-tenant"),
        ("- aws: \"222222222222\"", "- oci: \"222222222222\"", "unknown-cloud unknown-tenant"),
        ("- aws: \"222222222222\"\n", "- \n", "missing-key unknown-tenant"),
        ("- { azure: 3f2c", "- { aws: \"333333333333\", azure: 3f2c", "wrong-value"),
        ("- { gcp: acme-checkout-prod,", "- { aws: \"222222222222\",", "duplicate-tenant"),
        ("        unit: workloads/production\n", "        unit: workload/production\n", "unknown-unit"),
        ("        environment: production\n", "        environment: prod\n", "unknown-environment"),
        (
            "        environment: production\n",
            "        environment: production\n        landing-zone: vault\n",
            "unknown-landing-zone",
        ),
        ("with: { password-policy: {", "with: { passwords: {", "unknown-control"),
        ("with: { password-policy: {", "with: { quarantine-gate: {}, password-policy: {", "implied-control"),
        ("with: { password-policy: {", "with: { strong-passwords: {}, password-policy: {", "duplicate-key"),
        ("minimum-length: 20", "minimum-length: 8", "weakens"),
        ("minimum-length: 20", "length: 20", "unknown-parameter"),
        // exemptions
        ("control: no-default-network", "control: no-default-networks", "unknown-control"),
        ("control: no-default-network", "control: quarantine-gate", "cannot-exempt"),
        ("control: no-default-network", "control: protect-baseline", "cannot-exempt"),
        ("control: no-default-network", "control: audit-log", "cannot-exempt"),
        ("tenant: aws/222222222222", "tenant: aws/222222222223", "unknown-tenant"),
        ("tenant: aws/222222222222", "tenant: \"222222222222\"", "malformed-id"),
        ("tenant: aws/222222222222", "tenant: 222222222222", "number-as-id"),
        ("category: waiver", "category: waver", "wrong-value"),
        ("reason: legacy network until CHG-1234", "reason: \"\"", "empty"),
        ("    approved-by: grace\n", "", "not-approved"),
        ("    approved-by: grace\n", "    approved-by:\n", "not-approved"),
        ("approved-by: grace", "approved-by: Ada", "self-approved"),
        ("expires: 2027-01-31", "expires: 2026-11-20", "expired"),
        ("expires: 2027-01-31", "expires: 2026-02-30", "wrong-value"),
        ("    expires: 2027-01-31\n", "", "missing-key"),
        // intake
        (
            "- { otherwise: stay-gated }",
            "- { otherwise: stay-gated }\n  - { otherwise: stay-gated }",
            "unreachable",
        ),
        ("otherwise: stay-gated", "otherwise: stay", "wrong-value"),
        ("when: { cloud: aws, name: \"sbx-*\" }", "when: { cloud: oci }", "unknown-cloud"),
        ("when: { cloud: aws, name: \"sbx-*\" }", "when: {}", "empty"),
        ("landing-zone: sandbox, unit: sandbox }\n  - {", "unit: sandbox }\n  - {", "missing-key"),
    ];
    let mut seen: Vec<&str> = Vec::new();
    let mut wrong = Vec::new();
    for (from, to, expected) in table {
        let Parsed { manifest, diagnostics } = disturbed(from, to);
        let mut codes: Vec<&str> = diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
        let mut expected: Vec<&str> = expected.split(' ').collect();
        codes.sort_unstable();
        expected.sort_unstable();
        let errors = diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
        if codes != expected || manifest.is_none() != errors {
            wrong.push(format!("{from:?} -> {to:?}: expected {expected:?}, found\n{}", shown(&diagnostics)));
        }
        seen.extend(codes);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    let untold: Vec<&str> = CODES.iter().map(|code| code.name).filter(|name| !seen.contains(name)).collect();
    assert_eq!(untold, Vec::<&str>::new(), "codes that no row shows");
}

#[test]
fn a_broken_manifest_tells_everything_at_once() {
    let organization = r#"landfall: 1
organization: acme
clouds:
  aws: { organization: o-a1b2c3d4e5, management-account: 111111111111, home-region: eu-central-1, regoins: [eu-central-1] }
teams: { top: {} }
units:
  top:
    landing-zone: standrad
    units:
      below: { controls: [strict], units: { deep: { controls: [loose] } } }
landing-zones:
  standard: { version: 1, extends: other, controls: [strict] }
  other: { version: 1, extends: standard }
"#;
    let controls = r#"controls:
  strict: { control: password-policy, with: { minimum-length: 14 } }
  loose: { control: password-policy, with: { minimum-length: 8 } }
  spare: { control: root-mfa, mode: repair }
  look: [root-mfa]
teams: { top: [] }
landing-zones:
  spare: { version: 0 }
  loose_zone: { version: 2 }
exemptions:
  - { control: quarantine-gate, tenant: aws/222222222222, category: waiver, reason: x, requested-by: ada, expires: 2020-01-01 }
standards: []
"#;
    let sources = [source("organization.yaml", organization), source("controls.yaml", controls)];
    let Parsed { manifest, diagnostics } = parse(&sources, today());
    assert_eq!(manifest, None);
    insta::assert_snapshot!(shown(&diagnostics), @r"
    controls.yaml:3:62: error[weakens]: `minimum-length` of `password-policy` would be weaker than above: unit top/below/deep asks for 8, unit top/below demands 14
      controls.yaml:2:63: demanded here
      help: a lower level can only tighten; here the larger holds
    controls.yaml:4:37: error[cannot-repair]: nothing can be written for `root-mfa`: it can only be detected
      help: write `mode: detect`, or leave it out
    controls.yaml:5:9: error[wrong-type]: expected a mapping, found a list
    controls.yaml:6:15: error[wrong-type]: expected a mapping, found a list
    controls.yaml:8:21: error[wrong-value]: expected a whole number of at least 1, found 0
    controls.yaml:9:3: error[bad-name]: `loose_zone` is not a name of lower-case letters, digits and hyphens, at most 64 long
    controls.yaml:11:5: error[not-approved]: nobody has approved the exemption
      help: add `approved-by`, with the name of somebody else than the one who asks
    controls.yaml:11:16: error[cannot-exempt]: nobody can be exempt from `quarantine-gate`, because the other controls rest on it
      help: take the exemption out
    controls.yaml:11:41: error[unknown-tenant]: there is no tenant `aws/222222222222`
    controls.yaml:11:116: warning[expired]: the exemption expired on 2020-01-01 and no longer holds
      help: take it out, or have it approved again with a new date
    controls.yaml:12:1: error[not-yet]: `standards` is not read by this version
      help: take it out: nothing in it would take effect
    organization.yaml:4:8: error[missing-key]: `regions` is missing here
    organization.yaml:4:58: error[number-as-id]: an id is written as a number
      help: put it in quotes: YAML readers drop a number's leading zeros
    organization.yaml:4:99: error[unknown-key]: `regoins` has no meaning here
      help: did you mean `regions`?
    organization.yaml:5:10: error[duplicate-name]: the team `top` is defined twice
      controls.yaml:6:10: first defined here
    organization.yaml:8:19: error[unknown-landing-zone]: there is no landing zone `standrad`
      help: did you mean `standard`?
    organization.yaml:13:33: error[cycle]: the landing zone `other` extends itself
      organization.yaml:12:36: by way of `standard`
      help: take out one `extends`
    ");
    let reversed = [source("controls.yaml", controls), source("organization.yaml", organization)];
    assert_eq!(parse(&reversed, today()).diagnostics, diagnostics, "the order of files means nothing");
}

#[test]
fn sections_of_many_files_are_one_manifest() {
    // Every top-level section in a file of its own.
    let mut files: Vec<String> = Vec::new();
    for line in ACME.lines() {
        let starts = line.starts_with(|c: char| c.is_ascii_lowercase());
        match files.last_mut() {
            Some(file) if !starts => *file = format!("{file}{line}\n"),
            Some(_) | None => files.push(format!("{line}\n")),
        }
    }
    let sources: Vec<Source> =
        files.iter().enumerate().map(|(i, text)| source(&format!("{i}.yaml"), text)).collect();
    assert!(sources.len() > 14);
    let parsed = parse(&sources, today());
    assert_eq!(shown(&parsed.diagnostics), "");
    assert_eq!(parsed.manifest.unwrap(), right(ACME));
}

#[test]
fn what_two_files_say_is_told_with_both_places() {
    let table = [
        ("organization: other\n", "duplicate-key"),
        ("environments: [test]\n", "duplicate-key"),
        ("intake: []\n", "duplicate-key"),
        ("contacts: { security: s@acme.example }\n", "duplicate-name"),
        ("break-glass: { aws: [role/other] }\n", "duplicate-name"),
        ("teams: { payments: {} }\n", "duplicate-name"),
        ("units: { sandbox: {} }\n", "duplicate-name"),
        ("controls: { no-public-storage: { control: block-public-storage } }\n", "duplicate-name"),
        (
            "projects: { more: { team: payments, tenants: [{ gcp: acme-checkout-prod, unit: sandbox }] } }\n",
            "duplicate-tenant",
        ),
    ];
    for (more, code) in table {
        let diagnostics = parse(&[source("a.yaml", ACME), source("b.yaml", more)], today()).diagnostics;
        let [one] = diagnostics.as_slice() else { panic!("{more}: {}", shown(&diagnostics)) };
        assert_eq!((one.code, one.place.file.as_str()), (code, "b.yaml"), "{more}");
        assert_eq!(one.also[0].0.file, "a.yaml", "{more}");
    }
    // The version may stand in every file.
    assert_eq!(
        shown(&parse(&[source("a.yaml", ACME), source("b.yaml", "landfall: 1\n")], today()).diagnostics),
        ""
    );
}

#[test]
fn a_file_that_can_t_be_read_hides_no_more_than_itself() {
    let diagnostics = parse(
        &[source("a.yaml", "controls: {\n"), source("b.yaml", &ACME.replace("controls: #", "limits: #"))],
        today(),
    )
    .diagnostics;
    let codes: Vec<&str> = diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    assert!(codes.contains(&"syntax") && codes.contains(&"duplicate-key"), "{}", shown(&diagnostics));
    assert!(!codes.iter().any(|code| code.starts_with("unknown-control")), "{}", shown(&diagnostics));
}

#[test]
fn no_file_at_all_is_told() {
    let parsed = parse(&[], today());
    let codes: Vec<&str> = parsed.diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    assert_eq!((parsed.manifest, codes), (None, vec!["missing-key", "missing-key"]));
}

#[test]
fn a_hostile_name_stays_inert() {
    let hostile = ACME.replacen("limits:", "\"a\\e[31m\\nb\": 1\nlimits:", 1);
    let diagnostics = parse(&[source("acme\u{1b}.yaml", &hostile)], today()).diagnostics;
    assert_eq!(diagnostics[0].code, "unknown-key");
    assert!(!shown(&diagnostics).contains('\u{1b}'), "{}", shown(&diagnostics));
}

#[test]
fn an_exemption_holds_through_its_last_day() {
    let on = |day: i8| parse(&[source("acme.yaml", ACME)], jiff::civil::date(2027, 2, day)).diagnostics.len();
    assert_eq!(on(1), 1);
    assert_eq!(parse(&[source("acme.yaml", ACME)], jiff::civil::date(2027, 1, 31)).diagnostics.len(), 0);
}

/// Whatever stands in the files: there is a manifest exactly when nothing is wrong, and then it can be built and loaded.
#[test]
fn no_disturbance_of_any_line_gets_past_the_reader() {
    let lines: Vec<&str> = ACME.lines().collect();
    let mut right = 0;
    for (i, line) in lines.iter().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let key = line.split_inclusive(": ").next().unwrap_or_default();
        let others = [
            String::new(),
            line[..line.len() / 2].to_owned(),
            format!("{key}[]"),
            format!("{key}{{}}"),
            format!("{key}~"),
            format!("{key}-7"),
            format!("{key}no"),
            format!("{key}\"\\u001b\""),
            format!("{}{line}", " ".repeat(indent)),
        ];
        for other in others {
            let text = [&lines[..i], &[other.as_str()], &lines[i + 1..]].concat().join("\n");
            let parsed = parse(&[source("acme.yaml", &text)], today());
            let errors = parsed.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
            assert_eq!(parsed.manifest.is_none(), errors, "line {}: {other:?}", i + 1);
            assert!(parsed.diagnostics.is_sorted());
            if let Some(manifest) = parsed.manifest {
                right += 1;
                let bundle = crate::manifest::bundle::Bundle::build(manifest).unwrap();
                assert_eq!(
                    crate::manifest::bundle::Bundle::load(bundle.bytes()).unwrap(),
                    bundle,
                    "{other:?}"
                );
            }
        }
    }
    assert!(right > 0);
}
