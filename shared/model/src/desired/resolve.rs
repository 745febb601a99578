//! From the manifest to what must hold in one target. Pure: who the target is, and what is known of it, arrive as arguments.

mod standing;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use self::standing::standing;
use super::{Asked, Desired, Standing, reach};
use crate::catalog::policies::{At, Point};
use crate::catalog::units::WantedUnit;
use crate::catalog::{
    ControlKind, Place, access, access_approval, account_alias, budget, organization_policies, placement,
    policies, quarantine_gate, resource_tags, security_contacts, service_alerts, tags, units,
};
use crate::facts::{Facts, Inventory};
use crate::id::{Name, Provider, TenantId, UnitPath};
use crate::manifest::{
    ContactKind, Handover, Intake, Manage, Manifest, Mode, Project, Role, Tenant, line::Asking,
};
use crate::record::Record;
use crate::target::Target;

/// What is known of a target beside the manifest.
#[derive(Debug, Clone)]
pub struct Known {
    /// The store's record.
    pub record: Record,
    /// What the cloud says of the tenant; nothing where it could not be asked or the target is the organization.
    pub facts: Option<Facts>,
    /// Who was there when Landfall first looked; nothing where it never did.
    pub inventory: Option<Inventory>,
}

/// A tenant's place in the manifest: by a project that names it, or by the intake rule that lets it in.
struct Home<'a> {
    unit: UnitPath,
    landing_zone: Option<&'a Name>,
    named: Option<(&'a Name, &'a Project, &'a Tenant)>,
}

/// Resolves what must hold in a target. `None` when the manifest has no such cloud.
pub fn resolve(manifest: &Manifest, cloud: &Name, target: &Target, known: Known) -> Option<Desired> {
    let ground = manifest.clouds.get(cloud)?;
    let Known { record, facts, inventory } = known;
    let (standing, asked) = match target {
        Target::Organization(_) => (
            match ground.manage() {
                Manage::Full => Standing::Organization,
                Manage::Observe => Standing::ReportOnly("the manifest says `manage: observe`".to_owned()),
            },
            organization(manifest, cloud, ground.provider(), &record),
        ),
        Target::Tenant(id) => {
            let met = facts.as_ref().map(|facts| facts.name.as_str());
            let home = home(manifest, cloud, id, record.came_as.as_deref().or(met).unwrap_or_default());
            let standing = standing(ground, id, &record, facts.as_ref(), inventory.as_ref(), home.as_ref());
            (standing.clone(), tenant(manifest, cloud, id, &standing, home.as_ref()))
        }
    };
    let exemptions = manifest
        .exemptions
        .iter()
        .filter(|exemption| Some(&exemption.tenant) == target.tenant())
        .cloned()
        .collect();
    Some(Desired {
        target: target.clone(),
        cloud: cloud.clone(),
        ground: ground.clone(),
        break_glass: manifest.break_glass.get(&ground.provider()).cloned().unwrap_or_default(),
        organization: manifest.organization.clone(),
        standing,
        record,
        facts,
        asked,
        exemptions,
    })
}

/// The unit that a tenant belongs to, wherever it is now; nothing where the manifest has no place for it. `name` is the one that it
/// came with, and only matters where no project names it.
pub fn unit_of(manifest: &Manifest, cloud: &Name, id: &TenantId, name: &str) -> Option<UnitPath> {
    home(manifest, cloud, id, name).map(|home| home.unit)
}

/// Where a tenant belongs: a project's word counts before an intake rule's, which goes by the name it came with.
fn home<'a>(manifest: &'a Manifest, cloud: &Name, id: &TenantId, name: &str) -> Option<Home<'a>> {
    if let Some(named) = manifest.tenant(id) {
        let (_, _, tenant) = named;
        return Some(Home {
            unit: tenant.unit.clone(),
            landing_zone: tenant.landing_zone.as_ref(),
            named: Some(named),
        });
    }
    let rule = manifest.intake.iter().find(|rule| {
        rule.when.as_ref().is_none_or(|when| {
            when.cloud.as_ref().is_none_or(|wanted| wanted == cloud)
                && when.name.as_ref().is_none_or(|pattern| matches(pattern, name))
        })
    })?;
    match &rule.then {
        Intake::Land { landing_zone, unit } => {
            Some(Home { unit: unit.clone(), landing_zone: Some(landing_zone), named: None })
        }
        Intake::StayGated => None,
    }
}

/// Whether a text fits a pattern in which `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, rest)) => text.strip_prefix(head).is_some_and(|text| {
            text.char_indices()
                .map(|(at, _)| at)
                .chain([text.len()])
                .any(|at| text.get(at..).is_some_and(|tail| matches(rest, tail)))
        }),
    }
}

