//! Nine checks of a subscription: six of its settings, registrations, and two that policies carry.

use std::sync::Arc;

use landfall_azure::{Azure, AzureOrganization};
use landfall_model::manifest::Cloud;
use landfall_simulator::azure::AzureSimulator;
use landfall_tests::azure::subscription;
use landfall_tests::stage::{engine_of, manifest};

use super::{Engines, Swept, kept};

impl Swept for AzureSimulator {
    const WORKER: &'static str = "azure-sweep-worker";
    const WHAT: &'static str = "Azure: sweep, subscriptions";

    fn nine(tenants: usize) -> String {
        let tenants: String = (2..tenants + 2)
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

    async fn engine(url: &str, text: &str) -> anyhow::Result<Engines> {
        let manifest = manifest(text);
        let ground = manifest.clouds.iter().find_map(|(name, cloud)| match cloud {
            Cloud::Azure(ground) => Some((name.clone(), ground.clone())),
            Cloud::Aws(_) | Cloud::Gcp(_) => None,
        });
        let Some((name, ground)) = ground else { anyhow::bail!("the manifest has no cloud") };
        let cloud = Arc::new(AzureOrganization::new(&Azure::loopback(url)?, name, ground)?);
        let (folder, store) = kept().await?;
        let (engine, queue, _) = engine_of(cloud.clone(), cloud, manifest, store).await;
        Ok(Engines { engine, queue, _folder: folder })
    }
}
