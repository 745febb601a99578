//! An organization on Google Cloud to try controls on.

use jiff::Timestamp;
use landfall_engine::landscape::{Met, Sample};
use landfall_model::facts::Origin;

use super::Gcp;

/// A target, what is asked of it, and what was seen.
pub(super) type Landscape = landfall_engine::landscape::Landscape<Gcp>;

impl Sample for Gcp {
    const MANIFEST: &'static str = MANIFEST;

    /// A project's id.
    type Tenant<'a> = &'a str;

    fn native(project: &str) -> String {
        project.to_owned()
    }

    fn came(_: Met) -> (Origin, Option<Timestamp>) {
        (Origin::Created, Some(Timestamp::UNIX_EPOCH))
    }
}

/// The manifest everybody starts from. `acme-landfall` is Landfall's own project, `acme-checkout-prod` and `acme-legacy` are in units,
/// `acme-checkout-dev` asks for more than its unit.
pub(super) const MANIFEST: &str = r#"
landfall: 1
organization: acme
clouds:
  gcp: { organization: "123456789012", locations: [europe-west1, europe-west3], customer: C0acme123,
         billing-accounts: { main: 01AB23-45CD67-89EF01 }, controller-project: acme-landfall,
         identities: { read: landfall-read@acme-landfall.iam.gserviceaccount.com, write: landfall-write@acme-landfall.iam.gserviceaccount.com,
                       bootstrap: ["serviceAccount:factory@acme-seed.iam.gserviceaccount.com"] } }
contacts: { security: { email: security@acme.example, phone: "+49 30 1" }, operations: ops@acme.example, billing: bills@acme.example }
break-glass: { gcp: ["group:break-glass@acme.example"] }
environments: [production, dev]
units:
  sandbox: {}
  legacy: { adopt: { gcp: folders/300000000001 }, owner: { placement: terraform, policies: terraform } }
  workloads:
    controls: [europe, baseline-stays, no-public-storage]
    units:
      production: { controls: [no-sql] }
teams:
  payments: { groups: { developer: { gcp: payments@acme.example }, auditor: { gcp: auditors@acme.example } } }
roles:
  developer: { gcp: [roles/editor] }
  auditor: { gcp: [roles/viewer, roles/iam.securityReviewer] }
controls:
  europe: { control: allowed-regions, with: { gcp: [europe-west1, europe-west3] } }
  baseline-stays: { control: protect-baseline }
  no-public-storage: { control: block-public-storage }
  no-sql: { control: denied-services, with: { gcp: [sqladmin.googleapis.com] } }
  named: { control: tags, with: { set: { owner: "Acme Inc." } } }
  renamed: { control: account-alias, with: { alias: "{organization}-{project}-{environment}" } }
  reachable: { control: security-contacts }
  spending: { control: budget }
  apis: { control: enabled-services, with: { gcp: [logging.googleapis.com, monitoring.googleapis.com] } }
  paid: { control: billing-account, with: { account: main } }
  tagged: { control: resource-tags, with: { set: { exposure: internal } } }
  locked: { control: resource-locks, with: { tenant: true } }
  no-default: { control: no-default-network }
  hardened: { control: hardened-instances }
landing-zones:
  standard: { version: 1, controls: [named, renamed, reachable, spending, apis, paid, tagged, locked, no-default, hardened] }
projects:
  checkout:
    team: payments
    cost-center: "4711"
    budget: { monthly: 2000 EUR, alert-at: [50%, 80%, 100%] }
    access: { developer: [payments] }
    tenants:
      - { gcp: acme-landfall, unit: workloads }
      - { gcp: acme-checkout-prod, unit: workloads/production, environment: production, landing-zone: standard }
      - { gcp: acme-legacy, unit: legacy }
      - { gcp: acme-checkout-dev, unit: workloads, environment: dev, with: { denied-services: { gcp: [dataproc.googleapis.com] } } }
"#;