/// What the manifest's shape asks for, without anybody listing it under `controls`.
fn implied(control: ControlKind, settings: &impl Serialize) -> Asked {
    Asked {
        control,
        names: Vec::new(),
        settings: serde_json::to_value(settings).map_err(|error| error.to_string()),
        sources: Vec::new(),
        satisfies: Vec::new(),
        mode: Mode::Repair,
        // Access and the gate are what handover does; it can't wait for them.
        handover: if matches!(control, ControlKind::Access | ControlKind::QuarantineGate) {
            Handover::Reported
        } else {
            Handover::Required
        },
    }
}

fn organization(manifest: &Manifest, cloud: &Name, provider: Provider, record: &Record) -> Vec<Asked> {
    let paths: Vec<&UnitPath> = manifest.units.keys().collect();
    let wanted = paths.iter().map(|path| wanted(manifest, cloud, path)).collect();
    let points = paths.iter().filter_map(|path| point(manifest, path, provider, true)).collect();
    let mut asked = vec![
        implied(ControlKind::Units, &units::Settings { units: wanted }),
        implied(ControlKind::QuarantineGate, &quarantine_gate::Settings { opens: true }),
        implied(ControlKind::Policies, &policies::Settings { points }),
    ];
    let roles = own_roles(manifest, provider);
    // Those that were made and that nobody asks for any more are seen to as well.
    let made = |kind: ControlKind| record.made.iter().any(|address| address.control == kind);
    if !roles.is_empty() || made(ControlKind::Access) {
        let grants = Vec::new();
        asked.push(implied(ControlKind::Access, &access::Settings { grants, roles }));
    }
    // What is made once for all is asked where any unit asks for it.
    for kind in ControlKind::ALL.iter().copied().filter(|kind| kind.is_made_once_on(provider)) {
        // A tag is bound to tenants, and its keys and values are made for all of them.
        let askings: Vec<Asking> = if kind == ControlKind::ResourceTags {
            anywhere(manifest, cloud, kind)
        } else {
            paths.iter().filter_map(|path| manifest.askings_at(path).remove(&kind)).collect()
        };
        let values = tag_values(&askings);
        match askings.into_iter().reduce(|all, asking| all.join(kind, &asking)) {
            Some(asking) if kind == ControlKind::ResourceTags => {
                let settings = json(&resource_tags::Settings { set: BTreeMap::new(), values });
                asked.push(Asked { settings, ..asking.asked(kind) });
            }
            Some(asking) => asked.push(asking.asked(kind)),
            // The kinds of policy that other controls need are switched on all the same.
            None if kind == ControlKind::EnabledServices => {
                asked.push(implied(kind, &serde_json::json!({"aws": [], "azure": [], "gcp": []})));
            }
            // Custom constraints that were made and that nobody asks for any more.
            None if kind == ControlKind::OrganizationPolicies && made(kind) => {
                asked.push(implied(kind, &organization_policies::Settings::default()));
            }
            None => {}
        }
    }
    asked.sort_by_key(|asked| asked.control);
    asked
}

/// What any unit, intake rule or tenant of a cloud asks of a control.
fn anywhere(manifest: &Manifest, cloud: &Name, kind: ControlKind) -> Vec<Asking> {
    reach::anywhere(manifest, cloud).filter_map(|mut askings| askings.remove(&kind)).collect()
}

/// Every value of each tag that is asked of anybody.
fn tag_values(askings: &[Asking]) -> BTreeMap<String, BTreeSet<String>> {
    let mut values: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (key, value) in askings.iter().filter_map(|asking| asking.with.get("set")?.as_object()).flatten() {
        values.entry(key.clone()).or_default().extend(value.as_str().map(str::to_owned));
    }
    values
}

/// The roles that need a definition of their own, which the organization holds for all its tenants.
fn own_roles(manifest: &Manifest, provider: Provider) -> BTreeMap<Name, Role> {
    let custom = |role: &Role| match provider {
        // A permission set is made with its first assignment.
        Provider::Aws => false,
        Provider::Azure => role.azure.is_custom(),
        Provider::Gcp => role.gcp.is_custom(),
    };
    let own = manifest.roles.iter().filter(|(_, role)| custom(role));
    own.map(|(name, role)| (name.clone(), role.clone())).collect()
}

fn wanted(manifest: &Manifest, cloud: &Name, path: &UnitPath) -> WantedUnit {
    let unit = manifest.units.get(path).cloned().unwrap_or_default();
    WantedUnit {
        path: path.clone(),
        adopt: unit.adopt.get(cloud).cloned(),
        policies_owner: unit.owner.policies,
        placement_owner: unit.owner.placement,
    }
}

