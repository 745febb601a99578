//! Nine checks of a project: five of its settings, enabled APIs, and three that organization policies carry.

use std::sync::Arc;

use landfall_gcp::{Gcp, GcpOrganization};
use landfall_model::manifest::Cloud;
use landfall_simulator::gcp::GcpSimulator;
use landfall_tests::stage::{engine_of, manifest};

use super::{Engines, Swept, kept};

impl Swept for GcpSimulator {
    const WORKER: &'static str = "gcp-sweep-worker";
    const WHAT: &'static str = "Google Cloud: sweep, projects";

    fn nine(tenants: usize) -> String {
        let tenants: String =
            (1..=tenants).map(|n| format!("      - {{ gcp: team-{n:04}, unit: workloads }}\n")).collect();
        format!(
            r#"landfall: 1
organization: acme
clouds:
  gcp:
    organization: "123456789012"
    locations: [europe-west1]
    customer: C0acme123
    billing-accounts: {{ main: 01AB23-45CD67-89EF01 }}
    controller-project: acme-landfall
    identities:
      read: landfall-read@acme-landfall.iam.gserviceaccount.com
      write: landfall-write@acme-landfall.iam.gserviceaccount.com
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
  e: {{ control: audit-log, with: {{ gcp: logging.googleapis.com/projects/acme-landfall/locations/eu/buckets/audit }} }}
  f: {{ control: resource-locks, with: {{ tenant: true }} }}
  g: {{ control: enabled-services, with: {{ gcp: [logging.googleapis.com] }} }}
  h: {{ control: block-public-storage }}
  i: {{ control: external-access-analysis }}
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
            Cloud::Gcp(ground) => Some((name.clone(), ground.clone())),
            Cloud::Aws(_) | Cloud::Azure(_) => None,
        });
        let Some((name, ground)) = ground else { anyhow::bail!("the manifest has no cloud") };
        let cloud = Arc::new(GcpOrganization::new(&Gcp::loopback(url)?, name, ground)?);
        let (folder, store) = kept().await?;
        let (engine, queue, _) = engine_of(cloud.clone(), cloud, manifest, store).await;
        Ok(Engines { engine, queue, _folder: folder })
    }
}
