//! An organization on AWS to try controls on.

use jiff::Timestamp;
use landfall_engine::landscape::{Met, Sample};
use landfall_model::facts::Origin;

use super::Aws;

/// A target, what is asked of it, and what was seen.
pub(super) type Landscape = landfall_engine::landscape::Landscape<Aws>;

impl Sample for Aws {
    const MANIFEST: &'static str = MANIFEST;

    /// An account's id.
    type Tenant<'a> = &'a str;

    fn native(account: &str) -> String {
        account.to_owned()
    }

    fn came(met: Met) -> (Origin, Option<Timestamp>) {
        let origin = match met {
            Met::Before => Origin::Joined,
            Met::New => Origin::Created,
        };
        (origin, Some(Timestamp::UNIX_EPOCH))
    }
}

/// The manifest everybody starts from.
pub(super) const MANIFEST: &str = r#"
landfall: 1
organization: acme
clouds:
  aws: { organization: o-a1b2c3d4e5, management-account: "111111111111", controller-account: "333333333333",
         home-region: eu-central-1, regions: [eu-central-1, eu-west-1] }
contacts: { security: security@acme.example }
break-glass: { aws: [role/break-glass] }
environments: [production]
units:
  sandbox: {}
  legacy: { adopt: { aws: ou-ab12-99999999 }, controls: [no-lightsail], owner: { placement: control-tower, policies: control-tower } }
  workloads:
    controls: [europe, baseline-stays, trusted]
    units:
      production: { controls: [no-lightsail] }
teams:
  payments: { groups: { developer: { aws: payments-dev }, auditor: { aws: payments-audit } } }
roles:
  developer: { aws: { managed-policies: [PowerUserAccess], session: 8h } }
  auditor: { aws: { managed-policies: [SecurityAudit, ViewOnlyAccess], session: 1h } }
controls:
  europe: { control: allowed-regions, with: { aws: [eu-central-1, eu-west-1] } }
  baseline-stays: { control: protect-baseline }
  no-lightsail: { control: denied-services, with: { aws: [lightsail, "iam:CreateUser"] } }
  trusted: { control: enabled-services, with: { aws: [sso.amazonaws.com] } }
  named: { control: tags, with: { set: { owner: acme } } }
projects:
  checkout:
    team: payments
    cost-center: "4711"
    access: { developer: [payments] }
    tenants:
      - { aws: "222222222222", unit: workloads/production, environment: production }
      - { aws: "444444444444", unit: legacy }
      - { aws: "111111111111", unit: workloads }
      - { aws: "555555555555", unit: workloads, with: { denied-services: { aws: [sagemaker] } } }
"#;