/// The policies that are new at a unit, beyond what the unit above asks.
fn point(manifest: &Manifest, path: &UnitPath, provider: Provider, own: bool) -> Option<Point> {
    let above = path.parent().map(|above| manifest.askings_at(&above)).unwrap_or_default();
    let asks = beyond(provider, &manifest.askings_at(path), &above);
    let owner = manifest.units.get(path).and_then(|unit| unit.owner.policies.clone());
    (!asks.is_empty() || own).then(|| Point { at: At::Unit(path.clone()), own, owner, asks })
}

/// The policy controls of `here` whose settings `above` does not ask for already.
fn beyond(
    provider: Provider,
    here: &BTreeMap<ControlKind, Asking>,
    above: &BTreeMap<ControlKind, Asking>,
) -> BTreeMap<ControlKind, Value> {
    here.iter()
        .filter(|(kind, asking)| {
            kind.place_on(provider) == Place::Policy
                && asking.mode.is_carried(**kind)
                && above
                    .get(kind)
                    .is_none_or(|above| above.with != asking.with || !above.mode.is_carried(**kind))
        })
        .map(|(kind, asking)| (*kind, asking.value()))
        .collect()
}

fn tenant(
    manifest: &Manifest,
    cloud: &Name,
    id: &TenantId,
    standing: &Standing,
    home: Option<&Home<'_>>,
) -> Vec<Asked> {
    let mut asked = Vec::new();
    if standing.before_handover() || *standing == Standing::HandedOver {
        let opens = *standing != Standing::Waiting;
        asked.push(implied(ControlKind::QuarantineGate, &quarantine_gate::Settings { opens }));
    }
    let project = home.and_then(|home| home.named).map(|(_, project, _)| project);
    let grants = project.map(|project| grants(manifest, id.provider(), project)).unwrap_or_default();
    // An owner of a subscription can take away the policies on it, and who hands out rights on a project can give them to himself:
    // whoever could open the gate from inside is looked for.
    let watched = matches!(id.provider(), Provider::Azure | Provider::Gcp) && standing.before_handover();
    if !grants.is_empty() || watched || (project.is_some() && standing != &Standing::New) {
        let roles = BTreeMap::new();
        asked.push(implied(ControlKind::Access, &access::Settings { grants, roles }));
    }
    let Some(home) = home else { return asked };
    let line: Vec<WantedUnit> = home.unit.line().iter().map(|path| wanted(manifest, cloud, path)).collect();
    let owner = line.iter().rev().find_map(|unit| unit.placement_owner.clone());
    asked
        .push(implied(ControlKind::Placement, &placement::Settings { unit: home.unit.clone(), line, owner }));
    let askings = manifest.askings(&home.unit, home.landing_zone, home.named.map(|(_, _, tenant)| tenant));
    asked.push(implied(
        ControlKind::Policies,
        &policies::Settings { points: points(manifest, id, home, &askings) },
    ));
    for (kind, asking) in askings {
        match kind.place_on(id.provider()) {
            Place::Tenant | Place::Policy => {
                let mut one = asking.asked(kind);
                one.settings = fill(manifest, id, home, kind, one.settings);
                asked.push(one);
            }
            Place::Organization | Place::Implied => {}
        }
    }
    asked.sort_by_key(|asked| asked.control);
    asked
}

/// The places above a tenant that carry policies, and the tenant itself where it asks for more than they do.
fn points(
    manifest: &Manifest,
    id: &TenantId,
    home: &Home<'_>,
    askings: &BTreeMap<ControlKind, Asking>,
) -> Vec<Point> {
    let mut points: Vec<Point> =
        home.unit.line().iter().filter_map(|path| point(manifest, path, id.provider(), false)).collect();
    let asks = beyond(id.provider(), askings, &manifest.askings_at(&home.unit));
    points.push(Point { at: At::Tenant(id.clone()), own: true, owner: None, asks });
    points
}

fn grants(manifest: &Manifest, provider: Provider, project: &Project) -> Vec<access::Grant> {
    let mut grants = Vec::new();
    for (role, teams) in &project.access {
        let Some(rights) = manifest.roles.get(role) else { continue };
        for team in teams {
            let group = manifest
                .teams
                .get(team)
                .and_then(|team| team.groups.get(role))
                .and_then(|groups| groups.get(&provider));
            if let Some(group) = group {
                grants.push(access::Grant {
                    role: role.clone(),
                    team: team.clone(),
                    group: group.clone(),
                    rights: rights.clone(),
                });
            }
        }
    }
    grants
}

