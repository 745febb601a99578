//! Where the real function runs: a simulated organization with a project in it, queues, and an issuer of tokens.
#![expect(clippy::unwrap_used, reason = "test code")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use landfall_model::manifest::bundle::Bundle;
use landfall_simulator::cloud_run::CloudRun;
use landfall_simulator::cloud_tasks::{CloudTasks, CloudTasksOptions};
use landfall_simulator::gcp::{GcpOptions, GcpSimulator, GcpWorld};
use landfall_simulator::tokens::{Claims, TokenIssuer};
use landfall_tests::gcp::granted;
use landfall_tests::judges::gcp_function_binary;
use landfall_tests::stage::manifest;

pub(crate) const QUEUE: &str = "projects/acme-landfall/locations/europe-west1/queues/landfall-work";
pub(crate) const AUDIENCE: &str = "https://landfall-abcdefghij-ew.a.run.app";
/// Eventarc's, and a person's.
pub(crate) const EVENTS: &str = "landfall-events@acme-landfall.iam.gserviceaccount.com";
pub(crate) const SCHEDULER: &str = "landfall-scheduler@acme-landfall.iam.gserviceaccount.com";
pub(crate) const TASKS: &str = "landfall-tasks@acme-landfall.iam.gserviceaccount.com";
/// The project that the samples name.
pub(crate) const PROJECT: &str = "acme-checkout-prod";
/// A small organization: what is set in a tenant is no matter here.
const ACME: &str = r#"
landfall: 1
organization: acme
clouds:
  gcp:
    organization: "123456789012"
    locations: [europe-west1]
    controller-project: acme-landfall
contacts:
  security: { email: security@acme.example, phone: "+49 30 1" }
  operations: ops@acme.example
  billing: billing@acme.example
limits: { changes: 100, deletions: 4, tenants: 50 }
environments: [production]
units: { workloads: { landing-zone: standard, units: { production: {} } } }
teams: { payments: {} }
controls:
  tagged: { control: tags }
landing-zones:
  standard: { version: 1, controls: [tagged] }
projects:
  checkout:
    team: payments
    cost-center: "4711"
    tenants:
      - { gcp: acme-checkout-prod, unit: workloads/production, environment: production }
intake:
  - { otherwise: stay-gated }
"#;

/// A function on a simulated organization, with queues and an issuer of tokens; what it keeps is in a folder of its own.
pub(crate) struct Ground {
    pub(crate) simulator: GcpSimulator,
    pub(crate) tasks: CloudTasks,
    pub(crate) issuer: Arc<TokenIssuer>,
    folder: tempfile::TempDir,
    pub(crate) port: u16,
}

impl Ground {
    pub(crate) fn new() -> Self {
        let mut world = GcpWorld::sample(2);
        world.create_project(PROJECT, "organizations/123456789012");
        let options = GcpOptions { world: Some(granted(world, &manifest(ACME))), ..GcpOptions::default() };
        let issuer = Arc::new(TokenIssuer::start().unwrap());
        let tasks = CloudTasksOptions {
            issuer: Some(Arc::clone(&issuer)),
            dispatch_deadline: Some(Duration::from_secs(60)),
            ..CloudTasksOptions::quick()
        };
        let tasks = CloudTasks::start(tasks).unwrap();
        tasks.create(QUEUE);
        let simulator = GcpSimulator::start(options).unwrap();
        Ground {
            simulator,
            tasks,
            issuer,
            folder: tempfile::tempdir().unwrap(),
            port: CloudRun::port().unwrap(),
        }
    }

    pub(crate) fn kept(&self) -> PathBuf {
        self.folder.path().join("store.db")
    }

    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let bundle = self.folder.path().join("bundle.json");
        std::fs::write(&bundle, Bundle::build(manifest(ACME)).unwrap().bytes()).unwrap();
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        vec![
            ("LANDFALL_GCP_ENDPOINT", self.simulator.url()),
            ("LANDFALL_GCP_TASKS", self.tasks.url()),
            ("LANDFALL_MANIFEST", text(&bundle)),
            ("LANDFALL_STORE", format!("sqlite:{}", text(&self.kept()))),
            ("LANDFALL_QUEUE", QUEUE.to_owned()),
            ("LANDFALL_WORKER", format!("http://127.0.0.1:{}/work", self.port)),
        ]
    }

    /// With tokens that the function checks.
    pub(crate) fn with_tokens(&self) -> Vec<(&'static str, String)> {
        let mut environment = self.environment();
        environment.extend([
            ("LANDFALL_AUTH", "oidc".to_owned()),
            ("LANDFALL_AUDIENCE", AUDIENCE.to_owned()),
            ("LANDFALL_JWKS", self.issuer.jwks_url()),
            ("LANDFALL_EVENTS_CALLERS", EVENTS.to_owned()),
            ("LANDFALL_CONSOLE_CALLERS", format!("jane@acme.example, {EVENTS}")),
            ("LANDFALL_SWEEP_CALLERS", SCHEDULER.to_owned()),
            ("LANDFALL_WORKER_ACCOUNT", TASKS.to_owned()),
        ]);
        environment
    }

    /// Starts the function with this environment.
    pub(crate) async fn start(&self, environment: &[(&str, String)]) -> CloudRun {
        let environment: BTreeMap<String, String> =
            environment.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        CloudRun::start(gcp_function_binary(), &[], self.port, &environment).await.unwrap()
    }

    pub(crate) fn bearer(&self, who: &str) -> String {
        format!("Bearer {}", self.issuer.token(&Claims::google(AUDIENCE, who)))
    }
}
