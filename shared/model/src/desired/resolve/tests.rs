use super::*;
use crate::facts::{Origin, State};
use crate::id::RunId;
use crate::manifest::Source;
use crate::manifest::parse::parse;
use crate::record::Life;

const MANIFEST: &str = "
landfall: 1
organization: acme
clouds:
  aws: { organization: o-a1b2c3d4e5, management-account: \"111111111111\", home-region: eu-central-1, regions: [eu-central-1] }
units: { workloads: {} }
teams: { payments: {} }
landing-zones: { empty: { version: 1, controls: [] } }
projects: { shop: { team: payments, tenants: [ { aws: \"222222222222\", unit: workloads } ] } }
intake: [ { when: { name: \"new-*\" }, landing-zone: empty, unit: workloads } ]
";

/// An account that has just been made, after the first inventory, and that an intake rule lets in.
fn newborn() -> (TenantId, Known) {
    let tenant: TenantId = "aws/333333333333".parse().unwrap();
    let run: RunId = "20261121T101500Z-00000001".parse().unwrap();
    let record = Record::new(Target::Tenant(tenant.clone()), &run);
    let facts = Facts {
        name: "new-shop".into(),
        state: State::Active,
        origin: Origin::Created,
        joined: Some("2026-11-21T10:00:00Z".parse().unwrap()),
    };
    let inventory = Inventory { at: "2026-11-01T00:00:00Z".parse().unwrap(), tenants: BTreeSet::new() };
    (tenant, Known { record, facts: Some(facts), inventory: Some(inventory) })
}

fn standing_of(text: &str, tenant: &TenantId, known: Known) -> Standing {
    let sources = [Source { name: "m.yaml".into(), text: text.into() }];
    let parsed = parse(&sources, jiff::civil::date(2026, 11, 21));
    let manifest = parsed.manifest.unwrap_or_else(|| panic!("{:#?}", parsed.diagnostics));
    resolve(&manifest, &"aws".parse().unwrap(), &Target::Tenant(tenant.clone()), known).unwrap().standing
}

#[test]
fn an_account_made_after_the_first_inventory_is_new() {
    let (tenant, known) = newborn();
    assert_eq!(standing_of(MANIFEST, &tenant, known), Standing::New);
}

#[test]
fn one_doubt_and_nobody_is_gated() {
    type Doubt = fn(&mut Known);
    let table: [(&str, Doubt); 8] = [
        ("it was there", |known| {
            known.inventory.as_mut().unwrap().tenants.insert("aws/333333333333".parse().unwrap());
        }),
        ("it was there, and moved while the inventory was listed", |known| {
            known.facts.as_mut().unwrap().joined = Some("2026-10-01T00:00:00Z".parse().unwrap());
        }),
        ("nobody says when it came", |known| known.facts.as_mut().unwrap().joined = None),
        ("it joined", |known| known.facts.as_mut().unwrap().origin = Origin::Joined),
        ("it was looked at while nothing could be written", |known| known.record.life = Life::Adopted),
        ("there is no inventory", |known| known.inventory = None),
        ("it is suspended", |known| known.facts.as_mut().unwrap().state = State::Suspended),
        ("nobody knows what it is", |known| known.facts = None),
    ];
    for (doubt, disturb) in table {
        let (tenant, mut known) = newborn();
        disturb(&mut known);
        let standing = standing_of(MANIFEST, &tenant, known);
        assert!(matches!(standing, Standing::ReportOnly(_)), "{doubt}: {standing:?}");
    }
    let (tenant, known) = newborn();
    let observe = MANIFEST.replace("home-region:", "manage: observe, home-region:");
    assert!(matches!(standing_of(&observe, &tenant, known), Standing::ReportOnly(_)));
}

#[test]
fn who_was_handed_over_is_never_new_again() {
    let (tenant, mut known) = newborn();
    known.record.handed_over = Some("2026-11-21T10:05:00Z".parse().unwrap());
    // Closed meanwhile, and reinstated.
    known.record.life = Life::Closed;
    assert_eq!(standing_of(MANIFEST, &tenant, known), Standing::HandedOver);
}

#[test]
fn the_accounts_that_hold_the_organization_are_never_gated() {
    let (_, known) = newborn();
    let management: TenantId = "aws/111111111111".parse().unwrap();
    assert!(matches!(standing_of(MANIFEST, &management, known), Standing::ReportOnly(_)));
}

#[test]
fn who_is_new_and_let_in_by_nobody_waits_behind_the_gate() {
    let (tenant, mut known) = newborn();
    known.facts.as_mut().unwrap().name = "mystery".into();
    assert_eq!(standing_of(MANIFEST, &tenant, known), Standing::Waiting);
}

#[test]
fn a_star_stands_for_any_text() {
    for (pattern, text, fits) in [
        ("sbx-*", "sbx-ada", true),
        ("sbx-*", "prod", false),
        ("*", "", true),
        ("*-dev-*", "a-dev-b", true),
        ("a*b*c", "abc", true),
        ("a*b*c", "ab", false),
        ("exact", "exact", true),
        ("exact", "exactly", false),
    ] {
        assert_eq!(matches(pattern, text), fits, "{pattern} {text}");
    }
}

const AZURE: &str = "
landfall: 1
organization: acme
clouds:
  azure: { directory: 8f0c1a52-0000-4000-8000-000000000001, root: acme, locations: [westeurope] }
units: { workloads: {} }
teams: { payments: { groups: { operator: { azure: 5a0e0000-0000-4000-8000-00000000000a } } } }
roles: { operator: { azure: { roles: [Reader], actions: [Microsoft.Support/*] } }, auditor: { azure: [Reader] } }
projects: { shop: { team: payments, access: { operator: [payments] }, tenants: [ { azure: 3f2c0000-0000-4000-8000-000000000002, unit: workloads } ] } }
";

/// The access that is asked of a target on Azure.
fn access_of(text: &str, target: &str, disturb: impl FnOnce(&mut Known)) -> Option<access::Settings> {
    let sources = [Source { name: "m.yaml".into(), text: text.into() }];
    let parsed = parse(&sources, jiff::civil::date(2026, 11, 21));
    let manifest = parsed.manifest.unwrap_or_else(|| panic!("{:#?}", parsed.diagnostics));
    let (_, mut known) = newborn();
    let target: Target = target.parse().unwrap();
    known.record.target = target.clone();
    disturb(&mut known);
    let desired = resolve(&manifest, &"azure".parse().unwrap(), &target, known).unwrap();
    desired.asked(ControlKind::Access).map(|asked| asked.want().unwrap())
}

#[test]
fn a_directory_has_the_roles_that_need_a_definition_of_their_own() {
    let roles = |text: &str, made: Option<&str>| {
        let asked = access_of(text, "organization/azure", |known| {
            known.record.made.extend(made.map(|made| made.parse().unwrap()));
        });
        asked.map(|asked| asked.roles.keys().map(ToString::to_string).collect::<Vec<_>>())
    };
    assert_eq!(roles(AZURE, None), Some(vec!["operator".to_owned()]));
    let without = AZURE.replace(", actions: [Microsoft.Support/*]", "");
    assert_eq!(roles(&without, None), None);
    assert_eq!(roles(&without, Some("access/roles/operator")), Some(vec![]));
}

#[test]
fn whoever_could_open_the_gate_of_a_new_subscription_is_looked_for() {
    let grants = |number: u32| {
        let target = format!("azure/3f2c0000-0000-4000-8000-{number:012}");
        access_of(AZURE, &target, |_| {}).map(|asked| asked.grants.len())
    };
    assert_eq!(grants(2), Some(1));
    // Nobody names it: nothing is granted, and it is gated.
    assert_eq!(grants(3), Some(0));
}

const GCP: &str = "
landfall: 1
organization: acme
clouds:
  gcp: { organization: \"123456789012\", locations: [europe-west1] }
units: { workloads: {} }
teams: { payments: { groups: { operator: { gcp: payments@acme.example } } } }
roles: { operator: { gcp: { roles: [roles/viewer], permissions: [compute.instances.reset] } }, auditor: { gcp: [roles/viewer] } }
projects: { shop: { team: payments, access: { operator: [payments] }, tenants: [ { gcp: acme-shop, unit: workloads } ] } }
";

#[test]
fn a_google_cloud_organization_has_roles_of_its_own_and_new_projects_are_watched() {
    let sources = [Source { name: "m.yaml".into(), text: GCP.into() }];
    let manifest = parse(&sources, jiff::civil::date(2026, 11, 21)).manifest.unwrap();
    let access = |target: &str| -> Option<access::Settings> {
        let (_, mut known) = newborn();
        known.record.target = target.parse().unwrap();
        let desired = resolve(&manifest, &"gcp".parse().unwrap(), &target.parse().unwrap(), known).unwrap();
        desired.asked(ControlKind::Access).map(|asked| asked.want().unwrap())
    };
    let names: Vec<String> =
        access("organization/gcp").unwrap().roles.keys().map(ToString::to_string).collect();
    assert_eq!(names, ["operator"]);
    assert_eq!(access("gcp/acme-shop").unwrap().grants.len(), 1);
    assert_eq!(access("gcp/acme-mystery").unwrap().grants.len(), 0);
}

#[test]
fn the_organization_has_every_tag_value_that_anybody_asks_for() {
    let text = "
landfall: 1
organization: acme
clouds:
  gcp: { organization: \"123456789012\", locations: [europe-west1] }
units: { workloads: { controls: [internal] } }
teams: { payments: {} }
controls:
  internal: { control: resource-tags, with: { set: { exposure: internal } } }
  public: { control: resource-tags, with: { set: { exposure: public } } }
landing-zones: { outside: { version: 1, controls: [public] } }
projects:
  shop:
    team: payments
    tenants:
      - { gcp: acme-shop, unit: workloads, landing-zone: outside }
      - { gcp: acme-lab, unit: workloads, with: { resource-tags: { set: { lab: \"yes\" } } } }
";
    let sources = [Source { name: "m.yaml".into(), text: text.into() }];
    let parsed = parse(&sources, jiff::civil::date(2026, 11, 21));
    let manifest = parsed.manifest.unwrap_or_else(|| panic!("{:#?}", parsed.diagnostics));
    let tags = |target: &str| -> resource_tags::Settings {
        let (_, mut known) = newborn();
        known.record.target = target.parse().unwrap();
        let desired = resolve(&manifest, &"gcp".parse().unwrap(), &target.parse().unwrap(), known).unwrap();
        desired.asked(ControlKind::ResourceTags).unwrap().want().unwrap()
    };
    let all = tags("organization/gcp");
    assert!(all.set.is_empty());
    let values: Vec<(&str, Vec<&str>)> = all
        .values
        .iter()
        .map(|(key, values)| (key.as_str(), values.iter().map(String::as_str).collect()))
        .collect();
    assert_eq!(values, [("exposure", vec!["internal", "public"]), ("lab", vec!["yes"])]);
    assert_eq!(tags("gcp/acme-shop").set["exposure"], "public");
    assert_eq!(tags("gcp/acme-lab").set.len(), 2);
}
