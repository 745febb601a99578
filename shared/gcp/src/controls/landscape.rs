//! An organization to try controls on: resolved from a manifest, so that what is asked is what people write.

use jiff::Timestamp;
use landfall_engine::control::{AnyControl, Control, Judge};
use landfall_model::catalog::ControlKind;
use landfall_model::desired::{Asked, Desired, Known, Standing, resolve};
use landfall_model::facts::{Facts, Inventory, Origin, State};
use landfall_model::id::RunId;
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::manifest::{Handover, Mode, Source, parse::parse};
use landfall_model::observed::{Look, Observed, Seen};
use landfall_model::record::{Life, Record};
use landfall_model::target::Target;
use serde_json::Value;

use super::Gcp;

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

/// A target, what is asked of it, and what was seen.
pub(super) struct Landscape {
    pub(super) desired: Desired,
    pub(super) observed: Observed,
}

impl Landscape {
    pub(super) fn organization() -> Self {
        Landscape::of("organization/gcp", |_| {})
    }

    /// A project that was there before and is named.
    pub(super) fn adopted(id: &str) -> Self {
        Landscape::of(&format!("gcp/{id}"), |_| {})
    }

    /// A project that was just made.
    pub(super) fn new(id: &str) -> Self {
        let mut landscape = Landscape::adopted(id);
        landscape.desired = desired(&landscape.desired.target, landscape.desired.record.clone(), Met::New);
        landscape
    }

    fn of(target: &str, record: impl FnOnce(&mut Record)) -> Self {
        let target: Target = target.parse().unwrap();
        let mut kept = Record::new(target.clone(), &RunId::new(Timestamp::UNIX_EPOCH, 1));
        record(&mut kept);
        Landscape { desired: desired(&target, kept, Met::Before), observed: Observed::default() }
    }

    /// The same project, handed over.
    pub(super) fn handed_over(mut self) -> Self {
        self.desired.record.life = Life::HandedOver;
        self.desired.record.handed_over = Some(Timestamp::UNIX_EPOCH);
        self.desired = desired(&self.desired.target, self.desired.record.clone(), Met::New);
        self
    }

    /// A new project that no project names and no rule lets in.
    pub(super) fn waiting(mut self) -> Self {
        self.desired.standing = Standing::Waiting;
        for asked in &mut self.desired.asked {
            if asked.control == ControlKind::QuarantineGate {
                asked.settings = Ok(serde_json::json!({"opens": false}));
            }
        }
        self
    }

    /// The manifest asks this, too.
    pub(super) fn asks(mut self, control: ControlKind, settings: Value) -> Self {
        self.desired.asked.retain(|asked| asked.control != control);
        self.desired.asked.push(Asked {
            control,
            names: Vec::new(),
            settings: Ok(settings),
            sources: Vec::new(),
            satisfies: Vec::new(),
            mode: Mode::Repair,
            handover: Handover::Required,
        });
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

    /// Asks this of a control, whatever the manifest says.
    pub(super) fn ask(&mut self, kind: ControlKind, settings: Value) {
        let asked = Asked {
            control: kind,
            names: Vec::new(),
            settings: Ok(settings),
            sources: Vec::new(),
            satisfies: Vec::new(),
            mode: Mode::of(kind),
            handover: Handover::Required,
        };
        self.desired.asked.retain(|asked| asked.control != kind);
        self.desired.asked.push(asked);
    }

    fn asked<C: Control>(&self) -> Asked {
        self.desired.asked(C::KIND).unwrap_or_else(|| panic!("{} is not asked", C::KIND)).clone()
    }

    /// What is looked at, as people write it.
    pub(super) fn addresses<C>(&self, control: &C) -> Vec<String>
    where
        C: Judge<On = Gcp>,
    {
        let asked = self.asked::<C>();
        AnyControl::addresses(control, &asked, &self.desired).iter().map(ToString::to_string).collect()
    }

    pub(super) fn judged<C>(&self, control: &C) -> Vec<Judgement>
    where
        C: Judge<On = Gcp>,
    {
        AnyControl::judge(control, &self.asked::<C>(), &self.desired, &self.observed)
    }

    /// What is said of each setting.
    pub(super) fn said<C>(&self, control: &C) -> Vec<String>
    where
        C: Judge<On = Gcp>,
    {
        self.judged(control).iter().map(told).collect()
    }
}

/// Whether the first inventory has the project.
#[derive(Clone, Copy, PartialEq)]
enum Met {
    Before,
    New,
}

fn desired(target: &Target, record: Record, met: Met) -> Desired {
    let source = Source { name: "acme.yaml".to_owned(), text: MANIFEST.to_owned() };
    let parsed = parse(&[source], "2026-11-21".parse().unwrap());
    let manifest = parsed.manifest.unwrap_or_else(|| panic!("{:#?}", parsed.diagnostics));
    let facts = Facts {
        name: "acme".to_owned(),
        state: State::Active,
        origin: Origin::Created,
        joined: Some(Timestamp::UNIX_EPOCH),
    };
    let there = target.tenant().filter(|_| met == Met::Before).cloned();
    let inventory = Inventory { at: Timestamp::UNIX_EPOCH, tenants: there.into_iter().collect() };
    let known = Known { record, facts: Some(facts), inventory: Some(inventory) };
    resolve(&manifest, &"gcp".parse().unwrap(), target, known).unwrap()
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
