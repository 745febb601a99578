//! A sweep over many subscriptions: nine checks. The worker is a process of its own.

use std::sync::Arc;

use landfall_azure::{Azure, AzureOrganization};
use landfall_engine::store::sqlite::SqliteStore;
use landfall_model::manifest::Cloud;
use landfall_simulator::Call;
use landfall_simulator::azure::{AzureOptions, AzureSimulator};
use landfall_tests::azure::{subscription, world};
use landfall_tests::stage::{engine_of, manifest};

use crate::sweep::{Before, tenants, twice, watch};

/// Nine checks: six settings of the subscription, registrations, and two that policies carry.
fn nine(subscriptions: usize) -> String {
    let tenants: String = (2..subscriptions + 2)
        .map(|number| format!("      - {{ azure: {}, unit: workloads }}\n", subscription(number)))
        .collect();
    let (own, logs) = (subscription(1), "Microsoft.OperationalInsights/workspaces/central");
    format!(
        r#"landfall: 1
organization: acme
clouds:
  azure:
    directory: 8f0c1a52-0000-4000-8000-000000000001
    root: acme
    locations: [westeurope]
    controller-subscription: {own}
contacts:
  security: {{ email: security@acme.example, phone: "+49 30 1" }}
  operations: ops@acme.example
  billing: billing@acme.example
limits: {{ changes: 100, deletions: 100, tenants: 1000 }}
environments: [production]
units: {{ workloads: {{ landing-zone: nine }} }}
teams: {{ platform: {{}} }}
controls:
  a: {{ control: tags }}
  b: {{ control: security-contacts }}
  c: {{ control: budget }}
  d: {{ control: threat-detection }}
  e: {{ control: audit-log, with: {{ azure: /subscriptions/{own}/resourceGroups/logs/providers/{logs} }} }}
  f: {{ control: resource-locks, with: {{ tenant: true }} }}
  g: {{ control: enabled-services, with: {{ azure: [Microsoft.Security, Microsoft.Insights] }} }}
  h: {{ control: block-public-storage }}
  i: {{ control: encrypt-by-default }}
landing-zones: {{ nine: {{ version: 1, controls: [a, b, c, d, e, f, g, h, i] }} }}
projects:
  everything:
    team: platform
    budget: {{ monthly: 2000 EUR, alert-at: [80%] }}
    tenants:
{tenants}"#
    )
}

pub(crate) async fn measure(sizes: &[usize]) -> anyhow::Result<()> {
    for size in sizes {
        let world = Some(world(size + 1));
        let simulator = AzureSimulator::start(AzureOptions { world, ..AzureOptions::default() })?;
        let what = format!("Azure: sweep of {size} subscriptions, nine checks");
        let calls = |before: Before| match before {
            Before::Sweep => {
                simulator.clear_calls();
                Vec::new()
            }
            Before::Figures => simulator.calls(),
        };
        // A summary of what policies found is asked for with a POST.
        let write = |call: &Call| call.method != "GET" && !call.operation.contains("summarize");
        watch("azure-sweep-worker", &simulator.url(), *size, &what, calls, write).await?;
    }
    Ok(())
}

/// The measured half.
pub(crate) async fn worker(url: &str) -> anyhow::Result<()> {
    let subscriptions = tenants()?;
    let manifest = manifest(&nine(subscriptions));
    let ground = manifest.clouds.iter().find_map(|(name, cloud)| match cloud {
        Cloud::Azure(ground) => Some((name.clone(), ground.clone())),
        Cloud::Aws(_) | Cloud::Gcp(_) => None,
    });
    let Some((name, ground)) = ground else { anyhow::bail!("the manifest has no cloud") };
    let cloud = Arc::new(AzureOrganization::new(&Azure::loopback(url)?, name, ground)?);
    let folder = tempfile::tempdir()?;
    let store = Arc::new(SqliteStore::open(folder.path().join("landfall.db")).await?);
    let (engine, queue, _) = engine_of(cloud.clone(), cloud, manifest, store).await;
    twice(&engine, &queue, subscriptions).await
}
