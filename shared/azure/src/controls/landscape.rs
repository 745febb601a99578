//! An organization to try controls on: resolved from a manifest, so that what is asked is what people write.

use jiff::Timestamp;
use landfall_engine::control::{AnyControl, Control, Judge};
use landfall_model::catalog::ControlKind;
use landfall_model::desired::{Asked, Desired, Known, Standing, resolve};
use landfall_model::facts::{Facts, Inventory, Origin, State};
use landfall_model::id::RunId;
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::manifest::{Source, parse::parse};
use landfall_model::observed::{Look, Observed, Seen};
use landfall_model::record::{Life, Record};
use landfall_model::target::Target;
use serde_json::Value;

use super::Azure;

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

/// A target, what is asked of it, and what was seen.
pub(super) struct Landscape {
    pub(super) desired: Desired,
    pub(super) observed: Observed,
}

impl Landscape {
    pub(super) fn organization() -> Self {
        Landscape::of("organization/azure", |_| {})
    }

    /// A subscription that was there before and is named, by the last part of its id.
    pub(super) fn adopted(number: u32) -> Self {
        Landscape::of(&format!("azure/{}", subscription(number)), |_| {})
    }

    /// A subscription that was just made.
    pub(super) fn new(number: u32) -> Self {
        let mut landscape = Landscape::adopted(number);
        landscape.desired = desired(&landscape.desired.target, landscape.desired.record.clone(), Met::New);
        landscape
    }

    fn of(target: &str, record: impl FnOnce(&mut Record)) -> Self {
        let target: Target = target.parse().unwrap();
        let mut kept = Record::new(target.clone(), &RunId::new(Timestamp::UNIX_EPOCH, 1));
        record(&mut kept);
        Landscape { desired: desired(&target, kept, Met::Before), observed: Observed::default() }
    }

    /// The same subscription, handed over.
    pub(super) fn handed_over(mut self) -> Self {
        self.desired.record.life = Life::HandedOver;
        self.desired.record.handed_over = Some(Timestamp::UNIX_EPOCH);
        self.desired = desired(&self.desired.target, self.desired.record.clone(), Met::New);
        self
    }

    /// A new subscription that no project names and no rule lets in.
    pub(super) fn waiting(mut self) -> Self {
        self.desired.standing = Standing::Waiting;
        for asked in &mut self.desired.asked {
            if asked.control == ControlKind::QuarantineGate {
                asked.settings = Ok(serde_json::json!({"opens": false}));
            }
        }
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

    /// Storage that is there already is closed as well, wherever public storage is denied; or that is no longer asked.
    pub(super) fn closing(mut self, existing: bool) -> Self {
        let with = serde_json::json!({"also-existing": existing});
        for asked in &mut self.desired.asked {
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
        self
    }

    fn asked<C: Control>(&self) -> Asked {
        self.desired.asked(C::KIND).unwrap_or_else(|| panic!("{} is not asked", C::KIND)).clone()
    }

    /// What is looked at, as people write it.
    pub(super) fn addresses<C>(&self, control: &C) -> Vec<String>
    where
        C: Judge<On = Azure>,
    {
        let asked = self.asked::<C>();
        AnyControl::addresses(control, &asked, &self.desired).iter().map(ToString::to_string).collect()
    }

    pub(super) fn judged<C>(&self, control: &C) -> Vec<Judgement>
    where
        C: Judge<On = Azure>,
    {
        AnyControl::judge(control, &self.asked::<C>(), &self.desired, &self.observed)
    }

    /// What is said of each setting.
    pub(super) fn said<C>(&self, control: &C) -> Vec<String>
    where
        C: Judge<On = Azure>,
    {
        self.judged(control).iter().map(told).collect()
    }
}

/// `3f2c0000-0000-4000-8000-00000000000N`.
pub(super) fn subscription(number: u32) -> String {
    format!("3f2c0000-0000-4000-8000-{number:012}")
}

/// Whether the first inventory has the subscription.
#[derive(Clone, Copy, PartialEq)]
enum Met {
    Before,
    New,
}

fn desired(target: &Target, record: Record, met: Met) -> Desired {
    let source = Source { name: "acme.yaml".to_owned(), text: MANIFEST.to_owned() };
    let parsed = parse(&[source], "2026-11-21".parse().unwrap());
    let manifest = parsed.manifest.unwrap_or_else(|| panic!("{:#?}", parsed.diagnostics));
    let facts =
        Facts { name: "acme".to_owned(), state: State::Active, origin: Origin::Created, joined: None };
    let there = target.tenant().filter(|_| met == Met::Before).cloned();
    let inventory = Inventory { at: Timestamp::UNIX_EPOCH, tenants: there.into_iter().collect() };
    let known = Known { record, facts: Some(facts), inventory: Some(inventory) };
    resolve(&manifest, &"azure".parse().unwrap(), target, known).unwrap()
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
