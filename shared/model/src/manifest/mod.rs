//! What people write, parsed and checked: one value that says what the organization is and what must hold in it.
//!
//! `parse` reads the YAML folder and finds every problem at once; `bundle` turns the result into canonical JSON, which is
//! what functions load; `statement` is the small signed text that says which bundle counts.

pub mod bundle;
mod check;
mod cloud;
pub mod line;
pub mod parse;
mod role;
pub mod statement;
mod yaml;

pub use cloud::{AwsCloud, AwsRoles, AzureCloud, AzureIdentities, Cloud, GcpCloud, GcpIdentities, Manage};
pub use role::{AwsRole, AzureRole, GcpRole, Role};
pub use yaml::Source;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::catalog::{ControlKind, Effect, Place};
use crate::exemption::Exemption;
use crate::id::{Name, Provider, TenantId, UnitPath};

/// The organization as its manifest says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Manifest {
    /// Version of the manifest's form; 1.
    pub landfall: u32,
    /// The organization's short name.
    pub organization: Name,
    /// The clouds it has, under its own names.
    pub clouds: BTreeMap<Name, Cloud>,
    /// Whom the clouds should reach.
    pub contacts: BTreeMap<ContactKind, Contact>,
    /// Principals that no deny of ours ever stops, as each provider writes them.
    pub break_glass: BTreeMap<Provider, Vec<String>>,
    /// How much one run may change.
    pub limits: Limits,
    /// The environments tenants may name, in the manifest's order.
    pub environments: Vec<Name>,
    /// The tree of units, flattened; a unit's parent is in its path.
    pub units: BTreeMap<UnitPath, Unit>,
    /// Who works here.
    pub teams: BTreeMap<Name, Team>,
    /// What a team may be allowed to do.
    pub roles: BTreeMap<Name, Role>,
    /// Controls under the organization's own names.
    pub controls: BTreeMap<Name, Control>,
    /// Named sets of controls.
    pub landing_zones: BTreeMap<Name, LandingZone>,
    /// Projects and their tenants.
    pub projects: BTreeMap<Name, Project>,
    /// Dated acceptances of what does not hold.
    pub exemptions: Vec<Exemption>,
    /// What happens to new tenants that no project names; the first match wins.
    pub intake: Vec<IntakeRule>,
}

/// What a contact is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContactKind {
    /// Incidents and abuse reports.
    Security,
    /// Outages and maintenance.
    Operations,
    /// Invoices.
    Billing,
}

/// Whom a cloud should reach. A manifest may give the mail address alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Contact {
    /// Mail address.
    pub email: String,
    /// Who answers there; the kind of contact unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Their title; the kind of contact unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Telephone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

/// How much one run may change: the brake on the blast radius.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Limits {
    /// Changes in one plan.
    pub changes: u32,
    /// Deletions in one plan, of what was there before the tenant was handed over or is in use.
    pub deletions: u32,
    /// Tenants below a unit whose policy changes.
    pub tenants: u32,
    /// Hours without a sweep after which the other clouds' sweeps tell that a cloud is silent.
    #[serde(default = "Limits::silence", skip_serializing_if = "Limits::usual_silence")]
    pub silence: u32,
}

impl Limits {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
    const fn usual_silence(hours: &u32) -> bool {
        *hours == Self::silence()
    }

    /// Three missed sweeps of a schedule that wakes every hour.
    const fn silence() -> u32 {
        3
    }
}

impl Default for Limits {
    /// Enough for one new tenant's whole baseline; nothing is deleted and no policy reaches more than ten tenants unless the
    /// manifest says so.
    fn default() -> Self {
        Limits { changes: 100, deletions: 0, tenants: 10, silence: Limits::silence() }
    }
}

/// One unit of the tree: an OU, a management group, a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Unit {
    /// What must hold in it, as a named set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub landing_zone: Option<Name>,
    /// What must hold in it besides.
    #[serde(default)]
    pub controls: Vec<Name>,
    /// Existing units it stands for, by cloud and native id; never renamed.
    #[serde(default)]
    pub adopt: BTreeMap<Name, String>,
    /// Who else owns parts of it; what they own is reported and left alone.
    #[serde(default)]
    pub owner: Owner,
}

/// Parts of a unit that another tool owns, by that tool's name (`control-tower`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Owner {
    /// Which tenants are in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placement: Option<String>,
    /// Which policies sit on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policies: Option<String>,
}

/// A team and its groups in the identity provider.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Team {
    /// Who answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Role, then provider, then the group's name there.
    #[serde(default)]
    pub groups: BTreeMap<Name, BTreeMap<Provider, String>>,
}

/// A catalog control under a name of the organization's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Control {
    /// Which control of the catalog.
    pub control: ControlKind,
    /// Its parameters; each has the form the catalog gives it.
    #[serde(default)]
    pub with: BTreeMap<String, Value>,
    /// The clauses it answers: `iso-27001:2022/A.5.34`.
    #[serde(default)]
    pub satisfies: Vec<String>,
    /// What Landfall does about a deviation.
    pub mode: Mode,
    /// Whether a new tenant waits for it.
    pub handover: Handover,
}

