//! How far a manifest reaches in a cloud: every control that it may ask of anybody there. Pure.

use std::collections::BTreeMap;

use crate::catalog::{ControlKind, Place};
use crate::id::{Name, Provider};
use crate::manifest::line::Asking;
use crate::manifest::{Intake, IntakeRule, Manage, Manifest, Mode};

/// The controls that a run in a cloud may meet, whomever it is about, with the strictest mode that anybody asks for. Where the manifest
/// only observes, that is `detect`. `None` when the manifest has no such cloud.
///
/// What follows from the manifest's shape is always among them: a tenant that comes tomorrow is gated and placed as well.
pub fn reach(manifest: &Manifest, cloud: &Name) -> Option<BTreeMap<ControlKind, Mode>> {
    let ground = manifest.clouds.get(cloud)?;
    let provider = ground.provider();
    let most = match ground.manage() {
        Manage::Full => Mode::Prevent,
        Manage::Observe => Mode::Detect,
    };
    let implied = ControlKind::ALL.iter().copied().filter(|kind| is_implied(*kind, provider));
    let mut modes: BTreeMap<ControlKind, Mode> = implied.map(|kind| (kind, Mode::Repair.min(most))).collect();
    for (kind, asking) in anywhere(manifest, cloud).flatten() {
        let mode = modes.entry(kind).or_insert(Mode::Detect);
        *mode = (*mode).max(asking.mode.min(most));
    }
    Some(modes)
}

/// Whether a control is asked for without anybody listing it.
fn is_implied(kind: ControlKind, provider: Provider) -> bool {
    // The kinds of policy that other controls need are switched on for the whole organization, whoever lists services.
    kind.entry().place == Place::Implied
        || (kind == ControlKind::EnabledServices && kind.is_made_once_on(provider))
}

/// What each unit, each intake rule and each tenant of a cloud asks for.
pub(super) fn anywhere(
    manifest: &Manifest,
    cloud: &Name,
) -> impl Iterator<Item = BTreeMap<ControlKind, Asking>> {
    let units = manifest.units.keys().map(|path| manifest.askings_at(path));
    let here = move |rule: &&IntakeRule| {
        let of = rule.when.as_ref().and_then(|when| when.cloud.as_ref());
        of.is_none_or(|of| of == cloud)
    };
    let let_in = manifest.intake.iter().filter(here).filter_map(|rule| match &rule.then {
        Intake::Land { landing_zone, unit } => Some(manifest.askings(unit, Some(landing_zone), None)),
        Intake::StayGated => None,
    });
    let named = manifest
        .tenants()
        .filter(move |tenant| &tenant.cloud == cloud)
        .map(|tenant| manifest.askings(&tenant.unit, tenant.landing_zone.as_ref(), Some(tenant)));
    units.chain(let_in).chain(named)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Source;
    use crate::manifest::parse::parse;

    const MANIFEST: &str = "
landfall: 1
organization: acme
clouds:
  aws: { organization: o-a1b2c3d4e5, management-account: \"111111111111\", home-region: eu-central-1, regions: [eu-central-1] }
  gcp: { organization: \"123456789012\", locations: [europe-west3] }
units: { workloads: { controls: [passwords] }, sandbox: {} }
teams: { payments: {} }
controls:
  passwords: { control: password-policy, mode: detect }
  strict-passwords: { control: password-policy }
  tagged: { control: tags, with: { set: { a: b } } }
  alias: { control: account-alias, with: { alias: \"acme-{account}\" } }
landing-zones:
  tagged: { version: 1, controls: [tagged] }
  strict: { version: 1, controls: [strict-passwords] }
projects: { shop: { team: payments, tenants: [ { aws: \"222222222222\", unit: workloads, landing-zone: tagged } ] } }
intake: [ { when: { name: \"new-*\", cloud: aws }, landing-zone: tagged, unit: sandbox } ]
";

    fn listed(text: &str, cloud: &str) -> Vec<String> {
        let sources = [Source { name: "m.yaml".into(), text: text.into() }];
        let parsed = parse(&sources, jiff::civil::date(2026, 11, 21));
        let manifest = parsed.manifest.unwrap_or_else(|| panic!("{:#?}", parsed.diagnostics));
        let reach = reach(&manifest, &cloud.parse().unwrap()).unwrap();
        let follows = |kind: &ControlKind| kind.entry().place == Place::Implied;
        assert!(ControlKind::ALL.iter().filter(|kind| follows(kind)).all(|kind| reach.contains_key(kind)));
        let listed = reach.into_iter().filter(|(kind, _)| !follows(kind));
        listed.map(|(kind, mode)| format!("{kind} {mode:?}")).collect()
    }

    #[test]
    fn what_anybody_asks_for_is_met_in_its_strictest_mode() {
        // Nobody asks for the alias.
        assert_eq!(
            listed(MANIFEST, "aws"),
            ["enabled-services Repair", "tags Repair", "password-policy Detect"]
        );
        let strict = MANIFEST
            .replace("unit: workloads, landing-zone: tagged", "unit: workloads, landing-zone: strict");
        assert_eq!(
            listed(&strict, "aws"),
            ["enabled-services Repair", "tags Repair", "password-policy Repair"]
        );
    }

    #[test]
    fn what_tenants_of_another_cloud_ask_for_is_not_met() {
        let nobody =
            MANIFEST.replace("landing-zone: tagged, unit: sandbox", "landing-zone: strict, unit: sandbox");
        assert_eq!(listed(&nobody, "gcp"), ["password-policy Detect"]);
        assert_eq!(
            listed(&nobody, "aws"),
            ["enabled-services Repair", "tags Repair", "password-policy Repair"]
        );
    }

    #[test]
    fn where_the_manifest_only_observes_nothing_is_put_right() {
        let observe = MANIFEST.replace("home-region:", "manage: observe, home-region:");
        assert_eq!(
            listed(&observe, "aws"),
            ["enabled-services Detect", "tags Detect", "password-policy Detect"]
        );
    }
}