/// Fills in what a control takes from the manifest rather than from its parameters.
fn fill(
    manifest: &Manifest,
    id: &TenantId,
    home: &Home<'_>,
    kind: ControlKind,
    settings: Result<Value, String>,
) -> Result<Value, String> {
    let settings = settings?;
    let project = home.named.map(|(name, project, _)| (name, project));
    let environment = home.named.and_then(|(_, _, tenant)| tenant.environment.as_ref());
    match kind {
        ControlKind::SecurityContacts => {
            json(&security_contacts::Settings { contacts: manifest.contacts.clone() })
        }
        ControlKind::Budget => {
            let (_, project) = project.ok_or("no project names this tenant, so it has no budget")?;
            let budget = project.budget.clone().ok_or("its project has no `budget`")?;
            let recipients: BTreeSet<String> =
                manifest.contacts.values().map(|contact| contact.email.clone()).collect();
            json(&budget::Settings { budget, recipients: recipients.into_iter().collect() })
        }
        ControlKind::ServiceAlerts => {
            let told = [ContactKind::Operations, ContactKind::Security];
            let told = told.iter().filter_map(|kind| manifest.contacts.get(kind));
            // Clouds don't tell addresses apart by their case, and take none twice.
            let recipients: BTreeMap<String, String> =
                told.map(|contact| (contact.email.to_ascii_lowercase(), contact.email.clone())).collect();
            let location = settings.get("location").and_then(Value::as_str).map(str::to_owned);
            json(&service_alerts::Settings { location, recipients: recipients.into_values().collect() })
        }
        ControlKind::AccessApproval => {
            let listed = settings.get("recipients").and_then(Value::as_array).into_iter().flatten();
            let security = manifest.contacts.get(&ContactKind::Security);
            let told = listed.filter_map(Value::as_str).chain(security.map(|contact| contact.email.as_str()));
            // The contact's own spelling counts, and no address is told twice.
            let recipients: BTreeMap<String, String> =
                told.map(|email| (email.to_ascii_lowercase(), email.to_owned())).collect();
            json(&access_approval::Settings { recipients: recipients.into_values().collect() })
        }
        ControlKind::Tags => {
            let mut wanted: BTreeMap<String, String> = BTreeMap::new();
            let from = settings.get("from-project").and_then(Value::as_array).cloned().unwrap_or_default();
            for key in from.iter().filter_map(Value::as_str) {
                let value = match (key, project) {
                    ("project", Some((name, _))) => Some(name.to_string()),
                    ("team", Some((_, project))) => Some(project.team.to_string()),
                    ("cost-center", Some((_, project))) => project.cost_center.clone(),
                    ("environment", Some(_)) => environment.map(ToString::to_string),
                    _ => None,
                };
                if let Some(value) = value {
                    wanted.insert(key.to_owned(), value);
                }
            }
            for (key, value) in settings.get("set").and_then(Value::as_object).into_iter().flatten() {
                wanted.insert(key.clone(), value.as_str().unwrap_or_default().to_owned());
            }
            json(&tags::Settings { tags: wanted })
        }
        ControlKind::AccountAlias => {
            let pattern = settings.get("alias").and_then(Value::as_str).unwrap_or_default();
            let project = project.map(|(name, _)| name.as_str());
            let fill = |pattern: &str, key: &str, value: Option<&str>| match value {
                Some(value) => Ok(pattern.replace(key, value)),
                None if pattern.contains(key) => {
                    Err(format!("the alias `{pattern}` names {key}, which this tenant has not"))
                }
                None => Ok(pattern.to_owned()),
            };
            let alias = fill(pattern, "{organization}", Some(manifest.organization.as_str()))?;
            let alias = fill(&alias, "{account}", Some(id.native()))?;
            let alias = fill(&alias, "{project}", project)?;
            let alias = fill(&alias, "{environment}", environment.map(Name::as_str))?;
            json(&account_alias::Settings { alias })
        }
        ControlKind::Units
        | ControlKind::Placement
        | ControlKind::QuarantineGate
        | ControlKind::Access
        | ControlKind::EnabledServices
        | ControlKind::Policies
        | ControlKind::AllowedRegions
        | ControlKind::DeniedServices
        | ControlKind::OrganizationPolicies
        | ControlKind::BillingAccount
        | ControlKind::ResourceTags
        | ControlKind::ProtectBaseline
        | ControlKind::ResourceLocks
        | ControlKind::AuditLog
        | ControlKind::ConfigurationRecording
        | ControlKind::ThreatDetection
        | ControlKind::StandardsAssessment
        | ControlKind::PasswordPolicy
        | ControlKind::NoRootKeys
        | ControlKind::RootMfa
        | ControlKind::ExternalAccessAnalysis
        | ControlKind::DefaultServiceAccounts
        | ControlKind::ServiceAccounts
        | ControlKind::Federation
        | ControlKind::BlockPublicStorage
        | ControlKind::EncryptByDefault
        | ControlKind::BlockPublicSnapshots
        | ControlKind::BlockPublicImages
        | ControlKind::HardenedInstances
        | ControlKind::NoDefaultNetwork
        | ControlKind::ClosedDefaultSecurityGroups
        | ControlKind::RegionOptIn => Ok(settings),
    }
}

fn json(settings: &impl Serialize) -> Result<Value, String> {
    serde_json::to_value(settings).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests;