/// What Landfall does about a deviation. Ordered from least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Report it.
    Detect,
    /// Put it right.
    Repair,
    /// Put it right, and deny it beforehand where the cloud can.
    Prevent,
}

impl Mode {
    /// What is done where nobody says.
    pub const fn of(control: ControlKind) -> Self {
        let entry = control.entry();
        match (entry.effect, entry.place) {
            (Effect::Detects, _) => Mode::Detect,
            (_, Place::Policy) | (Effect::Prevents, _) => Mode::Prevent,
            (Effect::Repairs, _) => Mode::Repair,
        }
    }

    /// Whether a policy carries a control that is asked in this mode. What is a setting of each tenant on one cloud is put right by a
    /// policy where another has no such setting.
    pub fn is_carried(self, control: ControlKind) -> bool {
        match control.entry().place {
            Place::Tenant => self != Mode::Detect,
            Place::Policy | Place::Organization | Place::Implied => self == Mode::Prevent,
        }
    }
}

/// Whether a new tenant is kept behind the gate until a control is seen to hold. Ordered from least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Handover {
    /// Handed over all the same; the report says so.
    Reported,
    /// Not handed over before it holds.
    Required,
}

impl Handover {
    /// What holds where nobody says: nobody waits for what Landfall only looks at, nor for what others can hold up: a new account
    /// may have no budgets for a day, and an alias may be taken anywhere in the world.
    pub const fn of(control: ControlKind, mode: Mode) -> Self {
        if matches!(control, ControlKind::Budget | ControlKind::AccountAlias) {
            return Handover::Reported;
        }
        match (control.entry().effect, mode) {
            (Effect::Detects, _) | (_, Mode::Detect) => Handover::Reported,
            (Effect::Prevents | Effect::Repairs, Mode::Repair | Mode::Prevent) => Handover::Required,
        }
    }
}

/// A named set of controls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LandingZone {
    /// Raised by people when its meaning changes; shown in reports.
    pub version: u32,
    /// The set it builds on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extends: Option<Name>,
    /// Names of controls.
    #[serde(default)]
    pub controls: Vec<Name>,
}

/// A project: who pays, who works there, and its tenants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Project {
    /// The team that owns it.
    pub team: Name,
    /// Whom the invoices are charged to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_center: Option<String>,
    /// What each of its tenants may spend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
    /// Role, then the teams that hold it here.
    #[serde(default)]
    pub access: BTreeMap<Name, Vec<Name>>,
    /// Its tenants.
    #[serde(default)]
    pub tenants: Vec<Tenant>,
}

/// What a tenant may spend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Budget {
    /// Whole units of the currency, a month.
    pub monthly: u64,
    /// ISO 4217 code: `EUR`.
    pub currency: String,
    /// Percent of the amount at which to tell people; sorted.
    pub alert_at: Vec<u32>,
}

/// One tenant that the manifest names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// The cloud it belongs to, by the manifest's name.
    pub cloud: Name,
    /// Where it belongs in the tree.
    pub unit: UnitPath,
    /// Its environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Name>,
    /// What must hold in it besides its units' controls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub landing_zone: Option<Name>,
    /// Parameters of its own, by catalog control; they can only tighten.
    #[serde(default)]
    pub with: BTreeMap<ControlKind, BTreeMap<String, Value>>,
}

/// What happens to a new tenant that no project names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct IntakeRule {
    /// Which tenants; every one where absent (`otherwise`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<When>,
    /// What happens then.
    pub then: Intake,
}

/// Which new tenants an intake rule is for; all that is said must fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct When {
    /// The cloud, by the manifest's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cloud: Option<Name>,
    /// A pattern for the tenant's name, where `*` stands for any text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// What happens to a new tenant that no project names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum Intake {
    /// It is brought to this landing zone and placed there.
    Land {
        /// The landing zone.
        landing_zone: Name,
        /// The unit.
        unit: UnitPath,
    },
    /// It stays behind the gate until somebody names it.
    StayGated,
}

impl Manifest {
    /// The tenant and the project that names it.
    pub fn tenant(&self, id: &TenantId) -> Option<(&Name, &Project, &Tenant)> {
        self.projects.iter().find_map(|(name, project)| {
            project.tenants.iter().find(|tenant| &tenant.id == id).map(|tenant| (name, project, tenant))
        })
    }

    /// Every tenant that the manifest names, in order.
    pub fn tenants(&self) -> impl Iterator<Item = &Tenant> {
        self.projects.values().flat_map(|project| &project.tenants)
    }

    /// The landing zone and those it builds on, the lowest first. Ends where a name is missing or comes back.
    pub fn landing_zone_line(&self, name: &Name) -> Vec<(&Name, &LandingZone)> {
        let mut line: Vec<(&Name, &LandingZone)> = Vec::new();
        let mut next = self.landing_zones.get_key_value(name);
        while let Some((name, zone)) = next {
            if line.iter().any(|(seen, _)| *seen == name) {
                break;
            }
            line.push((name, zone));
            next = zone.extends.as_ref().and_then(|below| self.landing_zones.get_key_value(below));
        }
        line.reverse();
        line
    }
}
