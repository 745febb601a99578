//! A target to try controls on, for every provider's tests: resolved from a manifest, so that what is asked is what people write, with
//! what was seen of it.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "an organization to test with is a part of tests; it lives here so that every provider can use it"
)]

use std::marker::PhantomData;

use jiff::Timestamp;
use landfall_model::catalog::ControlKind;
use landfall_model::desired::{Asked, Desired, Known, Standing, resolve};
use landfall_model::facts::{Facts, Inventory, Origin, State};
use landfall_model::id::{Name, RunId};
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::manifest::{Handover, Mode, Source, parse::parse};
use landfall_model::observed::{Address, Look, Observed, Seen};
use landfall_model::record::{Life, Record};
use landfall_model::target::Target;
use serde_json::{Value, json};

use crate::control::{AnyControl, Control, Judge, Platform};

/// The organization that a provider's tests begin with.
pub trait Sample: Platform {
    /// Its manifest. The cloud in it has the provider's own word for a name.
    const MANIFEST: &'static str;

    /// How tests name a tenant.
    type Tenant<'a>;

    /// The platform's id of it.
    fn native(tenant: Self::Tenant<'_>) -> String;

    /// What the directory says of how a tenant came, and when.
    fn came(met: Met) -> (Origin, Option<Timestamp>);
}

/// Whether the first inventory has a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Met {
    /// It has; the tenant is adopted.
    Before,
    /// It has not; the tenant was just made.
    New,
}

/// A target, what is asked of it, and what was seen.
#[derive(Debug)]
pub struct Landscape<On> {
    /// What is asked.
    pub desired: Desired,
    /// What was seen.
    pub observed: Observed,
    on: PhantomData<On>,
}

impl<On: Sample> Landscape<On> {
    /// The organization itself.
    pub fn organization() -> Self {
        Landscape::of(On::MANIFEST, &format!("organization/{}", On::PROVIDER))
    }

    /// A tenant that was there before and is named.
    pub fn adopted(tenant: On::Tenant<'_>) -> Self {
        Landscape::of(On::MANIFEST, &format!("{}/{}", On::PROVIDER, On::native(tenant)))
    }

    /// A tenant that was just made.
    pub fn new(tenant: On::Tenant<'_>) -> Self {
        Landscape::adopted(tenant).met_anew()
    }

    /// A target that was there before, by another manifest.
    pub fn of(manifest: &str, target: &str) -> Self {
        let target: Target = target.parse().expect("a target");
        let record = Record::new(target.clone(), &RunId::new(Timestamp::UNIX_EPOCH, 1));
        let desired = desired::<On>(manifest, &target, record, Met::Before);
        Landscape { desired, observed: Observed::default(), on: PhantomData }
    }

    /// The same tenant, handed over.
    #[must_use]
    pub fn handed_over(mut self) -> Self {
        self.desired.record.life = Life::HandedOver;
        self.desired.record.handed_over = Some(Timestamp::UNIX_EPOCH);
        self.met_anew()
    }

    fn met_anew(mut self) -> Self {
        self.desired =
            desired::<On>(On::MANIFEST, &self.desired.target, self.desired.record.clone(), Met::New);
        self
    }

    /// A new tenant that no project names and no rule lets in.
    #[must_use]
    pub fn waiting(mut self) -> Self {
        self.desired.standing = Standing::Waiting;
        for asked in &mut self.desired.asked {
            if asked.control == ControlKind::QuarantineGate {
                asked.settings = Ok(json!({"opens": false}));
            }
        }
        self
    }

    /// Asks this of a control, whatever the manifest says.
    pub fn ask(&mut self, control: ControlKind, settings: Value) {
        self.desired.asked.retain(|asked| asked.control != control);
        self.desired.asked.push(asking(control, settings));
    }

    /// The same, of a landscape that is being made.
    #[must_use]
    pub fn asks(mut self, control: ControlKind, settings: Value) -> Self {
        self.ask(control, settings);
        self
    }

    /// The ledger shows that Landfall made this.
    #[must_use]
    pub fn made(mut self, at: &str) -> Self {
        self.desired.record.made.insert(address(at));
        self
    }

    /// This was seen there.
    #[must_use]
    pub fn saw(self, at: &str, value: Value) -> Self {
        self.with(at, Seen::Present(value))
    }

    /// There was nothing there.
    #[must_use]
    pub fn saw_nothing(self, at: &str) -> Self {
        self.with(at, Seen::Absent)
    }

    /// A look there found this.
    #[must_use]
    pub fn with(mut self, at: &str, seen: Seen) -> Self {
        let look = Look { seen, at: Timestamp::UNIX_EPOCH, request: None };
        self.observed.0.insert(address(at), look);
        self
    }

    fn asked<C: Control>(&self) -> Asked {
        self.desired.asked(C::KIND).unwrap_or_else(|| panic!("{} is not asked", C::KIND)).clone()
    }

    /// What is looked at, as people write it.
    pub fn addresses<C: Judge<On = On>>(&self, control: &C) -> Vec<String> {
        let asked = self.asked::<C>();
        AnyControl::addresses(control, &asked, &self.desired).iter().map(ToString::to_string).collect()
    }

    /// What is judged of each setting.
    pub fn judged<C: Judge<On = On>>(&self, control: &C) -> Vec<Judgement> {
        AnyControl::judge(control, &self.asked::<C>(), &self.desired, &self.observed)
    }

    /// What is said of each setting.
    pub fn said<C: Judge<On = On>>(&self, control: &C) -> Vec<String> {
        self.judged(control).iter().map(told).collect()
    }
}

/// One thing asked, of which the manifest says no more.
pub fn asking(control: ControlKind, settings: Value) -> Asked {
    Asked {
        control,
        names: Vec::new(),
        settings: Ok(settings),
        sources: Vec::new(),
        satisfies: Vec::new(),
        mode: Mode::of(control),
        handover: Handover::Required,
    }
}

fn address(text: &str) -> Address {
    text.parse().expect("an address")
}

fn desired<On: Sample>(manifest: &str, target: &Target, record: Record, met: Met) -> Desired {
    let source = Source { name: "acme.yaml".to_owned(), text: manifest.to_owned() };
    let parsed = parse(&[source], "2026-11-21".parse().expect("a day"));
    let manifest = parsed.manifest.unwrap_or_else(|| panic!("{:#?}", parsed.diagnostics));
    let (origin, joined) = On::came(met);
    let facts = Facts { name: "acme".to_owned(), state: State::Active, origin, joined };
    let there = target.tenant().filter(|_| met == Met::Before).cloned();
    let inventory = Inventory { at: Timestamp::UNIX_EPOCH, tenants: there.into_iter().collect() };
    let known = Known { record, facts: Some(facts), inventory: Some(inventory) };
    let cloud: Name = On::PROVIDER.as_str().parse().expect("a name");
    resolve(&manifest, &cloud, target, known).expect("the manifest has the cloud")
}

/// A judgement in words: what is found, why, and a line for each change.
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
