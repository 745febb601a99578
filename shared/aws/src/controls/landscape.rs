//! An organization to try controls on: resolved from a manifest, so that what is asked is what people write.

use jiff::Timestamp;
use landfall_engine::control::{AnyControl, Control, Judge};
use landfall_model::desired::{Asked, Desired, Known, resolve};
use landfall_model::facts::{Facts, Inventory, Origin, State};
use landfall_model::id::RunId;
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::manifest::{Source, parse::parse};
use landfall_model::observed::{Look, Observed, Seen};
use landfall_model::record::{Life, Record};
use landfall_model::target::Target;
use serde_json::Value;

use super::Aws;

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

/// A target, what is asked of it, and what was seen.
pub(super) struct Landscape {
    pub(super) desired: Desired,
    pub(super) observed: Observed,
}

pub(super) fn absent() -> Seen {
    Seen::Absent
}

impl Landscape {
    pub(super) fn organization() -> Self {
        Landscape::of(MANIFEST, "organization/aws", |_| {})
    }

    /// A tenant that was there before and is named.
    pub(super) fn adopted(account: &str) -> Self {
        Landscape::of(MANIFEST, &format!("aws/{account}"), |_| {})
    }

    /// A tenant that was just made.
    pub(super) fn new(account: &str) -> Self {
        let mut landscape = Landscape::adopted(account);
        landscape.desired = again(MANIFEST, &landscape.desired, Origin::Created);
        landscape
    }

    pub(super) fn of(manifest: &str, target: &str, record: impl FnOnce(&mut Record)) -> Self {
        let target: Target = target.parse().unwrap();
        let mut kept = Record::new(target.clone(), &RunId::new(Timestamp::UNIX_EPOCH, 1));
        record(&mut kept);
        Landscape { desired: desired(manifest, &target, kept, Origin::Joined), observed: Observed::default() }
    }

    /// The same tenant, handed over.
    pub(super) fn handed_over(mut self) -> Self {
        self.desired.record.life = Life::HandedOver;
        self.desired.record.handed_over = Some(Timestamp::UNIX_EPOCH);
        self.desired = again(MANIFEST, &self.desired, Origin::Created);
        self
    }

    /// The ledger shows that Landfall made this.
    pub(super) fn made(mut self, address: &str) -> Self {
        self.desired.record.made.insert(address.parse().unwrap());
        self
    }

    pub(super) fn saw(self, address: &str, value: Value) -> Self {
        self.with(address, Seen::Present(value))
    }

    pub(super) fn saw_nothing(self, address: &str) -> Self {
        self.with(address, Seen::Absent)
    }

    pub(super) fn with(mut self, address: &str, seen: Seen) -> Self {
        let look = Look { seen, at: Timestamp::UNIX_EPOCH, request: None };
        self.observed.0.insert(address.parse().unwrap(), look);
        self
    }

    fn asked<C: Control>(&self) -> Asked {
        self.desired.asked(C::KIND).unwrap_or_else(|| panic!("{} is not asked", C::KIND)).clone()
    }

    /// What is looked at, as people write it.
    pub(super) fn addresses<C>(&self, control: &C) -> Vec<String>
    where
        C: Judge<On = Aws>,
    {
        let asked = self.asked::<C>();
        AnyControl::addresses(control, &asked, &self.desired).iter().map(ToString::to_string).collect()
    }

    pub(super) fn judged<C>(&self, control: &C) -> Vec<Judgement>
    where
        C: Judge<On = Aws>,
    {
        AnyControl::judge(control, &self.asked::<C>(), &self.desired, &self.observed)
    }

    /// What is said of each setting.
    pub(super) fn said<C>(&self, control: &C) -> Vec<String>
    where
        C: Judge<On = Aws>,
    {
        self.judged(control).iter().map(told).collect()
    }
}

fn again(manifest: &str, before: &Desired, origin: Origin) -> Desired {
    desired(manifest, &before.target, before.record.clone(), origin)
}

fn desired(manifest: &str, target: &Target, record: Record, origin: Origin) -> Desired {
    let source = Source { name: "acme.yaml".to_owned(), text: manifest.to_owned() };
    let parsed = parse(&[source], "2026-11-21".parse().unwrap());
    let manifest = parsed.manifest.unwrap_or_else(|| panic!("{:#?}", parsed.diagnostics));
    let facts =
        Facts { name: "acme".to_owned(), state: State::Active, origin, joined: Some(Timestamp::UNIX_EPOCH) };
    let inventory = Inventory { at: Timestamp::UNIX_EPOCH, tenants: Default::default() };
    let known = Known { record, facts: Some(facts), inventory: Some(inventory) };
    resolve(&manifest, &"aws".parse().unwrap(), target, known).unwrap()
}

fn told(judgement: &Judgement) -> String {
    let (word, why, changes) = match &judgement.verdict {
        Verdict::Holds => return "holds".to_owned(),
        Verdict::Fails { why, changes } => ("fails", why, changes.as_slice()),
        Verdict::Due { why, changes } => ("due", why, changes.as_slice()),
        Verdict::Unknown { why } => ("unknown", why, &[][..]),
        Verdict::NotApplicable { why } => ("not applicable", why, &[][..]),
    };
    let mut told = format!("{word}: {why}");
    for change in changes {
        told.push_str(&format!("\n{} {} {}", change.deed.sign(), change.stage, change.id));
        if let Some(after) = &change.after {
            told.push_str(&format!(" {after}"));
        }
        if let Some(with) = &change.with {
            let mut with = with.clone();
            // Documents have tests of their own.
            if let Some(content) = with.get_mut("Content") {
                *content = Value::from("…");
            }
            told.push_str(&format!(" with {with}"));
        }
        for need in &change.needs {
            told.push_str(&format!(" needs {need}"));
        }
        if change.loses {
            told.push_str(" loses");
        }
        if let Some(tenants) = change.reaches {
            told.push_str(&format!(" reaches {tenants}"));
        }
    }
    told
}
