//! Nine checks of an account in one region: what the compared tools were measured with.

use landfall_simulator::Simulator;
use landfall_tests::stage::{EXTERNAL_ID, engine, manifest};

use super::{Engines, Swept, kept};

impl Swept for Simulator {
    const WORKER: &'static str = "sweep-worker";
    const WHAT: &'static str = "AWS: sweep, accounts, one region";

    fn nine(tenants: usize) -> String {
        let tenants: String = (0..tenants)
            .map(|n| format!("      - {{ aws: \"{}\", unit: workloads }}\n", 222_222_222_222_u64 + n as u64))
            .collect();
        format!(
            r#"landfall: 1
organization: acme
clouds:
  aws:
    organization: o-a1b2c3d4e5
    management-account: "111111111111"
    home-region: eu-central-1
    regions: [eu-central-1]
    roles: {{ read: landfall-read, write: landfall-write, external-id: {EXTERNAL_ID} }}
limits: {{ changes: 100, deletions: 100, tenants: 1000 }}
environments: [production]
units: {{ workloads: {{ landing-zone: nine }} }}
teams: {{ platform: {{}} }}
controls:
  a: {{ control: password-policy }}
  b: {{ control: no-root-keys }}
  c: {{ control: block-public-storage }}
  d: {{ control: encrypt-by-default }}
  e: {{ control: block-public-snapshots }}
  f: {{ control: block-public-images }}
  g: {{ control: hardened-instances }}
  h: {{ control: no-default-network }}
  i: {{ control: external-access-analysis }}
landing-zones: {{ nine: {{ version: 1, controls: [a, b, c, d, e, f, g, h, i] }} }}
projects:
  everything:
    team: platform
    tenants:
{tenants}"#
        )
    }

    async fn engine(url: &str, text: &str) -> anyhow::Result<Engines> {
        let (folder, store) = kept().await?;
        let (engine, queue, _) = engine(url, manifest(text), store).await;
        Ok(Engines { engine, queue, _folder: folder })
    }
}
