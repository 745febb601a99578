//! A directory on Azure to try controls on.

use jiff::Timestamp;
use landfall_engine::landscape::{Met, Sample};
use landfall_model::catalog::ControlKind;
use landfall_model::facts::Origin;

use super::Azure;

/// A target, what is asked of it, and what was seen.
pub(super) type Landscape = landfall_engine::landscape::Landscape<Azure>;

impl Sample for Azure {
    const MANIFEST: &'static str = MANIFEST;

    /// The last part of a subscription's id.
    type Tenant<'a> = u32;

    fn native(number: u32) -> String {
        subscription(number)
    }

    fn came(_: Met) -> (Origin, Option<Timestamp>) {
        (Origin::Created, None)
    }
}

/// `3f2c0000-0000-4000-8000-00000000000N`.
pub(super) fn subscription(number: u32) -> String {
    format!("3f2c0000-0000-4000-8000-{number:012}")
}

/// Storage that is there already is closed as well, wherever public storage is denied; or that is no longer asked.
pub(super) fn closing(mut landscape: Landscape, existing: bool) -> Landscape {
    let with = serde_json::json!({"also-existing": existing});
    for asked in &mut landscape.desired.asked {
        if asked.control == ControlKind::BlockPublicStorage {
            asked.settings = Ok(with.clone());
        }
        if asked.control == ControlKind::Policies {
            let points = asked.settings.as_mut().unwrap()["points"].as_array_mut().unwrap();
            for asks in points.iter_mut().map(|point| &mut point["asks"]) {
                if asks.get("block-public-storage").is_some() {
                    asks["block-public-storage"] = with.clone();
                }
            }
        }
    }
    landscape
}

/// The manifest everybody starts from. Subscription 1 is Landfall's own, 2 and 3 are in units, 4 asks for more than its unit.
pub(super) const MANIFEST: &str = r#"
landfall: 1
organization: acme
clouds:
  azure: { directory: 8f0c1a52-0000-4000-8000-000000000001, root: acme, locations: [westeurope, germanywestcentral],
           controller-subscription: 3f2c0000-0000-4000-8000-000000000001,
           identities: { principals: [5a0e0000-0000-4000-8000-0000000000aa] } }
contacts: { security: { email: security@acme.example, phone: "+49 30 1" }, operations: ops@acme.example }
break-glass: { azure: [5a0e0000-0000-4000-8000-0000000000bb] }
environments: [production]
units:
  sandbox: {}
  legacy: { adopt: { azure: mg-legacy }, owner: { placement: terraform, policies: terraform } }
  workloads:
    controls: [europe, baseline-stays, no-public-storage]
    units:
      production: { controls: [no-sql] }
teams:
  payments: { groups: { developer: { azure: 5a0e0000-0000-4000-8000-00000000000a }, auditor: { azure: 5a0e0000-0000-4000-8000-00000000000b } } }
roles:
  developer: { azure: [Contributor] }
  auditor: { azure: [Reader, Security Reader] }
controls:
  europe: { control: allowed-regions, with: { azure: [westeurope, germanywestcentral] } }
  baseline-stays: { control: protect-baseline }
  no-public-storage: { control: block-public-storage }
  no-sql: { control: denied-services, with: { azure: [Microsoft.Sql/servers] } }
  named: { control: tags, with: { set: { owner: acme } } }
  renamed: { control: account-alias, with: { alias: "{organization}-{project}-{environment}" } }
  reachable: { control: security-contacts }
  spending: { control: budget }
  providers: { control: enabled-services, with: { azure: [Microsoft.Security, Microsoft.Insights] } }
  watched: { control: threat-detection, with: { azure: [Arm, KeyVaults] } }
  logged: { control: audit-log, with: { azure: /subscriptions/3f2c0000-0000-4000-8000-000000000001/resourceGroups/logs/providers/Microsoft.OperationalInsights/workspaces/central } }
  locked: { control: resource-locks, with: { resource-groups: [network] } }
  told: { control: service-alerts }
landing-zones:
  standard: { version: 1, controls: [named, renamed, reachable, spending, providers, watched, logged, locked, told] }
projects:
  checkout:
    team: payments
    cost-center: "4711"
    budget: { monthly: 2000 EUR, alert-at: [50%, 80%, 100%] }
    access: { developer: [payments] }
    tenants:
      - { azure: 3f2c0000-0000-4000-8000-000000000001, unit: workloads }
      - { azure: 3f2c0000-0000-4000-8000-000000000002, unit: workloads/production, environment: production, landing-zone: standard }
      - { azure: 3f2c0000-0000-4000-8000-000000000003, unit: legacy }
      - { azure: 3f2c0000-0000-4000-8000-000000000004, unit: workloads, with: { denied-services: { azure: [Microsoft.Batch/batchAccounts] } } }
"#;
